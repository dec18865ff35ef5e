"""Words and poses for what a prompt leaves open."""

import re
from dataclasses import replace
from typing import Any, cast

from handwright.hand.grammar import NAMED, ORIENTATIONS, PoseWords, describe
from handwright.hand.grammar.phrases import NAME_PHRASES, PALM_PHRASES, POINTS_PHRASES
from handwright.hand.grammar.tables import NUMBERS
from handwright.hand.grammar.words import Bend, Direction, Gap, StatedPose, perpendicular, stated_gaps
from handwright.prompts.expectation import Contact, Expectation, Grasp, HandExpectation, OpenPoint
from handwright.prompts.words import poses_for
from handwright.types import Side

_OF_GRASP: dict[Grasp, str] = {
    "open": "palm", "flat": "flat", "fist": "fist", "point": "pointing", "pinch": "palmar pinch grasp",
    "power grasp": "medium wrap grasp", "hook": "fixed hook grasp", "relaxed": "relaxed",
}  # fmt: skip
_OF_MEETING = {
    "palms together": "flat", "clapping": "flat", "high five": "palm", "fist bump": "fist",
    "fingertips together": "spread", "heart": "letter C", "handshake": "extension type grasp",
}  # fmt: skip
_FACING: tuple[tuple[Direction, Direction], ...] = (("right", "up"), ("left", "up"))
_MEETING_TURNS: dict[str, tuple[tuple[Direction, Direction], ...]] = {
    **dict.fromkeys(("palms together", "clapping", "high five", "fingertips together"), _FACING),
    "handshake": (("away", "right"), ("camera", "left")),
    "fist bump": (("down", "right"), ("down", "left")),
}
"""Palm and fingers of the hand on the left and of the one on the right, by how they meet."""

_ANY_THING = ("medium wrap grasp", "small diameter grasp", "prismatic four fingers grasp")
_FREE = ("relaxed", "palm", "fist")
_SHOWN = ("palm", "relaxed", "flat")  # Of a hand whose palm or direction is stated: it is held up to be seen
_TURNS: tuple[tuple[Direction, Direction], ...] = (
    ("camera", "up"), ("away", "up"), ("down", "away"), *ORIENTATIONS,
)  # fmt: skip


def proposed_pose(hand: HandExpectation, side: Side, meeting: str = "", *, first: bool = True) -> PoseWords:
    """A complete pose that agrees with what is stated about a hand."""
    stated, base = hand.pose, NAMED[_names_for(hand, meeting)[0]]
    fingers = _fingers(stated, base)
    out = stated.extended[0] is True and stated.thumb is None
    gaps = tuple(mine or its or "apart" for mine, its in zip(stated.gaps, base.gaps, strict=True))
    touches = stated.touches if stated.touches is not None else base.contacts
    palm, points = _turn(hand, base, side, _MEETING_TURNS.get(meeting, ())[0 if first else 1 :][:1])
    return PoseWords(
        thumb_bent=stated.thumb_bent if stated.thumb_bent is not None else base.thumb_bent and not out,
        thumb=stated.thumb or ("out" if out else base.thumb),
        fingers=fingers,
        gaps=stated_gaps(fingers, cast("tuple[Gap, Gap, Gap]", gaps)),
        contacts=tuple(k for k in touches if fingers[k - 1] == "bent" or stated.touches),
        palm=palm,
        points=points,
        side=side,
    )


def fixed_of(hand: HandExpectation) -> dict[str, str]:
    """What a prompt states about a hand, in words, by point."""
    pose = hand.pose
    if hand.hidden:
        return {"hidden": "out of sight"}
    directions = [PALM_PHRASES[pose.palm]] if pose.palm else []
    directions += [POINTS_PHRASES[pose.points]] if pose.points else []
    fixed = {
        "side": f"{pose.side} hand" if pose.side else "",
        "extension": _extension_words(hand),
        "direction": ", ".join(directions),
        "contact": describe_contact(hand.contact),
        "glove": "" if hand.gloved is None else "gloved" if hand.gloved else "no glove",
    }
    return {point: words for point, words in fixed.items() if words}


def suggestions_for(
    point: OpenPoint, hand: HandExpectation, pose: PoseWords | None, expected: Expectation, *, several: bool
) -> tuple[str, ...]:
    """Two or three wordings for what is left open."""
    if point == "number":
        return _numbers(expected)
    if point == "side":
        return ("a left and a right hand", "two right hands") if several else ("right hand", "left hand")
    if point == "direction":
        return _directions(hand, pose, several)
    if point == "contact":
        held = "holding a cup" if hand.grasp in (None, "power grasp", "hook") else "resting on a table"
        return ("touching nothing", held) if hand.pose.names else ("touching nothing", held, "on the hip")
    return tuple(_body(NAMED[name]) for name in _names_for(hand, expected.meeting)[:3])


