"""Edits of whole hands: the wrong hand on an arm, a hand apart from its arm, a melted one."""

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float

from handwright.data.photo_edits.canvas import (
    Canvas,
    Map,
    Piece,
    cut_out,
    erase,
    grid,
    new_canvas,
    paste,
    sample,
)
from handwright.data.photo_edits.hand_crop import HandCrop
from handwright.data.photo_edits.moves import EditedHand, EditTask, NotEditable, match_colours
from handwright.data.photo_edits.photo_hands import measure_fingers
from handwright.data.shapes import Share, Vector2
from handwright.hand.skeleton import palm_span_px
from handwright.image.compositing import smoothstep
from handwright.perception.segment import hand_region
from handwright.types import Side

Affine = Float[np.ndarray, "2 3"]

_LEAST_ARM = 0.36  # Length of arm that a detached hand needs, in hand spans
_LEAST_GAP = 0.35  # Least width of the arm across a gap, in hand spans
_OVERLAP = 0.09
"""A pasted hand covers this many hand spans of the arm, so that no background shows at the seam."""


def wrong_mirrored(task: EditTask) -> EditedHand:
    """The hand's own mirror image on its arm."""
    axis = _axis(task.crop)
    goal = np.eye(2) if task.sound else np.eye(2) - 2 * np.outer(axis[::-1] * [-1, 1], axis[::-1] * [-1, 1])
    return _replaced(task, task.crop, goal @ _turn(task.rng.normal(0, 0.03)), task.crop.points[0])


def wrong_other(task: EditTask) -> EditedHand:
    """The picture's other hand, copied onto this arm."""
    crop = task.crop
    if not crop.others or crop.others[0][1] == crop.side:
        raise NotEditable
    return _from_lender(task, crop_of_other_hand(crop, *crop.others[0]))


def wrong_lent(task: EditTask) -> EditedHand:
    """A hand of the other side from another photograph."""
    lender = task.lend()
    if lender is None:
        raise NotEditable
    return _from_lender(task, lender)


def crop_of_other_hand(crop: HandCrop, points: np.ndarray, side: Side) -> HandCrop:
    """The same crop around another of its hands, which must not touch the border."""
    if not ((points > 2) & (points < crop.width - 2)).all():
        raise NotEditable
    region = hand_region(crop.bytes, points)
    fingers = measure_fingers(points, region.inside, palm_span_px(points))
    return replace(crop, points=points, side=side, region=region, fingers=fingers, others=())


def detached(task: EditTask, variant: int) -> EditedHand:
    """0: a gap across the wrist; 1: the hand beside its arm; 2: the hand turned away from it."""
    crop = task.crop
    axis = _axis(crop)
    if not _has_arm(crop, axis):
        raise NotEditable
    canvas = new_canvas(crop)
    hand = distal_mask(crop, crop.soft_hand, 0.0)
    piece = cut_out(crop, distal_mask(crop, crop.soft_hand, -_OVERLAP))
    if variant == 0:
        return _gap(task, canvas, axis, piece)
    turn = task.sign() * task.rng.uniform(0.5, 0.9) if variant == 2 else task.rng.normal(0, 0.06)
    away = task.rng.uniform(0.25, 0.4) * axis
    if variant == 1:
        away = task.rng.uniform(0.1, 0.25) * axis + task.sign() * task.rng.uniform(0.45, 0.7) * np.array(
            [-axis[1], axis[0]]
        )
    if task.sound:
        turn, away = task.rng.normal(0, 0.02), np.zeros(2)
    erase(canvas, hand, task.seed())
    where = _moved(crop, crop.points[0], _turn(turn), crop.points[0] + away * crop.span)
    share = paste(canvas, piece, where, wrong=not task.sound)
    return _whole(canvas, share)


def melted_waves(task: EditTask) -> EditedHand:
    """The hand's outline and texture run in waves."""
    crop, rng = task.crop, task.rng
    amount = crop.span * (0.008 if task.sound else rng.uniform(0.045, 0.07))
    field = np.stack([_noise(crop, rng, 0.3) for _ in range(2)], -1) * amount
    near = cv2.GaussianBlur(crop.soft_hand, (0, 0), 0.05 * crop.span)
    part = distal_mask(crop, smoothstep(0.02, 0.3, near), -0.1)[..., None]
    canvas = new_canvas(crop)
    where = (grid(crop.width) + field * part).astype(np.float32)
    return _melted(task, canvas, where, part[..., 0])


