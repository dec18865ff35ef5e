"""Settings in the user's words → settings with everything loaded and checked against the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handwright.errors import HandsFileError, UsageError
from handwright.image.generation_data import generation_data
from handwright.options import DEFAULTS, DIFFUSING, OPTIONS
from handwright.prompts.prompt_text import plain_text
from handwright.refine.settings import RefineSettings, refine_settings
from handwright.types import Box, Hand, HandObservation, Image, Mask
from handwright.workflow.run.request import HANDS_SUFFIXES

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine
    from handwright.workflow.run.request import Plan


def load_settings(
    plan: Plan, image: Image, input_sha256: str, engine: Callable[[], Engine]
) -> RefineSettings:
    """Load every file that a run's request names.

    Raises:
        HandsFileError: A file is malformed or belongs to another picture.
        UnreadableImageError: A mask, depth or pose picture cannot be read.
        UsageError: A box lies outside the picture.
    """
    given = settings_given(plan.request.given, image, input_sha256, engine)
    return refine_settings({**given, "keep_intermediates": plan.keep_intermediates})


def settings_given(
    given: Mapping[str, Any], image: Image, input_sha256: str | None, engine: Callable[[], Engine]
) -> dict[str, Any]:
    """Options with every file read and every box cut to the picture; values that are no file stay.

    Raises:
        HandwrightError: As ``load_settings``.
    """
    loaded = {**own_prompt(given, image), **given}
    if "box" in given:
        OPTIONS["box"].check(given["box"])
        loaded["box"] = tuple(_box_in_picture(box, image) for box in given["box"])
    readers: dict[str, Callable[[Path], object]] = {
        "hands": lambda path: _hands(path, image, input_sha256),
        "mask": lambda path: load_mask(path, image),
        "depth": lambda path: _of_same_size(path, image),
        "hand_pose": lambda path: pose_from(path, engine),
    }
    for name, read in readers.items():
        if isinstance(given.get(name), Path):
            loaded[name] = read(given[name])
    return loaded


def own_prompt(given: Mapping[str, Any], image: Image) -> dict[str, str]:
    """The prompt of a diffusing painter where none is given: the words that the picture was generated from.

    Returns:
        ``prompt``, without the syntax of the tool that wrote it; nothing where the user gives a prompt, the
        painter reads none, or the picture holds none.
    """
    if "prompt" in given or given.get("painter", DEFAULTS["painter"]) not in DIFFUSING:
        return {}
    written = generation_data(image)
    words = plain_text(written.prompt) if written is not None else ""
    return {"prompt": words} if words else {}


def load_mask(path: Path, image: Image) -> Mask:
    """A mask from a grey picture of the picture's size: brighter than mid-grey may change.

    Raises:
        HandsFileError: The sizes differ, or nothing may change.
    """
    return mask_of(_of_same_size(path, image), f"the mask {path}")


def mask_of(picture: Image, called: str = "the mask") -> Mask:
    """A mask from a grey picture: brighter than mid-grey may change.

    Raises:
        HandsFileError: Nothing may change.
    """
    inside = picture.pixels.max(2) > np.uint8(127)
    if not inside.any():
        raise HandsFileError(f"{called} is black everywhere", "", "paint white what may change")
    return Mask(inside)


def pose_from(path: Path, engine: Callable[[], Engine]) -> Hand:
    """The hand to take the articulation from: the first of a hands file, or the surest in a photograph.

    Raises:
        HandsFileError: The file or photograph holds no hand.
    """
    from handwright.hand.files.hands_file import load_pose
    from handwright.image import load_image
    from handwright.refine.pipeline import inspect_picture

    if path.suffix.lower() in HANDS_SUFFIXES:
        return load_pose(path)
    hands = inspect_picture(load_image(path), RefineSettings(), engine()).hands
    if not hands:
        raise HandsFileError(
            f"no hand was found in {path}", "", "give a photograph that shows one hand clearly"
        )
    return max(hands, key=lambda hand: hand.observation.score).fit.hand


def _hands(path: Path, image: Image, input_sha256: str | None) -> tuple[tuple[HandObservation, Hand], ...]:
    from handwright.hand.files.hands_file import load_hands

    return load_hands(path, width=image.width, height=image.height, sha256=input_sha256)


def _of_same_size(path: Path, image: Image) -> Image:
    from handwright.image import load_image

    return same_size(load_image(path), image, str(path))


def same_size(other: Image, image: Image, called: str) -> Image:
    """The other picture, which must have the picture's size.

    Raises:
        HandsFileError: It does not.
    """
    if (other.width, other.height) != (image.width, image.height):
        raise HandsFileError(
            f"{called} is {other.width} × {other.height}, the picture is {image.width} × {image.height}",
            "it must have the picture's size",
            "save it at that size",
        )
    return other


def _box_in_picture(box: Box, image: Image) -> Box:
    x0, y0, x1, y1 = box
    if x1 <= 0 or y1 <= 0 or x0 >= image.width or y0 >= image.height:
        raise UsageError(
            f"`box` {x0:g},{y0:g},{x1:g},{y1:g} lies outside the picture",
            f"the picture is {image.width} × {image.height}",
            "give pixels of this picture",
        )
    return max(x0, 0.0), max(y0, 0.0), min(x1, float(image.width)), min(y1, float(image.height))
