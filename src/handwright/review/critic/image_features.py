"""Features of a network that knows photographs of everything, and linear classifiers that read them.

The network is EfficientNet-Lite2 with its ImageNet weights, of which nothing was tuned: on hands of image
generators a linear classifier of its features tells more than a network that saw rendered hands alone
(weights/appearance/README.md). The features of a crop are the mean over the crop and its mirror image.
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
from handwright.perception.models.onnx_session import open_session
from handwright.review.calibration.calibration import Head, sigmoid
from handwright.review.critic.upright_crops import OrientedSquare, crop_transform, upright_crop

PACKAGED = Path(__file__).parents[2] / "weights" / "appearance"
SCHEMA = "handwright/linear-classifier-1"

_MODEL = "features.onnx"


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """The network, loaded."""

    session: Any  # Of ONNX Runtime
    size_px: int  # Side of its crops

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> ImageFeatures:
        """The network of a folder with ``features.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged.
        """
        session, metadata = open_session(folder / _MODEL)
        return cls(session, int(metadata["size_px"]))

    def of_crops(self, crops: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, "n f"]:
        """Features of crops of ``size_px`` a side."""
        views = np.concatenate([crops, crops[:, :, ::-1]]).transpose(0, 3, 1, 2)
        batch = np.ascontiguousarray(views, np.float32) / np.float32(127.5) - np.float32(1)
        (features,) = self.session.run(None, {"crops": batch})
        return features.reshape(2, len(crops), -1).mean(0)

    def of_regions(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare], context: float
    ) -> Float[np.ndarray, "n f"]:
        """Features of at least one square of a picture, ``context`` hand sizes wide."""
        size = self.size_px
        crops = [upright_crop(pixels, crop_transform(one, size, context), size) for one in regions]
        return self.of_crops(np.stack(crops))


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
