"""HandRefiner's way through a picture: find → reconstruct → depth, mask → paint → check → paste (SPEC §1)."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from handwright.errors import HandsFileError
from handwright.hand.depth import depth_control
from handwright.handrefiner.attempt import Attempt, attempt_hand
from handwright.handrefiner.painters import open_painter
from handwright.handrefiner.settings import RefineSettings
from handwright.handrefiner.stopwatch import Stopwatch
from handwright.handrefiner.task import HandTask, plan_hand, reconstruct
from handwright.image import with_edits
from handwright.perception.find import find_hands, find_in_boxes
from handwright.perception.fit import fit_given
from handwright.perception.landmarker import HandLandmarker, Landmarker
from handwright.types import DepthControl, HandFit, HandObservation, HandRepair, Image, Repair


@dataclass(frozen=True)
class Engine:
    """What stays loaded between pictures.

    Attributes:
        landmarker: The eyes that find hands.
    """

    landmarker: Landmarker


@contextmanager
def open_engine(model: Path | None = None) -> Generator[Engine]:
    """Load the perception models; ``model`` is a hand_landmarker.task of the user's own.

    Raises:
        MissingModelError: The model is missing and cannot be fetched.
    """
    with HandLandmarker(model) as landmarker:
        yield Engine(landmarker)


def inspect_picture(image: Image, settings: RefineSettings, engine: Engine) -> Repair:
    """Find, fit and render every hand; nothing is painted."""
    watch = Stopwatch()
    seen, notes = _find(image.pixels, settings, engine, watch)
    tasks, depth = _reconstruct(image, settings, seen, watch)
    hands = tuple(
        HandRepair(
            t.id, t.observation, t.fit, t.full_mask(image), t.own_depth(depth), "skipped", "looked at only"
        )
        for t in tasks
    )
    return Repair(image, image, hands, depth, watch.seconds, notes)


def refine_picture(image: Image, settings: RefineSettings, engine: Engine) -> Repair:
    """Repaint the hands of a picture.

    Until there is a judge every found hand is attempted (or those that the settings name), and a hand that is
    not found again after repainting is put back.

    Args:
        image: The picture.
        settings: What to do.
        engine: Loaded models.

    Returns:
        The refined picture, equal to the input outside the masks of refined hands, with its evidence.
    """
    watch = Stopwatch()
    seen, notes = _find(image.pixels, settings, engine, watch)
    tasks, depth = _reconstruct(image, settings, seen, watch)
    pixels = image.pixels.copy()
    changed = np.zeros(pixels.shape[:2], np.bool_)
    painter = open_painter(settings.painter)
    done: dict[int, HandRepair] = {}
    for task in sorted(tasks, key=lambda t: -float(t.fit.hand.translation_m[2])):
        own = task.own_depth(depth)
        if settings.hand_ids and task.id not in settings.hand_ids:
            done[task.id] = HandRepair(
                task.id, task.observation, task.fit, task.full_mask(image), own, "skipped", "not among --hand"
            )
            continue
        attempt = attempt_hand(pixels, task, depth, tasks, painter, settings, engine.landmarker, watch)
        _paste(pixels, changed, attempt)
        if attempt.task is not task:
            own = depth_control([attempt.task.fit.hand], image.height, image.width)
        done[task.id] = attempt.as_repair(image, own)
    after = with_edits(image, pixels, changed) if changed.any() else image
    return Repair(image, after, tuple(done[t.id] for t in tasks), depth, watch.seconds, notes)


def _find(
    pixels: UInt8[np.ndarray, "h w 3"], settings: RefineSettings, engine: Engine, watch: Stopwatch
) -> tuple[list[tuple[HandObservation, HandFit | None]], tuple[str, ...]]:
    """Observed hands, with their fit when the user brought it, and what the user should know."""
    with watch("find"):
        if settings.hands is not None:
            return [(observation, fit_given(observation, hand)) for observation, hand in settings.hands], ()
        if not settings.boxes:
            return [(hand, None) for hand in find_hands(pixels, landmarker=engine.landmarker)], ()
        found: list[tuple[HandObservation, HandFit | None]] = []
        notes: list[str] = []
        seen = find_in_boxes(pixels, settings.boxes, landmarker=engine.landmarker)
        for box, hand in zip(settings.boxes, seen, strict=True):
            if hand is None:
                at = ",".join(f"{v:g}" for v in box)
                notes.append(
                    f"No hand was recognised in the box {at}; try a wider box, or bring a hand with --hands."
                )
            else:
                found.append((hand, None))
        return found, tuple(notes)


def _reconstruct(
    image: Image,
    settings: RefineSettings,
    seen: list[tuple[HandObservation, HandFit | None]],
    watch: Stopwatch,
) -> tuple[list[HandTask], DepthControl]:
    """Fit what was seen, render depth, plan crops and masks."""
    given_depth = settings.depth
    if given_depth is not None and given_depth.pixels.shape != image.pixels.shape:
        raise HandsFileError(
            f"the depth image is {given_depth.width} × {given_depth.height} pixels",
            f"the picture is {image.width} × {image.height}",
            "give a depth image of the picture's size",
        )
    with watch("fit"):
        parts = [
            (observation, *reconstruct(image, observation, given, given_depth, settings.hand_pose))
            for observation, given in seen
        ]
    with watch("depth"):
        depth = depth_control([fit.hand for _, fit, _, _ in parts], image.height, image.width)
        if given_depth is not None:
            depth = DepthControl(np.ascontiguousarray(given_depth.pixels.max(-1)), depth.hand_id)
        tasks = [plan_hand(k + 1, image, *part, settings) for k, part in enumerate(parts)]
    return tasks, depth


def _paste(pixels: np.ndarray, changed: np.ndarray, attempt: Attempt) -> None:
    candidate = attempt.winner
    if candidate is None:
        return
    x, y = candidate.origin_xy_px
    height, width = candidate.inside.shape
    pixels[y : y + height, x : x + width][candidate.inside] = candidate.pixels[candidate.inside]
    changed[y : y + height, x : x + width] |= candidate.inside


__all__ = ["Engine", "inspect_picture", "open_engine", "refine_picture"]
