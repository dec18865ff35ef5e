"""What every edit is made of: resample, erase and fill, cut a finger out, paste it, and match the grain.

A map is float32 [h, w, 2], x and y in the source for every pixel of the target; pixel centres at + 0.5.
"""

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
from handwright.data.shapes import Colours, Share, Vector2
from handwright.drawing.fill.background import fill_uncovered_background
from handwright.drawing.fill.push_pull import push_pull
from handwright.drawing.photo.grain import add_grain, measure_grain
from handwright.image.compositing import smoothstep

Map = Float[np.ndarray, "h w 2"]

_STEP = 8
_NEAR_BONE = 0.55


def grid(width: int) -> Map:
    """The map that moves nothing."""
    y, x = np.mgrid[:width, :width].astype(np.float32) + 0.5
    return np.stack([x, y], -1)


def sample(picture: Float[np.ndarray, "h w *c"], where: Map) -> Float[np.ndarray, "h w *c"]:
    """The picture read at a map's places; beyond its border the nearest pixel."""
    at = where.astype(np.float32) - np.float32(0.5)
    return cv2.remap(
        picture,
        np.ascontiguousarray(at[..., 0]),
        np.ascontiguousarray(at[..., 1]),
        cv2.INTER_CUBIC if picture.ndim == 3 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def bone_map(
    target: Float[np.ndarray, "4 2"],
    source: Float[np.ndarray, "4 2"],
    width: int,
    radius: float,
    thicker: float = 1.0,
    mirrored: bool = False,
) -> Map:
    """Each pixel of a bent, moved or stretched finger → its place on the finger as it was.

    Every bone carries its own frame along (stretched along itself, ``thicker`` across); near a joint the
    frames of both bones mix.
    """
    here = grid(width)
    total = np.zeros_like(here)
    weights = np.full((width, width), 1e-9, np.float32)
    flip = -1.0 if mirrored else 1.0
    for bone in range(3):
        a, b, c, d = target[bone], target[bone + 1], source[bone], source[bone + 1]
        to, fro = b - a, d - c
        length, other = max(float(np.hypot(*to)), 1e-3), max(float(np.hypot(*fro)), 1e-3)
        to, fro = to / length, fro / other
        away = here - a.astype(np.float32)
        u = away @ to.astype(np.float32)
        v = away @ np.array([-to[1], to[0]], np.float32)
        beyond = (
            np.maximum(np.maximum(-u, u - length), 0)
            if 0 < bone < 2
            else (np.maximum(u - length, 0) if bone == 0 else np.maximum(-u, 0))
        )
        weight = np.exp(-((beyond / (_NEAR_BONE * radius)) ** 2)).astype(np.float32) + 1e-12
        along, across = u * np.float32(other / length), v * np.float32(flip / thicker)
        if bone == 2:
            along = np.where(u > length, other + (u - length) / thicker, along)
        side = np.array([-fro[1], fro[0]], np.float32)
        place = c.astype(np.float32) + along[..., None] * fro.astype(np.float32) + across[..., None] * side
        total += weight[..., None] * place
        weights += weight
    return total / weights[..., None]


def smooth_map(target: Float[np.ndarray, "n 2"], source: Float[np.ndarray, "n 2"], width: int) -> Map:
    """A smooth warp that brings points [n, 2] to where they shall be; points that stay are named, too.

    Moving least squares with similarities, points of the plane as complex numbers (Schaefer, McPhail and
    Warren, Image Deformation Using Moving Least Squares, 2006, §2.2).
    """
    count = width // _STEP + 3
    nodes = (np.arange(count) - 0.5) * _STEP
    y, x = np.meshgrid(nodes, nodes, indexing="ij")
    v = (x + 1j * y).reshape(-1, 1)
    a, b = (p[:, 0] + 1j * p[:, 1] for p in (target, source))
    w = 1.0 / (np.abs(v - a) ** 2 + (0.004 * width) ** 2) ** 2.0
    w /= w.sum(1, keepdims=True)
    mean_a, mean_b = (w * a).sum(1, keepdims=True), (w * b).sum(1, keepdims=True)
    turn = (w * np.conj(a - mean_a) * (b - mean_b)).sum(1, keepdims=True)
    size = (w * np.abs(a - mean_a) ** 2).sum(1, keepdims=True)
    moved = (mean_b + (v - mean_a) * turn / np.maximum(size, 1e-9)).reshape(count, count)
    coarse = np.stack([moved.real, moved.imag], -1).astype(np.float32)
    fine = cv2.resize(coarse, (count * _STEP, count * _STEP), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(fine[_STEP : _STEP + width, _STEP : _STEP + width])


def polar(where: Map, center: Vector2, ahead: Vector2) -> tuple[np.ndarray, ...]:
    """Radius, and angle from ``ahead`` (clockwise on the screen is positive), of a map's places."""
    away = where - center.astype(np.float32)
    u = away @ ahead.astype(np.float32)
    v = away @ np.array([-ahead[1], ahead[0]], np.float32)
    return np.hypot(u, v), np.arctan2(v, u)


def from_polar(radius: np.ndarray, angle: np.ndarray, center: Vector2, ahead: Vector2) -> Map:
    """The inverse of :func:`polar`."""
    u, v = radius * np.cos(angle), radius * np.sin(angle)
    x, y = u * ahead[0] - v * ahead[1] + center[0], u * ahead[1] + v * ahead[0] + center[1]
    return np.stack([x, y], -1).astype(np.float32)


_HALO = 0.035
"""How far around an erased part the background is filled, too, in hand spans: the soft edge goes."""


@dataclass(eq=False)
class Canvas:
    """A picture that is being edited."""

    crop: HandCrop  # The untouched hand
    pixels: Colours  # float32 [W, W, 3] as it is now
    hand: Share  # float32 [W, W] share of hand and arm as it is now
    touched: Share  # float32 [W, W] 1 where pixels are new
    # Of what is wrong by now, pixels
    boxes: list[tuple[float, float, float, float]] = field(
        default_factory=list[tuple[float, float, float, float]]
    )

    def lay(self, colours: Colours, share: Share) -> None:
        """Cover the picture by new colours, to this share of each pixel."""
        self.pixels = self.pixels * (1 - share[..., None]) + colours * share[..., None]
        self.touched = np.maximum(self.touched, share)

    def mark(self, where: Bool[np.ndarray, "w w"]) -> None:
        """Note that something is wrong in these pixels."""
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        if len(rows):
            self.boxes.append((columns[0], rows[0], columns[-1] + 1.0, rows[-1] + 1.0))


@dataclass(frozen=True, eq=False)
class Piece:
    """A part that was cut out: colours that reach beyond its edge, and its share of each pixel."""

    colours: Colours  # float32 [W, W, 3]
    share: Share  # float32 [W, W]
    # float32 [W, W] its opacity over other parts of the hand; None for 1
    fade: Share | None = None


def new_canvas(crop: HandCrop) -> Canvas:
    """A canvas with the untouched picture."""
    blank = np.zeros(crop.soft_hand.shape, np.float32)
    return Canvas(crop, crop.pixels.copy(), crop.soft_hand.copy(), blank)


def cut_out(crop: HandCrop, share: Share, fade: Share | None = None) -> Piece:
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


def erase(canvas: Canvas, wanted: Share, seed: int) -> None:
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
    soft = np.minimum(soft, 1 - kept)
    canvas.lay(filled.astype(np.float32), soft)
    canvas.hand = np.minimum(canvas.hand, kept)


def erase_finger(canvas: Canvas, number: int, seed: int) -> None:
    """Erase a finger down to its web."""
    erase(canvas, erased_mask(canvas.crop, number, canvas.hand), seed)


def paste(
    canvas: Canvas,
    piece: Piece,
    where: Map,
    *,
    below: Share | None = None,
    wrong: bool = False,
    colours: Float[np.ndarray, "2 3"] | None = None,
    within: Share | None = None,
) -> Share:
    """Paste a piece that is resampled through a map; returns float32 [W, W], its share of each pixel.

    ``below`` is the share of each pixel that stays in front of it, ``colours`` [2, 3] are factors and
    offsets, ``within`` is a mask on it; ``wrong`` marks it as part of what is wrong.
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
    canvas.lay(np.clip(pasted, 0, 255), share)
    canvas.hand = np.maximum(canvas.hand, share)
    if wrong:
        canvas.mark(share > 0.5)
    return share


def with_matched_grain(canvas: Canvas, rng: np.random.Generator) -> Colours:
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
