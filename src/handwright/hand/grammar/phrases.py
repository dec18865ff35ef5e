"""Natural wordings of a pose."""

from collections.abc import Mapping

from handwright.hand.grammar.named import names_of
from handwright.hand.grammar.words import NEIGHBOURS, PoseWords

NAME_PHRASES: Mapping[str, str] = {
    "call": "making a call-me sign", "dislike": "giving a thumbs down", "fist": "clenched in a fist",
    "four": "holding up four fingers", "like": "giving a thumbs up", "mute": "raising one finger for silence",
    "ok": "making an OK sign", "one": "holding up one finger", "palm": "held open",
    "peace": "making a peace sign", "peace_inverted": "making a peace sign with its back to the camera",
    "rock": "making the sign of the horns", "stop": "raised in a stop gesture",
    "stop_inverted": "held flat with its back to the camera", "three": "holding up three fingers",
    "three2": "showing three with thumb, index and middle finger",
    "two_up": "holding up two fingers close together",
    "two_up_inverted": "holding up two fingers close together, its back to the camera",
    "relaxed": "hanging relaxed", "pointing": "pointing with the index finger",
    "spread": "with all fingers spread wide", "flat": "held flat", "claw": "hooked like a claw",
    "finger gun": "making a finger gun", "salute": "raised in a salute",
    "gathered": "with the fingertips gathered", "vulcan": "making a Vulcan salute",
    "scout": "giving the scout sign", "love": "making the I-love-you sign",
}  # fmt: skip
_BEND_PHRASES = {
    "extended": "extended", "folded": "folded at the knuckle", "bent": "gently bent", "hooked": "hooked",
    "curled": "curled into the palm",
}  # fmt: skip
THUMB_PHRASES = {
    "out": "out to the side",
    "beside": "along the index finger",
    "opposed": "facing the fingers",
    "across": "across the palm",
}
_GAP_PHRASES = {"crossed": "crossed", "together": "held together", "apart": "apart", "spread": "spread"}
PALM_PHRASES = {
    "camera": "palm facing the camera", "away": "back of the hand to the camera", "up": "palm up",
    "down": "palm down", "left": "palm facing left", "right": "palm facing right",
}  # fmt: skip
POINTS_PHRASES = {
    "camera": "fingers pointing at the camera", "away": "fingers pointing away from the camera",
    "up": "fingers pointing up", "down": "fingers pointing down", "left": "fingers pointing left",
    "right": "fingers pointing right",
}  # fmt: skip
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
        groups.setdefault(_BEND_PHRASES[bend], []).append(finger)
    phrases = [f"{'all fingers' if len(f) == 4 else _list(f)} {bend}" for bend, f in groups.items()]
    for pair, gap in zip(NEIGHBOURS, words.gaps, strict=True):
        if gap in ("crossed", "spread", "together") and len({g for g in words.gaps if g}) > 1:
            phrases.append(f"{pair.replace('-', ' and ')} {_GAP_PHRASES[gap]}")
    if len(kinds := {g for g in words.gaps if g}) == 1 and "apart" not in kinds:
        phrases.append(f"the extended ones {_GAP_PHRASES[kinds.pop()]}")
    thumb = "bent" if words.thumb_bent else "extended"
    phrases.append(f"the thumb {thumb} {THUMB_PHRASES[words.thumb]}")
    if words.contacts:
        tips = _list([_FINGER_PHRASES[k - 1] for k in words.contacts])
        phrases.append(f"its tip touching the {tips}")
    return ", ".join(phrases)


def _up(words: PoseWords) -> str:
    straight = [
        f.removesuffix(" finger")
        for f, b in zip(_FINGER_PHRASES, words.fingers, strict=True)
        if b == "extended"
    ]
    if not words.thumb_bent and words.thumb == "out":
        straight.insert(0, "thumb")
    return f"{_list(straight)} extended" if straight else "fingers bent"


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
