"""Where a pose to generate from comes from: a pose file, body parameters, a photograph, or a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from handwright.body import BodyParameters, excess_of, parameters_of_json, wholebody_of
from handwright.errors import InvalidValueError, UsageError, need
from handwright.json_text import parse_json
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.perception.body.estimate import PeopleIn
from handwright.perception.body.pose_file import read_canvas, read_pose

if TYPE_CHECKING:
    from handwright.handiffuser.person_for_text import HeldPose
    from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline
    from handwright.types import Side

_NEAR = 0.2  # Share of the longer side that points may lie outside the picture and still count

_MARGIN = 1.05  # A canvas that a file does not name reaches this far beyond its outermost points


@dataclass(frozen=True, eq=False)
class PoseSource:
    """A pose on its canvas."""

    pose: BodyPose  # In pixels of the canvas
    width: int  # Of the canvas, pixels
    height: int  # Of the canvas, pixels
    name: str  # The file that it comes from, or 'text'
    body: BodyParameters | None = None  # The person in three dimensions, where known
    notes: tuple[str, ...] = ()  # What the user should know of it


_SEEN_RAD = np.deg2rad(5.0)  # A finger that bends so much too far is seen (by eye)
_BEYOND_LIMITS = "fingers of these parameters bend farther than fingers do; they are made as they are"


def pose_from_file(path: Path, person: int | None, side: int) -> PoseSource:
    """The pose of a file, on a canvas whose longer side is ``side`` pixels; body parameters count as one.

    Raises:
        InvalidValueError: The file is no pose file, or what it holds is bad; the message names the part.
        HandsFileError: It is a file of hands, and a field of it is wrong.
    """
    if (body := _parameters_in(path)) is not None:
        source = pose_from_parameters(body, side, path.name)
        farther = excess_of(body).fingers_rad > _SEEN_RAD
        return replace(source, notes=(_BEYOND_LIMITS,)) if farther else source
    pose = read_pose(path, person)
    canvas = read_canvas(path)
    if canvas is None:
        far = np.maximum(pose.points_px[pose.known].max(0) * _MARGIN, 8)
        canvas = int(np.ceil(far[0])), int(np.ceil(far[1]))
    return scaled(pose, *canvas, side, path.name)


def _parameters_in(path: Path) -> BodyParameters | None:
    """The body parameters in a file; None where it is something else."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # the reader of pose files has words for that
    if not (isinstance(data, dict) and "handwright_body" in data):
        return None
    return parameters_of_json(cast("dict[str, Any]", data), path.name)


def pose_from_parameters(body: BodyParameters, side: int, name: str) -> PoseSource:
    """The pose of body parameters, on a canvas of their shape whose longer side is ``side`` pixels.

    A hand of which nothing is in the picture is left out, and so are points far outside it.
    """
    scale = side / max(body.size_px)
    width, height = (max(round(length * scale), 8) for length in body.size_px)
    body = body.resized(width, height)
    points = wholebody_of(body)
    beyond = np.maximum(np.maximum(-points, points - [width, height]), 0).max(1)  # pixels outside the picture
    for part in HANDS.values():
        if beyond[part].min() > 0:
            beyond[part] = np.inf
    known = beyond <= _NEAR * side
    pose = BodyPose(np.where(known[:, None], points, 0.0), (beyond == 0).astype(float))
    return PoseSource(pose, width, height, name, body)


def pose_from_text(text: str, side: int, seed: int, pipeline: TextToHandPipeline | None = None) -> PoseSource:
    """A person that fits a text, on a square canvas of ``side`` pixels (T2H, HanDiffuser §3.1).

    The camera steps back until the hands that the text speaks of, or else one hand, are in the picture.

    Args:
        text: What the picture shows.
        side: Of the canvas, pixels.
        seed: Same seed, same person.
        pipeline: T2H; the embedded one by default.

    Raises:
        UsageError: The text is empty.
        MissingPackageError: torch or diffusers is not installed.
        DiffusionError: T2H cannot be loaded.
    """
    if not text.strip():
        raise UsageError("there is no text", "it is empty", "describe the picture, or give --pose FILE")
    need("torch", "diffusers", "transformers", extra="diffusion")
    from handwright.data.people.in_pose.hands_together import meeting_of, with_both_hands_on, with_meeting
    from handwright.data.people.in_pose.held_things import busy_text, held_things, two_handed_hold
    from handwright.data.people.in_pose.turned_hands import with_directions
    from handwright.handiffuser.person_for_text import HeldPose, embedded_text_to_hand, people_for_text

    things = held_things(text, seed)
    held: dict[Side, HeldPose] = {
        hand: HeldPose(thing.dofs_rad, thing.points_m, thing.up) for hand, thing in things.items()
    }
    meet: Callable[[BodyParameters], BodyParameters | None] | None = None
    if (meeting := meeting_of(text)) is not None:
        meet = partial(with_meeting, meeting=meeting, seed=seed)
    elif (hold := two_handed_hold(text, seed)) is not None:
        meet = partial(with_both_hands_on, hold=hold, seed=seed)
    turn = partial(with_directions, seed=seed)
    caption = busy_text(text, meeting, things)
    people = people_for_text(text, pipeline or embedded_text_to_hand(), side, seed, held, meet, turn, caption)
    sources = [pose_from_parameters(one.parameters, side, "text") for one in people]
    at = next((k for k, source in enumerate(sources) if _can_be_painted(source)), 0)
    return replace(sources[at], notes=people[at].notes)


def _can_be_painted(source: PoseSource) -> bool:
    """Whether all joints lie where they can: an arm towards the camera may be longer than its body allows."""
    from handwright.two_stage.pose_completion import complete_pose

    try:
        complete_pose(source.pose, source.width, source.height)
    except InvalidValueError:
        return False
    return True


def pose_from_photo(path: Path, person: int | None, side: int, estimate: PeopleIn) -> PoseSource:
    """The pose of somebody in a photograph, on a canvas of its shape whose longer side is ``side`` pixels.

    Raises:
        UnreadableImageError: It cannot be read as a picture.
        UsageError: Nobody is found, or several people and none is named.
    """
    from handwright.image import load_image

    image = load_image(path)
    bodies = estimate(image.pixels)
    if not bodies:
        raise UsageError(
            f"nobody is found in {path.name}", "", "give a photograph with a head or a trunk in it"
        )
    if person is None and len(bodies) > 1:
        raise UsageError(
            f"{path.name} shows {len(bodies)} people", "", "name one with --person, from 0, the surest first"
        )
    number = person or 0
    if not 0 <= number < len(bodies):
        raise UsageError(f"{path.name} shows no person {number}", f"{len(bodies)} found, counted from 0")
    return scaled(bodies[number].pose, image.width, image.height, side, path.name)


def scaled(pose: BodyPose, width: int, height: int, side: int, name: str) -> PoseSource:
    """A pose and its canvas at another size."""
    scale = side / max(width, height)
    size = [max(round(length * scale), 8) for length in (width, height)]
    return PoseSource(pose.scaled(0, 0, scale), size[0], size[1], name)
