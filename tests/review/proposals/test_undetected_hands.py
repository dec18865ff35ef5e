"""Hands that only the proposal network sees are reviewed, and nothing is passed on its word alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS
from handwright.perception.detect.landmarker import Person
from handwright.review import CHECKS
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge, review_picture
from handwright.review.overlay import draw_review
from handwright.review.proposals.network import Proposal
from handwright.review.proposals.undetected_hands import (
    FOUND_BY,
    PARAMS,
    REASON,
    confirmed_detections,
    confirmed_proposals,
    review_undetected_hand,
    undetected_proposals,
)
from handwright.review.review_json import picture_json
from handwright.types import Image
from tests.drawn import WALL
from tests.review.drawn import PeopleLandmarker, grainy, seen

SURE = 0.98
HERE = Proposal(OrientedSquare((120.0, 90.0), 60.0, -1.5), 0.8)


def wall(width=300, height=200):
    grain = np.random.default_rng(0).normal(0, 3, (height, width, 3))
    return Image(np.clip(WALL + grain, 0, 255).astype(np.uint8))


@dataclass
class Stub:
    """A critic that says the same of every region, and remembers them."""

    extra: float = 0.01
    assessable: float = 0.99
    right: float = 0.99
    hand: float = 0.99
    seen: float = 0.9

    def __post_init__(self):
        self.calls = []

    def judge(self, pixels, regions):
        self.calls += regions
        return [self.prediction() for _ in regions]

    def prediction(self):
        names = (*COUNT_DEFECTS, *SHAPE_DEFECTS)
        defects = dict.fromkeys(names, 0.01) | {"extra": self.extra}
        thresholds = dict.fromkeys((*names, "malformed", "hand"), 0.5) | {"sure_hand": SURE}
        return CriticPrediction(
            malformed=max(self.extra, 0.01),
            defects=defects,
            where_px={"extra": (118.0, 70.0)},
            thresholds=thresholds,
            fingers={3: 0.0, 4: 0.0, 5: 0.9, 6: 0.1, 7: 0.0},
            landmarks_px=np.linspace((100, 60), (140, 120), 21),
            visible=np.full(21, self.seen),
            right=self.right,
            poses={},
            gloved=0.01,
            assessable=self.assessable,
            hand=self.hand,
        )


@dataclass
class Fixed:
    """A proposal network that always sees the same."""

    found: list
    sure = 0.95

    def propose(self, pixels):
        return self.found


def test_a_proposal_of_a_found_hand_is_no_new_hand():
    hand = seen(grainy().hand)
    region = OrientedSquare.of(hand.landmarks_px)
    x, y = region.center_px
    nudged = Proposal(replace(region, center_px=(x + 0.2 * region.size_px, y)), 0.9)
    part = Proposal(
        replace(region, center_px=(x, y + 0.45 * region.size_px), size_px=region.size_px / 4), 0.9
    )
    beside = Proposal(replace(region, center_px=(x + 1.1 * region.size_px, y)), 0.9)
    assert undetected_proposals([beside, nudged, part], [hand], 4000, 4000) == [beside]
    assert undetected_proposals([beside], [hand], 4, 4) == []
    around = Proposal(replace(region, size_px=2.5 * region.size_px), 0.9)
    assert undetected_proposals([around], [hand], 4000, 4000) == [around], "a finger was taken for the hand"


def test_without_a_critic_nothing_can_be_told_and_the_reason_says_so():
    review = review_undetected_hand(wall(), HERE, 3, None, None)
    assert (review.id, review.side, review.observation, review.verdict) == (3, None, None, "unsure")
    assert review.bbox_xyxy_px == (90.0, 60.0, 150.0, 120.0)
    assert set(review.checks) == set(CHECKS)
    assert {check.reason for check in review.checks.values()} == {REASON}


def test_its_box_stays_within_the_picture():
    corner = Proposal(OrientedSquare((10.0, 195.0), 60.0, 0.0), 0.5)
    assert review_undetected_hand(wall(), corner, 1, None, None).bbox_xyxy_px == (0.0, 165.0, 40.0, 200.0)


def test_what_the_critic_sees_wrong_fails_it():
    critic = Stub(extra=0.97)
    ((_, said),) = confirmed_proposals(wall().pixels, [HERE], critic, 0.95)
    assert critic.calls == [HERE.region]
    review = review_undetected_hand(wall(), HERE, 1, said, "left")
    assert review.verdict == "fail"
    assert review.checks["finger_count"].verdict == "fail"
    assert review.checks["joint_bending"].verdict == "cannot tell"
    assert review.checks["finger_count"].where.points_px == ((118.0, 70.0),)
    assert review.prediction is not None
    assert review.prediction.malformed == 0.97


def test_a_critic_that_reads_it_gives_it_landmarks_and_a_side_but_no_pass():
    review = review_undetected_hand(wall(), HERE, 1, Stub().prediction(), None)
    assert review.observation is not None
    assert (review.observation.found_by, review.side) == (FOUND_BY, "right")
    assert review.verdict == "unsure"


def test_of_a_hand_whose_side_is_not_plain_the_joints_are_read_and_no_side_is_told():
    review = review_undetected_hand(wall(), HERE, 1, Stub(right=0.6).prediction(), None)
    assert review.observation is not None
    assert review.observation.side == "right"
    assert review.side is None


@pytest.mark.parametrize("critic", [Stub(extra=0.97, assessable=0.1), Stub(right=0.6, assessable=0.1)])
def test_a_critic_that_cannot_make_it_out_says_nothing(critic):
    review = review_undetected_hand(wall(), HERE, 1, critic.prediction(), None)
    assert review.observation is None
    assert {check.verdict for check in review.checks.values()} == {"cannot tell"}


def test_a_picture_whose_only_hand_the_detector_overlooks_is_not_without_hands():
    image = wall()
    judge = Judge(PeopleLandmarker(), None, Fixed([HERE]))
    review = review_picture(image, judge)
    assert review.verdict == "unsure"
    (hand,) = review.hands
    assert picture_json("a.png", review)["hands"][0]["side"] is None
    assert (draw_review(image.pixels, [hand]) != image.pixels).any()
    assert review_picture(image, Judge(PeopleLandmarker(), Stub(extra=0.97), Fixed([HERE]))).verdict == "fail"
    assert review_picture(image, Judge(PeopleLandmarker(), None, Fixed([]))).verdict == "no_hands"


def test_what_the_critic_takes_for_no_hand_is_none():
    image, nothing = wall(), Stub(extra=0.97, hand=0.3)
    assert confirmed_proposals(image.pixels, [HERE], nothing, 0.95) == []
    assert confirmed_proposals(image.pixels, [HERE], None, 0.95) == [(HERE, None)]
    assert review_picture(image, Judge(PeopleLandmarker(), nothing, Fixed([HERE]))).verdict == "no_hands"
    assert nothing.prediction().not_assessable
    tiny = Proposal(replace(HERE.region, size_px=31.0), 0.9)
    assert (
        confirmed_proposals(image.pixels, [tiny], Stub(), 0.95)
        == confirmed_proposals(image.pixels, [tiny], None, 0.95)
        == []
    )
    assert not Stub().prediction().not_assessable


@pytest.mark.parametrize(("hand", "taken"), [(SURE - 0.01, False), (SURE, True)])
def test_what_no_detector_found_must_be_a_hand_more_surely(hand, taken):
    assert Stub(hand=hand).prediction().is_hand
    assert bool(confirmed_proposals(wall().pixels, [HERE], Stub(hand=hand), 0.95)) == taken


@pytest.mark.parametrize(
    ("score", "hand", "taken"),
    [
        (0.6, 0.3, True),
        (0.6, PARAMS.max_no_proposal - 0.01, False),
        (0.4, 0.3, False),
        (0.2, SURE, True),
    ],
)
def test_a_sure_proposal_is_taken_unless_the_critic_rules_it_out(score, hand, taken):
    proposal = Proposal(HERE.region, score)
    assert bool(confirmed_proposals(wall().pixels, [proposal], Stub(hand=hand), 0.5)) == taken


def test_a_score_of_a_generous_network_is_sure_from_the_least_sure_one_on():
    for score, taken in ((PARAMS.least_sure_score, True), (PARAMS.least_sure_score - 0.01, False)):
        proposal = Proposal(HERE.region, score)
        assert bool(confirmed_proposals(wall().pixels, [proposal], Stub(hand=0.3), 0.1)) == taken


def test_a_sure_proposal_that_the_critic_doubts_is_reported_and_neither_failed_nor_repainted():
    doubted = Stub(extra=0.97, hand=SURE - 0.01).prediction()
    review = review_undetected_hand(wall(), HERE, 1, doubted, "left")
    assert review.observation is None
    assert {check.verdict for check in review.checks.values()} == {"cannot tell"}
    assert review.prediction is doubted


def test_what_the_critic_is_sure_is_no_hand_is_left_out_unless_the_user_named_it():
    hand, never = seen(grainy().hand), Stub(hand=PARAMS.max_no_hand / 2)
    lamp, doubt = never.prediction(), Stub(hand=2 * PARAMS.max_no_hand).prediction()
    assert confirmed_detections([hand, hand, hand], [lamp, doubt, None]) == ([hand, hand], [doubt, None])
    review = review_picture(wall(), Judge(PeopleLandmarker(), never), hands=[hand])
    assert len(review.hands) == 1


def test_hands_that_are_given_are_all_there_is():
    review = review_picture(wall(), Judge(PeopleLandmarker(), None, Fixed([HERE])), hands=[])
    assert review.verdict == "no_hands"


def test_what_the_critic_sees_wrong_in_a_drawing_fails_nothing():
    flat = Image(np.full_like(wall().pixels, WALL))
    drawn = review_picture(flat, Judge(PeopleLandmarker(), Stub(extra=0.97), Fixed([HERE])))
    assert [hand.verdict for hand in drawn.hands] == ["unsure"]


def test_a_proposal_on_someones_face_is_refused_and_the_review_tells_why():
    points = np.full((33, 2), 400.0)
    face = [(0, 5), *((x, -5) for x in (6, 10, 14, -6, -10, -14)), (25, 0), (-25, 0), (8, 20), (-8, 20)]
    points[:11] = np.add(HERE.region.center_px, face)
    points[[11, 12]] = (180, 190), (60, 190)
    points[[15, 17, 19]] += (300, 0)
    points += (0, (wall().width - wall().height) / 2)  # people are looked for in a square around the picture
    judge = Judge(PeopleLandmarker([Person(points, np.ones(33))]), None, Fixed([HERE]))
    review = review_picture(wall(), judge)
    assert review.verdict == "no_hands"
    (refused,) = review.refused
    assert refused.bbox_xyxy_px == (90.0, 60.0, 150.0, 120.0)
    assert "face" in refused.reason
    somewhere_else = replace(HERE, region=replace(HERE.region, center_px=(250.0, 40.0)))
    elsewhere = replace(judge, proposer=Fixed([somewhere_else]))
    assert [one.verdict for one in review_picture(wall(), elsewhere).hands] == ["unsure"]
