"""Features of hands by a network that knows photographs of everything, and linear classifiers that read them.

Nothing of the network was tuned: on hands of image generators a linear classifier of its features tells more
than a network that saw rendered hands alone (weights/appearance/README.md).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import DataError, MissingModelError
from handwright.image.atomic_write import write_atomically
from handwright.perception.models.image_features import ImageFeatures
from handwright.review.calibration.calibration import Head, sigmoid
from handwright.review.critic.upright_crops import OrientedSquare, crop_transform, upright_crop

SCHEMA = "handwright/linear-classifier-1"


class RegionFeatures(ImageFeatures):
    """The network, loaded, for squares around hands."""

    def of_regions(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare], context: float
    ) -> Float[np.ndarray, "n f"]:
        """Means over squares of a picture, at least one, ``context`` hand sizes wide (``of_crops``)."""
        return self.of_crops(self._crops(pixels, regions, context))

    def means_and_spreads_of_regions(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare], context: float
    ) -> tuple[Float[np.ndarray, "n f"], Float[np.ndarray, "n c"]]:
        """Means and standard deviations over such squares, as they are (``means_and_spreads``)."""
        return self.means_and_spreads(self._crops(pixels, regions, context))

    def _crops(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare], context: float
    ) -> UInt8[np.ndarray, "n s s 3"]:
        size = self.size_px
        crops = [upright_crop(pixels, crop_transform(one, size, context), size) for one in regions]
        return np.stack(crops)


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearClassifier:
    """A softmax regression: logits = features · weights + biases."""

    classes: tuple[str, ...]
    weights: Float[np.ndarray, "f c"]
    biases: Float[np.ndarray, "c"]
    context: float  # Side of the crops in hand sizes
    calibration: Head  # From log odds of the first class to its probability
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])  # What it was fitted on, JSON-ready

    def log_odds(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n"]:
        """Logarithm of the odds of the first class against all others."""
        logits = features.astype(np.float64) @ self.weights + self.biases
        return logits[:, 0] - np.logaddexp.reduce(logits[:, 1:], axis=1)

    def probability(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, "n"]:
        """Calibrated probability of the first class."""
        return sigmoid(self.calibration.scale * self.log_odds(features) + self.calibration.bias)

    @classmethod
    def load(cls, path: Path) -> LinearClassifier:
        """A classifier from the file that ``save`` writes.

        Raises:
            MissingModelError: It is missing or damaged.
        """
        try:
            entry = json.loads(path.read_text("utf-8"))
            if entry["schema"] != SCHEMA:
                raise ValueError(f'it has no "schema": "{SCHEMA}"')
            weights, biases = np.array(entry["weights"], np.float64), np.array(entry["biases"], np.float64)
            if weights.shape[1:] != biases.shape or biases.shape != (len(entry["classes"]),):
                raise ValueError("its weights have the wrong shape")
            if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
                raise ValueError("its weights are no finite numbers")
            return cls(
                classes=tuple(map(str, entry["classes"])),
                weights=weights,
                biases=biases,
                context=float(entry["context"]),
                calibration=Head(float(entry["scale"]), float(entry["bias"])),
                about=dict(entry["about"]),
            )
        except (DataError, OSError, ValueError, KeyError, TypeError) as error:
            raise MissingModelError(
                f"{path} does not load", str(error), "install handwright again"
            ) from error

    def save(self, path: Path) -> None:
        """Write it as JSON; weights keep six digits.

        Raises:
            OutputError: It cannot be written.
        """
        entry = {
            "schema": SCHEMA,
            "classes": self.classes,
            "context": self.context,
            "scale": self.calibration.scale,
            "bias": self.calibration.bias,
            "about": dict(self.about),
            "biases": [float(f"{value:.6g}") for value in self.biases],
            "weights": [[float(f"{value:.6g}") for value in row] for row in self.weights],
        }
        text = json.dumps(entry, allow_nan=False) + "\n"
        write_atomically(path, lambda file: file.write(text.encode("utf-8")))
