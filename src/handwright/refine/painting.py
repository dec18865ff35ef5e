"""One painting: hands painted with one seed and one strength, composited and detected again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.handrefiner.strength import Strength
from handwright.progress import Stopwatch
from handwright.refine.compositing.blend import composite_paint
from handwright.refine.hand_task import HandTask, with_box_mask
from handwright.refine.painters import BatchingPainter, Painter, PaintJob, PaintResult
from handwright.refine.redetection import Redetection, measure_redetection
from handwright.refine.scene import Scene
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import HandReview
from handwright.review.critic.comparison import Comparison
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.judge import Judge
from handwright.types import DepthControl, Window

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False, kw_only=True)
class RefineContext:
    """What all attempts at the hands of a picture share."""

    painter: Painter  # Who paints
    settings: RefineSettings  # Which candidates
    judge: Judge  # Detects hands again; with the critic
    watch: Stopwatch  # Adds up the seconds
    # The review of the hands as they were, by id
    reviews: Mapping[int, HandReview] = field(default_factory=dict[int, HandReview])
    comparison: Comparison | None = None  # Tells whether a candidate looks worse; None: nothing does

    def prediction(self, task: HandTask) -> CriticPrediction | None:
        """Return the critic's prediction of a hand as it was; None where it was not reviewed or has none."""
        review = self.reviews.get(task.id)
        return None if review is None else review.prediction


@dataclass(frozen=True, eq=False, kw_only=True)
class PaintTrial:
    """A picture with freshly painted hands."""

    pixels: Pixels  # uint8 [H, W, 3]
    # Per hand, bool [h, w] in its own window: what of it was painted
    shares: tuple[Bool[np.ndarray, "_ _"], ...]
    redetections: tuple[Redetection, ...]  # Per hand, how it is detected again
    control: DepthControl  # The depth control image
    strength: Strength | None  # Control strength, of painters that have one
    strip: UInt8[np.ndarray, "_ _ 3"] | None  # What the painter made at its steps, if that was to be kept
    job: PaintJob  # What was painted …
    painted: PaintResult  # … and what came of it, before it was composited

    @property
    def error(self) -> float:
        """Mean joint error of its hands, as a fraction of hand size; a hand that is not found counts 1."""
        return float(np.mean([one.joint_error for one in self.redetections]))


def paint_trial(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    scene: Scene,
    seed: int,
    strength: Strength | str | None,
    context: RefineContext,
) -> PaintTrial:
    """Paint the hands and detect them again; nothing is judged.

    Tasks come the farthest first; a strength is a number, one a step, 'fixed' or 'auto'.
    """
    control = scene.control(tasks)
    job = scene.job(with_underlays(pixels, tasks), tasks, control, seed, strength)
    with context.watch("paint"):
        painted = context.painter.paint(job)
    return _composited(job, painted, control, context)


def in_size(trial: PaintTrial, task: HandTask, scene: Scene, context: RefineContext) -> PaintTrial:
    """Return the same painting of one hand, of which only the share of ``task`` counts, detected again."""
    whole = trial.job
    job = scene.job(whole.picture, [task], trial.control, whole.seed, whole.strength)
    return _composited(job, trial.painted, trial.control, context)


def _composited(
    job: PaintJob, painted: PaintResult, control: DepthControl, context: RefineContext
) -> PaintTrial:
    """Lay a painting onto its picture and detect its hands again."""
    with context.watch("paint"):
        patch, inside = composite_paint(job, painted)
    tasks, (x0, y0, x1, y1) = job.tasks, job.window
    picture = job.picture.copy()
    picture[y0:y1, x0:x1] = patch
    shares = tuple(_share(inside[job.place(task)], task) for task in tasks)
    there = [
        replace(task, observation=replace(task.observation, landmarks_px=task.fit.landmarks_px))
        for task in tasks
    ]
    redetections = tuple(redetect_hands(picture, there, context))
    return PaintTrial(
        pixels=picture,
        shares=shares,
        redetections=redetections,
        control=control,
        strength=painted.strength,
        strip=painted.strip,
        job=job,
        painted=painted,
    )


def expect_tries(
    pixels: Pixels, groups: Sequence[Sequence[HandTask]], scene: Scene, context: RefineContext
) -> None:
    """Make known to a painter that paints in batches what will be asked of it: all tries of some hands.

    Groups come in the order in which they will be attempted; of those whose squares reach into the crop of an
    earlier one, which may change before their turn, nothing is made known.
    """
    painter, jobs, crops = context.painter, list[PaintJob](), list[Window]()
    if not isinstance(painter, BatchingPainter):
        return
    for tasks in groups:
        masked = published_masks(tasks, context.settings)
        control, base = scene.control(masked), with_underlays(pixels, masked)
        new = [
            scene.job(base, masked, control, seed, 1.0 if strength == "adaptive" else strength)
            for seed, strength in context.settings.tries
        ]
        square = painter.painter.square(new[0])
        if square is not None and not any(square.meets(crop) for crop in crops):
            jobs += new
        crops.append(new[0].window)
    painter.expect(jobs)


def published_masks(tasks: Sequence[HandTask], settings: RefineSettings) -> Sequence[HandTask]:
    """The hands with box masks, where HandRefiner is asked for as published and no mask was given."""
    diffusion = settings.diffusion
    boxed = diffusion is not None and diffusion.box_mask and settings.mask is None
    return [with_box_mask(task) for task in tasks] if boxed else tasks


def with_underlays(pixels: Pixels, tasks: Sequence[HandTask]) -> Pixels:
    """Return the picture with the underlays of its hands."""
    if all(task.underlay is None for task in tasks):
        return pixels
    base = pixels.copy()
    for task in tasks:
        if task.underlay is not None:
            x0, y0, x1, y1 = task.window
            base[y0:y1, x0:x1][task.underlay.inside] = task.underlay.pixels[task.underlay.inside]
    return base


def _share(inside: Bool[np.ndarray, "h w"], task: HandTask) -> Bool[np.ndarray, "h w"]:
    """Return which pixels of a hand's crop the painting or the underlay changed."""
    painted = inside & task.repair_mask
    return painted if task.underlay is None else painted | task.underlay.inside


def redetect_hands(pixels: Pixels, tasks: Sequence[HandTask], context: RefineContext) -> list[Redetection]:
    """Detect hands again, each near where its task has it."""
    with context.watch("check"):
        return [
            measure_redetection(
                pixels, task.observation, task.fit, context.judge.landmarker, context.judge.fitter
            )
            for task in tasks
        ]
