"""Attempts at hands: paint candidates, judge each, rank those that may replace the original."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from handwright.hand.defects import Defect
from handwright.handrefiner.strength import Strength
from handwright.refine.acceptance import best_rejected, order
from handwright.refine.candidates import (
    JudgedCandidate,
    Pixels,
    RefineContext,
    paint,
    paint_in_sizes,
    score_originals,
)
from handwright.refine.hand_task import HandTask
from handwright.refine.painting import expect_tries
from handwright.refine.pose_hypotheses import other_hypotheses, palm_only, without_surplus_finger
from handwright.refine.result import SIZES, Candidate, HandRepair
from handwright.refine.scene import Scene, own_depth
from handwright.review.critic.prediction import CriticPrediction
from handwright.types import DepthControl, Image


@dataclass(frozen=True, kw_only=True)
class AttemptParams:
    """When a hand is painted again, and from other pose hypotheses; chosen by eye."""

    # Paintings of the first hypothesis, by a painter whose seeds give other hands, before another is tried
    first_paintings: int = 3
    # Joint error, in hand sizes, that no candidate of the first hypothesis stays below
    max_joint_error: float = 0.06
    min_detached: float = 0.5  # P(malformed) of a hand whose likeliest defect is that it has come off its arm


PARAMS = AttemptParams()


@dataclass(frozen=True, eq=False)
class Attempt:
    """Candidates of one hand."""

    judged: tuple[JudgedCandidate, ...]  # All of them, in the order they were painted
    ranked: tuple[int, ...]  # Indices of those that may replace the original, best first
    # Ids of the hands that were painted in one go with it; they win or lose together
    mates: frozenset[int] = field(default=frozenset())

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates."""
        return tuple(one.candidate for one in self.judged)

    @property
    def picked(self) -> int | None:
        """Index of the candidate to paste, or None."""
        return self.ranked[0] if self.ranked else None

    @property
    def best(self) -> JudgedCandidate:
        """What is pasted; the first candidate where nothing is."""
        return self.judged[self.picked or 0]

    @property
    def winner(self) -> Candidate | None:
        """The candidate to paste."""
        return None if self.picked is None else self.best.candidate

    @property
    def task(self) -> HandTask:
        """The hand, by the pose hypothesis that ``best`` was painted from."""
        return self.best.task

    @property
    def control(self) -> DepthControl:
        """The depth control image that it was painted by."""
        return self.best.control

    def after(self, earlier: Attempt | None) -> Attempt:
        """The same with the candidates of an earlier attempt, which failed, before its own."""
        if earlier is None:
            return self
        ranked = tuple(index + len(earlier.judged) for index in self.ranked)
        return replace(self, judged=(*earlier.judged, *self.judged), ranked=ranked)

    def without_winner(self, why: str) -> Attempt:
        """The same with the candidate to paste rejected, and the next best in its place."""
        judged, picked = list(self.judged), self.ranked[0]
        rejected = replace(judged[picked].candidate, accepted=False, rejection_reasons=(why,))
        judged[picked] = replace(judged[picked], candidate=rejected)
        return replace(self, judged=tuple(judged), ranked=self.ranked[1:])

    def as_repair(
        self, image: Image, before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None
    ) -> HandRepair:
        """The record for the report."""
        task, candidates = self.task, self.candidates
        nearest = best_rejected(candidates) if self.winner is None else None
        return HandRepair(
            id=task.id,
            observation=task.observation,
            fit=task.fit,
            mask=task.full_mask(image),
            depth=own_depth(task, self.control),
            action="kept" if self.winner is None else "refined",
            reason=_lost(candidates, nearest) if self.winner is None else _won(self.winner),
            candidates=candidates,
            picked=self.picked,
            best_rejected=nearest,
            review_before=before,
            review_after=after,
        )


