"""The whole study on small random networks: every row painted once, measured and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from handwright.body import parameters_of_json, pose_body
from handwright.errors import OutputError, UsageError
from handwright.hand.kinematics import hand_landmarks_m
from handwright.handiffuser.pipeline import ENCODER
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import Body
from handwright.reproduce.handiffuser import HanDiffuserStudy, cases, reproduce_handiffuser, rows
from handwright.reproduce.handiffuser.cases import groups_of, prompted
from handwright.reproduce.handiffuser.measure import HandGauge, hand_error
from handwright.reproduce.handiffuser.rows import OURS, TEXT, Painters, rows_of, variants_in, what_is_read
from handwright.reproduce.handiffuser.run import load_painters
from handwright.reproduce.people_bench import ORIGINAL, PEOPLE, REVIEW
from handwright.reproduce.people_cases import Case, rendered_people
from handwright.reproduce.store import Store
from handwright.review.checklist import PictureReview
from handwright.two_stage.pose_completion import complete_pose
from handwright.types import HandObservation, Image
from handwright.workflow.generate.pose_source import pose_from_parameters
from tests.diffusion.models import TEXT_WIDTH, small_controlnet, small_unet, write_sd
from tests.handiffuser.poses import records
from tests.workflow.test_review import hand

SIDE = 128


def body_of(number: int) -> Any:
    return parameters_of_json(records()[number]["body"]).resized(SIDE, SIDE)


def case(number: int) -> Case:
    """Somebody of the synthetic world before noise."""
    body = body_of(number)
    source = pose_from_parameters(body, SIDE, "text")
    picture = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    names = ("peace", None) if number % 2 else ("letter A", "tripod grasp")
    return Case(
        f"{number:05d}", complete_pose(source.pose, SIDE, SIDE), f"a woman, {number}", picture, None,
        pose_body(body).hands, 2 + 6 * (number % 2), names,
    )  # fmt: skip


@contextmanager
def estimator() -> Iterator[Any]:
    points = case(0).completed.pose

    def people_in(pixels: np.ndarray) -> list[Body]:
        whole = np.ones(pixels.shape[:2], np.bool_)
        return [Body(BodyPose(points.points_px, points.visibility), whole, None, 1.0)]

    yield people_in


class Judge:
    """Finds the left hand of the first person everywhere, two pixels off, and passes it."""

    def review(self, image: Image, expected: Any, *, look_limit: float | None = None) -> PictureReview:
        left = pose_body(body_of(0)).hands["left"]
        seen = HandObservation(
            landmarks_px=left.camera.project(hand_landmarks_m(left)) + np.array([2.0, 0.0]),
            depth_px=np.zeros(21), side="left", score=0.75, found_by="picture",
        )  # fmt: skip
        return PictureReview((replace(hand(1, "pass"), observation=seen),), image.width, image.height)

    def mend(self, image: Image, seed: int) -> Any:
        raise AssertionError


def write_model(folder: Path, seed: int, **encoder: Any) -> Path:
    write_sd(folder, 4, controlnet=False)
    torch.manual_seed(seed)
    TextHandEncoder(text_width=TEXT_WIDTH, channels=32, heads=2, **encoder).save_pretrained(folder / ENCODER)
    return folder


@pytest.fixture(scope="module", name="models")
def _models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("models")
    write_sd(folder / "sd", 4)
    small_controlnet(small_unet(4)).save_pretrained(folder / "openpose")
    write_model(folder / "run" / "model", 1)
    write_model(folder / "variants" / "words" / "model", 2, streams=())
    write_model(folder / "variants" / "joints", 3, streams=("joints",), layers=0)
    write_model(folder / "variants" / "mute", 4, text=False)
    (folder / "variants" / "notes").mkdir()
    return {
        "model": str(folder / "sd"), "handiffuser": str(folder / "run" / "model"),
        "pose_controlnet": str(folder / "openpose"), "variants": folder / "variants",
    }  # fmt: skip


@pytest.fixture(name="study")
def _study(models: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> HanDiffuserStudy:
    monkeypatch.setattr(cases, "rendered_people", lambda seed, count, size: map(case, range(count)))
    return HanDiffuserStudy(n=2, size_px=SIDE, steps=2, extractor="rand-v1", device="cpu", **models)


def painters_of(study: HanDiffuserStudy) -> Painters:
    return replace(load_painters(study), refine=lambda picture, prompt, seed: 255 - picture, reviewer=Judge)


def run(study: HanDiffuserStudy, folder: Path) -> str:
    opened: Any = {"open_painters": painters_of, "open_estimator": estimator}
    reproduce_handiffuser(study, folder / "page.md", "the command", folder / "work", **opened)
    return (folder / "page.md").read_text("utf-8")


def cells_of(page: str, label: str) -> dict[str, str]:
    """The figures of a row of the first table, by its titles."""
    lines = page[page.index("## Rows") :].splitlines()
    titles = [cell.strip() for cell in lines[2].split("|")]
    (row,) = (
        line for line in lines if line.startswith(f"| {label} |") and line.count("|") == len(titles) - 1
    )
    return dict(zip(titles, (cell.strip() for cell in row.split("|")), strict=True))


def test_every_row_is_painted_once_measured_and_shown(
    study: HanDiffuserStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[str] = []
    paint = rows.paint

    def counted(row: Any, *given: Any) -> Any:
        painted.append(row.name)
        return paint(row, *given)

    monkeypatch.setattr("handwright.reproduce.handiffuser.run.paint", counted)
    run(replace(study, n=1), tmp_path)
    first = len(painted)
    page = run(study, tmp_path)
    assert len(painted) == 2 * first
    assert len(set(painted)) == first == 10
    assert run(study, tmp_path) == page
    assert len(painted) == 2 * first
    for words in ("N 2:", "the command", "## T-H2I less another row, paired", "skin tones 8–9", "930031"):
        assert words in page, words
    assert (tmp_path / "page_rows.jpg").is_file()
    ours = cells_of(page, "T-H2I, the picture's own parameters")
    assert ours["confidence"].startswith("0.75 [")
    wanted = [max(len(case(k).completed.hands), 1) for k in range(2)]
    assert ours["hands that pass"].startswith(f"{np.mean([1 / count for count in wanted]):.2f} [")
    left = cells_of(page, "base, by its text")["hand error"]
    assert left == ours["hand error"]  # The judge sees the same everywhere
    drawn = cells_of(page, "T-H2I, parameters of T2H")
    assert (drawn["hand error"], drawn["MPJPE hands"]) == ("–", "–")  # Another person
    for label in ("words: text alone, fine-tuned", "joints: text + joints, concatenated"):
        assert cells_of(page, label)["s a picture"] != "–"
    assert "| mute: joints + rotations + vertices |" in page
    with pytest.raises(OutputError, match="holds another study"):
        run(replace(study, seed=1), tmp_path)


class BlindJudge(Judge):
    """Finds hands in noise alone."""

    def review(self, image: Image, expected: Any, *, look_limit: float | None = None) -> PictureReview:
        found = super().review(image, expected)
        return found if image.pixels.std() > 70 else replace(found, hands=())


def test_a_row_without_hands_has_no_figures_of_crops(study: HanDiffuserStudy, tmp_path: Path) -> None:
    opened: Any = {
        "open_painters": lambda given: replace(painters_of(given), reviewer=BlindJudge),
        "open_estimator": estimator,
    }
    few = replace(study, n=3, variants=None, pose_controlnet=None)
    reproduce_handiffuser(few, tmp_path / "page.md", "the command", tmp_path / "work", **opened)
    page = (tmp_path / "page.md").read_text("utf-8")
    ours = cells_of(page, "T-H2I, the picture's own parameters")
    assert ours["hand error"].startswith("1.000 [")
    assert ours["confidence"] == "–"
    assert "FID-H" not in page[page.index("## Rows") :]


def test_hands_decide_the_picture_only_where_they_are_read(study: HanDiffuserStudy, tmp_path: Path) -> None:
    """Each row paints by what it reads: the first and the second person have other hands and other words."""
    run(replace(study, n=1), tmp_path / "a")
    work = tmp_path / "a" / "work"

    def picture(group: str) -> np.ndarray:
        return cv2.imread(str(work / group / "00000.png"))

    shown = {name: picture(name) for name in ("base", "ours", "drawn", "refined", "variant-words", "pose")}
    for name in ("base", "drawn", "variant-words", "pose"):
        assert not np.array_equal(shown[name], shown["ours"]), name
    assert np.array_equal(shown["refined"], 255 - shown["ours"])
    record = json.loads((work / "ours-review" / "00000.json").read_text("utf-8"))
    assert record["found"][0]["score"] == 0.75


def test_the_error_of_a_hand_is_in_lengths_of_its_box() -> None:
    left, right = pose_body(body_of(0)).hands.values()
    points, other = (one.camera.project(hand_landmarks_m(one)) for one in (left, right))
    length = np.ptp(points, axis=0).max()
    assert hand_error(points, []) == 1.0
    assert hand_error(points, [points + 1e4]) == 1.0
    assert hand_error(points, [other + 1e4, points + np.array([0.3 * length, 0.0])]) == pytest.approx(0.3)


def test_rows_that_cannot_be_painted_name_the_reason(study: HanDiffuserStudy) -> None:
    bare = replace(study, handiffuser=None, pose_controlnet=None, variants=None)
    missing = {row.name: row.missing for row in rows_of(bare, Painters(handiffuser={})) if row.missing}
    assert missing.keys() == {"pose", "two-stage", "text", "ours", "drawn", "refined"}
    assert "--handiffuser" in missing["ours"]
    assert "--pose-controlnet" in missing["pose"]


def test_people_are_grouped_by_tone_and_rarity() -> None:
    people = [case(0), case(1)]
    assert [list(one.parameters) for one in people] == [["left", "right"]] * 2
    found = {group.label: (set(group.hands), group.share) for group in groups_of(people)}
    assert found == {
        "skin tones 2–3": ({("00000", "left"), ("00000", "right")}, 0.5),
        "skin tones 8–9": ({("00001", "left"), ("00001", "right")}, 0.5),
        "another gesture": ({("00001", "left")}, 0.25),
        "a letter": ({("00000", "left")}, 0.25),
        "a grasp": ({("00000", "right")}, 0.25),
        "a pose without a name": ({("00001", "right")}, 0.25),
    }


def test_what_an_encoder_reads_is_said_in_words() -> None:
    joints = ["joints", "rotations"]
    assert what_is_read({"streams": joints, "layers": 2}) == "text + joints + rotations"
    assert what_is_read({"streams": joints, "layers": 0, "text": False}) == "joints + rotations, concatenated"
    assert what_is_read({"streams": [], "layers": 2}) == "text alone, fine-tuned"


def test_prompts_have_the_people_whom_t2h_draws(study: HanDiffuserStudy, tmp_path: Path) -> None:
    """No distance to real pictures is taken of them."""
    (tmp_path / "prompts.txt").write_text("a woman waving\n\na man\n", "utf-8")
    given = replace(study, data=tmp_path / "prompts.txt", n=5, variants=None)

    def draw(prompt: str, side: int, seed: int) -> Any:
        return pose_from_parameters(body_of(seed), side, "text")

    one, other = prompted(given, draw)
    assert (one.caption, other.caption) == ("a woman waving", "a man")
    assert set(one.parameters) <= {"left", "right"}
    assert one.picture.std() > 10
    drawn = {row.name: row.missing for row in rows_of(given, Painters(handiffuser={}))}
    assert "already" in drawn["drawn"]


def test_rendered_people_bring_their_hands() -> None:
    (one,) = list(rendered_people(930_031, 1, 128))[:1]
    assert one.parameters
    assert one.skin_tone is not None
    assert len(one.gestures) == len(one.parameters)
    assert one.hands is not None
    for one_hand in one.parameters.values():
        points = one_hand.camera.project(hand_landmarks_m(one_hand))
        inside = points[((points >= 0) & (points < 128)).all(1)].astype(int)
        assert one.hands[inside[:, 1], inside[:, 0]].mean() > 0.4


def test_what_is_not_there_is_named_in_one_line(study: HanDiffuserStudy, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--n is 0"):
        HanDiffuserStudy(n=0)
    with pytest.raises(UsageError, match="--handiffuser nowhere is not there"):
        HanDiffuserStudy(handiffuser="nowhere")
    with pytest.raises(UsageError, match=r"--data nowhere\.txt is not there"):
        HanDiffuserStudy(data=Path("nowhere.txt"))
    with pytest.raises(UsageError, match="holds no T-H2I model"):
        variants_in(tmp_path)


def test_distances_of_two_rows_are_paired_by_people(tmp_path: Path) -> None:
    """Noise is farther from the renders than the renders with a little noise, and hands as well."""
    store, rng = Store(tmp_path, {}), np.random.default_rng(0)
    people = [replace(case(k % 4), name=f"{k:05d}") for k in range(16)]
    for k, one in enumerate(people):
        near = one.picture.astype(int) // 2 + rng.integers(0, 8, one.picture.shape)
        pictures = {ORIGINAL: one.picture // 2, OURS: near, TEXT: rng.integers(0, 255, one.picture.shape)}
        for row, pixels in pictures.items():
            found = {
                "landmarks_px": np.repeat([[k, k], [k + 90, k + 90]], [10, 11], 0).tolist(),
                "score": 0.5,
            }
            review = {
                "found": [] if row == TEXT and k < 3 else [found],
                "verdicts": [],
                "verdicts_without_text": [],
                "wanted": 1,
            }
            crop = np.asarray(pixels, np.uint8)
            store.unit(row, one.name, lambda crop=crop: ({"seconds": 1.0}, crop))
            store.unit(f"{row}{PEOPLE}", one.name, lambda: ({"found": []}, None))
            store.unit(f"{row}{REVIEW}", one.name, lambda review=review: (review, None))
    gauge = HandGauge(store, people, "rand-v1", "clip-hw-v1", compare=True)
    apart, distances = gauge.difference(OURS, TEXT), [gauge.figures(row) for row in (OURS, TEXT)]
    for key in ("kid", "kid-h"):
        assert apart[key].value == pytest.approx(distances[0][key].value - distances[1][key].value)
        assert apart[key].high < 0
        assert apart[key].n == 16
    assert "kid" not in HandGauge(store, people, "rand-v1", "clip-hw-v1", compare=False).difference(
        OURS, TEXT
    )
