"""Captions of rendered and photographed hands, from the pose grammar, in several wordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from handwright.hand.defects import Defect
from handwright.hand.grammar import PoseWords, describe
from handwright.types import Side

RENDERED, PHOTOGRAPH = "3D rendered image", "photograph"
"""The domain words of HandRefiner's eq. 3: captions name the kind of picture with them."""

WORDINGS = ("terse", "natural", "technical")
_DEFECT_WORDS: Mapping[str, str] = {
    Defect.EXTRA: "an extra finger", Defect.MISSING: "a missing finger", Defect.FUSED: "fused fingers",
    Defect.SPLIT: "a split finger", Defect.OVERBENT: "a finger bent backwards",
    Defect.SIDEWAYS: "a finger bent sideways", Defect.TOO_LONG: "a finger that is too long",
    Defect.TOO_SHORT: "a finger that is too short", Defect.TWO_THUMBS: "two thumbs",
    Defect.WRONG_HAND: "a hand on the wrong arm", Defect.DETACHED: "a hand detached from its arm",
    Defect.MELTED: "melted skin",
}  # fmt: skip

Holder = Side | Literal["both"] | None
"""The hand that a thing is in."""


@dataclass(frozen=True)
class Scene:
    """What a caption speaks of."""

    hands: tuple[PoseWords, ...]  # The pose of each hand in words
    domain: str = RENDERED  # ``RENDERED`` or ``PHOTOGRAPH``
    skin: str = ""  # 'dark brown skin'; empty where unknown
    age: str = ""  # 'child', 'young', 'middle-aged', 'elderly'; empty where unknown
    wears: tuple[str, ...] = ()  # 'a navy shirt', 'red nail polish', …
    holds: str = ""  # 'a white cup'; empty for nothing
    meeting: str = ""  # How two hands meet ('clasped', …); empty otherwise
    setting: str = ""  # 'in a garden'; empty where unknown
    light: str = ""  # 'by a window'; empty where unknown
    defects: tuple[str, ...] = field(default=())  # Labels of what is wrong
    subject: str = ""  # Who is seen with more than hands: 'a young woman'; empty where only hands are
    holder: Holder = None  # Which hand ``holds`` is in; None where that is left open

    @property
    def pair(self) -> bool:
        """Whether it is about two hands."""
        return len(self.hands) == 2 or (not self.hands and (bool(self.meeting) or self.holder == "both"))