def attempt_hand(pixels: Pixels, task: HandTask, scene: Scene, context: RefineContext) -> Attempt:
    """Paint the candidates of one hand within its time budget, the most plausible pose first.

    A hand with one finger too many is looked at without that finger before all else
    (``without_surplus_finger``). Where no candidate of the first pose hypothesis may replace the original, a
    painter whose seeds give other hands paints it again. Where none of these may either, or their joints came
    out doubtful, other hypotheses are tried (``other_hypotheses``): those of the detected side, and where
    nothing may replace the original yet, those of the other side, unless the hand's own side is plain; then
    the palm alone, of a hand that the user named: that gives up what its fingers do.
    """
    settings, may_go_on = context.settings, _budget(context.settings.budget_s)
    (original,) = score_originals(pixels, [task], context)
    judged: list[JudgedCandidate] = []
    expect_tries(pixels, [[task]], scene, context)

    def try_hand(hand: HandTask, seed: int, strength: Strength | str | None) -> None:
        if not judged or may_go_on():
            for one in paint_in_sizes(pixels, hand, scene, seed, strength, context, original):
                judged.append(one)
                if not may_go_on():
                    break

    def nothing_accepted() -> bool:
        return not any(one.candidate.accepted for one in judged)

    prediction = context.prediction(task)
    if settings.any_size:
        (seed, strength), landmarker = settings.tries[0], context.judge.landmarker
        cleared = without_surplus_finger(pixels, task, prediction, landmarker, seed)
        if cleared is not None:
            try_hand(cleared, seed, strength)
    for seed, strength in settings.tries if nothing_accepted() else settings.tries[1:]:
        try_hand(task, seed, strength)
    if context.painter.varied:
        for seed, strength in settings.first_tries(PARAMS.first_paintings)[settings.candidates :]:
            if nothing_accepted():
                try_hand(task, seed, strength)
    if settings.hands is None and (_doubtful(judged) or _off_its_arm(prediction)) and may_go_on():
        (seed, strength), side = settings.tries[0], task.observation.side
        hypotheses = other_hypotheses(pixels, task, settings.mask, prediction, seed)
        for other in hypotheses:
            if other.observation.side == side:
                try_hand(other, seed, strength)
        for other in hypotheses:
            if other.observation.side != side and original.side != side and nothing_accepted():
                try_hand(other, seed, strength)
        if original.hands_named and nothing_accepted() and may_go_on():
            try_hand(palm_only(pixels, task, settings.mask), seed, strength)
    joined = [one.task.underlay is not None for one in judged]
    return Attempt(tuple(judged), _ranked([[one.candidate] for one in judged], joined))


def attempt_together(
    pixels: Pixels, tasks: Sequence[HandTask], scene: Scene, context: RefineContext
) -> list[Attempt]:
    """Paint hands that meet in one go; a candidate is accepted only where every hand of it is.

    Returns:
        One per hand, in the order of ``tasks``; all of them or none of them have a winner, of one painting.
    """
    may_go_on = _budget(context.settings.budget_s * len(tasks))
    originals = score_originals(pixels, tasks, context)
    tried: list[list[JudgedCandidate]] = []
    expect_tries(pixels, [tasks], scene, context)
    for seed, strength in context.settings.tries:
        if tried and not may_go_on():
            break
        tried.append(paint(pixels, tasks, scene, seed, strength, context, originals))
    ranked = _ranked([[one.candidate for one in hands] for hands in tried], [False] * len(tried))
    ids = frozenset(task.id for task in tasks)
    return [
        Attempt(tuple(hands[index] for hands in tried), ranked, ids - {task.id})
        for index, task in enumerate(tasks)
    ]


def _budget(seconds: float) -> Callable[[], bool]:
    """A function that tests whether there is time left: always, where ``seconds`` is 0."""
    end = time.perf_counter() + seconds
    return lambda: seconds == 0 or time.perf_counter() < end


def _ranked(paintings: Sequence[Sequence[Candidate]], joined: Sequence[bool]) -> tuple[int, ...]:
    """Indices of the paintings all of whose hands are accepted, best first.

    A hand that had come off its arm is joined to it before anything else counts; of what is as likely
    malformed the smallest repair is best.
    """
    keys = dict[int, tuple[float, ...]]()
    for index, hands in enumerate(paintings):
        if all(candidate.accepted for candidate in hands):
            malformed, *others = order([candidate.scores for candidate in hands])
            size = max(SIZES.index(candidate.size) for candidate in hands)
            keys[index] = (not joined[index], malformed, size, *others, index)
    return tuple(sorted(keys, key=lambda index: keys[index]))


def _doubtful(judged: Sequence[JudgedCandidate]) -> bool:
    """Whether no candidate is accepted, or each with doubtful joints, or each though the critic fails it."""
    errors = [one.candidate.scores["joint_error"] for one in judged]
    won = [one.candidate for one in judged if one.candidate.accepted]
    return min(errors) > PARAMS.max_joint_error or all(one.scores.get("called_malformed", 0.0) for one in won)


def _off_its_arm(prediction: CriticPrediction | None) -> bool:
    """Whether the hand has probably come off its arm, which no painting of the hand alone mends."""
    return (
        prediction is not None
        and not prediction.not_assessable
        and prediction.likeliest_defect == Defect.DETACHED
        and prediction.malformed >= PARAMS.min_detached
    )


def _won(winner: Candidate) -> str:
    scores = winner.scores
    critic = ""
    if "malformed" in scores:
        was = f" (was {scores['malformed_before']:.2f})" if "malformed_before" in scores else ""
        critic = f", probability of being malformed {scores['malformed']:.2f}{was}"
    error = 100 * scores["joint_error"]
    worse = f", probability of looking worse {scores['worse']:.2f}" if "worse" in scores else ""
    return f"repainted and found again, joints {error:.1f} % of hand size off the fitted mesh{critic}{worse}"


def _lost(candidates: Sequence[Candidate], nearest: int | None) -> str:
    why = "nothing could be painted" if nearest is None else "; ".join(candidates[nearest].rejection_reasons)
    which = f"none of {len(candidates)} candidates beats it; of the best: " if len(candidates) > 1 else ""
    return f"{which}{why}: the original stays"
