"""Inputs that several nodes share: which hands, boxes, edited hands, a pose; and what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright.apps.comfyui.sockets import HAND_POSE, IMAGE, STRING, Input
from handwright.errors import UsageError

if TYPE_CHECKING:
    from handwright.refine.settings import RefineSettings
    from handwright.types import Image

ALL, FAILED, FAILED_OR_UNSURE = WHICH = ("all", "failed", "failed or unsure")
"""As ``refine.exchange.planned.WHICH``, which is imported only when a node runs."""

PICTURES = Input(name="image", kind=IMAGE, tooltip="Pictures with hands; every one of a batch is done.")
SEED = Input(
    name="seed", kind="INT", default=0, low=0, high=2**32 - 1, seed=True, tooltip="Same seed, same pixels."
)


def which(default: str) -> Input:
    """The choice of hands."""
    return Input(
        name="which",
        kind="COMBO",
        choices=WHICH,
        default=default,
        tooltip="Hands to work on: all that are found, or those that the review fails (or cannot judge). "
        "Boxes and edited hands are always worked on.",
    )


NAMED = (
    Input(
        name="boxes",
        kind=STRING,
        default="",
        lines=True,
        optional=True,
        tooltip="Where hands are, in pixels, one box a line: x0, y0, x1, y1. Nothing else is searched then.",
    ),
    Input(
        name="hands",
        kind=STRING,
        default="",
        lines=True,
        optional=True,
        tooltip="Edited hands: the text of a hands file, or the file's name, instead of finding and fitting.",
    ),
    Input(
        name="hand_pose",
        kind=HAND_POSE,
        optional=True,
        tooltip="Fingers as in this hand (Hand Pose from Photo); place and size stay the picture's.",
    ),
)
"""Hands by the user: boxes, edited hands, and a pose."""


def boxes_of(text: str) -> tuple[tuple[float, ...], ...]:
    """Boxes from lines of four numbers.

    Raises:
        UsageError: A line has another number of them.
    """
    boxes: list[tuple[float, ...]] = []
    for line in re.split(r"[\n;]", text):
        numbers = re.findall(r"-?\d+(?:\.\d+)?", line)
        if not line.strip():
            continue
        if len(numbers) != 4:
            raise UsageError(f"the box {line.strip()!r} is no box", "", "give four numbers: x0, y0, x1, y1")
        boxes.append(tuple(float(number) for number in numbers))
    return tuple(boxes)


def options_of(given: Mapping[str, Any], image: Image) -> dict[str, Any]:
    """Boxes, hands and pose as options of a refinement.

    Raises:
        UsageError: A box is no box.
        HandsFileError: The hands cannot be read or belong to a picture of another size.
    """
    from handwright.hand.files.hands_file import load_hands, parse_hands

    options: dict[str, Any] = {}
    if (given.get("boxes") or "").strip():
        options["box"] = boxes_of(given["boxes"])
    text = (given.get("hands") or "").strip()
    if text:
        read = parse_hands if text.startswith("{") else lambda name, **size: load_hands(Path(name), **size)
        options["hands"] = read(text, width=image.width, height=image.height)
    if given.get("hand_pose") is not None:
        options["hand_pose"] = given["hand_pose"]
    return options


def settings_of(given: Mapping[str, Any], image: Image) -> RefineSettings:
    """The same as settings; errors as ``options_of``."""
    from handwright.refine.settings import refine_settings
    from handwright.workflow.run.load import settings_given

    return refine_settings(settings_given(options_of(given, image), image, None, _no_engine))


def _no_engine() -> Any:  # noqa: ANN401 - only files of poses ask for one, and these come as hands
    raise UsageError("a pose must come as HAND_POSE", "", "connect Hand Pose from Photo")
