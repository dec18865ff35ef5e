"""Fingers that are cut out and pasted along new chains of joints, and geometry of such chains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from handwright.data.photo_edits.canvas import (
    Canvas,
    Piece,
    bone_map,
    cut_out_finger,
    erase,
    erase_finger,
    grid,
    new_canvas,
    paste,
    sample,
)
from handwright.data.photo_edits.hand_crop import HandCrop, erased_mask, first_bone_position
from handwright.data.shapes import Points, Share, Vector2
from handwright.hand.skeleton import distance_to_chain
from handwright.image.compositing import smoothstep

Chain = Float[np.ndarray, "4 2"]

_JITTER_RAD, _JITTER_LENGTH, _JITTER_PX = 0.035, 0.02, 0.7
"""Deviations by which a finger that goes back to its place is turned, stretched (share) and moved; by eye."""
_BORDER = 0.02  # Least distance of joints from the border, in sides of the crop
_LEAST_RIM = 0.68
"""Least brightness of a finger's rim over that of its middle for it to be lent; chosen by eye."""
_BARE = 0.3
"""Share of a finger's place that a defect leaves bare before its control shows a filled piece, too."""


class NotEditable(Exception):
    """Raised where an edit cannot be made on this hand; another one is drawn then."""


@dataclass(frozen=True, eq=False)
class EditTask:
    """One edit to be made."""

    crop: HandCrop  # The hand
    sound: bool  # A control: the hand is to stay sound, with its pixels processed as for the defect
    rng: np.random.Generator  # Which finger, how much
    lend: Callable[[], HandCrop | None]  # A hand of another photograph, or None when none matches

    def seed(self) -> int:
        """A seed for a fill."""
        return int(self.rng.integers(1 << 30))

    def pick(self, numbers: Sequence[int]) -> int | None:
        """Any of these, or None when there are none."""
        return int(self.rng.choice(np.asarray(numbers))) if len(numbers) else None

    def one_of(self, numbers: Sequence[int]) -> int:
        """Any of these; where there are none, the hand cannot be edited."""
        if (number := self.pick(numbers)) is None:
            raise NotEditable
        return number

    def mark(self, canvas: Canvas, where: Bool[np.ndarray, "w w"]) -> None:
        """Note that something is wrong in these pixels, unless the hand stays sound."""
        if not self.sound:
            canvas.mark(where)

    def sign(self) -> float:
        """−1 or 1."""
        return -1.0 if self.rng.random() < 0.5 else 1.0


@dataclass(frozen=True, eq=False)
class EditedHand:
    """The result of an edit."""

    canvas: Canvas  # The picture
    fingers: tuple[int, ...]  # Numbers of the fingers concerned; empty for the whole hand


Edit = Callable[[EditTask], EditedHand]
"""Raises ``NotEditable`` where it cannot be made."""


@dataclass(frozen=True, eq=False)
class FingerMove:
    """One finger to be pasted."""

    finger: int  # Number of the hand's own finger
    chain: Chain  # Where it goes
    wrong: bool = False  # It is part of the defect
    behind: bool = False  # The rest of the hand stays in front of it
    thicker: float = 1.0  # Factor on its thickness
    mirrored: bool = False  # Left and right change places
    lender: HandCrop | None = None  # A hand whose finger is pasted instead
    lent: int = 0  # Number of that finger


def perform_moves(task: EditTask, moves: Sequence[FingerMove], also_erased: Sequence[int] = ()) -> Canvas:
    """Erase the fingers that move, fill, and paste them; a control gets every one back in its place.

    Raises:
        NotEditable: A finger would leave the picture or be hidden by the hand.
    """
    crop = task.crop
    canvas = new_canvas(crop)
    own = [m.finger for m in moves if m.lender is None and not (m.wrong and m.behind)]
    erased = sorted({*own, *also_erased, *(m.finger for m in moves if task.sound)})
    pieces = {f: cut_out_finger(crop, f) for f in {m.finger for m in moves if m.lender is None} | set(erased)}
    planned = moves
    if task.sound:
        moves = _returned(task, moves, erased)
    for finger in erased:
        erase_finger(canvas, finger, task.seed())
    for move in sorted(moves, key=lambda m: not m.behind):
        expect_within(crop, move.chain)
        share = paste_move(canvas, move, pieces)
        if move.wrong and not _shows(share, crop, move):
            raise NotEditable
    balance_fills(
        task, canvas, {m.finger: [n.chain for n in planned if n.finger == m.finger] for m in planned}
    )
    return canvas


