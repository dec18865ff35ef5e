"""Large hands are drawn at a bounded size and enlarged: beyond it the skin holds no more detail."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.layer_assignment import Layers
from handwright.types import HandRegion


@dataclass(frozen=True, kw_only=True)
class WorkingResolutionParams:
    """Numbers of ``to_working_resolution``."""

    # Hand size in pixels that larger hands are drawn at: the baked skin holds no finer detail
    longest_px: float = 448.0
    slack: float = 1.1  # Hands up to so many times that size are drawn at their own


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkingCrop:
    """A crop at the size that its hand is drawn at."""

    crop: UInt8[np.ndarray, "h w 3"]  # uint8 [h', w', 3]
    landmarks_px: Float[np.ndarray, "21 2"]  # [21, 2] in it
    region: HandRegion  # The old hand in it
    full: tuple[int, int]  # Height and width of the crop as it came

    @property
    def step(self) -> float:
        """Pixels of the crop per pixel here, ≥ 1."""
        return self.full[1] / self.crop.shape[1]

    def blur(self, sigma_px: float) -> float:
        """Blur to draw with here, so that enlarging it gives ``sigma_px``."""
        if self.crop.shape[:2] == self.full:
            return sigma_px
        return float(np.sqrt(max(sigma_px**2 - self.step**2 / 6, 0.0))) / self.step

    def enlarge(self, picture: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*m"]:
        """A float picture from here at the crop's size."""
        if picture.shape[:2] == self.full:
            return picture
        return cv2.resize(picture, self.full[::-1], interpolation=cv2.INTER_LINEAR)

    def enlarge_mask(self, mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h2 w2"]:
        """A mask from here at the crop's size."""
        return mask if mask.shape == self.full else self.enlarge(mask.astype(np.float32)) > 0.5

    def enlarge_layers(self, layers: Layers) -> Layers:
        """Layers from here at the crop's size."""
        return Layers(
            **{
                name: self.enlarge_mask(share) if share.dtype == np.bool_ else self.enlarge(share)
                for name, share in vars(layers).items()
            }
        )


def mask_box(mask: Bool[np.ndarray, "h w"], most_px: int | None) -> tuple[slice, slice]:
    """Rows and columns of a mask's bounding box, or of at most ``most_px`` of it around the mask's middle."""
    spans: list[slice] = []
    for axis in (1, 0):
        counts = mask.sum(axis)
        there = np.flatnonzero(counts)
        low, high = (int(there[0]), int(there[-1]) + 1) if len(there) else (0, len(counts))
        if most_px is not None and high - low > most_px:
            middle = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
            low = min(max(middle - most_px // 2, low), high - most_px)
            high = low + most_px
        spans.append(slice(low, high))
    return spans[0], spans[1]


def to_working_resolution(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks_px: Float[np.ndarray, "21 2"],
    region: HandRegion,
    params: WorkingResolutionParams = WorkingResolutionParams(),
) -> WorkingCrop:
    """The crop itself, or a smaller one when the hand in it is larger than ``longest_px``.

    Args:
        crop: uint8 [h, w, 3] sRGB.
        landmarks_px: [21, 2] observed landmarks in the crop.
        region: The old hand in the crop.
        params: Numbers of the method.
    """
    height, width = crop.shape[:2]
    factor = params.longest_px / max(float(np.ptp(landmarks_px, axis=0).max()), 1.0)
    if factor * params.slack >= 1:
        return WorkingCrop(crop=crop, landmarks_px=landmarks_px, region=region, full=(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    share = cv2.resize(region.inside.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = probability = None
    if region.certain is not None:
        known = cv2.resize(region.certain.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    if region.probability is not None:
        probability = cv2.resize(region.probability, size, interpolation=cv2.INTER_AREA)
    region = replace(
        region,
        inside=share > 0.5,
        span_px=region.span_px * factor,
        certain=known,
        probability=probability,
    )
    landmarks_px = landmarks_px * (np.array(size) / (width, height))
    return WorkingCrop(crop=small, landmarks_px=landmarks_px, region=region, full=(height, width))
