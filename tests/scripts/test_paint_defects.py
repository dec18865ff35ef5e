"""Painted defects: the depth of what is drawn, and which hands are taken."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from handwright.hand.defects import Defect
from paint_defects import DepthCrop, crop_of, drawn_depth, prompt_of

SIDE = 128


def pictures():
    """A tilted hand-like disc whose drawing has a finger more than the sound one."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    tilt = 120 + 0.5 * rows + 0.2 * columns  # Inverse depth of the scene
    sound = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(sound, (60, 70), 30, 1, -1)
    drawn = sound.copy()
    cv2.rectangle(drawn, (55, 15), (65, 50), 1, -1)
    return {
        "depth": np.where(sound > 0, 1.5 * tilt - 100, 0).astype(np.uint8),
        "scene": tilt.astype(np.uint8),
        "mask": drawn * np.uint8(255),
    }


def entry(**hand):
    told = {
        "keypoints_px": [[30.0, 100.0], [90.0, 15.0]],
        "side": "left",
        "defects": [{"name": "extra"}],
        **hand,
    }
    captions = {"natural": "a 3D rendered image of a hand, with rings, with an extra finger"}
    return SimpleNamespace(record={"hands": [told], "captions": captions}, pictures=pictures())


def test_the_depth_is_that_of_what_is_drawn_in_the_sound_hands_range():
    given = pictures()
    depth = drawn_depth(given)
    assert np.array_equal(depth > 0, given["mask"] > 0)
    both = given["depth"] > 0
    assert np.abs(depth[both].astype(float) - given["depth"][both]).mean() < 2
    finger = (given["mask"] > 0) & ~both
    rows, columns = np.nonzero(finger)
    wanted = 1.5 * (120 + 0.5 * rows + 0.2 * columns) - 100
    assert np.abs(depth[finger] - wanted).mean() < 4


def test_a_hand_that_has_nothing_in_common_with_the_sound_one_has_no_depth():
    assert drawn_depth({**pictures(), "depth": np.zeros((SIDE, SIDE), np.uint8)}) is None


def test_a_crop_holds_the_whole_hand():
    crop, defects = crop_of(entry(), 64)
    assert isinstance(crop, DepthCrop)
    assert (crop.sides, crop.resolution, crop.window, defects) == (("left",), 64, (0, 0, 64, 64), ["extra"])
    assert not crop.depth[[0, -1]].any()
    assert 0.1 < (crop.depth > 0).mean() < 0.6


@pytest.mark.parametrize(
    "hand",
    [{"defects": []}, {"defects": [{"name": Defect.DETACHED}]}, {"gloved": True},
     {"keypoints_px": [[30.0, 60.0], [60.0, 90.0]]}],
)  # fmt: skip
def test_hands_without_a_defect_that_a_depth_shows_are_left_out(hand):
    assert crop_of(entry(**hand), 64) is None


def test_the_prompt_is_that_of_the_sound_hand():
    assert prompt_of(entry().record) == "a hand, with rings"