def balance_fills(task: EditTask, canvas: Canvas, plan: Mapping[int, Sequence[Chain]]) -> None:
    """Give a control as much filled background as the defect's plan would show, in another place."""
    if not task.sound:
        return
    crop = task.crop
    for finger, chains in plan.items():
        share = erased_mask(crop, finger, crop.soft_hand)
        reach = 1.2 * crop.fingers[finger].radius
        bare = share > 0.5
        for chain in chains:
            bare &= distance_to_chain(chain, *crop.places) > reach
        if bare.sum() > _BARE * (share > 0.5).sum():
            fill_decoy(task, canvas, finger, share)


def paste_move(canvas: Canvas, move: FingerMove, pieces: dict[int, Piece]) -> Share:
    """Paste one finger; float32 [W, W] its share of each pixel."""
    crop = canvas.crop
    below = np.clip(canvas.hand, 0, 1) * _beyond_root(crop, move) if move.behind else None
    if move.lender is None:
        finger, piece, colours = crop.fingers[move.finger], pieces[move.finger], None
        thicker = move.thicker
    else:
        finger, piece = move.lender.fingers[move.lent], cut_out_finger(move.lender, move.lent)
        thicker = move.thicker * crop.fingers[move.finger].radius / finger.radius
        colours = colour_match(crop, move.finger, move.lender, move.lent)
    radius = finger.radius * thicker
    where = bone_map(move.chain, finger.chain, crop.width, radius, thicker, move.mirrored)
    near = smoothstep(3.0, 2.2, distance_to_chain(move.chain, *crop.places) / radius)
    return paste(canvas, piece, where, below=below, wrong=move.wrong, colours=colours, within=near)


def within(crop: HandCrop, chain: Chain) -> bool:
    """Whether a chain's end stays inside the picture."""
    margin = _BORDER * crop.width + 0.8 * crop.fingers[2].radius
    return bool((chain[1:] > margin).all() and (chain[1:] < crop.width - margin).all())


def expect_within(crop: HandCrop, chain: Chain) -> None:
    """A finger that would leave the picture cannot be moved there."""
    if not within(crop, chain):
        raise NotEditable


def colour_match(crop: HandCrop, finger: int, lender: HandCrop, lent: int) -> Float[np.ndarray, "2 3"]:
    """Factors and offsets that give a lender's finger the mean colour and contrast of the hand's own."""
    own, other = (
        p.pixels[(p.reach(f) < 0.7 * p.fingers[f].radius) & (p.soft_hand > 0.9)]
        for p, f in ((crop, finger), (lender, lent))
    )
    if min(len(own), len(other)) < 20:
        return np.array([[1.0] * 3, [0.0] * 3])
    return match_colours(own, other)


def match_colours(own: Points, other: Points) -> Float[np.ndarray, "2 3"]:
    """Factors and offsets that give one set of colours the mean and, about, the contrast of the own one."""
    factor = np.clip((own.std(0) + 3) / (other.std(0) + 3), 0.6, 1.5)
    return np.stack([factor, own.mean(0) - factor * other.mean(0)])


def turned(chain: Chain, pivot: Vector2, angle: float) -> Chain:
    """A chain turned about a point; positive is clockwise on the screen."""
    c, s = np.cos(angle), np.sin(angle)
    return (chain - pivot) @ np.array([[c, s], [-s, c]]) + pivot


def bent(chain: Chain, joint: int, angle: float) -> Chain:
    """A chain bent at a joint (0 knuckle, 1 middle, 2 end)."""
    out = chain.copy()
    out[joint + 1 :] = turned(chain[joint + 1 :], chain[joint], angle)
    return out


