"""A user's detector stands in the landmarker's place: the search finds what it finds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from handwright.perception.detect.own_landmarker import OwnLandmarker
from handwright.perception.detect.search import find_hands
from handwright.plug_ins import PlugIn, PlugInError
from handwright.types import HandObservation

NOBODY: Any = SimpleNamespace(people=lambda pixels: [])
HAND = np.array(
    [(0, 40), (12, 32), (20, 22), (25, 14), (29, 8), (10, 0), (11, -18), (12, -29), (12, -38)]
    + [(x, y) for x, top in ((0, -45), (-9, -40), (-17, -28)) for y in np.linspace(-1, top, 4)],
    float,
)
"""Landmarks of an open hand about its middle."""
DOTS = {0: (255, 0, 255), 4: (0, 255, 255), 9: (255, 255, 0)}
"""Colours of the wrist, the thumb's tip and the middle knuckle in the pictures of this test."""


class Dots:
    """Finds the hand whose three dots it sees, however the view is turned, mirrored or scaled."""

    def detect(self, pixels: Any):
        there = []
        for colour in DOTS.values():
            y, x = np.nonzero(np.abs(pixels.astype(int) - colour).max(2) < 70)
            if not len(x):
                return []
            there.append((x.mean() + 0.5, y.mean() + 0.5))
        corners = np.column_stack([HAND[list(DOTS)], np.ones(3)])
        affine = np.linalg.solve(corners, np.array(there))
        points = np.column_stack([HAND, np.ones(21)]) @ affine
        return [hand(points, 0.95, "right" if np.linalg.det(affine[:2]) > 0 else "left")]


def dotted(middle: Any, scale: float) -> np.ndarray:
    pixels = np.full((300, 420, 3), 90, np.uint8)
    for landmark, colour in DOTS.items():
        x, y = HAND[landmark] * scale + middle
        cv2.circle(pixels, (round(x), round(y)), 8, colour, -1)
    return pixels


def hand(points: Any, score: Any = 0.9, side: Any = "right") -> HandObservation:
    return HandObservation(
        landmarks_px=points, depth_px=np.zeros(21), side=side, score=score, found_by="picture"
    )


def own(found: Any) -> OwnLandmarker:
    return OwnLandmarker(PlugIn("landmarker", SimpleNamespace(detect=lambda pixels: found)), NOBODY)


@pytest.mark.parametrize("scale", [0.9, 2.0])
def test_the_search_finds_the_hand_that_it_finds(scale: Any):
    landmarker = OwnLandmarker(PlugIn("landmarker", Dots()), NOBODY)
    (found,) = find_hands(dotted((240, 150), scale), landmarker=landmarker)
    wanted = HAND * scale + (240, 150)
    assert found.side == "right"
    assert np.linalg.norm(found.landmarks_px - wanted, axis=1).mean() < 0.05 * found.size_px
    assert find_hands(np.full((300, 420, 3), 90, np.uint8), landmarker=landmarker) == []


def test_the_surest_hands_come_first_and_those_below_a_threshold_not_at_all():
    landmarker = own([hand(HAND + 9, 0.4), hand(HAND, 0.8), hand(HAND + 50, 0.6)])
    pixels = np.zeros((64, 64, 3), np.uint8)
    scores = [one.score for one in landmarker.detect(pixels, max_hands=2, confidence=0.1, presence=0.5)]
    assert scores == [0.8, 0.6]
    assert [one.score for one in landmarker.detect(pixels, max_hands=1, confidence=0.1, presence=0.1)] == [
        0.8
    ]


def test_of_a_crop_it_is_the_hand_in_the_middle_and_nothing_is_a_presence_of_0():
    crop = np.zeros((224, 224, 3), np.uint8)
    presence, nearest = own([hand(HAND, 0.9), hand(HAND + 112, 0.7)]).landmarks_in_crop(crop)
    assert presence == 0.7 and nearest.landmarks_px.mean() == pytest.approx((HAND + 112).mean())
    presence, nothing = own([]).landmarks_in_crop(crop)
    assert presence == 0.0 and nothing.size_px == 0


@pytest.mark.parametrize("found", [None, hand(HAND), [None], [HAND]])
def test_what_is_no_list_of_hands_is_refused(found: Any):
    with pytest.raises(PlugInError, match="must return a list of HandObservation"):
        own(found).landmarks_in_crop(np.zeros((224, 224, 3), np.uint8))
