"""Whether a repainted hand looks worse than what it replaced, learnt from pairs that were judged blind.

The pairs and the answers: docs/research/repaint_pairs.csv; the fit: scripts/fit_comparison.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.perception.models.image_features import PACKAGED
from handwright.review.calibration.calibration import logit
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.upright_crops import OrientedSquare

FILE = "worse.json"

_CERTAIN = 1e-4  # Probabilities are clipped so far from 0 and 1; chosen by eye


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

    def worse(self, before: Version, after: Version, square: OrientedSquare) -> float:
        """Probability that viewers find the second version worse, in [0, 1].

        Args:
            before: The hand as it was.
            after: The hand repainted.
            square: Around the hand and all that was repainted; ``square_around`` makes it.
        """
        old, new = (
            self.features.of_regions(one.pixels, [square], self.classifier.context)[0]
            for one in (before, after)
        )
        read = inputs(old, new, before.malformed, after.malformed)
        return float(self.classifier.probability(read[None])[0])


def inputs(
    old: Float[np.ndarray, "f"], new: Float[np.ndarray, "f"], was: float, now: float
) -> Float[np.ndarray, "k"]:
    """What the classifier reads: features before, their change, log odds of P(malformed) and their change."""
    before, after = logit(np.clip([was, now], _CERTAIN, 1 - _CERTAIN))
    return np.concatenate([old, new - old, [before, after, after - before]])


def square_around(
    landmarks_px: Float[np.ndarray, "21 2"],
    painted: Bool[np.ndarray, "h w"],
    origin_xy_px: tuple[int, int],
    toward_rad: float,
) -> OrientedSquare:
    """The square around a hand's landmarks and painted pixels.

    Args:
        landmarks_px: In the picture.
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
