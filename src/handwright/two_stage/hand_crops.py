"""Stage I's crops: a square around each hand, one for two hands that meet, and the depth of what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.depth import depth_control, hand_coverage
from handwright.hand.kinematics import hand_in_window, hand_landmarks_px
from handwright.perception.body.body_pose import boxes_meet
from handwright.two_stage.networks.finger_heatmaps import finger_heatmaps
from handwright.types import Box, Hand, HandFit, Side, Window

CROP_PER_BOX = 1.6
"""Side of a crop over the longer side of its hands' box, as in HandRefiner's published crops."""

LEAST_SHARE = 0.5
"""Least side of a crop that lies on stage II's latents, in that stage's squares: networks paint badly at much
smaller squares than they were trained at; chosen by eye."""


@dataclass(frozen=True)
class LatentGrid:
    """Stage II's latents in the picture, for crops of stage I whose latents are to be among them."""

    pitch_px: float  # Pixels of the picture along each side of a latent
    pixels: int  # Pixels of the network along each side of a latent
    cells: int  # Latents along each side of stage II's square
    unit: int  # Crops have multiples of so many latents a side, as the network halves them


@dataclass(frozen=True, eq=False)
class HandCrop:
    """One square of stage I."""

    sides: tuple[Side, ...]  # The hands in it
    window: Window  # Where it is in the picture, which it may leave
    hands: tuple[Hand, ...]  # The hands in the crop's own frame, at ``resolution``
    resolution: int  # Pixels along each side as it is made
    corner: tuple[int, int] | None = None  # Its first latent among stage II's, x, y; None: it is not on them

    @property
    def depth(self) -> UInt8[np.ndarray, "r r"]:
        """The depth control image of its hands."""
        return depth_control(list(self.hands), self.resolution, self.resolution).depth

    @property
    def cover(self) -> Float[np.ndarray, "r r"]:
        """How far its hands, which end at the wrist, cover each pixel, from 0 to 1."""
        return hand_coverage(self.hands, self.resolution, self.resolution).astype(np.float64)

    @property
    def finger_heatmaps(self) -> Float[np.ndarray, "10 r r"]:
        """What stage I's own network reads of its hands."""
        points: dict[Side, Float[np.ndarray, "21 2"]] = {
            side: hand_landmarks_px(hand) for side, hand in zip(self.sides, self.hands, strict=True)
        }
        return finger_heatmaps(points, self.resolution)


def holds_middle(crop: HandCrop, box: Box) -> bool:
    """Whether the middle of a box lies in a crop's window."""
    x0, y0, x1, y1 = crop.window
    left, top, right, bottom = box
    return x0 <= (left + right) / 2 < x1 and y0 <= (top + bottom) / 2 < y1


def hand_crops(
    fits: Mapping[Side, HandFit], resolution: int, grid: LatentGrid | None = None, *, together: bool = True
) -> list[HandCrop]:
    """Cut the crops of stage I.

    Args:
        fits: The fitted hands, in the picture.
        resolution: Side of the pictures that the network makes, pixels.
        grid: Where stage II's latents are: each crop then covers whole latents of it, inside the picture's
            square and at its scale, so that stage I's latents are stage II's; None: each is ``resolution``
            pixels large.
        together: Two hands whose boxes meet share one crop, as published; False: each has one of its own.
    """
    groups: list[tuple[Side, ...]] = [(side,) for side in fits]
    if together and len(groups) == 2 and boxes_meet(*(fit.landmarks_px for fit in fits.values())):
        groups = [tuple(fits)]
    crops: list[HandCrop] = []
    for group in groups:
        points = np.concatenate([fits[side].landmarks_px for side in group])
        hands = tuple(fits[side].hand for side in group)
        crops.append(
            _free(group, hands, points, resolution) if grid is None else _aligned(group, hands, points, grid)
        )
    return crops


def _free(
    group: tuple[Side, ...], hands: tuple[Hand, ...], points: Float[np.ndarray, "k 2"], resolution: int
) -> HandCrop:
    low, high = points.min(0), points.max(0)
    side_px = max(int(np.ceil(CROP_PER_BOX * float((high - low).max()))), 8)
    left, top = (int(v) for v in np.round((low + high - side_px) / 2))
    moved = tuple(hand_in_window(hand, left, top, resolution / side_px) for hand in hands)
    return HandCrop(group, (left, top, left + side_px, top + side_px), moved, resolution)


def _aligned(
    group: tuple[Side, ...], hands: tuple[Hand, ...], points: Float[np.ndarray, "k 2"], grid: LatentGrid
) -> HandCrop:
    low, high = points.min(0) / grid.pitch_px, points.max(0) / grid.pitch_px
    wanted = max(CROP_PER_BOX * float((high - low).max()), LEAST_SHARE * grid.cells)
    cells = min(int(np.ceil(wanted / grid.unit)) * grid.unit, grid.cells)
    left, top = (int(v) for v in np.clip(np.round((low + high - cells) / 2), 0, grid.cells - cells))
    edges = [round(cell * grid.pitch_px) for cell in (left, top, left + cells, top + cells)]
    scale = grid.pixels / grid.pitch_px
    moved = tuple(hand_in_window(hand, left * grid.pitch_px, top * grid.pitch_px, scale) for hand in hands)
    window = (edges[0], edges[1], edges[2], edges[3])
    return HandCrop(group, window, moved, cells * grid.pixels, (left, top))
