"""Whole hands gone wrong: the wrong one on an arm, one that has come off, one that melts."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

from handwright.data.photo_edits.canvas import Canvas, Piece, erase, lift, open_canvas, set_in
from handwright.data.photo_edits.maps import Map, grid, sample
from handwright.data.photo_edits.moves import Case, Maker, Operated
from handwright.data.photo_edits.subject import Patient
from handwright.drawing.geometry.layer_assignment import smoothstep

Affine = Float[np.ndarray, "2 3"]

_LEAST_ARM = 0.36
_LEAST_GAP = 0.35
"""Width of the arm across a gap, in hand spans."""
_OVERLAP = 0.09
"""A hand that is set in covers so many hand spans of the arm: no background shows at the seam."""


def wrong_mirrored(case: Case) -> Operated | None:
    """The hand's own mirror image on its arm."""
    axis = _axis(case.patient)
    goal = np.eye(2) if case.sound else np.eye(2) - 2 * np.outer(axis[::-1] * [-1, 1], axis[::-1] * [-1, 1])
    return _replaced(case, case.patient, goal @ _small_turn(case), case.patient.points[0])


def wrong_other(case: Case) -> Operated | None:
    """The picture's other hand, copied onto this arm."""
    patient = case.patient
    if not patient.others:
        return None
    points, side = patient.others[0]
    if side == patient.side:
        return None
    twin = seen_again(patient, points, side)
    return None if twin is None else _lent(case, twin)


def wrong_lent(case: Case) -> Operated | None:
    """A hand of the other side from another photograph."""
    lender = case.lend()
    return None if lender is None else _lent(case, lender)


def seen_again(patient: Patient, points: np.ndarray, side: str) -> Patient | None:
    """The same crop with another of its hands as the patient."""
    from dataclasses import replace

    from handwright.data.photo_edits.fingers import look_at_fingers
    from handwright.hand.skeleton import palm_span_px
    from handwright.perception.segment import hand_region

    if not ((points > 2) & (points < patient.width - 2)).all():
        return None
    region = hand_region(patient.bytes, points)
    fingers = look_at_fingers(points, region.inside, palm_span_px(points))
    return replace(patient, points=points, side=side, region=region, fingers=fingers, others=())  # pyright: ignore[reportArgumentType]


def detached(variant: int) -> Maker:
    """0: a gap across the wrist; 1: the hand beside its arm; 2: the hand turned away from it."""

    def make(case: Case) -> Operated | None:
        patient = case.patient
        axis = _axis(patient)
        if not _has_arm(patient, axis):
            return None
        canvas = open_canvas(patient)
        hand = hand_share(patient, patient.soft_hand, 0.0)
        piece = lift(patient, hand_share(patient, patient.soft_hand, -_OVERLAP))
        if variant == 0:
            return _gap(case, canvas, axis, piece)
        turn = case.sign() * case.rng.uniform(0.5, 0.9) if variant == 2 else case.rng.normal(0, 0.06)
        away = case.rng.uniform(0.25, 0.4) * axis
        if variant == 1:
            away = case.rng.uniform(0.1, 0.25) * axis + case.sign() * case.rng.uniform(0.45, 0.7) * _across(
                axis
            )
        if case.sound:
            turn, away = case.rng.normal(0, 0.02), np.zeros(2)
        erase(canvas, hand, case.seed())
        where = _moved(patient, patient.points[0], _turn(turn), patient.points[0] + away * patient.span)
        share = set_in(canvas, piece, where, wrong=not case.sound)
        if _cut_off(share, patient):
            return None
        return Operated(canvas, ())

    return make


def melted_waves(case: Case) -> Operated | None:
    """The hand's outline and texture run in waves."""
    patient, rng = case.patient, case.rng
    amount = patient.span * (0.008 if case.sound else rng.uniform(0.045, 0.07))
    field = np.stack([_noise(patient, rng, 0.3) for _ in range(2)], -1) * amount
    near = cv2.GaussianBlur(patient.soft_hand, (0, 0), 0.05 * patient.span)
    part = hand_share(patient, smoothstep(0.02, 0.3, near), -0.1)[..., None]
    canvas = open_canvas(patient)
    where = (grid(patient.width) + field * part).astype(np.float32)
    return _remelted(case, canvas, where, part[..., 0])


