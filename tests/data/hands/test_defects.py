"""Defects: every generator shows, labels say what was done, sound pictures are made alike."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.hands import render_defects
from handwright.data.hands.defects.generators import DEFECTS, GENERATORS, WRONG_HAND_PAIRS, add_defect
from handwright.data.hands.record import record_of
from handwright.data.hands.sample import render_setup
from handwright.data.hands.setup import draw_setup
from handwright.hand.anatomy import FINGERS

SIZE = 96
WAYS = [(name, generator) for name in DEFECTS for generator in range(len(GENERATORS[name]))]


def pair(name: str, generator: int, seed: int = 5):
    """The same picture sound and malformed."""
    meet = WRONG_HAND_PAIRS[generator] if name == "wrong_hand" else None
    pictures = []
    for malformed in (False, True):
        rng = np.random.default_rng([seed, generator])
        setup = draw_setup(rng, SIZE, showing=meet is None, pair=meet)
        setup = add_defect(setup, name, generator, np.random.default_rng(generator)) if malformed else setup
        pictures.append(render_setup(setup, rng, SIZE))
    return pictures


def test_every_defect_has_three_generators():
    assert len(DEFECTS) == 12
    assert all(len(ways) >= 3 for ways in GENERATORS.values())


@pytest.mark.parametrize(("name", "generator"), WAYS)
def test_a_defect_shows_and_is_labelled_and_other_truth_is_the_sound_hands(name: str, generator: int):
    sound, malformed = pair(name, generator)
    assert (sound.parts != malformed.parts).sum() > 0.002 * SIZE**2
    (label,) = malformed.setup.labels
    assert (label.name, label.generator, label.hand) == (name, generator, 0)
    assert set(label.fingers) <= set(FINGERS)
    assert (malformed.hands[0].keypoints_px == sound.hands[0].keypoints_px).all()
    assert (malformed.depth == sound.depth).all()
    record = record_of(malformed, 0, 0, "defects")
    assert record["defects"] == [name]
    assert record["hands"][0]["defects"][0]["name"] == name
    x0, y0, x1, y1 = record["hands"][0]["defects"][0]["bbox_xyxy_px"]
    assert 0 <= x0 < x1 <= SIZE and 0 <= y0 < y1 <= SIZE
    changed = sound.parts != malformed.parts
    assert (
        not label.fingers or changed[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1].sum() > 0.5 * changed.sum()
    )
    assert record_of(sound, 0, 0, "defects")["defects"] == []


@pytest.mark.parametrize(("name", "generator"), WAYS)
def test_a_defect_changes_the_picture_only_around_the_hand(name: str, generator: int):
    sound, malformed = pair(name, generator)
    here = (sound.parts > 0) | (malformed.parts > 0)
    if sound.setup.place.near or not (~here).any():
        return
    far = ~here
    difference = np.abs(sound.pixels.astype(int) - malformed.pixels.astype(int)).mean(-1)
    assert np.median(difference[far]) < 25


def test_a_third_of_the_world_of_defects_is_sound():
    pictures = [render_defects(1, index, 64) for index in range(60)]
    share = np.mean([not picture.setup.labels for picture in pictures])
    assert 0.15 < share < 0.52
    again = render_defects(1, 7, 64)
    assert (again.pixels == pictures[7].pixels).all()
    assert again.setup.labels == pictures[7].setup.labels
