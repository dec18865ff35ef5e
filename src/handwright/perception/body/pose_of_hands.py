"""The hands of a file that ``handwright hands`` wrote, as a ``BodyPose``: 21 points each, and the wrists."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.hand.files.hands_file import hands_from_json
from handwright.hand.kinematics import hand_landmarks_m
from handwright.perception.body.body_pose import HANDS, WRISTS, BodyPose
from handwright.types import Hand, HandObservation, Side

MOST_PX = 1_000_000
"""No canvas is longer, and no point further away; larger numbers are damage. Chosen by eye."""

_SCHEMAS = "handwright/hands-"  # Of every version


def is_hands_document(document: dict[str, Any]) -> bool:
    """Whether parsed JSON is a file of hands, of whatever version."""
    return str(document.get("schema", "")).startswith(_SCHEMAS)


def pose_of_hands(document: dict[str, Any], name: str, person: int | None = None) -> BodyPose:
    """Return the hands of a file as the pose of one person; nothing else of the body is known.

    Points are the file's landmarks with their depth; what edited angles move goes with them. Arms' wrists are
    those of the hands. A point outside the picture has visibility 0, all others 1.

    Args:
        document: The file's parsed JSON.
        name: The file's name, for messages.
        person: Which person, from 0; a file of hands has one.

    Raises:
        HandsFileError: The document is malformed; the message names the field.
        InvalidValueError: It has no hand, more hands than a person has, a point far outside, or another
            person is wanted.
    """
    hands = hands_from_json(document, where=name)
    saved = hands_from_json({**document, "hands": [_as_saved(r) for r in document["hands"]]}, where=name)
    _check_one_person([observed.side for _, observed, _ in hands], name, person)
    size = [min(document["picture"][side], MOST_PX) for side in ("width", "height")]
    points, depth, visibility = np.zeros((133, 2)), np.zeros(133), np.zeros(133)
    for (_, observed, edited), (_, _, before) in zip(hands, saved, strict=True):
        part = HANDS[edited.side]
        points[part], depth[part] = _points(observed, edited, before)
        if not (np.abs(points[part]) <= MOST_PX).all():
            raise InvalidValueError(
                f"the {edited.side} hand of {name} lies far outside its picture",
                f"a coordinate is beyond {MOST_PX} pixels or no number",
            )
        visibility[part] = ((points[part] >= 0) & (points[part] < size)).all(1)
        wrist = WRISTS[edited.side]
        points[wrist], visibility[wrist] = points[part][0], visibility[part][0]
    return BodyPose(points, visibility, depth)


def _as_saved(record: object) -> object:
    """A hand's record without its angles, which repeat the pose unless they were edited."""
    fields = cast("dict[str, Any]", record)
    return {k: v for k, v in fields.items() if k != "angles_deg"} if fields.get("pose") else fields


def _points(
    observed: HandObservation, edited: Hand, before: Hand
) -> tuple[Float[np.ndarray, "21 2"], Float[np.ndarray, "21"]]:
    """Landmarks in pixels and their depth, moved as far as the edit of the angles moved the regular hand."""
    ends = [hand_landmarks_m(hand) for hand in (edited, before)]
    after_px, before_px = (hand.camera.project(at) for hand, at in zip((edited, before), ends, strict=True))
    deeper = (ends[0][:, 2] - ends[1][:, 2]) * edited.camera.focal_px / edited.translation_m[2]
    return observed.landmarks_px + (after_px - before_px), observed.depth_px + deeper


def _check_one_person(sides: list[Side], name: str, person: int | None) -> None:
    if not sides:
        raise InvalidValueError(
            f"{name} has no hand in it", "its list of hands is empty", "give a file with one hand or two"
        )
    if len(sides) > 2:
        raise InvalidValueError(
            f"{name} has {len(sides)} hands",
            "a person has two",
            "leave one left and one right hand in the file",
        )
    if len(set(sides)) < len(sides):
        raise InvalidValueError(
            f"{name} has two {sides[0]} hands",
            "a person has one",
            "delete one of them in the file, or correct its side",
        )
    if person:
        raise InvalidValueError(f"{name} has no person {person}", "hands of one person, number 0, are in it")
