"""Whether a hand looks malformed, by a classifier that learnt hands of image generators.

It reads features of a network that knows photographs of everything (``image_features``): what is in the
middle of the hand, and how unlike each other the places of that and of the whole hand are; and how steadily
the landmark network follows the hand (``landmark_stability``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.models.image_features import PACKAGED
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.landmark_stability import landmark_stability
from handwright.review.critic.prediction import APPEARANCE, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.threads import both

FILE = f"{APPEARANCE}.json"

WHOLE = 1.1
"""Side in hand sizes of the crop that shows the whole hand; of its features only the spreads are read. Of .7,
1.1 and 1.5 it tells most (weights/appearance/README.md)."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """The networks and the classifier, loaded."""

    features: RegionFeatures
    classifier: LinearClassifier
    landmarker: Landmarker

    def inputs(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> Float[np.ndarray, "n f"]:
        """What the classifier reads of at least one hand of a picture."""
        return appearance_inputs(pixels, regions, self.features, self.landmarker, self.classifier.context)

    def judge(
        self,
        pixels: UInt8[np.ndarray, "h w 3"],
        regions: Sequence[OrientedSquare],
        predictions: Sequence[CriticPrediction],
    ) -> list[CriticPrediction]:
        """The critic's predictions for these hands with P(looks malformed) added."""
        if not regions:
            return []
        probabilities = self.classifier.probability(self.inputs(pixels, regions))
        return [replace(one, appearance=float(p)) for one, p in zip(predictions, probabilities, strict=True)]


def appearance_inputs(
    pixels: UInt8[np.ndarray, "h w 3"],
    regions: Sequence[OrientedSquare],
    features: RegionFeatures,
    landmarker: Landmarker,
    context: float,
) -> Float[np.ndarray, "n f"]:
    """What is read of each hand.

    Means and spreads of a crop ``context`` hand sizes wide, spreads of one of ``WHOLE``, landmark stability.
    """

    def image() -> Float[np.ndarray, "n i"]:
        means, spreads = features.means_and_spreads_of_regions(pixels, regions, context)
        _, of_whole = features.means_and_spreads_of_regions(pixels, regions, WHOLE)
        return np.hstack([means, spreads, of_whole])

    return np.hstack(both(image, lambda: landmark_stability(pixels, regions, landmarker)))


def open_appearance(landmarker: Landmarker, folder: Path = PACKAGED) -> Appearance | None:
    """The packaged classifier, or None where its folder is missing.

    Raises:
        MissingModelError: The folder is there but incomplete or damaged.
    """
    if not folder.is_dir():
        return None
    return Appearance(RegionFeatures.load(folder), LinearClassifier.load(folder / FILE), landmarker)
