"""The hands of a photograph: detected, fitted and segmented once a process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.photographs import decode_photo, read_photo
from handwright.hand.skeleton import palm_span_px
from handwright.perception.detect.confirm import classify_candidate
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.views import DetectionOptions, whole
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.segment import hand_region
from handwright.types import Hand, HandObservation

LEAST_HAND_PX = 80.0  # Hands smaller than this show no fingers to edit; chosen by eye
LEAST_PRESENCE = 0.8
"""Least presence score of the landmark network on a square around the hand; chosen by eye."""

_SEARCHING = DetectionOptions(max_hands=4, confidence=0.5, presence=0.5)
_MARGIN = 0.06  # Least distance of landmarks from the border, in hand sizes
_AROUND = 1.3  # Room around the hand in which it is segmented, in spans from wrist to knuckles
_REMEMBERED = 4096  # Photographs whose hands are kept in memory; a few kilobytes each


@dataclass(frozen=True, eq=False)
class PhotoHands:
    """The hands of a photograph."""

    name: str  # Of the photograph, with its folder or tar
    sha256: str  # Of its bytes
    height: int  # Pixels
    width: int  # Pixels
    hands: tuple[HandObservation, ...]  # All that were detected
    editable: tuple[int, ...]  # Indices of those that may be edited: large, certain, away from the border


@dataclass(frozen=True, eq=False)
class HandPixels:
    """The fit and the mask of one hand of a photograph."""

    fit: Hand  # The fitted hand, in the whole photograph's camera
    window: tuple[int, int, int, int]  # x0, y0, x1, y1 of the part that was segmented
    skin_lab: Float[np.ndarray, "3"]  # As in ``HandRegion``
    skin_covariance: Float[np.ndarray, "3 3"]  # As in ``HandRegion``
    bits: UInt8[np.ndarray, "h b"]  # The hand's pixels in the window, packed

    def inside(self, height: int, width: int) -> Bool[np.ndarray, "h w"]:
        """The hand's pixels in the whole photograph."""
        x0, y0, x1, y1 = self.window
        out = np.zeros((height, width), np.bool_)
        out[y0:y1, x0:x1] = np.unpackbits(self.bits, axis=1, count=x1 - x0) > 0
        return out


@lru_cache(maxsize=_REMEMBERED)
def find_photo_hands(path: Path) -> PhotoHands:
    """Detect the hands of a photograph.

    Raises:
        UnreadableImageError: It is no picture.
        MissingModelError: The landmarker is missing.
    """
    data = read_photo(path)
    pixels = decode_photo(data, path.name)
    height, width = pixels.shape[:2]
    landmarker = _landmarker()
    hands: list[HandObservation] = []
    editable: list[int] = []
    for hand in whole(width, height, margin=1.25, size_px=384).detect(
        pixels, landmarker, _SEARCHING, "picture"
    ):
        presence, closer = classify_candidate(pixels, hand, landmarker)
        hands.append(closer or hand)
        if closer is not None and presence >= LEAST_PRESENCE and _lies_well(closer, height, width):
            editable.append(len(hands) - 1)
    name = f"{path.parent.name}/{path.name}"
    return PhotoHands(name, hashlib.sha256(data).hexdigest(), height, width, tuple(hands), tuple(editable))


@lru_cache(maxsize=_REMEMBERED)
def segment_photo_hand(path: Path, number: int) -> HandPixels:
    """Fit and segment one hand of a photograph."""
    found = find_photo_hands(path)
    hand = found.hands[number]
    pixels = decode_photo(read_photo(path), path.name)
    reach = _AROUND * palm_span_px(hand.landmarks_px)
    low, high = hand.landmarks_px.min(0) - reach, hand.landmarks_px.max(0) + reach
    x0, y0 = (max(int(v), 0) for v in low)
    x1, y1 = min(int(high[0]) + 1, found.width), min(int(high[1]) + 1, found.height)
    crop = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    region = hand_region(crop, hand.landmarks_px - np.array([x0, y0]))
    fit = fit_hand(hand, found.width, found.height).hand
    bits = np.packbits(region.inside, axis=1)
    return HandPixels(fit, (x0, y0, x1, y1), region.skin_lab, region.skin_covariance, bits)


@lru_cache(maxsize=1)
def _landmarker() -> HandLandmarker:
    return HandLandmarker()


def _lies_well(hand: HandObservation, height: int, width: int) -> bool:
    """Large enough, and no fingertip near the picture's border."""
    x, y = hand.landmarks_px[1:].T
    margin = _MARGIN * hand.size_px
    inside = x.min() > margin and y.min() > margin and x.max() < width - margin and y.max() < height - margin
    return bool(inside and hand.size_px >= LEAST_HAND_PX)
