"""The shape of the source tree: small folders, files that fit a sitting, nothing written twice."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "handwright"

MOST_MODULES = 14
"""A folder's modules, its ``__init__`` left out."""

MOST_LINES = 350
"""Of a file."""

BLOCK_LINES = 6
"""So many lines of code, the same to the letter in two places, are one piece of code written twice."""


def modules_by_folder() -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for path in SRC.rglob("*.py"):
        if path.name != "__init__.py":
            counts[path.parent.relative_to(SRC).as_posix()] += 1
    return counts


def code_lines(text: str) -> list[tuple[int, str]]:
    """Number and tokens of each line of code: no comments, docstrings, imports, signatures or lone brackets.

    Lines are compared by their tokens, so that white space does not count.
    """
    lines: dict[int, list[str]] = defaultdict(list)
    after_newline = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (
            tokenize.COMMENT,
            tokenize.NL,
            tokenize.INDENT,
            tokenize.DEDENT,
            tokenize.ENDMARKER,
        ):
            continue
        if token.type == tokenize.NEWLINE:
            after_newline = True
            continue
        if not (after_newline and token.type == tokenize.STRING):
            lines[token.start[0]].append(token.string)
        after_newline = False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            for number in range(node.lineno, node.body[0].lineno):
                lines.pop(number, None)
    code = [(number, " ".join(parts)) for number, parts in sorted(lines.items())]
    return [(n, line) for n, line in code if len(line) > 4 and not line.startswith(("import ", "from "))]


def repeated_blocks(sources: dict[str, str], length: int = BLOCK_LINES) -> Iterator[tuple[str, str]]:
    """Pairs of places 'file:line' at which the same ``length`` lines of code begin."""
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, text in sources.items():
        code = code_lines(text)
        for k in range(len(code) - length + 1):
            block = tuple(line for _, line in code[k : k + length])
            places[block].append(f"{name}:{code[k][0]}")
    for found in places.values():
        yield from pairwise(found)


def test_no_folder_has_more_modules_than_a_reader_can_take_in():
    wide = {folder: count for folder, count in modules_by_folder().items() if count > MOST_MODULES}
    assert wide == {}


def test_no_file_is_longer_than_a_sitting():
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in SRC.rglob("*.py")}
    assert {str(path): lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_block_of_code_stands_in_two_places():
    sources = {path.relative_to(SRC).as_posix(): path.read_text("utf-8") for path in SRC.rglob("*.py")}
    pairs = list(repeated_blocks(sources))
    assert not pairs, "\n".join(" = ".join(pair) for pair in pairs)


@pytest.mark.parametrize("other", ["", "# a comment\n", '"""A docstring."""\n', "\n\n"])
def test_a_planted_copy_is_found_whatever_stands_between(other):
    block = [f"value_{k} = compute({k})\n" for k in range(BLOCK_LINES)]
    copy = "x = 1\n" + other.join(block)
    assert list(repeated_blocks({"a.py": "".join(block), "b.py": copy}))
    assert not list(repeated_blocks({"a.py": "".join(block), "b.py": "".join(block[:-1])}))
