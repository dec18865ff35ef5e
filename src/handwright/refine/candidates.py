"""Candidates: paint one version of some hands, and hold it against the hands as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handwright.hand.skeleton import distal_of_wrist
from handwright.handrefiner.strength import Strength, choose_strength
from handwright.perception.analysis import HandAnalysis
from handwright.refine.acceptance import Opinion, Original, Version, objections, scores_of
from handwright.refine.compositing.picture_fit import fit_to_picture, lost_share
from handwright.refine.hand_task import HandTask
from handwright.refine.painting import Painting, Pixels, Studio, laid_under, look_at, paint_once
from handwright.refine.redetection import failed_checks
from handwright.refine.result import Candidate
from handwright.refine.scene import Scene
from handwright.review.checklist import HandReview
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.threads import both
from handwright.types import DepthControl, Side

_OTHER_REFUSED = "another hand of the same painting was refused"


@dataclass(frozen=True, eq=False)
class Made:
    """One candidate of one hand and what it was made from.

    Attributes:
        candidate: The patch and its scores.
        task: The reading of the hand that it was painted from.
        control: The depth control image that it was painted by.
        analysis: The painted hand as it is redetected, or None.
    """

    candidate: Candidate
    task: HandTask
    control: DepthControl
    analysis: HandAnalysis | None


def originals_of(pixels: Pixels, tasks: Sequence[HandTask], studio: Studio) -> list[Original]:
    """The hands as they are, in everything that candidates are held against."""
    looks = look_at(pixels, tasks, studio)
    regions = [OrientedSquare.of(task.fit.landmarks_px) for task in tasks]
    opinions = _opinions(pixels, regions, studio)
    found: list[Original] = []
    for task, look, region, critic in zip(tasks, looks, regions, opinions, strict=True):
        review = studio.reviews.get(task.id)
        failed = (critic is not None and critic.failed) or (review is not None and _failed_by_critic(review))
        arm = None if review is None else _plain_arm(review)
        asked_for = studio.settings.asked_for
        found.append(
            Original(look.analysis is not None, look.joint_error, region, critic, failed, arm, asked_for)
        )
    return found


def paint(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    scene: Scene,
    seed: int,
    strength: Strength | str | None,
    studio: Studio,
    originals: Sequence[Original],
) -> list[Made]:
    """Paint one version of the hands and judge each of them; each gets its own share of the patch.

    Args:
        pixels: The picture as painted so far.
        tasks: The hands, the farthest first.
        scene: All hands of the picture.
        seed: Of this version.
        strength: Of this version, for painters that have one: a number or the name of a strategy.
        studio: What attempts share.
        originals: From ``originals_of``, in the order of ``tasks``.
    """
    decision = choose_strength(strength, lambda s: paint_once(pixels, tasks, scene, seed, s, studio))
    painting = decision.picked
    places = [
        original.region if task.underlay is None else OrientedSquare.of(task.fit.landmarks_px)
        for task, original in zip(tasks, originals, strict=True)
    ]
    opinions = _opinions(painting.pixels, places, studio)
    versions = [
        _version(pixels, painting, k, task, critic, scene, studio)
        for k, (task, critic) in enumerate(zip(tasks, opinions, strict=True))
    ]
    against = [objections(*both) for both in zip(originals, versions, strict=True)]
    made: list[Made] = []
    for task, share, look, original, version, refused in zip(
        tasks, painting.shares, painting.looks, originals, versions, against, strict=True
    ):
        candidate = Candidate(
            seed,
            np.where(share[..., None], task.cut(painting.pixels), task.cut(pixels)),
            share,
            task.window[:2],
            scores_of(original, version) | {"painted_share": float(share.mean())},
            not any(against),
            painting.strength,
            painting.strip,
            task.reading,
            refused or ((_OTHER_REFUSED,) if any(against) else ()),
            decision.choice if painting.strength is not None else None,
        )
        made.append(Made(candidate, task, painting.control, look.analysis))
    return made


def _version(
    pixels: Pixels,
    painting: Painting,
    which: int,
    task: HandTask,
    critic: Opinion | None,
    scene: Scene,
    studio: Studio,
) -> Version:
    """The three scores of one painted hand, number ``which`` of the painting."""
    x0, y0, x1, y1 = task.window
    look, share = painting.looks[which], painting.shares[which]
    drawn = painting.control.hand_id[y0:y1, x0:x1] == task.id - 1
    arm = ~distal_of_wrist(task.fit.landmarks_px - np.array([x0, y0]), y1 - y0, x1 - x0, 0.0)
    old = task.region.inside
    brought = studio.settings.hands is not None or studio.settings.hand_pose is not None
    others = [other.observation for other in scene.tasks if other.id != task.id]
    with studio.watch("check"):
        before = laid_under(pixels, [task])
        seen = task.cut(before), task.cut(painting.pixels), share, old, drawn | (old & arm)
        fit, failed = both(
            lambda: fit_to_picture(*seen, task.observation.size_px),
            lambda: failed_checks(look.analysis, others) if look.analysis is not None else (),
        )
        meant = old if task.surplus is None else old & ~task.surplus
        kept = (*seen[:3], meant, seen[4])
        lost = 0.0 if brought else lost_share(*kept, task.observation.size_px)
    painted, found = bool(share.any()), look.analysis is not None
    return Version(found, look.joint_error, task.observation.side, fit, critic, failed, lost, painted)


def _opinions(pixels: Pixels, regions: Sequence[OrientedSquare], studio: Studio) -> list[Opinion | None]:
    """What the critic says of each region; None where it cannot assess it, or where there is no critic."""
    if studio.judge.critic is None:
        return [None] * len(regions)
    with studio.watch("check"):
        return [Opinion.of(prediction) for prediction in studio.judge.critic.judge(pixels, regions)]


def _failed_by_critic(review: HandReview) -> bool:
    said = None if review.prediction is None else Opinion.of(review.prediction)
    return said is not None and said.failed


def _plain_arm(review: HandReview) -> Side | None:
    """Side of the hand's arm where the review is sure of it."""
    check = review.checks["left_right"]
    return check.value.get("arm") if check.verdict in ("pass", "fail") else None
