"""Pictures from poses: what is written, what the report has, exit codes, and every refusal in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps.cli.main import run
from handwright.errors import InvalidValueError, OutputError, UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import Body
from handwright.perception.body.pose_file import openpose_json, pose_of, read_canvas
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.review.checklist import PictureReview
from handwright.review.generated_look import EMBEDDED_LOOK, GENERATOR_LOOK
from handwright.two_stage.engine import GeneratedPicture, PoseRequest, StageOneHand, on_canvas
from handwright.two_stage.settings import TwoStageSettings
from handwright.types import Box, Image, Side
from handwright.workflow.generate import generation
from handwright.workflow.generate.generation import Generation, generate_from_pose
from handwright.workflow.generate.pose_source import pose_from_photo
from tests.perception.body.test_pose_of_hands import hands_document
from tests.review.predictions import prediction
from tests.two_stage.poses import CANVAS, arrays, pose_of_array, wholebody_file
from tests.workflow.test_review import hand

SIDE = 256


@dataclass
class FakeEngine:
    """Paints the skeleton itself, one grey by seed behind it."""

    asked: list[PoseRequest] = field(default_factory=list)

    def make(self, request: PoseRequest) -> GeneratedPicture:
        self.asked.append(request)
        drawn = skeleton_picture(request.completed.pose, request.width, request.height)
        drawn = np.where(drawn.any(2, keepdims=True), drawn, np.uint8(request.seed))
        mask = np.zeros(drawn.shape[:2], np.bool_)
        mask[20:60, 30:70] = True
        hand = StageOneHand(("left",), (10, 10, 80, 80), drawn[10:80, 10:80])
        return GeneratedPicture(
            drawn, on_canvas(drawn, mask), mask, (hand,), words="someone", notes=("A note.",)
        )


class FakeEstimator:
    """Finds the wanted pose, moved by two pixels, in every picture."""

    def __init__(self, *poses: BodyPose) -> None:
        self.poses = poses

    def __enter__(self) -> FakeEstimator:
        return self

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, pixels: np.ndarray) -> list[Body]:
        mask = np.zeros(pixels.shape[:2], np.bool_)
        return [Body(pose, mask, None, 1.0) for pose in self.poses]


class FakeReviewer:
    """Gives verdicts in turn, one hand each, the last for ever; mending paints the picture white."""

    def __init__(self, *verdicts: str) -> None:
        self.verdicts, self.mended = list(verdicts or ("pass",)), list[int]()
        self.expected, self.limits = list[Any](), list[Any]()

    def review(self, image: Image, expected: Any, *, look_limit: float | None = None) -> PictureReview:
        self.expected.append(expected)
        self.limits.append(look_limit)
        verdict = self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]
        return PictureReview((hand(1, verdict),), image.width, image.height)

    def mend(self, image: Image, seed: int) -> tuple[Image, tuple[str, ...]]:
        self.mended.append(seed)
        return Image(np.full_like(image.pixels, 255)), ("Hand 1 refined: it has five fingers now.",)


@contextmanager
def open_reviewer() -> Iterator[FakeReviewer]:
    yield FakeReviewer()


def asked(tmp_path: Path, **given: Any) -> Generation:
    path = tmp_path / "pose.json"
    if not path.exists():
        path.write_text(json.dumps(openpose_json(pose_of_array(arrays()), CANVAS, CANVAS)))
    shifted = BodyPose(arrays()[:, :2] / 2 + np.where(arrays()[:, 2:] > 0, 2.0, 0.0), np.ones(133))
    settings = given.pop("settings", TwoStageSettings(prompt="a woman", seed=40))
    names: dict[str, Any] = {
        "output": tmp_path / "out.png", "pose": path, "open_reviewer": open_reviewer, **given
    }  # fmt: skip
    return Generation(
        settings=settings,
        side=SIDE,
        open_engine=lambda _: FakeEngine(),
        open_estimator=lambda: FakeEstimator(shifted),  # pyright: ignore[reportArgumentType]
        **names,
    )


def _read(path: Path) -> np.ndarray:
    with PILImage.open(path) as picture:
        return np.asarray(picture)


def test_hands_that_were_found_make_a_picture_and_bad_ones_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "photo.hands.json"
    path.write_text(json.dumps(hands_document("left")))
    made = generate_from_pose(asked(tmp_path, pose=path))
    assert {"left shoulder", "left elbow"} <= set(made.report["pictures"][0]["pose"]["completed"])
    path.write_text(json.dumps(hands_document("left", "left")))
    assert run(["generate", "--pose", str(path), "-o", str(tmp_path / "no.png")]) == 2
    shown = capsys.readouterr().err
    assert "has two left hands" in shown
    assert shown.count("\n") == 1


def test_a_picture_is_written_with_its_report(tmp_path: Path) -> None:
    made = generate_from_pose(asked(tmp_path, report=tmp_path / "report"))
    assert _read(tmp_path / "out.png").shape == (SIDE, SIDE, 3)
    assert made.exit_code == 0
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report == made.report
    (picture,) = report["pictures"]
    assert (picture["seed"], picture["words"], picture["notes"]) == (40, "someone", ["A note."])
    for name in picture["files"].values():
        assert (tmp_path / "report" / name).is_file()
    assert set(picture["files"]) == {"skeleton", "picture", "canvas", "mask", "found", "hand-left"}
    assert (tmp_path / "report" / "0000" / "pose.json").is_file()
    assert np.array_equal(_read(tmp_path / "report/0000/picture.png"), _read(tmp_path / "out.png"))
    page = (tmp_path / "report" / "index.html").read_text()
    assert "0000/canvas.png" in page
    assert "MPJPE" in page


def test_the_pose_error_is_that_of_what_is_found(tmp_path: Path) -> None:
    made = generate_from_pose(asked(tmp_path))
    (picture,) = made.report["pictures"]
    wanted = arrays()[arrays()[:, 1] < CANVAS]
    size = np.ptp(wanted[wanted[:, 2] > 0, :2], axis=0).max() / 2
    assert picture["pose_error"]["mpjpe"] == pytest.approx(np.sqrt(8) / size, abs=1e-3)
    assert picture["pose_error"]["hands_found"] == picture["pose_error"]["hands_wanted"] == 1
    assert set(made.report["measures"]) >= {"mpjpe[body]", "mpjpe-hands[body]"}


def test_several_pictures_have_seeds_and_names_in_turn(tmp_path: Path) -> None:
    made = generate_from_pose(asked(tmp_path, output=tmp_path / "many", n=3))
    assert [picture["seed"] for picture in made.report["pictures"]] == [40, 41, 42]
    corners = [int(_read(tmp_path / f"many/{k:04d}.png")[0, 0, 0]) for k in range(3)]
    assert corners == [40, 41, 42]


@pytest.mark.parametrize(
    ("verdicts", "seeds", "mended", "kept", "last"),
    [
        (["pass"], [40], [], 40, "pass"),
        (["fail", "pass"], [40, 41], [], 41, "pass"),  # made anew, and good then
        (["fail", "fail", "fail", "pass"], [40, 41, 42], [40], 40, "pass"),  # mended only then
        (["fail", "fail", "fail", "fail"], [40, 41, 42], [40], 40, "fail"),
        (["fail", "cannot tell", "fail", "pass"], [40, 41, 42], [40], 40, "pass"),
        (["cannot tell", "fail", "cannot tell", "fail"], [40, 41, 42], [41], 40, "unsure"),
        (["cannot tell", "cannot tell", "cannot tell"], [40, 41, 42], [], 40, "unsure"),
    ],
)
def test_what_fails_is_made_anew_then_mended_and_the_best_is_kept(
    tmp_path: Path, verdicts: list[str], seeds: list[int], mended: list[int], kept: int, last: str
) -> None:
    reviewer = FakeReviewer(*verdicts)
    made = generate_from_pose(asked(tmp_path, open_reviewer=lambda: nullcontext(reviewer)))
    (picture,) = made.report["pictures"]
    assert [attempt["seed"] for attempt in picture["attempts"]] == seeds
    assert reviewer.mended == mended
    assert (picture["seed"], picture["review"]["verdict"]) == (kept, last)
    assert picture["passed"] == (last == "pass")
    white = kept in mended and picture["attempts"][kept - 40]["verdict"] != "fail"
    assert (_read(tmp_path / "out.png") == 255).all() == white
    assert made.exit_code == (last != "pass")


def test_of_attempts_that_are_equally_unclear_the_one_that_looks_best_is_kept(tmp_path: Path) -> None:
    looks = [0.62, 0.31, 0.33]
    reviewer = FakeReviewer("cannot tell")

    def review(image: Image, expected: Any, **_: Any) -> PictureReview:
        seen = replace(hand(1, "cannot tell"), prediction=replace(prediction(), appearance=looks.pop(0)))
        return PictureReview((seen,), image.width, image.height)

    reviewer.review = review
    made = generate_from_pose(asked(tmp_path, open_reviewer=lambda: nullcontext(reviewer)))
    assert made.report["pictures"][0]["seed"] == 41


def test_an_unclear_hand_is_better_than_none(tmp_path: Path) -> None:
    found = [(hand(1, "cannot tell"), hand(2, "cannot tell")), (), (hand(1, "cannot tell"),) * 3]
    reviewer = FakeReviewer("cannot tell")
    reviewer.review = lambda image, *_, **__: PictureReview(found.pop(0), image.width, image.height)
    made = generate_from_pose(asked(tmp_path, open_reviewer=lambda: nullcontext(reviewer)))
    assert made.report["pictures"][0]["seed"] == 40


@pytest.mark.parametrize(
    ("verdict", "fail_on", "code"),
    [
        ("pass", "unsure", 0), ("cannot tell", "unsure", 1), ("cannot tell", "fail", 0), ("fail", "fail", 1),
        ("none", "fail", 1), ("none", "unsure", 1),
    ],
)  # fmt: skip
def test_the_exit_code_says_whether_the_picture_passes(
    tmp_path: Path, verdict: str, fail_on: str, code: int
) -> None:
    """A picture of a pose with a hand, in which none is found, never does."""
    reviewer = FakeReviewer(verdict)
    if verdict == "none":
        reviewer.review = lambda image, *_, **__: PictureReview((), image.width, image.height)
    wanted = asked(tmp_path, open_reviewer=lambda: nullcontext(reviewer), attempts=1, fail_on=fail_on)
    assert generate_from_pose(wanted).exit_code == code


class Repainter(FakeEngine):
    """Paints the boxes of failing hands white."""

    def repaint(
        self, request: PoseRequest, pixels: np.ndarray, boxes: Sequence[Box]
    ) -> tuple[np.ndarray, tuple[Side, ...]]:
        after = pixels.copy()
        for box in boxes:
            x0, y0, x1, y1 = (round(v) for v in box)
            after[y0:y1, x0:x1] = 255
        return after, ("left",) * len(boxes)


@pytest.mark.parametrize("mend", ["repaint", "off"])
def test_failing_hands_are_painted_once_more_by_stage_one_or_left(tmp_path: Path, mend: Any) -> None:
    reviewer = FakeReviewer("fail", "pass" if mend == "repaint" else "fail")
    settings = TwoStageSettings(prompt="a woman", engine="diffuse", mend=mend, seed=40)
    wanted = asked(tmp_path, settings=settings, attempts=1, open_reviewer=lambda: nullcontext(reviewer))
    made = generate_from_pose(replace(wanted, open_engine=lambda _: Repainter()))
    ((attempt,),) = (picture["attempts"] for picture in made.report["pictures"])
    assert reviewer.mended == []
    x0, y0, x1, y1 = (round(v) for v in hand(1, "fail").bbox_xyxy_px)
    white = (_read(tmp_path / "out.png")[y0:y1, x0:x1] == 255).all()
    if mend == "repaint":
        assert white
        assert attempt["mended"] == ["The left hand is painted once more by stage I."]
        assert made.exit_code == 0
    else:
        assert not white
        assert attempt["mended"] == []
        assert len(reviewer.expected) == 1
        assert made.exit_code == 1
    assert made.report["settings"]["mend"] == mend


def test_a_way_to_mend_that_is_not_known_or_has_no_network_is_refused() -> None:
    with pytest.raises(UsageError, match="give draw, repaint, off"):
        TwoStageSettings(mend="again")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UsageError, match="hands are to be painted once more"):
        TwoStageSettings(mend="repaint")


def test_a_picture_that_fails_after_all_attempts_is_written_as_it_was_generated_and_says_so(
    tmp_path: Path,
) -> None:
    reviewer = FakeReviewer("fail")
    wanted = asked(tmp_path, report=tmp_path / "report", attempts=2, output=tmp_path / "many", n=2)
    made = generate_from_pose(replace(wanted, open_reviewer=lambda: nullcontext(reviewer)))
    assert made.exit_code == 1
    first, second = made.report["pictures"]
    assert [attempt["seed"] for attempt in first["attempts"]] == [40, 42]
    assert [attempt["seed"] for attempt in second["attempts"]] == [41, 43]
    assert not (_read(tmp_path / "many/0000.png") == 255).all()
    assert first["attempts"][0]["mended"][-1].startswith("The picture stays as it was generated")
    assert "before-mending" in first["files"]
    assert "Hand 1 refined" in (tmp_path / "report" / "index.html").read_text()


def test_the_review_knows_what_the_text_asks_for(tmp_path: Path) -> None:
    reviewer = FakeReviewer()
    settings = TwoStageSettings(prompt="a woman, her left hand clenched in a fist")
    generate_from_pose(asked(tmp_path, settings=settings, open_reviewer=lambda: nullcontext(reviewer)))
    (expected,) = reviewer.expected
    assert [one.grasp for one in expected.hands] == ["fist"]


def test_the_skeleton_alone_needs_no_engine(tmp_path: Path) -> None:
    def never(_: TwoStageSettings) -> Any:
        raise AssertionError

    wanted = asked(tmp_path, output=None, skeleton=tmp_path / "skeleton.png")
    made = generate_from_pose(replace(wanted, open_engine=never))
    drawn = _read(tmp_path / "skeleton.png")
    assert drawn.shape == (SIDE, SIDE, 3)
    assert drawn.any()
    assert made.report["pictures"] == []


def test_what_was_completed_is_in_the_report(tmp_path: Path) -> None:
    points = arrays()
    points[7] = 0
    (tmp_path / "pose.json").write_text(json.dumps(wholebody_file(points)))
    made = generate_from_pose(asked(tmp_path))
    (picture,) = made.report["pictures"]
    assert picture["pose"]["completed"] == ["left elbow"]
    assert picture["pose"]["hands"] == ["left"]


def test_a_file_that_is_there_is_not_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="is there already"):
        generate_from_pose(asked(tmp_path))
    assert (tmp_path / "out.png").read_bytes() == b"mine"
    generate_from_pose(asked(tmp_path, force=True))
    assert _read(tmp_path / "out.png").shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pose": None, "settings": TwoStageSettings(prompt=" ")}, "there is no text"),
        ({"reference": Path("photo.png")}, "makes pictures of one pose"),
        ({"output": None}, "nothing to write"),
        ({"n": 0}, "--n is 0"),
        ({"attempts": 0}, "--attempts is 0"),
        ({"fail_on": "maybe"}, "--fail-on"),
        ({"settings": TwoStageSettings(start_level=0.0)}, "--start-level is 0"),
        ({"settings": TwoStageSettings(keep_steps=True)}, "--keep-intermediates has nowhere to keep them"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_makes_no_sense_is_refused_before_any_work(
    tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        generate_from_pose(asked(tmp_path, **given))


def test_there_is_no_engine_or_blend_of_another_name() -> None:
    for name in ("engine", "blend"):
        magic: Any = {name: "magic"}
        with pytest.raises(UsageError, match=f"`{name}` 'magic' is not known"):
            TwoStageSettings(**magic)


def _photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    PILImage.new("RGB", (CANVAS, CANVAS)).save(path)
    return path


def test_a_photograph_gives_the_pose_of_the_person_in_it(tmp_path: Path) -> None:
    pose = pose_of_array(arrays())
    source = pose_from_photo(_photo(tmp_path), None, SIDE, FakeEstimator(pose))
    assert (source.width, source.height) == (SIDE, SIDE)
    assert np.allclose(source.pose.points_px, pose.points_px / 2)
    second = pose_from_photo(
        _photo(tmp_path), 1, CANVAS, FakeEstimator(pose, pose_of_array(arrays(("right",))))
    )
    assert second.pose.has_hand("right")


@pytest.mark.parametrize(
    ("people", "person", "words"),
    [(0, None, "nobody is found"), (2, None, "shows 2 people"), (1, 3, "shows no person 3")],
)
def test_a_photograph_of_nobody_or_of_several_is_refused(
    tmp_path: Path, people: int, person: int | None, words: str
) -> None:
    estimator = FakeEstimator(*[pose_of_array(arrays())] * people)
    with pytest.raises(UsageError, match=words):
        pose_from_photo(_photo(tmp_path), person, SIDE, estimator)


def test_a_canvas_is_read_or_follows_from_the_points(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    pose = pose_of_array(arrays())
    path.write_text(json.dumps(openpose_json(pose, 640, 480)))
    assert read_canvas(path) == (640, 480)
    path.write_text(json.dumps({**wholebody_file(arrays()), "images": [{"width": 300, "height": 200}]}))
    assert read_canvas(path) == (300, 200)
    path.write_text(json.dumps(wholebody_file(arrays())))
    assert read_canvas(path) is None
    assert pose_of(json.loads(path.read_text())).known.any()


@pytest.fixture
def _fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Path]:
    wanted = asked(tmp_path)
    doors: Any = {name: getattr(wanted, name) for name in _DOORS}

    def generated(given: Generation) -> Any:
        return made(replace(given, **doors))

    made = generate_from_pose
    monkeypatch.setattr(generation, "generate_from_pose", generated)
    return lambda: tmp_path


_DOORS = ("open_engine", "open_reviewer", "open_estimator")


def test_the_command_makes_a_picture_and_prints_a_line_for_it(
    _fakes: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _fakes()
    out = folder / "by_command.png"
    command = ["generate", "a woman", "--pose", str(folder / "pose.json"), "-o", str(out), "--seed", "7"]
    assert run([*command, "--side", "256"]) == 0
    shown = capsys.readouterr().out
    assert "1 of 1 hands found again" in shown
    assert "A note." in shown
    assert run([*command, "--side", "256", "--json", "--force"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"][0]["seed"] == 7


def test_the_command_says_why_a_hand_does_not_pass(
    _fakes: Callable[[], Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _fakes()
    unclear = FakeReviewer("cannot tell")
    monkeypatch.setattr(
        generation,
        "generate_from_pose",
        lambda given: generate_from_pose(
            replace(asked(folder, open_reviewer=lambda: nullcontext(unclear)), output=given.output)
        ),
    )
    command = ["generate", "a woman", "--pose", str(folder / "pose.json"), "-o", str(folder / "u.png")]
    assert run(command) == 1
    assert "  hand 1: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate"], "there is nothing to generate"),
        (["generate", "a woman"], "there is nothing to write"),
        (["generate", " ", "-o", "a.png"], "there is no text"),
        (["generate", "a woman", "--prompt", "a man"], "TEXT and --prompt are the same"),
        (["generate", "--pose", "missing.json", "-o", "a.png"], "cannot be read as JSON"),
        (["generate", "--pose", "p.json", "-o", "a.png", "--engine", "magic"], "--engine|`engine` 'magic'"),
        (["generate", "--pose", "p.json", "-o", "a.png", "--steps", "0"], "--steps"),
        (["generate", "a woman", "-o", "a.png", "--keep-intermediates"], "give --report DIR"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert re.search(words, shown.err)


def test_a_bad_pose_stops_the_run_before_an_engine_opens(tmp_path: Path) -> None:
    (tmp_path / "pose.json").write_text(json.dumps(wholebody_file(arrays(()))))
    with pytest.raises(InvalidValueError, match="the pose has no hand"):
        generate_from_pose(asked(tmp_path))
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"engine": "render"}, None),
        ({"engine": "diffuse"}, EMBEDDED_LOOK),
        ({"engine": "diffuse", "model": "sd15"}, GENERATOR_LOOK),
        ({"via": "base"}, GENERATOR_LOOK),
    ],
)
def test_pictures_that_networks_paint_are_reviewed_as_generated(tmp_path, given, limit):
    reviewer = FakeReviewer("fail")
    settings = TwoStageSettings(prompt="a woman", seed=40, **given)
    generate_from_pose(
        asked(tmp_path, settings=settings, attempts=2, open_reviewer=lambda: nullcontext(reviewer))
    )
    assert reviewer.limits == [limit] * 3, "twice made, once mended"
