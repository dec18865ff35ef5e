from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from handwright.errors import HandsFileError, OutputError, UsageError
from handwright.workflow import Request, RunOptions, pick_candidate, refine_files
from tests.workflow.fakes import opened, picture

REPORT = Path("r/report.json")


@pytest.fixture
def run(here: Path) -> Path:
    """Two hands, three candidates each."""
    picture(here / "a.png", hands=2)
    refine_files(["a.png"], "b.png", Request(seed=1, candidates=3), RunOptions(report=Path("r")))
    return here


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(opened(path))


def test_a_pick_changes_one_hand_and_paints_nothing_again(run: Path):
    pick_candidate(REPORT, 2, 3, Path("c.png"))
    changed = (pixels("b.png") != pixels("c.png")).any(2)
    assert changed[21:39, 32:45].any()
    assert not changed[:, :28].any()
    refine_files(["a.png"], "seed3.png", Request(seed=3))
    assert (pixels("c.png")[:, 30:] == pixels("seed3.png")[:, 30:]).all()


def test_picking_what_was_picked_gives_the_same_picture(run: Path):
    pick_candidate(Path("r"), 1, 1, Path("c.png"))
    assert (pixels("c.png") == pixels("b.png")).all()


def test_zero_puts_the_original_hand_back(run: Path):
    pick_candidate(REPORT, 1, 0, Path("c.png"))
    pick_candidate(REPORT, 2, 0, Path("d.png"))
    assert (pixels("c.png")[:, :28] == pixels("a.png")[:, :28]).all()
    assert (pixels("c.png")[:, 28:] == pixels("b.png")[:, 28:]).all()
    assert json.loads(opened("d.png").text["handwright"])["pick"] == 0


def test_a_moved_folder_still_knows_its_picture(run: Path, monkeypatch: pytest.MonkeyPatch):
    moved = run / "moved"
    moved.mkdir()
    for name in ("a.png", "r"):
        (run / name).rename(moved / name)
    monkeypatch.chdir("/")
    pick_candidate(moved / REPORT, 1, 2, run / "c.png")
    assert (run / "c.png").is_file()


def test_another_picture_is_refused(run: Path):
    picture(run / "a.png", hands=1)
    with pytest.raises(HandsFileError, match="not the picture of the report"):
        pick_candidate(REPORT, 1, 2, Path("c.png"))
    with pytest.raises(HandsFileError, match="not in the report"):
        pick_candidate(REPORT, 1, 2, Path("c.png"), source=Path("a.png"))
    Path("a.png").unlink()
    with pytest.raises(HandsFileError, match="not there"):
        pick_candidate(REPORT, 1, 2, Path("c.png"))
    assert not Path("c.png").exists()


def test_a_report_of_several_pictures_needs_the_picture_named(here: Path):
    picture(here / "in/a.png")
    picture(here / "in/b.png", hands=2)
    refine_files(["in"], "out", Request(candidates=2), RunOptions(report=Path("r")))
    with pytest.raises(UsageError, match="which picture"):
        pick_candidate(REPORT, 1, 2, Path("c.png"))
    pick_candidate(REPORT, 1, 2, Path("c.png"), source=Path("in/b.png"))
    pick_candidate(REPORT, 2, 2, Path("d.png"))
    assert (pixels("c.png")[:, 28:] == pixels("out/b.png")[:, 28:]).all()


@pytest.mark.parametrize(
    ("hand", "pick", "error"), [(9, 1, UsageError), (1, 4, UsageError), (1, -1, UsageError)]
)
def test_what_is_not_there_cannot_be_picked(run: Path, hand: int, pick: int, error: type[Exception]):
    with pytest.raises(error):
        pick_candidate(REPORT, hand, pick, Path("c.png"))


def test_outputs_are_not_overwritten_unasked(run: Path):
    for output, why in (("a.png", "input itself"), ("b.png", "exists already")):
        with pytest.raises(OutputError, match=why):
            pick_candidate(REPORT, 1, 2, Path(output))
    pick_candidate(REPORT, 1, 2, Path("b.png"), force=True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "handwright/report-0"}', "\xff"])
def test_what_is_no_report_is_said_so(here: Path, text: str):
    Path("x.json").write_text(text, encoding="latin-1")
    with pytest.raises(HandsFileError):
        pick_candidate(Path("x.json"), 1, 1, Path("c.png"))
    with pytest.raises(HandsFileError):
        pick_candidate(Path("gone.json"), 1, 1, Path("c.png"))


def test_a_candidate_file_that_is_gone_is_said_so(run: Path):
    next(Path("r/pictures").rglob("hand-1-candidate-2.png")).unlink()
    with pytest.raises(HandsFileError, match="candidate-2"):
        pick_candidate(REPORT, 1, 2, Path("c.png"))
