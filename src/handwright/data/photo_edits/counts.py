"""Edits of the number of fingers: too many, too few, a second thumb."""

import numpy as np

from handwright.data.photo_edits.bends import turn_towards_pinky
from handwright.data.photo_edits.canvas import cut_out_finger, erase_finger, new_canvas
from handwright.data.photo_edits.hand_crop import HandCrop, erased_mask, finger_mask
from handwright.data.photo_edits.moves import (
    Chain,
    EditedHand,
    EditTask,
    FingerMove,
    NotEditable,
    angle_between,
    fill_decoy,
    jittered,
    lendable,
    paste_move,
    perform_moves,
    shaped_like,
    stretched,
    turned,
)

_LONG = (1, 2, 3, 4)


def extra_copied(task: EditTask) -> EditedHand:
    """A copy of a finger between two others or beside the outermost; its neighbours make room."""
    finger = task.one_of([f for f in task.crop.free if f in _LONG])
    chain, neighbours = _room(task, finger)
    size = task.rng.uniform(0.85, 1.0)
    copy = FingerMove(finger, stretched(chain, size), wrong=True, behind=True, thicker=size)
    return EditedHand(perform_moves(task, [*neighbours, copy]), (finger,))


def missing_erased(task: EditTask) -> EditedHand:
    """A finger taken away down to its web, the background filled in."""
    crop = task.crop
    finger = task.one_of([f for f in crop.free if f in (*_LONG, *((0,) if task.rng.random() < 0.3 else ()))])
    canvas = new_canvas(crop)
    neighbours = [f for f in (finger - 1, finger + 1) if f in crop.free and f > 0]
    pieces = {f: cut_out_finger(crop, f) for f in (*neighbours, finger)}
    gone = erased_mask(crop, finger, canvas.hand)
    for f in (*neighbours, finger):
        erase_finger(canvas, f, task.seed())
    back = (*neighbours, finger) if task.sound else neighbours
    for f in back:
        paste_move(canvas, FingerMove(f, jittered(task, crop.fingers[f].chain)), pieces)
    if task.sound:
        fill_decoy(task, canvas, finger, gone)
    task.mark(canvas, gone > 0.5)
    return EditedHand(canvas, (finger,))


def extra_lent(task: EditTask) -> EditedHand:
    """A finger of another photograph's hand, its colours matched."""
    crop, lender = task.crop, task.lend()
    finger = task.pick([f for f in crop.free if f in _LONG])
    if finger is None or lender is None:
        raise NotEditable
    lent = task.pick([f for f in lendable(lender) if f in _LONG])
    chain, neighbours = _room(task, finger)
    if lent is None:
        raise NotEditable
    own = crop.fingers[finger]
    shaped = shaped_like(lender.fingers[lent].chain, chain, own.length * task.rng.uniform(0.85, 1.0))
    size = task.rng.uniform(0.85, 1.0)
    extra = FingerMove(finger, shaped, wrong=True, behind=True, thicker=size, lender=lender, lent=lent)
    return EditedHand(perform_moves(task, [*neighbours, extra]), (finger,))


def missing_stump(task: EditTask) -> EditedHand:
    """A finger that shrinks to a nub with its own tip."""
    crop = task.crop
    finger = task.one_of([f for f in crop.free if f in _LONG])
    own = crop.fingers[finger]
    canvas = perform_moves(task, [FingerMove(finger, stretched(own.chain, task.rng.uniform(0.22, 0.32)))])
    task.mark(canvas, finger_mask(crop, finger, crop.soft_hand) > 0.5)
    return EditedHand(canvas, (finger,))


def thumb_mirrored(task: EditTask) -> EditedHand:
    """A mirrored thumb on the little finger's side."""
    return _thumb_beyond(task, None)


def thumb_lent(task: EditTask) -> EditedHand:
    """Another photograph's thumb on the little finger's side."""
    lender = task.lend()
    if lender is None or 0 not in lendable(lender):
        raise NotEditable
    return _thumb_beyond(task, lender)


