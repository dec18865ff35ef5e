"""The person for a picture of a text: T2H's best draw, framed so that its hands are seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from handwright.body.free_body import wholebody_of
from handwright.body.parameters import BodyParameters
from handwright.handiffuser.proposals import propose_people
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline, open_text_to_hand
from handwright.perception.body.body_pose import HANDS
from handwright.types import Camera, Side

_RIM = 0.04  # Share of the picture that is left free around what a text speaks of


@dataclass(frozen=True, eq=False)
class PersonForText:
    """One person, framed for a square picture."""

    parameters: BodyParameters
    notes: tuple[str, ...]  # What the user should know of it


def person_for_text(text: str, pipeline: TextToHandPipeline, side_px: int, seed: int) -> PersonForText:
    """A person that fits a text (T2H, HanDiffuser §3.1).

    The camera steps back until the hands that the text speaks of, or else one hand, are in the picture.

    Args:
        text: What the picture shows; not empty.
        pipeline: T2H.
        side_px: Side of the square picture, pixels.
        seed: Same seed, same person.

    Raises:
        UsageError: The text is empty.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = propose_people(text, pipeline, generator=generator, size_px=(side_px, side_px))[0]
    sides: Collection[Side] = chosen.named or {_nearer(chosen.parameters)}
    notes = [f"the fingers of the {one} hand are the grammar's" for one in chosen.mended]
    if not chosen.agreement.all_right:
        notes.append("no person that was drawn has all that the text states of hands")
    return PersonForText(framed(chosen.parameters, sides), tuple(notes))


@cache
def embedded_text_to_hand() -> TextToHandPipeline:
    """The embedded T2H; it stays loaded.

    Raises:
        DiffusionError: It cannot be loaded.
    """
    pipeline = open_text_to_hand()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def framed(body: BodyParameters, sides: Collection[Side]) -> BodyParameters:
    """The same person, the camera with a shorter lens until these hands and the head are in the picture."""
    points, (width, height) = wholebody_of(body), body.size_px
    wanted = np.concatenate([points[:5], *(points[HANDS[side]] for side in sides)])
    middle = np.array([width / 2, height / 2])
    far = float((np.abs(wanted - middle) / (middle * (1 - 2 * _RIM))).max())
    if far <= 1 + 1e-9:
        return body
    x, y = (np.asarray(body.camera.center_px) - middle) / far + middle
    return replace(body, camera=Camera(body.camera.focal_px / far, (float(x), float(y))))


def _nearer(body: BodyParameters) -> Side:
    """The hand that lies nearer to the middle of the picture."""
    points, middle = wholebody_of(body), np.asarray(body.size_px) / 2
    away: dict[Side, float] = {
        side: float(np.linalg.norm(points[part].mean(0) - middle)) for side, part in HANDS.items()
    }
    return min(away, key=lambda side: away[side])
