"""Words of the private dialect that this code was once written in must not come back.

``docs/glossary.md`` says which word stands for what. Words of prompts are data: other strings than docstrings
are looked at only for ``TALK``, and not in the tables of ``PROMPT_TABLES``.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "handwright"

TALK = frozenset(["told", "says", "said", "heard", "believed"])
"""Must stand nowhere: in no name, docstring, comment or message."""

NAMES = TALK | frozenset(
    [
        "asked",
        "looks",
        "beats",
        "opinion",
        "unfound",
        "eyes",
        "sight",
        "flesh",
        "surgery",
        "patient",
        "reading",
        "readings",
        "made",
        "front",
    ]
)
"""Must be no part of a name that code defines; ordinary prose may use them."""

PHRASES = frozenset({"way_back", "beyond_wrist", "may_change"})
"""The same, of more than one part."""

PLAIN_SENSE = {
    "eyes": ("data/people", "prompts"),
    "front": ("data/people", "data/world", "data/hands"),
}
"""Rooms in which a word has its plain sense: a rendered head has eyes, and a garment a front."""

PROMPT_TABLES: tuple[str, ...] = ("prompts/",)
"""Files with tables of words that users write, in which strings are data."""


def words(name: str) -> list[str]:
    """The parts of an identifier, in lower case."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def defined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names that code gives to modules, classes, functions, parameters, attributes and variables."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def docstring_lines(tree: ast.AST) -> set[int]:
    """Lines on which strings that stand alone begin: docstrings of anything, attributes included."""
    return {
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def found(text: str, path: str) -> list[tuple[int, str]]:
    """Line and word of everything in a module that must not be there.

    Args:
        text: Of the module.
        path: Of the module below ``src/handwright``, with its name.
    """
    tree = ast.parse(text)
    hits: list[tuple[int, str]] = []
    for line, name in [(1, Path(path).stem), *defined(tree)]:
        bad = [word for word in words(name) if word in NAMES] + [
            each for each in PHRASES if each in name.lower()
        ]
        hits += [(line, word) for word in bad if not path.startswith(PLAIN_SENSE.get(word, ()) or ("-",))]
    docstrings = docstring_lines(tree)
    strings = (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_prose = token.type == tokenize.COMMENT or (token.type in strings and token.start[0] in docstrings)
        if is_prose or (token.type in strings and not path.startswith(PROMPT_TABLES)):
            spoken = re.findall(r"[A-Za-z]+", token.string)
            hits += [(token.start[0], word.lower()) for word in spoken if word.lower() in TALK]
    return hits


def everything() -> Iterator[str]:
    """Each hit as 'file:line word'."""
    for path in sorted(SRC.rglob("*.py")):
        name = path.relative_to(SRC).as_posix()
        for line, word in found(path.read_text("utf-8"), name):
            yield f"{name}:{line} {word}"


def test_no_word_of_the_dialect_is_left():
    hits = list(everything())
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize(
    ("planted", "word"),
    [
        ("def told(x):\n    return x\n", "told"),
        ("class HandOpinion:\n    pass\n", "opinion"),
        ("asked_for = 1\n", "asked"),
        ("def f(eyes):\n    return eyes\n", "eyes"),
        ("def way_back():\n    pass\n", "way_back"),
        ('def f():\n    """What the critic says."""\n', "says"),
        ("x = 1  # as it was told\n", "told"),
        ('raise ValueError("the critic said no")\n', "said"),
        ('x = 1\n"""What is believed."""\n', "believed"),
    ],
)
def test_a_planted_word_is_found(planted, word):
    assert word in [hit for _, hit in found(planted, "review/judge.py")]


def test_a_file_named_by_such_a_word_is_found():
    assert found("", "review/opinion.py") == [(1, "opinion")]


def test_words_of_prompts_are_data_and_plain_senses_stay():
    assert not found('TALKS = ("he said", "she told")\n', "prompts/mentions.py")
    assert not found("eyes = 2\n", "data/people/head/face.py")
    assert not found('"""A hand in front of a face, as the painter made it."""\n', "refine/pipeline.py")
