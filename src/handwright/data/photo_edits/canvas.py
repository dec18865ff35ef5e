"""What every operation is made of: erase and fill, lift a finger out, set it in, and match the grain."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.data.photo_edits.finger_masks import FROM_WEB, finger_share, rise, stump_share
from handwright.data.photo_edits.maps import Map, sample
from handwright.data.photo_edits.subject import Patient
from handwright.drawing.fill.background import fill_uncovered_background
from handwright.drawing.fill.push_pull import push_pull
from handwright.drawing.geometry.layer_assignment import smoothstep
from handwright.drawing.photo.grain import add_grain, measure_grain

_HALO = 0.035


@dataclass(eq=False)
class Canvas:
    """A picture in work.

    Attributes:
        patient: Who is operated on.
        pixels: float32 [W, W, 3] as it is now.
        hand: float32 [W, W] share of hand and arm as it is now.
        touched: float32 [W, W] where pixels were made anew.
        boxes: Boxes of what is wrong now, pixels.
    """

    patient: Patient
    pixels: Float[np.ndarray, "w w 3"]
    hand: Float[np.ndarray, "w w"]
    touched: Float[np.ndarray, "w w"]
    boxes: list[tuple[float, float, float, float]] = field(
        default_factory=list[tuple[float, float, float, float]]
    )

    def mark(self, where: Bool[np.ndarray, "w w"]) -> None:
        """Something is wrong here."""
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        if len(rows):
            self.boxes.append((columns[0], rows[0], columns[-1] + 1.0, rows[-1] + 1.0))


@dataclass(frozen=True, eq=False)
class Piece:
    """Something lifted out: colours that reach beyond its edge, and its share of each pixel.

    Attributes:
        colours: float32 [W, W, 3].
        share: float32 [W, W].
        fade: float32 [W, W] how much of it is seen where there is hand already; None for all.
    """

    colours: Float[np.ndarray, "w w 3"]
    share: Float[np.ndarray, "w w"]
    fade: Float[np.ndarray, "w w"] | None = None


def open_canvas(patient: Patient) -> Canvas:
    """The untouched picture."""
    blank = np.zeros(patient.soft_hand.shape, np.float32)
    return Canvas(patient, patient.pixels.copy(), patient.soft_hand.copy(), blank)


def lift(
    patient: Patient, share: Float[np.ndarray, "w w"], fade: Float[np.ndarray, "w w"] | None = None
) -> Piece:
    """A part of the hand with colours that know nothing of the background.

    Args:
        patient: Whose.
        share: float32 [W, W] how much of each pixel belongs to the part.
        fade: float32 [W, W] how much of it is seen over other hand.
    """
    reach = max(1.0, 0.012 * patient.span)
    inside = cv2.distanceTransform(patient.region.inside.astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.flatnonzero((share > 0.01).any(1)), np.flatnonzero((share > 0.01).any(0))
    colours = patient.pixels.copy()
    if len(rows):
        pad = int(3 * reach) + 4
        box = np.s_[
            max(rows[0] - pad, 0) : rows[-1] + pad + 1, max(columns[0] - pad, 0) : columns[-1] + pad + 1
        ]
        colours[box] = push_pull(patient.pixels[box], (inside[box] > reach).astype(np.float32))
    return Piece(colours, share, fade)


def lift_finger(patient: Patient, number: int) -> Piece:
    """One finger, fading into the palm."""
    fade = smoothstep(*FROM_WEB, rise(patient, patient.fingers[number].chain))
    return lift(patient, finger_share(patient, number, patient.soft_hand), fade)


def erase(canvas: Canvas, wanted: Float[np.ndarray, "w w"], seed: int) -> None:
    """Fill with background where ``wanted`` (soft) says so; what stays of the hand stays untouched.

    Args:
        canvas: Changed.
        wanted: float32 [W, W] share of each pixel that shall go.
        seed: Of the fill.
    """
    patient = canvas.patient
    halo = max(2, round(_HALO * patient.span))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * halo + 1, 2 * halo + 1))
    grown = cv2.dilate((wanted > 0.2).astype(np.uint8), disc) > 0
    kept = np.clip(canvas.hand - wanted, 0, 1)
    hole = grown & (kept < 0.5)
    filled = fill_uncovered_background(
        np.clip(canvas.pixels + 0.5, 0, 255).astype(np.uint8), hole, patient.sources & ~hole, seed
    )
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.8)
    soft = np.minimum(soft * 1.0, 1 - kept)
    canvas.pixels = canvas.pixels * (1 - soft[..., None]) + filled.astype(np.float32) * soft[..., None]
    canvas.hand = np.minimum(canvas.hand, kept)
    canvas.touched = np.maximum(canvas.touched, soft)


def erase_finger(canvas: Canvas, number: int, seed: int) -> None:
    """Take a finger away down to its web."""
    erase(canvas, stump_share(canvas.patient, number, canvas.hand), seed)


def set_in(
    canvas: Canvas,
    piece: Piece,
    where: Map,
    *,
    below: Float[np.ndarray, "w w"] | None = None,
    wrong: bool = False,
    colours: Float[np.ndarray, "2 3"] | None = None,
    within: Float[np.ndarray, "w w"] | None = None,
) -> Float[np.ndarray, "w w"]:
    """Paste a piece, read through a map.

    Args:
        canvas: Changed.
        piece: What.
        where: Where each pixel of the canvas comes from.
        below: float32 [W, W] share of what stays in front of it.
        wrong: It is part of what is wrong.
        colours: [2, 3] factors and offsets of its colours.
        within: float32 [W, W] nothing of it is seen where this is 0.

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
    seen = sample(piece.colours, where)
    if colours is not None:
        seen = seen * colours[0].astype(np.float32) + colours[1].astype(np.float32)
    canvas.pixels = canvas.pixels * (1 - share[..., None]) + np.clip(seen, 0, 255) * share[..., None]
    canvas.hand = np.maximum(canvas.hand, share)
    canvas.touched = np.maximum(canvas.touched, share)
    if wrong:
        canvas.mark(share > 0.5)
    return share


def regrained(canvas: Canvas, rng: np.random.Generator) -> Float[np.ndarray, "w w 3"]:
    """The canvas with the photograph's grain where it was made anew."""
    patient = canvas.patient
    made = canvas.touched > 0.5
    if made.sum() < 100:
        return canvas.pixels
    skin, other = made & (canvas.hand > 0.5), made & (canvas.hand <= 0.5)
    pixels = canvas.pixels
    for part, model in ((skin, patient.region.inside), (other, ~patient.region.inside)):
        if part.sum() < 100:
            continue
        wanted = measure_grain(patient.pixels, model)
        there = measure_grain(pixels, part)
        soft = canvas.touched * cv2.GaussianBlur(part.astype(np.float32), (0, 0), 1.0)
        pixels = add_grain(pixels, wanted, there, soft, rng)
    return pixels
