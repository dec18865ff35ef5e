"""What can be measured of one hand without knowing yet what to think of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.depth import render_hand
from handwright.hand.rig import load_rig
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.fit.outline import fit_with_outline, outline_overlap
from handwright.perception.segment import hand_region
from handwright.types import Box, HandFit, HandObservation, HandRegion, Image

MARGIN = 0.55
"""Room around a hand in its crop, in sizes of the hand."""

_BLUR_HAND_PX = 130.0
"""Blur is measured on hands of at most this size: beyond a few pixels it is not told apart."""

_PALM_PX, _ROUNDS = 48.0, 1
"""Hands are segmented so large: what counts is in spans of the palm, and many hands are to be looked at."""

KEPT = 4
"""So many hands' evidence is kept, with what was worked out from it."""

PALM = 5
"""What :attr:`HandMeasurements.finger_at` holds where the palm or the wrist is seen."""


@dataclass(frozen=True, eq=False)
class HandMeasurements:
    """One hand as it was seen, fitted and segmented.

    Attributes:
        observation: The landmarks that were seen.
        fit: The regular hand that comes nearest to them.
        window: x0, y0, x1, y1 of its crop in the picture, whole pixels.
        crop: uint8 [h, w, 3] the picture there.
        region: The picture's own hand in the crop.
        finger_at: int8 [h, w] what of the fitted hand is seen where: 0 thumb … 4 pinky, ``PALM``, −1 nothing.
        picture_px: Width and height of the picture.
    """

    observation: HandObservation
    fit: HandFit
    window: tuple[int, int, int, int]
    crop: UInt8[np.ndarray, "h w 3"]
    region: HandRegion
    finger_at: Int[np.ndarray, "h w"]
    picture_px: tuple[int, int]

    @property
    def landmarks_px(self) -> Float[np.ndarray, "21 2"]:
        """Observed landmarks in the crop."""
        return self.observation.landmarks_px - np.array(self.window[:2])

    @property
    def size_px(self) -> float:
        """The hand's size in pixels."""
        return self.observation.size_px

    @cached_property
    def silhouette(self) -> Bool[np.ndarray, "h w"]:
        """Where the fitted hand is seen."""
        return self.finger_at >= 0

    @cached_property
    def overlap(self) -> float:
        """Intersection over union of the fitted and the segmented hand beyond the wrist, in [0, 1]."""
        return outline_overlap(self.observation, self.silhouette, self.region, self.window)

    @cached_property
    def blur(self) -> float:
        """Sigma of the blur of the hand's edges, in sizes of the hand."""
        scale = min(1.0, _BLUR_HAND_PX / self.size_px)
        height, width = self.region.inside.shape
        size = max(8, round(width * scale)), max(8, round(height * scale))
        crop = cv2.resize(self.crop, size, interpolation=cv2.INTER_AREA)
        inside = cv2.resize(self.region.inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
        return edge_blur_sigma(crop, inside) / (self.size_px * scale)

    @cached_property
    def misfit(self) -> Float[np.ndarray, "21"]:
        """Distance of each observed landmark from the fitted one, in sizes of the hand."""
        miss = np.linalg.norm(self.fit.landmarks_px - self.observation.landmarks_px, axis=1)
        return miss / max(self.size_px, 1.0)

    def box_of(self, inside: Bool[np.ndarray, "h w"]) -> Box:
        """Box in the picture of a part of the crop that is not empty."""
        rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
        x0, y0 = self.window[:2]
        return (
            float(x0 + columns[0]),
            float(y0 + rows[0]),
            float(x0 + columns[-1] + 1),
            float(y0 + rows[-1] + 1),
        )


def measure_hand(image: Image, observation: HandObservation) -> HandMeasurements:
    """Fit and segment one hand.

    Args:
        image: The picture.
        observation: What was seen in it.
    """
    size_px = image.width, image.height
    fit = fit_hand(observation, *size_px)
    window = _window(observation, fit, *size_px)
    x0, y0, x1, y1 = window
    crop = np.ascontiguousarray(image.pixels[y0:y1, x0:x1])
    alike = observation.side, observation.score, observation.found_by
    seen = (crop, observation.landmarks_px, observation.depth_px)
    key = *alike, *(blake2b(part.tobytes()).digest() for part in seen)
    return _evidence(_Sight(window, size_px, key, observation, fit, crop))


@dataclass(frozen=True)
class _Sight:
    """All that the evidence of a hand follows from; ``key`` stands for what cannot be compared quickly."""

    window: tuple[int, int, int, int]
    picture_px: tuple[int, int]
    key: tuple[object, ...]
    observation: HandObservation = field(compare=False)
    fit: HandFit = field(compare=False)
    crop: UInt8[np.ndarray, "h w 3"] = field(compare=False)


@lru_cache(maxsize=KEPT)
def _evidence(sight: _Sight) -> HandMeasurements:
    """A painted hand is looked at as a candidate and again in the finished picture: once is enough."""
    observation, window = sight.observation, sight.window
    region = hand_region(sight.crop, observation.landmarks_px - np.array(window[:2]), _PALM_PX, _ROUNDS)
    fit = fit_with_outline(observation, sight.fit, region, window, sight.picture_px)
    return HandMeasurements(
        observation, fit, window, sight.crop, region, _finger_at(fit, window), sight.picture_px
    )


def _window(observation: HandObservation, fit: HandFit, width: int, height: int) -> tuple[int, int, int, int]:
    """Whole-pixel box around the seen and the fitted hand with room to look around, inside the picture."""
    points = np.concatenate([observation.landmarks_px, fit.landmarks_px])
    low, high = points.min(0), points.max(0)
    centre, reach = (low + high) / 2, float((high - low).max()) * (0.5 + MARGIN) + 8
    x0, y0 = np.clip(np.floor(centre - reach), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(centre + reach), [x0 + 1, y0 + 1], [width, height]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _finger_at(fit: HandFit, window: tuple[int, int, int, int]) -> Int[np.ndarray, "h w"]:
    rig = load_rig()
    of_bone = np.full(20, PALM, np.int8)
    for finger, bones in enumerate(FINGER_BONES):
        of_bone[list(bones)] = finger
    of_vertex = of_bone[rig.weight_bones[np.arange(len(rig.weights)), rig.weights.argmax(1)]]
    x0, y0, x1, y1 = window
    face = render_hand(fit.hand, y1, x1, window=(x0, y0, x1, y1)).face
    return np.where(face >= 0, of_vertex[rig.faces[:, 0]][face], np.int8(-1))
