"""Parser of free text: the pose of one hand, as far as the text states it."""

import re
from collections.abc import Iterable
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, cast

from handwright.hand.anatomy import FINGERS
from handwright.hand.grammar.named import NAMED
from handwright.hand.grammar.phrases import NAME_PHRASES, THUMB_PHRASES
from handwright.hand.grammar.tables import NUMBERS, TABLES, pattern_of, source_of
from handwright.hand.grammar.words import (
    DIRECTIONS,
    GAPS,
    NEIGHBOURS,
    THUMBS,
    Bend,
    Direction,
    Gap,
    Known,
    PoseWords,
    StatedPose,
    Thumb,
    extended_of,
)
from handwright.types import Side

_F = r"(?:thumb|index|middle|ring|little|pinky|pinkie)(?: fingers?)?"
_LIST = rf"{_F}(?:(?:, and |, | and | & |\+){_F})*"
_FOUR = r"(?:all )?(?:the |her |his |their |four |five )?fingers"
_OTHERS = r"(?:the )?(?:other|remaining)(?: \w+)? fingers|(?:all )?the (?:others|rest)"
_WHERE: dict[str, Thumb] = {
    **{phrase: cast("Thumb", word) for word, phrase in THUMB_PHRASES.items()},
    **{word: word for word in THUMBS},
}
_PATTERNS: dict[str, Any] = TABLES["patterns"]
_BENT: list[tuple[str, Bend]] = [
    *((source_of(entry), cast("Bend", word)) for word, entry in _PATTERNS["bend"].items()),
    *((word, word) for word in ("extended", "folded", "hooked", "curled")),
]
_EXPRESSIONS = [(source_of(entry["texts"]), tuple(entry["names"])) for entry in TABLES["expressions"]]
_PALM, _POINTING = (
    cast("dict[Direction, str]", {word: source_of(entry) for word, entry in _PATTERNS[of].items()})
    for of in ("palm", "points")
)
_ALIASES = {"little": "pinky", "pinkie": "pinky"}


class Text:
    """A text from which matched parts are removed."""

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
    if text.take(source_of(_PATTERNS["middle_alone"])):
        return ["curled", "extended", "curled", "curled"], [None, False, True, False, False]
    extended: list[bool | None] = [None] * 5
    others: list[Bend] = [
        bend for phrase, bend in _BENT if text.take(rf"\b(?:{_OTHERS}) (?:is |are |held )?(?:{phrase})\b")
    ]
    for phrase, bend in _BENT:
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


_NUMBER = "|".join([*NUMBERS, *(str(k) for k in range(11))])
_RAISED = (
    rf"(?:holding|holds|hold|held|raising|raises|showing|shows|putting|sticking|extending)(?: out)?(?: up)? "
    rf"(?:only |just |exactly )?({_NUMBER}) (?:extended |raised )?fingers?\b(?: up\b)?",
    rf"\b({_NUMBER}) (?:raised|extended|outstretched) fingers?\b",
    rf"\b({_NUMBER}) fingers? (?:up|raised|extended|outstretched|held up)\b",
    rf"counting to ({_NUMBER}) (?:on|with) (?:\w+ ){{0,2}}(?:fingers|hand)\b",
)
_NAMED = r"\b{}(?: sign| gesture| pose| hand)\b"
_AFTER_HAND = ("four", "two_up", "palm", "flat", "claw", "relaxed")
"""Poses whose phrase has other meanings, too: it counts only behind 'hand'."""
_NOT_ALONE = (*NUMBERS, "stop", "rock", "like", "call", "palm", "flat")
"""Poses whose bare name has other meanings and does not count."""
_COUNTS = ("one", "three")  # Poses whose phrase only counts fingers: ``_by_count`` parses it


@lru_cache(maxsize=4096)
def parse_pose_text(text: str) -> StatedPose:
    """Return what a text states about the pose of one hand.

    It parses all wordings of ``describe``, the clauses of ``parse_pose_words``, and common expressions
    ('thumbs up', 'holding up three fingers', 'index finger extended', 'palm up').
    """
    low = " ".join(text.lower().split())
    rest = Text(low)
    named = _by_phrase(rest) or _by_count(rest)
    direct = parse_fingers(rest)
    named = named or _by_expression(rest.left) or StatedPose()
    stated = _combined(named, direct)
    palm, points = _directions(low)
    side = re.search(r"\b(left|right) (?:\w+ )?(?:hand|fist|palm)\b", low)
    return replace(
        stated,
        palm=palm or stated.palm,
        points=points or stated.points,
        side=cast("Side", side[1]) if side else None,
    )


