"""The world of holds: a hand without a thing, one that holds it as hands do, three ways that no hand does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from handwright.data.hands.body import THING_LABEL, Dressed
from handwright.data.hands.defects.malformed import PosedHand, bones_of, with_angles
from handwright.data.hands.hold import Posed, close_on, draw_pose, named_pose
from handwright.data.hands.hold import draw_hold as hold_of
from handwright.data.hands.objects import Thing, thing_mesh
from handwright.data.hands.sample import HandPicture, of_hand, parts_of, render_setup
from handwright.data.hands.setup import Setup, draw_setup
from handwright.data.hands.thing_flaws import HoldLabel, ThingFlaw
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.hand.grammar import words_of
from handwright.hand.grammar.motion import spheres_of
from handwright.hand.kinematics import to_camera
from handwright.hand.rig import load_rig
from handwright.types import Hand

HOLDS = tuple(Hold)
_SHARES = {Hold.NONE: 0.15, Hold.SOUND: 0.4, Hold.CUT: 0.15, Hold.FLOATING: 0.15, Hold.GROWN: 0.15}
_OPEN = ("palm", "stop", "spread", "relaxed", "four")
_TRIES = 8  # How often a picture is drawn anew until its thing can be seen
_LEAST_SEEN, _LEAST_CHANGED = 0.12, 0.06  # Shares of the hand's pixels; chosen by eye
_DIRECTIONS, _STEP_M, _FARTHER = 8, 0.006, 1.5
"""In how many directions a thing is moved away, by what step, and how much farther than the nearest way."""
_LAID_ON = ("desk", "wood", "cloth")  # Places seen from above
_PLATES = ("phone", "card")


@dataclass(frozen=True, eq=False)
class _Plan:
    """A hold before the hand has been placed: its pose, its thing, and how it is broken then."""

    posed: Posed
    thing: Thing | None
    break_it: Callable[[Setup, np.random.Generator], Setup] | None = None


def render_holds(seed: int, index: int, size: int = 256, photos: Sequence[Path] = ()) -> HandPicture:
    """The picture with this number of the world of holds with this seed; its ``setup.hold`` is exact.

    15 % of the hands hold nothing, 40 % hold a thing as hands do, and 15 % each are cut, floating and grown.
    A picture in which too little of the thing, or of what is wrong with it, is seen is drawn anew.
    """
    rng = np.random.default_rng([seed, index, 46])
    state = HOLDS[int(rng.choice(len(HOLDS), p=[_SHARES[one] for one in HOLDS]))]
    return draw_hold(rng, state, int(rng.integers(3)), size, photos)


def draw_hold(
    rng: np.random.Generator, state: Hold, generator: int, size: int, photos: Sequence[Path] = ()
) -> HandPicture:
    """A picture of this hold, made by this generator: the first, of at most eight, in which it is seen."""
    label = HoldLabel(state, generator % len(_PLANS[state]))
    setup, shows = _planned(rng, label, size, photos)
    for _ in range(_TRIES - 1):
        if shows:
            break
        setup, shows = _planned(rng, label, size, photos)
    return render_setup(setup, rng, size)


def _planned(
    rng: np.random.Generator, label: HoldLabel, size: int, photos: Sequence[Path]
) -> tuple[Setup, bool]:
    """Everything decided of a picture of this hold, and whether it shows what it is to show."""
    plan = _PLANS[label.state][label.generator](rng)
    sound = _without_gloves(draw_setup(rng, size, photos, held=(plan.posed, plan.thing)))
    setup = replace(sound if plan.break_it is None else plan.break_it(sound, rng), hold=label)
    if plan.thing is None:
        return setup, True
    return setup, _is_seen(setup, sound, label.state, size) and not _lies(setup, label.state)


def _lies(setup: Setup, state: Hold) -> bool:
    """Whether a thing without a hold may be taken to lie on what is just behind it."""
    return state == Hold.FLOATING and (setup.place.near or setup.place.name in _LAID_ON)


def _is_seen(setup: Setup, sound: Setup, state: Hold, size: int) -> bool:
    """Whether enough of the thing is in the picture, and enough differs from the sound hold."""
    parts = parts_of(setup, size)
    hand = max(int(of_hand(parts).sum()), 1)
    if (parts >= THING_LABEL).sum() < _LEAST_SEEN * hand:
        return False
    if state not in BROKEN_HOLDS:
        return True
    return bool((parts != parts_of(sound, size)).sum() > _LEAST_CHANGED * hand)


def _without_gloves(setup: Setup) -> Setup:
    dress = replace(setup.dress, glove=None, glove_words="")
    return replace(setup, dress=dress, hands=tuple(replace(hand, dress=dress) for hand in setup.hands))


def _empty(rng: np.random.Generator) -> _Plan:
    return _Plan(draw_pose(rng), None)


def _sound(rng: np.random.Generator) -> _Plan:
    return _Plan(*hold_of(rng))


def _flawed(rng: np.random.Generator, kind: str) -> _Plan:
    flaw = ThingFlaw(kind, float(rng.uniform(0, 1)), int(rng.integers(1 << 30)))
    return _Plan(
        *hold_of(rng), lambda setup, rng: _with_hand(setup, replace(setup.hands[0], thing_flaw=flaw))
    )


def _through(rng: np.random.Generator) -> _Plan:
    """Fingers that have sunk into the thing, or a plate or pen that runs through flesh."""
    return _Plan(*hold_of(rng), _pushed_in)


def _pushed_in(setup: Setup, rng: np.random.Generator) -> Setup:
    dressed, posed, thing = setup.hands[0], setup.poses[0], setup.thing
    assert thing is not None
    if thing.name in _PLATES:
        offset = rng.choice([-1, 1]) * rng.uniform(0.007, 0.012) * thing.axes[2]
        return _with_thing(setup, replace(thing, centre=thing.centre + offset))
    if thing.name == "pen":
        return _with_thing(setup, replace(thing, centre=thing.centre + _towards_bone(posed, thing)))
    inner = replace(thing, half=thing.half * np.array([0.35, 0.35, 1.0]))
    dofs = close_on(inner, posed.dofs_rad)
    hand = with_angles(dressed.posed.hand, dofs)
    posed = Posed(dofs, words_of(dofs), None)
    dressed = replace(dressed, posed=PosedHand(hand, bones_of(hand)), sound=hand)
    return replace(_with_hand(setup, dressed), poses=(posed,))


def _with_hand(setup: Setup, dressed: Dressed) -> Setup:
    return replace(setup, hands=(dressed, *setup.hands[1:]))


def _with_thing(setup: Setup, thing: Thing) -> Setup:
    return replace(_with_hand(setup, replace(setup.hands[0], thing=thing)), thing=thing)


def _towards_bone(posed: Posed, thing: Thing) -> np.ndarray:
    """How a long thing is moved so that its axis runs through what it touches: [3] metres."""
    spheres, radii = spheres_of(posed.dofs_rad), load_rig().sphere_radii_m
    touched = thing.distance(spheres) - radii < 0.003
    if not touched.any():
        return np.zeros(3)
    away = spheres[touched] - thing.centre
    away -= np.outer(away @ thing.axes[2], thing.axes[2])
    return away[int(np.argmin(np.linalg.norm(away, axis=1)))]


def _let_go(rng: np.random.Generator) -> _Plan:
    """The hand is shaped as if it held the thing, which hovers beside it."""
    return _Plan(*hold_of(rng), _set_apart)


def _beside_open(rng: np.random.Generator) -> _Plan:
    """An open hand, the thing beside it."""
    return _Plan(named_pose(str(rng.choice(_OPEN)), rng), hold_of(rng)[1], _set_apart)


def _before_open(rng: np.random.Generator) -> _Plan:
    """An open hand, the thing well in front of its palm or fingers, held by nothing."""
    return _Plan(named_pose(str(rng.choice(_OPEN[:3])), rng), hold_of(rng)[1], _set_before)


def _set_before(setup: Setup, rng: np.random.Generator) -> Setup:
    assert setup.thing is not None
    away = float(np.abs(setup.thing.axes[:, 2]) @ setup.thing.half) + rng.uniform(0.03, 0.05)
    at = np.array([rng.normal(0, 0.012), rng.uniform(0.06, 0.15), away])
    return _with_thing(setup, replace(setup.thing, centre=at))


def _set_apart(setup: Setup, rng: np.random.Generator) -> Setup:
    """Move the thing in the picture's plane until a gap is seen between it and the hand."""
    dressed = setup.hands[0]
    assert dressed.thing is not None
    hand, thing = dressed.posed.hand, dressed.thing
    size = float(np.exp(hand.shape[0]))
    spheres = to_camera(size * spheres_of(setup.poses[0].dofs_rad), hand)
    radii = size * load_rig().sphere_radii_m
    surface = to_camera(size * thing_mesh(thing)[0][::3], hand)
    gap = size * rng.uniform(0.006, 0.03)
    angles = rng.uniform(0, 2 * np.pi) + np.arange(_DIRECTIONS) * 2 * np.pi / _DIRECTIONS
    aways = np.stack([np.cos(angles), np.sin(angles), np.zeros(_DIRECTIONS)], 1)
    least_m = np.array([_least_move_m(surface, spheres, radii, away, gap) for away in aways])
    chosen = int(rng.choice(np.flatnonzero(least_m <= _FARTHER * least_m.min())))
    towards, moved = aways[chosen], least_m[chosen]
    back = _to_hand(towards, hand) * moved / size
    return _with_thing(setup, replace(thing, centre=thing.centre + back))


