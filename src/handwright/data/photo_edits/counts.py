"""Too many fingers, too few, a second thumb."""

from __future__ import annotations

import numpy as np

from handwright.data.photo_edits.bends import pinky_way
from handwright.data.photo_edits.canvas import erase_finger, lift_finger, open_canvas
from handwright.data.photo_edits.finger_masks import finger_share, stump_share
from handwright.data.photo_edits.moves import (
    Case,
    Chain,
    Move,
    Operated,
    angle_between,
    fill_decoy,
    jittered,
    lendable,
    like,
    perform,
    set_move,
    stretched,
    turned,
)
from handwright.data.photo_edits.subject import Patient

_LONG = (1, 2, 3, 4)


def extra_copied(case: Case) -> Operated | None:
    """A copy of a finger between two others or beside the outermost; its neighbours make room."""
    finger = case.one_of([f for f in case.patient.free if f in _LONG])
    if finger is None:
        return None
    chain, mates = _room(case, finger)
    if chain is None:
        return None
    size = case.rng.uniform(0.85, 1.0)
    copy = Move(finger, stretched(chain, size), wrong=True, behind=True, thicker=size)
    canvas = perform(case, [*mates, copy], also_erased=())
    return None if canvas is None else Operated(canvas, (finger,))


def missing_erased(case: Case) -> Operated | None:
    """A finger taken away down to its web, the background filled in."""
    patient = case.patient
    finger = case.one_of(
        [f for f in patient.free if f in (*_LONG, *((0,) if case.rng.random() < 0.3 else ()))]
    )
    if finger is None:
        return None
    canvas = open_canvas(patient)
    mates = [f for f in (finger - 1, finger + 1) if f in patient.free and f > 0]
    pieces = {f: lift_finger(patient, f) for f in (*mates, finger)}
    gone = stump_share(patient, finger, canvas.hand)
    for f in (*mates, finger):
        erase_finger(canvas, f, case.seed())
    back = (*mates, finger) if case.sound else mates
    for f in back:
        set_move(canvas, Move(f, jittered(case, patient.fingers[f].chain)), pieces)
    if case.sound:
        fill_decoy(case, canvas, finger, gone)
    else:
        canvas.mark(gone > 0.5)
    return Operated(canvas, (finger,))


def extra_lent(case: Case) -> Operated | None:
    """A finger of another photograph's hand, its colours matched."""
    patient, lender = case.patient, case.lend()
    finger = case.one_of([f for f in patient.free if f in _LONG])
    if finger is None or lender is None:
        return None
    lent = case.one_of([f for f in lendable(lender) if f in _LONG])
    chain, mates = _room(case, finger)
    if lent is None or chain is None:
        return None
    own = patient.fingers[finger]
    shaped = like(lender.fingers[lent].chain, chain, own.length * case.rng.uniform(0.85, 1.0))
    size = case.rng.uniform(0.85, 1.0)
    extra = Move(finger, shaped, wrong=True, behind=True, thicker=size, lender=lender, lent=lent)
    canvas = perform(case, [*mates, extra])
    return None if canvas is None else Operated(canvas, (finger,))


def missing_stump(case: Case) -> Operated | None:
    """A finger that shrinks to a nub with its own tip."""
    patient = case.patient
    finger = case.one_of([f for f in patient.free if f in _LONG])
    if finger is None:
        return None
    own = patient.fingers[finger]
    canvas = perform(case, [Move(finger, stretched(own.chain, case.rng.uniform(0.22, 0.32)))])
    if canvas is None:
        return None
    if not case.sound:
        canvas.mark(finger_share(patient, finger, patient.soft_hand) > 0.5)
    return Operated(canvas, (finger,))


def thumb_mirrored(case: Case) -> Operated | None:
    """A mirrored thumb on the little finger's side."""
    return _thumb_beyond(case, None)


