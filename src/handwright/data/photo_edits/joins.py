"""Edits that fuse two fingers or fork one."""

import cv2
import numpy as np

from handwright.data.photo_edits.canvas import Canvas, cut_out_finger, erase_finger, grid, new_canvas, paste
from handwright.data.photo_edits.moves import (
    EditedHand,
    EditTask,
    FingerMove,
    NotEditable,
    angle_between,
    bent,
    lendable,
    perform_moves,
    shaped_like,
    turned,
)
from handwright.data.photo_edits.photo_hands import along
from handwright.drawing.fill.patch_fill import fill_background
from handwright.drawing.fill.push_pull import push_pull
from handwright.image.compositing import smoothstep


def fused_pressed(task: EditTask) -> EditedHand:
    """Two neighbours laid side by side along their whole length, run into each other."""
    first, second = _pair(task)
    fingers = task.crop.fingers
    a, b = fingers[first], fingers[second]
    direction = a.direction + b.direction
    direction = direction / np.hypot(*direction)
    across = np.array([-direction[1], direction[0]])
    side = np.sign((b.chain[0] - a.chain[0]) @ across)
    between = (a.radius + b.radius) * task.rng.uniform(0.55, 0.7)
    middle = (along(a.chain, np.array([0.6]))[0] + along(b.chain, np.array([0.6]))[0]) / 2
    moves: list[FingerMove] = []
    for finger, sign in ((first, -1.0), (second, 1.0)):
        own = fingers[finger]
        goal = middle + side * sign * between / 2 * across
        turn = angle_between(along(own.chain, np.array([0.6]))[0] - own.chain[0], goal - own.chain[0])
        chain = turned(own.chain, own.chain[0], turn)
        moves.append(
            FingerMove(finger, bent(chain, 1, angle_between(chain[3] - chain[1], direction)), wrong=True)
        )
    canvas = perform_moves(task, moves)
    _close_slits(canvas, (first, second))
    return EditedHand(canvas, (first, second))


def _close_slits(canvas: Canvas, pair: tuple[int, int]) -> None:
    """Skin over the narrow slits of background between two fingers."""
    crop = canvas.crop
    radius = min(crop.fingers[f].radius for f in pair)
    reach = max(2, round(1.0 * radius))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    now = (canvas.hand > 0.5).astype(np.uint8)
    near = np.minimum(*(crop.reach(f) for f in pair)) < 2.5 * radius
    slits = (cv2.morphologyEx(now, cv2.MORPH_CLOSE, disc) > now) & near
    known = cv2.erode(now, np.ones((3, 3), np.uint8)).astype(np.float32)
    fresh = cv2.GaussianBlur(
        cv2.dilate(slits.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32), (0, 0), 1.0
    )
    skin = 0.94 * push_pull(canvas.pixels, known)
    canvas.lay(skin, fresh)
    canvas.hand = np.maximum(canvas.hand, fresh)


def fused_webbed(task: EditTask) -> EditedHand:
    """Skin between two fingers up to their end joints."""
    pair = _pair(task)
    crop = task.crop
    a, b = (crop.fingers[f] for f in pair)
    top = task.rng.uniform(0.72, 0.88)
    if task.sound:
        outline = _strip(a.chain, 0.45 * a.radius)
    else:
        shares = np.linspace(0.1, top, 8)
        rim = (along(a.chain, np.array([top])) + along(b.chain, np.array([top]))) / 2
        dip = rim - 0.25 * a.radius * (a.direction + b.direction)
        outline = np.concatenate([along(a.chain, shares), dip, along(b.chain, shares)[::-1]])
    canvas = new_canvas(crop)
    painted = np.zeros(canvas.hand.shape, np.uint8)
    cv2.fillPoly(painted, [np.round(outline * 8).astype(np.int32)], 1, cv2.LINE_8, 3)
    inside = cv2.distanceTransform(crop.region.inside.astype(np.uint8), cv2.DIST_L2, 3)
    near = np.minimum(*(crop.reach(f) for f in pair)) < 1.1 * a.radius
    edge = 0.4 * a.radius
    hole = painted > 0 if task.sound else (painted > 0) & (inside <= edge)
    skin = fill_background(crop.bytes, hole, near & (inside > edge) & ~hole, task.seed()).astype(np.float32)
    soft = cv2.GaussianBlur(painted.astype(np.float32), (0, 0), 1.2)
    fresh = soft * (1 - smoothstep(0.2, 0.55, inside / a.radius)) if not task.sound else soft
    shade = 1 - 0.1 * fresh * task.rng.uniform(0.3, 1.0)
    canvas.lay(skin * shade[..., None], fresh)
    canvas.hand = np.maximum(canvas.hand, fresh)
    if not task.sound:
        new = (fresh > 0.5) & ~crop.region.inside
        if new.sum() < 2.5 * a.radius**2:
            raise NotEditable
        canvas.mark(new)
    return EditedHand(canvas, pair)


