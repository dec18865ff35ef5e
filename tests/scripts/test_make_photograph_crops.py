"""From a public data set's layout to crops that a ControlNet learns from, with the paper's settings."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PILImage

import make_photograph_crops as script
from handwright.apps.cli.main import run
from handwright.data.hands import render_one_hand
from handwright.data.loaders import read_rhd
from handwright.data.sample import HandLabel, Sample, Source, box_around
from handwright.hand.kinematics import hand_landmarks_m
from handwright.training import hand_crops
from handwright.training.hand_crops import LEAST_PX, labelled_hands
from handwright.training.recipes.hand_generator import heatmaps_of
from handwright.training.streams.crops import load_crops, load_lot
from handwright.two_stage.networks.hand_generator import HandGenerator
from tests.data.loaders.layouts import (
    pixels_of,
    tips_first,
    write_hagrid,
    write_interhand,
    write_reinterhand,
)
from tests.diffusion.models import write_sd
from tests.perception.fit.test_hand_fit import some_hand

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


def cam_m(side):
    """A hand that bends as hands do, whole in the pictures of the layouts."""
    at = np.array([0.02 if side == "left" else -0.02, 0.0, 0.55])
    return hand_landmarks_m(replace(some_hand(3, side), translation_m=at))


@pytest.fixture(name="papers")
def _papers(tmp_path):
    """What stage I's paper learns from: folders in the layouts of InterHand2.6M, Re:InterHand and HaGRID."""
    hands = {side: cam_m(side) for side in ("right", "left")}
    roots = {name: tmp_path / name for name in ("interhand", "reinterhand", "hagrid")}
    write_interhand(roots["interhand"], hands["right"], hands["left"], np.ones(42))
    write_reinterhand(roots["reinterhand"], hands)
    write_hagrid(roots["hagrid"], {side: pixels_of(points) for side, points in hands.items()})
    return roots


def test_a_hand_generator_learns_from_the_papers_data_with_its_settings(papers, tmp_path):
    out = tmp_path / "crops"
    out.mkdir()
    for name, root in papers.items():
        script.from_dataset(name, script.DATASETS[name](root), out, 1, 72)
    found = {path.stem: load_lot(path) for path in sorted(out.iterdir())}
    assert {name: len(crops) for name, crops in found.items()} == {
        "hagrid-00000": 2, "interhand-00000": 3, "reinterhand-00000": 2
    }  # fmt: skip
    assert [crops.rendered.all() for crops in found.values()] == [False, False, True]
    assert all(crops.depth.any(axis=(1, 2)).all() for crops in found.values())
    assert all(set(crops.side.tolist()) == {0, 1} for crops in found.values())
    run_folder, model = tmp_path / "run", write_sd(tmp_path / "sd", 4, controlnet=False)
    command = ["train", "hand_generator", "--as-published", "--data", str(out), "--model", str(model)]
    short = ["--train-batch-size", "2", "--max-train-steps", "2", "--mixed-precision", "no"]
    assert run([*command, *short, "-o", str(run_folder)]) == 0
    log = [json.loads(line) for line in (run_folder / "log.jsonl").read_text().splitlines()]
    assert [line["lr"] for line in log] == [1e-5, 1e-5]
    assert HandGenerator.from_pretrained(run_folder / "model" / "hand_generator").mask_head is not None


def test_two_hands_that_meet_share_a_crop_with_the_points_mask_and_depth_of_both(papers, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "each").mkdir()
    for name in ("interhand", "reinterhand"):
        records = script.DATASETS[name]
        script.from_dataset(name, records(papers[name]), tmp_path / "each", 1, 72)
        script.from_dataset(name, records(papers[name]), tmp_path / "one", 1, 72, together=True)
    for name, alone in (("interhand", 1), ("reinterhand", 0)):
        crops = load_lot(tmp_path / "one" / f"{name}-00000.npz")
        apart = load_lot(tmp_path / "each" / f"{name}-00000.npz")
        assert np.isnan(apart.other_px).all()
        paired = np.isfinite(crops.other_px).all((1, 2))
        assert (paired.sum(), (~paired).sum()) == (1, alone)
        pair = crops.where(paired)
        assert pair.side.tolist() == [0]
        assert str(pair.caption[0]).endswith("pair of hands")
        for points in (pair.landmarks_px[0], pair.other_px[0]):
            assert ((points > 0) & (points < 72)).all()
            column, row = points.astype(int).T
            assert pair.mask[0][row, column].mean() > 0.9
            assert (pair.depth[0][row, column] > 0).mean() > 0.6
        extent = np.ptp(np.concatenate([pair.landmarks_px[0], pair.other_px[0]]), axis=0).max()
        assert extent == pytest.approx(72 / 1.9, rel=1e-4)
        maps = heatmaps_of(pair, 0)
        assert maps[:5].any()
        assert maps[5:].any()


def test_only_a_left_and_a_right_hand_whose_boxes_meet_are_a_pair(pictures):
    points = pictures[0].hands[0].keypoints_px
    away = points + np.array([1.2 * np.ptp(points[:, 0]), 0.0])

    def paired(*labels):
        return hand_crops._meeting([hand for hand, _ in labelled_hands(sample(*labels))]) is not None

    right = label(points + 5.0, side="right")
    assert paired(label(points), right)
    assert paired(right, label(points))
    assert not paired(label(points), label(points + 5.0))
    assert not paired(label(points), label(away, side="right"))
    assert not paired(label(points), right, right)


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
