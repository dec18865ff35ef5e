"""Natural wordings of a pose, and what a free text says about one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from handwright.hand.anatomy import FINGERS
from handwright.hand.grammar.named import NAMED, names_of
from handwright.hand.grammar.words import NEIGHBOURS, PoseWords

_SAID_NAME: Mapping[str, str] = {
    "call": "making a call-me sign",
    "dislike": "giving a thumbs down",
    "fist": "clenched in a fist",
    "four": "holding up four fingers",
    "like": "giving a thumbs up",
    "mute": "raising one finger for silence",
    "ok": "making an OK sign",
    "one": "holding up one finger",
    "palm": "held open",
    "peace": "making a peace sign",
    "peace_inverted": "making a peace sign with its back to the camera",
    "rock": "making the sign of the horns",
    "stop": "raised in a stop gesture",
    "stop_inverted": "held flat with its back to the camera",
    "three": "holding up three fingers",
    "three2": "showing three with thumb, index and middle finger",
    "two_up": "holding up two fingers close together",
    "two_up_inverted": "holding up two fingers close together, its back to the camera",
    "relaxed": "hanging relaxed",
    "pointing": "pointing with the index finger",
    "spread": "with all fingers spread wide",
    "flat": "held flat",
    "claw": "hooked like a claw",
    "finger gun": "making a finger gun",
    "salute": "raised in a salute",
    "gathered": "with the fingertips gathered",
    "vulcan": "making a Vulcan salute",
    "scout": "giving the scout sign",
    "love": "making the I-love-you sign",
}
_BEND_SAID = {
    "extended": "extended",
    "folded": "folded at the knuckle",
    "bent": "gently bent",
    "hooked": "hooked",
    "curled": "curled into the palm",
}
_THUMB_SAID = {
    "out": "out to the side",
    "beside": "along the index finger",
    "opposed": "facing the fingers",
    "across": "across the palm",
}
_GAP_SAID = {"crossed": "crossed", "together": "held together", "apart": "apart", "spread": "spread"}
_PALM_SAID = {
    "camera": "palm facing the camera",
    "away": "back of the hand to the camera",
    "up": "palm up",
    "down": "palm down",
    "left": "palm facing left",
    "right": "palm facing right",
}
_POINTS_SAID = {
    "camera": "fingers pointing at the camera",
    "away": "fingers pointing away from the camera",
    "up": "fingers pointing up",
    "down": "fingers pointing down",
    "left": "fingers pointing left",
    "right": "fingers pointing right",
}
_NAME = r"\b{}( sign| gesture| pose| hand)\b"
_FINGER_SAID = ("index finger", "middle finger", "ring finger", "little finger")


def describe(words: PoseWords, wording: str = "natural") -> str:
    """A pose as people would say it.

    Args:
        words: The pose.
        wording: 'terse' (its name, or the fingers that are up), 'natural' (a phrase) or 'technical'
            (``str(words)``).
    """
    if wording == "technical":
        return str(words)
    names = [name for name in names_of(words) if name in _SAID_NAME]
    hand = f"{words.side} hand" if words.side else "hand"
    if wording == "terse":
        return f"{hand}, {_SAID_NAME[names[0]] if names else _up(words)}"
    palm = [_PALM_SAID[words.palm]] if words.palm and "inverted" not in "".join(names[:1]) else []
    points = [_POINTS_SAID[words.points]] if words.points else []
    body = [_SAID_NAME[names[0]]] if names else ["with " + _finger_phrases(words)]
    return ", ".join([f"{hand} {body[0]}", *palm, *points])


def understand(text: str) -> Mapping[str, str]:
    """What a free text says about one hand's pose: technical clauses by subject, only what is said.

    Keys are the fingers, 'side', 'palm', 'fingers' (where they point) and 'name'; values are the grammar's
    words ('extended', 'right', 'camera', 'peace'). Both wordings of :func:`describe` are understood.
    """
    low = " ".join(text.lower().split())
    said: dict[str, str] = {}
    if side := re.search(r"\b(left|right) hand\b", low):
        said["side"] = side[1]
    for subject, table in (("palm", _PALM_SAID), ("fingers", _POINTS_SAID)):
        hits = [word for word, phrase in table.items() if phrase in low]
        said |= {subject: hits[0]} if hits else {}
    by_length = sorted(_SAID_NAME, key=lambda name: -len(_SAID_NAME[name]))
    hits = [name for name in by_length if _SAID_NAME[name].lower() in low]
    hits = hits or [name for name in NAMED if re.search(_NAME.format(re.escape(name.replace("_", " "))), low)]
    if hits:
        named = NAMED[hits[0]]
        said |= {"name": hits[0], **dict(zip(FINGERS[1:], named.fingers, strict=True))}
        said["thumb"] = f"{'bent' if named.thumb_bent else 'extended'} {named.thumb}"
    return said | _said_fingers(low)


def _said_fingers(low: str) -> dict[str, str]:
    said: dict[str, str] = {}
    for clause in re.split(r"[,;.]| with ", low):
        subjects = [f for f in FINGERS[1:] if re.search(rf"\b{f}\b", clause)]
        subjects += ["pinky"] if "little" in clause else []
        subjects = list(FINGERS[1:]) if re.search(r"\ball( four)? fingers\b", clause) else subjects
        bends = [bend for bend, phrase in _BEND_SAID.items() if phrase in clause or bend in clause.split()]
        if bends and "thumb touch" not in clause:
            said |= dict.fromkeys(subjects, bends[0])
        if thumb := re.search(r"thumb (extended|bent)? ?(.*)", clause):
            where = [w for w, phrase in _THUMB_SAID.items() if phrase in thumb[2] or w in thumb[2].split()]
            said |= {"thumb": f"{thumb[1] or 'extended'} {where[0]}"} if where else {}
    return said


def _finger_phrases(words: PoseWords) -> str:
    groups: dict[str, list[str]] = {}
    for finger, bend in zip(_FINGER_SAID, words.fingers, strict=True):
        groups.setdefault(_BEND_SAID[bend], []).append(finger)
    phrases = [f"{'all fingers' if len(f) == 4 else _list(f)} {bend}" for bend, f in groups.items()]
    for pair, gap in zip(NEIGHBOURS, words.gaps, strict=True):
        if gap in ("crossed", "spread", "together") and len({g for g in words.gaps if g}) > 1:
            phrases.append(f"{pair.replace('-', ' and ')} {_GAP_SAID[gap]}")
    if len(said := {g for g in words.gaps if g}) == 1 and "apart" not in said:
        phrases.append(f"the extended ones {_GAP_SAID[said.pop()]}")
    thumb = "bent" if words.thumb_bent else "extended"
    phrases.append(f"the thumb {thumb} {_THUMB_SAID[words.thumb]}")
    if words.contacts:
        tips = _list([_FINGER_SAID[k - 1] for k in words.contacts])
        phrases.append(f"its tip touching the {tips}")
    return ", ".join(phrases)


def _up(words: PoseWords) -> str:
    straight = [
        f.removesuffix(" finger") for f, b in zip(_FINGER_SAID, words.fingers, strict=True) if b == "extended"
    ]
    if not words.thumb_bent and words.thumb == "out":
        straight.insert(0, "thumb")
    return f"{_list(straight)} extended" if straight else "fingers bent"


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
