"""Fingers moved: the plan of an operation that lifts fingers out and sets them in along new chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.data.photo_edits.canvas import (
    Canvas,
    Piece,
    erase,
    erase_finger,
    lift_finger,
    open_canvas,
    set_in,
)
from handwright.data.photo_edits.finger_masks import rise, stump_share
from handwright.data.photo_edits.maps import bone_map, grid, sample
from handwright.data.photo_edits.subject import Patient
from handwright.drawing.geometry.layer_assignment import smoothstep
from handwright.hand.skeleton import distance_to_chain

Chain = Float[np.ndarray, "4 2"]

_JITTER_RAD, _JITTER_LENGTH, _JITTER_PX = 0.035, 0.02, 0.7
_BORDER = 0.02
_LEAST_RIM = 0.68
_BARE = 0.3


@dataclass(frozen=True, eq=False)
class Case:
    """One operation to be done.

    Attributes:
        patient: Whose hand.
        sound: The hand shall come out sound, all pixels processed as if it should not.
        rng: Which finger, how much.
        lend: Another patient, or None when there is none.
    """

    patient: Patient
    sound: bool
    rng: np.random.Generator
    lend: Callable[[], Patient | None]

    def seed(self) -> int:
        """For a fill."""
        return int(self.rng.integers(1 << 30))

    def one_of(self, numbers: Sequence[int]) -> int | None:
        """Any of these, or None when there are none."""
        return int(self.rng.choice(np.asarray(numbers))) if len(numbers) else None

    def sign(self) -> float:
        """−1 or 1."""
        return -1.0 if self.rng.random() < 0.5 else 1.0


@dataclass(frozen=True, eq=False)
class Operated:
    """What came out.

    Attributes:
        canvas: The picture.
        fingers: Numbers of the fingers concerned; empty for the whole hand.
    """

    canvas: Canvas
    fingers: tuple[int, ...]


Maker = Callable[[Case], Operated | None]


@dataclass(frozen=True, eq=False)
class Move:
    """One finger set in.

    Attributes:
        finger: Which of the patient's own.
        chain: Where it goes.
        wrong: It is what is wrong.
        behind: Whatever else there is of the hand stays in front of it.
        thicker: Its thickness over its old one.
        mirrored: Left and right change places.
        lender: Whose finger it is instead.
        lent: Which of the lender's.
    """

    finger: int
    chain: Chain
    wrong: bool = False
    behind: bool = False
    thicker: float = 1.0
    mirrored: bool = False
    lender: Patient | None = None
    lent: int = 0


def perform(case: Case, moves: Sequence[Move], also_erased: Sequence[int] = ()) -> Canvas | None:
    """Erase the fingers that move, fill, and set them in; a sound hand gets every one back in its place.

    None when a finger would leave the picture or hides behind the hand.
    """
    patient = case.patient
    canvas = open_canvas(patient)
    own = [m.finger for m in moves if m.lender is None and not (m.wrong and m.behind)]
    erased = sorted({*own, *also_erased, *(m.finger for m in moves if case.sound)})
    pieces = {f: lift_finger(patient, f) for f in {m.finger for m in moves if m.lender is None} | set(erased)}
    planned = moves
    if case.sound:
        moves = _put_back(case, moves, erased)
    for finger in erased:
        erase_finger(canvas, finger, case.seed())
    for move in sorted(moves, key=lambda m: not m.behind):
        if not within(patient, move.chain):
            return None
        share = set_move(canvas, move, pieces)
        if move.wrong and not _shows(share, patient, move):
            return None
    balance(case, canvas, {m.finger: [n.chain for n in planned if n.finger == m.finger] for m in planned})
    return canvas


def balance(case: Case, canvas: Canvas, plan: Mapping[int, Sequence[Chain]]) -> None:
    """Where a defect would leave filled background to be seen, let a control show as much, elsewhere.

    Args:
        case: Nothing is done unless it is sound.
        canvas: Changed.
        plan: Fingers that would leave their place, and all chains that would be set in of each.
    """
    if not case.sound:
        return
    patient = case.patient
    for finger, chains in plan.items():
        share = stump_share(patient, finger, patient.soft_hand)
        reach = 1.2 * patient.fingers[finger].radius
        bare = share > 0.5
        for chain in chains:
            bare &= distance_to_chain(chain, *patient.places) > reach
        if bare.sum() > _BARE * (share > 0.5).sum():
            fill_decoy(case, canvas, finger, share)


def set_move(canvas: Canvas, move: Move, pieces: dict[int, Piece]) -> Float[np.ndarray, "w w"]:
    """Set one finger in."""
    patient = canvas.patient
    below = np.clip(canvas.hand, 0, 1) * _beyond_root(patient, move) if move.behind else None
    if move.lender is None:
        finger, piece, colours = patient.fingers[move.finger], pieces[move.finger], None
        thicker = move.thicker
    else:
        finger, piece = move.lender.fingers[move.lent], lift_finger(move.lender, move.lent)
        thicker = move.thicker * patient.fingers[move.finger].radius / finger.radius
        colours = colour_match(patient, move.finger, move.lender, move.lent)
    radius = finger.radius * thicker
    where = bone_map(move.chain, finger.chain, patient.width, radius, thicker, move.mirrored)
    near = smoothstep(3.0, 2.2, distance_to_chain(move.chain, *patient.places) / radius)
    return set_in(canvas, piece, where, below=below, wrong=move.wrong, colours=colours, within=near)


def within(patient: Patient, chain: Chain) -> bool:
    """Whether a chain's end stays inside the picture."""
    margin = _BORDER * patient.width + 0.8 * patient.fingers[2].radius
    return bool((chain[1:] > margin).all() and (chain[1:] < patient.width - margin).all())


