"""The renderer that the benches stand on: same seed, same picture, and its truth lies where it says."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.scenes import DEFECTS, render_scene
from handwright.data.scenes.poses import CATEGORIES, draw_dofs
from handwright.hand.anatomy import DOF_LIMITS_RAD

SIZE = 144
WHEN_THE_TABLES_WERE_MADE = [
    (0, (121.155, 93.187, 69.913), (25.087, 24.268, 17.263)),
    (1, (83.963, 73.633, 74.004), (31.881, 29.948, 30.034)),
    (2, (131.409, 124.965, 112.055), (20.139, 19.023, 17.114)),
    (3, (169.485, 175.051, 179.014), (52.318, 56.077, 58.651)),
]
"""Seed, mean and deviation of each channel."""


def test_same_seed_renders_the_same_bytes_and_another_does_not():
    first = render_scene(3, size=SIZE).pixels
    assert (render_scene(3, size=SIZE).pixels == first).all()
    assert (render_scene(4, size=SIZE).pixels != first).any()


@pytest.mark.parametrize("seed", range(4))
def test_true_landmarks_lie_on_the_drawn_hand(seed: int):
    scene = render_scene(seed, size=SIZE)
    rows, columns = np.nonzero(scene.silhouette)
    landmarks = scene.landmarks_px[0]
    margin = 0.03 * SIZE
    assert (landmarks.min(0) >= (columns.min() - margin, rows.min() - margin)).all()
    assert (landmarks.max(0) <= (columns.max() + margin, rows.max() + margin)).all()
    assert scene.silhouette.sum() < scene.skin.sum()
    assert (np.isfinite(scene.depth_m)[scene.skin]).mean() > 0.95


@pytest.mark.parametrize(
    ("defect", "fingertips"),
    [("extra_finger", 6), ("missing_finger", 4), ("overbent", 5), ("wrong_length", 5)],
)
def test_a_defect_shows_the_wrong_number_of_fingertips(defect, fingertips: int):
    scene = render_scene(11, defect=defect, size=SIZE)
    assert len(scene.tips_px) == fingertips
    columns, rows = np.clip(scene.tips_px.astype(int), 1, SIZE - 2).T
    seen = [scene.skin[r - 1 : r + 2, c - 1 : c + 2].any() for r, c in zip(rows, columns, strict=True)]
    assert all(seen)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_mended_scene_differs_from_its_defect_only_around_the_hand(defect):
    broken = render_scene(5, defect=defect, size=SIZE)
    mended = render_scene(5, defect=defect, mended=True, size=SIZE)
    assert (broken.landmarks_px == mended.landmarks_px).all()
    assert mended.defect is None
    assert (broken.silhouette != mended.silhouette).sum() > 20
    corners = np.s_[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.abs(broken.pixels[corners].astype(int) - mended.pixels[corners]).mean() < 40


@pytest.mark.parametrize("category", CATEGORIES)
def test_poses_stay_within_anatomical_limits(category: str):
    for seed in range(5):
        dofs = draw_dofs(np.random.default_rng(seed), category)
        assert (dofs >= DOF_LIMITS_RAD[:, 0]).all()
        assert (dofs <= DOF_LIMITS_RAD[:, 1]).all()


@pytest.mark.parametrize(("seed", "mean", "deviation"), WHEN_THE_TABLES_WERE_MADE)
def test_the_benches_pictures_are_still_the_same(seed: int, mean, deviation):
    pixels = render_scene(seed, size=SIZE).pixels
    assert pixels.mean((0, 1)) == pytest.approx(mean, abs=0.02)
    assert pixels.std((0, 1)) == pytest.approx(deviation, abs=0.02)
