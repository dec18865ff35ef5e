"""Which clothes, and the words for them."""

from dataclasses import dataclass, replace

import numpy as np

from handwright.data.hands.person import draw_cloth
from handwright.data.world.stage import Material
from handwright.prompts.captions import with_article


@dataclass(frozen=True)
class Garment:
    """One garment; levels are heights of the neutral body, 0 sole … 1 crown."""

    mesh: str  # The helper mesh that it is cut from
    piece: str  # 'torso', 'legs' or 'shoes'
    low: float  # Height of its lower hem
    high: float | None  # Height of its upper hem, or None
    neck: tuple[float, float] | None  # Depth and half-width of the neckline in metres, or None
    sleeve: float | None  # Where sleeves end: 0 shoulder, 1 elbow, 2 wrist; None for garments without
    ease_m: float  # Distance from the tights
    flare_m: float  # More of it at hems
    folds_m: float  # Depth of folds
    material: Material  # Cloth
    words: str  # 'a navy T-shirt'
    seed: int  # Of the folds


@dataclass(frozen=True)
class Outfit:
    """All that one wears."""

    garments: tuple[Garment, ...]  # The top first; it lies over the others

    @property
    def words(self) -> tuple[str, ...]:
        """The garments in words."""
        return tuple(garment.words for garment in self.garments if garment.words)

    @property
    def is_dress(self) -> bool:
        """Whether its top and its skirt are one."""
        return not all(garment.words for garment in self.garments)


@dataclass(frozen=True)
class _Cut:
    """A kind of top: ranges of where sleeves end, ease, folds, and shares of patterns."""

    sleeves: tuple[tuple[float, float], ...]
    ease_m: float
    folds_m: float
    patterns: dict[str, float]


_EASY = {"plain": 0.65, "hoops": 0.15, "checks": 0.05, "heather": 0.15}
_TOPS = {
    "T-shirt": _Cut(((0.35, 0.8),), 0.008, 0.004, _EASY),
    "top": _Cut(((0.12, 0.4),), 0.004, 0.002, _EASY),
    "dress": _Cut(((0.15, 0.7), (1.3, 1.95)), 0.005, 0.003, _EASY),
    "shirt": _Cut(((1.86, 1.97), (1.1, 1.5)), 0.010, 0.005, {"plain": 0.5, "checks": 0.3, "twill": 0.2}),
    "sweater": _Cut(
        ((1.88, 1.99), (1.5, 1.8)), 0.012, 0.006, {"plain": 0.4, "hoops": 0.15, "heather": 0.25, "ribs": 0.2}
    ),
}
_WOMENS_TOPS = {"T-shirt": 0.35, "shirt": 0.2, "sweater": 0.3, "top": 0.15}
_MENS_TOPS = {"T-shirt": 0.45, "shirt": 0.25, "sweater": 0.3}
_FABRIC_STYLES = {
    "plain": "", "hoops": "striped ", "checks": "checked ", "twill": "denim ", "ribs": "knitted ",
    "heather": "melange ",
}  # fmt: skip
_DENIM = {
    "blue": (0.07, 0.13, 0.28),
    "navy": (0.02, 0.03, 0.08),
    "black": (0.02, 0.02, 0.022),
    "grey": (0.16, 0.16, 0.17),
}
_LEATHER = {
    "black": (0.02, 0.02, 0.021),
    "white": (0.7, 0.7, 0.68),
    "brown": (0.12, 0.06, 0.03),
    "grey": (0.2, 0.2, 0.21),
}


def draw_outfit(rng: np.random.Generator, feminine: bool) -> Outfit:
    """A top, and trousers, shorts, a skirt or a dress, and shoes."""
    dress = feminine and rng.random() < 0.2
    top, shoes = _top(rng, feminine, dress), _shoes(rng)
    if not dress:
        return Outfit((top, _bottom(rng, feminine), shoes))
    return Outfit((replace(top, low=0.5), _skirt(rng, top.material, "", top.seed), shoes))


def _cloth(rng: np.random.Generator, pattern: str) -> tuple[Material, str]:
    return draw_cloth(rng, pattern, (0.004, 0.007) if pattern == "ribs" else (0.012, 0.07))


def _top(rng: np.random.Generator, feminine: bool, dress: bool) -> Garment:
    shares = _WOMENS_TOPS if feminine else _MENS_TOPS
    name = "dress" if dress else str(rng.choice(list(shares), p=list(shares.values())))
    cut = _TOPS[name]
    pattern = str(rng.choice(list(cut.patterns), p=list(cut.patterns.values())))
    cloth, word = _cloth(rng, pattern)
    lengths = cut.sleeves[int(rng.integers(len(cut.sleeves)))]
    deep = rng.uniform(0.07, 0.12) if feminine else rng.uniform(0.05, 0.09)
    return Garment(
        mesh="helper-tights",
        piece="torso",
        low=float(rng.uniform(0.47, 0.51)),
        high=None,
        neck=(float(deep), float(rng.uniform(0.06, 0.09))),
        sleeve=float(rng.uniform(*lengths)),
        ease_m=cut.ease_m,
        flare_m=0.004,
        folds_m=cut.folds_m * float(rng.uniform(0.6, 1.2)),
        material=cloth,
        words=with_article(f"{word} {_FABRIC_STYLES[pattern]}{name}"),
        seed=int(rng.integers(1 << 30)),
    )


def _bottom(rng: np.random.Generator, feminine: bool) -> Garment:
    shares = [0.35, 0.3, 0.1, 0.25] if feminine else [0.4, 0.42, 0.18, 0.0]
    kind = str(rng.choice(["jeans", "trousers", "shorts", "skirt"], p=shares))
    cloth, word = _cloth(rng, "twill" if kind == "jeans" else "plain")
    seed = int(rng.integers(1 << 30))
    if kind == "skirt":
        return _skirt(rng, cloth, with_article(f"{word} skirt"), seed)
    if kind == "jeans":
        word = str(rng.choice(list(_DENIM)))
        pale = 1.5 * np.array(_DENIM[word]) + 0.01
        second = (float(pale[0]), float(pale[1]), float(pale[2]))
        cloth = replace(cloth, albedo=_DENIM[word], second=second)
    low = rng.uniform(0.045, 0.06) if kind != "shorts" else rng.uniform(0.26, 0.33)
    ease = 0.004 if kind == "jeans" else 0.009
    return Garment(
        mesh="helper-tights", piece="legs", low=float(low), high=0.585, neck=None, sleeve=None, ease_m=ease,
        flare_m=0.003, folds_m=0.003, material=cloth, words=f"{word} {kind}", seed=seed,
    )  # fmt: skip


def _skirt(rng: np.random.Generator, cloth: Material, words: str, seed: int) -> Garment:
    return Garment(
        mesh="helper-skirt", piece="legs", low=float(rng.uniform(0.15, 0.27)), high=0.6, neck=None,
        sleeve=None, ease_m=0.003, flare_m=0.004, folds_m=0.004, material=cloth, words=words, seed=seed,
    )  # fmt: skip


def _shoes(rng: np.random.Generator) -> Garment:
    word = str(rng.choice(list(_LEATHER)))
    return Garment(
        mesh="helper-tights", piece="shoes", low=-1.0, high=0.055, neck=None, sleeve=None, ease_m=0.009,
        flare_m=0.0, folds_m=0.0, material=Material("solid", _LEATHER[word], 0.45, 0.04),
        words=f"{word} shoes", seed=int(rng.integers(1 << 30)),
    )  # fmt: skip
