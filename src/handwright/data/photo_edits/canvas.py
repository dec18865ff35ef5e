"""What every edit is made of: erase and fill, cut a finger out, paste it, and match the grain."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.data.photo_edits.hand_crop import (
    FROM_WEB,
    HandCrop,
    erased_mask,
    finger_mask,
    first_bone_position,
)
from handwright.data.photo_edits.maps import Map, sample
from handwright.drawing.fill.background import fill_uncovered_background
from handwright.drawing.fill.push_pull import push_pull
from handwright.drawing.geometry.layer_assignment import smoothstep
from handwright.drawing.photo.grain import add_grain, measure_grain

_HALO = 0.035
"""How far around an erased part the background is filled, too, in hand spans: the soft edge goes."""


@dataclass(eq=False)
class Canvas:
    """A picture that is being edited."""

    crop: HandCrop  # The untouched hand
    pixels: Float[np.ndarray, "w w 3"]  # float32 [W, W, 3] as it is now
    hand: Float[np.ndarray, "w w"]  # float32 [W, W] share of hand and arm as it is now
    touched: Float[np.ndarray, "w w"]  # float32 [W, W] 1 where pixels are new
    # Of what is wrong by now, pixels
    boxes: list[tuple[float, float, float, float]] = field(
        default_factory=list[tuple[float, float, float, float]]
    )

    def mark(self, where: Bool[np.ndarray, "w w"]) -> None:
        """Note that something is wrong in these pixels."""
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        if len(rows):
            self.boxes.append((columns[0], rows[0], columns[-1] + 1.0, rows[-1] + 1.0))


@dataclass(frozen=True, eq=False)
class Piece:
    """A part that was cut out: colours that reach beyond its edge, and its share of each pixel."""

    colours: Float[np.ndarray, "w w 3"]  # float32 [W, W, 3]
    share: Float[np.ndarray, "w w"]  # float32 [W, W]
    # float32 [W, W] its opacity over other parts of the hand; None for 1
    fade: Float[np.ndarray, "w w"] | None = None


def new_canvas(crop: HandCrop) -> Canvas:
    """A canvas with the untouched picture."""
    blank = np.zeros(crop.soft_hand.shape, np.float32)
    return Canvas(crop, crop.pixels.copy(), crop.soft_hand.copy(), blank)


def cut_out(
    crop: HandCrop, share: Float[np.ndarray, "w w"], fade: Float[np.ndarray, "w w"] | None = None
) -> Piece:
    """Cut out a part of the hand (``share``), its colours extended so that none is mixed with background."""
    reach = max(1.0, 0.012 * crop.span)
    inside = cv2.distanceTransform(crop.region.inside.astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.flatnonzero((share > 0.01).any(1)), np.flatnonzero((share > 0.01).any(0))
    colours = crop.pixels.copy()
    if len(rows):
        pad = int(3 * reach) + 4
        box = np.s_[
            max(rows[0] - pad, 0) : rows[-1] + pad + 1, max(columns[0] - pad, 0) : columns[-1] + pad + 1
        ]
        colours[box] = push_pull(crop.pixels[box], (inside[box] > reach).astype(np.float32))
    return Piece(colours, share, fade)


def cut_out_finger(crop: HandCrop, number: int) -> Piece:
    """Cut out one finger that fades into the palm."""
    fade = smoothstep(*FROM_WEB, first_bone_position(crop, crop.fingers[number].chain))
    return cut_out(crop, finger_mask(crop, number, crop.soft_hand), fade)


def erase(canvas: Canvas, wanted: Float[np.ndarray, "w w"], seed: int) -> None:
    """Fill a soft mask with background; the rest of the hand stays untouched."""
    crop = canvas.crop
    halo = max(2, round(_HALO * crop.span))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * halo + 1, 2 * halo + 1))
    grown = cv2.dilate((wanted > 0.2).astype(np.uint8), disc) > 0
    kept = np.clip(canvas.hand - wanted, 0, 1)
    hole = grown & (kept < 0.5)
    filled = fill_uncovered_background(
        np.clip(canvas.pixels + 0.5, 0, 255).astype(np.uint8), hole, crop.sources & ~hole, seed
    )
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.8)
    soft = np.minimum(soft * 1.0, 1 - kept)
    canvas.pixels = canvas.pixels * (1 - soft[..., None]) + filled.astype(np.float32) * soft[..., None]
    canvas.hand = np.minimum(canvas.hand, kept)
    canvas.touched = np.maximum(canvas.touched, soft)


def erase_finger(canvas: Canvas, number: int, seed: int) -> None:
    """Erase a finger down to its web."""
    erase(canvas, erased_mask(canvas.crop, number, canvas.hand), seed)


def paste(
    canvas: Canvas,
    piece: Piece,
    where: Map,
    *,
    below: Float[np.ndarray, "w w"] | None = None,
    wrong: bool = False,
    colours: Float[np.ndarray, "2 3"] | None = None,
    within: Float[np.ndarray, "w w"] | None = None,
) -> Float[np.ndarray, "w w"]:
    """Paste a piece that is resampled through a map.

    Args:
        canvas: Changed.
        piece: The part.
        where: Where each pixel of the canvas comes from.
        below: float32 [W, W] share of each pixel that stays in front of it.
        wrong: It is part of what is wrong.
        colours: [2, 3] factors and offsets of its colours.
        within: float32 [W, W] a mask on it.

    Returns:
        float32 [W, W] its share of each pixel.
    """
    share = np.clip(sample(piece.share, where), 0, 1)
    if piece.fade is not None:
        share = share * (1 - canvas.hand * (1 - np.clip(sample(piece.fade, where), 0, 1)))
    if below is not None:
        share = share * (1 - below)
    if within is not None:
        share = share * within
    pasted = sample(piece.colours, where)
    if colours is not None:
        pasted = pasted * colours[0].astype(np.float32) + colours[1].astype(np.float32)
    canvas.pixels = canvas.pixels * (1 - share[..., None]) + np.clip(pasted, 0, 255) * share[..., None]
    canvas.hand = np.maximum(canvas.hand, share)
    canvas.touched = np.maximum(canvas.touched, share)
    if wrong:
        canvas.mark(share > 0.5)
    return share


def with_matched_grain(canvas: Canvas, rng: np.random.Generator) -> Float[np.ndarray, "w w 3"]:
    """The canvas with the photograph's grain where its pixels are new."""
    crop = canvas.crop
    new = canvas.touched > 0.5
    if new.sum() < 100:
        return canvas.pixels
    skin, other = new & (canvas.hand > 0.5), new & (canvas.hand <= 0.5)
    pixels = canvas.pixels
    for part, model in ((skin, crop.region.inside), (other, ~crop.region.inside)):
        if part.sum() < 100:
            continue
        wanted = measure_grain(crop.pixels, model)
        there = measure_grain(pixels, part)
        soft = canvas.touched * cv2.GaussianBlur(part.astype(np.float32), (0, 0), 1.0)
        pixels = add_grain(pixels, wanted, there, soft, rng)
    return pixels
