"""A plan completes a prompt without contradicting it, and what it proposes is read back as it was meant."""

from __future__ import annotations

import pytest

from handwright.errors import UsageError
from handwright.hand.grammar import NAMED
from handwright.prompts.parse import parse_prompt
from handwright.prompts.plan import WORDINGS, plan_prompt
from tests.prompts.examples import PROMPTS


@pytest.mark.parametrize("prompt", PROMPTS)
def test_proposed_poses_agree_with_what_is_said(prompt: str):
    plan = plan_prompt(prompt)
    for hand, said in zip(plan.hands, plan.expectation.hands, strict=False):
        assert (hand.pose is None) == said.hidden
        assert hand.pose is None or said.pose.fits(hand.pose)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_completed_prompt_leaves_no_pose_open_and_means_the_proposed_one(prompt: str):
    plan = plan_prompt(prompt)
    poses = [hand.pose for hand in plan.hands if hand.pose is not None]
    assert set(plan.prompts) == (set(WORDINGS) if poses else set())
    for wording, text in plan.prompts.items():
        hands = [hand for hand in parse_prompt(text).hands if not hand.hidden]
        assert len(hands) == len(poses)
        for pose in poses:
            assert any(hand.side == pose.side and hand.pose.fits(pose) for hand in hands)
        still_open = {point for hand in hands for point in hand.open} - {"contact"}
        assert still_open <= ({"direction"} if wording == "terse" else set())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_is_open_has_two_or_three_suggestions_and_what_is_fixed_none(prompt: str):
    plan = plan_prompt(prompt)
    for hand in plan.hands:
        for question in hand.open:
            assert 2 <= len(set(question.suggestions)) == len(question.suggestions) <= 3, question
            assert question.point not in hand.fixed
    assert not ({question.point for question in plan.open} & set(plan.fixed) - {"number"})


def test_the_same_prompt_has_the_same_plan():
    assert plan_prompt("natural hands holding a cup") == plan_prompt("natural hands holding a cup")


def test_natural_hands_holding_a_cup():
    plan = plan_prompt("natural hands holding a cup")
    assert "natural hands" in plan.warnings[0]
    assert [hand.pose.side for hand in plan.hands if hand.pose] == ["left", "right"]
    assert {question.point for question in plan.hands[0].open} == {"side", "direction", "extension"}
    assert plan.hands[0].fixed == {"contact": "holding a cup"}
    assert plan.prompts["natural"].startswith("natural hands holding a cup, the left hand with ")


def test_a_thumb_that_is_up_is_proposed_up_for_either_hand():
    for side in ("left", "right"):
        for name, text in (("like", "thumbs up"), ("dislike", "thumbs down")):
            prompts = plan_prompt(f"{text}, {side} hand").prompts
            assert f"giving a {text}" in prompts["terse"], (name, side)


@pytest.mark.parametrize(
    ("prompt", "stretched"),
    [
        ("a policeman with his right palm facing the camera", True),
        ("a woman with both hands raised, fingers up", True),
        ("the back of a right hand, the right hand with all fingers extended, back of the hand to the camera",
         True),
        ("a man with one hand", False),
        ("her left hand resting on a table, palm down", False),
    ],
)  # fmt: skip
def test_a_hand_that_shows_its_palm_is_open(prompt: str, stretched: bool):
    poses = [hand.pose for hand in plan_prompt(prompt).hands]
    assert [pose is not None and pose.fingers == ("extended",) * 4 for pose in poses] == [stretched] * len(
        poses
    )
    assert len(poses) == (2 if "both" in prompt else 1)


def test_two_right_hands_shake():
    plan = plan_prompt("two men shaking hands")
    assert [hand.pose.side for hand in plan.hands if hand.pose] == ["right", "right"]
    assert plan.fixed["meeting"] == "handshake"


def test_hands_out_of_sight_need_no_words():
    plan = plan_prompt("a man with his hands behind his back")
    assert plan.prompts == {}
    assert plan.negative == "hands, fingers"


def test_negative_words_follow_from_what_is_said():
    assert "gloves" in plan_prompt("hand without gloves").negative.split(", ")
    assert "gloves" not in plan_prompt("hand in gloves").negative.split(", ")
    assert "extra hands" in plan_prompt("two hands holding a mug").negative


def test_people_without_hands_are_warned_of_and_landscapes_too():
    assert "people" in plan_prompt("portrait of a woman").warnings[0]
    assert "nobody" in plan_prompt("a mountain lake").warnings[0]
    assert plan_prompt("a mountain lake").hands == ()


def test_parameters_stay_behind_the_words():
    assert plan_prompt("a fist --ar 3:4").prompts["terse"].endswith("clenched in a fist --ar 3:4")


def test_every_named_pose_that_is_said_is_proposed():
    plan = plan_prompt("left hand making a Vulcan salute")
    assert plan.hands[0].pose is not None
    assert plan.hands[0].pose.fingers == NAMED["vulcan"].fingers


def test_an_empty_prompt_is_refused():
    with pytest.raises(UsageError, match="empty"):
        plan_prompt("  ")
