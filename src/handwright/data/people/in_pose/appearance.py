"""Who is drawn and where, chosen among many draws by the words of a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from handwright.data.hands.person import Person, draw_person
from handwright.data.people.clothing.wardrobe import Garment, Outfit, draw_outfit
from handwright.data.people.figure.hand_graft import Build, draw_build
from handwright.data.people.head.appearance import draw_head
from handwright.data.people.head.face import Look
from handwright.data.people.head.hair import Hair
from handwright.data.people.setup import STANDING_PLACES, draw_stand
from handwright.data.world.light import Surroundings, draw_surroundings
from handwright.data.world.picture import Shot, draw_shot
from handwright.data.world.places import Place
from handwright.prompts.subject import SAME_PEOPLE, words_in_order, words_of

T = TypeVar("T")

_DRAWS, _DESCRIBED_DRAWS, _PLACES = 32, 400, 40
"""How many people, outfits and heads are drawn to choose from; how many outfits and heads where a prompt
describes them; how many backgrounds at most. One outfit in 60 has a yellow shirt, one in 75 a green dress."""

_SAME_WORDS = {
    **SAME_PEOPLE,
    "blonde": "blond", "gray": "grey",
    "pants": "trousers", "tee": "t-shirt", "tshirt": "t-shirt", "pullover": "sweater", "jumper": "sweater",
    "hoodie": "sweater", "cardigan": "sweater", "jacket": "sweater", "coat": "sweater", "blouse": "shirt",
    "suit": "shirt", "gown": "dress", "plaid": "checked", "scarlet": "red", "crimson": "red",
    "golden": "yellow", "violet": "purple", "lilac": "purple", "turquoise": "blue", "cream": "beige",
    "khaki": "olive",
    **dict.fromkeys(("park", "woods", "forest", "jungle", "trees", "outdoors"), "garden"),
    **dict.fromkeys(("countryside", "mountains", "hills", "field", "farm", "beach", "lake"), "landscape"),
    **dict.fromkeys(("office", "studio", "workshop", "classroom", "garage", "gym", "indoors"), "room"),
    **dict.fromkeys(("city", "town", "market", "downtown", "outside"), "street"),
    **dict.fromkeys(("kitchen", "bathroom", "tiled"), "tiles"), "library": "shelf", "bookshelf": "shelf",
    "night": "lights", "hat": "beanie", "cap": "beanie", "scarf": "headscarf", "hijab": "headscarf",
}  # fmt: skip
"""Words of prompts and the drawn people's words for the same, or for the nearest that is drawn."""

_WORN = frozenset(
    ("t-shirt", "top", "dress", "shirt", "sweater", "jeans", "trousers", "shorts", "skirt", "shoes", "hair")
)
"""What has colours and kinds in prompts: the words before one of these belong to it."""

_BEFORE = 3  # Words before it that do


@dataclass(frozen=True, eq=False)
class Appearance:
    """Everything about a picture of someone but the pose."""

    person: Person
    build: Build
    outfit: Outfit
    hair: Hair
    look: Look
    place: Place
    light: Surroundings
    shot: Shot

    @property
    def words(self) -> str:
        """What of it has words."""
        age = {"middle-aged": "middle-aged ", "elderly": "elderly ", "young": "young "}
        noun = f"{age.get(self.person.age, '')}{self.build.noun}"
        who = f"{noun} with {self.person.words} and {self.hair.words}"
        return ", ".join([who, *self.outfit.words, self.place.words, self.light.name])


