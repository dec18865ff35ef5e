"""Candidates: paint one version of some hands, and hold it against the hands as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.hand.skeleton import beyond_wrist
from handwright.handrefiner.beats import Opinion, Original, Version, objections, scores_of
from handwright.handrefiner.check import Look, failed_checks, look_again
from handwright.handrefiner.fit_to_picture import fit_to_picture, lost_share
from handwright.handrefiner.painters import Painter
from handwright.handrefiner.scene import Scene
from handwright.handrefiner.settings import RefineSettings
from handwright.handrefiner.stopwatch import Stopwatch
from handwright.handrefiner.task import HandTask
from handwright.handrefiner.way_back import lay_back
from handwright.review.checklist import HandReview
from handwright.review.critic import Region
from handwright.review.judge import Judge
from handwright.types import Candidate, DepthControl, HandObservation, Side

Pixels = UInt8[np.ndarray, "h w 3"]

_OTHER_REFUSED = "another hand of the same painting was refused"


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
class Made:
    """One candidate of one hand and what it was made from.

    Attributes:
        candidate: The patch and its scores.
        task: The reading of the hand that it was painted from.
        control: The depth control image that it was painted by.
        seen: The painted hand as a second look sees it, or None.
    """

    candidate: Candidate
    task: HandTask
    control: DepthControl
    seen: HandObservation | None


def originals_of(pixels: Pixels, tasks: Sequence[HandTask], studio: Studio) -> list[Original]:
    """The hands as they are, in everything that candidates are held against."""
    looks = _look(pixels, tasks, studio)
    regions = [Region.of(task.fit.landmarks_px) for task in tasks]
    opinions = _opinions(pixels, regions, studio)
    found: list[Original] = []
    for task, look, region, critic in zip(tasks, looks, regions, opinions, strict=True):
        review = studio.reviews.get(task.id)
        failed = (critic is not None and critic.failed) or (review is not None and _failed_by_critic(review))
        arm = None if review is None else _plain_arm(review)
        asked_for = studio.settings.asked_for
        found.append(
            Original(look.seen is not None, look.joint_error, region, critic, failed, arm, asked_for)
        )
    return found


def paint(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    scene: Scene,
    seed: int,
    strength: float | None,
    studio: Studio,
    originals: Sequence[Original],
) -> list[Made]:
    """Paint one version of the hands and judge each of them; each gets its own share of the patch.

    Args:
        pixels: The picture as painted so far.
        tasks: The hands, the farthest first.
        scene: All hands of the picture.
        seed: Of this version.
        strength: Of this version, for painters that have one.
        studio: What attempts share.
        originals: From ``originals_of``, in the order of ``tasks``.
    """
    control = scene.control(tasks)
    job = scene.job(pixels, tasks, control, seed, strength)
    with studio.watch("paint"):
        painted = studio.painter.paint(job)
        patch, inside = lay_back(job, painted)
    x0, y0, x1, y1 = job.window
    trial = pixels.copy()
    trial[y0:y1, x0:x1] = patch
    shares = [inside[job.place(task)] & task.may_change for task in tasks]
    there = [
        replace(task, observation=replace(task.observation, landmarks_px=task.fit.landmarks_px))
        for task in tasks
    ]
    looks = _look(trial, there, studio)
    opinions = _opinions(trial, [original.region for original in originals], studio)
    versions = [
        _version(pixels, trial, task, control, share, look, critic, scene, studio)
        for task, share, look, critic in zip(tasks, shares, looks, opinions, strict=True)
    ]
    against = [objections(*both) for both in zip(originals, versions, strict=True)]
    made: list[Made] = []
    for task, share, look, original, version, refused in zip(
        tasks, shares, looks, originals, versions, against, strict=True
    ):
        own = np.where(share[..., None], _cut(trial, task), _cut(pixels, task))
        scores = scores_of(original, version) | {"painted_share": float(share.mean())}
        refused = refused or ((_OTHER_REFUSED,) if any(against) else ())
        origin = task.window[:2]
        candidate = Candidate(seed, own, share, origin, scores, not refused, painted.strength, painted.strip)
        candidate = replace(candidate, reading=task.reading, refused=refused)
        made.append(Made(candidate, task, control, look.seen))
    return made


def _version(
    pixels: Pixels,
    trial: Pixels,
    task: HandTask,
    control: DepthControl,
    share: Bool[np.ndarray, "h w"],
    look: Look,
    critic: Opinion | None,
    scene: Scene,
    studio: Studio,
) -> Version:
    """The three scores of one painted hand."""
    x0, y0, x1, y1 = task.window
    drawn = control.hand_id[y0:y1, x0:x1] == task.id - 1
    arm = ~beyond_wrist(task.fit.landmarks_px - np.array([x0, y0]), y1 - y0, x1 - x0, 0.0)
    old = task.region.inside
    brought = studio.settings.hands is not None or studio.settings.hand_pose is not None
    with studio.watch("check"):
        seen = _cut(pixels, task), _cut(trial, task), share, old, drawn | (old & arm)
        fit = fit_to_picture(*seen, task.observation.size_px)
        meant = old if task.surplus is None else old & ~task.surplus
        kept = (*seen[:3], meant, seen[4])
        lost = 0.0 if brought else lost_share(*kept, task.observation.size_px)
        failed: Sequence[str] = ()
        if look.seen is not None:
            others = [other.observation for other in scene.tasks if other.id != task.id]
            failed = failed_checks(trial, look.seen, others)
    painted, found = bool(share.any()), look.seen is not None
    return Version(found, look.joint_error, task.observation.side, fit, critic, failed, lost, painted)


def _look(pixels: Pixels, tasks: Sequence[HandTask], studio: Studio) -> list[Look]:
    with studio.watch("check"):
        return [look_again(pixels, task.observation, task.fit, studio.judge.landmarker) for task in tasks]


def _opinions(pixels: Pixels, regions: Sequence[Region], studio: Studio) -> list[Opinion | None]:
    """What the critic says of each region; None where it cannot assess it, or where there is no critic."""
    if studio.judge.critic is None:
        return [None] * len(regions)
    with studio.watch("check"):
        return [Opinion.of(says) for says in studio.judge.critic.judge(pixels, regions)]


def _failed_by_critic(review: HandReview) -> bool:
    said = None if review.says is None else Opinion.of(review.says)
    return said is not None and said.failed


def _plain_arm(review: HandReview) -> Side | None:
    """Side of the hand's arm where the review is sure of it."""
    check = review.checks["left_right"]
    return check.value.get("arm") if check.verdict in ("pass", "fail") else None


def _cut(picture: Pixels, task: HandTask) -> Pixels:
    x0, y0, x1, y1 = task.window
    return np.ascontiguousarray(picture[y0:y1, x0:x1])
