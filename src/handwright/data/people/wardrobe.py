"""Which clothes, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from handwright.data.hands.dress import any_colour
from handwright.data.render.material import Material


@dataclass(frozen=True)
class Garment:
    """One garment; levels are heights of the neutral body, 0 sole … 1 crown.

    Attributes:
        mesh: The helper mesh that it is cut from.
        piece: 'torso', 'legs' or 'shoes'.
        low: Height of its lower hem.
        high: Height of its upper hem, or None.
        neck: Depth and half-width of the neckline in metres, or None.
        sleeve: Where sleeves end: 0 shoulder, 1 elbow, 2 wrist; None for garments without.
        ease_m: Distance from the tights.
        flare_m: More of it at hems.
        folds_m: Depth of folds.
        material: Cloth.
        words: 'a navy T-shirt'.
        seed: Of the folds.
    """

    mesh: str
    piece: str
    low: float
    high: float | None
    neck: tuple[float, float] | None
    sleeve: float | None
    ease_m: float
    flare_m: float
    folds_m: float
    material: Material
    words: str
    seed: int


@dataclass(frozen=True)
class Outfit:
    """All that one wears; the first garment is the top."""

    garments: tuple[Garment, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The garments in words."""
        return tuple(garment.words for garment in self.garments if garment.words)


def draw_outfit(rng: np.random.Generator, feminine: bool, child: bool) -> Outfit:
    """A top, and trousers, shorts, a skirt or a dress, and shoes."""
    dress = feminine and rng.random() < 0.22
    top = _top(rng, feminine, dress)
    shoes = _shoes(rng)
    if dress:
        hem = float(rng.uniform(0.16, 0.27))
        skirt = Garment(
            "helper-skirt", "legs", hem, 0.6, None, None, 0.004, 0.004, 0.004, top.material, "", top.seed
        )
        top = replace(top, low=0.5, words=top.words)
        return Outfit((top, skirt, shoes))
    return Outfit((top, _bottom(rng, feminine, child), shoes))


def with_article(noun: str) -> str:
    """'an orange skirt'."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _cloth(rng: np.random.Generator, pattern: str) -> tuple[Material, str]:
    word, colour = any_colour(rng)
    second = any_colour(rng)[1] if pattern != "twill" else (0.4, 0.42, 0.45)
    if pattern == "heather":
        second = tuple(float(min(0.85, 1.6 * c + 0.05)) for c in colour)
    scale = float(rng.uniform(0.012, 0.07)) if pattern != "ribs" else float(rng.uniform(0.004, 0.007))
    cloth = Material(
        "cloth", colour, 0.9, 0.02, pattern=pattern, scale_m=scale,
        second=(second[0], second[1], second[2]), seed=float(rng.uniform(0, 50)),
    )  # fmt: skip
    return cloth, word


def _top(rng: np.random.Generator, feminine: bool, dress: bool) -> Garment:
    kind = str(
        rng.choice(
            ["T-shirt", "shirt", "sweater", "top"],
            p=[0.35, 0.2, 0.3, 0.15] if feminine else [0.45, 0.25, 0.3, 0],
        )
    )
    if dress:
        kind = "dress"
    pattern = str(
        rng.choice(
            ["plain", "hoops", "checks", "heather", "ribs", "twill"],
            p={"sweater": [0.4, 0.15, 0, 0.25, 0.2, 0], "shirt": [0.5, 0, 0.3, 0, 0, 0.2]}.get(
                kind, [0.65, 0.15, 0.05, 0.15, 0, 0]
            ),
        )
    )
    cloth, word = _cloth(rng, pattern)
    sleeve, ease, folds = {
        "T-shirt": (rng.uniform(0.35, 0.8), 0.008, 0.004),
        "top": (rng.uniform(0.12, 0.4), 0.004, 0.002),
        "dress": (rng.choice([rng.uniform(0.15, 0.7), rng.uniform(1.3, 1.95)]), 0.005, 0.003),
        "shirt": (rng.choice([rng.uniform(1.86, 1.97), rng.uniform(1.1, 1.5)]), 0.010, 0.005),
        "sweater": (rng.choice([rng.uniform(1.88, 1.99), rng.uniform(1.5, 1.8)]), 0.012, 0.006),
    }[kind]
    deep = rng.uniform(0.07, 0.12) if feminine else rng.uniform(0.05, 0.09)
    looks = {
        "hoops": "striped ",
        "checks": "checked ",
        "twill": "denim ",
        "ribs": "knitted ",
        "heather": "melange ",
    }.get(pattern, "")
    return Garment(
        "helper-tights", "torso", float(rng.uniform(0.47, 0.51)), None, (float(deep), float(rng.uniform(0.06, 0.09))),
        float(sleeve), float(ease), 0.004, float(folds) * float(rng.uniform(0.6, 1.2)), cloth, with_article(f"{word} {looks}{kind}"), int(rng.integers(1 << 30)),
    )  # fmt: skip


def _bottom(rng: np.random.Generator, feminine: bool, child: bool) -> Garment:
    kinds = ["jeans", "trousers", "shorts", "skirt"]
    kind = str(rng.choice(kinds, p=[0.35, 0.3, 0.1, 0.25] if feminine else [0.4, 0.42, 0.18, 0.0]))
    cloth, word = _cloth(rng, "twill" if kind == "jeans" else "plain")
    seed = int(rng.integers(1 << 30))
    if kind == "jeans":
        word = str(rng.choice(["blue", "navy", "black", "grey"]))
        colour = {
            "blue": (0.07, 0.13, 0.28),
            "navy": (0.02, 0.03, 0.08),
            "black": (0.02, 0.02, 0.022),
            "grey": (0.16, 0.16, 0.17),
        }[word]
        pale = 1.5 * np.array(colour) + 0.01
        cloth = replace(cloth, albedo=colour, second=(float(pale[0]), float(pale[1]), float(pale[2])))
    if kind == "skirt":
        hem = float(rng.uniform(0.14, 0.27))
        return Garment(
            "helper-skirt",
            "legs",
            hem,
            0.6,
            None,
            None,
            0.003,
            0.004,
            0.004,
            cloth,
            with_article(f"{word} skirt"),
            seed,
        )
    low = float(rng.uniform(0.045, 0.06)) if kind != "shorts" else float(rng.uniform(0.26, 0.33))
    ease = 0.004 if kind == "jeans" else 0.009
    return Garment(
        "helper-tights", "legs", low, 0.585, None, None, ease, 0.003, 0.003, cloth, f"{word} {kind}", seed
    )


def _shoes(rng: np.random.Generator) -> Garment:
    word, colour = str(rng.choice(["black", "white", "brown", "grey"])), (0.02, 0.02, 0.02)
    colour = {
        "black": (0.02, 0.02, 0.021),
        "white": (0.7, 0.7, 0.68),
        "brown": (0.12, 0.06, 0.03),
        "grey": (0.2, 0.2, 0.21),
    }[word]
    leather = Material("solid", colour, 0.45, 0.04)
    return Garment(
        "helper-tights",
        "shoes",
        -1.0,
        0.055,
        None,
        None,
        0.009,
        0.0,
        0.0,
        leather,
        f"{word} shoes",
        int(rng.integers(1 << 30)),
    )
