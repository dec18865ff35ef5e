"""Parser of single fingers: extended, bent, spread or crossed, where the thumb is, what it touches."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, cast

from handwright.hand.anatomy import FINGERS
from handwright.hand.grammar.idioms import BENT
from handwright.hand.grammar.phrases import THUMB_PHRASES
from handwright.hand.grammar.stated_pose import Known, StatedPose
from handwright.hand.grammar.words import GAPS, NEIGHBOURS, THUMBS, Bend, Gap, Thumb

_F = r"(?:thumb|index|middle|ring|little|pinky|pinkie)(?: fingers?)?"
_LIST = rf"{_F}(?:(?:, and |, | and | & |\+){_F})*"
_FOUR = r"(?:all )?(?:the |her |his |their |four |five )?fingers"
_OTHERS = r"(?:the )?(?:other|remaining)(?: \w+)? fingers|(?:all )?the (?:others|rest)"
_WHERE: dict[str, Thumb] = {
    **{phrase: cast("Thumb", word) for word, phrase in THUMB_PHRASES.items()},
    **{word: word for word in THUMBS},
}
_SAME: dict[str, Bend] = {word: word for word in ("extended", "folded", "hooked", "curled")}
_MIDDLE_ALONE = (
    r"(?:giving|showing|raising|sticking up|holding up|flashing) (?:\w+ )?(?:\w+ )?middle finger\b(?! and)|"
    r"middle finger (?:gesture|sign|up)\b|flip(?:ping|s) (?:\w+ )?(?:off|the bird)"
)
_ALIASES = {"little": "pinky", "pinkie": "pinky"}


@cache
def pattern_of(pattern: str) -> re.Pattern[str]:
    """Return a compiled pattern; there are more of them than the cache of ``re`` holds."""
    return re.compile(pattern)


class Text:
    """A text from which matched parts are removed.

    Attributes:
        left: The text that is not matched yet.
    """

    def __init__(self, text: str) -> None:
        self.left = text

    def take(self, pattern: str) -> list[re.Match[str]]:
        """Return all matches and remove them from the text."""
        compiled = pattern_of(pattern)
        hits = list(compiled.finditer(self.left))
        self.left = compiled.sub("…", self.left) if hits else self.left
        return hits


def parse_fingers(text: Text) -> StatedPose:
    """Return what a lower-case text states of single fingers, and remove that from it."""
    touches = _touches(text)
    thumb, thumb_bent = _thumb(text)
    gaps = _gaps(text)
    same = text.take(r"the extended ones (crossed|held together|spread)\b")
    bends, extended = _bends(text, touches, technical=thumb is not None)
    for hit in same:
        both = [bends[k] == bends[k + 1] == "extended" for k in range(3)]
        gaps = [_gap(hit[1]) if extended else gap for extended, gap in zip(both, gaps, strict=True)]
    return StatedPose(
        fingers=cast("Any", tuple(bends)),
        extended=cast("Known", tuple(extended)),
        thumb=thumb,
        thumb_bent=thumb_bent,
        gaps=cast("Any", tuple(gaps)),
        touches=touches,
    )


def _touches(text: Text) -> tuple[int, ...] | None:
    hits = text.take(rf"(?:its tip touching|thumb touch(?:es|ing)?)(?: the)? ({_LIST})")
    hits += text.take(rf"thumb and ({_LIST})(?: tips?)? touching")
    return _numbers(hits[0][1]) if hits else None


def _thumb(text: Text) -> tuple[Thumb | None, bool | None]:
    hits = text.take(rf"thumb (bent|extended) ({'|'.join(_WHERE)})\b")
    return (_WHERE[hits[0][2]], hits[0][1] == "bent") if hits else (None, None)


def _gaps(text: Text) -> list[Gap | None]:
    gaps: list[Gap | None] = [None] * 3
    for hit in text.take(rf"\b({'|'.join(NEIGHBOURS)}) ({'|'.join(GAPS)})\b"):
        gaps[NEIGHBOURS.index(hit[1])] = _gap(hit[2])
    for hit in text.take(r"\b(index|middle|ring) and (middle|ring|pinky) (crossed|held together|spread)\b"):
        gaps[FINGERS.index(hit[1]) - 1] = _gap(hit[3])
    return gaps


def _bends(
    text: Text, touches: tuple[int, ...] | None, *, technical: bool
) -> tuple[list[Bend | None], list[bool | None]]:
    """How fingers are bent; 'bent' alone is a word of the grammar only in the technical wording."""
    bends: list[Bend | None] = [None] * 4
    if text.take(_MIDDLE_ALONE):
        return ["curled", "extended", "curled", "curled"], [None, False, True, False, False]
    extended: list[bool | None] = [None] * 5
    bend_phrases: tuple[tuple[str, Bend], ...] = (*BENT, *_SAME.items())
    others: list[Bend] = [
        bend
        for phrase, bend in bend_phrases
        if text.take(rf"\b(?:{_OTHERS}) (?:is |are |held )?(?:{phrase})\b")
    ]
    for phrase, bend in bend_phrases:
        hits = text.take(rf"\b({_LIST}|{_FOUR}) (?:is |are |held )?(?:{phrase})\b")
        for hit in (*hits, *text.take(rf"\b(?:{phrase}) ({_LIST}|fingers)\b")):
            for k in _numbers(hit[1]):
                extended[k] = bend == "extended"
                bends[max(k - 1, 0)] = bend if k else bends[0]
    for k in range(1, 5) if others else ():
        if extended[k] is None and k not in (touches or ()):
            extended[k], bends[k - 1] = others[0] == "extended", others[0]
    for hit in text.take(r"\b((?:index|middle|ring|little|pinky|pinkie)(?: finger)?) (?:up|out)\b"):
        for k in _numbers(hit[1]):
            extended[k] = True
            bends[k - 1] = "extended"
    for hit in (*text.take(rf"\b({_LIST}|{_FOUR}) bent\b"), *text.take(rf"\bbent ({_LIST}|fingers)\b")):
        for k in _numbers(hit[1]):
            extended[k] = False
            bends[max(k - 1, 0)] = "bent" if technical and k else bends[max(k - 1, 0)]
    return bends, extended


def _gap(phrase: str) -> Gap:
    return cast("Gap", phrase.removeprefix("held "))


def _numbers(listed: str) -> tuple[int, ...]:
    """Numbers of the fingers in a list (0 thumb … 4 pinky), ascending; all four for 'fingers'."""
    words = [_ALIASES.get(word, word) for word in re.findall(r"[a-z]+", listed)]
    named = tuple(sorted({FINGERS.index(word) for word in words if word in FINGERS}))
    return named or (1, 2, 3, 4)