def caption(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    """One caption; its wording is 'terse', 'natural' (some things left out, by ``rng``) or 'technical'."""
    if wording == "technical":
        return technical_caption(scene)
    if wording == "terse":
        poses = " and ".join(dict.fromkeys(describe(words, "terse") for words in scene.hands))
        held = _holding(scene) if scene.holder else scene.holds
        parts = (scene.domain, scene.subject, poses, held, _meeting_note(scene), *_defects(scene))
        return ", ".join(part for part in parts if part)
    keep = rng.random(4) < (0.8, 0.7, 0.75, 0.5)
    unsaid = scene.subject or ("two hands" if scene.pair else "a hand")
    who = _who(scene) if keep[0] else unsaid
    hands_text = _poses(scene, f"{who}{_doing(scene, rng)}" if scene.subject else who)
    wears = f", wearing {_list(scene.wears)}" if scene.wears and keep[1] else ""
    where = "".join(
        f", {part}" for part, kept in ((scene.setting, keep[2]), (scene.light, keep[3])) if part and kept
    )
    faults = f", with {_list(_defects(scene))}" if scene.defects else ""
    return f"{with_article(scene.domain)} of {hands_text}{wears}{where}{faults}"


def technical_caption(scene: Scene) -> str:
    """The caption that tells how every finger is, clause by clause."""
    clauses = [describe(words, "technical") for words in scene.hands]
    rest = [
        scene.subject,
        scene.skin,
        scene.age,
        *scene.wears,
        _holding(scene),
        _meeting_note(scene),
        scene.setting,
        scene.light,
    ]
    return "; ".join([scene.domain, *clauses, *(r for r in rest if r), *_defects(scene)])


def captions(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """All wordings by name."""
    return {wording: caption(scene, wording, rng) for wording in WORDINGS}


def _who(scene: Scene) -> str:
    if scene.subject:
        return f"{scene.subject} with {scene.skin}" if scene.skin else scene.subject
    owner = {
        "child": "a child",
        "young": "a young person",
        "middle-aged": "a person",
        "elderly": "an elderly person",
    }
    person = owner.get(scene.age, "a person")
    skin = f" with {scene.skin}" if scene.skin else ""
    hands = "the hands" if scene.pair else "the hand"
    return f"{hands} of {person}{skin}"


def _poses(scene: Scene, who: str) -> str:
    holding = f", {_holding(scene)}" if scene.holds else ""
    if scene.subject:
        return ", ".join([who, *(f"the {describe(words)}" for words in scene.hands)])
    if not scene.pair:
        words = scene.hands[0] if scene.hands else None
        side = words.side if words else scene.holder
        body = f" {_without_side(words)}" if words else ""
        named = f"{side} hand" if side else "hand"
        return f"{who.replace('the hand', f'the {named}').replace('a hand', f'a {named}')}{body}{holding}"
    meeting = f" {_OF_HANDS.get(scene.meeting, scene.meeting)}" if scene.meeting else ""
    bodies = [f", the {describe(replace(words, palm=None, points=None))}" for words in scene.hands]
    for k, words in enumerate(scene.hands):
        if scene.holds and words.side == scene.holder:
            bodies[k], holding = f"{bodies[k]}{holding}", ""
    return f"{who}{meeting}{''.join(bodies)}{holding}"


def _without_side(words: PoseWords) -> str:
    return describe(words).removeprefix("left hand ").removeprefix("right hand ")


def _holding(scene: Scene) -> str:
    where = {None: "", "both": " with both hands"}.get(scene.holder, f" in the {scene.holder} hand")
    return f"holding {scene.holds}{where}" if scene.holds else ""


_OF_HANDS = {"heart": "making a heart"}  # After 'hands', where the meeting's own name does not do

_MEETINGS: Mapping[str, tuple[str, ...]] = {
    "palms together": (
        ", palms together", ", hands pressed together", " praying", " with {whose} hands in prayer",
    ),
    "fingertips together": (
        ", fingertips together", " with fingertips touching together", " steepling {whose} fingers",
    ),
    "clapping": (" clapping", ", hands clapping", " clapping {whose} hands", " applauding"),
    "clasped": (
        ", hands clasped", " with clasped hands", " with {whose} hands clasped", " holding {whose} own hands",
        ", hands folded",
    ),
    "fist in palm": (
        ", fist in palm", " punching a fist into {whose} palm", ", a fist against the other palm",
    ),
    "heart": (
        ", heart hands", " making a heart with both hands", " forming a heart with {whose} hands",
        " making a hand heart",
    ),
    "one on the other": (
        ", one hand on top of the other", ", hands stacked", " with one hand on top of the other",
    ),
    "crossing": (", hands crossed", " with crossed hands", " with {whose} hands crossed"),
}  # fmt: skip
"""How prompts tell that somebody's own hands meet; the first is the note of terse and technical captions."""

_HOLDS = (
    " holding {thing} in {whose} {side} hand", " holding {thing} in the {side} hand",
    " with {thing} in {whose} {side} hand", ", holding {thing} in the {side} hand",
)  # fmt: skip
_HOLDS_IN_BOTH = (
    " holding {thing} with both hands", " holding {thing} in both hands", " with {thing} in both hands",
    " holding {thing} with {whose} two hands",
)  # fmt: skip


def _doing(scene: Scene, rng: np.random.Generator) -> str:
    """What somebody's hands do together or with a thing, after the words for who it is."""
    if scene.meeting:
        ways = _MEETINGS.get(scene.meeting, (f", hands {scene.meeting}",))
    elif scene.holder:
        ways = _HOLDS_IN_BOTH if scene.holder == "both" else _HOLDS
    else:
        return f", holding {scene.holds}" if scene.holds else ""
    noun = scene.subject.rsplit(" ", 1)[-1]
    whose = {"woman": "her", "girl": "her", "man": "his", "boy": "his"}.get(noun, "their")
    way = ways[int(rng.integers(len(ways)))]
    return way.format(thing=scene.holds, whose=whose, side=scene.holder)


def _meeting_note(scene: Scene) -> str:
    """How hands meet in a word or two: by its name, or what prompts say where that is somebody's."""
    if scene.subject and scene.meeting in _MEETINGS:
        return _MEETINGS[scene.meeting][0].strip(", ")
    return _OF_HANDS.get(scene.meeting, scene.meeting)


def _defects(scene: Scene) -> list[str]:
    return [_DEFECT_WORDS.get(defect, defect.replace("_", " ")) for defect in scene.defects]


def with_article(noun: str) -> str:
    """'an orange skirt'."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
