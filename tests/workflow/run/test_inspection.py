from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from handwright.hand.files.hands_file import load_hands
from handwright.workflow import Request, RunOptions, inspect_files, refine_files
from handwright.workflow.files import sha256_of_file
from tests.workflow.fakes import opened, picture


def names(folder: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_every_hand_is_saved_in_every_form(here: Path):
    picture(here / "a.png", hands=2)
    result = inspect_files(["a.png"], "out")
    assert result.exit_code == 0
    assert names("out") == [
        "a.depth.png",
        *(f"a.hand-{hand}.{form}" for hand in (1, 2) for form in ("glb", "obj")),
        "a.hands.json",
        "a.mask.png",
        "a.overlay.png",
    ]
    assert {opened(f"out/a.{name}.png").size for name in ("depth", "mask", "overlay")} == {
        opened("a.png").size
    }
    assert np.asarray(opened("out/a.mask.png"))[25, 10] == 255


def test_the_hands_file_can_be_fed_back_to_the_same_picture_only(here: Path):
    source = picture(here / "a.png", hands=2)
    inspect_files(["a.png"], "out")
    saved = Path("out/a.hands.json")
    hands = load_hands(saved, width=80, height=64, sha256=sha256_of_file(source))
    assert [detected.side for detected, _ in hands] == ["right", "right"]
    assert refine_files(["a.png"], "b.png", Request(hands=saved)).exit_code == 0
    picture(here / "c.png", hands=1)
    refused = refine_files(["c.png"], "d.png", Request(hands=saved))
    assert "another picture" in refused.report["pictures"][0]["error"]["what"]


def test_a_picture_without_hands_gives_an_empty_file_and_no_error(here: Path):
    picture(here / "a.png", hands=0)
    result = inspect_files(["a.png"], "out")
    assert result.exit_code == 0
    assert json.loads(Path("out/a.hands.json").read_text())["hands"] == []
    assert result.report["pictures"][0]["notes"] == ["No hand was found."]


def test_pictures_that_share_a_stem_keep_their_suffix(here: Path):
    picture(here / "in/a.png")
    opened(here / "in/a.png").save(here / "in/a.jpg")
    picture(here / "in/b.png")
    inspect_files(["in"], "out")
    assert {name for name in names("out") if name.endswith(".json")} == {
        "a.jpg.hands.json",
        "a.png.hands.json",
        "b.hands.json",
    }


def test_a_second_look_is_skipped_and_an_edited_file_is_not_lost(here: Path):
    picture(here / "a.png")
    options = RunOptions(report=Path("r"))
    inspect_files(["a.png"], "out", None, options)
    assert inspect_files(["a.png"], "out", None, options).outcomes[0].resumed
    edited = Path("out/a.hands.json")
    edited.write_text(edited.read_text().replace("right", "left"))
    assert inspect_files(["a.png"], "out", None, options).exit_code == 2
    assert "left" in edited.read_text()


def test_the_pose_can_come_from_a_hands_file_or_a_photograph(here: Path):
    picture(here / "a.png")
    picture(here / "mine.png", hands=2)
    inspect_files(["mine.png"], "out")
    for pose in ("out/mine.hands.json", "mine.png"):
        assert refine_files(["a.png"], f"{len(pose)}.png", Request(hand_pose=Path(pose))).exit_code == 0
    picture(here / "none.png", hands=0)
    refused = refine_files(["a.png"], "b.png", Request(hand_pose=Path("none.png")))
    assert "no hand was found" in refused.report["pictures"][0]["error"]["what"]
