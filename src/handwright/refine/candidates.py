"""Candidates: paint one version of some hands, and compare it with the hands as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from handwright.hand.skeleton import distal_of_wrist
from handwright.handrefiner.strength import Strength, StrengthChoice, choose_strength
from handwright.perception.analysis import HandAnalysis
from handwright.refine.acceptance import (
    CandidateScores,
    CriticScore,
    OriginalScores,
    rejection_reasons,
    scores_as_dict,
)
from handwright.refine.compositing.lost_things import lost_things_area
from handwright.refine.compositing.picture_fit import lost_share, measure_picture_fit
from handwright.refine.hand_task import HandTask
from handwright.refine.painting import (
    PaintTrial,
    Pixels,
    RefineContext,
    in_size,
    paint_trial,
    published_masks,
    redetect_hands,
    with_underlays,
)
from handwright.refine.redetection import failed_checks
from handwright.refine.repair_sizes import sized_tasks
from handwright.refine.result import Candidate
from handwright.refine.scene import Scene
from handwright.review.checklist import HandReview
from handwright.review.critic.comparison import Version, square_around
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.threads import both
from handwright.types import DepthControl, Side

_OTHER_REJECTED = "another hand of the same painting was rejected"


@dataclass(frozen=True, eq=False)
class JudgedCandidate:
    """One candidate of one hand and what it was made from."""

    candidate: Candidate  # The patch and its scores
    task: HandTask  # The hand, by the pose hypothesis that it was painted from
    control: DepthControl  # The depth control image that it was painted by
    analysis: HandAnalysis | None  # The painted hand as it is redetected, or None


def score_originals(
    pixels: Pixels, tasks: Sequence[HandTask], context: RefineContext
) -> list[OriginalScores]:
    """Measure the hands as they are in everything that candidates are compared with."""
    redetections = redetect_hands(pixels, tasks, context)
    regions = [OrientedSquare.of(task.fit.landmarks_px) for task in tasks]
    critic_scores = _critic_scores(pixels, regions, context)
    found: list[OriginalScores] = []
    for task, redetection, region, critic in zip(tasks, redetections, regions, critic_scores, strict=True):
        review = context.reviews.get(task.id)
        failed = (critic is not None and critic.failed) or (review is not None and _failed_by_critic(review))
        arm, side = (None, None) if review is None else (_plain_arm(review), _plain_side(review))
        found.append(
            OriginalScores(
                found=redetection.analysis is not None,
                joint_error=redetection.joint_error,
                region=region,
                critic=critic,
                critic_failed=failed,
                arm=arm,
                side=side,
                hands_named=context.settings.hands_named,
                pointed_out=context.settings.pointed_out,
            )
        )
    return found


def paint(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    scene: Scene,
    seed: int,
    strength: Strength | str | None,
    context: RefineContext,
    originals: Sequence[OriginalScores],
) -> list[JudgedCandidate]:
    """Paint one version of the hands and judge each of them; each gets its own share of the patch.

    Tasks come the farthest first, and ``originals`` in their order; ``pixels`` is the picture as painted so
    far.
    """
    tasks = published_masks(tasks, context.settings)
    decision = choose_strength(strength, lambda s: paint_trial(pixels, tasks, scene, seed, s, context))
    return _judged(pixels, tasks, decision.picked, scene, seed, decision.choice, context, originals)


def paint_in_sizes(
    pixels: Pixels,
    task: HandTask,
    scene: Scene,
    seed: int,
    strength: Strength | str | None,
    context: RefineContext,
    original: OriginalScores,
) -> Iterator[JudgedCandidate]:
    """Paint one version of a hand and judge the least share of it that may do, then more, then all of it.

    Nothing larger is judged once a share is accepted. No share is tried alone where the user decides what
    changes (mask, depth image, pose) or the mask is a box.
    """
    (task,) = published_masks([task], context.settings)
    decision = choose_strength(strength, lambda s: paint_trial(pixels, [task], scene, seed, s, context))
    in_part = context.settings.any_size and task.underlay is None
    for sized in (*(sized_tasks(pixels, task, context.prediction(task)) if in_part else ()), task):
        trial = decision.picked if sized is task else in_size(decision.picked, sized, scene, context)
        (judged,) = _judged(pixels, [sized], trial, scene, seed, decision.choice, context, [original])
        yield judged
        if judged.candidate.accepted:
            break


def _judged(
    pixels: Pixels,
    tasks: Sequence[HandTask],
    painting: PaintTrial,
    scene: Scene,
    seed: int,
    choice: StrengthChoice,
    context: RefineContext,
    originals: Sequence[OriginalScores],
) -> list[JudgedCandidate]:
    """Judge each hand of a painting."""
    places = [
        original.region if task.underlay is None else OrientedSquare.of(task.fit.landmarks_px)
        for task, original in zip(tasks, originals, strict=True)
    ]
    critic_scores = _critic_scores(painting.pixels, places, context)
    candidate_scores = [
        _score_candidate(pixels, painting, k, task, critic, scene, context)
        for k, (task, critic) in enumerate(zip(tasks, critic_scores, strict=True))
    ]
    candidate_scores = [
        _with_look(pixels, painting, k, task, original, scores, context)
        for k, (task, original, scores) in enumerate(zip(tasks, originals, candidate_scores, strict=True))
    ]
    rejections = [
        rejection_reasons(original, scores)
        for original, scores in zip(originals, candidate_scores, strict=True)
    ]
    judged: list[JudgedCandidate] = []
    for task, share, redetection, original, scores, reasons in zip(
        tasks, painting.shares, painting.redetections, originals, candidate_scores, rejections, strict=True
    ):
        candidate = Candidate(
            seed=seed,
            pixels=np.where(share[..., None], task.cut(painting.pixels), task.cut(pixels)),
            inside=share,
            origin_xy_px=task.window[:2],
            scores=scores_as_dict(original, scores) | {"painted_share": float(share.mean())},
            accepted=not any(rejections),
            strength=painting.strength,
            strip=painting.strip,
            pose_hypothesis=task.pose_hypothesis,
            size=task.size,
            rejection_reasons=reasons or ((_OTHER_REJECTED,) if any(rejections) else ()),
            strength_choice=choice if painting.strength is not None else None,
        )
        judged.append(JudgedCandidate(candidate, task, painting.control, redetection.analysis))
    return judged


def _score_candidate(
    pixels: Pixels,
    painting: PaintTrial,
    which: int,
    task: HandTask,
    critic: CriticScore | None,
    scene: Scene,
    context: RefineContext,
) -> CandidateScores:
    """Return the three scores of one painted hand, number ``which`` of the painting."""
    x0, y0, x1, y1 = task.window
    redetection, share = painting.redetections[which], painting.shares[which]
    drawn = painting.control.hand_id[y0:y1, x0:x1] == task.id - 1
    arm = ~distal_of_wrist(task.fit.landmarks_px - np.array([x0, y0]), y1 - y0, x1 - x0, 0.0)
    old = task.region.inside
    brought = context.settings.hands is not None or context.settings.hand_pose is not None
    others = [other.observation for other in scene.tasks if other.id != task.id]
    with context.watch("check"):
        before = with_underlays(pixels, [task])
        crops = task.cut(before), task.cut(painting.pixels), share
        new = drawn | (old & arm)
        fit, failed = both(
            lambda: measure_picture_fit(*crops, old, new, task.observation.size_px),
            lambda: failed_checks(redetection.analysis, others) if redetection.analysis is not None else (),
        )
        meant = old if task.surplus is None else old & ~task.surplus
        size = task.observation.size_px
        lost = 0.0 if brought else lost_share(*crops, meant, new, size)
        things = lost_things_area(*crops, replace(task.region, inside=meant), size)
    return CandidateScores(
        found=redetection.analysis is not None,
        joint_error=redetection.joint_error,
        side=task.observation.side,
        fit=fit,
        critic=critic,
        failed_checks=failed,
        lost=lost,
        lost_things=things,
        painted=bool(share.any()),
        size=task.size,
    )


def _with_look(
    pixels: Pixels,
    painting: PaintTrial,
    which: int,
    task: HandTask,
    original: OriginalScores,
    scores: CandidateScores,
    context: RefineContext,
) -> CandidateScores:
    """Add how it looks beside the original, where nothing else rejects it.

    Where the critic cannot assess a version, P(malformed) counts as one half.
    """
    compare = context.comparison
    if compare is None or context.judge.critic is None:
        return scores
    if rejection_reasons(original, scores):
        return scores
    share, corner = painting.shares[which], task.window[:2]
    points = task.observation.landmarks_px
    hand = OrientedSquare.of(points)
    square = square_around(points, share, corner, hand.toward_rad)
    was, now = (0.5 if critic is None else critic.malformed for critic in (original.critic, scores.critic))
    before, after = Version(pixels, was), Version(painting.pixels, now)
    with context.watch("check"):
        return replace(scores, worse=compare.worse(before, after, square, hand.size_px))


def _critic_scores(
    pixels: Pixels, regions: Sequence[OrientedSquare], context: RefineContext
) -> list[CriticScore | None]:
    """Return the critic's score of each square; None where it cannot assess it or is not installed."""
    if context.judge.critic is None:
        return [None] * len(regions)
    with context.watch("check"):
        return [CriticScore.of(prediction) for prediction in context.judge.critic.judge(pixels, regions)]


def _failed_by_critic(review: HandReview) -> bool:
    score = None if review.prediction is None else CriticScore.of(review.prediction)
    return score is not None and score.failed


def _plain_side(review: HandReview) -> Side | None:
    """Return the hand's own side where detector, critic and arm do not contradict each other."""
    check = review.checks["left_right"]
    return check.value.get("side") if check.verdict == "pass" else None


def _plain_arm(review: HandReview) -> Side | None:
    """Return the side of the hand's arm where the review is sure of it."""
    check = review.checks["left_right"]
    return check.value.get("arm") if check.verdict in ("pass", "fail") else None
