"""Edits of single fingers: bent as none bends, too long, too short."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from handwright.data.photo_edits.canvas import (
    Canvas,
    Map,
    Piece,
    cut_out,
    cut_out_finger,
    erase_finger,
    grid,
    new_canvas,
    paste,
    sample,
    smooth_map,
)
from handwright.data.photo_edits.hand_crop import HandCrop, finger_mask
from handwright.data.photo_edits.moves import (
    Chain,
    EditedHand,
    EditTask,
    FingerMove,
    NotEditable,
    balance_fills,
    bent,
    expect_within,
    jittered,
    lendable,
    perform_moves,
    stretched,
)
from handwright.data.photo_edits.photo_hands import along
from handwright.data.shapes import Share
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.defects import Defect
from handwright.hand.kinematics import hand_landmarks_m
from handwright.hand.rig import axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.hand.skeleton import distance_to_chain
from handwright.image.compositing import smoothstep

_STATIONS = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0, 1.12])
_FRAME = 7
_PROBE_RAD, _IN_PLANE = 0.4, 0.84


def lifted(task: EditTask, kind: str) -> EditedHand:
    """A finger cut out and pasted along its new chain."""
    finger, chain = _plan(task, kind)
    return EditedHand(perform_moves(task, [FingerMove(finger, chain, wrong=True)]), (finger,))


def lent(task: EditTask, kind: str) -> EditedHand:
    """Another photograph's finger in place of the own one, along the new chain."""
    try:
        finger, chain = _plan(task, kind)
    finally:
        lender = task.lend()
    if lender is None:
        raise NotEditable
    other = task.one_of([f for f in lendable(lender) if (f > 0) == (finger > 0)])
    move = FingerMove(finger, chain, wrong=True, lender=lender, lent=other)
    return EditedHand(perform_moves(task, [move], [finger]), (finger,))


def warped(task: EditTask, kind: str) -> EditedHand:
    """The whole hand warped smoothly, its palm along with the finger, over the filled background."""
    finger, chain = _plan(task, kind)
    crop, planned = task.crop, chain
    if task.sound:
        chain = jittered(task, crop.fingers[finger].chain)
    expect_within(crop, chain)
    canvas = new_canvas(crop)
    radius = crop.fingers[finger].radius
    piece = cut_out(crop, crop.soft_hand)
    erase_finger(canvas, finger, task.seed())
    near = smoothstep(2.3, 1.7, distance_to_chain(chain, *crop.places) / radius)
    paste(canvas, piece, finger_warp(crop, finger, chain), within=near)
    balance_fills(task, canvas, {finger: [planned]})
    task.mark(canvas, distance_to_chain(chain, *crop.places) < crop.fingers[finger].radius)
    return EditedHand(canvas, (finger,))


def respaced(task: EditTask, kind: str) -> EditedHand:
    """A stretch along the finger comes twice, or not at all."""
    crop = task.crop
    finger = task.one_of([f for f in crop.free if f > 0])
    own = crop.fingers[finger]
    low, high = (
        (0.3, task.rng.uniform(0.72, 0.85))
        if kind == Defect.TOO_LONG
        else (task.rng.uniform(0.2, 0.28), 0.68)
    )
    sign = 1 if kind == Defect.TOO_LONG else -1
    planned = stretched(own.chain, 1 + sign * (high - low))
    if task.sound:
        low = high = (low + high) / 2
    longer = 1 + sign * (high - low)
    chain = stretched(own.chain, longer)
    expect_within(crop, chain)
    canvas = new_canvas(crop)
    piece = cut_out_finger(crop, finger)
    erase_finger(canvas, finger, task.seed())
    seam = high if kind == Defect.TOO_LONG else low
    where, share = _respaced_map(crop, own.chain, chain, longer, seam, own.radius)
    _paste_blend(canvas, piece, where, share, wrong=not task.sound)
    balance_fills(task, canvas, {finger: [planned]})
    if kind == Defect.TOO_SHORT:
        task.mark(canvas, finger_mask(crop, finger, crop.soft_hand) > 0.5)
    return EditedHand(canvas, (finger,))


def finger_warp(crop: HandCrop, finger: int, chain: Chain) -> Float[np.ndarray, "w w 2"]:
    """A smooth map that brings one finger to a new chain and leaves the rest of the hand where it is."""
    target: list[np.ndarray] = []
    source: list[np.ndarray] = []
    for number, other in enumerate(crop.fingers):
        goal = chain if number == finger else other.chain
        for points, into in ((other.chain, source), (goal, target)):
            axis = along(points, _STATIONS[:-1])
            direction = np.gradient(axis, axis=0)
            direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
            across = np.stack([-direction[:, 1], direction[:, 0]], 1) * other.radius
            sides = (1.0, -1.0, 2.0, -2.0) if number == finger else (1.0, -1.0)
            tips = [
                axis[-1:] + direction[-1:] * other.radius * reach
                for reach in (1.3, *((2.4,) if number == finger else ()))
            ]
            into.append(np.concatenate([axis, *(axis + side * across for side in sides), *tips]))
    rim = np.linspace(0, crop.width, _FRAME)
    frame = np.array([(x, y) for x in rim for y in rim if x in (0, crop.width) or y in (0, crop.width)])
    palm = crop.points[[0, 5, 9, 13, 17]]
    fixed = np.concatenate([frame, palm, (palm + crop.points[0]) / 2])
    return smooth_map(np.concatenate([*target, fixed]), np.concatenate([*source, fixed]), crop.width)


