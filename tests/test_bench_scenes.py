"""The renderer of hand pictures and the measures that the benches stand on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.hand.anatomy import DOF_LIMITS_RAD
from measures import bootstrap, ciede2000, mean
from scenes import DEFECTS, render_scene
from scenes.poses import CATEGORIES, draw_dofs

SIZE = 144

SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]
"""Pairs and differences of Sharma, Wu and Dalal 2005, table 1."""


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


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_colour_difference_matches_the_published_pairs(first, second, expected: float):
    a, b = np.array(first, float), np.array(second, float)
    assert ciede2000(a, b) == pytest.approx(expected, abs=5e-5)
    assert ciede2000(b, a) == pytest.approx(expected, abs=5e-5)


def test_bootstrap_interval_holds_the_mean_and_narrows_with_more_pictures():
    rng = np.random.default_rng(0)
    few, many = rng.normal(3, 1, (20, 1)), rng.normal(3, 1, (800, 1))
    (_, low, high), (value, near, far) = bootstrap(few, mean), bootstrap(many, mean)
    assert near < value < far
    assert far - near < (high - low) / 3
