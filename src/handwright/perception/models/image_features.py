"""Features of a network that knows photographs of everything: EfficientNet-Lite2, ImageNet weights, untuned.

Means over the picture of the outputs of blocks 15 and 18, 208 channels each, and the standard deviation over
the picture of the output of block 14, 120 channels; of these, the mean over the picture and its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.models.onnx_session import open_session

PACKAGED = Path(__file__).parents[2] / "weights" / "appearance"

SPREADS = 120  # Standard deviations of a picture

_MODEL, _OUTPUTS = "features.onnx", ("features", "spreads")


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """The network, loaded."""

    session: Any  # Of ONNX Runtime
    size_px: int  # Side of its crops

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> Self:
        """The network of a folder with ``features.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged, or an older one without spreads.
        """
        session, metadata = open_session(folder / _MODEL)
        if not set(_OUTPUTS) <= {output.name for output in session.get_outputs()}:
            why = f"it does not have the outputs {' and '.join(_OUTPUTS)}"
            raise MissingModelError(f"{folder / _MODEL} does not load", why, "install handwright again")
        return cls(session, int(metadata["size_px"]))

    def of_crops(self, crops: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, "n f"]:
        """Features of crops of ``size_px`` a side: the means."""
        return self.means_and_spreads(crops)[0]

    def means_and_spreads(
        self, crops: UInt8[np.ndarray, "n s s 3"]
    ) -> tuple[Float[np.ndarray, "n f"], Float[np.ndarray, "n c"]]:
        """Means and standard deviations over crops of ``size_px`` a side."""
        views = np.concatenate([crops, crops[:, :, ::-1]]).transpose(0, 3, 1, 2)
        batch = np.ascontiguousarray(views, np.float32) / np.float32(127.5) - np.float32(1)
        means, spreads = self.session.run(_OUTPUTS, {"crops": batch})
        return means.reshape(2, len(crops), -1).mean(0), spreads.reshape(2, len(crops), -1).mean(0)
