"""Poses of hands, and how a hand holds a thing: its fingers close until they touch."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from handwright.data.hands.objects import Thing, frame, thing_material
from handwright.data.shapes import Angles, Points
from handwright.hand.anatomy import DOF_LIMITS_RAD, FINGER_BONES, PALM_BONES
from handwright.hand.grammar import NAMED, PoseWords, angles_of, words_of
from handwright.hand.grammar.angles import bounds_of
from handwright.hand.grammar.contact import TOUCHING_M, touch, untangle
from handwright.hand.grammar.motion import landmarks_of, penetration_m, spheres_of
from handwright.hand.grammar.named import NAMED_SETS
from handwright.hand.grammar.words import BENDS, GAPS, THUMBS, Bend, Gap, stated_gaps
from handwright.hand.rig import load_rig

DEEPEST_M = 0.002
_TRIES = 4
_SPREAD_DEG = np.array([4, 4, 3, 5, 1.5, 6] + [2.5, 5, 6, 4] * 4 + [2, 3], float)
_SETS = tuple(tuple(poses) for poses in NAMED_SETS.values())
_SHARES = (0.34, 0.2, 0.12, 0.08, 0.12, 0.14)
"""HaGRID, everyday, letters, grasps, random words, random angles."""


@dataclass(frozen=True, eq=False)
class Posed:
    """A pose with its words."""

    dofs_rad: Angles  # [24] ``anatomy.DOF_NAMES``
    words: PoseWords  # What it is in words; directions and side still open
    name: str | None  # The name that it was drawn for, or None


def draw_pose(rng: np.random.Generator) -> Posed:
    """Any pose, (nearly) free of self-penetration: the best of four draws, the first below 2 mm."""
    kind = int(rng.choice(len(_SHARES), p=_SHARES))
    if kind < len(_SETS):
        return named_pose(str(rng.choice(_SETS[kind])), rng)
    return _best(rng, _random_words if kind == len(_SETS) else _random_angles)


def named_pose(name: str, rng: np.random.Generator) -> Posed:
    """A named pose, jittered so that its words stay true."""
    words = replace(NAMED[name], palm=None, points=None)
    return _best(rng, lambda rng: Posed(jittered(words, rng), words, name))


def jittered(words: PoseWords, rng: np.random.Generator) -> Angles:
    """Angles around the typical ones that are still in these words."""
    bounds = bounds_of(words)
    noise = rng.normal(size=24)
    noise[6:22] = 0.75 * noise[6:22] + 0.65 * rng.normal() * np.tile([0, 1, 1, 1], 4)
    dofs = np.clip(angles_of(words) + np.deg2rad(_SPREAD_DEG) * noise, *bounds.T)
    if penetration_m(dofs) > DEEPEST_M:
        dofs = untangle(dofs, bounds, steps=4)
    return touch(dofs, words.contacts, bounds, steps=8)


def _best(rng: np.random.Generator, draw: Callable[[np.random.Generator], Posed]) -> Posed:
    best, least = draw(rng), np.inf
    for attempt in range(_TRIES):
        posed = best if attempt == 0 else draw(rng)
        depth = penetration_m(posed.dofs_rad) + (words_of(posed.dofs_rad) != posed.words)
        if depth < least:
            best, least = posed, depth
        if depth < DEEPEST_M:
            break
    return Posed(best.dofs_rad, words_of(best.dofs_rad), best.name)


def _random_words(rng: np.random.Generator) -> Posed:
    fingers: list[Bend] = [
        BENDS[int(rng.choice(len(BENDS), p=[0.36, 0.12, 0.2, 0.1, 0.22]))] for _ in range(4)
    ]
    for k in range(1, 4):
        if rng.random() < 0.35:
            fingers[k] = fingers[k - 1]
    bends: tuple[Bend, Bend, Bend, Bend] = (fingers[0], fingers[1], fingers[2], fingers[3])
    gaps: list[Gap] = [GAPS[int(rng.choice(4, p=[0.0, 0.3, 0.45, 0.25]))] for _ in range(3)]
    stated = stated_gaps(bends, (gaps[0], gaps[1], gaps[2]))
    thumb = THUMBS[int(rng.integers(len(THUMBS)))]
    bent = [k + 1 for k, bend in enumerate(bends) if bend == "bent"]
    contacts = (int(rng.choice(bent)),) if bent and thumb == "opposed" and rng.random() < 0.4 else ()
    words = PoseWords(
        thumb_bent=bool(rng.random() < 0.4), thumb=thumb, fingers=bends, gaps=stated, contacts=contacts
    )
    return Posed(jittered(words, rng), words, None)


def _random_angles(rng: np.random.Generator) -> Posed:
    """Uniform over the middle of each range, fingers moving partly together, PIP and DIP coupled."""
    low, high = DOF_LIMITS_RAD.T
    together = rng.random()
    share = np.clip(0.5 + 0.8 * (rng.random(24) - 0.5), 0, 1)
    for k in range(4):
        curl = 0.55 * together + 0.45 * rng.random()
        share[7 + 4 * k] = np.clip(0.28 + 0.65 * curl * rng.random() ** 0.5, 0, 1)
        share[8 + 4 * k] = np.clip(0.12 + 0.8 * curl, 0, 1)
        share[9 + 4 * k] = np.clip(0.2 + 0.55 * curl + rng.normal(0, 0.06), 0, 1)
        share[6 + 4 * k] = 0.5 + (rng.random() - 0.5) * (1 - 0.6 * curl)
    dofs = low + share * (high - low)
    if penetration_m(dofs) > DEEPEST_M:
        dofs = untangle(dofs, DOF_LIMITS_RAD)
    return Posed(dofs, words_of(dofs), None)


THINGS = ("cup", "phone", "pen", "ball", "handle", "card")
_PRESS_M, _PLATE_PRESS_M, _THENAR_M, _STEPS = 0.001, 0.002, 0.003, 14
_NEAREST_M, _FARTHEST_M = 0.045, 0.12
_WEB_ASIDE_M, _WEB_PALMWARDS_M = (0.006, 0.010, 0.014, 0.018, 0.024), (-0.012, -0.006, 0.0, 0.006, 0.012)
_OPEN_DEG = np.array([-30, 38, 0, -10, 0, 0] + [0, 6, 10, 6] * 4 + [0, 0], float)
_CLOSED_DEG = {0: 30, 3: 45, 5: 60, 1: 84, 2: 104, 4: 70}
"""Highest angle of CMC, MCP and IP of the thumb (0, 3, 5) and of MCP, PIP and DIP of a finger (1, 2, 4)."""


def draw_hold(rng: np.random.Generator, name: str | None = None) -> tuple[Posed, Thing]:
    """A pose and the thing that it holds, any of ``THINGS`` by default, in the mean hand's own frame."""
    name = name or str(rng.choice(THINGS, p=[0.2, 0.16, 0.16, 0.2, 0.18, 0.1]))
    if name == "pen":
        return _hold_pen(rng)
    if name in ("phone", "card"):
        return _hold_plate(rng, name)
    return _wrap(rng, name)


