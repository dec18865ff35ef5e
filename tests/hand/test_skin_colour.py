from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.hand.skin_colour import not_skin, skin_distance
from tests.drawn import region_of, shoot

SHOT = shoot()


def test_skin_is_near_itself_and_a_wall_is_far():
    distance = skin_distance(SHOT.pixels, SHOT.region)
    assert np.median(distance[SHOT.silhouette]) < 4
    assert distance[~SHOT.silhouette].min() > 9
    assert (distance >= 0).all()


@pytest.mark.parametrize("skin", [(0.62, 0.40, 0.30), (0.50, 0.27, 0.18), (0.10, 0.045, 0.025)])
def test_no_skin_is_called_strange_in_any_light(skin):
    shot = shoot(skin=skin, ambient=0.12, direct=0.9)
    inner = cv2.erode(shot.silhouette.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not_skin(shot.pixels, shot.region)[inner].mean() < 0.02


@pytest.mark.parametrize("colour", [(30, 60, 190), (30, 140, 60), (240, 240, 240), (200, 40, 160)])
def test_other_colours_are_strange(colour):
    pixels = SHOT.pixels.copy()
    pixels[130:160, 130:160] = colour
    assert not_skin(pixels, region_of(SHOT.pixels, SHOT.silhouette, SHOT.landmarks_px))[
        133:157, 133:157
    ].all()


def test_black_is_strange_where_it_is_wider_than_a_fold():
    pixels = SHOT.pixels.copy()
    pixels[100:180, 100:180] = 4
    pixels[60:63, :] = 4
    strange = not_skin(pixels, SHOT.region)
    assert strange[135:145, 135:145].all()
    assert not strange[61, SHOT.silhouette[61]].any()


def painted_over(half: int, light: float, chroma: float, hue_deg: float) -> np.ndarray:
    """Which pixels are strange in a square of a colour given relative to the skin, of 2 × ``half`` pixels."""
    lab = np.full((1, 1, 3), 128.0)
    own = SHOT.region.skin_lab
    lab[..., 0] = light * own[0]
    along = np.radians(hue_deg)
    lab[..., 1:] += chroma * np.hypot(*(own[1:] - 128)) * np.array([np.cos(along), np.sin(along)])
    pixels = SHOT.pixels.copy()
    patch = np.s_[140 - half : 140 + half, 140 - half : 140 + half]
    pixels[patch] = cv2.cvtColor(np.round(lab).astype(np.uint8), cv2.COLOR_LAB2RGB)
    return not_skin(pixels, SHOT.region)[patch]


def test_skin_lit_by_the_skin_beside_it_is_not_strange_unless_it_is_wider_than_a_finger():
    assert not painted_over(7, light=0.5, chroma=1.45, hue_deg=45).any()
    assert painted_over(40, light=0.5, chroma=1.45, hue_deg=45)[20:60, 20:60].all()


def test_overexposed_skin_is_not_strange_but_white_paper_is():
    assert not painted_over(7, light=1.4, chroma=0.8, hue_deg=85).any()
    assert painted_over(7, light=1.4, chroma=0.0, hue_deg=85).all()


@pytest.mark.parametrize("hue_deg", [120, 180, 270, 340])
def test_a_dark_thing_of_another_hue_is_strange_however_narrow(hue_deg):
    assert painted_over(7, light=0.6, chroma=1.3, hue_deg=hue_deg).all()