def melted_smeared(task: EditTask) -> EditedHand:
    """Texture drawn out along a flow, as if it ran."""
    crop, rng = task.crop, task.rng
    steps, amount = 10, crop.span * (0.012 if task.sound else rng.uniform(0.2, 0.32))
    flow = np.stack([_noise(crop, rng, 0.3) for _ in range(2)], -1)
    flow /= np.maximum(np.linalg.norm(flow, axis=-1, keepdims=True), 0.3)
    part = distal_mask(crop, crop.soft_hand, -0.05)
    total, place = np.zeros_like(crop.pixels), grid(crop.width)
    piece = cut_out(crop, part)
    for _ in range(steps):
        total += sample(piece.colours, place)
        place = (place + flow * (amount / steps)).astype(np.float32)
    canvas = new_canvas(crop)
    smeared = total / steps
    canvas.pixels = crop.pixels * (1 - part[..., None]) + smeared * part[..., None]
    canvas.touched = part.copy()
    task.mark(canvas, part > 0.5)
    return EditedHand(canvas, ())


def melted_swirled(task: EditTask) -> EditedHand:
    """Fingers twisted into whirls."""
    crop, rng = task.crop, task.rng
    where = grid(crop.width)
    ends = rng.choice(np.array([6, 7, 10, 11, 14, 15, 18, 19, 9, 13]), 4, replace=False)
    for k in ends:
        center = crop.points[int(k)] + rng.normal(0, 0.1, 2) * crop.span
        radius = crop.span * rng.uniform(0.28, 0.42)
        away = where - center.astype(np.float32)
        distance = np.hypot(away[..., 0], away[..., 1])
        strength = task.sign() * (0.08 if task.sound else rng.uniform(1.1, 1.8))
        angle = strength * np.clip(1 - distance / radius, 0, 1) ** 1.5
        c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
        turned = c * away + s * np.stack([-away[..., 1], away[..., 0]], -1)
        where = (turned + center).astype(np.float32)
    canvas = new_canvas(crop)
    near = cv2.GaussianBlur(crop.soft_hand, (0, 0), 0.08 * crop.span)
    return _melted(task, canvas, where, smoothstep(0.02, 0.2, near))


def distal_mask(crop: HandCrop, hand: Share, start: float) -> Share:
    """The part of a soft mask that lies distal of a line ``start`` hand spans distal of the wrist."""
    axis = _axis(crop)
    x, y = crop.places
    ahead = ((x - crop.points[0, 0]) * axis[0] + (y - crop.points[0, 1]) * axis[1]) / crop.span
    beside = np.abs((x - crop.points[0, 0]) * axis[1] - (y - crop.points[0, 1]) * axis[0]) / crop.span
    share = (
        smoothstep(start - 0.04, start + 0.04, ahead)
        * smoothstep(2.3, 2.1, beside)
        * smoothstep(2.6, 2.4, ahead)
    )
    return (hand * share).astype(np.float32)


def _melted(task: EditTask, canvas: Canvas, where: Map, part: Share) -> EditedHand:
    canvas.pixels = np.clip(sample(canvas.pixels, where), 0, 255)
    canvas.hand = np.clip(sample(canvas.hand, where), 0, 1)
    canvas.touched = np.maximum(canvas.touched, part)
    moved = np.linalg.norm(where - grid(task.crop.width), axis=-1)
    task.mark(canvas, (moved > 0.03 * task.crop.span) & (canvas.hand > 0.5))
    return EditedHand(canvas, ())


