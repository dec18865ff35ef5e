"""Which pose: named ones jittered within their words, random words, and random angles within limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import DOF_LIMITS_RAD
from handwright.hand.grammar import NAMED, PoseWords, angles_of, words_of
from handwright.hand.grammar.angles import bounds_of
from handwright.hand.grammar.contact import touch, untangle
from handwright.hand.grammar.motion import penetration_m
from handwright.hand.grammar.named import EVERYDAY, GRASPS, HAGRID, SPELLED
from handwright.hand.grammar.words import BENDS, GAPS, THUMBS, Bend, Gap, stated_gaps

DEEPEST_M = 0.002
_TRIES = 4
_SPREAD_DEG = np.array([4, 4, 3, 5, 1.5, 6] + [2.5, 5, 6, 4] * 4 + [2, 3], float)
_SETS = (
    tuple(HAGRID),
    tuple(EVERYDAY),
    tuple(f"letter {k}" for k in SPELLED),
    tuple(f"{k} grasp" for k in GRASPS),
)
_SHARES = (0.34, 0.2, 0.12, 0.08, 0.12, 0.14)
"""HaGRID, everyday, letters, grasps, random words, random angles."""


@dataclass(frozen=True, eq=False)
class Posed:
    """A pose with its words."""

    dofs_rad: Float[np.ndarray, "24"]  # [24] ``anatomy.DOF_NAMES``
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


def jittered(words: PoseWords, rng: np.random.Generator) -> Float[np.ndarray, "24"]:
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
    words = PoseWords(bool(rng.random() < 0.4), thumb, bends, stated, contacts)
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
