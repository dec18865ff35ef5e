"""Poses from files: OpenPose's JSON (18 or 25 body points), COCO-WholeBody's (133), hands alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.json_text import parse_json
from handwright.perception.body.body_pose import BODY, FACE, FEET, HANDS, BodyPose
from handwright.perception.body.pose_of_hands import MOST_PX, is_hands_document, pose_of_hands

_BODY_FROM_OPENPOSE = {
    18: (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10),
    25: (0, 16, 15, 18, 17, 5, 2, 6, 3, 7, 4, 12, 9, 13, 10, 14, 11),
}
"""COCO's 17 points among OpenPose's COCO and BODY_25 points."""
_FEET_FROM_OPENPOSE = slice(19, 25)  # Of BODY_25; the order is COCO-WholeBody's
_OPENPOSE_PARTS = (
    ("face_keypoints_2d", FACE, (68, 70)),  # OpenPose adds the two pupils
    ("hand_left_keypoints_2d", HANDS["left"], (21,)),
    ("hand_right_keypoints_2d", HANDS["right"], (21,)),
)
_WHOLEBODY_PARTS = (
    ("foot_kpts", FEET, 6),
    ("face_kpts", FACE, 68),
    ("lefthand_kpts", HANDS["left"], 21),
    ("righthand_kpts", HANDS["right"], 21),
)
_COCO_VISIBILITY = (0.0, 0.25, 1.0)  # Of COCO's flags: not labelled, labelled but hidden, visible


def read_pose(path: Path, person: int | None = None) -> BodyPose:
    """Read one person's points from a file.

    OpenPose's files have ``people``, those of ControlNet's pose editors also ``canvas_width`` and
    ``canvas_height`` (coordinates from 0 to 1 are then shares of it), alone or in a list of one picture.
    COCO-WholeBody's have ``annotations``; an annotation may hold all 133 points in ``keypoints``. Coordinates
    are otherwise taken as they stand. COCO's flag of a hidden point becomes visibility 0.25.

    Args:
        path: The JSON file.
        person: Which person of the file, from 0; None: the file must have exactly one.

    Raises:
        InvalidValueError: The file cannot be read, is in no such layout, lacks the person, or has several
            people and none is named; the message names the part that is wrong.
        HandsFileError: It is a file of hands, and a field of it is wrong.
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{path.name} cannot be read as JSON", str(error)) from error
    return pose_of(content, path.name, person)


def read_canvas(path: Path) -> tuple[int, int] | None:
    """Width and height, in pixels, of the picture that a pose file is meant for; None where it has none.

    OpenPose's files of pose editors have ``canvas_width`` and ``canvas_height``, COCO's ``images``, files of
    hands ``picture``.

    Raises:
        InvalidValueError: The file cannot be read.
    """
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"{path.name} cannot be read as JSON", str(error)) from error
    if isinstance(content, list) and len(cast("list[object]", content)) == 1:
        content = cast("list[object]", content)[0]
    if not isinstance(content, dict):
        return None
    picture = cast("dict[str, Any]", content)
    images = [picture.get("picture")] if is_hands_document(picture) else picture.get("images")
    if isinstance(images, list) and images and isinstance(images[0], dict):
        first = cast("dict[str, Any]", images[0])
        sizes: list[object] = [first.get("width"), first.get("height")]
    else:
        sizes = [picture.get("canvas_width"), picture.get("canvas_height")]
    numbers = [size for size in sizes if isinstance(size, int | float) and 1 <= size <= MOST_PX]
    return (round(numbers[0]), round(numbers[1])) if len(numbers) == 2 else None


def pose_of(content: object, name: str = "the pose", person: int | None = None) -> BodyPose:
    """Return one person's points from a file's parsed JSON; as ``read_pose``, ``name`` is for messages."""
    if isinstance(content, list) and len(cast("list[object]", content)) == 1:
        content = cast("list[object]", content)[0]
    if not isinstance(content, dict):
        raise InvalidValueError(f"{name} is no pose file", "it holds no object with people or annotations")
    picture = cast("dict[str, Any]", content)
    if is_hands_document(picture):
        return pose_of_hands(picture, name, person)
    key = next((key for key in ("people", "annotations") if key in picture), None)
    if key is None:
        raise InvalidValueError(
            f"{name} is no pose file", "it has neither people nor annotations, and is no file of hands"
        )
    found: object = picture[key]
    if not isinstance(found, list):
        raise InvalidValueError(f"{name} is no pose file", f"{key} is not a list")
    one = _choose(cast("list[object]", found), name, person)
    points = _openpose(one, name) if key == "people" else _wholebody(one, name)
    if not (points[:, 2] > 0).any():
        raise InvalidValueError(f"{name} has a person without points", "no point has a visibility above 0")
    if key == "people":
        _from_canvas(points, picture, name)
    points[points[:, 2] == 0] = 0
    return BodyPose(points[:, :2].copy(), np.clip(points[:, 2], 0, 1))


def _choose(people: list[object], name: str, person: int | None) -> dict[str, Any]:
    if not people:
        raise InvalidValueError(f"{name} has nobody in it", "its list of people is empty")
    if person is None and len(people) > 1:
        raise InvalidValueError(f"{name} has {len(people)} people", "name one, counted from 0")
    index = person or 0
    if not 0 <= index < len(people):
        raise InvalidValueError(f"{name} has no person {index}", f"it has {len(people)}, counted from 0")
    one = people[index]
    if not isinstance(one, dict):
        raise InvalidValueError(f"{name} has a person without points", f"person {index} is no object")
    return cast("dict[str, Any]", one)


