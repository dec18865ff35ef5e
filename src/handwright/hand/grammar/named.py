"""Poses that have a name: counting, HaGRID's gestures, fingerspelling-like shapes, the grasp taxonomy."""

from collections.abc import Sequence
from operator import attrgetter
from typing import cast

from handwright.errors import InvalidValueError
from handwright.hand.grammar.tables import TABLES
from handwright.hand.grammar.words import (
    BENDS,
    Bend,
    Direction,
    Gap,
    PoseWords,
    Thumb,
    stated_gaps,
    thumb_direction,
)

_BENDS: dict[str, Bend] = {word[0]: word for word in BENDS}
_GAPS: dict[str, Gap] = {"x": "crossed", "t": "together", "a": "apart", "s": "spread"}


def _pose(
    thumb: str,
    fingers: str,
    gaps: str = "aaa",
    touches: Sequence[int] = (),
    palm: Direction | None = None,
    points: Direction | None = None,
) -> PoseWords:
    bent, where = thumb.split()
    bends = (_BENDS[fingers[0]], _BENDS[fingers[1]], _BENDS[fingers[2]], _BENDS[fingers[3]])
    return PoseWords(
        thumb_bent=bent == "bent",
        thumb=cast("Thumb", where),
        fingers=bends,
        gaps=stated_gaps(bends, (_GAPS[gaps[0]], _GAPS[gaps[1]], _GAPS[gaps[2]])),
        contacts=tuple(touches),
        palm=palm,
        points=points,
    )


NAMED_SETS: dict[str, dict[str, PoseWords]] = {
    name: {pose: _pose(**entry) for pose, entry in poses.items()} for name, poses in TABLES["poses"].items()
}
"""Named poses by set: 'hagrid', 'everyday', 'letters', 'grasps'."""

NAMED: dict[str, PoseWords] = {name: words for poses in NAMED_SETS.values() for name, words in poses.items()}
"""Every named pose."""

THUMB_POINTS: dict[str, Direction] = {"like": "up", "dislike": "down"}
"""Where a thumb points that stands out of a fist, by the name of the pose."""

_shape = attrgetter("thumb", "thumb_bent", "fingers", "gaps", "contacts")
_COUNTED = ("fist", "one", "peace", "three", "four", "palm")


def counting(number: int) -> tuple[str, ...]:
    """Names of the poses of one hand (0–5) or two (6–10) that show a number.

    Raises:
        InvalidValueError: The number is not within 0–10.
    """
    if not 0 <= number <= 10:
        raise InvalidValueError(f"two hands count from 0 to 10, not {number}")
    return (_COUNTED[number],) if number <= 5 else ("palm", _COUNTED[number - 5])


def names_of(words: PoseWords) -> tuple[str, ...]:
    """Names whose pose these words are, directions aside unless the name fixes them; everyday names first.

    A thumb that stands out of a fist is a 'like' where it points up and a 'dislike' where it points down;
    words that leave a direction or the side open have both names.
    """
    return tuple(name for name, named in NAMED.items() if _fits(words, name, named))


def _fits(words: PoseWords, name: str, named: PoseWords) -> bool:
    same = _shape(words) == _shape(named)
    if name in THUMB_POINTS:
        if words.palm is None or words.points is None or words.side is None:
            return same
        return same and thumb_direction(words.palm, words.points, words.side) == THUMB_POINTS[name]
    return (
        same
        and (named.palm is None or words.palm in (None, named.palm))
        and (named.points is None or words.points in (None, named.points))
    )