def _gap(task: EditTask, canvas: Canvas, axis: np.ndarray, piece: Piece) -> EditedHand:
    crop = task.crop
    x, y = crop.places
    behind = -((x - crop.points[0, 0]) * axis[0] + (y - crop.points[0, 1]) * axis[1]) / crop.span
    wide = task.rng.uniform(0.16, 0.3)
    near = smoothstep(1.2, 1.1, np.hypot(x - crop.points[0, 0], y - crop.points[0, 1]) / crop.span)
    band = smoothstep(0.1, 0.14, behind) * smoothstep(wide + 0.06, wide + 0.02, behind) * near
    gone = (crop.soft_hand * band).astype(np.float32)
    if gone.sum() < _LEAST_GAP * wide * crop.span**2:
        raise NotEditable
    where = _moved(crop, crop.points[0], _turn(task.rng.normal(0, 0.02)), crop.points[0])
    erase(canvas, gone, task.seed())
    task.mark(canvas, gone > 0.5)
    if task.sound:
        grown = smoothstep(0.03, 0.08, behind) * smoothstep(wide + 0.13, wide + 0.08, behind) * near
        paste(canvas, cut_out(crop, crop.soft_hand * grown), where)
    paste(canvas, piece, where)
    return EditedHand(canvas, ())


def _from_lender(task: EditTask, lender: HandCrop) -> EditedHand:
    """A lender's hand on this arm: of the other side, or in a control of the same."""
    crop = task.crop
    flipped = (lender.side == crop.side) != task.sound
    a, b = lender.points - lender.points[0], crop.points - crop.points[0]
    if flipped:
        a = a * np.array([-1.0, 1.0])
    angle = float(np.arctan2(*(b[9][::-1])) - np.arctan2(*(a[9][::-1])))
    matrix = crop.span / lender.span * _turn(angle)
    if flipped:
        matrix = matrix @ np.diag([-1.0, 1.0])
    return _replaced(task, lender, matrix, lender.points[0])


def _replaced(task: EditTask, lender: HandCrop, matrix: np.ndarray, wrist: np.ndarray) -> EditedHand:
    """The hand erased distal of the wrist and another pasted onto it."""
    crop = task.crop
    canvas = new_canvas(crop)
    erase(canvas, distal_mask(crop, crop.soft_hand, 0.05), task.seed())
    piece = cut_out(lender, distal_mask(lender, lender.soft_hand, 0.05 - _OVERLAP))
    skins = (p.pixels[distal_mask(p, p.soft_hand, 0.1) > 0.9] for p in (crop, lender))
    colours = None if lender.sha256 == crop.sha256 else match_colours(*skins)
    where = _moved(crop, wrist, matrix, crop.points[0])
    share = paste(canvas, piece, where, wrong=not task.sound, colours=colours)
    return _whole(canvas, share)


def _moved(crop: HandCrop, start: np.ndarray, matrix: np.ndarray, goal: np.ndarray) -> Map:
    """The map of a linear change about ``start``, which comes to ``goal``."""
    back = np.linalg.inv(matrix)
    here = grid(crop.width) - goal.astype(np.float32)
    return (here @ back.T.astype(np.float32) + start.astype(np.float32)).astype(np.float32)


def _whole(canvas: Canvas, share: Share) -> EditedHand:
    """The result, unless too much of a pasted hand touches the picture's border."""
    rim = np.concatenate([share[0], share[-1], share[:, 0], share[:, -1]])
    if (rim > 0.5).sum() > 0.3 * canvas.crop.span:
        raise NotEditable
    return EditedHand(canvas, ())


def _axis(crop: HandCrop) -> Vector2:
    """Unit vector from the wrist to the knuckles."""
    direction = crop.points[[5, 9, 13, 17]].mean(0) - crop.points[0]
    return direction / max(float(np.hypot(*direction)), 1e-6)


def _has_arm(crop: HandCrop, axis: np.ndarray) -> bool:
    """Whether enough of the arm is visible proximal of the wrist."""
    for share in (0.12, 0.24, _LEAST_ARM):
        column, row = np.floor(crop.points[0] - share * crop.span * axis).astype(int)
        if not (0 <= column < crop.width and 0 <= row < crop.width):
            return False
        if not crop.region.inside[row, column]:
            return False
    return True


def _turn(angle: float) -> Float[np.ndarray, "2 2"]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _noise(crop: HandCrop, rng: np.random.Generator, size: float) -> Share:
    """Smooth noise of unit deviation; ``size`` of its waves in hand spans."""
    cells = max(4, round(crop.width / (size * crop.span)))
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (crop.width, crop.width), interpolation=cv2.INTER_CUBIC)
