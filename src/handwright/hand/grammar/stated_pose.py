"""A stated pose: what a text states of a hand's pose, in which every property may stay open."""

from collections.abc import Sequence
from dataclasses import dataclass

from handwright.hand.grammar.words import Bend, Direction, Gap, PoseWords, Thumb
from handwright.types import Side

Known = tuple[bool | None, bool | None, bool | None, bool | None, bool | None]
_OPEN4: tuple[Bend | None, Bend | None, Bend | None, Bend | None] = (None, None, None, None)
_OPEN3: tuple[Gap | None, Gap | None, Gap | None] = (None, None, None)
_UNKNOWN: Known = (None, None, None, None, None)


@dataclass(frozen=True)
class StatedPose:
    """What a text states of one hand's pose; None, or an empty tuple, where it states nothing."""

    # Named poses (``NAMED``) that the text may mean, the likeliest first; the properties below are those that
    # all of them share
    names: tuple[str, ...] = ()
    # How index, middle, ring and pinky are bent
    fingers: tuple[Bend | None, Bend | None, Bend | None, Bend | None] = _OPEN4
    extended: Known = _UNKNOWN  # Whether thumb, index, middle, ring and pinky are stretched out
    raised: int | None = None  # How many fingers, thumb included, are held up
    thumb: Thumb | None = None  # Where the thumb is
    thumb_bent: bool | None = None  # Whether the thumb's own joints are bent
    gaps: tuple[Gap | None, Gap | None, Gap | None] = _OPEN3  # Index–middle, middle–ring, ring–pinky
    # Fingers (1 index … 4 pinky) whose tips the thumb's tip touches; () means that it touches none
    touches: tuple[int, ...] | None = None
    palm: Direction | None = None  # Where the palm faces in the picture
    points: Direction | None = None  # Where straight fingers point in the picture
    side: Side | None = None  # Which hand of the person

    @property
    def states_extension(self) -> bool:
        """Whether the text states which fingers are extended or bent."""
        return any(known is not None for known in (*self.extended, *self.fingers, self.raised, self.thumb))

    def fits(self, words: PoseWords) -> bool:
        """Whether every stated property is true of a pose, as far as its side and directions are given."""
        known, counted = extended_of(words.fingers, words.thumb, words.thumb_bent), raised_count(words)
        pairs: list[tuple[object, object]] = [
            *zip(self.fingers, words.fingers, strict=True),
            *(
                (stated, actual)
                for stated, actual in zip(self.extended, known, strict=True)
                if actual is not None
            ),
            *(
                (stated, actual)
                for stated, actual in zip(self.gaps, words.gaps, strict=True)
                if actual is not None
            ),
            (self.raised, counted),
            (self.thumb, words.thumb),
            (self.thumb_bent, words.thumb_bent),
            (self.touches, words.contacts),
            (self.palm, words.palm or self.palm),
            (self.points, words.points or self.points),
            (self.side, words.side or self.side),
        ]
        return all(stated is None or stated == actual for stated, actual in pairs)


def extended_of(
    fingers: Sequence[Bend | None], thumb: Thumb | None = None, thumb_bent: bool | None = None
) -> Known:
    """Return which fingers are extended, thumb first; None for a straight thumb along the hand."""
    first = None if thumb is None else True if thumb == "out" and not thumb_bent else None
    first = False if thumb == "across" or thumb_bent else first
    rest = [None if bend is None else bend == "extended" for bend in fingers]
    return (first, rest[0], rest[1], rest[2], rest[3])


def raised_count(words: PoseWords) -> int:
    """Return how many fingers a pose shows, the thumb included where it stands out."""
    return sum(known is True for known in extended_of(words.fingers, words.thumb, words.thumb_bent))
