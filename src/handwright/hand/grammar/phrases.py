"""Natural wordings of a pose."""

from collections.abc import Sequence

from handwright.hand.grammar.named import names_of
from handwright.hand.grammar.tables import TABLES
from handwright.hand.grammar.words import NEIGHBOURS, PoseWords

_PHRASES: dict[str, dict[str, str]] = TABLES["phrases"]
NAME_PHRASES, THUMB_PHRASES = _PHRASES["name"], _PHRASES["thumb"]
PALM_PHRASES, POINTS_PHRASES = _PHRASES["palm"], _PHRASES["points"]
_FINGER_PHRASES = ("index finger", "middle finger", "ring finger", "little finger")


def describe(words: PoseWords, wording: str = "natural") -> str:
    """Describe a pose in words: 'terse' (its name, or the fingers that are up), 'natural' or 'technical'."""
    if wording == "technical":
        return str(words)
    names = _names_with_phrase(words)
    hand = f"{words.side} hand" if words.side else "hand"
    if wording == "terse":
        return f"{hand}, {NAME_PHRASES[names[0]] if names else _up(words)}"
    palm = [PALM_PHRASES[words.palm]] if words.palm and "inverted" not in "".join(names[:1]) else []
    points = [POINTS_PHRASES[words.points]] if words.points else []
    body = [NAME_PHRASES[names[0]]] if names else ["with " + _finger_phrases(words)]
    return ", ".join([f"{hand} {body[0]}", *palm, *points])


def _names_with_phrase(words: PoseWords) -> list[str]:
    """Return the pose's names that have a phrase; thumbs up or down only where the direction is known."""
    names = [name for name in names_of(words) if name in NAME_PHRASES]
    unsure = {"like", "dislike"} if {"like", "dislike"} <= set(names) else set[str]()
    return [name for name in names if name not in unsure]


def _finger_phrases(words: PoseWords) -> str:
    groups: dict[str, list[str]] = {}
    for finger, bend in zip(_FINGER_PHRASES, words.fingers, strict=True):
        groups.setdefault(_PHRASES["bend"][bend], []).append(finger)
    phrases = [f"{'all fingers' if len(f) == 4 else listed(f)} {bend}" for bend, f in groups.items()]
    for pair, gap in zip(NEIGHBOURS, words.gaps, strict=True):
        if gap in ("crossed", "spread", "together") and len({g for g in words.gaps if g}) > 1:
            phrases.append(f"{pair.replace('-', ' and ')} {_PHRASES['gap'][gap]}")
    if len(kinds := {g for g in words.gaps if g}) == 1 and "apart" not in kinds:
        phrases.append(f"the extended ones {_PHRASES['gap'][kinds.pop()]}")
    thumb = "bent" if words.thumb_bent else "extended"
    phrases.append(f"the thumb {thumb} {THUMB_PHRASES[words.thumb]}")
    if words.contacts:
        tips = listed([_FINGER_PHRASES[k - 1] for k in words.contacts])
        phrases.append(f"its tip touching the {tips}")
    return ", ".join(phrases)


def _up(words: PoseWords) -> str:
    named = zip(_FINGER_PHRASES, words.fingers, strict=True)
    straight = [finger.removesuffix(" finger") for finger, bend in named if bend == "extended"]
    if not words.thumb_bent and words.thumb == "out":
        straight.insert(0, "thumb")
    return f"{listed(straight)} extended" if straight else "fingers bent"


def listed(items: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
