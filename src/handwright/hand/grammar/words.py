"""A pose in words as one validated value, complete or as stated; their text both ways; wrist rotations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import FINGERS
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Side

Bend = Literal["extended", "folded", "bent", "hooked", "curled"]
"""How a finger is bent. Folded: at its knuckle only; hooked: straight at the knuckle, bent beyond it;
curled: at every joint; bent: in between. A thumb is extended or bent."""

Gap = Literal["crossed", "together", "apart", "spread"]
"""Between two neighbouring extended fingers; apart is the resting hand's own distance."""

Thumb = Literal["out", "beside", "opposed", "across"]
"""Where the thumb is: away from the palm's edge, along the index finger, facing the fingers, in the palm."""

Direction = Literal["camera", "away", "up", "down", "left", "right"]
"""A direction as seen in the picture; camera: towards it, away: from it."""

BENDS: tuple[Bend, ...] = get_args(Bend)
GAPS: tuple[Gap, ...] = get_args(Gap)
THUMBS: tuple[Thumb, ...] = get_args(Thumb)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
NEIGHBOURS = ("index-middle", "middle-ring", "ring-pinky")


@dataclass(frozen=True, kw_only=True)
class PoseWords:
    """A pose in words."""

    thumb_bent: bool  # The thumb's own joints are bent
    thumb: Thumb  # Where the thumb is
    fingers: tuple[Bend, Bend, Bend, Bend]  # Index, middle, ring, pinky
    # Index–middle, middle–ring, ring–pinky; None where not both fingers are extended
    gaps: tuple[Gap | None, Gap | None, Gap | None] = (None, None, None)
    # Fingers (1 index … 4 pinky) whose tips the thumb's tip touches, ascending
    contacts: tuple[int, ...] = ()
    palm: Direction | None = None  # Where the palm faces; None where it is left open
    # Where straight fingers would point (wrist to knuckles); None where it is left open
    points: Direction | None = None
    side: Side | None = None  # Which hand; None where it is left open

    def __post_init__(self) -> None:
        _one_of(self.thumb, THUMBS, "thumb")
        for finger, bend in zip(FINGERS[1:], self.fingers, strict=True):
            _one_of(bend, BENDS, finger)
        for k, gap in enumerate(self.gaps):
            if gap is not None:
                _one_of(gap, GAPS, NEIGHBOURS[k])
            if (gap is not None) != (self.fingers[k] == self.fingers[k + 1] == "extended"):
                raise InvalidValueError(
                    f"the gap {NEIGHBOURS[k]} is given exactly where both fingers are extended, got {gap!r}"
                )
        if list(self.contacts) != sorted({k for k in self.contacts if 1 <= k <= 4}):
            raise InvalidValueError(f"contacts must be ascending finger numbers 1–4, got {self.contacts}")
        for name, value in (("palm", self.palm), ("points", self.points)):
            if value is not None:
                _one_of(value, DIRECTIONS, name)
        if self.palm is not None and self.points is not None and not perpendicular(self.palm, self.points):
            raise InvalidValueError(f"a palm that faces {self.palm} cannot have its fingers {self.points}")

    def __str__(self) -> str:
        """Return the technical wording; :func:`parse_pose_words` parses it."""
        clauses = [f"{self.side} hand" if self.side else "hand"]
        clauses.append(f"thumb {'bent' if self.thumb_bent else 'extended'} {self.thumb}")
        clauses += [f"{finger} {bend}" for finger, bend in zip(FINGERS[1:], self.fingers, strict=True)]
        clauses += [f"{pair} {gap}" for pair, gap in zip(NEIGHBOURS, self.gaps, strict=True) if gap]
        if self.contacts:
            clauses.append("thumb touches " + "+".join(FINGERS[k] for k in self.contacts))
        clauses += [f"palm {self.palm}"] if self.palm else []
        clauses += [f"fingers {self.points}"] if self.points else []
        return ", ".join(clauses)


def perpendicular(first: Direction, second: Direction) -> bool:
    """Whether two directions are at right angles."""
    axis = {"camera": 2, "away": 2, "up": 1, "down": 1, "left": 0, "right": 0}
    return axis[first] != axis[second]


def stated_gaps(
    fingers: tuple[Bend, ...], gaps: tuple[Gap, Gap, Gap]
) -> tuple[Gap | None, Gap | None, Gap | None]:
    """Keep the gaps between two extended fingers; the others are None."""
    kept: list[Gap | None] = [
        gap if fingers[k] == fingers[k + 1] == "extended" else None for k, gap in enumerate(gaps)
    ]
    return kept[0], kept[1], kept[2]


