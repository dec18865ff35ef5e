"""Captions of rendered and photographed hands, from the pose grammar, in several wordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from handwright.hand.defects import Defect
from handwright.hand.grammar import PoseWords, describe

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


def caption(scene: Scene, wording: str, rng: np.random.Generator) -> str:
    """One caption; its wording is 'terse', 'natural' (some things left out, by ``rng``) or 'technical'."""
    if wording == "technical":
        clauses = [describe(words, "technical") for words in scene.hands]
        rest = [
            scene.subject,
            scene.skin,
            scene.age,
            *scene.wears,
            _holding(scene),
            scene.meeting,
            scene.setting,
            scene.light,
        ]
        return "; ".join([scene.domain, *clauses, *(r for r in rest if r), *_defects(scene)])
    if wording == "terse":
        poses = " and ".join(dict.fromkeys(describe(words, "terse") for words in scene.hands))
        who = [scene.subject] if scene.subject else []
        return ", ".join(
            [scene.domain, *who, poses, *([scene.holds] if scene.holds else []), *_defects(scene)]
        )
    keep = rng.random(4) < (0.8, 0.7, 0.75, 0.5)
    unsaid = scene.subject or ("two hands" if len(scene.hands) == 2 else "a hand")
    who = _who(scene) if keep[0] else unsaid
    hands_text = _poses(scene, who)
    wears = f", wearing {_list(scene.wears)}" if scene.wears and keep[1] else ""
    where = "".join(
        f", {part}" for part, kept in ((scene.setting, keep[2]), (scene.light, keep[3])) if part and kept
    )
    faults = f", with {_list(_defects(scene))}" if scene.defects else ""
    return f"{with_article(scene.domain)} of {hands_text}{wears}{where}{faults}"


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
    hands = "the hands" if len(scene.hands) == 2 else "the hand"
    return f"{hands} of {person}{skin}"


def _poses(scene: Scene, who: str) -> str:
    holding = f", {_holding(scene)}" if scene.holds else ""
    if scene.subject:
        return ", ".join([who, *(f"the {describe(words)}" for words in scene.hands)])
    if len(scene.hands) == 1:
        body = describe(scene.hands[0]).removeprefix("left hand ").removeprefix("right hand ")
        side = f"{scene.hands[0].side} hand" if scene.hands[0].side else "hand"
        return f"{who.replace('the hand', f'the {side}').replace('a hand', f'a {side}')} {body}{holding}"
    bodies = [describe(replace(words, palm=None, points=None)) for words in scene.hands]
    meeting = f" {scene.meeting}" if scene.meeting else ""
    return f"{who}{meeting}, the {bodies[0]}, the {bodies[1]}{holding}"


def _holding(scene: Scene) -> str:
    return f"holding {scene.holds}" if scene.holds else ""


def _defects(scene: Scene) -> list[str]:
    return [_DEFECT_WORDS.get(defect, defect.replace("_", " ")) for defect in scene.defects]


def with_article(noun: str) -> str:
    """'an orange skirt'."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
