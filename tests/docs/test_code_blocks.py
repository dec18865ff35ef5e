"""Every block of code in README.md and docs/ does what it shows: Python runs, commands are understood."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image

import handwright
from handwright.apps.cli.main import app
from handwright.apps.cli.preference import app as preference
from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.handiffuser.pipeline import ENCODER
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from tests.body.test_smplh import stand_in
from tests.diffusion.models import TEXT_WIDTH, write_sd

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
_COMMAND = re.compile(r"^(?: {4}|\$ )(handwright (?:.*\\\n)*.*)$", re.M)
_CODE = re.compile(r"`(handwright [^`\n]+)`")
_PLACEHOLDERS = ("…", "<", "[", "{", "OPTIONS")
USAGE_ERROR = typer.BadParameter.__base__
CHEAP = ("--help", "--version", "generate")
"""Words of command lines that are run, not only parsed."""
_MAKES = re.compile(r"--(pose|reference)\b")  # Of ``generate``, those that make pictures take longer


def python_blocks() -> list[tuple[str, str]]:
    return [
        (f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}", match[1])
        for page in PAGES
        for text in [page.read_text("utf-8")]
        for match in _FENCE.finditer(text)
    ]


def command_lines(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Page and line of every command that the pages show, once; those with placeholders left out."""
    found: dict[str, str] = {}
    for page in PAGES:
        for match in pattern.finditer(page.read_text("utf-8")):
            line = re.sub(r"\\\n *", " ", match[1]).split("  #")[0].strip()
            if not any(sign in line for sign in _PLACEHOLDERS):
                found.setdefault(line, f"{page.relative_to(ROOT)}")
    return [(page, line) for line, page in found.items()]


SHOWN, MENTIONED = command_lines(_COMMAND), command_lines(_CODE)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages' examples name: pictures, a mask, a depth image and a model."""
    folder = tmp_path_factory.mktemp("reader")
    photo = folder / "photo.png"
    Image.fromarray(render_one_hand(9, 256, Defect.EXTRA).pixels).save(photo)
    for name in ("picture.png", "pictures/a.png", "pictures/b.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(photo, folder / name)
    for name in ("mask.png", "depth.png"):
        Image.new("L", (256, 256), 255).save(folder / name)
    stand_in(folder / "model.npz")
    model = write_sd(folder / "my-model", 9)
    TextHandEncoder(text_width=TEXT_WIDTH, channels=32, heads=2).save_pretrained(model / ENCODER)
    return folder


def understood(line: str) -> None:
    """Parse a command line as the program would, without running it."""
    words = shlex.split(line.split(" > ")[0].split(" | ")[0])[1:]
    group = typer.main.get_command(app)
    if not words or words[0].startswith("-"):
        return
    name, *arguments = words
    if words[:2] == ["evaluate", "preference"]:
        group, (name, *arguments) = typer.main.get_command(preference), words[2:]
    command = group.commands[name]
    command.make_context(name, arguments, resilient_parsing=False).close()


def test_there_are_blocks_to_run():
    assert python_blocks() and len(SHOWN) > 10


@pytest.mark.parametrize(("place", "code"), python_blocks(), ids=[place for place, _ in python_blocks()])
def test_python_blocks_import_the_rooms_they_name(place: str, code: str):
    """A room that something else has imported is an attribute of the package; a reader's process has none."""
    used = {
        node.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "handwright"
    }
    assert used <= set(handwright.__all__), place


@pytest.mark.models
@pytest.mark.parametrize(("place", "code"), python_blocks(), ids=[place for place, _ in python_blocks()])
def test_python_blocks_run(place: str, code: str, pictures: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(pictures)
    exec(compile(code, place, "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(("page", "line"), SHOWN, ids=[line for _, line in SHOWN])
def test_commands_of_blocks_are_understood(page: str, line: str):
    try:
        understood(line)
    except typer.Exit:
        pass  # --help
    except (KeyError, USAGE_ERROR) as error:
        pytest.fail(f"{page}: {line}: {error}")


@pytest.mark.parametrize(("page", "line"), MENTIONED, ids=[line for _, line in MENTIONED])
def test_commands_and_options_that_the_text_mentions_exist(page: str, line: str):
    name, *words = line.split()[1:]
    if not name.startswith("-"):
        command = typer.main.get_command(app).commands[name]
        options = {
            flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)
        }
        unknown = {word for word in words if word.startswith("-")} - options - {"--help"}
        assert not unknown, page


@pytest.mark.parametrize(
    "line", [line for _, line in SHOWN if line.split()[1] in CHEAP and not _MAKES.search(line)]
)
def test_cheap_command_lines_run(line: str, pictures: Path):
    command = [sys.executable, "-m", "handwright", *shlex.split(line)[1:]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    done = subprocess.run(command, cwd=pictures, env=environment, capture_output=True, text=True)
    judged = "generate" in line  # 1: the picture is there and does not pass its review
    assert done.returncode in ((0, 1) if judged else (0,)), done.stderr
