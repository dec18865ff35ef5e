from __future__ import annotations

import numpy as np
import pytest

from handwright.handrefiner.controls import KINDS, control_picture

SIDE = 96


@pytest.fixture
def landmarks() -> np.ndarray:
    """A hand that points up: the wrist below, five fingers side by side."""
    points = np.zeros((21, 2))
    points[0] = 48, 90
    for finger in range(5):
        for joint in range(4):
            points[1 + 4 * finger + joint] = 16 + 16 * finger, 60 - 14 * joint
    return points


@pytest.fixture
def depth() -> np.ndarray:
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[10:88, 10:88] = 180
    return image


def colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_picture_of_the_same_size_and_black_where_there_is_no_hand(kind, landmarks, depth):
    picture = control_picture(kind, depth, landmarks[None])
    assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8
    assert not picture[:6].any()
    assert picture.any()


def test_depth_is_grey_as_it_was(landmarks, depth):
    assert np.array_equal(control_picture("depth", depth, landmarks[None])[..., 1], depth)


def test_landmarks_look_the_same_whatever_the_depth_is(landmarks, depth):
    assert np.array_equal(
        control_picture("landmarks", depth, landmarks[None]),
        control_picture("landmarks", 0 * depth, landmarks[None]),
    )
    bone = control_picture("landmarks", depth, landmarks[None])[32:34, 47:50]
    assert bone.any()


def test_segments_are_six_and_lie_where_their_bones_do(landmarks, depth):
    picture = control_picture("segmentation", depth, landmarks[None])
    assert len(colours(picture[depth > 0])) == 6
    assert len({tuple(picture[30, 16 + 16 * finger].tolist()) for finger in range(5)}) == 5
    assert tuple(picture[80, 48]) == (255, 255, 255)


def test_a_flat_hand_faces_the_camera_and_a_slope_leans(landmarks, depth):
    flat = control_picture("normals", depth, landmarks[None])
    assert np.abs(flat[48, 48].astype(int) - (128, 128, 255)).max() <= 1
    slope = np.where(depth > 0, 100 + np.arange(SIDE, dtype=np.uint8)[None], 0).astype(np.uint8)
    leaning = control_picture("normals", slope, landmarks[None])
    assert leaning[48, 48, 0] < 124
    assert abs(int(leaning[48, 48, 1]) - 128) <= 1
    mirrored = control_picture("normals", slope[:, ::-1], landmarks[None])
    assert mirrored[48, 48, 0] > 131
