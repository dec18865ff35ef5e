"""Pasted hands take their arms' tone at the wrist, and keep their own at the fingers."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.perception.body.body_pose import ELBOWS, HANDS, BodyPose
from handwright.two_stage.wrist_tones import in_tone_of_arms
from handwright.types import Side

HAND, ARM, BLUE = (200, 150, 120), (155, 112, 88), (40, 60, 160)
SIDE_PX = 160
WRIST, LENGTH, HALF = 100, 40, 14  # Row of the wrist, length from there to the knuckles, half a hand's width
MIDDLE: dict[Side, int] = {"left": 120, "right": 40}


def pose_of(*sides: Side, elbow: bool = True) -> BodyPose:
    """Hands that point up, their arms below them."""
    points = np.zeros((133, 2))
    for side in sides:
        hand = points[HANDS[side]]
        hand[:] = [(MIDDLE[side] + 4 * (k % 5 - 2), WRIST - LENGTH - 10 - k) for k in range(21)]
        hand[0] = MIDDLE[side], WRIST
        hand[[5, 9, 13, 17]] = [(MIDDLE[side] + x, WRIST - LENGTH) for x in (-8, -3, 3, 8)]
        if elbow:
            points[ELBOWS[side]] = MIDDLE[side], WRIST + 50
    return BodyPose(points, (points != 0).any(1).astype(float))


def scene(*sides: Side, arm: tuple[int, int, int] = ARM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Canvas with hands, picture with arms, and how far hands cover."""
    canvas = np.full((SIDE_PX, SIDE_PX, 3), 127, np.uint8)
    picture, skin = canvas.copy(), np.zeros((SIDE_PX, SIDE_PX))
    for side in sides:
        columns = slice(MIDDLE[side] - HALF, MIDDLE[side] + HALF)
        canvas[WRIST - 90 : WRIST, columns], skin[WRIST - 90 : WRIST, columns] = HAND, 1.0
        picture[WRIST:, columns] = arm
    return canvas, picture, skin


def test_tone_is_the_arm_s_at_the_wrist_and_the_hand_s_own_from_the_knuckles_on() -> None:
    canvas, picture, skin = scene("right")
    toned = in_tone_of_arms(canvas, picture, skin, pose_of("right"))
    middle = MIDDLE["right"]
    assert np.abs(toned[WRIST - 1, middle].astype(int) - ARM).max() <= 6
    assert (
        toned[: WRIST - LENGTH, middle - HALF : middle + HALF]
        == canvas[: WRIST - LENGTH, middle - HALF : middle + HALF]
    ).all()
    steps = np.diff(toned[WRIST - LENGTH : WRIST, middle].astype(int), axis=0)
    assert (steps <= 0).all()  # darker towards the dark arm, without a jump
    assert np.abs(steps).max() < 12
    assert (toned[skin == 0] == canvas[skin == 0]).all()


@pytest.mark.parametrize("arm", [BLUE, (250, 250, 250), (10, 10, 10)])
def test_a_sleeve_tones_nothing(arm: tuple[int, int, int]) -> None:
    canvas, picture, skin = scene("right", arm=arm)
    assert (in_tone_of_arms(canvas, picture, skin, pose_of("right")) == canvas).all()


def test_without_an_elbow_or_an_arm_in_view_nothing_changes() -> None:
    canvas, picture, skin = scene("right")
    assert (in_tone_of_arms(canvas, picture, skin, pose_of("right", elbow=False)) == canvas).all()
    covered = np.ones_like(skin)
    assert (in_tone_of_arms(canvas, picture, covered, pose_of("right")) == canvas).all()


def test_things_and_the_other_hand_keep_their_colours() -> None:
    """The left arm is a sleeve; a thing lies across the right hand's wrist."""
    canvas, picture, skin = scene("left", "right")
    picture[WRIST:, MIDDLE["left"] - HALF : MIDDLE["left"] + HALF] = BLUE
    thing = np.s_[WRIST - 6 : WRIST - 2, MIDDLE["right"] - 4 : MIDDLE["right"] + 4]
    canvas[thing], skin[thing] = (0, 200, 0), 0.0
    toned = in_tone_of_arms(canvas, picture, skin, pose_of("left", "right"))
    assert (toned[:, SIDE_PX // 2 :] == canvas[:, SIDE_PX // 2 :]).all()
    assert (toned[thing] == canvas[thing]).all()
    assert (toned != canvas).any()