def colour_match(patient: Patient, finger: int, lender: Patient, lent: int) -> Float[np.ndarray, "2 3"]:
    """Factors and offsets that give a lender's finger the mean and contrast of the patient's own."""
    mine, theirs = (
        p.pixels[(p.reach(f) < 0.7 * p.fingers[f].radius) & (p.soft_hand > 0.9)]
        for p, f in ((patient, finger), (lender, lent))
    )
    if min(len(mine), len(theirs)) < 20:
        return np.array([[1.0] * 3, [0.0] * 3])
    factor = np.clip((mine.std(0) + 3) / (theirs.std(0) + 3), 0.6, 1.5)
    return np.stack([factor, mine.mean(0) - factor * theirs.mean(0)])


def turned(chain: Chain, pivot: Float[np.ndarray, "2"], angle: float) -> Chain:
    """A chain turned about a point; positive is clockwise on the screen."""
    c, s = np.cos(angle), np.sin(angle)
    return (chain - pivot) @ np.array([[c, s], [-s, c]]) + pivot


def bent(chain: Chain, joint: int, angle: float) -> Chain:
    """A chain bent at a joint (0 knuckle, 1 middle, 2 end)."""
    out = chain.copy()
    out[joint + 1 :] = turned(chain[joint + 1 :], chain[joint], angle)
    return out


def stretched(chain: Chain, factor: float, joint: int = 0) -> Chain:
    """A chain of which what lies beyond a joint has another length."""
    bones = np.diff(chain, axis=0)
    bones[joint:] *= factor
    return np.concatenate([chain[:1], chain[0] + np.cumsum(bones, 0)])


def lendable(lender: Patient) -> list[int]:
    """Free fingers without a dark or strange rim: what was cut out is the finger and nothing else."""
    good: list[int] = []
    for number in lender.free:
        away = lender.reach(number) / lender.fingers[number].radius
        inside = lender.region.inside & (rise(lender, lender.fingers[number].chain) > 0.5)
        core, rim = (lender.pixels[inside & (away > a) & (away <= b)] for a, b in ((0.0, 0.5), (0.75, 1.0)))
        if min(len(core), len(rim)) > 10 and rim.mean() > _LEAST_RIM * core.mean():
            good.append(number)
    return good


def like(model: Chain, chain: Chain, length: float) -> Chain:
    """A model's bends and proportions where another chain is, this long."""
    turn = angle_between(model[3] - model[0], chain[3] - chain[0])
    scale = length / max(float(np.linalg.norm(np.diff(model, axis=0), axis=1).sum()), 1e-6)
    return chain[0] + scale * (turned(model, model[0], turn) - model[0])


def angle_between(a: Float[np.ndarray, "2"], b: Float[np.ndarray, "2"]) -> float:
    """From a to b, clockwise on the screen positive, radians."""
    return float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))


def jittered(case: Case, chain: Chain) -> Chain:
    """A chain as it is, give or take what nobody sees."""
    turn, length = case.rng.normal(0, _JITTER_RAD), 1 + case.rng.normal(0, _JITTER_LENGTH)
    return stretched(turned(chain, chain[0], turn), length) + case.rng.normal(0, _JITTER_PX, 2)


def fill_decoy(case: Case, canvas: Canvas, finger: int, gone: Float[np.ndarray, "w w"]) -> None:
    """Fill a finger-shaped piece of background, where there is room for it."""
    patient = case.patient
    chain = patient.fingers[finger].chain
    for angle in case.rng.permutation(np.deg2rad(np.arange(25, 336, 10))):
        where = turned(grid(patient.width).reshape(-1, 2), patient.points[9], -angle)
        moved = sample(gone, where.reshape(patient.width, patient.width, 2).astype(np.float32))
        if within(patient, turned(chain, patient.points[9], angle)) and (moved * canvas.hand).max() < 0.05:
            erase(canvas, moved, case.seed())
            return


def _put_back(case: Case, moves: Sequence[Move], erased: Sequence[int]) -> list[Move]:
    back: list[Move] = []
    for finger in erased:
        lent = next((m for m in moves if m.lender is not None and m.finger == finger), None)
        chain = jittered(case, case.patient.fingers[finger].chain)
        if lent is None or lent.lender is None:
            back.append(Move(finger, chain))
            continue
        model = lent.lender.fingers[lent.lent].chain * (np.array([-1.0, 1.0]) if lent.mirrored else 1.0)
        chain = like(model, chain, case.patient.fingers[finger].length)
        back.append(Move(finger, chain, mirrored=lent.mirrored, lender=lent.lender, lent=lent.lent))
    return back


def _beyond_root(patient: Patient, move: Move) -> Float[np.ndarray, "w w"]:
    """0 where a finger grows out of the palm, 1 farther out: there others stay in front of it."""
    return np.clip((rise(patient, move.chain) - 0.05) / 0.3, 0, 1)


def _shows(share: Float[np.ndarray, "w w"], patient: Patient, move: Move) -> bool:
    """Enough of a new finger is seen, its tip above all."""
    steps = np.diff(move.chain, axis=0)
    wanted = 2 * patient.fingers[move.finger].radius * move.thicker * float(np.hypot(*steps.T).sum()) * 0.75
    column, row = np.clip(move.chain[3], 0, patient.width - 1).astype(int)
    return bool((share > 0.5).sum() > 0.6 * wanted and share[row, column] > 0.5)
