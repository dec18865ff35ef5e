"""The hands on the canvas of stage II, and how they are pasted back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.two_stage.canvas import (
    HALF,
    NEAR,
    RING,
    WRIST_RAMP,
    compose,
    hand_alpha,
    hand_surroundings,
    lay_things,
    paste_hand,
    things_layer,
    without_own_hand,
)
from handwright.two_stage.engine import CANVAS_GREY, HeldThings, StageOneHand

NO_ONE = BodyPose(np.zeros((133, 2)), np.zeros(133))


def _pose_of_hand(wrist: tuple[float, float], knuckles: tuple[float, float]) -> BodyPose:
    """A pose of a right hand alone, its four knuckles in one place."""
    points = np.zeros((133, 2))
    points[HANDS["right"]] = knuckles
    points[HANDS["right"].start] = wrist
    return BodyPose(points, (points != 0).any(1).astype(np.float64))


def _rectangle(rows: slice = slice(10, 40), columns: slice = slice(20, 40)) -> np.ndarray:
    cover = np.zeros((60, 60))
    cover[rows, columns] = 1.0
    return cover


def test_a_hand_is_pasted_back_pixel_for_pixel_where_it_covers() -> None:
    picture, canvas = np.zeros((60, 60, 3), np.uint8), np.full((60, 60, 3), 77, np.uint8)
    cover = _rectangle()
    cover[10, 20:40] = 0.25
    alpha = hand_alpha(cover, NO_ONE)
    assert np.array_equal(alpha, cover)
    pasted = paste_hand(picture, canvas, alpha)
    assert pasted.dtype == np.uint8
    assert (pasted[cover == 0] == 0).all()
    assert (pasted[cover == 1] == 77).all()
    assert (pasted[10, 20:40] == 19).all()


def test_things_have_soft_outlines_and_their_own_colours_beside_them() -> None:
    pixels = np.full((60, 60, 3), 30, np.uint8)
    thing = _rectangle() > 0
    pixels[thing] = 200, 90, 10
    pixels[10, 20:40] = 115, 60, 20  # The renderer mixes what lies behind it in
    held = HeldThings(pixels, thing)
    colours, cover = things_layer(held)
    assert (colours[8:42, 18:42] == (200, 90, 10)).all()
    assert (cover[13:37, 23:37] > 0.999).all()
    assert cover[:5].max() == 0
    edge = cover[8:12, 30]
    assert ((edge > 0) & (edge < 1)).all()
    assert (np.diff(edge) > 0).all()
    laid = lay_things(np.full((60, 60, 3), 255, np.uint8), held)
    assert (laid[13:37, 23:37] == (200, 90, 10)).all()
    assert (laid[:5] == 255).all()


@pytest.mark.parametrize("size", [30, 47, 90])
def test_what_a_hand_covers_is_placed_at_the_pictures_scale_with_soft_edges(size: int) -> None:
    cover = np.zeros((60, 60))
    cv2.circle(cover, (30, 30), 20, 1.0, -1)
    hand = StageOneHand(("right",), (5, 7, 5 + size, 7 + size), np.full((60, 60, 3), 200, np.uint8))
    canvas, placed = compose([hand], [cover], 100, 100)
    assert placed.sum() == pytest.approx(cover.sum() * (size / 60) ** 2, rel=0.01)
    rows, columns = np.nonzero(placed > HALF)
    assert (rows.mean(), columns.mean()) == pytest.approx(
        (6.5 + 30.5 * size / 60, 4.5 + 30.5 * size / 60), abs=0.3
    )
    assert ((placed > 0) & (placed < 1)).sum() > size / 2
    assert (canvas[placed > 0] == 200).all()
    assert (canvas[placed == 0] == CANVAS_GREY).all()


def test_a_hand_fades_towards_its_arm_at_the_wrist_alone() -> None:
    cover = _rectangle()
    pose = _pose_of_hand((30.0, 38.0), (30.0, 18.0))
    alpha = hand_alpha(cover, pose)
    middle = alpha[:, 30]
    ramp = WRIST_RAMP * 20
    assert (np.diff(middle[int(40 - ramp) - 1 : 40]) < 0).all()
    assert middle[39] < 0.05
    assert middle[int(40 - ramp / 2)] == pytest.approx(0.5, abs=0.1)
    assert (middle[12 : int(40 - ramp) - 1] == 1).all()
    hidden = BodyPose(
        np.where(np.arange(133)[:, None] == HANDS["right"].start, 0, pose.points_px), np.zeros(133)
    )
    assert np.array_equal(hand_alpha(cover, hidden), hand_alpha(cover, NO_ONE))


def test_what_stage_one_painted_behind_a_hand_is_not_on_the_canvas() -> None:
    """Scaling mixes it into the hand's outline; the hand's own colours stand there."""
    pixels = np.full((60, 60, 3), 255, np.uint8)
    pixels[10:40, 20:40] = 200, 100, 50
    pixels[[10, 39], 20:40] = 228, 178, 152  # Half white
    for size in (60, 40, 75):
        hand = StageOneHand(("right",), (0, 0, size, size), pixels)
        picture, cover = compose([hand], [_rectangle()], 80, 80)
        assert (picture[cover > 0] == (200, 100, 50)).all()
        assert (picture[cover == 0] == CANVAS_GREY).all()


def test_a_finger_without_an_inside_keeps_its_colours() -> None:
    pixels = np.full((60, 60, 3), 90, np.uint8)
    thin = _rectangle(slice(10, 40), slice(20, 22))
    pixels[10:40, 20:22] = 200
    picture, _ = compose([StageOneHand(("right",), (0, 0, 60, 60), pixels)], [thin], 60, 60)
    assert (picture[thin > 0] == 200).all()
    both = np.maximum(thin, _rectangle(slice(30, 50), slice(10, 40)))
    pixels[30:50, 10:40] = 150
    picture, _ = compose([StageOneHand(("right",), (0, 0, 60, 60), pixels)], [both], 60, 60)
    assert (picture[10:28, 20:22] == 200).all()


def test_what_the_network_painted_in_a_hands_place_is_filled_from_beyond_but_for_the_wrist() -> None:
    size = 432
    reach = round(RING * size)
    rows, columns = np.mgrid[:size, :size]
    background = np.stack([40 + columns // 4, 120 + rows // 4, np.full((size, size), 60)], 2).astype(np.uint8)
    mask = np.zeros((size, size), np.bool_)
    mask[100:200, 120:170] = True
    picture = background.copy()
    picture[97:432, 117:173] = 200, 120, 90  # The network's own hand, and its arm below
    picture[95:97, 119:171] = 255  # A light rim
    alpha = mask.astype(np.float64)
    alpha[180:200, 120:170] = np.linspace(0.95, 0, 20)[:, None]
    behind = without_own_hand(picture, mask, alpha)
    away = distance_transform_edt(~mask)
    assert np.array_equal(behind[away > reach + 1], picture[away > reach + 1])
    ring = (away > 0) & (away <= reach / 2) & (rows < 160)
    assert np.abs(behind[ring].astype(float) - background[ring]).max() < 12
    wrist = np.s_[185:215, 124:166]
    assert np.abs(behind[wrist].astype(float) - picture[wrist]).max() < 9
    nothing = np.zeros((size, size))
    assert without_own_hand(picture, nothing > 0, nothing) is picture
    assert without_own_hand(picture, nothing == 0, nothing + 1) is picture


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
