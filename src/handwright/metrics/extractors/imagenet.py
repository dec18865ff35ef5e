"""Features of a network that learnt photographs of everything, and nothing of ours."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.models.image_features import PACKAGED, ImageFeatures


class ImageNetExtractor:
    """EfficientNet-Lite2 with its ImageNet weights, of whole pictures, stretched to its size; needs no torch.

    The same network, cut around hands, is what the review's appearance reads: on pictures that the review has
    chosen among, its distances are not blind.

    Raises:
        MissingModelError: It is missing or damaged.
    """

    name = "imagenet-lite2"

    def __init__(self, folder: Path = PACKAGED) -> None:
        self._network = ImageFeatures.load(folder)

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """float32 [N, 416] of pictures of any size."""
        return np.concatenate([self._network.of_crops(self._sized(one)[None]) for one in pictures])

    def _sized(self, picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "s s 3"]:
        side = self._network.size_px
        smaller = min(picture.shape[:2]) > side
        interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(picture, (side, side), interpolation=interpolation), np.uint8)