def _wrap(rng: np.random.Generator, name: str) -> tuple[Posed, Thing]:
    """Cup, handle or ball in the whole hand."""
    material, words = thing_material(name, rng)
    radius = {
        "cup": rng.uniform(0.031, 0.04),
        "handle": rng.uniform(0.009, 0.018),
        "ball": rng.uniform(0.024, 0.042),
    }[name]
    length = {"cup": rng.uniform(0.042, 0.055), "handle": rng.uniform(0.08, 0.25), "ball": radius}[name]
    lean = rng.normal(0, 0.08) - (0.28 if name == "handle" else 0.12)
    along = np.array([1.0, lean, 0.05]) * (1 if name != "cup" or rng.random() < 0.9 else -1)
    axes = frame(along, np.array([0.0, 0.0, -1.0]))
    if name == "cup":
        axes = frame(along, np.array([0.0, -rng.uniform(0.3, 1.0), 1.0]))[[1, 0, 2]] * np.array(
            [[1], [-1], [1]]
        )
    slide = rng.uniform(-0.3, 0.3) * length if name == "handle" else rng.normal(0, 0.006)
    dofs = open_hand(rng)
    thing = Thing(name, words, slide * axes[2], axes, np.array([radius, radius, length]), material)
    thing = lay_on_palm(thing, dofs, float(rng.normal(0.002, 0.004)))
    return wrapped(thing, dofs), thing


def open_hand(rng: np.random.Generator) -> Angles:
    """A hand that is about to close on something."""
    return np.clip(np.deg2rad(_OPEN_DEG + rng.normal(0, 2, 24)), *DOF_LIMITS_RAD.T)


