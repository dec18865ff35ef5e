"""Things on and in a hand that a repaint has painted over."""

from __future__ import annotations

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from handwright.refine.compositing import lost_things
from handwright.refine.compositing.lost_things import PARAMS, LostThingParams, lost_things_area
from handwright.types import HandRegion

SIDE, HAND_PX = 240, 160.0
SKIN, WALL, GOLD = (205, 160, 135), (120, 135, 150), (30, 90, 200)
FINGER = slice(100, 140)  # Columns of an upright finger


def scene(scale=1):
    """A finger and a palm of one skin on a wall; the hand's mask."""
    pixels, inside = np.full((SIDE, SIDE, 3), WALL, np.uint8), np.zeros((SIDE, SIDE), np.bool_)
    inside[40:200, FINGER] = inside[120:200, 60:180] = True
    pixels[inside] = SKIN
    noise = np.random.default_rng(4).normal(0, 2, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    size = (SIDE * scale, SIDE * scale)
    pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    return pixels, cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def region_of(inside, scale=1):
    lab = cv2.cvtColor(np.full((1, 1, 3), SKIN, np.uint8), cv2.COLOR_RGB2LAB)[0, 0].astype(float)
    region = HandRegion(inside=inside, skin_lab=lab, skin_covariance=np.eye(3) * 9, span_px=70.0 * scale)
    return replace(region, certain=inside, probability=inside.astype(np.float32))  # as the critic adds them


def area(before, after, inside, changed=None, scale=1):
    everywhere = np.ones(inside.shape, np.bool_) if changed is None else changed
    return lost_things_area(before, after, everywhere, region_of(inside, scale), HAND_PX * scale)


@pytest.mark.parametrize("scale", [1, 3])
def test_a_ring_that_is_painted_over_is_lost_and_one_that_stays_is_not(scale):
    bare, inside = scene(scale)
    ringed = bare.copy()
    ringed[80 * scale : 90 * scale, FINGER.start * scale : FINGER.stop * scale] = GOLD
    assert area(ringed, bare, inside, scale=scale) == pytest.approx(10 * 40 / HAND_PX**2, rel=0.35)
    assert area(ringed, ringed, inside, scale=scale) == 0
    assert area(bare, ringed, inside, scale=scale) == 0, "what is new is not lost"


def test_only_what_was_repainted_can_be_lost():
    bare, inside = scene()
    ringed = bare.copy()
    ringed[80:90, FINGER] = GOLD
    changed = np.zeros(inside.shape, np.bool_)
    changed[130:, :] = True
    assert area(ringed, bare, inside, changed) == 0


def test_a_gap_that_shows_the_wall_is_background():
    bare, inside = scene()
    gap = bare.copy()
    gap[130:160, 80:90] = WALL
    open_hand = inside.copy()
    open_hand[130:160, 80:90] = False
    assert area(gap, bare, open_hand) == 0


def test_a_thing_in_the_hand_is_lost_though_it_is_no_part_of_the_hands_mask():
    bare, inside = scene()
    holding, around = bare.copy(), inside.copy()
    holding[150:175, 70:170] = GOLD
    around[150:175, 70:170] = False
    assert area(holding, bare, around) > 0.05
    assert area(holding, holding, around) == 0


def test_a_speck_is_no_thing():
    bare, inside = scene()
    speck = bare.copy()
    speck[80:83, 110:113] = GOLD
    assert area(speck, bare, inside) == 0


def varied_scenes():
    """Repaints of a large hand: a ring, one half kept, a thing beside the hand, a tint near skin."""
    bare, inside = scene(3)
    ring, beside, tinted = bare.copy(), bare.copy(), bare.copy()
    ring[240:270, 300:420] = GOLD
    beside[380:440, 500:620] = GOLD
    tinted[240:270, 300:420] = (150, 125, 140)
    half = bare.copy()
    half[240:270, 300:385] = GOLD
    pale = bare.copy()
    pale[240:270, 300:420] = (215, 190, 150)
    near_by = ring.copy()
    near_by[:40, :40] = GOLD
    return inside, [(ring, bare), (ring, half), (ring, pale), (beside, bare), (tinted, bare), (near_by, bare)]


@pytest.mark.parametrize("name", [field.name for field in fields(LostThingParams)])
def test_every_number_decides(monkeypatch, name):
    inside, pairs = varied_scenes()
    before = [area(*pair, inside, scale=3) for pair in pairs]
    now = getattr(PARAMS, name)
    changed = False
    for factor in (0.25, 0.5, 2, 4, 16):
        monkeypatch.setattr(lost_things, "PARAMS", replace(PARAMS, **{name: type(now)(now * factor)}))
        changed |= [area(*pair, inside, scale=3) for pair in pairs] != before
    assert changed
