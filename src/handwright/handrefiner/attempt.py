"""Attempts at hands: paint candidates, look again at each, keep the best or put the old hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.handrefiner.check import joint_error
from handwright.handrefiner.hypotheses import other_readings
from handwright.handrefiner.painters import Painter
from handwright.handrefiner.scene import Scene, own_depth
from handwright.handrefiner.settings import RefineSettings
from handwright.handrefiner.stopwatch import Stopwatch
from handwright.handrefiner.task import HandTask
from handwright.handrefiner.way_back import lay_back
from handwright.perception.landmarker import Landmarker
from handwright.types import Candidate, DepthControl, HandRepair, Image

DOUBTFUL = 0.06
"""Joint error, as a fraction of hand size, from which other readings of the hand are tried."""

_WORST_ERROR = 0.15

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class Studio:
    """What all attempts at the hands of a picture share.

    Attributes:
        painter: Who paints.
        settings: How many candidates, from which seed.
        landmarker: Who looks again.
        watch: Adds up the seconds.
    """

    painter: Painter
    settings: RefineSettings
    landmarker: Landmarker
    watch: Stopwatch

    @property
    def seeds(self) -> list[int]:
        """Candidate k uses seed + k."""
        return [(self.settings.seed + k) % 2**32 for k in range(self.settings.candidates)]


@dataclass(frozen=True, eq=False)
class Attempt:
    """Candidates of one hand.

    Attributes:
        candidates: All of them, in the order made.
        picked: Index of the one to paste, or None.
        task: The reading of the hand that the picked candidate was painted from; the first one if none was.
        control: The depth control image that it was painted by.
    """

    candidates: tuple[Candidate, ...]
    picked: int | None
    task: HandTask
    control: DepthControl

    @property
    def winner(self) -> Candidate | None:
        """The candidate to paste."""
        return None if self.picked is None else self.candidates[self.picked]

    def after(self, earlier: Attempt | None) -> Attempt:
        """The same with the candidates of an earlier attempt, which failed, before its own."""
        if earlier is None:
            return self
        picked = None if self.picked is None else self.picked + len(earlier.candidates)
        return replace(self, candidates=(*earlier.candidates, *self.candidates), picked=picked)

    def as_repair(self, image: Image) -> HandRepair:
        """The record for the report."""
        task = self.task
        depth = own_depth(task, self.control)
        common = task.id, task.observation, task.fit, task.full_mask(image), depth
        if self.winner is None:
            found = any(c.scores["found_again"] for c in self.candidates)
            why = "its joints came out elsewhere" if found else "not found again"
            reason = f"{why} after repainting: the original stays"
            return HandRepair(*common, "kept", reason, self.candidates)
        error = 100 * self.winner.scores["joint_error"]
        reason = f"repainted and found again, joints {error:.1f} % of hand size off the fitted mesh"
        return HandRepair(*common, "refined", reason, self.candidates, self.picked)


def attempt_hand(pixels: Pixels, task: HandTask, scene: Scene, studio: Studio) -> Attempt:
    """Paint ``settings.candidates`` versions and pick the one whose joints come out nearest to the mesh.

    When the first reading of the hand does not survive a second look, others are tried (``other_readings``).
    """
    before = _look(pixels, [task], studio)
    control = scene.control([task])
    tried: list[tuple[Candidate, HandTask, DepthControl]] = []
    for seed in studio.seeds:
        (candidate,) = _paint(pixels, [task], control, scene, seed, studio, before)
        tried.append((candidate, task, control))
    if studio.settings.hands is None and min(c.scores["joint_error"] for c, *_ in tried) > DOUBTFUL:
        for other in other_readings(pixels, task, studio.settings.mask):
            theirs = scene.control([other])
            (candidate,) = _paint(pixels, [other], theirs, scene, studio.settings.seed, studio, before)
            tried.append((candidate, other, theirs))
    ranked = sorted((c.scores["joint_error"], k) for k, (c, *_) in enumerate(tried) if c.accepted)
    picked = ranked[0][1] if ranked else None
    return Attempt(tuple(c for c, *_ in tried), picked, *tried[picked or 0][1:])


def attempt_together(
    pixels: Pixels, tasks: Sequence[HandTask], scene: Scene, studio: Studio
) -> list[Attempt]:
    """Paint hands that meet in one go; a candidate is accepted only when every hand of it passes.

    Args:
        pixels: The picture as painted so far.
        tasks: The hands, the farthest first.
        scene: All hands of the picture.
        studio: What attempts share.

    Returns:
        One per hand, in the order of ``tasks``; all of them or none of them have a winner, of one painting.
    """
    before = _look(pixels, tasks, studio)
    control = scene.control(tasks)
    tried = [_paint(pixels, tasks, control, scene, seed, studio, before) for seed in studio.seeds]
    ranked = sorted(
        (sum(c.scores["joint_error"] for c in hands), k)
        for k, hands in enumerate(tried)
        if all(c.accepted for c in hands)
    )
    picked = ranked[0][1] if ranked else None
    return [
        Attempt(tuple(hands[index] for hands in tried), picked, task, control)
        for index, task in enumerate(tasks)
    ]


def _paint(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    control: DepthControl,
    scene: Scene,
    seed: int,
    studio: Studio,
    before: Sequence[tuple[bool, float]],
) -> list[Candidate]:
    """Paint one version of the hands and look at each of them; each gets its own share of the patch."""
    job = scene.job(pixels, tasks, control, seed)
    with studio.watch("paint"):
        painted = studio.painter.paint(job)
        patch, inside = lay_back(job, painted)
    x0, y0, x1, y1 = job.window
    trial = pixels.copy()
    trial[y0:y1, x0:x1] = patch
    there = [
        replace(task, observation=replace(task.observation, landmarks_px=task.fit.landmarks_px))
        for task in tasks
    ]
    seen = _look(trial, there, studio)
    shares = [inside[job.place(task)] & task.may_change for task in tasks]
    passed = all(
        found and error < _WORST_ERROR and bool(share.any())
        for (found, error), share in zip(seen, shares, strict=True)
    )
    candidates: list[Candidate] = []
    for task, share, now, then in zip(tasks, shares, seen, before, strict=True):
        own = trial[task.window[1] : task.window[3], task.window[0] : task.window[2]]
        old = pixels[task.window[1] : task.window[3], task.window[0] : task.window[2]]
        scores = {
            "found_again": float(now[0]),
            "joint_error": now[1],
            "found_before": float(then[0]),
            "joint_error_before": then[1],
            "painted_share": float(share.mean()),
        }
        own = np.where(share[..., None], own, old)
        strength, strip = painted.strength, painted.strip
        candidates.append(Candidate(seed, own, share, task.window[:2], scores, passed, strength, strip))
    return candidates


def _look(pixels: Pixels, tasks: Sequence[HandTask], studio: Studio) -> list[tuple[bool, float]]:
    """Per hand, whether it is found again and its joint error."""
    with studio.watch("check"):
        return [joint_error(pixels, task.observation, task.fit, studio.landmarker) for task in tasks]
