"""``handwright review --calibrate``: labels in, a calibration and what it gains out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import DataError, NotEnoughDataError, OutputError, UsageError
from handwright.review.calibration.calibration import Calibration
from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge
from handwright.workflow.calibrate import Label, calibrate_files, open_recalibrated, read_labels
from tests.review.predictions import StubCritic, calibration, prediction
from tests.workflow.test_review import BlindLandmarker

REPORT = "path,hand,box,check,verdict,confidence,label\n"
BOX = (10.0, 10.0, 50.0, 50.0)


def grey(pixels, region):
    """The brighter the picture, the surer that its hand is malformed."""
    return prediction(float(pixels.mean()) / 255)


@contextmanager
def open_stub() -> Iterator[Judge]:
    yield Judge(BlindLandmarker(), StubCritic(grey))


@contextmanager
def open_without_critic() -> Iterator[Judge]:
    yield Judge(BlindLandmarker())


@pytest.fixture
def one_hand(monkeypatch: pytest.MonkeyPatch):
    """Every picture shows one hand, of which the critic is asked."""

    def review_picture(image, judge, expected=None, *, look_limit=None):
        (result,) = judge.critic.judge(image.pixels, [OrientedSquare((30, 30), 40, 0)])
        checks = dict.fromkeys(CHECKS, Check("fail" if result.malformed >= 0.5 else "pass", 0.9, "So."))
        return PictureReview(
            (
                HandReview(
                    id=1, bbox_xyxy_px=BOX, side="left", checks=checks, observation=None, prediction=result
                ),
            ),
            image.width,
            image.height,
        )

    monkeypatch.setattr(sys.modules["handwright.review.judge"], "review_picture", review_picture)


def paint(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PILImage.fromarray(np.full((64, 80, 3), level, np.uint8)).save(path)


@pytest.fixture
def loud(here: Path, one_hand) -> Path:
    """60 pictures: good ones of which the critic says .4 … .78, malformed ones of which it says .8 … .98."""
    rows = ["path,hand,label"]
    for k in range(40):
        paint(here / f"in/good{k}.png", 102 + 5 * k // 2)
        rows.append(f"in/good{k}.png,1,good")
    for k in range(20):
        paint(here / f"in/bad{k}.png", 205 + 2 * k)
        rows.append(f"in/bad{k}.png,1,bad")
    (here / "labels.csv").write_text("\n".join(rows))
    return here / "labels.csv"


def test_a_loud_critic_is_calibrated_and_it_says_what_that_gains(here: Path, loud: Path):
    gain = calibrate_files(["in"], loud, here / "mine.json", open_stub)
    assert (gain.good, gain.malformed) == (40, 20)
    alarms, recall, error = gain.before
    assert alarms.value == 29 / 40 and alarms.low < 29 / 40 < alarms.high
    assert (alarms.n, recall.n, error.n, recall.value) == (40, 20, 60, 1.0)
    assert gain.after[0].value <= 0.05 and gain.after[1].value == 1.0
    assert gain.after[2].value < error.value
    assert "60 hands: 40 good, 20 malformed" in gain.lines()
    assert any("limits were only raised" in line for line in gain.lines())
    written = Calibration.load(here / "mine.json")
    assert written == gain.calibration
    assert written.about["made_for"] == calibration().digest and written.about["good"] == 40


def test_what_was_written_is_what_the_critic_is_read_by(here: Path, loud: Path):
    calibrate_files(["in"], loud, here / "mine.json", open_stub)
    with open_recalibrated(open_stub, here / "mine.json") as judge:
        good, bad = np.full((4, 4, 3), 195, np.uint8), np.full((4, 4, 3), 235, np.uint8)
        region = [OrientedSquare((1, 1), 2, 0)]
        (quiet,), (loud_says,) = judge.critic.judge(good, region), judge.critic.judge(bad, region)
    assert quiet.malformed < quiet.thresholds["malformed"] <= loud_says.malformed


def test_the_same_labels_make_the_same_bytes(here: Path, loud: Path):
    for name in ("a.json", "b.json"):
        calibrate_files(["in"], loud, here / name, open_stub)
    assert (here / "a.json").read_bytes() == (here / "b.json").read_bytes()


def test_a_file_that_is_there_is_not_overwritten_unasked(here: Path, loud: Path):
    (here / "mine.json").write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        calibrate_files(["in"], loud, here / "mine.json", open_stub)
    assert (here / "mine.json").read_text() == "mine"
    calibrate_files(["in"], loud, here / "mine.json", open_stub, force=True)
    assert Calibration.load(here / "mine.json").about["good"] == 40


def test_labels_that_do_not_suffice_write_nothing(here: Path, loud: Path):
    text = loud.read_text().splitlines()
    loud.write_text("\n".join(text[:31]))
    with pytest.raises(NotEnoughDataError, match="all 30 labelled hands are good"):
        calibrate_files(["in"], loud, here / "mine.json", open_stub)
    loud.write_text("\n".join([text[0], *(line.replace("in/", "x/y") for line in text[1:])]))
    with pytest.raises(UsageError, match=r"labels none of these pictures: it names x/ygood0\.png"):
        calibrate_files(["in"], loud, here / "mine.json", open_stub)
    assert not (here / "mine.json").exists()


def test_labels_that_fit_no_hand_are_counted_and_file_names_suffice(here: Path, loud: Path):
    text = loud.read_text().replace("in/", "elsewhere/").replace("good3.png,1", "good3.png,2")
    loud.write_text(text + "\nelsewhere/none.png,1,bad\n")
    gain = calibrate_files(["in"], loud, here / "mine.json", open_stub)
    assert gain.left_out["labels that fit no hand"] == 2
    assert "left out: 2 labels that fit no hand" in gain.lines()


def test_a_picture_that_cannot_be_read_is_left_out_and_told(here: Path, loud: Path):
    (here / "in/good3.png").write_bytes(b"no picture")
    gain = calibrate_files(["in"], loud, here / "mine.json", open_stub)
    assert (gain.good, gain.malformed) == (39, 20)
    assert "left out: 1 labels of pictures that cannot be read" in gain.lines()


@pytest.mark.parametrize(
    ("output", "why"), [("none/mine.json", "there is no folder none"), ("in", "a folder")]
)
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_judged(
    here: Path, loud: Path, output: str, why: str
):
    def never():
        raise AssertionError("judged")

    with pytest.raises(OutputError, match=why):
        calibrate_files(["in"], loud, Path(output), never, force=True)


def test_without_a_critic_there_is_nothing_to_calibrate(here: Path, loud: Path):
    with pytest.raises(UsageError, match="no critic to calibrate"):
        calibrate_files(["in"], loud, here / "mine.json", open_without_critic)
    calibration().save(here / "packaged.json")
    with (
        pytest.raises(DataError, match="another critic"),
        open_recalibrated(open_stub, here / "packaged.json"),
    ):
        pass


def test_boxes_find_hands_whose_number_has_changed(here: Path, loud: Path):
    rows = [
        f'in/{name}{k}.png,7,"{box}",finger_count,fail,0.9,{label}'
        for name, count, label in (("good", 40, "disagree"), ("bad", 20, "agree"))
        for k in range(count)
        for box in ["11 9 52 50" if k else "60 60 70 70"]
    ]
    loud.write_text(REPORT + "\n".join(rows))
    gain = calibrate_files(["in"], loud, here / "mine.json", open_stub)
    assert (gain.good, gain.malformed, gain.left_out["labels that fit no hand"]) == (39, 19, 2)


@pytest.mark.parametrize(
    ("rows", "malformed"),
    [
        ([("finger_count", "fail", "agree")], True),
        ([("finger_count", "fail", "disagree")], False),
        ([("joint_bending", "pass", "agree")], False),
        ([("joint_bending", "pass", "disagree")], True),
        ([("finger_count", "pass", "agree"), ("joint_bending", "fail", "agree")], True),
        ([("joint_bending", "fail", "agree"), ("finger_count", "pass", "agree")], True),
        ([("grasp", "fail", "agree"), ("left_right", "fail", "agree")], None),
        ([("finger_count", "cannot tell", "disagree")], None),
    ],
)
def test_agreeing_and_disagreeing_say_whether_a_hand_is_malformed(tmp_path: Path, rows, malformed):
    file = tmp_path / "labels.csv"
    lines = [f'a.png,2,"1 2 3 4.5",{check},{verdict},0.9,{label}' for check, verdict, label in rows]
    file.write_text(REPORT + "\r\n".join(lines), "utf-8-sig")
    expected = [] if malformed is None else [Label("a.png", 2, (1, 2, 3, 4.5), malformed)]
    assert read_labels(file) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("path,label\na.png,good\n", "no column hand"),
        ("path,hand,label\na.png,1,fine\n", "line 2 .*'fine', neither good nor bad"),
        ("path,hand,label\na.png,1,good\na.png,x,good\n", "line 3 .*invalid literal"),
        ("path,hand,label\n,1,good\n", "names no picture"),
        ("path,hand,label\na.png,1\n", "neither good nor bad"),
        (REPORT + 'a.png,1,"1 2",finger_count,fail,0.9,agree\n', "line 2 .*not enough values"),
        (REPORT + 'a.png,1,"",finger_count,fail,0.9,good\n', "neither agree nor disagree"),
    ],
)
def test_a_file_that_holds_no_labels_says_why(tmp_path: Path, text: str, why: str):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(UsageError, match=why):
        read_labels(tmp_path / "labels.csv")


def test_labels_that_are_not_there_say_so(tmp_path: Path):
    with pytest.raises(UsageError, match="No such file"):
        read_labels(tmp_path / "labels.csv")


def test_the_pages_own_fields_are_those_that_are_read():
    script = Path(__file__).parents[2] / "src/handwright/workflow/report/review_page.js"
    fields = script.read_text("utf-8").split("const FIELDS = ")[1].split(";")[0]
    assert ",".join(json.loads(fields)) + "\n" == REPORT