def parse_pose_words(text: str) -> PoseWords:
    """Return the value of a technical wording.

    Args:
        text: Clauses as ``str(PoseWords)`` writes them, separated by commas, in any order. A missing gap
            is 'apart'.

    Raises:
        InvalidValueError: A clause is unknown, or the thumb or a finger is missing.
    """
    stated: dict[str, str] = {}
    for clause in (" ".join(c.lower().split()) for c in text.replace(";", ",").split(",")):
        if clause:
            subject, value = _clause(clause)
            stated[subject] = value
    missing = [finger for finger in FINGERS if finger not in stated]
    if missing:
        raise InvalidValueError(
            f"the pose {text!r} does not state its {', '.join(missing)}", "", "state every finger"
        )
    state, _, where = stated["thumb"].partition(" ")
    fingers = cast("tuple[Bend, Bend, Bend, Bend]", tuple(stated[f] for f in FINGERS[1:]))
    gaps = cast("tuple[Gap, Gap, Gap]", tuple(stated.get(pair, "apart") for pair in NEIGHBOURS))
    return PoseWords(
        thumb_bent=state == "bent",
        thumb=cast("Thumb", where),
        fingers=fingers,
        gaps=stated_gaps(fingers, gaps),
        contacts=tuple(sorted(FINGERS.index(f) for f in stated.get("touches", "").split("+") if f)),
        palm=cast("Direction | None", stated.get("palm")),
        points=cast("Direction | None", stated.get("fingers")),
        side=cast("Side | None", stated.get("side")),
    )


def _clause(clause: str) -> tuple[str, str]:
    """Return the subject of a clause and its value."""
    words = clause.split()
    if clause in ("hand", "left hand", "right hand"):
        return ("side", words[0]) if len(words) == 2 else ("hand", "")
    if words[0] == "thumb" and len(words) == 3 and words[1] == "touches":
        known = [f for f in words[2].split("+") if f not in FINGERS[1:]]
        if not known:
            return "touches", words[2]
    elif words[0] == "thumb" and len(words) == 3 and words[1] in ("bent", "extended") and words[2] in THUMBS:
        return "thumb", f"{words[1]} {words[2]}"
    elif len(words) == 2:
        allowed: dict[str, tuple[str, ...]] = {
            **dict.fromkeys(FINGERS[1:], BENDS),
            **dict.fromkeys(NEIGHBOURS, GAPS),
            "palm": DIRECTIONS,
            "fingers": DIRECTIONS,
        }
        if words[1] in allowed.get(words[0], ()):
            return words[0], words[1]
    raise InvalidValueError(
        f"the clause {clause!r} states nothing about a pose", "", "write as str(PoseWords) does"
    )


def _one_of(value: str, allowed: tuple[str, ...], what: str) -> None:
    if value not in allowed:
        raise InvalidValueError(f"{what} must be one of {', '.join(allowed)}, got {value!r}")


_VECTORS: dict[Direction, tuple[float, float, float]] = {
    "camera": (0, 0, -1), "away": (0, 0, 1), "up": (0, -1, 0), "down": (0, 1, 0), "left": (-1, 0, 0),
    "right": (1, 0, 0),
}  # fmt: skip
ORIENTATIONS: tuple[tuple[Direction, Direction], ...] = tuple(
    (palm, points) for palm in DIRECTIONS for points in DIRECTIONS if perpendicular(palm, points)
)
"""The 24 pairs of where the palm faces and where the fingers point."""


def wrist_of(palm: Direction, points: Direction) -> Float[np.ndarray, "3"]:
    """Axis-angle wrist rotation (hand → camera) of a hand whose palm and fingers go this way; either side.

    Raises:
        InvalidValueError: The two directions are not at right angles.
    """
    if not perpendicular(palm, points):
        raise InvalidValueError(f"a palm that faces {palm} cannot have its fingers {points}")
    y, z = np.array(_VECTORS[points], float), np.array(_VECTORS[palm], float)
    matrix = np.stack([np.cross(y, z), y, z], 1)
    return matrix_axis_angle(matrix)


def thumb_direction(palm: Direction, points: Direction, side: Side) -> Direction:
    """Return the direction of the thumb's side of a hand with these palm and finger directions."""
    across = np.cross(np.array(_VECTORS[points]), np.array(_VECTORS[palm])) * (1 if side == "right" else -1)
    return max(DIRECTIONS, key=lambda direction: float(across @ np.array(_VECTORS[direction])))


def orientation_of(wrist: Float[np.ndarray, "3"]) -> tuple[Direction, Direction]:
    """Where the palm faces and where the fingers point: the pair of :data:`ORIENTATIONS` that is nearest."""
    matrix = axis_angle_matrix(wrist)

    def closeness(pair: tuple[Direction, Direction]) -> float:
        palm, points = (np.array(_VECTORS[direction], float) for direction in pair)
        return float(matrix[:, 2] @ palm + matrix[:, 1] @ points)

    return max(ORIENTATIONS, key=closeness)


Known = tuple[bool | None, bool | None, bool | None, bool | None, bool | None]
_OPEN4: tuple[Bend | None, Bend | None, Bend | None, Bend | None] = (None, None, None, None)
_OPEN3: tuple[Gap | None, Gap | None, Gap | None] = (None, None, None)
_UNKNOWN: Known = (None, None, None, None, None)


@dataclass(frozen=True, kw_only=True)
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

    def allows(self, palm: Direction | None, points: Direction | None) -> bool:
        """Whether a palm that faces this way and fingers that point that way are as stated."""
        return self.palm in (None, palm) and self.points in (None, points)

    def fits(self, words: PoseWords) -> bool:
        """Whether every stated property is true of a pose, as far as its side and directions are given."""
        known, counted = extended_of(words.fingers, words.thumb, words.thumb_bent), raised_count(words)
        pairs: list[tuple[object, object]] = [
            *zip(self.fingers, words.fingers, strict=True),
            *(pair for pair in zip(self.extended, known, strict=True) if pair[1] is not None),
            *(pair for pair in zip(self.gaps, words.gaps, strict=True) if pair[1] is not None),
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
