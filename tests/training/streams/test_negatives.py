"""Places without a hand: none where hands may be, the same for the same picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import Proposal
from handwright.training.streams.negatives import handless_regions
from handwright.training.streams.whole_pictures import labelled
from tests.training.drawn_views import entry, hand_points

SMALL = hand_points(reach=45.0)


def picture():
    made = entry()
    shown = labelled(made.pictures["image"], made.record)
    return replace(shown, hands=SMALL[None].astype(np.float32))


def many(shown, count=60, least=40.0):
    return [region for k in range(count) for region in handless_regions(shown, f"n{k}", least)]


def test_no_hand_reaches_into_the_middle_of_a_place():
    regions = many(picture())
    assert len(regions) >= 8
    for region in regions:
        assert 40 <= region.size_px <= 120
        inside = np.abs(SMALL - region.center_px).max(1) < 0.4 * region.size_px
        assert not inside.any()


def test_nothing_is_said_of_a_picture_whose_hands_are_not_all_known():
    assert many(replace(picture(), complete=False)) == []


def test_photographs_give_three_and_a_full_picture_none():
    shown = replace(picture(), kind="photograph")
    assert len(handless_regions(shown, "a", 40.0)) == 3
    everywhere = replace(shown, hands=np.stack([hand_points(reach=260.0)]).astype(np.float32))
    assert handless_regions(everywhere, "a", 40.0) == []


def test_the_same_name_gives_the_same_places():
    shown = replace(picture(), kind="photograph")
    assert handless_regions(shown, "a", 40.0) == handless_regions(shown, "a", 40.0)
    assert handless_regions(shown, "a", 40.0) != handless_regions(shown, "b", 40.0)


def test_a_picture_without_hands_is_free_everywhere():
    shown = replace(picture(), hands=np.zeros((0, 21, 2), np.float32), kind="photograph")
    assert len(handless_regions(shown, "a", 40.0)) == 3


class Sees:
    """A proposer that sees hands at given places."""

    def __init__(self, *regions):
        self.regions = regions

    def propose(self, pixels, least=None):
        assert least is not None
        return [Proposal(region, 0.9) for region in self.regions]


def test_what_looks_like_a_hand_and_is_none_is_taken_too_and_hands_never():
    shown = replace(picture(), kind="photograph")
    face, tiny = OrientedSquare((30.0, 30.0), 48.0, 0.0), OrientedSquare((180.0, 30.0), 20.0, 0.0)
    hand = OrientedSquare.of(SMALL)
    plain, taught = (handless_regions(shown, "a", 40.0, sees) for sees in (None, Sees(hand, face, tiny)))
    assert taught == [*plain, face]


def test_no_picture_gives_more_than_four_lookalikes():
    shown = replace(picture(), hands=np.zeros((0, 21, 2), np.float32), kind="photograph")
    many = [OrientedSquare((x, 60.0), 48.0, 0.0) for x in range(20, 180, 20)]
    assert handless_regions(shown, "a", 40.0, Sees(*many))[3:] == many[:4]
