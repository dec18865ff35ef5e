"""What the proposal network should say of a picture whose hands are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

SPREAD = 0.1  # Sigma of the heat around a hand's middle, in sizes of the hand

_LEAST_SPREAD, _SHARPENED = 0.7, 3
_NEAR = 0.5  # Cells with at least this heat say where, how large and which way


@dataclass(frozen=True, eq=False)
class Targets:
    """Maps of S/8 × S/8 cells, as :class:`handwright.training.networks.proposals.ProposalMaps` has them."""

    heat: Float[np.ndarray, "h h"]  # float32 [H, H] 1 in the cell of a hand's middle, falling off around it
    # float32 [H, H] how much each cell must say that a hand is there; 1 in all a hand. Where exactly a large
    # hand's middle is, nobody can tell: several cells share it.
    here: Float[np.ndarray, "h h"]
    log_size: Float[np.ndarray, "h h"]  # float32 [H, H]
    direction: Float[np.ndarray, "2 h h"]  # float32 [2, H, H]
    offset: Float[np.ndarray, "2 h h"]  # float32 [2, H, H]
    near: Float[np.ndarray, "h h"]  # float32 [H, H] how much size and offset count
    directed: Float[np.ndarray, "h h"]  # float32 [H, H] how much the direction counts


def target_maps(
    hands: Float[np.ndarray, "n 21 2"], directed: Bool[np.ndarray, "n"], size_px: int, stride: int = 8
) -> Targets:
    """The maps of a square picture.

    Args:
        hands: Landmarks in its pixels; a middle outside is taken for the border's cell.
        directed: Which way each points is known.
        size_px: Side of the picture.
        stride: Pixels a cell.
    """
    side = size_px // stride
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    heat, here, log_size = (np.zeros((side, side), np.float32) for _ in range(3))
    direction, offset = np.zeros((2, side, side), np.float32), np.zeros((2, side, side), np.float32)
    knows = np.zeros((side, side), np.float32)
    for points, is_directed in zip(hands, directed, strict=True):
        low, high = points.min(0), points.max(0)
        x, y = np.clip((low + high) / 2, 0, size_px - 1e-3) / stride
        extent = float((high - low).max())
        spread = max(_LEAST_SPREAD, SPREAD * extent / stride)
        away = (columns - np.floor(x)) ** 2 + (rows - np.floor(y)) ** 2
        own = np.exp(-away / (2 * spread**2))
        wins = own > heat
        along = points[9] - points[0]
        along = along / max(float(np.hypot(*along)), 1e-6)
        heat = np.where(wins, own, heat)
        inner = own**_SHARPENED
        here += inner / inner.sum()
        log_size[wins] = np.log(extent / size_px)
        direction[:, wins] = along[:, None]
        offset[0][wins], offset[1][wins] = (x - columns - 0.5)[wins], (y - rows - 0.5)[wins]
        knows[wins] = is_directed
    near = np.where(heat >= _NEAR, heat, 0).astype(np.float32)
    return Targets(
        heat.astype(np.float32), here.astype(np.float32), log_size, direction, offset, near, near * knows
    )