def melted_smeared(case: Case) -> Operated | None:
    """Texture drawn out along a flow, as if it ran."""
    patient, rng = case.patient, case.rng
    steps, amount = 10, patient.span * (0.012 if case.sound else rng.uniform(0.2, 0.32))
    flow = np.stack([_noise(patient, rng, 0.3) for _ in range(2)], -1)
    flow /= np.maximum(np.linalg.norm(flow, axis=-1, keepdims=True), 0.3)
    part = hand_share(patient, patient.soft_hand, -0.05)
    total, place = np.zeros_like(patient.pixels), grid(patient.width)
    piece = lift(patient, part)
    for _ in range(steps):
        total += sample(piece.colours, place)
        place = (place + flow * (amount / steps)).astype(np.float32)
    canvas = open_canvas(patient)
    smeared = total / steps
    canvas.pixels = patient.pixels * (1 - part[..., None]) + smeared * part[..., None]
    canvas.touched = part.copy()
    if not case.sound:
        canvas.mark(part > 0.5)
    return Operated(canvas, ())


def melted_swirled(case: Case) -> Operated | None:
    """Fingers twisted into whirls."""
    patient, rng = case.patient, case.rng
    where = grid(patient.width)
    ends = rng.choice(np.array([6, 7, 10, 11, 14, 15, 18, 19, 9, 13]), 4, replace=False)
    for k in ends:
        center = patient.points[int(k)] + rng.normal(0, 0.1, 2) * patient.span
        radius = patient.span * rng.uniform(0.28, 0.42)
        away = where - center.astype(np.float32)
        distance = np.hypot(away[..., 0], away[..., 1])
        strength = case.sign() * (0.08 if case.sound else rng.uniform(1.1, 1.8))
        angle = strength * np.clip(1 - distance / radius, 0, 1) ** 1.5
        c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
        turned = c * away + s * np.stack([-away[..., 1], away[..., 0]], -1)
        where = (turned + center).astype(np.float32)
    canvas = open_canvas(patient)
    near = cv2.GaussianBlur(patient.soft_hand, (0, 0), 0.08 * patient.span)
    return _remelted(case, canvas, where, smoothstep(0.02, 0.2, near))


def hand_share(patient: Patient, hand: Float[np.ndarray, "w w"], start: float) -> Float[np.ndarray, "w w"]:
    """What of a share lies beyond a line across the wrist, softly.

    Args:
        patient: Whose wrist.
        hand: float32 [W, W] the share.
        start: Where the line is, in hand spans beyond the wrist.
    """
    axis = _axis(patient)
    x, y = patient.places
    ahead = ((x - patient.points[0, 0]) * axis[0] + (y - patient.points[0, 1]) * axis[1]) / patient.span
    beside = (
        np.abs((x - patient.points[0, 0]) * axis[1] - (y - patient.points[0, 1]) * axis[0]) / patient.span
    )
    share = (
        smoothstep(start - 0.04, start + 0.04, ahead)
        * smoothstep(2.3, 2.1, beside)
        * smoothstep(2.6, 2.4, ahead)
    )
    return (hand * share).astype(np.float32)


def _remelted(case: Case, canvas: Canvas, where: Map, part: Float[np.ndarray, "w w"]) -> Operated:
    canvas.pixels = np.clip(sample(canvas.pixels, where), 0, 255)
    canvas.hand = np.clip(sample(canvas.hand, where), 0, 1)
    canvas.touched = np.maximum(canvas.touched, part)
    if not case.sound:
        moved = np.linalg.norm(where - grid(case.patient.width), axis=-1)
        canvas.mark((moved > 0.03 * case.patient.span) & (canvas.hand > 0.5))
    return Operated(canvas, ())


def _gap(case: Case, canvas: Canvas, axis: np.ndarray, piece: Piece) -> Operated | None:
    patient = case.patient
    x, y = patient.places
    behind = -((x - patient.points[0, 0]) * axis[0] + (y - patient.points[0, 1]) * axis[1]) / patient.span
    wide = case.rng.uniform(0.16, 0.3)
    near = smoothstep(1.2, 1.1, np.hypot(x - patient.points[0, 0], y - patient.points[0, 1]) / patient.span)
    band = smoothstep(0.1, 0.14, behind) * smoothstep(wide + 0.06, wide + 0.02, behind) * near
    gone = (patient.soft_hand * band).astype(np.float32)
    if gone.sum() < _LEAST_GAP * wide * patient.span**2:
        return None
    where = _moved(patient, patient.points[0], _turn(case.rng.normal(0, 0.02)), patient.points[0])
    if case.sound:
        erase(canvas, gone, case.seed())
        grown = smoothstep(0.03, 0.08, behind) * smoothstep(wide + 0.13, wide + 0.08, behind) * near
        set_in(canvas, lift(patient, patient.soft_hand * grown), where)
    else:
        erase(canvas, gone, case.seed())
        canvas.mark(gone > 0.5)
    set_in(canvas, piece, where)
    return Operated(canvas, ())