def thumb_lent(case: Case) -> Operated | None:
    """Another photograph's thumb on the little finger's side."""
    lender = case.lend()
    return None if lender is None or 0 not in lendable(lender) else _thumb_beyond(case, lender)


def thumb_twin(case: Case) -> Operated | None:
    """A second thumb beside the first."""
    patient = case.patient
    if 0 not in patient.free:
        return None
    own = patient.fingers[0].chain
    pivot = own[0] + 0.35 * (patient.points[0] - own[0])
    angle = -pinky_way(patient) * case.rng.uniform(0.4, 0.6)
    size = case.rng.uniform(0.85, 1.0)
    twin = Move(0, stretched(turned(own, pivot, angle), size), wrong=True, behind=True, thicker=size)
    canvas = perform(case, [Move(0, jittered(case, own)), twin])
    return None if canvas is None else Operated(canvas, (0,))


def _thumb_beyond(case: Case, lender: Patient | None) -> Operated | None:
    """A thumb mirrored across the middle finger's line, growing out of the palm's other edge."""
    patient = case.patient
    if 0 not in patient.free:
        return None
    root, ahead = patient.points[0], patient.points[9] - patient.points[0]
    ahead = ahead / np.hypot(*ahead)
    own = patient.fingers[0].chain
    away = (own - root) @ np.array([[-ahead[1]], [ahead[0]]])
    chain = own - 2 * away * np.array([[-ahead[1], ahead[0]]])
    edge = patient.points[17] + case.rng.uniform(0.35, 0.5) * (root - patient.points[17])
    inner = patient.points[9] + 0.5 * (root - patient.points[9])
    chain = chain + (edge + 0.12 * (inner - edge) - chain[0])
    size = case.rng.uniform(0.85, 1.0)
    wrong = Move(0, stretched(chain, size), True, True, size, mirrored=True)
    if lender is not None:
        other = lender.fingers[0].chain
        mirrored = lender.side == patient.side
        shaped = like(other * np.array([-1.0, 1.0]) if mirrored else other, chain, patient.fingers[0].length)
        wrong = Move(0, shaped, True, True, size, mirrored=mirrored, lender=lender)
    canvas = perform(case, [Move(0, jittered(case, own)), wrong])
    return None if canvas is None else Operated(canvas, (0,))


def _room(case: Case, finger: int) -> tuple[Chain | None, list[Move]]:
    """Where a copy of a finger can go, and how its neighbours step aside."""
    patient = case.patient
    fingers, root = patient.fingers, patient.points[0]
    sides = [s for s in (-1, 1) if 1 <= finger + s <= 4]
    outer = [s for s in (-1, 1) if finger + s in (0, 5)]
    side = int(case.rng.choice([*sides, *outer]))
    own = fingers[finger].chain
    if side in outer:
        inner = fingers[finger - side].chain
        gap = angle_between(inner[3] - inner[0], own[3] - own[0])
        away = np.sign(gap or 1) * max(abs(gap), np.deg2rad(16))
        pivot = own[0] + case.rng.uniform(0.35, 0.55) * (root - own[0])
        return turned(own, pivot, away), [Move(finger, jittered(case, own))]
    mate = finger + side
    if mate not in patient.free:
        return None, []
    other = fingers[mate].chain
    wide = abs(angle_between(own[3] - own[0], other[3] - other[0]))
    need = max(np.deg2rad(26) - wide, 0) / 2
    sign = np.sign(angle_between(own[3] - own[0], other[3] - other[0]) or 1)
    moved = [
        Move(finger, turned(own, own[0], -sign * need)),
        Move(mate, turned(other, other[0], sign * need)),
    ]
    middle = (moved[0].chain[0] + moved[1].chain[0]) / 2
    middle = middle + 0.06 * (middle - root)
    direction = moved[0].chain[3] - moved[0].chain[0] + moved[1].chain[3] - moved[1].chain[0]
    turn = angle_between(own[3] - own[0], direction)
    return turned(own, own[0], turn) + (middle - own[0]), moved
