"""Hands in AUTOMATIC1111's web UI, Forge and its other forks: what ``integrations/a1111`` calls.

The script holds the widgets and the web UI's classes; settings, the repair and what is written into the
picture's generation parameters are here, and need neither gradio nor the web UI.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from handwright.options import DIFFUSING, PAINTERS

if TYPE_CHECKING:
    from PIL import Image as PILImage

    from handwright.refine.result import Repair
    from handwright.workflow.hand_refiner import HandRefiner

ALL, FAILED, FAILED_OR_UNSURE = WHICH = ("all", "failed", "failed or unsure")
"""Hands to repaint: all that are found, or by the verdict of the review."""

KEY = "handwright"
"""Beginning of every generation parameter that is written."""


@dataclass(frozen=True, kw_only=True)
class WebuiSettings:
    """The widgets' values, in the order in which they are shown."""

    painter: str = "draw"  # One of ``options.PAINTERS``
    which: str = FAILED  # One of ``WHICH``
    candidates: int = 1  # Attempts per hand
    seed: int = 0  # Same seed, same pixels
    model: str = ""  # Of a diffusing painter: preset, folder or .safetensors file; '': the embedded one


def refine_picture(
    picture: PILImage.Image, settings: WebuiSettings, prompt: str = ""
) -> tuple[PILImage.Image, dict[str, str]]:
    """Repaint the hands of a picture.

    Args:
        picture: The generated picture.
        settings: The widgets' values.
        prompt: What the picture shows, for a diffusing painter; '' is its default.

    Returns:
        The picture, equal to the given one outside the repainted hands and with the same ``info``, and the
        generation parameters to write into it.

    Raises:
        HandwrightError: A model is missing or a setting makes no sense.
    """
    options: dict[str, Any] = {
        "painter": settings.painter,
        "seed": int(settings.seed),
        "candidates": int(settings.candidates),
        "all": settings.which == ALL,
        "unsure": settings.which == FAILED_OR_UNSURE,
    }
    if settings.painter in DIFFUSING:
        options |= {"prompt": prompt or None, "model": settings.model or None}
    repair: Repair = refiner()(picture, **options)
    if any(hand.action == "refined" for hand in repair.hands):
        refined = repair.after.to_pil()
        refined.info.update(picture.info)
        picture = refined
    return picture, written(settings, repair)


def written(settings: WebuiSettings, repair: Repair) -> dict[str, str]:
    """What goes into the generation parameters: every setting, and what was done to each hand."""
    hands = "; ".join(f"{hand.id} {hand.side} {hand.action}" for hand in repair.hands)
    named = {f"{KEY} {name}": str(value) for name, value in vars(settings).items() if value != ""}
    return {**named, f"{KEY} hands": hands or "none found"}


def settings_from(parameters: Mapping[str, str]) -> WebuiSettings | None:
    """The settings that were written into a picture, for the web UI's paste button; None: there are none."""
    values: dict[str, Any] = {
        name: type(default)(parameters[f"{KEY} {name}"])
        for name, default in vars(WebuiSettings()).items()
        if f"{KEY} {name}" in parameters
    }
    if values.get("painter", PAINTERS[0]) not in PAINTERS:  # a picture names no code to run
        del values["painter"]
    return WebuiSettings(**values) if values else None


@cache
def refiner() -> HandRefiner:
    """The refiner with its models, kept until the web UI ends."""
    from handwright.workflow.hand_refiner import HandRefiner

    opened = HandRefiner()
    atexit.register(opened.close)
    return opened


__all__ = ["KEY", "PAINTERS", "WHICH", "WebuiSettings", "refine_picture", "settings_from"]
