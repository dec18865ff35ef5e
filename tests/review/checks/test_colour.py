"""Stone has no colour, a drawing few colours; flesh has both."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.review.checks.assessability import colourfulness, is_colourless, is_drawn
from handwright.review.critic.upright_crops import OrientedSquare

REGION = OrientedSquare((40.0, 40.0), 60.0, 0.0)
SKIN = np.uint8([190, 140, 120])


def filled(colour: np.ndarray) -> np.ndarray:
    return np.tile(colour, (80, 80, 1)).astype(np.uint8)


def shaded() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 6, (80, 80, 1))
    return np.clip(SKIN + noise, 0, 255).astype(np.uint8)


def test_colour_is_the_spread_of_the_channels():
    assert colourfulness(filled(SKIN)) == 70.0
    assert colourfulness(filled(np.uint8([9, 9, 9]))) == 0.0


def test_what_shows_nothing_is_neither_stone_nor_drawn():
    nothing = filled(SKIN)[:0]
    assert not is_colourless(nothing, REGION)
    assert not is_drawn(nothing, REGION)


@pytest.mark.parametrize(
    ("colour", "pale"), [((150, 150, 150), True), ((150, 147, 143), True), (SKIN, False)]
)
def test_stone_has_no_colour(colour, pale):
    assert is_colourless(filled(np.uint8(colour)), REGION) == pale


def test_only_the_hands_middle_is_asked():
    picture = shaded()
    picture[:18] = picture[:, :18] = 150
    assert not is_colourless(picture, REGION)
    assert not is_drawn(picture, REGION)


@pytest.mark.parametrize("times", [1, 5])
def test_flat_colours_within_outlines_are_drawn_and_shaded_flesh_is_not(times):
    drawn = filled(SKIN)
    drawn[::4] = np.arange(240).reshape(80, 3)
    region = OrientedSquare((40.0 * times, 40.0 * times), 60.0 * times, 0.0)
    for picture, is_one in ((drawn, True), (shaded(), False)):
        assert is_drawn(np.repeat(np.repeat(picture, times, 0), times, 1), region) == is_one