def wrapped(thing: Thing, dofs: Angles) -> Posed:
    """The hand with its fingers closed on a thing."""
    closed = close_on(thing, dofs)
    return Posed(closed, words_of(closed), None)


def lay_on_palm(
    thing: Thing, dofs: Angles, aside: float, farthest_m: float = 0.12, *, flat: bool = False
) -> Thing:
    """Lay the thing on the palm, as near to the wrist as the open thumb lets it come.

    Its middle is ``aside`` towards the thumb and at most ``farthest_m`` off the palm's bones, metres. With
    ``flat`` it lies on the fingers, too.
    """
    rig = load_rig()
    spheres, radii = spheres_of(dofs), rig.sphere_radii_m
    thumb, beneath = np.isin(rig.sphere_bones, FINGER_BONES[0]), _beneath(flat)
    laid = thing
    for along in np.arange(_NEAREST_M, _FARTHEST_M, 0.003):
        above = replace(thing, centre=thing.centre * [1, 0, 0] + np.array([aside, along, 0.0]))
        laid = _lowered(above, spheres[beneath], radii[beneath], farthest_m)
        if (laid.distance(spheres[thumb]) - radii[thumb]).min() > -_THENAR_M:
            break
    return laid


def lay_on_fingers(thing: Thing, dofs: Angles, farthest_m: float) -> Thing:
    """Lay the thing on palm and fingers along the palm's normal, from at most ``farthest_m`` metres off."""
    beneath = _beneath(flat=True)
    return _lowered(thing, spheres_of(dofs)[beneath], load_rig().sphere_radii_m[beneath], farthest_m)


def _beneath(flat: bool) -> Bool[np.ndarray, " s"]:
    """Which spheres of a hand a thing lies on: the palm's and, with ``flat``, those of all fingers."""
    fingers = FINGER_BONES[1:] if flat else [chain[:1] for chain in FINGER_BONES[1:]]
    return np.isin(load_rig().sphere_bones, [*PALM_BONES, *(bone for chain in fingers for bone in chain)])


def _lowered(thing: Thing, spheres_m: Points, radii_m: Float[np.ndarray, " s"], farthest_m: float) -> Thing:
    """The thing moved along the palm's normal to where it just presses on the spheres."""
    laid, near, far = thing, 0.0, farthest_m
    for _ in range(16):
        middle = (near + far) / 2
        laid = replace(thing, centre=thing.centre + np.array([0.0, 0.0, middle]))
        inside = (laid.distance(spheres_m) - radii_m).min() < -_PRESS_M
        near, far = (middle, far) if inside else (near, middle)
    return laid


_TOUCHES_M, _DEEPEST_IN_M, _FINGERS = 0.004, 0.010, 2
"""A hand holds a thing that so many of its fingers come as near as the first, no part of the hand deeper in
it than the second: fitting a hand to its points moves fingers up to 7 mm into what they hold (12 holds)."""


def holds(dofs: Angles, thing: Thing) -> bool:
    """Whether fingers close on a thing in the hand's frame, and do not run through it."""
    rig = load_rig()
    gap_m = thing.distance(spheres_of(dofs)) - rig.sphere_radii_m
    near = [gap_m[np.isin(rig.sphere_bones, chain)].min() < _TOUCHES_M for chain in FINGER_BONES]
    return bool(gap_m.min() > -_DEEPEST_IN_M and sum(near) >= _FINGERS)


def close_on(thing: Thing, dofs: Angles) -> Angles:
    """Flex knuckles, then middle, then end joints, each finger on its own, until it touches."""
    rig = load_rig()
    finger_of = np.full(len(rig.sphere_bones), -1)
    for f, chain in enumerate(FINGER_BONES):
        finger_of[np.isin(rig.sphere_bones, chain[1:] if f == 0 else chain)] = f
    dofs = dofs.copy()
    for stage in range(3):
        joints = [(0, 3, 5)[stage], *(7 + 4 * k + stage for k in range(4))]
        most = np.deg2rad([list(_CLOSED_DEG.values())[stage], *[(84, 104, 66)[stage]] * 4])
        start, open_still = dofs[joints].copy(), np.ones(5, bool)
        for step in range(1, _STEPS + 1):
            trial = dofs.copy()
            trial[joints] = np.where(open_still, start + (most - start) * step / _STEPS, dofs[joints])
            gap = thing.distance(spheres_of(trial)) - rig.sphere_radii_m
            for f in range(5):
                if open_still[f] and gap[finger_of == f].min() < -_PRESS_M:
                    open_still[f] = False
            dofs[joints] = np.where(open_still, trial[joints], dofs[joints])
            if not open_still.any():
                break
    return dofs