def describe_contact(contact: Contact | None) -> str:
    """A contact in words; empty for none."""
    if contact is None:
        return ""
    thing = contact.thing
    article = "" if not thing or thing.endswith("s") else "an " if thing[0] in "aeiou" else "a "
    return {
        "object": f"holding {article}{thing}" if thing else "holding something",
        "hand": "touching the other hand",
        "self": f"touching the {thing}" if thing else "touching the body",
        "person": f"touching somebody's {thing}" if thing else "touching somebody",
        "body": f"touching a {thing}",
        "none": "touching nothing",
    }[contact.kind]


def _names_for(hand: HandExpectation, meeting: str) -> tuple[str, ...]:
    """Named poses that agree with a hand, the likeliest first."""
    if hand.pose.names:
        return hand.pose.names
    if hand.grasp is not None and not (hand.grasp == "power grasp" and hand.contact):
        return (_OF_GRASP[hand.grasp],)
    if meeting in _OF_MEETING:
        return (_OF_MEETING[meeting], "relaxed")
    if hand.contact is not None and hand.contact.kind == "object":
        return next(poses_for(hand.contact.thing), _ANY_THING)
    return _FREE if hand.pose.palm is None and hand.pose.points is None else _SHOWN


def _fingers(stated: StatedPose, base: PoseWords) -> tuple[Bend, Bend, Bend, Bend]:
    bends: list[Bend] = []
    for bend, stretched, its in zip(stated.fingers, stated.extended[1:], base.fingers, strict=True):
        free: Bend = its if (its == "extended") == stretched or stretched is None else "curled"
        bends.append(bend or ("extended" if stretched else free))
    return (bends[0], bends[1], bends[2], bends[3])


def _turn(
    hand: HandExpectation, base: PoseWords, side: Side, meeting: tuple[tuple[Direction, Direction], ...]
) -> tuple[Direction, Direction]:
    """A direction that agrees with the hand, else the pose's own, else the usual one."""
    palm, points = hand.pose.palm, hand.pose.points
    inwards: Direction = "left" if side == "right" else "right"
    wished: list[tuple[Any, Any]] = [*meeting]
    if hand.pose.names[:1] in (("like",), ("dislike",)):
        up = hand.pose.names[0] == "like"
        wished.append(("camera", inwards if up else "right" if inwards == "left" else "left"))
    wished.append((base.palm, base.points))
    if hand.contact is not None and hand.contact.kind == "object":
        typing = re.search(r"keyboard|laptop|piano|table|desk", hand.contact.thing)
        wished.append(("down", "away") if typing else (inwards, "up"))
    for its_palm, its_points in (*wished, *_TURNS):
        if its_palm and its_points and palm in (None, its_palm) and points in (None, its_points):
            return its_palm, its_points
    return next((p, q) for p, q in _TURNS if perpendicular(p, q))


def _extension_words(hand: HandExpectation) -> str:
    if hand.pose.names:
        name = hand.pose.names[0]
        return NAME_PHRASES.get(name) or _body(NAMED[name])
    named = zip(("thumb", "index", "middle", "ring", "little"), hand.pose.extended, strict=True)
    stretched = [finger for finger, known in named if known]
    if stretched:
        return f"{', '.join(stretched)} extended"
    if hand.pose.raised is not None:
        return f"{hand.pose.raised} fingers held up"
    return hand.grasp or ("fingers bent" if hand.pose.states_extension else "")


def _body(words: PoseWords) -> str:
    """A pose as a phrase, without hand and direction."""
    return describe(replace(words, palm=None, points=None, side=None)).removeprefix("hand ")


def _directions(hand: HandExpectation, pose: PoseWords | None, several: bool) -> tuple[str, ...]:
    if hand.grasp == "point":
        return tuple(f"pointing {where}" for where in ("at the camera", "up", "to the left"))
    turn = (pose.palm, pose.points) if pose and pose.palm and pose.points else _TURNS[0]
    if several and turn[0] in ("left", "right"):
        return ("palms facing each other, fingers pointing up", "palms facing the camera", "palms down")
    if hand.pose.names[:1] in (("like",), ("dislike",)) and pose is not None:
        other: Direction = "right" if turn[1] == "left" else "left"
        turns = [turn, ("away" if turn[0] == "camera" else "camera", other)]
    else:
        turns = list(dict.fromkeys([turn, *_TURNS[:3]]))[:3]
    return tuple(f"{PALM_PHRASES[palm]}, {POINTS_PHRASES[points]}" for palm, points in turns)


def _numbers(expected: Expectation) -> tuple[str, ...]:
    if expected.least is None:
        return ("one hand in the picture", "both hands in the picture", "hands out of the picture")
    if expected.least == 1:
        return ("only this hand in the picture", "both hands in the picture")
    if expected.people and expected.people > 1:
        return (f"exactly {NUMBERS[expected.least]} hands", f"both hands of all {expected.people} people")
    return (f"exactly {NUMBERS[expected.least]} hands", "both hands of one person")
