"""How many fingers a hand with known defects has."""

from __future__ import annotations

import pytest

from handwright.data.hands.defects.generators import GENERATORS
from handwright.data.hands.defects.malformed import fingers_of
from handwright.data.photo_edits.sample import EDITS


def one(name, generator):
    return [{"name": name, "generator": generator, "fingers": []}]


@pytest.mark.parametrize(
    ("name", "generator", "rendered", "operated"),
    [
        ("extra", 0, 6, 6),
        ("missing", 2, 3, 4),
        ("fused", 1, 4, 5),
        ("two_thumbs", 1, 5, 6),
        ("too_long", 0, 5, 5),
    ],
)
def test_a_defect_adds_or_takes_what_its_generator_does(name, generator, rendered, operated):
    assert fingers_of(one(name, generator), photograph=False) == rendered
    assert fingers_of(one(name, generator), photograph=True) == operated


def test_a_sound_hand_has_five_and_defects_add_up():
    assert fingers_of([], photograph=True) == 5
    assert fingers_of(one("extra", 0) + one("missing", 0), photograph=False) == 5
    assert fingers_of(one("extra", 0) + one("melted", 0), photograph=False) is None


def test_every_generator_of_every_defect_is_known():
    for makers, photograph in ((GENERATORS, False), (EDITS, True)):
        for name, ways in makers.items():
            for generator in range(len(ways)):
                count = fingers_of(one(name, generator), photograph=photograph)
                assert (count is None) == (name == "melted")
