"""From a public data set's layout to crops that a ControlNet learns from, with the paper's settings."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as PILImage

import make_photograph_crops as script
from handwright.apps.cli.main import run
from handwright.data.hands import render_one_hand
from handwright.data.loaders import read_rhd
from handwright.data.sample import HandLabel, Sample, Source, box_around
from handwright.training.hand_crops import LEAST_PX, labelled_hands
from handwright.training.streams.crops import load_crops
from tests.data.loaders.layouts import tips_first

SEEDS = (722_104, 722_107, 722_111)


@pytest.fixture(scope="module")
def pictures():
    return [render_one_hand(seed, 256) for seed in SEEDS]


@pytest.fixture(name="root")
def _root(tmp_path, pictures):
    """RHD as published and converted; of the last picture, the points are another hand's."""
    folder = tmp_path / "rhd" / "training"
    (folder / "color").mkdir(parents=True)
    uv_vis, xyz = np.zeros((len(SEEDS), 42, 3)), np.ones((len(SEEDS), 42, 3))
    for number, picture in enumerate(pictures):
        PILImage.fromarray(picture.pixels).save(folder / "color" / f"{number:05d}.png")
        (hand,) = picture.hands
        half = slice(0, 21) if hand.hand.side == "left" else slice(21, 42)
        points = hand.keypoints_px - 0.5
        if number == len(SEEDS) - 1:
            points = np.random.default_rng(0).permutation(points)
        uv_vis[number, half] = np.column_stack([tips_first(points), np.ones(21)])
        xyz[number, half] = tips_first(hand.landmarks_cam_m)
    np.savez(folder / "anno_training.npz", ids=np.arange(len(SEEDS)), uv_vis=uv_vis, xyz=xyz)
    return tmp_path / "rhd"


def test_labelled_hands_become_crops_with_the_depth_of_their_fit(root, pictures, tmp_path):
    out = tmp_path / "crops"
    out.mkdir()
    lines = script.from_dataset("rhd", read_rhd(root), out, 1, 96, per_lot=2)
    assert "no regular hand is near its points (such as training/00002)" in " ".join(lines)
    assert [path.name for path in sorted(out.iterdir())] == ["rhd-00000.npz"]
    crops = load_crops(out, 96)
    assert crops.rendered.all() and crops.visible.all()
    for k, picture in enumerate(pictures[: len(crops)]):
        (hand,) = picture.hands
        assert crops.side[k] == (hand.hand.side == "right")
        assert crops.caption[k] == f"a 3D rendered image of a {hand.hand.side} hand"
        shown, scale = np.ptp(crops.landmarks_px[k], axis=0), np.ptp(hand.keypoints_px, axis=0)
        assert shown / scale == pytest.approx([96 / (1.9 * scale.max())] * 2, rel=1e-5)
        assert not ((crops.depth[k] > 0) & ~crops.mask[k]).any()
        assert (crops.depth[k] > 0).mean() > 0.04
    before = (out / "rhd-00000.npz").read_bytes()
    script.from_dataset("rhd", read_rhd(root), out, 1, 96, per_lot=2)
    assert (out / "rhd-00000.npz").read_bytes() == before


def test_a_controlnet_learns_from_them_with_the_settings_of_its_paper(root, tmp_path):
    out = tmp_path / "crops"
    out.mkdir()
    script.from_dataset("rhd", read_rhd(root), out, 1, 96)
    command = ["train", "handrefiner", "--data", str(out), "-o", str(tmp_path / "run"), "--model", "tiny"]
    short = ["--as-published", "--train-batch-size", "1", "--max-minutes", "0.001", "--mixed-precision", "no"]
    assert run([*command, *short]) == 0
    rates = {json.loads(line)["lr"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()}
    assert rates == {2e-5}


def label(points, visible=None, side="left"):
    visible = np.ones(21, np.bool_) if visible is None else visible
    return HandLabel(box_around(points[visible]), side, points, visible)


def sample(*hands):
    return Sample("k", None, hands, (), None, "photograph", Source("set", "1"))


def test_hands_without_all_points_without_side_or_too_small_are_no_hands(pictures):
    points = pictures[0].hands[0].keypoints_px
    partly = points.copy()
    partly[3] = 0.5  # as COCO-WholeBody's loader gives a point without a label
    small = points * (LEAST_PX - 1) / np.ptp(points, axis=0).max()
    known = np.arange(21) != 3
    whole = label(points, known)  # seen or not: its place is known
    found = [
        hand
        for hand, _ in labelled_hands(
            sample(whole, label(partly, known), label(small), label(points, side=None))
        )
    ]
    assert [hand.landmarks_px.tolist() for hand in found] == [points.tolist()]