def draw_appearance(prompt: str, rng: np.random.Generator, side_px: int) -> Appearance:
    """Draw people, clothes, heads and places, and keep of each the one that shares most words with a prompt.

    Where none shares any, the first draw is kept: what a prompt does not speak of is random.

    Args:
        prompt: What the picture shows, in English.
        rng: Same state, same looks.
        side_px: Side of the square picture.
    """
    wanted = _words(prompt)

    def one() -> tuple[Person, Build]:
        person = draw_person(rng)
        return person, draw_build(rng, person.age)

    people = [one() for _ in range(_DRAWS)]
    person, build = _best(people, wanted, lambda p: f"{p[0].age} {p[1].noun} {p[0].words}")
    if build.feminine < 0.5:
        person = replace(person, skin=replace(person.skin, nail=None), nails=None)
    described = _described(prompt)
    garments = described.keys() - {"hair"}
    outfits = [
        draw_outfit(rng, build.feminine > 0.5) for _ in range(_DESCRIBED_DRAWS if garments else _DRAWS)
    ]
    outfit = _outfit(outfits, wanted, described)
    heads = [
        draw_head(rng, person, build) for _ in range(_DESCRIBED_DRAWS if "hair" in described else _DRAWS)
    ]
    hair, look = max(heads, key=lambda h: (_fit((h[0].words,), described), len(wanted & _words(h[0].words))))
    place = _place(wanted, rng, side_px)
    light, shot = draw_surroundings(rng, place.outdoor(rng)), draw_shot(rng, side_px)
    shot = replace(shot, motion_px=0.0, defocus_px=0.0, noise=min(shot.noise, 2.0), jpeg=0)
    return Appearance(person, build, outfit, hair, look, place, light, shot)


def _outfit(drawn: list[Outfit], wanted: frozenset[str], described: Mapping[str, frozenset[str]]) -> Outfit:
    """The outfit that fits best; what is worn beside a dress or a top is chosen by itself."""

    def fit(parts: Sequence[Garment]) -> tuple[int, int]:
        words = [part.words for part in parts]
        return _fit(words, described), len(wanted & _words(" ".join(words)))

    best = max(drawn, key=lambda outfit: fit(outfit.garments))
    if not described.keys() - {"hair"}:
        return best
    pieces: list[Garment] = []
    for k, garment in enumerate(best.garments):
        others = [one.garments[k] for one in drawn if one.is_dress == best.is_dress]
        whole = best.is_dress and garment.piece != "shoes"
        pieces.append(garment if whole else max([garment, *others], key=lambda one: fit([one])))
    return Outfit(tuple(pieces))


def _place(wanted: frozenset[str], rng: np.random.Generator, side_px: int) -> Place:
    """A background; the first that shares a word, where the prompt has words of backgrounds."""
    spoken_of = wanted & frozenset(STANDING_PLACES)
    if len(spoken_of) > 1:
        spoken_of -= {"wall"}  # a brick wall, a tiled wall
    drawn = [draw_stand(rng, side_px)]
    while spoken_of and not spoken_of & {drawn[-1].name} and len(drawn) < _PLACES:
        drawn.append(draw_stand(rng, side_px))
    return drawn[-1] if spoken_of & {drawn[-1].name} else drawn[0]


def _best(drawn: list[T], wanted: frozenset[str], words_of: Callable[[T], str]) -> T:
    """The first of those that share most words."""
    return max(drawn, key=lambda one: len(wanted & _words(words_of(one))))


def _described(prompt: str) -> dict[str, frozenset[str]]:
    """The hair and the garments of a prompt, each with the words before it."""
    words = [same for word in words_in_order(prompt) for same in _SAME_WORDS.get(word, word).split()]
    return {
        word: frozenset(words[max(k - _BEFORE, 0) : k]) - _EMPTY - _WORN
        for k, word in enumerate(words)
        if word in _WORN
    }


def _fit(parts: Sequence[str], described: Mapping[str, frozenset[str]]) -> int:
    """How many of the described garments and words before them parts of an outfit, or a head, have."""
    of_parts = [_words(part) for part in parts]
    return sum(
        1 + len(before & words) for noun, before in described.items() for words in of_parts if noun in words
    )


def _words(text: str) -> frozenset[str]:
    return words_of(text, _SAME_WORDS) - _EMPTY


_EMPTY = frozenset(("a", "an", "the", "and", "of", "in", "on", "at", "by", "to", "with", "her", "his", "is"))
