"""The hands on the canvas of stage II, and how they are pasted back."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.two_stage.canvas import (
    NEAR,
    SOFT_PX,
    WRIST_RAMP,
    compose,
    hand_alpha,
    hand_surroundings,
    paste_hand,
)
from handwright.two_stage.engine import CANVAS_GREY, StageOneHand

NO_ONE = BodyPose(np.zeros((133, 2)), np.zeros(133))


def _pose_of_hand(wrist: tuple[float, float], knuckles: tuple[float, float]) -> BodyPose:
    """A pose of a right hand alone, its four knuckles in one place."""
    points = np.zeros((133, 2))
    points[HANDS["right"]] = knuckles
    points[HANDS["right"].start] = wrist
    return BodyPose(points, (points != 0).any(1).astype(np.float64))


def _rectangle(rows: slice = slice(10, 40), columns: slice = slice(20, 40)) -> np.ndarray:
    mask = np.zeros((60, 60), np.bool_)
    mask[rows, columns] = True
    return mask


def test_a_hand_is_pasted_back_pixel_for_pixel_where_it_covers() -> None:
    picture, canvas = np.zeros((60, 60, 3), np.uint8), np.full((60, 60, 3), 77, np.uint8)
    mask = _rectangle()
    alpha = hand_alpha(mask, NO_ONE)
    pasted = paste_hand(picture, canvas, alpha)
    assert pasted.dtype == np.uint8
    assert (pasted[~mask] == 0).all()
    assert (pasted[12:38, 22:38] == 77).all()
    rim = mask & (alpha < 1)
    assert ((pasted[rim] > 0) & (pasted[rim] < 77)).all()
    assert rim[10, 20:40].all()
    assert not rim[10 + int(SOFT_PX) :, 30][: 30 - 2 * int(SOFT_PX)].any()


def test_the_pictures_border_is_no_rim() -> None:
    mask = _rectangle(slice(0, 30), slice(0, 30))
    alpha = hand_alpha(mask, NO_ONE)
    assert (alpha[0, :20] == 1).all()
    assert (alpha[:20, 0] == 1).all()
    assert (hand_alpha(np.ones((9, 9), np.bool_), NO_ONE) == 1).all()
    assert (hand_alpha(np.zeros((9, 9), np.bool_), NO_ONE) == 0).all()


def test_a_hand_fades_towards_its_arm_at_the_wrist_alone() -> None:
    mask = _rectangle()
    pose = _pose_of_hand((30.0, 38.0), (30.0, 18.0))
    alpha = hand_alpha(mask, pose)
    middle = alpha[:, 30]
    ramp = WRIST_RAMP * 20
    assert (np.diff(middle[int(40 - ramp) - 1 : 40]) < 0).all()
    assert middle[39] < 0.05
    assert middle[int(40 - ramp / 2)] == pytest.approx(0.5, abs=0.1)
    assert (middle[12 : int(40 - ramp) - 1] == 1).all()
    hidden = BodyPose(
        np.where(np.arange(133)[:, None] == HANDS["right"].start, 0, pose.points_px), np.zeros(133)
    )
    assert np.array_equal(hand_alpha(mask, hidden), hand_alpha(mask, NO_ONE))


def test_what_stage_one_painted_behind_a_hand_is_not_on_the_canvas() -> None:
    """Scaling mixes it into the rim of the hand's mask; the hand's own colours stand there."""
    pixels = np.full((60, 60, 3), 255, np.uint8)
    pixels[10:40, 20:40] = 200, 100, 50
    pixels[[10, 39], 20:40] = 228, 178, 152  # Half white
    mask = _rectangle()
    picture, known = compose([StageOneHand(("right",), (0, 0, 60, 60), pixels)], [mask])
    assert np.array_equal(known, mask)
    assert (picture[mask] == (200, 100, 50)).all()
    assert (picture[~mask] == CANVAS_GREY).all()


def test_a_finger_without_an_inside_keeps_its_colours() -> None:
    pixels = np.full((60, 60, 3), 90, np.uint8)
    thin = _rectangle(slice(10, 40), slice(20, 22))
    pixels[10:40, 20:22] = 200
    picture, _ = compose([StageOneHand(("right",), (0, 0, 60, 60), pixels)], [thin])
    assert (picture[thin] == 200).all()
    both = thin | _rectangle(slice(30, 50), slice(10, 40))
    pixels[30:50, 10:40] = 150
    picture, _ = compose([StageOneHand(("right",), (0, 0, 60, 60), pixels)], [both])
    assert (picture[10:28, 20:22] == 200).all()


def test_what_is_near_a_hand_fades_over_the_outer_half_of_a_tenth_of_the_picture():
    mask = np.zeros((200, 100), np.bool_)
    mask[90:110, 40:60] = True
    near, reach = hand_surroundings(mask), round(NEAR * 200)
    assert (near[mask] == 1).all()
    outwards = near[100, 60:]  # From one pixel beyond the mask on
    assert (outwards[: reach // 2] == 1).all()
    assert 0 < outwards[reach // 2] < 1
    assert (outwards[reach - 1 :] == 0).all()
    assert (np.diff(outwards) <= 0).all()
    assert not hand_surroundings(np.zeros((200, 100), np.bool_)).any()