def _least_move_m(
    surface: np.ndarray, spheres: np.ndarray, radii: np.ndarray, away: np.ndarray, gap_m: float
) -> float:
    """How far a thing is moved until such a gap is seen."""
    return next(m for m in np.arange(0, 2, _STEP_M) if _gap_m(surface + m * away, spheres, radii) >= gap_m)


def _gap_m(surface: np.ndarray, spheres: np.ndarray, radii: np.ndarray) -> float:
    """Smallest distance seen between a thing and the hand, in the picture's plane at the hand's depth."""
    depth = spheres[:, 2].mean()
    a, b = surface[:, :2] / surface[:, 2:] * depth, spheres[:, :2] / spheres[:, 2:] * depth
    return float((np.linalg.norm(a[:, None] - b[None], axis=2) - radii).min())


def _to_hand(direction: np.ndarray, hand: Hand) -> np.ndarray:
    """A camera-space direction in the hand's own frame."""
    axes = to_camera(np.eye(3), hand) - to_camera(np.zeros((1, 3)), hand)
    return axes @ direction


def _flaw(kind: str) -> Callable[[np.random.Generator], _Plan]:
    return lambda rng: _flawed(rng, kind)


_PLANS: dict[Hold, tuple[Callable[[np.random.Generator], _Plan], ...]] = {
    Hold.NONE: (_empty,),
    Hold.SOUND: (_sound,),
    Hold.CUT: (_flaw("parted"), _through, _flaw("shifted")),
    Hold.FLOATING: (_let_go, _beside_open, _before_open),
    Hold.GROWN: (_flaw("grown"), _flaw("turned to thing"), _flaw("melted")),
}
"""Per hold its generators."""
