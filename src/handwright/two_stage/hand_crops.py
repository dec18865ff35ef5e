"""Stage I's crops: a square around each hand, one for two hands that meet, and the depth of what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.depth import depth_control
from handwright.hand.kinematics import hand_landmarks_m
from handwright.two_stage.finger_heatmaps import finger_heatmaps
from handwright.types import Camera, Hand, HandFit, Side, Window

CROP_PER_BOX = 1.6
"""Side of a crop over the longer side of its hands' box, as in HandRefiner's published crops."""

_MEET = 1.1  # Boxes grown by this factor that touch share one crop


@dataclass(frozen=True, eq=False)
class HandCrop:
    """One square of stage I."""

    sides: tuple[Side, ...]  # The hands in it
    window: Window  # Where it is in the picture, which it may leave
    hands: tuple[Hand, ...]  # The fitted hands in the crop's own frame, at ``resolution``
    resolution: int  # Pixels along each side as it is made

    @property
    def depth(self) -> UInt8[np.ndarray, "r r"]:
        """The depth control image of its hands."""
        return depth_control(list(self.hands), self.resolution, self.resolution).depth

    @property
    def finger_heatmaps(self) -> Float[np.ndarray, "10 r r"]:
        """What stage I's own network reads of its hands."""
        points: dict[Side, Float[np.ndarray, "21 2"]] = {
            side: hand.camera.project(hand_landmarks_m(hand))
            for side, hand in zip(self.sides, self.hands, strict=True)
        }
        return finger_heatmaps(points, self.resolution)


def hand_crops(fits: Mapping[Side, HandFit], resolution: int) -> list[HandCrop]:
    """Cut the crops of stage I.

    Args:
        fits: The fitted hands, in the picture.
        resolution: Side of the pictures that the network makes, pixels.
    """
    groups: list[tuple[Side, ...]] = [(side,) for side in fits]
    if len(groups) == 2 and _meet(*(fit.landmarks_px for fit in fits.values())):
        groups = [tuple(fits)]
    crops: list[HandCrop] = []
    for group in groups:
        points = np.concatenate([fits[side].landmarks_px for side in group])
        low, high = points.min(0), points.max(0)
        side_px = max(int(np.ceil(CROP_PER_BOX * float((high - low).max()))), 8)
        left, top = (int(v) for v in np.round((low + high - side_px) / 2))
        scale = resolution / side_px
        hands = tuple(_moved(fits[side].hand, left, top, scale) for side in group)
        crops.append(HandCrop(group, (left, top, left + side_px, top + side_px), hands, resolution))
    return crops


def hands_mask(fits: Mapping[Side, HandFit], width: int, height: int) -> Bool[np.ndarray, "h w"]:
    """Where the fitted hands are in the picture: the initial mask."""
    return depth_control([fit.hand for fit in fits.values()], height, width).hand_id >= 0


def _moved(hand: Hand, left: int, top: int, scale: float) -> Hand:
    """A hand in the frame of a crop of its picture."""
    x, y = hand.camera.center_px
    return replace(hand, camera=Camera(hand.camera.focal_px * scale, ((x - left) * scale, (y - top) * scale)))


def _meet(one: Float[np.ndarray, "21 2"], other: Float[np.ndarray, "21 2"]) -> bool:
    (low, high), (low2, high2) = (_grown(points) for points in (one, other))
    return bool(((low < high2) & (low2 < high)).all())


def _grown(points: Float[np.ndarray, "21 2"]) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    middle, half = (points.min(0) + points.max(0)) / 2, _MEET * np.ptp(points, axis=0) / 2
    return middle - half, middle + half
