from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.hand.skeleton import palm_span_px
from handwright.perception.segment import hand_region
from tests.drawn import SIZE, flat_hand, shoot


@pytest.fixture(scope="module")
def shot():
    return shoot(grain=2.0)


def distal_of_wrist(shot, mask: np.ndarray) -> np.ndarray:
    """The mask without the forearm, whose extent nobody claims to know."""
    cut = mask.copy()
    cut[round(shot.landmarks_px[0, 1]) :] = False
    return cut


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("skin", [(0.62, 0.40, 0.30), (0.50, 0.27, 0.18), (0.10, 0.045, 0.025)])
def test_a_hand_before_a_wall_is_segmented_whatever_its_skin(skin):
    shot = shoot(skin=skin, grain=2.0)
    region = hand_region(shot.pixels, shot.landmarks_px)
    assert overlap(distal_of_wrist(shot, region.inside), distal_of_wrist(shot, shot.silhouette)) > 0.93


def test_the_skin_model_is_the_skins(shot):
    region = hand_region(shot.pixels, shot.landmarks_px)
    lab = cv2.cvtColor(shot.pixels, cv2.COLOR_RGB2LAB)[shot.silhouette].astype(float)
    assert region.skin_lab == pytest.approx(np.median(lab, 0), abs=8)
    assert (np.linalg.eigvalsh(region.skin_covariance) > 0).all()
    assert region.span_px == palm_span_px(shot.landmarks_px)


def test_the_wall_around_the_hand_is_not_the_hand(shot):
    region = hand_region(shot.pixels, shot.landmarks_px)
    far = cv2.dilate(shot.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert region.inside[far].mean() < 0.002


def test_a_held_thing_is_not_the_hand(shot):
    pixels = shot.pixels.copy()
    row, column = shot.landmarks_px[9].astype(int)[::-1]
    pixels[row - 14 : row + 14, column - 60 : column + 60] = (20, 90, 200)
    region = hand_region(pixels, shot.landmarks_px)
    assert region.inside[row - 8 : row + 8, column - 8 : column + 8].mean() < 0.1
    assert region.inside[row + 30 : row + 40, column - 8 : column + 8].mean() > 0.9


def test_a_ring_is_too_small_to_cut_the_finger(shot):
    pixels = shot.pixels.copy()
    centre = (shot.landmarks_px[13] + shot.landmarks_px[14]) / 2
    cv2.circle(pixels, tuple(int(v) for v in centre), 2, (240, 210, 60), -1)
    region = hand_region(pixels, shot.landmarks_px)
    assert overlap(distal_of_wrist(shot, region.inside), distal_of_wrist(shot, shot.silhouette)) > 0.93


def test_a_sixth_fingers_tip_belongs_to_the_old_hand(shot):
    pixels = shot.pixels.copy()
    base, tip = shot.landmarks_px[17] + (2, 12), shot.landmarks_px[17] + (-48, -30)
    skin = tuple(int(v) for v in np.median(shot.pixels[shot.silhouette], 0))
    cv2.line(pixels, *(tuple(int(v) for v in p) for p in (base, tip)), skin, 11)
    region = hand_region(pixels, shot.landmarks_px)
    assert region.inside[int(tip[1]) - 1 : int(tip[1]) + 2, int(tip[0]) - 1 : int(tip[0]) + 2].all()


@pytest.mark.parametrize("distance_m", [0.25, 0.35, 1.2])
def test_every_size_of_hand_is_segmented(distance_m):
    shot = shoot(flat_hand(distance_m=distance_m, at=(0, 0.06 if distance_m < 1 else 0.0)))
    region = hand_region(shot.pixels, shot.landmarks_px)
    assert region.inside.shape == shot.silhouette.shape
    assert overlap(distal_of_wrist(shot, region.inside), distal_of_wrist(shot, shot.silhouette)) > 0.85


def test_looking_twice_gives_the_same(shot):
    first, second = (hand_region(shot.pixels, shot.landmarks_px) for _ in range(2))
    assert np.array_equal(first.inside, second.inside)
    assert np.array_equal(first.skin_covariance, second.skin_covariance)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_gives_a_region_all_the_same(shot, level):
    region = hand_region(np.full_like(shot.pixels, level), shot.landmarks_px)
    assert np.isfinite(region.skin_covariance).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 1), (3, 2), (17, 9)])
def test_slivers_are_segmented(shot, size):
    pixels = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    for marks in (shot.landmarks_px / SIZE * size[::-1], shot.landmarks_px, shot.landmarks_px - 4000):
        assert hand_region(pixels, marks).inside.shape == size
