"""Corruptions: the stronger, the further away; by the generator alone."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.training.streams.degradations import KINDS, corrupted
from tests.training.drawn_hands import hands

PICTURE = hands(1).pixels[0]


def worse(kind, strength, seed=0):
    return corrupted(np.random.default_rng(seed), PICTURE, kind, strength)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_stronger_is_further_from_the_picture(kind):
    away = [np.abs(worse(kind, s).astype(int) - PICTURE).mean() for s in (0.1, 0.5, 1.0)]
    assert 0 < away[0] < away[1] < away[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_keeps_its_form_and_the_original_is_not_touched(kind):
    before = PICTURE.copy()
    made = worse(kind, 0.7)
    assert (made.shape, made.dtype) == (PICTURE.shape, np.uint8)
    assert np.array_equal(PICTURE, before)
    assert np.array_equal(made, worse(kind, 0.7))


def test_none_changes_nothing():
    assert np.array_equal(worse("none", 0.5), PICTURE)


def test_noise_and_melting_are_as_random_as_their_generator():
    for kind in ("noise", "melt"):
        assert not np.array_equal(worse(kind, 0.7, 0), worse(kind, 0.7, 1))
