"""The whole study on two poses and small random networks: the page, and nothing painted twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from handwright.errors import OutputError, UsageError
from handwright.metrics.estimate import Estimate
from handwright.metrics.pose_error import wanted_points
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import Body
from handwright.reproduce.people_cases import Case
from handwright.reproduce.two_stage import cases, rows
from handwright.reproduce.two_stage.measure import Measured
from handwright.reproduce.two_stage.page import write_page
from handwright.reproduce.two_stage.rows import OURS, Painters, rows_of
from handwright.reproduce.two_stage.run import load_painters, reproduce_two_stage
from handwright.reproduce.two_stage.study import TwoStageStudy
from handwright.reproduce.two_stage.variants import variants_in
from handwright.review.checklist import PictureReview
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.outpainter import Outpainter
from handwright.two_stage.networks.pose_baselines import PoseConcatenation, begin_adapter
from handwright.two_stage.pose_completion import complete_pose
from handwright.types import Image
from tests.diffusion.models import small_controlnet, small_unet, write_sd
from tests.two_stage.poses import arrays, pose_of_array
from tests.workflow.test_review import hand

SIDE = 256


def case(number: int) -> Case:
    points = arrays(("left", "right"))
    points[points[:, 2] > 0, :2] *= 0.5
    points[points[:, 2] > 0, 0] += number
    pose = pose_of_array(points)
    hands = np.zeros((SIDE, SIDE), np.bool_)
    for x, y in pose.points_px[91:].astype(int):
        hands[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4] = True
    picture = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    return Case(f"{number:05d}", complete_pose(pose, SIDE, SIDE), f"a woman, {number}", picture, hands)


@contextmanager
def estimator() -> Iterator[Any]:
    """Finds the first pose in every picture but black ones."""
    points = case(0).completed.pose

    def people_in(pixels: np.ndarray) -> list[Body]:
        whole = np.ones(pixels.shape[:2], np.bool_)
        return [Body(BodyPose(points.points_px, points.visibility), whole, None, 1.0)] if pixels.any() else []

    yield people_in


@pytest.fixture(scope="module", name="models")
def _models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(3)
    unet = small_unet(4)
    write_sd(folder / "sd", 4)
    small_controlnet(unet).save_pretrained(folder / "openpose")
    HandGenerator.from_unet(unet).save_pretrained(folder / "hand_generator")
    Outpainter.from_controlnet(small_controlnet(unet), "random").save_pretrained(folder / "outpainter")
    return {
        "model": str(folder / "sd"), "pose_controlnet": str(folder / "openpose"),
        "hand_generator": str(folder / "hand_generator"), "outpainter": str(folder / "outpainter"),
    }  # fmt: skip


@pytest.fixture(name="study")
def _study(models: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> TwoStageStudy:
    def rendered(study: TwoStageStudy) -> Iterator[Case]:
        return (case(k) for k in range(9))

    def drawn(_: Any, request: Any) -> Any:
        mask = np.zeros((request.height, request.width), np.bool_)
        pixels = np.zeros((request.height, request.width, 3), np.uint8)
        return SimpleNamespace(pixels=pixels, mask=mask, held=None, words="", notes=())

    monkeypatch.setattr(cases, "_rendered", rendered)
    monkeypatch.setattr(rows.RenderEngine, "make", drawn)
    return TwoStageStudy(n=2, steps=3, extractor="rand-v1", device="cpu", **models)


class Judge:
    """Passes one of the two hands of pictures with a white corner, which mending gives them."""

    def review(self, image: Image, expected: Any, *, look_limit: float | None = None) -> PictureReview:
        verdicts = ("pass", "fail") if (image.pixels[0, 0] == 255).all() else ("fail", "fail")
        points = case(0).completed.pose.points_px[91:112]
        box = (*points.min(0), *points.max(0))
        found = tuple(replace(hand(k, one), bbox_xyxy_px=box) for k, one in enumerate(verdicts, 1))
        return PictureReview(found, image.width, image.height)

    def mend(self, image: Image, seed: int) -> tuple[Image, tuple[str, ...]]:
        pixels = image.pixels.copy()
        pixels[:9, :9] = 255
        return Image(pixels), ("Hand 1 refined.",)


def painters_of(study: TwoStageStudy) -> Painters:
    return replace(load_painters(study), refine=lambda picture, prompt, seed: 255 - picture, reviewer=Judge)


def run(study: TwoStageStudy, folder: Path) -> str:
    opened: Any = {"open_painters": painters_of, "open_estimator": estimator}
    reproduce_two_stage(study, folder / "page.md", "the command", folder / "work", **opened)
    return (folder / "page.md").read_text("utf-8")


def test_every_row_is_painted_measured_and_shown_and_nothing_twice(
    study: TwoStageStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted: list[str] = []
    paint = rows.paint

    def counted(row: Any, *given: Any) -> Any:
        painted.append(row.name)
        return paint(row, *given)

    monkeypatch.setattr("handwright.reproduce.two_stage.run.paint", counted)
    run(replace(study, n=1), tmp_path)
    first = len(painted)
    page = run(study, tmp_path)
    assert len(painted) == 2 * first
    assert len(set(painted)) == first == 21
    assert run(study, tmp_path) == page
    assert len(painted) == 2 * first
    for words in (
        "## Table I",
        "## Table II",
        "## Ablations",
        "N 2:",
        "the command",
        "MPJPE hands",
        "1.000 [",
    ):
        assert words in page, words
    for label in (
        "text alone",
        "pose ControlNet alone",
        "ours",
        "stage II once, as published (naive blend)",
        "sequential",
        "(a) shared latents",
    ):
        assert f"| {label} |" in page
    assert "dB nearer (N 2, paired)" in page
    assert "* hands that meet, in a crop each: not painted" in page
    assert "MPJPE hands < 64 px" in page
    (apart,) = (line for line in page.splitlines() if "(harmonise) − fit and render" in line)
    assert "| -0.99" in apart  # Nobody is found in the black picture
    assert (tmp_path / "page_rows.jpg").is_file()
    (rendered,) = (line for line in page.splitlines() if line.startswith("| fit and render"))
    assert rendered.count("1.000 [1.000, 1.000]") == 3  # Black: nobody is found, whole, hands, small hands
    with pytest.raises(OutputError, match="holds another study"):
        run(replace(study, seed=1), tmp_path)


def test_a_models_own_networks_and_the_judge_decide_the_units(study: TwoStageStudy, tmp_path: Path) -> None:
    own = replace(study, model="tiny", outpainter=None, pose_controlnet=None, hand_generator=None).identity()
    assert "diffusion_pytorch_model.safetensors" in own["outpainter"]
    assert own["hand_generator"] is None
    run(replace(study, n=1), tmp_path)
    judged_by = tmp_path / "work" / "judge.json"
    before = json.loads(judged_by.read_text()) | {"reviews": 1}
    judged_by.write_text(json.dumps(before, indent=1, sort_keys=True))
    with pytest.raises(OutputError, match=r"judge\.json differs"):
        run(replace(study, n=1), tmp_path)


def test_the_judges_rows_begin_with_ours_and_keep_what_is_better(
    study: TwoStageStudy, tmp_path: Path
) -> None:
    page = run(replace(study, n=1), tmp_path)
    store = tmp_path / "work"

    def read(group: str, suffix: str) -> Any:
        file = store / group / f"00000.{suffix}"
        return json.loads(file.read_text()) if suffix == "json" else cv2.imread(str(file))

    ours = read(OURS, "png")
    assert (read("drawn", "png")[:9, :9] == 255).all()
    assert np.array_equal(read("drawn", "png")[9:], ours[9:])
    assert np.array_equal(read("anew", "png"), ours)  # No try passes, the first of equals stays
    tries = {name: read(name, "json")["attempts"] for name in ("drawn", "repainted", "anew", "judged")}
    assert tries == {"drawn": 1, "repainted": 1, "anew": 3, "judged": 3}
    assert read("drawn", "json")["mended"]
    assert read("repainted", "json")["mended"]
    assert not read("anew", "json")["mended"]
    review = read("drawn-review", "json")
    assert (review["verdicts"], review["wanted"]) == (["pass", "fail"], 2)
    assert review["verdicts_without_text"] == ["pass", "fail"]
    assert "seen hands that pass without the text" in page
    assert len(review["found"]) == 2
    (drawn,) = (line for line in page.splitlines() if line.startswith("| (d) failing hands drawn"))
    assert "0.50 [" in drawn
    (apart,) = (line for line in page.splitlines() if line.startswith("| ours − (d) failing hands drawn"))
    assert "-0.50 [" in apart


def test_networks_trained_otherwise_are_rows_of_their_own(
    study: TwoStageStudy, models: dict[str, str], tmp_path: Path
) -> None:
    variants = tmp_path / "variants"
    torch.manual_seed(5)
    network = HandGenerator.from_unet(small_unet(4), with_mask_head=False)
    network.save_pretrained(variants / "no-mask-head" / "model" / "hand_generator")
    shutil.copytree(models["outpainter"], variants / "longer")
    (variants / "notes").mkdir()
    PoseConcatenation.begin(small_unet(4), 4, "random").save_pretrained(variants / "beside")
    begin_adapter(small_unet(4), 8).save_pretrained(variants / "adapter")
    given = replace(study, n=1, variants=variants)
    page = run(given, tmp_path)
    assert "| stage I: no-mask-head |" in page
    assert "| stage II: longer |" in page
    table = page[page.index("## Table I") : page.index("## Table II")]
    assert "| native concatenation, as HumanSD: beside |" in table
    assert "| light adapter, as T2I-Adapter: adapter |" in table
    store = tmp_path / "work"
    pictures = {
        name: cv2.imread(str(store / name / "00000.png"))
        for name in (OURS, "variant-no-mask-head", "variant-longer")
    }
    assert not np.array_equal(pictures[OURS], pictures["variant-no-mask-head"])
    assert np.array_equal(pictures[OURS], pictures["variant-longer"])  # It is the same network
    other = HandGenerator.from_unet(small_unet(4), with_mask_head=False)
    other.save_pretrained(variants / "no-mask-head" / "model" / "hand_generator")
    with pytest.raises(OutputError, match=r"its variant-no-mask-head\.json differs"):
        run(given, tmp_path)
    with pytest.raises(UsageError, match="notes holds no network"):
        variants_in(variants / "notes")
    assert variants_in(None) == ()


def test_rows_that_cannot_be_painted_name_the_reason(study: TwoStageStudy) -> None:
    bare = replace(study, hand_generator=None, outpainter=None, pose_controlnet=None)
    ours = SimpleNamespace(pose_controlled=False)
    missing = {row.name: row.missing for row in rows_of(bare, Painters(ours=ours)) if row.missing}
    assert missing.keys() == {
        "text-refined", "pose", "harmonise", "PoseConcatenation", "T2IAdapter", "drawn", "repainted", "anew",
        "judged", "depth", "openpose", "apart",
    }  # fmt: skip
    assert missing["judged"] == "there is no judge"
    assert "--poses meeting" in missing["apart"]
    assert "--pose-controlnet" in missing["pose"]
    assert "--hand-generator" in missing["depth"]


def test_a_page_without_our_own_row_is_written(study: TwoStageStudy, tmp_path: Path) -> None:
    page = run(replace(study, n=1, rows=("text", "pose")), tmp_path)
    assert "| text alone |" in page
    assert "Ours over the pose ControlNet alone" not in page


def test_a_page_of_too_few_pictures_for_an_fid_has_a_note_and_one_of_enough_has_the_figure(
    tmp_path: Path,
) -> None:
    painters = Painters(ours=SimpleNamespace(pose_controlled=True))
    study = TwoStageStudy(n=24, rows=(OURS,))
    kid, fid = (Estimate(name, 1.25, 1.0, 2.0, n=24) for name in ("kid", "fid"))
    pages: list[str] = []
    for figures in ({"kid-fg": kid}, {"kid-fg": kid, "fid-fg": fid}):
        measured = Measured(
            n=24, figures={"pictures": {}, OURS: figures}, differences={}, fid_needs=257, closeness={}
        )
        write_page(study, rows_of(study, painters), measured, "c", tmp_path / "page.md", "s.jpg")
        pages.append((tmp_path / "page.md").read_text("utf-8"))
    assert "FID fg is not given: a covariance needs more pictures than features, 257" in pages[0]
    assert "not given" not in pages[1]
    assert "| FID fg |" in pages[1]


def test_rows_that_were_not_asked_for_are_left_out(study: TwoStageStudy) -> None:
    """But what a row begins with is painted; a name that no row has is an error."""
    painters = Painters(ours=SimpleNamespace(pose_controlled=True), refine=lambda picture, *_: picture)
    some = rows_of(replace(study, rows=("text-refined", "ours")), painters)
    assert [row.name for row in some if not row.missing] == ["text", "text-refined", "ours"]
    assert {row.missing for row in some if row.name in ("pose", "sequential")} == {"it is not among --rows"}
    with pytest.raises(UsageError, match="there is no row 'our'"):
        rows_of(replace(study, rows=("our",)), painters)


def test_all_networks_are_one_base(study: TwoStageStudy) -> None:
    painters = load_painters(study)
    assert painters.depth.hand_generator is None
    assert painters.ours.hand_generator is not None
    assert isinstance(painters.ours.body.pipe.controlnet, Outpainter)
    assert not isinstance(painters.pose.body.pipe.controlnet, Outpainter)
    assert painters.pose.hands.pipe.unet is painters.ours.hands.pipe.unet is painters.depth.body.pipe.unet


def test_rendered_poses_come_with_their_hands_and_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    study = TwoStageStudy(n=1, size_px=128)
    (one,) = cases.cases_of(study, lambda _: [])
    assert one.hands is not None
    points = wanted_points(one.completed.pose, *one.size)[91:]
    inside = points[(points != 0).any(1)].astype(int)
    assert one.hands[inside[:, 1], inside[:, 0]].mean() > 0.4
    assert one.caption
    assert one.size == (128, 128)


def test_what_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--n is 0"):
        TwoStageStudy(n=0)
    with pytest.raises(UsageError, match="--outpainter nowhere is not there"):
        TwoStageStudy(outpainter="nowhere")
    with pytest.raises(UsageError, match="no pose can be completed"):
        (tmp_path / "black.png").write_bytes(_png())
        cases.cases_of(TwoStageStudy(data=tmp_path), lambda _: [])


def _png() -> bytes:
    return cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
