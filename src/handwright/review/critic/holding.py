"""Whether a hand holds a thing, by a linear classifier that learnt labelled hands of image generators.

The labels: docs/research/held_things.csv; the fit: scripts/fit_holding.py; what it finds and what it takes
for holding without cause: docs/research/holds.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.models.image_features import PACKAGED
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.upright_crops import OrientedSquare

FILE = "holding.json"

CONTEXTS = (1.4, 2.0)
"""Sides of the crops in hand sizes: held things lie beside the hand. Together they tell more than either
alone, or than narrower ones (docs/research/holds.md)."""


@dataclass(frozen=True, eq=False)
class Holding:
    """The features' network and the classifier, loaded."""

    features: RegionFeatures
    classifier: LinearClassifier
    limit: float  # P(holds a thing) from which a hand counts as holding one

    @classmethod
    def load(cls, features: RegionFeatures | None = None, folder: Path = PACKAGED) -> Holding:
        """What a folder with ``features.onnx`` and ``holding.json`` holds.

        Args:
            features: The network, where it is loaded already.
            folder: Of both files.

        Raises:
            MissingModelError: A file is missing or damaged.
        """
        classifier = LinearClassifier.load(folder / FILE)
        try:
            return cls(features or RegionFeatures.load(folder), classifier, float(classifier.about["limit"]))
        except (KeyError, TypeError, ValueError) as error:
            raise MissingModelError(
                f"{folder / FILE} has no limit", str(error), "install handwright again"
            ) from error

    def probability(self, pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> float:
        """P(holds a thing) of a hand of a picture, in [0, 1]."""
        read = holding_inputs(pixels, [region], self.features)
        return float(self.classifier.probability(read)[0])


def holding_inputs(
    pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare], features: RegionFeatures
) -> Float[np.ndarray, "n f"]:
    """What the classifier reads of at least one hand: means over a crop of each of ``CONTEXTS``."""
    return np.hstack([features.of_regions(pixels, regions, context) for context in CONTEXTS])
