"""Whether hands that a text brings together meet, and the idle arm hangs."""

from dataclasses import replace

import numpy as np
import pytest
from bench.busy_texts import IN_BOTH, IN_ONE, by_kind, meet, neither_hangs, other_hangs

from handwright.body import BodyParameters, mean_parameters
from handwright.body.skeleton import JOINT
from handwright.data.people.in_pose.busy_hands import meeting_hands
from handwright.hand.grammar import NAMED
from handwright.handiffuser.tokens import encode
from handwright.prompts.captions import Scene
from handwright.training.streams.text_poses import TextPose


def someone(body: BodyParameters, **doing: str) -> TextPose:
    """A person whose right hand is raised."""
    words = replace(NAMED["palm"], side="right")
    return TextPose(encode(body), (words,), Scene((words,), **doing))


@pytest.fixture(scope="module")
def standing() -> BodyParameters:
    """Both arms hang."""
    return with_arms_down(mean_parameters(256))


def with_arms_down(body: BodyParameters) -> BodyParameters:
    """Arms beside the body."""
    turns = body.body_pose.copy()
    for side, sign in (("left", -1), ("right", 1)):
        turns[JOINT[f"{side}_shoulder"] - 1] = np.array([0, 0, sign * 1.2])
    return replace(body, body_pose=turns)


def test_people_are_grouped_by_what_their_hands_do(standing: BodyParameters):
    people = [
        someone(standing, holds="a cup", holder="left"),
        someone(standing, holds="a box", holder="both"),
        someone(standing, meeting="heart"),
        someone(standing),
    ]
    assert list(by_kind(people)) == ["heart", IN_BOTH, IN_ONE]


def test_hands_that_hang_do_not_meet(standing: BodyParameters):
    person = someone(standing, meeting="clasped")
    assert not meet(person, standing)
    met = meeting_hands(standing, "clasped", 1)
    assert met is not None
    assert meet(person, met.body)
    assert other_hangs(person, standing)
    assert not other_hangs(person, met.body)
    assert neither_hangs(person, met.body)
    assert not neither_hangs(person, standing)
