"""Left–right: a hand against its arm, and arms that end without one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.perception.detect.landmarker import Person
from handwright.review.checks.arms import arms_of_hands, arms_without, own_arms, people_in_mirror
from handwright.review.checks.left_right import PARAMS, check_side, of_its_arm
from handwright.review.critic.prediction import SURE_SIDE
from tests.perception.hands import hand, person
from tests.review.drawn import PeopleLandmarker
from tests.review.predictions import prediction

WIDTH, HEIGHT = 600, 500


def someone(**hands):
    """A person seen from the front whose shoulders, face and elbows are plain to see."""
    body = person(**hands)
    points, seen = body.points_px.copy(), body.visibility.copy()
    points[[11, 12]] = (400, 250), (200, 250)
    points[:11] = (300, 150)
    seen[:13] = 0.95
    return Person(points, seen)


def arm_and_check(body, there, others=(), prediction=None):
    arms = own_arms([body], [there, *others], WIDTH, HEIGHT)
    (own, *_) = arms_of_hands(arms, [there, *others])
    return own, check_side(there, own, others, 1, prediction)


@pytest.mark.parametrize(("side", "at"), [("left", (450, 260)), ("right", (60, 260))])
def test_a_hand_on_its_own_arm_passes_and_the_other_hand_there_fails(side, at):
    body = someone(**{side: at})
    other = "left" if side == "right" else "right"
    own, check = arm_and_check(body, hand(*at, 100, side=side, score=0.99))
    assert own.side == side
    assert check.verdict == "pass"
    _, wrong = arm_and_check(body, hand(*at, 100, side=other, score=0.99))
    assert wrong.verdict == "fail"
    assert wrong.value == {"side": other, "arm": side}
    assert f"{other} hand on a {side} arm" in wrong.reason
    assert wrong.where.points_px


def test_an_arm_that_is_not_plain_cannot_tell():
    body = someone(left=(450, 260))
    seen = body.visibility.copy()
    seen[:11] = 0.3
    _, check = arm_and_check(replace(body, visibility=seen), hand(450, 260, 100, side="right", score=0.99))
    assert check.verdict == "cannot tell"


def test_a_side_that_is_not_sure_cannot_tell():
    _, check = arm_and_check(someone(left=(450, 260)), hand(450, 260, 100, side="left", score=0.6))
    assert check.verdict == "cannot tell"


def test_a_hand_without_an_arm_passes_by_itself_and_two_alike_cannot_tell():
    there = hand(100, 100, 100, side="left", score=0.99)
    assert check_side(there, None, [], 0).verdict == "pass"
    twin = hand(300, 100, 100, side="left", score=0.99)
    check = check_side(there, None, [twin], 0)
    assert check.verdict == "cannot tell"
    assert "Two left hands" in check.reason
    assert check_side(there, None, [replace(twin, side="right")], 0).verdict == "pass"


def test_an_arm_without_a_hand_is_named_with_its_side():
    body = someone(left=(450, 260), right=(60, 260))
    there = hand(450, 260, 100, side="left", score=0.99)
    (bare,) = arms_without(own_arms([body], [there], WIDTH, HEIGHT), [there])
    assert bare.side == "right"
    assert bare.sure


def test_a_body_that_is_seen_inside_a_hand_is_nobody():
    body = someone(left=(450, 260))
    large = hand(100, 100, 420, side="left")
    assert own_arms([body], [large], WIDTH, HEIGHT) == []


def test_people_seen_in_the_mirror_are_the_same_people():
    side = 512
    body = someone(left=(400, 260), right=(60, 260))
    order = [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(k + 1 if k % 2 else k - 1 for k in range(11, 33))]
    flipped = (body.points_px * (-1, 1) + (side, 0))[order]
    scripted = PeopleLandmarker([Person(flipped, body.visibility[order])])
    (again,) = people_in_mirror(np.zeros((side, side, 3), np.uint8), scripted)
    assert again.points_px == pytest.approx(body.points_px)
    assert again.visibility == pytest.approx(body.visibility)


@pytest.mark.parametrize(
    ("side", "score", "verdict"),
    [
        ("left", PARAMS.min_score - 0.001, "cannot tell"),
        ("left", PARAMS.min_score + 0.001, "pass"),
        ("right", PARAMS.min_score_to_fail - 0.001, "cannot tell"),
        ("right", PARAMS.min_score_to_fail + 0.001, "fail"),
    ],
)
def test_a_side_is_judged_and_fails_from_a_score_on(side, score, verdict):
    _, check = arm_and_check(someone(left=(450, 260)), hand(450, 260, 100, side=side, score=score))
    assert check.verdict == verdict


RIGHT, LEFT = prediction(right=0.98), prediction(right=0.02)


@pytest.mark.parametrize(
    ("side", "score", "critic", "verdict"),
    [
        ("left", 0.6, LEFT, "pass"),  # The arm's, weakly, and the critic agrees
        ("left", 0.6, RIGHT, "cannot tell"),
        ("left", 0.99, RIGHT, "cannot tell"),
        ("right", 0.85, RIGHT, "fail"),  # Not the arm's, weakly, and the critic agrees
        ("right", 0.6, RIGHT, "cannot tell"),
        ("right", 0.85, LEFT, "cannot tell"),
        ("right", 0.99, LEFT, "cannot tell"),
    ],
)
def test_what_the_critic_sees_beside_the_detector_on_a_left_arm(side, score, critic, verdict):
    there = hand(450, 260, 100, side=side, score=score)
    _, check = arm_and_check(someone(left=(450, 260)), there, prediction=critic)
    assert check.verdict == verdict
    assert ("other_side" in check.value) == (critic.sure_side != side and score >= PARAMS.min_score)


def test_without_an_arm_a_critic_that_disagrees_cannot_tell():
    there = hand(100, 100, 100, side="left", score=0.99)
    assert check_side(there, None, [], 0, LEFT).verdict == "pass"
    assert check_side(there, None, [], 0, RIGHT).verdict == "cannot tell"
    assert check_side(replace(there, score=0.6), None, [], 0, LEFT).verdict == "cannot tell"


@pytest.mark.parametrize(("more", "sure"), [(-0.01, None), (0.01, "right")])
def test_the_critics_side_counts_from_a_certainty_on_and_of_hands_that_can_be_judged(more, sure):
    assert prediction(right=SURE_SIDE + more).sure_side == sure
    assert prediction(right=1 - SURE_SIDE - 0.01).sure_side == "left"
    assert prediction(right=0.99, gloved=0.9).sure_side is None


def test_a_hand_is_of_its_arms_side_where_the_critic_agrees_and_the_detector_is_not_sure():
    body = someone(left=(450, 260))
    there = replace(hand(450, 260, 100, side="right", score=0.9), depth_px=np.arange(21.0))
    own, _ = arm_and_check(body, there)
    turned = of_its_arm(there, own, LEFT)
    assert turned.side == "left"
    assert turned.depth_px == pytest.approx(-there.depth_px)
    _, check = arm_and_check(body, turned, prediction=LEFT)
    assert check.verdict == "pass"
    assert check.value == {"side": "left", "arm": "left"}
    for same in (
        of_its_arm(there, own, RIGHT),
        of_its_arm(there, None, LEFT),
        of_its_arm(there, own, None),
    ):
        assert same is there
    sure = replace(there, score=PARAMS.min_score_to_fail)
    assert of_its_arm(sure, own, LEFT) is sure
