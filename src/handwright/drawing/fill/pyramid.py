"""The resolutions at which a hole is filled, and what is handed from one to the next."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.drawing.fill.patchmatch import RADIUS

PAD = 2 * RADIUS
"""Unknown pixels around every level, so that a hole may touch the picture's edge."""

_SQUARE = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)


@dataclass(frozen=True, kw_only=True)
class PyramidParams:
    """Numbers of ``build_pyramid``; by eye."""

    # Depth of the hole at which it is about as deep as a patch, and halving ends
    coarsest_depth_px: float = 8.0
    # Pixels to paint up to which halving may end: the coarsest level is searched exhaustively
    most_targets: int = 2500
    fewest_sources: int = 60  # Source patches that a level needs
    sources_per_target: float = 0.4  # Source patches that a level needs per pixel to paint
    known: float = 0.5  # Share of a coarse pixel that must be source for it to be one


@dataclass(frozen=True, eq=False, kw_only=True)
class Level:
    """One resolution of the problem, padded by ``PAD`` on every side."""

    picture: Float[np.ndarray, "h w 3"]  # float32 [H, W, 3] in 0..255; unknown pixels hold nothing of meaning
    # float32 [H, W] in [0, 1]: share of the pixel that is source; 0 where unknown
    known: Float[np.ndarray, "h w"]
    # bool [H, W]: to be painted: the hole, and within a patch of it whatever is no source
    unknown: Bool[np.ndarray, "h w"]
    centres: Bool[np.ndarray, "h w"]  # bool [H, W]: a patch of nothing but sources may be centred here
    targets: Int[np.ndarray, "n 2"]  # int32 [N, 2]: rows and columns of the unknown pixels, in raster order


def build_pyramid(
    picture: Float[np.ndarray, "h w 3"],
    hole: Bool[np.ndarray, "h w"],
    sources: Bool[np.ndarray, "h w"],
    params: PyramidParams = PyramidParams(),
) -> list[Level]:
    """Halved resolutions, finest first, down to where the hole is small and about a patch deep.

    Args:
        picture: float32 [H, W, 3] in 0..255.
        hole: bool [H, W], to be painted.
        sources: bool [H, W], to be copied from; disjoint from the hole.
        params: Numbers of the method.

    Returns:
        The levels on which there are enough whole source patches; empty if there are not even at full size.
    """
    levels: list[Level] = []
    wanted, known = hole.astype(np.float32), sources.astype(np.float32)
    while True:
        level = _level(picture, wanted > 0, known, params.known)
        if level.centres.sum() < max(params.fewest_sources, params.sources_per_target * len(level.targets)):
            break
        levels.append(level)
        depth = cv2.distanceTransform((wanted > 0).astype(np.uint8), cv2.DIST_L2, 3).max()
        if depth <= params.coarsest_depth_px and len(level.targets) <= params.most_targets:
            break
        mixed = _halved(picture * known[..., None])
        wanted, known = _halved(wanted), _halved(known)
        picture = mixed / np.maximum(known, 1e-3)[..., None]
    return levels


def enlarged_picture(picture: Float[np.ndarray, "h w 3"], level: Level) -> Float[np.ndarray, "h2 w2 3"]:
    """A coarser padded painting at the size of ``level``: blurred where unknown, its own elsewhere."""
    height, width = level.unknown.shape
    doubled = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    doubled = doubled[PAD : PAD + height, PAD : PAD + width]
    return np.where(level.unknown[..., None], doubled, level.picture)


def enlarged_field(field: Int[np.ndarray, "h w 2"], level: Level, seed: int) -> Int[np.ndarray, "h2 w2 2"]:
    """Each coarse match stands for four fine ones; those that are no source on ``level`` are drawn anew."""
    rows, columns = level.targets.T
    fine = field[(rows + PAD) // 2, (columns + PAD) // 2] * 2 - PAD
    fine += (level.targets + PAD) % 2
    bounded = np.clip(fine, 0, np.array(level.unknown.shape) - 1)
    lost = ~level.centres[bounded[:, 0], bounded[:, 1]] | (bounded != fine).any(axis=1)
    centres = np.argwhere(level.centres)
    fine[lost] = centres[np.random.default_rng(seed).integers(len(centres), size=np.count_nonzero(lost))]
    enlarged = np.zeros((*level.unknown.shape, 2), np.int32)
    enlarged[rows, columns] = fine
    return enlarged


def _halved(array: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels; an odd last row or column is repeated: pixel k holds 2k and 2k + 1."""
    size = ((array.shape[1] + 1) // 2, (array.shape[0] + 1) // 2)
    even = cv2.copyMakeBorder(array, 0, array.shape[0] % 2, 0, array.shape[1] % 2, cv2.BORDER_REPLICATE)
    return cv2.resize(even, size, interpolation=cv2.INTER_AREA)


def _level(picture: np.ndarray, hole: np.ndarray, known: np.ndarray, share: float) -> Level:
    border = (PAD, PAD, PAD, PAD)
    picture = cv2.copyMakeBorder(picture, *border, cv2.BORDER_REPLICATE)
    hole = cv2.copyMakeBorder(hole.astype(np.uint8), *border, cv2.BORDER_CONSTANT, value=0)
    known = cv2.copyMakeBorder(known, *border, cv2.BORDER_CONSTANT, value=0)
    sure = ((known >= share) & (hole == 0)).astype(np.uint8)
    unknown = (hole > 0) | ((cv2.dilate(hole, _SQUARE) > 0) & (sure == 0))
    return Level(
        picture=np.ascontiguousarray(picture, np.float32),
        known=np.where(unknown, 0, known).astype(np.float32),
        unknown=unknown,
        centres=cv2.erode(sure, _SQUARE, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0,
        targets=np.argwhere(unknown).astype(np.int32),
    )