def common_statement(poses: Iterable[PoseWords], names: tuple[str, ...] = ()) -> StatedPose:
    """Return what several poses have in common; their directions stay open."""
    every = [_whole(pose) for pose in poses]
    common: dict[str, Any] = {}
    for item in fields(StatedPose):
        values: list[Any] = [getattr(one, item.name) for one in every]
        if item.name in ("fingers", "extended", "gaps"):
            common[item.name] = tuple(v[0] if len(set(v)) == 1 else None for v in zip(*values, strict=True))
        else:
            common[item.name] = values[0] if len(set(values)) == 1 else None
    common["names"] = names
    return StatedPose(**common)


def _whole(words: PoseWords) -> StatedPose:
    return StatedPose(
        fingers=words.fingers,
        extended=extended_of(words.fingers, words.thumb, words.thumb_bent),
        thumb=words.thumb,
        thumb_bent=words.thumb_bent,
        gaps=words.gaps,
        touches=words.contacts,
    )


def _combined(named: StatedPose, direct: StatedPose) -> StatedPose:
    """Combine the pose of a name with statements of single fingers, which take precedence."""
    fingers: Any = tuple(d or n for d, n in zip(direct.fingers, named.fingers, strict=True))
    gaps: Any = tuple(d or n for d, n in zip(direct.gaps, named.gaps, strict=True))
    thumb = direct.thumb or named.thumb
    bent = named.thumb_bent if direct.thumb_bent is None else direct.thumb_bent
    known = zip(extended_of(fingers, thumb, bent), direct.extended, named.extended, strict=True)
    extended = tuple(
        next((e for e in (exact, loose, by_name) if e is not None), None) for exact, loose, by_name in known
    )
    return replace(
        named,
        fingers=fingers,
        extended=cast("Known", extended),
        gaps=gaps,
        thumb=thumb,
        thumb_bent=bent,
        touches=named.touches if direct.touches is None else direct.touches,
    )


def _by_phrase(rest: Text) -> StatedPose | None:
    """Return the named pose whose phrase the text contains; the longest one, if several."""
    for name in sorted(NAME_PHRASES, key=lambda name: -len(NAME_PHRASES[name])):
        phrase = re.escape(NAME_PHRASES[name].lower())
        behind = r"\bhands?,? (?:of (?:[\w-]+ ){1,12}?)?" if name in _AFTER_HAND else r"\b"
        pattern = rf"{behind}{phrase}"
        if name not in _COUNTS and rest.take(pattern):
            stated = common_statement([NAMED[name]], (name,))
            return replace(stated, palm="away") if name.endswith("inverted") else stated
    return None


def _by_count(rest: Text) -> StatedPose | None:
    """Return how many fingers are held up, and which those may be."""
    for pattern in _RAISED:
        if hits := rest.take(pattern):
            count = hits[0][1]
            number = NUMBERS.index(count) if count in NUMBERS else int(count)
            names = tuple(TABLES["raised"].get(str(number), ()))
            return (
                replace(common_statement([NAMED[n] for n in names], names), raised=number) if names else None
            )
    return None


def _by_expression(left: str) -> StatedPose | None:
    """Return the named poses that a common expression in the text may mean."""
    for pattern, names in _EXPRESSIONS:
        if pattern_of(pattern).search(left):
            return common_statement([NAMED[name] for name in names], names)
    if letter := re.search(source_of(_PATTERNS["letter"]), left):
        name = f"letter {(letter[1] or letter[2]).upper()}"
        return common_statement([NAMED[name]], (name,)) if name in NAMED else None
    for name in NAMED:
        spoken = re.escape(name.replace("_", " ").lower())
        pattern = rf"\b{spoken}\b".replace("grasp", "(?:grasp|grip)")
        pattern = pattern if name.endswith("grasp") else _NAMED.format(spoken)
        if name not in _NOT_ALONE and re.search(pattern, left):
            return common_statement([NAMED[name]], (name,))
    return None


def _directions(low: str) -> tuple[Direction | None, Direction | None]:
    """Return where the palm faces and where the fingers point; None where the text does not state it."""
    palms: list[Direction] = [word for word, pattern in _PALM.items() if pattern_of(pattern).search(low)]
    palm = palms[0] if palms else None
    points: Direction | None = None
    for clause in re.split(r"[,;.] ?", low):
        words = clause.split()
        if len(words) == 2 and words[1] in DIRECTIONS:
            palm = cast("Direction", words[1]) if words[0] == "palm" else palm
            points = cast("Direction", words[1]) if words[0] == "fingers" else points
    for hit in re.finditer(r"(?<!thumb )(?<!thumbs )\b(?:pointing|points|pointed) ", low):
        tail = re.split(r"[,;.]", low[hit.end() :])[0].split()
        ends = [" ".join(tail[k:]) for k in range(min(len(tail), 4))]
        found: list[Direction] = [
            word for end in ends for word, pattern in _POINTING.items() if re.match(pattern, end)
        ]
        if points is None and found:
            points = found[0]
    return palm, points