def stretched(chain: Chain, factor: float, joint: int = 0) -> Chain:
    """A chain whose part distal of a joint has another length."""
    bones = np.diff(chain, axis=0)
    bones[joint:] *= factor
    return np.concatenate([chain[:1], chain[0] + np.cumsum(bones, 0)])


def lendable(lender: HandCrop) -> list[int]:
    """Free fingers without a dark rim, which would be background or shadow cut out along with them."""
    good: list[int] = []
    for number in lender.free:
        away = lender.reach(number) / lender.fingers[number].radius
        inside = lender.region.inside & (first_bone_position(lender, lender.fingers[number].chain) > 0.5)
        core, rim = (lender.pixels[inside & (away > a) & (away <= b)] for a, b in ((0.0, 0.5), (0.75, 1.0)))
        if min(len(core), len(rim)) > 10 and rim.mean() > _LEAST_RIM * core.mean():
            good.append(number)
    return good


def shaped_like(model: Chain, chain: Chain, length: float) -> Chain:
    """A chain with a model's bends and proportions, in the place of another, of a given length in pixels."""
    turn = angle_between(model[3] - model[0], chain[3] - chain[0])
    scale = length / max(float(np.linalg.norm(np.diff(model, axis=0), axis=1).sum()), 1e-6)
    return chain[0] + scale * (turned(model, model[0], turn) - model[0])


def angle_between(a: Vector2, b: Vector2) -> float:
    """From a to b, clockwise on the screen positive, radians."""
    return float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))


def jittered(task: EditTask, chain: Chain) -> Chain:
    """A chain moved by too little to notice."""
    turn, length = task.rng.normal(0, _JITTER_RAD), 1 + task.rng.normal(0, _JITTER_LENGTH)
    return stretched(turned(chain, chain[0], turn), length) + task.rng.normal(0, _JITTER_PX, 2)


def fill_decoy(task: EditTask, canvas: Canvas, finger: int, gone: Share) -> None:
    """Fill a finger-shaped piece of background, where there is room for it."""
    crop = task.crop
    chain = crop.fingers[finger].chain
    for angle in task.rng.permutation(np.deg2rad(np.arange(25, 336, 10))):
        where = turned(grid(crop.width).reshape(-1, 2), crop.points[9], -angle)
        moved = sample(gone, where.reshape(crop.width, crop.width, 2).astype(np.float32))
        if within(crop, turned(chain, crop.points[9], angle)) and (moved * canvas.hand).max() < 0.05:
            erase(canvas, moved, task.seed())
            return


def _returned(task: EditTask, moves: Sequence[FingerMove], erased: Sequence[int]) -> list[FingerMove]:
    back: list[FingerMove] = []
    for finger in erased:
        lent = next((m for m in moves if m.lender is not None and m.finger == finger), None)
        chain = jittered(task, task.crop.fingers[finger].chain)
        if lent is None or lent.lender is None:
            back.append(FingerMove(finger, chain))
            continue
        model = lent.lender.fingers[lent.lent].chain * (np.array([-1.0, 1.0]) if lent.mirrored else 1.0)
        chain = shaped_like(model, chain, task.crop.fingers[finger].length)
        back.append(FingerMove(finger, chain, mirrored=lent.mirrored, lender=lent.lender, lent=lent.lent))
    return back


def _beyond_root(crop: HandCrop, move: FingerMove) -> Share:
    """float32 [W, W] 0 where a finger grows out of the palm, 1 farther out, where the hand hides it."""
    return np.clip((first_bone_position(crop, move.chain) - 0.05) / 0.3, 0, 1)


def _shows(share: Share, crop: HandCrop, move: FingerMove) -> bool:
    """Whether enough of a new finger is visible, its tip above all."""
    steps = np.diff(move.chain, axis=0)
    wanted = 2 * crop.fingers[move.finger].radius * move.thicker * float(np.hypot(*steps.T).sum()) * 0.75
    column, row = np.clip(move.chain[3], 0, crop.width - 1).astype(int)
    return bool((share > 0.5).sum() > 0.6 * wanted and share[row, column] > 0.5)
