"""The steps of one inpainting as a strip of pictures: what the network saw, and what it made of it."""

import numpy as np
from jaxtyping import UInt8

from handwright.handrefiner.network import InpaintRequest, InpaintResult
from handwright.handrefiner.square import picture_at

MOST_STEPS = 10  # Columns of steps in a strip, at most

_TILE_PX = 192
_GAP_PX = 4


def chosen_steps(count: int) -> list[int]:
    """Indices of at most ``MOST_STEPS`` of ``count`` steps, evenly from the first to the last."""
    return sorted({round(k) for k in np.linspace(0, count - 1, min(count, MOST_STEPS)).tolist()})


def steps_strip(request: InpaintRequest, result: InpaintResult) -> UInt8[np.ndarray, "h w 3"]:
    """Two rows: control image and the noisy picture of each step; mask and the predicted picture of each."""
    side = min(request.picture.shape[0], _TILE_PX)
    control = np.repeat(request.control[..., None], 3, axis=2)
    mask = np.repeat(request.mask[..., None], 3, axis=2) * np.uint8(255)
    upper = [control, *(step.noisy for step in result.steps)]
    lower = [mask, *(step.predicted for step in result.steps)]
    strip = np.full((2 * side + _GAP_PX, len(upper) * (side + _GAP_PX) - _GAP_PX, 3), 255, np.uint8)
    for top, row in ((0, upper), (side + _GAP_PX, lower)):
        for column, tile in enumerate(row):
            left = column * (side + _GAP_PX)
            strip[top : top + side, left : left + side] = picture_at(tile, side)
    return strip
