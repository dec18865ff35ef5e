"""Who is seen: skin, age, build, nails; and the words for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.world.stage import Material

MONK_SKIN_TONES = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420",
)  # fmt: skip
"""The ten tones of the Monk Skin Tone Scale (Monk 2019, CC BY 4.0), sRGB."""

AGES = ("child", "young", "middle-aged", "elderly")
_AGE_SHARES = (0.1, 0.42, 0.3, 0.18)
_WRINKLES = {"child": 0.05, "young": 0.22, "middle-aged": 0.5, "elderly": 0.95}
_TONE_WORDS = (
    "very fair", "fair", "light", "light", "tan",
    "medium brown", "brown", "dark brown", "very dark", "very dark",
)  # fmt: skip
_BLOOD = np.array([1.06, 0.86, 0.76])
NAIL_COLOURS = {
    "red": (0.45, 0.015, 0.02), "dark red": (0.12, 0.008, 0.015), "pink": (0.72, 0.22, 0.30),
    "nude": (0.55, 0.33, 0.26), "black": (0.012, 0.012, 0.014), "white": (0.78, 0.77, 0.75),
    "blue": (0.03, 0.08, 0.38), "green": (0.03, 0.20, 0.10), "lilac": (0.42, 0.30, 0.60),
    "orange": (0.72, 0.17, 0.03),
}  # fmt: skip
_SPREAD = (0.05, 0.06, 0.07, 0.03, 0.04, 0.035, 0.03, 0.035, 0.045)


@dataclass(frozen=True, eq=False)
class Person:
    """Whose hands these are."""

    tone: int  # Index into the Monk scale, 0 lightest
    age: str  # One of ``AGES``
    shape: Float[np.ndarray, "9"]  # [9] of both hands, ``anatomy.SHAPE_NAMES``
    skin: Material  # What the skin is made of
    nails: str | None  # Name of the nail colour, or None
    girth: float  # Thickness of the forearm against the mean

    @property
    def words(self) -> str:
        """The skin in words."""
        return f"{_TONE_WORDS[self.tone]} skin"


def draw_person(rng: np.random.Generator) -> Person:
    """Someone: tone uniform on the Monk scale, age and build as they come."""
    tone, age = int(rng.integers(10)), str(rng.choice(AGES, p=_AGE_SHARES))
    build = rng.normal()
    shape = rng.normal(0, _SPREAD)
    shape[1] += 0.04 * build
    shape[2] += 0.05 * build
    shape[0] += 0.02 * build
    girth = 1.0 + 0.05 * build + rng.normal(0, 0.03)
    if age == "child":
        shape[0] -= rng.uniform(0.22, 0.5)
        shape[2] += rng.uniform(0.05, 0.15)
        shape[4:9] -= 0.03
    if age == "elderly":
        shape[2] -= rng.uniform(0.0, 0.06)
        girth -= 0.05
    painted = age != "child" and build < 0.4 and rng.random() < 0.22
    nails = str(rng.choice(list(NAIL_COLOURS))) if painted else None
    return Person(
        tone, age, shape, _skin(rng, tone, age, build, nails), nails, float(np.clip(girth, 0.85, 1.15))
    )


def _warmth(tone: int) -> Float[np.ndarray, "3"]:
    """Gain of the darkest tones: the scale's swatches are greyer and darker than skin reflects."""
    dark = max(0.0, (tone - 6) / 3)
    return (1 + 0.8 * dark) * np.array([1 + 0.15 * dark, 1.0, 1 - 0.12 * dark])


def _skin(rng: np.random.Generator, tone: int, age: str, build: float, nails: str | None) -> Material:
    srgb = np.array(list(bytes.fromhex(MONK_SKIN_TONES[tone]))) / 255
    linear = ((srgb + 0.055) / 1.055) ** 2.4
    blood = _BLOOD ** rng.uniform(0.5, 1.4)
    albedo = (0.82 * linear + 0.014) * blood * np.exp(rng.normal(0, 0.06)) * _warmth(tone)
    dark = max(0.0, (tone - 3.5) / 5.5)
    hairy = (
        age in ("young", "middle-aged", "elderly") and build > -0.2 and nails is None and rng.random() < 0.5
    )
    skin = Material(
        "skin",
        (float(albedo[0]), float(albedo[1]), float(albedo[2])),
        roughness=float(np.clip(rng.normal(0.56, 0.07), 0.42, 0.72)),
        shine=float(rng.uniform(0.012, 0.026)) * (1 - 0.35 * dark),
        relief_m=float(rng.uniform(0.0005, 0.0011)),
        age=float(np.clip(_WRINKLES[age] + rng.normal(0, 0.1), 0, 1)),
        hair=float(rng.uniform(0.2, 1.0)) * hairy,
        veins=float(np.clip(rng.uniform(0, 0.7) + 0.35 * (age == "elderly") - 0.4 * (age == "child"), 0, 1)),
        palm_light=float(1.5 * dark * rng.uniform(0.7, 1.2)),
        redness=float(np.clip(rng.normal(0.55, 0.3), 0, 1.3)),
        bleed=1.0,
        seed=float(rng.uniform(0, 50)),
    )
    return skin if nails is None else replace(skin, nail=NAIL_COLOURS[nails])
