"""What `refine` goes by is what `review` says: with the judge itself, and stubs of its networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.refine.pipeline import Engine, refine_picture
from handwright.refine.review_before_after import PARAMS, review_after, review_before
from handwright.refine.settings import RefineSettings
from handwright.review.judge import Judge, review_picture
from handwright.review.proposals.network import Proposal
from tests.review.drawn import PeopleLandmarker
from tests.review.proposals.test_undetected_hands import HERE, Fixed, Stub, wall

RIGHT = Proposal(replace(HERE.region, center_px=(230.0, 100.0)), 0.7)


def judge(critic=None, *proposals):
    return Judge(PeopleLandmarker(), critic, Fixed(list(proposals)))


@pytest.mark.parametrize("critic", [None, Stub(), Stub(extra=0.97), Stub(extra=0.97, right=0.6)])
def test_the_verdict_is_that_of_review(critic):
    said = review_before(wall(), [], judge(critic, HERE), search=True)
    assert said.verdict == review_picture(wall(), judge(critic, HERE)).verdict
    assert len(said.hands) == 1


@pytest.mark.parametrize(
    ("said", "attempted"), [({"seen": 0.1}, False), ({"right": 0.6}, True), ({"right": 0.99}, True)]
)
def test_refine_leaves_no_hand_untold_that_review_fails(said, attempted):
    engine = Engine(PeopleLandmarker(), critic=Stub(extra=0.97, **said), proposer=Fixed([HERE]))
    repair = refine_picture(wall(), RefineSettings(), engine)
    assert [hand.action for hand in repair.hands] == ["kept"] * attempted
    left = [*(hand.review_before for hand in repair.hands), *repair.undetected]
    assert [review["verdict"] for review in left] == ["fail"]
    assert review_picture(repair.after, engine.judge).verdict == "fail"


def test_hands_that_can_be_read_are_numbered_first():
    class Half(Stub):
        def judge(self, pixels, regions):
            heard = zip(Stub.judge(self, pixels, regions), regions, strict=True)
            return [
                said if region == RIGHT.region else replace(said, visible=np.zeros(21))
                for said, region in heard
            ]

    said = review_before(wall(), [], judge(Half(), HERE, RIGHT), search=True)
    assert [(hand.id, hand.observation is None) for hand in said.hands] == [(1, False), (2, True)]
    assert said.hands[1].bbox_xyxy_px == (90.0, 60.0, 150.0, 120.0)


def test_nobody_looks_where_the_user_named_no_hand_that_is_there():
    assert review_before(wall(), [], judge(Stub(extra=0.97), HERE), search=False).verdict == "no_hands"


def test_afterwards_hands_keep_their_numbers_and_new_ones_get_new_ones():
    before = review_before(wall(), [], judge(None, HERE), search=True)
    nudged = Proposal(replace(HERE.region, center_px=(124.0, 92.0)), 0.8)
    after = review_after(wall(), before, {}, judge(None, RIGHT, nudged), search=True)
    assert [hand.id for hand in after.hands] == [1, 2]
    assert after.hands[0].bbox_xyxy_px == (94.0, 62.0, 154.0, 122.0)
    gone = review_after(wall(), before, {}, judge(None, RIGHT), search=True)
    assert [hand.id for hand in gone.hands] == [2]


@pytest.mark.parametrize(("more", "numbers"), [(0.02, [1]), (-0.02, [2])])
def test_a_find_is_the_hand_that_it_overlaps_enough(more, numbers):
    before = review_before(wall(), [], judge(None, HERE), search=True)
    overlap = PARAMS.min_overlap + more
    shift = HERE.region.size_px * (1 - overlap) / (1 + overlap)  # of two equal squares side by side
    (x, y) = HERE.region.center_px
    moved = Proposal(replace(HERE.region, center_px=(x + shift, y)), 0.8)
    after = review_after(wall(), before, {}, judge(None, moved), search=True)
    assert [hand.id for hand in after.hands] == numbers
