"""Whose hand it is, and what they wear: skin, age, nails; sleeves, gloves, rings, a watch."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.shapes import Faces, Points, Vector
from handwright.data.world.stage import Material

_BINS = 48
METALS = {
    "gold": (0.78, 0.52, 0.20),
    "silver": (0.70, 0.69, 0.67),
    "rose gold": (0.74, 0.44, 0.34),
    "black steel": (0.06, 0.06, 0.065),
}
FABRICS = ("plain", "hoops", "checks", "twill", "heather", "ribs")
GARMENTS = {
    "plain": "shirt", "hoops": "striped sweater", "checks": "checked shirt", "twill": "denim jacket",
    "heather": "melange sweater", "ribs": "knitted sweater",
}  # fmt: skip
COLOUR_WORDS = {
    "white": (0.75, 0.75, 0.73), "black": (0.02, 0.02, 0.022), "grey": (0.22, 0.22, 0.23),
    "navy": (0.02, 0.03, 0.09), "blue": (0.06, 0.14, 0.42), "light blue": (0.35, 0.5, 0.7),
    "red": (0.45, 0.03, 0.03), "green": (0.06, 0.22, 0.08), "olive": (0.13, 0.13, 0.05),
    "beige": (0.5, 0.42, 0.3), "brown": (0.14, 0.075, 0.04), "yellow": (0.7, 0.5, 0.08),
    "pink": (0.7, 0.35, 0.4), "purple": (0.2, 0.08, 0.3), "orange": (0.7, 0.25, 0.05),
}  # fmt: skip


@dataclass(frozen=True)
class Dress:
    """What one person wears on hands and arms."""

    sleeve_m: float | None  # Distance of the cuff from the wrist; None for bare arms
    sleeve: Material | None  # What the sleeve is made of
    sleeve_words: str  # 'a navy shirt'; empty for bare arms
    looseness: float  # The sleeve's radius over the arm's
    glove: Material | None  # What a glove is made of, or None
    glove_words: str  # 'blue rubber gloves'; empty for bare hands
    rings: tuple[tuple[int, str], ...]  # Per ring the finger (1–4) and its metal
    ring_side: str  # The hand that wears them
    watch: tuple[str, str] | None  # Strap and case material names, or None
    watch_side: str  # The hand that wears it
    seed: int  # Of folds


def draw_dress(rng: np.random.Generator) -> Dress:
    """Most people in long sleeves, one in twenty gloved, a fifth with rings, a sixth with a watch."""
    sleeve, words = _sleeve(rng) if rng.random() < 0.6 else (None, "")
    glove, glove_words = _glove(rng) if rng.random() < 0.045 else (None, "")
    worn = rng.choice([0, 1, 2, 3], p=[0.78, 0.14, 0.06, 0.02]) if glove is None else 0
    fingers = sorted(
        int(f) for f in rng.choice([1, 2, 3, 4], int(worn), replace=False, p=[0.2, 0.2, 0.45, 0.15])
    )
    metals = [str(rng.choice(list(METALS), p=[0.4, 0.35, 0.15, 0.1])) for _ in fingers]
    watch = (
        (str(rng.choice(["leather", "steel", "rubber"])), str(rng.choice(list(METALS))))
        if rng.random() < 0.16
        else None
    )
    bounds = ((-0.01, 0.03), (0.03, 0.09), (0.09, 0.2))
    return Dress(
        sleeve_m=float(rng.choice([rng.uniform(*span) for span in bounds])) if sleeve else None,
        sleeve=sleeve,
        sleeve_words=words,
        looseness=float(rng.uniform(1.18, 1.5)),
        glove=glove,
        glove_words=glove_words,
        rings=tuple(zip(fingers, metals, strict=True)),
        ring_side=str(rng.choice(["left", "right"])),
        watch=watch,
        watch_side=str(rng.choice(["left", "right"], p=[0.75, 0.25])),
        seed=int(rng.integers(1 << 30)),
    )


def any_colour(rng: np.random.Generator) -> tuple[str, tuple[float, float, float]]:
    """A colour of things: its word, and a linear albedo near it."""
    name = str(rng.choice(list(COLOUR_WORDS)))
    value = np.clip(np.array(COLOUR_WORDS[name]) * np.exp(rng.normal(0, 0.18, 3)), 0.008, 0.85)
    return name, (float(value[0]), float(value[1]), float(value[2]))


def metal(name: str, seed: float = 0.0) -> Material:
    """A polished metal."""
    return Material("solid", METALS[name], roughness=0.22, shine=0.6, metal=1.0, pattern="brushed", seed=seed)


def _sleeve(rng: np.random.Generator) -> tuple[Material, str]:
    pattern = str(rng.choice(FABRICS, p=[0.4, 0.12, 0.1, 0.13, 0.13, 0.12]))
    cloth, word = draw_cloth(rng, pattern, (0.003, 0.005) if pattern == "ribs" else (0.006, 0.03))
    return cloth, f"a {word} {GARMENTS[pattern]}"


def draw_cloth(rng: np.random.Generator, pattern: str, scale_m: tuple[float, float]) -> tuple[Material, str]:
    """A fabric of any colour, its pattern's period within these bounds, and the colour's word."""
    word, colour = any_colour(rng)
    second = any_colour(rng)[1] if pattern != "twill" else (0.4, 0.42, 0.45)
    if pattern == "heather":
        second = tuple(float(min(0.85, 1.6 * c + 0.05)) for c in colour)
    cloth = Material(
        "cloth", colour, 0.9, 0.02, pattern=pattern, scale_m=float(rng.uniform(*scale_m)),
        second=(second[0], second[1], second[2]), seed=float(rng.uniform(0, 50)),
    )  # fmt: skip
    return cloth, word


def _glove(rng: np.random.Generator) -> tuple[Material, str]:
    kind = str(rng.choice(["rubber", "leather", "knitted"]))
    word, colour = any_colour(rng)
    if kind == "rubber":
        return Material("solid", colour, roughness=0.35, shine=0.04, bleed=0.3), f"{word} rubber gloves"
    if kind == "leather":
        leather = Material("solid", colour, roughness=0.5, shine=0.04, pattern="leather", relief_m=0.00035)
        return leather, f"{word} leather gloves"
    knit = Material(
        "solid", colour, roughness=0.95, shine=0.02, pattern="knit", scale_m=0.0042, relief_m=0.0007
    )
    return knit, f"{word} knitted gloves"


Mesh = tuple[Points, Faces, Points]
"""Vertices, faces, and the vertices' own coordinates that patterns follow, metres."""


