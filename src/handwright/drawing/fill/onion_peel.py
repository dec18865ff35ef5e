"""Onion-peel initialisation: a small hole painted from its rim inwards, each pixel from its best patch."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Int

from handwright.drawing.fill.patchmatch import RADIUS
from handwright.drawing.fill.pyramid import Level

_MOST_EXEMPLARS = 500
"""Source patches that are compared; more cost time, and the search replaces them anyway."""

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def onion_peel(
    level: Level, nearness: float, seed: int
) -> tuple[Float[np.ndarray, "h w 3"], Int[np.ndarray, "h w 2"]]:
    """Fill the unknown pixels layer by layer like peeling an onion; edges that reach the rim are carried on.

    Args:
        level: The coarsest level; the work grows with its unknown pixels times its source patches.
        nearness: Price of a squared pixel of distance between target and source, in squared levels.
        seed: Draws the exemplars when there are more than can be compared with.

    Returns:
        float32 [H, W, 3] the painted picture, and int32 [H, W, 2] row and column of each target's source.

    Source:
        Newson et al., Video Inpainting of Complex Scenes (2014), §3.3 (onion peel initialisation).
    """
    centres = np.argwhere(level.centres).astype(np.int32)
    if len(centres) > _MOST_EXEMPLARS:
        centres = np.random.default_rng(seed).permutation(centres)[:_MOST_EXEMPLARS]
    picture = np.where(level.unknown[..., None], 0, level.picture).astype(np.float32)
    field = np.zeros((*level.unknown.shape, 2), np.int32)
    exemplars = _patches(level.picture, centres)
    squares = (exemplars * exemplars).reshape(len(centres), 3, -1).sum(1)
    known = (level.known > 0.5).astype(np.uint8)
    left = level.unknown.copy()
    while left.any():
        layer = left & (cv2.dilate(known, _CROSS) > 0)
        targets = np.argwhere(layer if layer.any() else left)
        compared = _patches(known[..., None].astype(np.float32), targets)
        distance = _masked_distances(exemplars, squares, _patches(picture, targets), compared)
        away = ((centres[:, None] - targets[None]) ** 2).sum(-1)
        best = centres[(distance + nearness * away).argmin(0)]
        rows, columns = targets.T
        picture[rows, columns] = level.picture[best[:, 0], best[:, 1]]
        field[rows, columns] = best
        known[rows, columns] = 1
        left[rows, columns] = False
    return picture, field


def _patches(picture: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Patches around [N, 2] centres, each flattened channel by channel: [N, C · side²]."""
    side = 2 * RADIUS + 1
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(0, 1))
    return windows[centres[:, 0] - RADIUS, centres[:, 1] - RADIUS].reshape(len(centres), -1)


def _masked_distances(
    exemplars: np.ndarray, squares: np.ndarray, patches: np.ndarray, compared: np.ndarray
) -> np.ndarray:
    """Mean squared differences [exemplars, patches] over the compared pixels; Σ patch² is left out.

    ``squares`` [exemplars, side²] are the exemplars' squares, summed over the channels.
    """
    different = squares @ compared.T - 2.0 * exemplars @ (patches * np.tile(compared, (1, 3))).T
    return different / np.maximum(compared.sum(1), 1.0)
