from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.drawing.fill.background import background_sources, fill_uncovered_background
from handwright.drawing.photo.srgb import to_srgb
from tests.drawn import SKIN, WALL, Shot, region_of, shoot

TONE = np.clip(np.round(to_srgb(0.7 * np.array(SKIN, np.float32))), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shot() -> Shot:
    return shoot()


@pytest.fixture(scope="module")
def old(shot) -> np.ndarray:
    return cv2.dilate(shot.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0


def test_the_wall_is_a_source_and_the_old_hand_is_none(shot, old):
    sources = background_sources(shot.pixels, old, shot.region)
    assert not (sources & old).any()
    assert sources[~old].mean() > 0.99


def test_another_hand_beside_the_old_one_is_no_source(shot, old):
    pixels = shot.pixels.copy()
    pixels[40:140, 4:44] = TONE
    sources = background_sources(pixels, old, shot.region)
    assert not sources[42:138, 6:42].any()


def test_skin_coloured_flecks_of_a_carpet_are_sources(shot, old):
    flecks = np.random.default_rng(0).random(old.shape) < 0.3
    flecks &= ~old
    pixels = np.where(flecks[..., None], TONE, shot.pixels)
    sources = background_sources(pixels, old, shot.region)
    assert sources[flecks].mean() > 0.95


def test_a_hole_in_a_flecked_carpet_is_filled_with_as_many_flecks(shot, old):
    flecks = cv2.dilate((np.random.default_rng(1).random(old.shape) < 0.06).astype(np.uint8), np.ones((2, 2)))
    carpet = np.where(flecks[..., None] > 0, TONE, np.array(WALL, np.uint8)).astype(np.uint8)
    pixels = np.where(old[..., None], shot.pixels, carpet)
    hole = np.zeros_like(old)
    hole[60:140, 130:180] = old[60:140, 130:180]
    filled = fill_uncovered_background(pixels, hole, background_sources(pixels, old, shot.region), 0)
    share = [(np.abs(filled[part].astype(int) - TONE).max(-1) < 40).mean() for part in (hole, ~old)]
    assert share[0] > 0.5 * share[1]


def test_in_a_picture_without_colours_a_floor_as_bright_as_skin_is_a_source(shot, old):
    grey = np.repeat(cv2.cvtColor(shot.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    level = int(np.median(grey[shot.silhouette]))
    pixels = np.where(old[..., None], grey, np.uint8(10))
    pixels[150:, :60] = np.where(old[150:, :60, None], grey[150:, :60], np.uint8(level - 8))
    region = region_of(pixels, shot.silhouette, shot.landmarks_px)
    apart = np.zeros_like(old)
    apart[155:280, :40] = ~cv2.dilate(old.astype(np.uint8), np.ones((5, 5)))[155:280, :40].astype(bool)
    assert background_sources(pixels, old, region)[apart].mean() > 0.9
    assert not background_sources(pixels, old, replace(region, skin_lab=region.skin_lab))[old].any()
