"""Features of a network that knows photographs of everything: EfficientNet-Lite2, ImageNet weights, untuned.

Means over the picture of the outputs of blocks 15 and 18, 208 channels each, the standard deviation over the
picture of the output of block 14, 120 channels, and the outputs of some blocks place by place.
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

MAP_BLOCKS = (6, 10, 14, 18)
"""Blocks whose outputs can be had place by place: 28², 14², 14², 7² places of 48, 88, 120, 208 channels."""

MAPS = tuple(f"block_{number}" for number in MAP_BLOCKS)  # Their names in the file

_MODEL, _OUTPUTS = "features.onnx", ("features", "spreads", *MAPS)


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """The network, loaded."""

    session: Any  # Of ONNX Runtime
    size_px: int  # Side of its crops

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> Self:
        """The network of a folder with ``features.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged, or an older one without all outputs.
        """
        session, metadata = open_session(folder / _MODEL)
        if not set(_OUTPUTS) <= {output.name for output in session.get_outputs()}:
            why = f"it does not have the outputs {' and '.join(_OUTPUTS)}"
            raise MissingModelError(f"{folder / _MODEL} does not load", why, "install handwright again")
        return cls(session, int(metadata["size_px"]))

    def of_crops(self, crops: UInt8[np.ndarray, "n s s 3"]) -> Float[np.ndarray, "n f"]:
        """Means over crops of ``size_px`` a side, averaged with those of their mirror images."""
        (means,) = self._run(_OUTPUTS[:1], _with_mirror_images(crops))
        return means.reshape(2, len(crops), -1).mean(0)

    def means_and_spreads(
        self, crops: UInt8[np.ndarray, "n s s 3"]
    ) -> tuple[Float[np.ndarray, "n f"], Float[np.ndarray, "n c"]]:
        """Means and standard deviations over crops of ``size_px`` a side, as they are.

        With their mirror images they would take twice the time and tell no more of a hand
        (weights/appearance/README.md).
        """
        means, spreads = self._run(_OUTPUTS[:2], crops)
        return means, spreads

    def means_and_maps(
        self, crops: UInt8[np.ndarray, "n s s 3"]
    ) -> tuple[Float[np.ndarray, "n f"], tuple[Float[np.ndarray, "n c h w"], ...]]:
        """Means over crops of ``size_px`` a side and the outputs of ``MAP_BLOCKS``, averaged likewise."""
        means, *maps = self._run(("features", *MAPS), _with_mirror_images(crops))
        count = len(crops)
        both = tuple((one[:count] + one[count:, :, :, ::-1]) / 2 for one in maps)
        return means.reshape(2, count, -1).mean(0), both

    def _run(self, outputs: tuple[str, ...], crops: UInt8[np.ndarray, "n s s 3"]) -> list[np.ndarray]:
        planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32)
        batch = planes / np.float32(127.5) - np.float32(1)
        return self.session.run(list(outputs), {"crops": batch})


def _with_mirror_images(crops: UInt8[np.ndarray, "n s s 3"]) -> UInt8[np.ndarray, "m s s 3"]:
    return np.concatenate([crops, crops[:, :, ::-1]])