def _lent(case: Case, lender: Patient) -> Operated | None:
    """A lender's hand on the patient's arm: of the other side, or (sound) of the same."""
    patient = case.patient
    flipped = (lender.side == patient.side) != case.sound
    a, b = lender.points - lender.points[0], patient.points - patient.points[0]
    if flipped:
        a = a * np.array([-1.0, 1.0])
    angle = float(np.arctan2(*(b[9][::-1])) - np.arctan2(*(a[9][::-1])))
    matrix = patient.span / lender.span * _turn(angle)
    if flipped:
        matrix = matrix @ np.diag([-1.0, 1.0])
    return _replaced(case, lender, matrix, lender.points[0])


def _replaced(case: Case, lender: Patient, matrix: np.ndarray, wrist: np.ndarray) -> Operated | None:
    """The patient's hand erased beyond the wrist and another set in on it."""
    patient = case.patient
    canvas = open_canvas(patient)
    erase(canvas, hand_share(patient, patient.soft_hand, 0.05), case.seed())
    piece = lift(lender, hand_share(lender, lender.soft_hand, 0.05 - _OVERLAP))
    colours = None if lender.sha256 == patient.sha256 else _skin_match(patient, lender)
    where = _moved(patient, wrist, matrix, patient.points[0])
    share = set_in(canvas, piece, where, wrong=not case.sound, colours=colours)
    return None if _cut_off(share, patient) else Operated(canvas, ())


def _skin_match(patient: Patient, lender: Patient) -> Float[np.ndarray, "2 3"]:
    """Factors and offsets that give a lender's hand the patient's colours."""
    mine, theirs = (p.pixels[hand_share(p, p.soft_hand, 0.1) > 0.9] for p in (patient, lender))
    factor = np.clip((mine.std(0) + 3) / (theirs.std(0) + 3), 0.6, 1.5)
    return np.stack([factor, mine.mean(0) - factor * theirs.mean(0)])


def _moved(patient: Patient, start: np.ndarray, matrix: np.ndarray, goal: np.ndarray) -> Map:
    """The map of a linear change about ``start``, which comes to ``goal``."""
    back = np.linalg.inv(matrix)
    here = grid(patient.width) - goal.astype(np.float32)
    return (here @ back.T.astype(np.float32) + start.astype(np.float32)).astype(np.float32)


def _cut_off(share: Float[np.ndarray, "w w"], patient: Patient) -> bool:
    """Too much of a hand set in touches the picture's border."""
    rim = np.concatenate([share[0], share[-1], share[:, 0], share[:, -1]])
    return bool((rim > 0.5).sum() > 0.3 * patient.span)


def _axis(patient: Patient) -> Float[np.ndarray, "2"]:
    """Unit vector from the wrist to the knuckles."""
    way = patient.points[[5, 9, 13, 17]].mean(0) - patient.points[0]
    return way / max(float(np.hypot(*way)), 1e-6)


def _across(axis: np.ndarray) -> Float[np.ndarray, "2"]:
    return np.array([-axis[1], axis[0]])


def _has_arm(patient: Patient, axis: np.ndarray) -> bool:
    """Whether enough of the arm is seen behind the wrist."""
    for share in (0.12, 0.24, _LEAST_ARM):
        column, row = np.floor(patient.points[0] - share * patient.span * axis).astype(int)
        if not (0 <= column < patient.width and 0 <= row < patient.width):
            return False
        if not patient.region.inside[row, column]:
            return False
    return True


def _turn(angle: float) -> Float[np.ndarray, "2 2"]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _small_turn(case: Case) -> Float[np.ndarray, "2 2"]:
    return _turn(case.rng.normal(0, 0.03))


def _noise(patient: Patient, rng: np.random.Generator, size: float) -> Float[np.ndarray, "w w"]:
    """Smooth noise of unit deviation; ``size`` of its waves in hand spans."""
    cells = max(4, round(patient.width / (size * patient.span)))
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (patient.width, patient.width), interpolation=cv2.INTER_CUBIC)
