"""Poses that have a name: counting, HaGRID's gestures, fingerspelling-like shapes, the grasp taxonomy."""

from handwright.errors import InvalidValueError
from handwright.hand.grammar.words import Bend, Direction, Gap, PoseWords, Thumb, stated_gaps, thumb_direction

_BENDS: dict[str, Bend] = {"e": "extended", "f": "folded", "b": "bent", "h": "hooked", "c": "curled"}
_GAPS: dict[str, Gap] = {"x": "crossed", "t": "together", "a": "apart", "s": "spread"}


def _pose(
    thumb: Thumb,
    bent: int,
    fingers: str,
    gaps: str = "aaa",
    touch: tuple[int, ...] = (),
    palm: Direction | None = None,
    points: Direction | None = None,
) -> PoseWords:
    bends = (_BENDS[fingers[0]], _BENDS[fingers[1]], _BENDS[fingers[2]], _BENDS[fingers[3]])
    return PoseWords(
        thumb_bent=bool(bent),
        thumb=thumb,
        fingers=bends,
        gaps=stated_gaps(bends, (_GAPS[gaps[0]], _GAPS[gaps[1]], _GAPS[gaps[2]])),
        contacts=touch,
        palm=palm,
        points=points,
    )


HAGRID: dict[str, PoseWords] = {
    "call": _pose("out", 0, "ccce"),
    "dislike": _pose("out", 0, "cccc", points="left"),
    "fist": _pose("across", 1, "cccc", palm="camera", points="up"),
    "four": _pose("across", 1, "eeee", palm="camera", points="up"),
    "like": _pose("out", 0, "cccc", points="left"),
    "mute": _pose("across", 1, "eccc", points="up"),
    "ok": _pose("opposed", 0, "beee", "aaa", (1,), "camera", "up"),
    "one": _pose("across", 1, "eccc", palm="camera", points="up"),
    "palm": _pose("out", 0, "eeee", palm="camera", points="up"),
    "peace": _pose("across", 1, "eecc", "saa", palm="camera", points="up"),
    "peace_inverted": _pose("across", 1, "eecc", "saa", palm="away", points="up"),
    "rock": _pose("across", 1, "ecce", palm="camera", points="up"),
    "stop": _pose("beside", 0, "eeee", "ttt", palm="camera", points="up"),
    "stop_inverted": _pose("beside", 0, "eeee", "ttt", palm="away", points="up"),
    "three": _pose("across", 1, "eeec", palm="camera", points="up"),
    "three2": _pose("out", 0, "eecc", palm="camera", points="up"),
    "two_up": _pose("across", 1, "eecc", "taa", palm="camera", points="up"),
    "two_up_inverted": _pose("across", 1, "eecc", "taa", palm="away", points="up"),
}
"""The 18 gestures of HaGRID (Kapitanov et al. 2022). A like's thumb points up: its fingers point sideways."""

SPELLED: dict[str, PoseWords] = {
    "A": _pose("beside", 0, "cccc"), "B": _pose("across", 1, "eeee", "ttt"), "C": _pose("opposed", 0, "bbbb"),
    "D": _pose("opposed", 0, "ebbb", touch=(2,)), "E": _pose("across", 1, "hhhh"),
    "F": _pose("opposed", 0, "beee", "ass", (1,)), "G": _pose("beside", 0, "eccc", points="left"),
    "H": _pose("across", 1, "eecc", "taa", points="left"), "I": _pose("across", 1, "ccce"),
    "K": _pose("opposed", 0, "eecc"), "L": _pose("out", 0, "eccc"), "M": _pose("across", 1, "fffc"),
    "N": _pose("across", 1, "ffcc"), "O": _pose("opposed", 0, "bbbb", touch=(1, 2)),
    "P": _pose("opposed", 0, "efcc", points="down"), "Q": _pose("beside", 0, "eccc", points="down"),
    "R": _pose("across", 1, "eecc", "xaa"), "S": _pose("across", 1, "cccc"), "T": _pose("beside", 1, "cccc"),
    "U": _pose("across", 1, "eecc", "taa"), "V": _pose("across", 1, "eecc", "saa"),
    "W": _pose("across", 1, "eeec", "sss"), "X": _pose("across", 1, "hccc"), "Y": _pose("out", 0, "ccce"),
}  # fmt: skip
"""Hand shapes like those of the one-handed alphabet (without the moving J and Z); shapes, not language."""