def thumb_twin(task: EditTask) -> EditedHand:
    """A second thumb beside the first."""
    crop = task.crop
    if 0 not in crop.free:
        raise NotEditable
    own = crop.fingers[0].chain
    pivot = own[0] + 0.35 * (crop.points[0] - own[0])
    angle = -turn_towards_pinky(crop) * task.rng.uniform(0.4, 0.6)
    size = task.rng.uniform(0.85, 1.0)
    twin = FingerMove(0, stretched(turned(own, pivot, angle), size), wrong=True, behind=True, thicker=size)
    return EditedHand(perform_moves(task, [FingerMove(0, jittered(task, own)), twin]), (0,))


def _thumb_beyond(task: EditTask, lender: HandCrop | None) -> EditedHand:
    """A thumb mirrored across the middle finger's line, growing out of the palm's other edge."""
    crop = task.crop
    if 0 not in crop.free:
        raise NotEditable
    root, ahead = crop.points[0], crop.points[9] - crop.points[0]
    ahead = ahead / np.hypot(*ahead)
    own = crop.fingers[0].chain
    away = (own - root) @ np.array([[-ahead[1]], [ahead[0]]])
    chain = own - 2 * away * np.array([[-ahead[1], ahead[0]]])
    edge = crop.points[17] + task.rng.uniform(0.35, 0.5) * (root - crop.points[17])
    inner = crop.points[9] + 0.5 * (root - crop.points[9])
    chain = chain + (edge + 0.12 * (inner - edge) - chain[0])
    size = task.rng.uniform(0.85, 1.0)
    wrong = FingerMove(0, stretched(chain, size), True, True, size, mirrored=True)
    if lender is not None:
        other = lender.fingers[0].chain
        mirrored = lender.side == crop.side
        shaped = shaped_like(
            other * np.array([-1.0, 1.0]) if mirrored else other, chain, crop.fingers[0].length
        )
        wrong = FingerMove(0, shaped, True, True, size, mirrored=mirrored, lender=lender)
    return EditedHand(perform_moves(task, [FingerMove(0, jittered(task, own)), wrong]), (0,))


def _room(task: EditTask, finger: int) -> tuple[Chain, list[FingerMove]]:
    """Where a copy of a finger can go, and how its neighbours step aside."""
    crop = task.crop
    fingers, root = crop.fingers, crop.points[0]
    sides = [s for s in (-1, 1) if 1 <= finger + s <= 4]
    outer = [s for s in (-1, 1) if finger + s in (0, 5)]
    side = int(task.rng.choice([*sides, *outer]))
    own = fingers[finger].chain
    if side in outer:
        inner = fingers[finger - side].chain
        gap = angle_between(inner[3] - inner[0], own[3] - own[0])
        away = np.sign(gap or 1) * max(abs(gap), np.deg2rad(16))
        pivot = own[0] + task.rng.uniform(0.35, 0.55) * (root - own[0])
        return turned(own, pivot, away), [FingerMove(finger, jittered(task, own))]
    neighbour = finger + side
    if neighbour not in crop.free:
        raise NotEditable
    other = fingers[neighbour].chain
    wide = abs(angle_between(own[3] - own[0], other[3] - other[0]))
    need = max(np.deg2rad(26) - wide, 0) / 2
    sign = np.sign(angle_between(own[3] - own[0], other[3] - other[0]) or 1)
    moved = [
        FingerMove(finger, turned(own, own[0], -sign * need)),
        FingerMove(neighbour, turned(other, other[0], sign * need)),
    ]
    middle = (moved[0].chain[0] + moved[1].chain[0]) / 2
    middle = middle + 0.06 * (middle - root)
    direction = moved[0].chain[3] - moved[0].chain[0] + moved[1].chain[3] - moved[1].chain[0]
    turn = angle_between(own[3] - own[0], direction)
    return turned(own, own[0], turn) + (middle - own[0]), moved