def split_unfolded(task: EditTask) -> EditedHand:
    """A finger that opens into two ends, each one half of it and that half's mirror image."""
    crop = task.crop
    finger = task.one_of([f for f in crop.free if f > 0])
    own = crop.fingers[finger]
    joint = own.chain[1] + task.rng.uniform(0.0, 0.4) * (own.chain[2] - own.chain[1])
    length = float(np.linalg.norm(own.chain[3] - joint))
    direction = (own.chain[3] - joint) / max(length, 1e-6)
    across = np.array([-direction[1], direction[0]])
    here = grid(crop.width) - joint.astype(np.float32)
    u, v = here @ direction.astype(np.float32), here @ across.astype(np.float32)
    canvas = new_canvas(crop)
    piece = cut_out_finger(crop, finger)
    erase_finger(canvas, finger, task.seed())
    most = own.radius * (task.rng.uniform(0.0, 0.1) if task.sound else task.rng.uniform(0.95, 1.25))
    opening = most * smoothstep(-0.1, 0.8, u / length) ** 1.3
    narrow = 1 + 0.35 * opening / own.radius * (0.0 if task.sound else 1.0)
    near = smoothstep(3.6, 2.8, np.abs(v) / own.radius)
    for side in (-1.0, 1.0):
        beside = (v - side * opening) * narrow
        folded = np.where(opening > 0.5, side * np.abs(beside), beside)
        mixed = smoothstep(0.0, 0.6, opening / own.radius)
        source = beside + mixed * (folded - beside) * (0.0 if task.sound else 1.0)
        where = joint + u[..., None] * direction + source[..., None] * across
        half = smoothstep(-1.0, 1.0, side * v)
        paste(canvas, piece, where.astype(np.float32), within=near * half)
    task.mark(canvas, (u > 0) & (u < 1.15 * length) & (np.abs(v) < 2.4 * own.radius) & (canvas.hand > 0.5))
    return EditedHand(canvas, (finger,))


def fork(task: EditTask, *, lent: bool) -> EditedHand:
    """A finger that forks: two copies of what lies beyond a joint, or one and another photograph's finger."""
    crop = task.crop
    lender = task.lend() if lent else None
    finger = task.pick([f for f in crop.free if f > 0])
    other = task.pick([f for f in lendable(lender) if f > 0]) if lender is not None else None
    if finger is None or (lent and other is None):
        raise NotEditable
    own = crop.fingers[finger]
    joint = int(task.rng.choice([1, 1, 2])) if not lent else 1
    angle = task.rng.uniform(0.26, 0.4) * (1.25 if joint == 2 else 1.0)
    left, right = bent(own.chain, joint, -angle), bent(own.chain, joint, angle)
    thin = task.rng.uniform(0.85, 1.0)
    first = FingerMove(finger, left, thicker=thin, wrong=True)
    if lender is None or other is None:
        second = FingerMove(finger, right, thicker=thin, wrong=True)
    else:
        shaped = shaped_like(lender.fingers[other].chain, right, own.length)
        shaped = shaped + (right[1] - shaped[1])
        shaped = np.concatenate([right[:1], shaped[1:]])
        second = FingerMove(finger, shaped, thicker=thin, wrong=True, lender=lender, lent=other)
    return EditedHand(perform_moves(task, [first, second]), (finger,))


def _strip(chain: np.ndarray, half: float) -> np.ndarray:
    shares = np.linspace(0.3, 0.75, 8)
    points = along(chain, shares)
    direction = chain[3] - chain[0]
    across = np.array([-direction[1], direction[0]]) / max(float(np.hypot(*direction)), 1e-6) * half
    return np.concatenate([points - across, (points + across)[::-1]])


def _pair(task: EditTask) -> tuple[int, int]:
    """Two free neighbours that do not stand too far apart."""
    crop = task.crop
    pairs = [
        k
        for k in (1, 2, 3)
        if {k, k + 1} <= set(crop.free)
        and abs(angle_between(crop.fingers[k].direction, crop.fingers[k + 1].direction)) < 0.65
    ]
    chosen = task.one_of(pairs)
    return chosen, chosen + 1