GRASPS: dict[str, PoseWords] = {
    "large diameter": _pose("opposed", 0, "bbbb"), "small diameter": _pose("across", 1, "cccc"),
    "medium wrap": _pose("opposed", 1, "bbbb"), "adducted thumb": _pose("beside", 0, "cccc"),
    "light tool": _pose("beside", 1, "cccc"),
    "prismatic four fingers": _pose("opposed", 0, "bbbb", touch=(1, 2, 3)),
    "prismatic three fingers": _pose("opposed", 0, "bbbc", touch=(1, 2, 3)),
    "prismatic two fingers": _pose("opposed", 0, "bbbb", touch=(1, 2)),
    "palmar pinch": _pose("opposed", 0, "bbbb", touch=(1,)), "power disk": _pose("out", 1, "bbbb"),
    "power sphere": _pose("opposed", 1, "hhhh"), "precision disk": _pose("out", 0, "hhhh"),
    "precision sphere": _pose("opposed", 0, "hhhh"), "tripod": _pose("opposed", 1, "bbcc", touch=(1, 2)),
    "fixed hook": _pose("beside", 0, "hhhh"), "lateral": _pose("beside", 1, "cccc"),
    "index finger extension": _pose("opposed", 1, "eccc"), "extension type": _pose("opposed", 0, "ffff"),
    "distal type": _pose("opposed", 1, "bbcc"), "writing tripod": _pose("opposed", 1, "bbcc", touch=(1, 2)),
    "tripod variation": _pose("opposed", 1, "bccc"), "parallel extension": _pose("opposed", 0, "ffff"),
    "adduction grip": _pose("across", 1, "eebb", "taa"), "tip pinch": _pose("opposed", 1, "bccc", touch=(1,)),
    "lateral tripod": _pose("beside", 1, "bbcc"), "four-finger sphere": _pose("opposed", 0, "hhhb"),
    "quadpod": _pose("opposed", 0, "bbbc", touch=(1, 2, 3)),
    "three-finger sphere": _pose("opposed", 0, "hhbb"), "stick": _pose("beside", 1, "bccc"),
    "palmar": _pose("across", 1, "ffff"), "ring": _pose("opposed", 1, "bccc"),
    "ventral": _pose("opposed", 1, "cccc"), "inferior pincer": _pose("opposed", 0, "bbcc", touch=(1,)),
}  # fmt: skip
"""The 33 grasps of Feix et al. 2016 ('The GRASP taxonomy of human grasp types'), without the object."""

EVERYDAY: dict[str, PoseWords] = {
    "relaxed": _pose("beside", 0, "bbbb"), "pointing": _pose("beside", 1, "eccc"),
    "spread": _pose("out", 0, "eeee", "sss"), "flat": _pose("beside", 0, "eeee", "ttt"),
    "claw": _pose("out", 1, "hhhh"), "finger gun": _pose("out", 0, "eccc", points="left"),
    "salute": _pose("beside", 0, "eeee", "ttt", points="up"),
    "thumb to middle": _pose("opposed", 0, "ebee", touch=(2,)),
    "thumb to ring": _pose("opposed", 0, "eebe", touch=(3,)),
    "gathered": _pose("opposed", 0, "bbbb", touch=(1, 2, 3)), "vulcan": _pose("out", 0, "eeee", "tst"),
    "tabletop": _pose("beside", 0, "ffff"), "scout": _pose("across", 1, "eeec", "ttt"),
    "love": _pose("out", 0, "ecce"),
}  # fmt: skip
"""Poses of every day that the other sets miss."""

NAMED: dict[str, PoseWords] = {
    **HAGRID,
    **EVERYDAY,
    **{f"letter {letter}": words for letter, words in SPELLED.items()},
    **{f"{name} grasp": words for name, words in GRASPS.items()},
}
"""Every named pose."""

_THUMB_POINTS: dict[str, Direction] = {"like": "up", "dislike": "down"}
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
    same = (words.thumb, words.thumb_bent, words.fingers, words.gaps, words.contacts) == (
        named.thumb,
        named.thumb_bent,
        named.fingers,
        named.gaps,
        named.contacts,
    )
    if name in _THUMB_POINTS:
        if words.palm is None or words.points is None or words.side is None:
            return same
        return same and thumb_direction(words.palm, words.points, words.side) == _THUMB_POINTS[name]
    return (
        same
        and (named.palm is None or words.palm in (None, named.palm))
        and (named.points is None or words.points in (None, named.points))
    )
