"""The network of the grasp check that ships: it opens, is small, and sees that things float."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.hands.broken_holds import draw_hold
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.review.checks.broken_hold import FILE, PACKAGED, BrokenHolds, outlined_crop
from handwright.review.critic.upright_crops import OrientedSquare

SEED, COUNT, SIDE = 930_000, 20, 192
MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def holds():
    return BrokenHolds.load()


def broken_scores(holds, state):
    """Probability of a broken hold of hands that training has not seen, by their exact outlines."""
    crops = []
    for index in range(COUNT):
        made = draw_hold(np.random.default_rng([SEED, index, len(state)]), state, 1 + index % 2, SIDE)
        hand = OrientedSquare.of(made.hands[0].keypoints_px)
        crops.append(outlined_crop(made.pixels, made.depth > 0, hand, holds.size_px, holds.context))
    probabilities = holds.probabilities(np.stack(crops))
    return probabilities[:, [holds.classes.index(one) for one in BROKEN_HOLDS]].sum(1)


def test_what_floats_stands_out_among_what_is_held(holds):
    floating, sound = (broken_scores(holds, state) for state in (Hold.FLOATING, Hold.SOUND))
    assert (floating[:, None] > sound[None]).mean() > 0.75
    assert (floating >= holds.limit).mean() >= 0.2
    assert (sound >= holds.limit).mean() <= 0.1


def test_it_is_small_and_its_card_says_how_it_was_made(holds):
    assert set(holds.classes) == set(Hold)
    assert (PACKAGED / FILE).stat().st_size < MOST_BYTES
    card = (PACKAGED / "README.md").read_text("utf-8")
    for word in ("Data", "Command", "Measured", "limits", "seed", "steps"):
        assert word in card