def _triples(value: object, part: str, name: str, counts: tuple[int, ...]) -> Float[np.ndarray, "n 3"]:
    """Return float64 [N, 3] from a flat list of x, y, visibility, whose N must be one of ``counts``."""
    try:
        flat = np.array(value, float)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidValueError(f"{part} of {name} is no list of numbers", str(error)) from error
    if flat.ndim != 1 or flat.size not in [3 * count for count in counts]:
        wanted = " or ".join(str(3 * count) for count in counts)
        raise InvalidValueError(f"{part} of {name} must hold {wanted} numbers", f"its shape is {flat.shape}")
    points = flat.reshape(-1, 3)
    bad = np.flatnonzero(~(np.abs(points) <= MOST_PX).all(1) | (points[:, 2] < 0))  # NaN is not below
    if len(bad):
        raise InvalidValueError(
            f"{part} of {name}: point {bad[0]} is not finite, far outside or has a visibility below 0",
            f"it is {points[bad[0]].tolist()}",
        )
    return points


def _openpose(one: dict[str, Any], name: str) -> Float[np.ndarray, "133 3"]:
    if not one.get("pose_keypoints_2d"):
        raise InvalidValueError(f"{name} has a person without a body", "it has no pose_keypoints_2d")
    body = _triples(one["pose_keypoints_2d"], "pose_keypoints_2d", name, (18, 25))
    points = np.zeros((133, 3))
    points[BODY] = body[list(_BODY_FROM_OPENPOSE[len(body)])]
    if len(body) == 25:
        points[FEET] = body[_FEET_FROM_OPENPOSE]
    for part, place, counts in _OPENPOSE_PARTS:
        if one.get(part):
            points[place] = _triples(one[part], part, name, counts)[: place.stop - place.start]
    if points[:, 2].max() > 1:
        raise InvalidValueError(f"{name} has a confidence above 1", f"it is {points[:, 2].max():.3g}")
    return points


def _wholebody(one: dict[str, Any], name: str) -> Float[np.ndarray, "133 3"]:
    if not one.get("keypoints"):
        raise InvalidValueError(f"{name} has a person without a body", "keypoints is missing or empty")
    body = _triples(one["keypoints"], "keypoints", name, (17, 133))
    points = np.zeros((133, 3))
    points[: len(body)] = body
    for part, place, count in _WHOLEBODY_PARTS:
        if len(body) == 17 and one.get(part):
            points[place] = _triples(one[part], part, name, (count,))
    flags = points[:, 2]
    wrong = flags[~np.isin(flags, (0, 1, 2))]
    if len(wrong):
        raise InvalidValueError(f"{name} has a flag that is none of 0, 1 and 2", f"it is {wrong[0]:.3g}")
    points[:, 2] = np.array(_COCO_VISIBILITY)[flags.astype(int)]
    return points


def _from_canvas(points: Float[np.ndarray, "133 3"], picture: dict[str, Any], name: str) -> None:
    """Bring shares of the canvas to pixels, in place; points in pixels stay."""
    sizes: list[object] = [picture.get(key) for key in ("canvas_width", "canvas_height")]
    known = points[points[:, 2] > 0, :2]
    if np.abs(known).max() > 1:
        return
    if not all(isinstance(size, int | float) and 0 < size <= MOST_PX for size in sizes):
        raise InvalidValueError(
            f"{name} has all points between 0 and 1",
            f"canvas_width and canvas_height are missing or not above 0 and up to {MOST_PX}",
        )
    points[:, :2] *= np.array(sizes, float)


_KNOWN = 0.01  # Confidence in files, at least, of a point whose place is known


def openpose_json(pose: BodyPose, width: int, height: int) -> dict[str, Any]:
    """The pose in the layout of ControlNet's pose editors: BODY_25, face and hands, in pixels of the canvas.

    ``pose_of`` reads it back. Points between the hips and between the shoulders are added, as OpenPose has
    them; coordinates are rounded to a hundredth of a pixel. Points that are known and not seen, such as those
    outside the canvas, get a confidence of a hundredth: OpenPose gives 0 to what is missing.
    """
    points = pose.wholebody
    points[pose.known, 2] = np.maximum(points[pose.known, 2], _KNOWN)
    body = np.zeros((25, 3))
    body[list(_BODY_FROM_OPENPOSE[25])] = points[BODY]
    body[_FEET_FROM_OPENPOSE] = points[FEET]
    for middle, (left, right) in ((1, (5, 6)), (8, (11, 12))):
        if pose.known[[left, right]].all():
            body[middle, :2] = pose.points_px[[left, right]].mean(0)
            body[middle, 2] = points[[left, right], 2].min()
    person = {"pose_keypoints_2d": _rounded(body)}
    for part, place, _ in _OPENPOSE_PARTS:
        if pose.known[place].any():
            person[part] = _rounded(points[place])
    return {"canvas_width": width, "canvas_height": height, "people": [person]}


def _rounded(points: Float[np.ndarray, "n 3"]) -> list[float]:
    return [round(float(value), 2) for value in points.ravel()]
