"""Whether a repainted hand looks worse than what it replaced, learnt from pairs that were judged blind.

Read are features of both versions over the square around all that was repainted, and how unlike each other
the places inside the change are, and those on its border: smudges, seams and remains show there. The pairs
and the answers: docs/research/repaint_pairs_3.csv; the fit: scripts/fit_comparison.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.perception.models.image_features import PACKAGED
from handwright.review.calibration.calibration import logit
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.upright_crops import (
    OrientedSquare,
    crop_transform,
    to_opencv_affine,
    upright_crop,
)

FILE = "worse.json"

_CERTAIN = 1e-4  # Probabilities are clipped so far from 0 and 1; chosen by eye

CHANGED_LEVELS = 3  # Difference of a channel, in levels of 255, up to which a pixel is as it was; by eye
_GAP, _BORDER = 0.04, 0.06  # Gaps in the change that count to it, and half its border, in hand sizes; by eye
_LEAST_SHARE = 1e-6  # Weight of all places below which there is no change


class Version(NamedTuple):
    """One of the two pictures of a hand."""

    pixels: UInt8[np.ndarray, "h w 3"]  # The whole picture
    malformed: float  # P(malformed) of the hand by the critic's network


@dataclass(frozen=True, eq=False)
class Comparison:
    """The features' network and the classifier, loaded."""

    features: RegionFeatures
    classifier: LinearClassifier

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> Comparison:
        """What a folder with ``features.onnx`` and ``worse.json`` holds.

        Raises:
            MissingModelError: A file is missing or damaged.
        """
        return cls(RegionFeatures.load(folder), LinearClassifier.load(folder / FILE))

    def worse(self, before: Version, after: Version, square: OrientedSquare, size_px: float) -> float:
        """Probability that viewers find the second version worse, in [0, 1].

        Args:
            before: The hand as it was.
            after: The hand repainted.
            square: Around the hand and all that was repainted; ``square_around`` makes it.
            size_px: Size of the hand as it was.
        """
        read = inputs(self.features, before, after, square, size_px, self.classifier.context)
        return float(self.classifier.probability(read[None])[0])


def inputs(
    features: RegionFeatures,
    before: Version,
    after: Version,
    square: OrientedSquare,
    size_px: float,
    context: float,
) -> Float[np.ndarray, "k"]:
    """What the classifier reads.

    Means before, and their change; log odds of P(malformed) before and after, and their change; standard
    deviations of ``MAP_BLOCKS`` inside the change and on its border, before, and their change.
    """
    to_crop = crop_transform(square, features.size_px, context)
    crops = [upright_crop(one.pixels, to_crop, features.size_px) for one in (before, after)]
    (old, new), maps = features.means_and_maps(np.stack(crops))
    was, now = logit(np.clip([before.malformed, after.malformed], _CERTAIN, 1 - _CERTAIN))
    spreads: list[Float[np.ndarray, "c"]] = []
    for share in change_shares(before.pixels, after.pixels, square, size_px, to_crop, features.size_px):
        for first, second in maps:
            spread, changed = (_spread(one, share) for one in (first, second))
            spreads += [spread, changed - spread]
    return np.concatenate([old, new - old, [was, now, now - was], *spreads])


def group_sizes(features: RegionFeatures) -> Int[np.ndarray, "k"]:
    """How many inputs stand in each one's group, for ``inputs``: half as much weight for what is of maps."""
    crops = np.zeros((1, features.size_px, features.size_px, 3), np.uint8)
    (means,), maps = features.means_and_maps(crops)
    groups = [len(means), len(means), 3, *(one.shape[1] for _ in "ie" for one in maps for _ in "oc")]
    weight = [1, 1, 1] + [2] * (len(groups) - 3)
    return np.repeat([size * times for size, times in zip(groups, weight, strict=True)], groups)


def change_shares(
    before: UInt8[np.ndarray, "h w 3"],
    after: UInt8[np.ndarray, "h w 3"],
    square: OrientedSquare,
    size_px: float,
    to_crop: Float[np.ndarray, "2 3"],
    crop_px: int,
) -> tuple[Float[np.ndarray, "s s"], Float[np.ndarray, "s s"]]:
    """How much of each pixel of the crop lies inside the change, and on its border, in [0, 1].

    Args:
        before: The picture as it was.
        after: The picture repainted.
        square: Around all that was repainted.
        size_px: Size of the hand as it was; gaps and the border are parts of it.
        to_crop: From the picture to the crop.
        crop_px: Side of the crop.
    """
    (x, y), reach = square.center_px, square.size_px * 0.75
    x0, y0 = max(0, int(x - reach)), max(0, int(y - reach))
    window = np.s_[y0 : int(y + reach) + 1, x0 : int(x + reach) + 1]
    old, new = before[window].astype(np.int16), after[window].astype(np.int16)
    changed = (np.abs(old - new).max(2) > CHANGED_LEVELS).astype(np.uint8)
    closed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, _disc(_GAP * size_px))
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(closed.shape, np.float32)
    cv2.drawContours(filled, outlines, -1, 1.0, -1)
    moved = to_opencv_affine(np.column_stack([to_crop[:, :2], to_crop @ [x0, y0, 1]]))
    inside = cv2.warpAffine(filled, moved, (crop_px, crop_px))
    core, disc = (inside > 0.5).astype(np.uint8), _disc(_BORDER * size_px * float(np.hypot(*to_crop[0, :2])))
    border = cv2.dilate(core, disc) - cv2.erode(core, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return inside, border.astype(np.float32)


def _disc(radius_px: float) -> UInt8[np.ndarray, "d d"]:
    side = 2 * max(1, round(radius_px)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _spread(places: Float[np.ndarray, "c h w"], share: Float[np.ndarray, "s s"]) -> Float[np.ndarray, "c"]:
    """Standard deviation of each channel over places that weigh by their share; alike where none has any."""
    weight = cv2.resize(share, places.shape[:0:-1], interpolation=cv2.INTER_AREA)
    if weight.sum() < _LEAST_SHARE:
        weight = np.ones_like(weight)
    weight = weight / weight.sum()
    mean = (places * weight).sum((1, 2), keepdims=True)
    return np.sqrt(((places - mean) ** 2 * weight).sum((1, 2)))


def square_around(
    landmarks_px: Float[np.ndarray, "k 2"],
    painted: Bool[np.ndarray, "h w"],
    origin_xy_px: tuple[int, int],
    toward_rad: float,
) -> OrientedSquare:
    """The square around a hand's landmarks and painted pixels.

    Args:
        landmarks_px: [K, 2] in the picture.
        painted: At least one pixel, in a window of the picture.
        origin_xy_px: Upper left corner of the window.
        toward_rad: Direction of the hand, as of ``OrientedSquare``.
    """
    rows, columns = np.nonzero(painted)
    corner = np.array(origin_xy_px, float)
    low = np.minimum(landmarks_px.min(0), corner + np.array([columns.min(), rows.min()]))
    high = np.maximum(landmarks_px.max(0), corner + np.array([columns.max() + 1, rows.max() + 1]))
    x, y = (low + high) / 2
    return OrientedSquare((float(x), float(y)), float((high - low).max()), toward_rad)


def open_comparison(folder: Path = PACKAGED) -> Comparison | None:
    """The packaged comparison, or None where its folder is missing.

    Raises:
        MissingModelError: The folder is there but incomplete or damaged.
    """
    return Comparison.load(folder) if folder.is_dir() else None
