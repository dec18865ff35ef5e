"""Commands and options are completed in bash, zsh and fish."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
import typer

from handwright.apps.cli.main import app

PROGRAM = Path(sys.executable).with_name("handwright")
ASKED = "_HANDWRIGHT_COMPLETE"
COMMANDS = {"refine", "review", "reproduce"}
OPTIONS = {flag for one in typer.main.get_command(app).commands["refine"].params for flag in one.opts}
WITH_S = {flag for flag in OPTIONS if flag.startswith("--s")}


def answer(**variables):
    """What the program writes to a shell that asks."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    done = subprocess.run([PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def bash_completes(line):
    """Words that bash itself would offer, asked through the function that the script defines."""
    words = line.split(" ")
    script = f"""{answer(**{ASKED: "source_bash"})}
COMP_WORDS=({" ".join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}
_handwright_completion {PROGRAM}; printf '%s\\n' "${{COMPREPLY[@]}}" """
    return set(subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("line", "offered"), [("handwright re", COMMANDS), ("handwright refine --s", WITH_S)]
)
def test_bash_offers_commands_and_options(line, offered):
    assert bash_completes(line) == offered


@pytest.mark.parametrize(
    ("line", "offered"), [("handwright re", COMMANDS), ("handwright refine --s", WITH_S)]
)
def test_zsh_is_offered_commands_and_options_with_their_help_in_one_line(line, offered):
    text = answer(**{ASKED: "complete_zsh", "_TYPER_COMPLETE_ARGS": line})
    candidates = re.fullmatch(r"_arguments '\*: :\(\((.*)\)\)'\s*", text, re.DOTALL)[1].splitlines()
    assert {re.fullmatch(r'"([\w-]+)":".+"', one)[1] for one in candidates} == offered


@pytest.mark.parametrize(
    ("line", "offered"), [("handwright re", COMMANDS), ("handwright refine --s", WITH_S)]
)
def test_fish_is_offered_commands_and_options_with_their_help_in_one_line(line, offered):
    asked = {ASKED: "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": line}
    candidates = answer(**asked).splitlines()
    assert {re.fullmatch(r"([\w-]+)\t.+", one)[1] for one in candidates} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_names_the_program(shell):
    script = answer(**{ASKED: f"source_{shell}"})
    assert f"complete_{shell}" in script
    assert "handwright" in script


def test_installing_writes_into_the_users_folder_alone(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    subprocess.run(
        [PROGRAM, "--install-completion", "fish"], env=environment, check=True, capture_output=True
    )
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert written == [".config/fish/completions/handwright.fish"]


class Terminal:
    """An interactive zsh with a home folder of its own."""

    def __init__(self, home):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # fork beside the threads of pytest-xdist
            pid, self._file = pty.fork()
        if pid == 0:
            path = f"{PROGRAM.parent}:{os.environ['PATH']}"
            os.execvpe("zsh", ["zsh", "-i"], {**os.environ, "HOME": str(home), "PATH": path, "TERM": "dumb"})
        self._process, self._text = pid, ""

    def shows(self, expected, seconds=20):
        """Whether this text appears within the time; a test that passes does not wait that long."""
        until = time.monotonic() + seconds
        while expected not in self._text and time.monotonic() < until:
            if select.select([self._file], [], [], 0.2)[0]:
                self._text += os.read(self._file, 65536).decode(errors="replace")
        return expected in self._text

    def type(self, text):
        self._text = ""
        os.write(self._file, text.encode())

    def close(self):
        os.close(self._file)
        os.waitpid(self._process, 0)


@pytest.fixture
def zsh(tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    subprocess.run([PROGRAM, "--install-completion", "zsh"], env=environment, check=True, capture_output=True)
    with (tmp_path / ".zshrc").open("a") as settings:
        settings.write("PS1='> '; unsetopt zle_bracketed_paste prompt_sp; compinit -u; echo re''ady\n")
    terminal = Terminal(tmp_path)
    assert terminal.shows("ready")
    yield terminal
    terminal.close()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("handwright rev", {"handwright review "}),
        ("handwright re", COMMANDS),
        ("handwright refine --s", WITH_S),
    ],
)
def test_zsh_itself_completes_from_the_first_tab_on(zsh, line, offered):
    zsh.type(f"{line}\t")
    assert all(zsh.shows(text) for text in offered)


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("handwright re", COMMANDS),
        ("handwright refine --s", WITH_S),
        ("handwright review pic", {"picture.png"}),
    ],
)
def test_fish_itself_completes_commands_options_and_files(line, offered, tmp_path):
    (tmp_path / "picture.png").touch()
    script = tmp_path / "handwright.fish"
    script.write_text(answer(**{ASKED: "source_fish"}))
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C '{line}'"],
        env={**os.environ, "HOME": str(tmp_path), "PATH": path}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert {one.split("\t")[0] for one in done.stdout.splitlines()} == offered
