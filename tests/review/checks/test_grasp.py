"""Grasp: what a pose is called, whether something lies across the hand, and what was asked for."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.hand.grammar import NAMED, angles_of, bent_by_deg
from handwright.hand.kinematics import hand_landmarks_px, pose_of_dofs
from handwright.prompts.parse import parse_prompt
from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview
from handwright.review.checks import grasp
from handwright.review.checks.grasp import PARAMS, check_grasp, extended_fingers, grasp_state
from handwright.review.expectation_check import check_expectation
from tests.drawn import flat_hand
from tests.review.drawn import evidence_of, grainy, seen
from tests.review.predictions import prediction


@pytest.mark.parametrize(
    ("name", "holding", "state"),
    [
        ("palm", False, "open"),
        ("stop", False, "flat"),
        ("fist", False, "fist"),
        ("like", False, "thumb up"),
        ("one", False, "point"),
        ("peace", False, "two fingers"),
        ("three", False, "three fingers"),
        ("palmar pinch grasp", False, "pinch"),
        ("large diameter grasp", True, "power grasp"),
        ("claw", False, "hook"),
        ("relaxed", False, "relaxed"),
    ],
)
def test_poses_are_called_what_people_call_them(name, holding, state):
    assert grasp_state(NAMED[name], holding) == state


def test_the_fingers_that_are_up_are_named():
    assert extended_fingers(NAMED["palm"]) == ["thumb", "index", "middle", "ring", "pinky"]
    assert extended_fingers(NAMED["peace"]) == ["index", "middle"]


def test_an_open_hand_is_open_and_touches_nothing():
    check = check_grasp(evidence_of(grainy()))
    assert check.verdict == "pass"
    assert check.value["state"] in ("open", "flat")
    assert check.value["contact"] is None


def test_a_thing_across_the_hand_is_a_contact():
    shot = grainy()
    pixels, points = shot.pixels.copy(), shot.landmarks_px
    ends = [tuple(int(v) for v in p) for p in (points[5] - (60, 0), points[17] + (60, 0))]
    cv2.line(pixels, *ends, (20, 60, 200), int(0.25 * shot.hand_px))
    assert check_grasp(evidence_of(shot, pixels)).value["contact"] is True


def reviewed(name="palm", contact=None, side="right", verdict="pass", **value):
    words = NAMED[name]
    value = {
        "state": grasp_state(words, bool(contact)),
        "contact": contact,
        "pose": str(words),
        "bent_by_deg": bent_by_deg(angles_of(words)),
        **value,
    }
    sound = Check("pass", 0.9, "Sound.")
    grasp = Check(verdict, 0.9 if verdict == "pass" else 0.0, "Open; nothing lies across it.", value=value)
    checks = {**dict.fromkeys(CHECKS, sound), "grasp": grasp}
    checks["left_right"] = Check("pass", 0.9, "Sound.", value={"side": side, "arm": None})
    return HandReview(
        id=1, bbox_xyxy_px=(0.0, 0.0, 80.0, 100.0), side=side, checks=checks, observation=seen(flat_hand())
    )


def held(prompt, *hands):
    return check_expectation(PictureReview(hands, 400, 300), parse_prompt(prompt))


def test_a_pose_as_asked_passes_and_plainly_another_one_fails():
    same = held("a hand clenched in a fist", reviewed("fist"))
    assert same.hands[0].checks["grasp"].verdict == "pass"
    assert same.hands[0].checks["grasp"].value["asked"] == {"agrees": True}
    other = held("a hand clenched in a fist", reviewed("palm"))
    assert other.verdict == "fail"
    assert "fist was asked for" in other.hands[0].checks["grasp"].reason


def test_fingers_that_were_to_be_up_and_are_not_fail():
    assert held("a hand holding up two fingers", reviewed("peace")).verdict == "pass"
    assert held("a hand holding up two fingers", reviewed("fist")).verdict == "fail"


@pytest.mark.parametrize(
    ("prompt", "verdict"), [("a man giving a thumbs up", "pass"), ("a man giving a thumbs down", "fail")]
)
def test_a_thumb_that_points_the_other_way_fails(prompt: str, verdict: str):
    hand = reviewed("like")
    points = hand.observation.landmarks_px.copy()
    points[[2, 3, 4]] = [[50, 80], [52, 60], [54, 40]]
    for flipped, wanted in ((False, verdict), (True, "fail" if verdict == "pass" else "pass")):
        turned = points * [1, -1] + [0, 120] if flipped else points
        seen_hand = replace(hand, observation=replace(hand.observation, landmarks_px=turned))
        assert held(prompt, seen_hand).verdict == wanted
    level = points.copy()
    level[[2, 3, 4], 1] = 60
    assert (
        held(prompt, replace(hand, observation=replace(hand.observation, landmarks_px=level))).verdict
        == "pass"
    )


def test_how_far_a_finger_is_bent_contradicts_nothing():
    """A thumb that lies opposed instead of across, or a finger that is bent instead of curled, is not up."""
    words = replace(NAMED["peace"], thumb="opposed", fingers=("extended", "extended", "bent", "curled"))
    hand = reviewed("peace")
    value = {**hand.checks["grasp"].value, "pose": str(words), "bent_by_deg": bent_by_deg(angles_of(words))}
    grasp = replace(hand.checks["grasp"], value=value)
    hand = replace(hand, checks={**hand.checks, "grasp": grasp})
    assert held("a hand making a peace sign", hand).verdict == "pass"
    assert held("a hand holding up three fingers", hand).verdict == "fail"


@pytest.mark.parametrize(
    ("bent_by", "by_the_critic", "verdict"),
    [
        (-10.0, None, "unsure"),
        (-20.0, None, "fail"),
        (-10.0, "flat", "fail"),
        (-20.0, "flat", "fail"),
        (-10.0, "peace", "pass"),
        (-20.0, "peace", "unsure"),
    ],
)
def test_fingers_fail_where_the_critic_contradicts_the_text_too(bent_by, by_the_critic, verdict):
    """The ring finger and the little one are stretched out by the first landmarks, narrowly or plainly."""
    hand = reviewed("flat")
    value = {**hand.checks["grasp"].value, "bent_by_deg": [-30.0, -30.0, bent_by, bent_by]}
    hand = replace(hand, checks={**hand.checks, "grasp": replace(hand.checks["grasp"], value=value)})
    if by_the_critic is not None:
        pose, palm_arch = pose_of_dofs(angles_of(NAMED[by_the_critic]))
        landmarks_px = hand_landmarks_px(replace(flat_hand(), pose=pose, palm_arch=palm_arch))
        hand = replace(hand, prediction=replace(prediction(), landmarks_px=landmarks_px))
    assert held("a hand making a peace sign", hand).verdict == verdict


def test_a_finger_that_is_bent_is_past_straight_and_a_stretched_one_is_not():
    assert (bent_by_deg(angles_of(NAMED["palm"])) < -20).all()
    assert (bent_by_deg(angles_of(NAMED["fist"])) > 20).all()
    two = bent_by_deg(angles_of(NAMED["peace"]))
    assert (two[:2] < 0).all() and (two[2:] > 0).all()


def test_a_contact_that_is_not_seen_cannot_be_told():
    check = held("a hand holding a cup", reviewed("large diameter grasp")).hands[0].checks["grasp"]
    assert check.verdict == "cannot tell"
    assert "cup" in check.reason
    seen_one = held("a hand holding a cup", reviewed("large diameter grasp", contact=True))
    assert seen_one.hands[0].checks["grasp"].verdict == "pass"


def test_a_thing_that_may_be_held_is_held_where_it_is_asked_for_and_nothing_else_is_touched():
    hand = reviewed("large diameter grasp", may_hold=True)
    assert held("a hand holding a cup", hand).verdict == "pass"
    assert held("a woman clapping", hand).hands[0].checks["grasp"].verdict == "cannot tell"
    assert (
        held("an empty hand", hand).verdict == held("an empty hand", reviewed("large diameter grasp")).verdict
    )


@pytest.mark.parametrize(
    ("apart", "larger", "verdict"), [(0.5, 1.0, "pass"), (3.0, 1.0, "unsure"), (0.5, 2.0, "unsure")]
)
def test_hands_whose_outlines_meet_touch_unless_one_is_far_behind(apart: float, larger: float, verdict: str):
    """A clap is plain where two hands of one size meet in the picture."""
    left, right = reviewed("flat", side="left"), reviewed("flat")
    points = right.observation.landmarks_px
    moved = larger * (points - points[0]) + points[0] + [apart * np.ptp(points[:, 0]), 0.0]
    right = replace(right, id=2, observation=replace(right.observation, landmarks_px=moved))
    assert held("a woman clapping", left, right).verdict == verdict


def test_what_was_not_plain_before_stays_so():
    check = held("a fist", reviewed("palm", verdict="cannot tell")).hands[0].checks["grasp"]
    assert check.verdict == "cannot tell"


def test_too_few_hands_are_noted_and_do_not_pass():
    picture = held("two hands clapping", reviewed())
    assert picture.verdict == "unsure"
    assert "2 hands were asked for, 1 hand was found." in picture.notes


def test_a_prompt_that_says_nothing_of_hands_changes_nothing():
    before = PictureReview((reviewed(),), 400, 300)
    after = check_expectation(before, parse_prompt("a mountain lake at dawn"))
    assert after.verdict == before.verdict == "pass"
    assert after.notes == ()


@pytest.mark.parametrize(("factor", "verdict"), [(0.99, "pass"), (1.01, "cannot tell")])
def test_a_pose_counts_up_to_a_residual_of_the_fit(factor, verdict):
    analysis = evidence_of(grainy())
    vars(analysis)["fit"] = replace(analysis.landmark_fit, residual=factor * PARAMS.max_residual)
    assert check_grasp(analysis).verdict == verdict


@pytest.mark.parametrize(("more", "contact"), [(-0.001, None), (0.001, True)])
def test_a_thing_counts_from_a_share_of_the_hand_that_it_covers(more, contact, monkeypatch):
    monkeypatch.setattr(grasp, "covered_share", lambda _: PARAMS.min_covered + more)
    assert check_grasp(evidence_of(grainy())).value["contact"] is contact
