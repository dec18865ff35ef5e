"""'rand-v1': three layers of fixed random filters. No weights, no torch; sees texture and colour, not hands.

For tests, and for a first look where nothing else is at hand. Random filters do tell distributions apart, but
what they find near and far is not what people do: never compare its figures with those of a trained network.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

_SIDE_PX = 64
_WIDTHS = (16, 24, 32)
_SEED = 20_240_613


class RandomFilters:
    """Means and standard deviations of the channels of each layer: D = 144."""

    name = "rand-v1"

    def __init__(self) -> None:
        stream = np.random.PCG64(_SEED)
        self._layers: list[Float[np.ndarray, "c_in*9 c_out"]] = []
        channels = 3
        for width in _WIDTHS:
            fan_in = 9 * channels
            uniform = stream.random_raw(fan_in * width) / 2.0**63 - 1.0  # raw draws never change with NumPy
            self._layers.append((uniform * np.sqrt(6.0 / fan_in)).reshape(fan_in, width).astype(np.float32))
            channels = width

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """Features, float32 [N, 144]; pictures are stretched to 64 × 64 by area."""
        small = [cv2.resize(p, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA) for p in pictures]
        maps = np.stack(small).astype(np.float32) / 127.5 - 1.0
        features: list[Float[np.ndarray, "n c"]] = []
        for filters in self._layers:
            maps = np.maximum(_patches(maps) @ filters, 0.0)
            flat = maps.reshape(len(maps), -1, maps.shape[-1])
            features += [flat.mean(1), flat.std(1)]
            maps = (maps[:, ::2, ::2] + maps[:, 1::2, ::2] + maps[:, ::2, 1::2] + maps[:, 1::2, 1::2]) / 4
        return np.concatenate(features, 1)


def _patches(maps: Float[np.ndarray, "n h w c"]) -> Float[np.ndarray, "n h w c*9"]:
    """The 3 × 3 surroundings of every pixel, edges repeated."""
    height, width = maps.shape[1:3]
    wide = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    shifted = [wide[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.concatenate(shifted, -1)
