"""Hands of a text that meet: fitting, and the person around them, keep them together."""

from __future__ import annotations

from functools import cache

import numpy as np

from handwright.body import pose_body
from handwright.data.people.in_pose import picture
from handwright.data.people.in_pose.appearance import draw_appearance
from handwright.hand.grammar.motion import TOUCH_M, clearance_m
from handwright.two_stage.engine import fit_hands, hands_of
from handwright.two_stage.hand_crops import hand_crops
from handwright.two_stage.pose_completion import CompletedPose, complete_pose
from handwright.workflow.generate.pose_source import PoseSource, pose_from_text

SIDE = 192


@cache
def praying() -> tuple[PoseSource, CompletedPose]:
    source = pose_from_text("a woman praying", SIDE, 4)
    return source, complete_pose(source.pose, SIDE, SIDE)


def test_hands_that_touch_are_not_fitted_apart() -> None:
    """They are the person's own; a fit of each hand's points alone lies otherwise to the other one."""
    source, completed = praying()
    fits = fit_hands(completed, SIDE, SIDE, source.body)
    assert abs(clearance_m(*hands_of(fits).values())) < TOUCH_M
    assert max(fit.residual for fit in fits.values()) < 0.01
    assert source.body is not None
    true, alone = pose_body(source.body).hands, hands_of(fit_hands(completed, SIDE, SIDE))
    between = [
        one["left"].translation_m - one["right"].translation_m for one in (true, hands_of(fits), alone)
    ]
    np.testing.assert_array_equal(between[1], between[0])
    assert np.linalg.norm(between[2] - between[0]) > 0.005
    (crop,) = hand_crops(fits, 64)
    assert len(crop.sides) == 2


def test_the_person_around_hands_that_touch_leaves_them_together() -> None:
    source, completed = praying()
    hands = hands_of(fit_hands(completed, SIDE, SIDE, source.body))
    rng = np.random.default_rng(3)
    look = draw_appearance("a woman praying", rng, SIDE)
    setup = picture._setup(completed.pose, hands, hands["left"].camera, SIDE, look, rng, {})
    assert abs(clearance_m(*setup.someone.hands)) < TOUCH_M
    for hand in setup.someone.hands:
        np.testing.assert_allclose(
            hand.camera.project(hand.translation_m),
            hands[hand.side].camera.project(hands[hand.side].translation_m),
            atol=1e-6,
        )
