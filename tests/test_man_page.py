"""The man page says what `--help` says, and shows it to the letter."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import typer

import make_man_page
from handwright.apps.cli.main import app


def test_the_committed_page_is_what_help_says_now():
    assert make_man_page.PAGE.read_text("utf-8") == make_man_page.man_page(), (
        "an option has changed: run python scripts/make_man_page.py"
    )


def test_every_command_and_every_option_is_on_it():
    page = make_man_page.man_page().replace(r"\-", "-")
    for name, command in typer.main.get_command(app).commands.items():
        assert f'.SS "handwright {name}"' in page
        assert all(
            rf"\fB{flag}\fR" in page for one in command.params for flag in one.opts if flag.startswith("-")
        )


@pytest.mark.parametrize(
    ("text", "shown"), [(".5 on", r"\&.5 on"), ("a\\b", r"a\eb"), ("a-b\n  c", r"a\-b c")]
)
def test_text_that_roff_would_take_for_a_command_is_escaped(text, shown):
    assert make_man_page.escape(text) == shown


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff")
def test_groff_has_nothing_to_complain_of():
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z", str(make_man_page.PAGE)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