def band(
    skin: Points, centre: Vector, axis: Vector, half_width: float, thickness: float, gap: float = 0.0
) -> Mesh:
    """A closed band around a limb, its own coordinates (around, along, 0)."""
    across = np.cross(axis, [0.31, 0.2, 0.93])
    across /= np.linalg.norm(across)
    other = np.cross(axis, across)
    offset = skin - centre
    near = offset[np.abs(offset @ axis) < max(half_width, 0.003)]
    near = near if len(near) > 12 else offset
    angle = np.arctan2(near @ other, near @ across)
    radius = np.hypot(near @ other, near @ across)
    order = np.argsort(angle)
    around = np.linspace(-np.pi, np.pi, _BINS, endpoint=False)
    wrapped = np.concatenate([angle[order] - 2 * np.pi, angle[order], angle[order] + 2 * np.pi])
    profile = np.interp(around, wrapped, np.tile(radius[order], 3))
    kernel = np.hanning(9)[1:-1]
    smooth = np.convolve(np.concatenate([profile[-3:], profile, profile[:3]]), kernel / kernel.sum(), "valid")
    ring = np.maximum(smooth, 0.9 * profile) + gap
    steps = np.linspace(-1, 1, 7)
    height = thickness * np.sqrt(np.maximum(1 - steps**4, 0)) - 0.25 * thickness
    reach = (ring[None] + height[:, None])[..., None]
    spokes = np.cos(around)[:, None] * across + np.sin(around)[:, None] * other
    points = centre + reach * spokes[None] + half_width * steps[:, None, None] * axis
    rest = np.stack(
        np.broadcast_arrays(around[None] * ring.mean(), half_width * steps[:, None], np.zeros((7, _BINS))), -1
    )
    return points.reshape(-1, 3), tube_faces(7, _BINS), rest.reshape(-1, 3)


def disc(centre: Vector, out: Vector, radius: float, height: float, sides: int = 36) -> Mesh:
    """A round plate with bevelled rim that stands ``height`` out of its centre."""
    across = np.cross(out, [0.21, 0.9, 0.3])
    across /= np.linalg.norm(across)
    other = np.cross(out, across)
    around = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    spokes = np.cos(around)[:, None] * across + np.sin(around)[:, None] * other
    levels = np.array([(1.0, 0.0), (1.0, 0.75), (0.93, 1.0), (0.86, 0.94), (0.0, 0.94)])
    points = centre + radius * levels[:, None, :1] * spokes[None] + height * levels[:, None, 1:] * out
    rest = np.stack(
        np.broadcast_arrays(
            radius * levels[:, :1] * np.cos(around),
            radius * levels[:, :1] * np.sin(around),
            height * levels[:, 1:],
        ),
        -1,
    )
    return points.reshape(-1, 3), tube_faces(len(levels), sides), rest.reshape(-1, 3)


def tube_faces(rings: int, sides: int) -> Faces:
    """Triangles between consecutive closed rings of points, [2·(rings − 1)·sides, 3]."""
    index = np.arange(rings * sides).reshape(rings, sides)
    a, b = index[:-1], np.roll(index[:-1], -1, 1)
    c, d = index[1:], np.roll(index[1:], -1, 1)
    return np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])


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


def _warmth(tone: int) -> Vector:
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
