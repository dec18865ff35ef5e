"""One painting: hands painted with one seed and one strength, laid into the picture and looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.handrefiner.check import Look, look_again
from handwright.handrefiner.painters import Painter
from handwright.handrefiner.scene import Scene
from handwright.handrefiner.settings import RefineSettings
from handwright.handrefiner.stopwatch import Stopwatch
from handwright.handrefiner.task import HandTask
from handwright.handrefiner.way_back import lay_back
from handwright.review.checklist import HandReview
from handwright.review.judge import Judge
from handwright.types import DepthControl, Strength

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class Studio:
    """What all attempts at the hands of a picture share.

    Attributes:
        painter: Who paints.
        settings: Which candidates.
        judge: Who looks again, and the critic.
        watch: Adds up the seconds.
        reviews: What the review says of the hands as they were, by id.
    """

    painter: Painter
    settings: RefineSettings
    judge: Judge
    watch: Stopwatch
    reviews: Mapping[int, HandReview] = field(default_factory=dict[int, HandReview])


@dataclass(frozen=True, eq=False)
class Painting:
    """A picture with freshly painted hands.

    Attributes:
        pixels: uint8 [H, W, 3].
        shares: Per hand, bool [h, w] in its own window: what of it was painted.
        looks: Per hand, what a second look sees.
        control: The depth control image.
        strength: Control strength, of painters that have one.
        strip: What the painter made at its steps, if that was to be kept.
    """

    pixels: Pixels
    shares: tuple[Bool[np.ndarray, "_ _"], ...]
    looks: tuple[Look, ...]
    control: DepthControl
    strength: Strength | None
    strip: UInt8[np.ndarray, "_ _ 3"] | None

    @property
    def error(self) -> float:
        """Mean joint error of its hands, as a fraction of hand size; a hand that is not found counts 1."""
        return float(np.mean([look.joint_error for look in self.looks]))


def paint_once(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    scene: Scene,
    seed: int,
    strength: Strength | str | None,
    studio: Studio,
) -> Painting:
    """Paint the hands and look at them again; nothing is judged.

    Args:
        pixels: The picture as painted so far.
        tasks: The hands, the farthest first.
        scene: All hands of the picture.
        seed: Of the painting.
        strength: For painters that have one: numbers, 'fixed' or 'auto'.
        studio: What attempts share.
    """
    control = scene.control(tasks)
    job = scene.job(pixels, tasks, control, seed, strength)
    with studio.watch("paint"):
        painted = studio.painter.paint(job)
        patch, inside = lay_back(job, painted)
    x0, y0, x1, y1 = job.window
    picture = pixels.copy()
    picture[y0:y1, x0:x1] = patch
    shares = tuple(inside[job.place(task)] & task.may_change for task in tasks)
    there = [
        replace(task, observation=replace(task.observation, landmarks_px=task.fit.landmarks_px))
        for task in tasks
    ]
    looks = tuple(look_at(picture, there, studio))
    return Painting(picture, shares, looks, control, painted.strength, painted.strip)


def look_at(pixels: Pixels, tasks: Sequence[HandTask], studio: Studio) -> list[Look]:
    """A second look at hands, each near where its task has it."""
    with studio.watch("check"):
        return [look_again(pixels, task.observation, task.fit, studio.judge.landmarker) for task in tasks]
