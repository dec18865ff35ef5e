"""What someone's head looks like: hair or what covers it, brows, lips, eyes; and the words for it."""

import numpy as np

from handwright.data.hands.person import Person, any_colour
from handwright.data.people.figure.hand_graft import Build
from handwright.data.people.head.face import Look
from handwright.data.people.head.hair import Hair
from handwright.data.world.stage import Material
from handwright.prompts.captions import with_article

_HAIR: dict[str, tuple[float, float, float]] = {
    "black": (0.012, 0.010, 0.009), "dark brown": (0.032, 0.019, 0.012), "brown": (0.085, 0.047, 0.026),
    "auburn": (0.13, 0.045, 0.018), "blond": (0.38, 0.26, 0.13), "grey": (0.26, 0.25, 0.24),
    "white": (0.62, 0.60, 0.57),
}  # fmt: skip
_FAIR = (0.12, 0.2, 0.3, 0.12, 0.26, 0.0, 0.0)
_DARK = (0.66, 0.26, 0.06, 0.01, 0.01, 0.0, 0.0)
_STYLES = ("bald", "buzz", "short", "bob", "long", "bun", "curly", "headscarf", "beanie")
_WOMEN = (0.01, 0.02, 0.13, 0.2, 0.3, 0.12, 0.1, 0.09, 0.03)
_MEN = (0.12, 0.2, 0.46, 0.01, 0.03, 0.02, 0.1, 0.0, 0.06)

_CUTS: dict[str, tuple[tuple[float, float], tuple[float, float], str]] = {
    "bald": ((0.0, 0.0), (0.0, 0.0), "a bald head"),
    "buzz": ((0.0, 0.0), (0.003, 0.005), "cropped {} hair"),
    "short": ((0.03, 0.07), (0.008, 0.012), "short {} hair"),
    "bob": ((0.15, 0.22), (0.012, 0.012), "shoulder-length {} hair"),
    "long": ((0.26, 0.42), (0.012, 0.012), "long {} hair"),
    "bun": ((0.0, 0.0), (0.006, 0.009), "{} hair in a bun"),
    "curly": ((0.05, 0.08), (0.02, 0.045), "curly {} hair"),
}
"""Per style: length of the locks and thickness of the cap in metres, and the words."""

_CLOTH = {"headscarf": "plain", "beanie": "ribs"}


def draw_head(rng: np.random.Generator, person: Person, build: Build) -> tuple[Hair, Look]:
    """Hair and face that go with a person."""
    word, colour = _colour(rng, person)
    hair = _hair(rng, person, build, word, colour)
    feminine = build.feminine > 0.5
    wears_makeup = feminine and person.age != "child" and rng.random() < 0.45
    beard = (
        0.0
        if feminine or person.age == "child"
        else float(rng.choice([0.05, rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.7)]))
    )
    red = rng.uniform(0.2, 1.0) if wears_makeup else rng.uniform(0.0, 0.35)
    dark = person.tone / 9
    brown = [0.2 - 0.15 * dark, 0.25 + 0.7 * dark, 0.1, 0.1, 0.25, 0.1]
    shares = np.array([0.35, brown[1], *(np.array(brown[2:]) * (1 - dark))])
    eyes = ("brown", "dark brown", "hazel", "green", "blue", "grey")
    dimmer = 0.75 if word in ("grey", "white", "blond") else 1.0
    look = Look(
        brows=tuple(float(min(c * 0.8, 0.2)) for c in colour),  # pyright: ignore[reportArgumentType]
        brow_weight=float(np.clip((0.35 if feminine else 0.65) * dimmer + rng.normal(0, 0.13), 0.1, 1)),
        lips=(float(0.98 - 0.08 * red), float(0.72 - 0.34 * red), float(0.72 - 0.3 * red)),
        liner=float(rng.uniform(0.5, 0.95)) if feminine else float(rng.uniform(0.25, 0.5)),
        stubble=beard,
        blush=float(rng.uniform(0.2, 0.9)),
        eyes=str(rng.choice(eyes, p=shares / shares.sum())),
        seed=int(rng.integers(1 << 30)),
    )
    return hair, look


def _colour(rng: np.random.Generator, person: Person) -> tuple[str, tuple[float, float, float]]:
    names = list(_HAIR)
    if person.age == "elderly" and rng.random() < 0.8:
        name = str(rng.choice(["grey", "white"]))
    elif person.age == "middle-aged" and rng.random() < 0.2:
        name = "grey"
    else:
        name = str(rng.choice(names, p=_FAIR if person.tone < 4 else _DARK))
    value = np.clip(np.array(_HAIR[name]) * np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.03, 3)), 0.006, 0.8)
    return name, (float(value[0]), float(value[1]), float(value[2]))


def _hair(
    rng: np.random.Generator, person: Person, build: Build, word: str, colour: tuple[float, float, float]
) -> Hair:
    feminine = build.feminine > 0.5
    style = str(rng.choice(_STYLES, p=_WOMEN if feminine else _MEN))
    if person.age == "child" and style in ("bald", "headscarf"):
        style = "short"
    seed, parting = int(rng.integers(1 << 30)), float(rng.uniform(-0.035, 0.035))
    grain = float(rng.uniform(0, 50))
    if style in _CLOTH:
        cloth_word, cloth = any_colour(rng)
        worn = Material("cloth", cloth, 0.9, 0.02, pattern=_CLOTH[style], scale_m=0.006, seed=grain)
        return Hair(style, worn, with_article(f"{cloth_word} {style}"), 0.0, 0.012, parting, 0.0, seed)
    light = np.minimum(0.8, 1.75 * np.array(colour) + 0.004)
    second = (float(light[0]), float(light[1]), float(light[2]))
    strands = Material("solid", colour, 0.5, 0.028, pattern="heather", second=second, seed=grain)
    lengths, thicknesses, words = _CUTS[style]
    receding = not feminine and person.age in ("middle-aged", "elderly")
    return Hair(
        style,
        strands,
        words.format(word),
        float(rng.uniform(*lengths)),
        float(rng.uniform(*thicknesses)),
        parting,
        float(rng.uniform(0, 0.03)) * receding,
        seed,
    )
