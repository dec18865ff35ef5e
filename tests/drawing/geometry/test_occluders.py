from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.drawing.geometry.layer_assignment import assign_layers
from handwright.drawing.geometry.occluders import OccluderParams, occluder_mask
from handwright.hand.skin_colour import not_skin
from tests.drawn import WALL, region_of, shoot

PEN = (30, 60, 190)


@pytest.fixture(scope="module")
def shot():
    return shoot()


def in_front(shot, pixels: np.ndarray, covered: np.ndarray, probability=None) -> np.ndarray:
    """Things in front of the fixture's hand when ``covered`` pixels of it show something else."""
    region = region_of(shot.pixels, shot.silhouette & ~covered, shot.landmarks_px)
    region = replace(region, probability=probability)
    own = assign_layers(shot.surface, region, shot.landmarks_px, 0.8, shot.hand_px)
    strange = not_skin(pixels, region)
    return occluder_mask(pixels, own.coverage > 0.5, own.reach_m, region, strange, shot.landmarks_px)


def bar(shot, half: int = 6) -> np.ndarray:
    """Pixels of a bar across the four fingers' first bones."""
    covered = np.zeros(shot.silhouette.shape, bool)
    middle = round(shot.landmarks_px[[5, 6, 9, 10, 13, 14], 1].mean())
    covered[middle - half : middle + half, 20:-20] = True
    return covered


def test_a_bar_across_the_fingers_stays_in_front(shot):
    covered = bar(shot)
    pixels = np.where(covered[..., None], np.array(PEN, np.uint8), shot.pixels)
    found = in_front(shot, pixels, covered)
    on_hand = covered & shot.silhouette
    assert found[on_hand].mean() > 0.95
    assert (found & ~covered).sum() < 0.01 * found.sum()


@pytest.mark.parametrize(("off", "stays"), [(-0.05, True), (0.05, False)])
def test_what_the_critic_takes_for_the_hand_is_no_thing(shot, off, stays):
    covered = bar(shot)
    pixels = np.where(covered[..., None], np.array(PEN, np.uint8), shot.pixels)
    seen = np.full(covered.shape, OccluderParams().hand + off, np.float32)
    assert in_front(shot, pixels, covered, seen).any() == stays


def test_nothing_is_in_front_of_a_bare_hand(shot):
    assert not in_front(shot, shot.pixels, np.zeros(shot.silhouette.shape, bool)).any()


def test_the_background_of_a_missing_finger_is_not_in_front(shot):
    tip = shot.landmarks_px[12]
    knuckle = shot.landmarks_px[9]
    covered = np.zeros(shot.silhouette.shape, np.uint8)
    start = tuple(int(v) for v in knuckle + 0.25 * (tip - knuckle))
    end = tuple(int(v) for v in tip + 0.3 * (tip - knuckle))
    cv2.line(covered, start, end, 1, round(0.14 * shot.hand_px))
    missing = (covered > 0) & shot.silhouette
    pixels = np.where(missing[..., None], np.array(WALL, np.uint8), shot.pixels)
    assert not in_front(shot, pixels, missing).any()


@pytest.mark.parametrize("share", [0.15, 0.3, 0.6])
def test_shadows_on_the_skin_are_no_things(shot, share):
    covered = bar(shot)
    pixels = shot.pixels.copy()
    pixels[covered & shot.silhouette] = (pixels[covered & shot.silhouette] * share).astype(np.uint8)
    assert not in_front(shot, pixels, covered).any()


def test_a_ring_is_too_small_to_be_a_thing(shot):
    ring = np.zeros(shot.silhouette.shape, np.uint8)
    centre = shot.landmarks_px[13] + 0.6 * (shot.landmarks_px[14] - shot.landmarks_px[13])
    cv2.circle(ring, tuple(int(v) for v in centre), 1, 1, -1)
    pixels = np.where(ring[..., None] > 0, np.array((250, 220, 60), np.uint8), shot.pixels)
    assert not in_front(shot, pixels, ring > 0).any()


def test_a_thing_over_the_wrist_is_left_to_the_photograph(shot):
    watch = np.zeros(shot.silhouette.shape, bool)
    row = int(shot.landmarks_px[0, 1])
    watch[row + 4 : row + 22] = True
    pixels = np.where(watch[..., None], np.array(PEN, np.uint8), shot.pixels)
    assert not in_front(shot, pixels, watch).any()


def lit(shot, sharp: bool) -> tuple[np.ndarray, np.ndarray]:
    """The hand with a spot of more light on its palm than the picture holds, or a white plate there."""
    rows, columns = np.mgrid[: shot.silhouette.shape[0], : shot.silhouette.shape[1]]
    x, y = shot.landmarks_px[[0, 5, 9, 13, 17]].mean(0)
    away = np.hypot(columns - x, rows - y) / (0.2 * shot.hand_px)
    gain = 1 + 2.2 * np.exp(-(away**3))[..., None] * np.array([1.0, 0.97, 0.9])
    spot = np.clip(shot.pixels * gain, 0, 255).astype(np.uint8)
    if not sharp:
        return spot, (away < 0.9) & shot.silhouette
    plate = away < 0.9
    return np.where(plate[..., None], spot.max((0, 1)), shot.pixels).astype(np.uint8), plate & shot.silhouette


def test_skin_that_is_lit_beyond_what_the_picture_holds_is_no_thing(shot):
    pixels, bright = lit(shot, sharp=False)
    strange = not_skin(pixels, region_of(pixels, shot.silhouette & ~bright, shot.landmarks_px))
    assert (strange & bright).mean() > 0.2 * bright.mean()
    assert not in_front(shot, pixels, bright & strange).any()


def test_a_plate_as_bright_as_that_is_one(shot):
    pixels, plate = lit(shot, sharp=True)
    assert in_front(shot, pixels, plate)[plate].mean() > 0.9
