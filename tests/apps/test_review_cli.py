"""``handwright review`` as users type it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps.cli.main import main
from handwright.review.review_json import SCHEMA_FILE
from tests.workflow.test_calibrate import loud, one_hand, open_stub
from tests.workflow.test_review import BLACK, GREEN, RED, by_colour, open_blind, paint

__all__ = ["by_colour", "loud", "one_hand"]


@pytest.fixture
def cli(here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run the command line in this process: exit code, stdout, stderr."""
    monkeypatch.setattr("handwright.workflow.review._open_judge", lambda _: open_blind())

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["review", *arguments])
        captured = capfd.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


def test_a_line_a_picture_and_the_reason_of_what_failed(cli, here: Path, by_colour):
    paint(here / "a.png", RED)
    paint(here / "b.png", BLACK)
    code, out, err = cli("a.png", "b.png", "--report", "r")
    assert code == 1
    assert err == ""
    assert "a.png: fail" in out
    assert "finger count: fail. Six <fingers>." in out
    assert "b.png: no hands" in out
    assert "report: r/index.html" in out


def test_json_alone_on_stdout_by_the_schema(cli, here: Path, by_colour):
    paint(here / "a.png", GREEN)
    code, out, _ = cli("a.png", "--json")
    assert code == 0
    review = json.loads(out)
    jsonschema.validate(review, json.loads(SCHEMA_FILE.read_text("utf-8")))
    assert review["pictures"][0]["verdict"] == "pass"


def test_generated_pictures_are_reviewed_as_such_and_the_json_has_it(cli, here: Path, by_colour):
    paint(here / "a.png", GREEN)
    verdicts = []
    for given in ([], ["--generated"]):
        code, out, _ = cli("a.png", "--json", *given)
        review = json.loads(out)
        jsonschema.validate(review, json.loads(SCHEMA_FILE.read_text("utf-8")))
        verdicts.append((code, review["pictures"][0]["verdict"], review.get("generated", False)))
    assert verdicts == [(0, "pass", False), (0, "unsure", True)]


def test_without_hands_the_real_finder_says_so(cli, here: Path):
    PILImage.fromarray(np.full((32, 48, 3), 90, np.uint8)).save(here / "a.png")
    code, out, _ = cli("a.png", "--prompt", "a hand waving")
    assert code == 0
    assert "a.png: unsure" in out
    assert "1 hand was asked for, no hands were found." in out


@pytest.mark.parametrize(
    "arguments", [("nowhere.png",), ("a.png", "--fail-on", "never"), (), ("a.png", "--workers", "0")]
)
def test_bad_input_is_one_line_and_code_2(cli, here: Path, arguments):
    paint(here / "a.png", GREEN)
    code, _, err = cli(*arguments)
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("handwright: ")


def test_calibrate_writes_a_file_and_says_what_it_gains(cli, here: Path, loud, monkeypatch):
    monkeypatch.setattr("handwright.workflow.review._open_judge", lambda _: open_stub())
    code, out, err = cli("in", "--calibrate", "labels.csv", "-o", "mine.json")
    assert (code, err) == (0, "")
    assert "false alarms on good hands: 72.5 % [57.2, 83.9] before" in out
    assert "use it with handwright review --calibration mine.json" in out
    assert cli("in/good39.png")[0] == 1
    assert cli("in/good39.png", "--calibration", "mine.json")[0] == 0
    code, out, _ = cli("in", "--calibrate", "labels.csv", "-o", "b.json", "--json")
    assert json.loads(out) == json.loads((here / "b.json").read_text())["about"]


def test_calibrate_refuses_in_one_line(cli, here: Path, loud, monkeypatch):
    monkeypatch.setattr("handwright.workflow.review._open_judge", lambda _: open_stub())
    for arguments, why in (
        (("in", "--calibrate", "labels.csv"), "go together"),
        (("in", "--calibrate", "labels.csv", "-o", "labels.csv"), "is there already"),
        (("in", "--calibration", "labels.csv"), "no calibration that can be read"),
        *(
            (
                ("in", "--calibrate", "labels.csv", "-o", "c.json", option, value),
                f"no use for {option}; leave",
            )
            for option, value in (
                ("--calibration", "labels.csv"),
                ("--report", "r"),
                ("--prompt", "a hand"),
                ("--fail-on", "unsure"),
                ("--workers", "2"),
            )
        ),
    ):
        code, out, err = cli(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert why in err
