"""From what a user writes after ``--extractor`` to an extractor.

'rand-v1' needs no weights and no torch: random filters separate distributions, but their distances are not
those that people perceive. Never compare its figures with those of a trained network.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import UsageError
from handwright.metrics.extractors.features import FeatureExtractor

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
    around: Any = ((0, 0), (1, 1), (1, 1), (0, 0))
    wide = np.pad(maps, around, mode="edge")
    shifted = [wide[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.concatenate(shifted, -1)


EXTRACTORS = (
    "hw-v2", "imagenet", "referee-v1", "hw:DIR", "clip-hw-v1", "inception:FILE[@64|192|768|2048]",
    "clip:DIR or clip:OWNER/NAME", "rand-v1",
)  # fmt: skip
"""What may be written."""


def open_extractor(text: str) -> FeatureExtractor:
    """The extractor of that name; torch is imported only for those that need it.

    Args:
        text: 'hw-v2' (ours, embedded), 'imagenet' (EfficientNet-Lite2, embedded), 'referee-v1' (of hand
            crops: what the second critic sees),
            'clip-hw-v1' (ours, which also reads captions),
            'hw:DIR' (a folder that ``handwright train features`` made),
            'inception:FILE' with an optional '@LAYER' (FID's Inception-v3 of 2015, FILE local or
            OWNER/NAME/FILE on the hub), 'clip:DIR' or 'clip:OWNER/NAME', or 'rand-v1' (fixed random filters,
            no weights).

    Raises:
        UsageError: There is none of that name.
        MissingModelError: Its weights are missing or not what they should be.
        MissingPackageError: torch or transformers is not installed.
    """
    name, _, argument = text.partition(":")
    match name, bool(argument):
        case ("hw-v2", False) | ("hw", True):
            from handwright.metrics.extractors.embedded import FOLDER, EmbeddedExtractor

            return EmbeddedExtractor(Path(argument) if argument else FOLDER)
        case "imagenet", False:
            from handwright.metrics.extractors.imagenet import ImageNetExtractor

            return ImageNetExtractor()
        case "referee-v1", False:
            from handwright.metrics.extractors.referee import RefereeExtractor

            return RefereeExtractor()
        case ("clip-hw-v1", False) | ("clip", True):
            from handwright.metrics.extractors.clip import FOLDER, ClipExtractor

            return ClipExtractor(argument) if argument else ClipExtractor(FOLDER, name)
        case "inception", True:
            from handwright.metrics.extractors.inception import InceptionExtractor

            file, _, layer = argument.partition("@")
            return InceptionExtractor(file, layer or "2048")
        case "rand-v1", False:
            return RandomFilters()
        case _:
            raise UsageError(f"--extractor {text} is none", "", f"choose one of: {'; '.join(EXTRACTORS)}")
