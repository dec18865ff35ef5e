"""Texts and people as tokens: what T2H learns from; shards of ``handwright synth --kind poses``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.body.parameters import parameters_of_json
from handwright.data.shards import index_shard, list_shards
from handwright.errors import UsageError
from handwright.hand.grammar import PoseWords, parse_pose_words
from handwright.handiffuser.tokens import TOKENS, encode
from handwright.image import write_atomically
from handwright.prompts.captions import PHOTOGRAPH, RENDERED, WORDINGS, Holder, Scene, caption
from handwright.training.streams.crop_batches import other_side
from handwright.types import Side

_HELD_OUT_OF = 12
"""One in so many compositions (how the raised hand's fingers are, where it points and faces, which hand) is
kept from training."""

_WORDING_SHARES = (0.25, 0.45, 0.3)  # Terse, natural, technical; chosen by eye
_DOMAINS = (RENDERED, PHOTOGRAPH, "photo", "picture", "portrait", "drawing")
_LEAST_SPREAD = 0.05  # Numbers that hardly change are not blown up; chosen by eye
_NO_SUBJECT = 0.25  # Share of texts that speak of hands only
_OPEN = 0.1  # Share of T2H's texts that leave the pose of hands open, as users' do; chosen by eye
_OTHER_FINGERS = 0.4  # Share of pairs whose raised hand has the fingers of somebody else's
_DOING_ALONE = 0.4
"""Share of natural texts of hands that meet or hold a thing which tell that and no fingers, as users' do; by
eye."""
_MIRROR_6D = np.array([1, -1, -1, -1, 1, 1], float)
"""Signs of a rotation's 6-D numbers in the mirrored picture: M · R · M with M = diag(−1, 1, 1)."""


@dataclass(frozen=True, eq=False)
class TextPose:
    """One person, in words and in numbers."""

    tokens: Float[np.ndarray, "t w"]  # As ``handiffuser.tokens.encode`` gives them
    hands: tuple[PoseWords, ...]  # Those in the picture, the raised one first
    scene: Scene  # What else captions can tell

    @property
    def raised(self) -> Side:
        """Side of the hand that is held up."""
        side = self.hands[0].side
        assert side is not None
        return side

    @property
    def busy(self) -> bool:
        """Whether the hands meet, or hold a thing."""
        return bool(self.scene.meeting or self.scene.holds)

    @property
    def held_out(self) -> bool:
        """Whether this composition is kept from training."""
        key = sha256(str(self.hands[0]).encode()).digest()
        return int.from_bytes(key[:4], "big") % _HELD_OUT_OF == 0

    def text(self, wording: str, rng: np.random.Generator) -> str:
        """One caption of both hands that are seen."""
        return self._text(self.hands, wording, rng)

    def doing_text(self, rng: np.random.Generator) -> str:
        """A text that tells that hands meet, or what they hold, and leaves their fingers open."""
        return self._text((), "natural", rng)

    def _text(self, hands: tuple[PoseWords, ...], wording: str, rng: np.random.Generator) -> str:
        scene = replace(self.scene, hands=hands, domain=str(rng.choice(_DOMAINS)))
        if rng.random() < _NO_SUBJECT:
            scene = replace(scene, subject="")
        return caption(scene, wording, rng)

    def open_text(self, rng: np.random.Generator) -> str:
        """A text that leaves open what hands do: of the person, or of the raised hand's side."""
        domain = str(rng.choice(_DOMAINS))
        scene = replace(self.scene, hands=(), domain=domain, holds="", holder=None, meeting="")
        someone = scene.subject or "a person"
        return (
            someone,
            caption(replace(scene, subject=someone), "natural", rng),
            f"a {self.raised} hand",
            f"the {self.raised} hand of {someone}",
        )[int(rng.integers(4))]


class TextPoseStream:
    """Draws people with texts; everything random comes from the generator given.

    Args:
        folder: Shards of ``handwright synth --kind poses``. Tokens are kept beside them, as
            ``NAME.tokens.npy``.

    Raises:
        UsageError: It holds too few people.
        DataError: A shard is damaged.
    """

    def __init__(self, folder: Path) -> None:
        people = [person for path in list_shards(folder) for person in _read(path)]
        self.training = [person for person in people if not person.held_out]
        self.held_out = [person for person in people if person.held_out]
        if not self.training or not self.held_out:
            raise UsageError(f"{folder} holds too few people", f"{len(people)}", "make some hundred more")

    def draw(self, rng: np.random.Generator) -> TextPose:
        """A person, half of them mirrored, some with somebody else's fingers; none is held out."""
        while True:
            person = self.training[int(rng.integers(len(self.training)))]
            if rng.random() < _OTHER_FINGERS:
                other = self.training[int(rng.integers(len(self.training)))]
                person = with_fingers(person, other)
            if rng.random() < 0.5:
                person = mirrored(person)
            if not person.held_out:
                return person

    def wording(self, rng: np.random.Generator) -> str:
        """How the texts of a batch are worded: one wording, so that they are about as long."""
        return str(rng.choice(WORDINGS, p=_WORDING_SHARES))

    def text(self, person: TextPose, wording: str, rng: np.random.Generator) -> str:
        """What T2H reads for a person: mostly a caption of their hands."""
        if rng.random() < _OPEN:
            return person.open_text(rng)
        if person.busy and wording == "natural" and rng.random() < _DOING_ALONE:
            return person.doing_text(rng)
        return person.text(wording, rng)

    def texts(self, rng: np.random.Generator, count: int) -> Iterator[str]:
        """Texts to learn a tokenizer from."""
        for _ in range(count):
            yield self.draw(rng).text(self.wording(rng), rng)

    def statistics(self) -> tuple[Float[np.ndarray, "t w"], Float[np.ndarray, "t w"]]:
        """Mean of the tokens' numbers and what they are divided by, mirrored people counted, too.

        That is their standard deviation, where it is not next to nothing.
        """
        rows = np.array([p.tokens for person in self.training for p in (person, mirrored(person))])
        return rows.mean(0), np.maximum(rows.std(0), _LEAST_SPREAD)


def with_fingers(person: TextPose, other: TextPose) -> TextPose:
    """The person, whose raised hand does what the other's does and goes on facing where it does.

    Hands that meet or hold a thing keep their fingers, and give them to nobody: the person is as before.
    """
    if person.busy or other.busy:
        return person
    mine, theirs = person.hands[0], other.hands[0]
    tokens = person.tokens.copy()
    for to, source in zip(_fingers(person.raised), _fingers(other.raised), strict=True):
        tokens[to] = other.tokens[source]
    words = replace(theirs, palm=mine.palm, points=mine.points, side=mine.side)
    return replace(person, tokens=tokens, hands=(words, *person.hands[1:]))


def mirrored(person: TextPose) -> TextPose:
    """The person in the picture flipped left to right."""
    swapped = [_INDEX[other_side(token.name)] for token in TOKENS]
    tokens = person.tokens[swapped].copy()
    for k, token in enumerate(TOKENS):
        if token.joints and token.side is None:
            tokens[k, : 6 * len(token.joints)] *= np.tile(_MIRROR_6D, len(token.joints))
    tokens[_INDEX["camera"], 1] *= -1
    hands = tuple(parse_pose_words(other_side(str(words))) for words in person.hands)
    holder = person.scene.holder
    scene = replace(person.scene, holder=_MIRRORED_HOLDER.get(holder, holder))
    return replace(person, tokens=tokens, hands=hands, scene=scene)


_MIRRORED_HOLDER: Mapping[Holder, Holder] = {"left": "right", "right": "left"}
_INDEX = {token.name: k for k, token in enumerate(TOKENS)}


def _fingers(side: Side) -> list[int]:
    return [k for k, token in enumerate(TOKENS) if token.side == side]


def _read(path: Path) -> Iterator[TextPose]:
    index = index_shard(path)
    if index.problem is not None:
        raise index.problem
    records = [json.loads(parts["json"].read()) for parts in index.samples.values()]
    kept = path.with_suffix(".tokens.npy")
    if kept.exists():
        tokens = np.load(kept)
    else:
        tokens = np.array([encode(parameters_of_json(record["body"])) for record in records], np.float32)
        write_atomically(kept, lambda file: np.save(file, tokens))
    for record, row in zip(records, tokens, strict=True):
        seen = [hand for hand in record["hands"] if hand["seen"]]
        if seen:
            words = tuple(parse_pose_words(hand["words"]) for hand in seen)
            yield TextPose(row, words, scene_of_record(record["scene"]))


_NO_HANDS: dict[str, Any] = {"hands": ()}  # They are given by each text


def scene_of_record(values: dict[str, Any]) -> Scene:
    """What captions can tell of a person, as a record has it; hands left out."""
    lists: dict[str, Any] = {name: tuple(values[name]) for name in ("wears", "defects")}
    return Scene(**(values | lists | _NO_HANDS))
