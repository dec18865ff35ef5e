"""Attempts at one hand: paint candidates, look again at each, keep the best or put the old hand back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.handrefiner.check import joint_error
from handwright.handrefiner.hypotheses import other_readings
from handwright.handrefiner.painters import Painter, PaintJob
from handwright.handrefiner.settings import RefineSettings
from handwright.handrefiner.stopwatch import Stopwatch
from handwright.handrefiner.task import HandTask
from handwright.perception.landmarker import Landmarker
from handwright.types import Candidate, DepthControl, HandRepair, Image

DOUBTFUL = 0.06
"""Joint error, as a fraction of hand size, from which other readings of the hand are tried."""

_WORST_ERROR = 0.15


@dataclass(frozen=True, eq=False)
class Attempt:
    """Candidates of one hand.

    Attributes:
        candidates: All of them, in the order made.
        picked: Index of the one to paste, or None.
        task: The reading of the hand that the picked candidate was painted from; the first one if none was.
    """

    candidates: tuple[Candidate, ...]
    picked: int | None
    task: HandTask

    @property
    def winner(self) -> Candidate | None:
        """The candidate to paste."""
        return None if self.picked is None else self.candidates[self.picked]

    def as_repair(self, image: Image, depth: DepthControl) -> HandRepair:
        """The record for the report."""
        task, mask = self.task, self.task.full_mask(image)
        common = task.id, task.observation, task.fit, mask, depth
        if self.winner is None:
            found = any(c.scores["found_again"] for c in self.candidates)
            why = "its joints came out elsewhere" if found else "not found again"
            reason = f"{why} after repainting: the original stays"
            return HandRepair(*common, "kept", reason, self.candidates)
        error = 100 * self.winner.scores["joint_error"]
        reason = f"repainted and found again, joints {error:.1f} % of hand size off the fitted mesh"
        return HandRepair(*common, "refined", reason, self.candidates, self.picked)


def attempt_hand(
    pixels: UInt8[np.ndarray, "h w 3"],
    task: HandTask,
    depth: DepthControl,
    tasks: Sequence[HandTask],
    painter: Painter,
    settings: RefineSettings,
    landmarker: Landmarker,
    watch: Stopwatch,
) -> Attempt:
    """Paint ``settings.candidates`` versions and pick the one whose joints come out nearest to the mesh.

    When the first reading of the hand does not survive a second look, others are tried (``other_readings``).
    """
    before = _timed_check(pixels, task, landmarker, watch)
    tried: list[tuple[Candidate, HandTask]] = []
    for k in range(settings.candidates):
        seed = (settings.seed + k) % 2**32
        job = _job(pixels, task, depth, tasks, seed)
        tried.append((_candidate(pixels, task, job, painter, landmarker, watch, before), task))
    if settings.hands is None and min(c.scores["joint_error"] for c, _ in tried) > DOUBTFUL:
        for other in other_readings(pixels, task, settings.mask):
            job = _job(pixels, other, depth, tasks, settings.seed)
            tried.append((_candidate(pixels, other, job, painter, landmarker, watch, before), other))
    ranked = sorted((c.scores["joint_error"], k) for k, (c, _) in enumerate(tried) if c.accepted)
    picked = ranked[0][1] if ranked else None
    return Attempt(tuple(c for c, _ in tried), picked, task if picked is None else tried[picked][1])


def _candidate(
    pixels: UInt8[np.ndarray, "h w 3"],
    task: HandTask,
    job: PaintJob,
    painter: Painter,
    landmarker: Landmarker,
    watch: Stopwatch,
    before: tuple[bool, float],
) -> Candidate:
    """Paint one version and look at it."""
    with watch("paint"):
        painted = painter.paint(job)
    x0, y0, x1, y1 = task.window
    trial = pixels.copy()
    trial[y0:y1, x0:x1] = painted.pixels
    there = replace(task.observation, landmarks_px=task.fit.landmarks_px)
    found, error = _timed_check(trial, replace(task, observation=there), landmarker, watch)
    scores = {
        "found_again": float(found),
        "joint_error": error,
        "found_before": float(before[0]),
        "joint_error_before": before[1],
        "painted_share": float(painted.inside.mean()),
    }
    accepted = found and error < _WORST_ERROR and bool(painted.inside.any())
    return Candidate(job.seed, painted.pixels, painted.inside, (x0, y0), scores, accepted)


def _timed_check(
    pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, landmarker: Landmarker, watch: Stopwatch
) -> tuple[bool, float]:
    with watch("check"):
        return joint_error(pixels, task.observation, task.fit, landmarker)


def _job(
    pixels: UInt8[np.ndarray, "h w 3"],
    task: HandTask,
    depth: DepthControl,
    tasks: Sequence[HandTask],
    seed: int,
) -> PaintJob:
    x0, y0, x1, y1 = task.window
    owner = depth.hand_id[y0:y1, x0:x1]
    others = np.zeros(owner.shape, np.bool_)
    for other in tasks:
        if other.id == task.id:
            continue
        a0, b0, a1, b1 = other.window
        left, top, right, bottom = max(x0, a0), max(y0, b0), min(x1, a1), min(y1, b1)
        if left >= right or top >= bottom:
            continue
        theirs = other.region.inside[top - b0 : bottom - b0, left - a0 : right - a0]
        nearer = owner[top - y0 : bottom - y0, left - x0 : right - x0] != task.id - 1
        others[top - y0 : bottom - y0, left - x0 : right - x0] |= theirs & nearer
    return PaintJob(
        crop=task.crop(pixels),
        window=task.window,
        hand=task.fit.hand,
        landmarks_px=task.landmarks_px,
        region=task.region,
        depth=np.ascontiguousarray(depth.depth[y0:y1, x0:x1]),
        may_change=task.may_change & ~others,
        others=others,
        seed=seed,
    )
