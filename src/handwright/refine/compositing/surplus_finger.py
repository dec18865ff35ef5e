"""The finger that is too many: where it lies in the old hand, and the picture without it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.drawing.fill.background import background_sources, fill_uncovered_background
from handwright.hand.rig import dilated, opened
from handwright.types import HandRegion


@dataclass(frozen=True, kw_only=True)
class SurplusFingerParams:
    """When a part of the old hand is the finger that the critic marks; chosen by eye on rendered hands.

    Lengths are in spans, the distance from wrist to knuckles, areas in squares of it.
    """

    palm_radius: float = 0.27  # Of a disc that fits into the palm and into no finger
    least_radius: float = 0.04  # Of one that fits into what counts as a finger
    min_marked: float = 0.5  # Least share of the marks that lies on the finger
    min_share: float = 0.25  # Least share of the finger that is marked
    area: tuple[float, float] = (0.03, 0.35)  # Of a finger, least and most: two that touch are larger
    rim: float = 0.06  # How far the fill goes beyond the finger


PARAMS = SurplusFingerParams()


def surplus_finger(region: HandRegion, marked: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"] | None:
    """The whole finger that the critic's map marks in part, bool [h, w]; None where no single one is marked.

    Args:
        region: The old hand.
        marked: Skin that no regular hand has, by the critic.
    """
    span, skin = region.span_px, region.inside | marked
    fingers = skin & ~opened(skin, max(2.0, PARAMS.palm_radius * span))
    apart = opened(fingers, max(1.0, PARAMS.least_radius * span))
    _, pieces = cv2.connectedComponents(apart.astype(np.uint8))
    sizes = np.bincount(pieces[marked], minlength=2)
    most = int(sizes[1:].argmax()) + 1
    finger = pieces == most
    low, high = PARAMS.area
    if not low * span**2 <= finger.sum() <= high * span**2:
        return None
    plain = sizes[most] >= PARAMS.min_marked * marked.sum()
    return finger if plain and marked[finger].mean() >= PARAMS.min_share else None


def without_finger(
    crop: UInt8[np.ndarray, "h w 3"], region: HandRegion, finger: Bool[np.ndarray, "h w"], seed: int
) -> UInt8[np.ndarray, "h w 3"]:
    """The crop with background where that finger was."""
    hole = dilated(finger, max(2.0, PARAMS.rim * region.span_px)) & ~(region.inside & ~finger)
    sources = background_sources(crop, region.inside | finger | hole, region)
    return fill_uncovered_background(crop, hole, sources, seed)