def _plan(task: EditTask, kind: str) -> tuple[int, Chain]:
    """Which finger, and its new chain, which meets no other finger."""
    crop, (finger, chain) = task.crop, _drawn_plan(task, kind)
    outer = along(chain, np.array([0.5, 0.7, 0.85, 1.0]))
    for number, other in enumerate(crop.fingers):
        away = distance_to_chain(other.chain, outer[None, :, 0], outer[None, :, 1]).min()
        if number != finger and away < 0.9 * (other.radius + crop.fingers[finger].radius):
            raise NotEditable
    return finger, chain


def _drawn_plan(task: EditTask, kind: str) -> tuple[int, Chain]:
    crop, rng = task.crop, task.rng
    if kind == Defect.OVERBENT:
        return _backwards(task)
    thumb = 0.15 if kind in (Defect.TOO_LONG, Defect.TOO_SHORT) else 0.0
    finger = task.one_of([f for f in crop.free if f > 0 or rng.random() < thumb])
    own = crop.fingers[finger].chain
    if kind == Defect.SIDEWAYS:
        outward = {1: -1.0, 4: 1.0}.get(finger, 0.0)
        sign = outward * turn_towards_pinky(crop) if outward else task.sign()
        joint = int(rng.choice([1, 1, 2]))
        return finger, bent(own, joint, sign * rng.uniform(0.7, 1.1))
    low, high = (1.4, 1.7) if kind == Defect.TOO_LONG else (0.38, 0.54)
    return finger, stretched(own, rng.uniform(low, high))


def _backwards(task: EditTask) -> tuple[int, Chain]:
    """A finger whose joints bend within the picture's plane, bent backwards there."""
    crop = task.crop
    options = [(f, sign) for f in crop.free if (sign := _back_side(crop, f)) != 0.0]
    if not options:
        raise NotEditable
    finger, sign = options[int(task.rng.integers(len(options)))]
    joint = int(task.rng.choice([1, 1, 2]))
    own = crop.fingers[finger].chain
    chain = bent(own, joint, sign * task.rng.uniform(0.75, 1.15))
    if joint == 1 and task.rng.random() < 0.5:
        chain = bent(chain, 2, sign * task.rng.uniform(0.2, 0.5))
    return finger, chain


def _back_side(crop: HandCrop, finger: int) -> float:
    """Which way on the screen bends a finger backwards; 0 where its joints do not bend in that plane.

    The fitted hand's middle joint is flexed a little: its tip must move across the line of sight.
    """
    hand, (_, bone, _) = crop.hand, FINGER_BONES[finger]
    pose = hand.pose.copy()
    turn = axis_angle_matrix(_PROBE_RAD * load_rig().finger_axes[finger, 0])
    pose[bone - 1] = matrix_axis_angle(axis_angle_matrix(pose[bone - 1]) @ turn)
    tip, joint = 4 + 4 * finger, 2 + 4 * finger
    before, after = (hand_landmarks_m(h) for h in (hand, replace(hand, pose=pose)))
    arm = before[tip] - before[joint]
    full = _PROBE_RAD * float(np.linalg.norm(arm)) * hand.camera.focal_px / before[tip, 2]
    points_px = [hand.camera.project(points) for points in (before, after)]
    moved, direction = points_px[1][tip] - points_px[0][tip], points_px[0][tip] - points_px[0][joint]
    if float(np.hypot(*moved)) < _IN_PLANE * full:
        return 0.0
    return -float(np.sign(direction[0] * moved[1] - direction[1] * moved[0]))


def turn_towards_pinky(crop: HandCrop) -> float:
    """Sign of the turn on the screen from the index towards the little finger."""
    a, b = crop.points[5] - crop.points[0], crop.points[17] - crop.points[0]
    return float(np.sign(a[0] * b[1] - a[1] * b[0]) or 1.0)


def _respaced_map(
    crop: HandCrop, own: Chain, chain: Chain, longer: float, seam: float, radius: float
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """A finger's maps for its near and its far part, and the far one's share of each pixel."""
    length = float(np.linalg.norm(np.diff(own, axis=0), axis=1).sum())
    direction = (own[3] - own[0]) / max(float(np.hypot(*(own[3] - own[0]))), 1e-6)
    moved = (longer - 1) * length
    near, far = grid(crop.width), grid(crop.width) - np.float32(moved) * direction.astype(np.float32)
    along_px = (near - own[0].astype(np.float32)) @ direction.astype(np.float32)
    at = seam * float((own[3] - own[0]) @ direction)
    share = smoothstep(-0.35 * radius, 0.35 * radius, along_px - at)
    return (near, far), share


def _paste_blend(canvas: Canvas, piece: Piece, maps: tuple[Map, Map], share: Share, *, wrong: bool) -> None:
    """Paste a piece whose near part follows one map and its far part another, with a soft seam."""
    shares = [np.clip(sample(piece.share, w), 0, 1) for w in maps]
    colours = [np.clip(sample(piece.colours, w), 0, 255) for w in maps]
    fade = np.ones_like(share) if piece.fade is None else np.clip(sample(piece.fade, maps[0]), 0, 1)
    alpha = shares[0] * (1 - share) + shares[1] * share
    alpha = alpha * (1 - canvas.hand * (1 - np.maximum(fade, share)))
    mixed = colours[0] * (1 - share[..., None]) + colours[1] * share[..., None]
    canvas.lay(mixed, alpha)
    canvas.hand = np.maximum(canvas.hand, alpha)
    if wrong:
        canvas.mark(alpha > 0.5)