def _hold_pen(rng: np.random.Generator) -> tuple[Posed, Thing]:
    """Between thumb, index and middle fingertip, resting on the web (writing tripod)."""
    posed = named_pose("writing tripod grasp", rng)
    material, material_words = thing_material("pen", rng)
    radius = float(rng.uniform(0.0036, 0.0052))
    words = replace(NAMED["writing tripod grasp"], palm=None, points=None)
    dofs = touch(posed.dofs_rad, words.contacts, bounds_of(words), gap_m=TOUCHING_M + 1.6 * radius)
    posed = Posed(dofs, words_of(dofs), posed.name)
    points = landmarks_of(posed.dofs_rad)
    grip = points[[4, 8, 12]].mean(0)
    half, beyond = float(rng.uniform(0.062, 0.075)), float(rng.uniform(0.02, 0.034))

    def laid(aside: float, palmwards: float) -> Thing:
        along = points[5] + np.array([aside, 0.002, palmwards]) - grip
        along /= np.linalg.norm(along)
        axes, size = frame(along, np.array([0.0, 0.0, 1.0])), np.array([radius, radius, half])
        return Thing("pen", material_words, grip + (half - beyond) * along, axes, size, material)

    places = [(aside, palmwards) for aside in _WEB_ASIDE_M for palmwards in _WEB_PALMWARDS_M]
    spheres, radii = spheres_of(posed.dofs_rad), load_rig().sphere_radii_m
    depths = [float(np.maximum(radii - laid(*at).distance(spheres), 0).max()) for at in places]
    return posed, laid(*places[int(np.argmin(depths))])


def _hold_plate(rng: np.random.Generator, name: str) -> tuple[Posed, Thing]:
    """A phone or a card between thumb and fingertips, sticking out of the hand."""
    thick = float(rng.uniform(0.0035, 0.0045)) if name == "phone" else 0.0006
    words = replace(NAMED["parallel extension grasp"], contacts=(1, 2))
    bounds = bounds_of(words)
    dofs = np.clip(angles_of(NAMED["parallel extension grasp"]) + np.deg2rad(rng.normal(0, 3, 24)), *bounds.T)
    dofs = untangle(touch(dofs, (1, 2), bounds, gap_m=TOUCHING_M + 3.0 * thick), bounds, steps=3)
    points = landmarks_of(dofs)
    thumb, fingers = points[4], points[[8, 12]].mean(0)
    normal = (thumb - fingers) / np.linalg.norm(thumb - fingers)
    ends = [points[[8, 12]].mean(0) - points[[7, 11]].mean(0), points[4] - points[3]]
    outwards = sum((end / np.linalg.norm(end) for end in ends), np.zeros(3))
    outwards += np.array([rng.normal(0, 0.2), 0.0, 0.0])
    material, material_words = thing_material(name, rng)
    half = np.array([0.036, 0.073, thick]) if name == "phone" else np.array([0.027, 0.0428, thick])
    half = half * np.exp(rng.normal(0, 0.04, 3))
    half = half if rng.random() < 0.7 else half[[1, 0, 2]]
    axes = frame(-normal, outwards)
    centre = (thumb + fingers) / 2 + axes[1] * (half[1] - rng.uniform(0.015, 0.028))
    thing = Thing(name, material_words, centre, axes, half, material)
    dofs = _back_off(thing, dofs)
    return Posed(dofs, words_of(dofs), None), thing


def _back_off(thing: Thing, dofs: Angles) -> Angles:
    """Straighten the knuckle of each finger that is in the thing until it only presses on it."""
    rig, dofs = load_rig(), dofs.copy()
    for finger in range(1, 5):
        mine, knuckle = np.isin(rig.sphere_bones, FINGER_BONES[finger]), 7 + 4 * (finger - 1)
        for _ in range(30):
            gap = thing.distance(spheres_of(dofs)[mine]) - rig.sphere_radii_m[mine]
            if gap.min() > -_PLATE_PRESS_M:
                break
            dofs[knuckle : knuckle + 2] -= np.deg2rad([1.3, 0.9])
    return dofs
