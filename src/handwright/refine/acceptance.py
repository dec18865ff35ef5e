"""When a candidate beats the original: three scores, each held against the original's own.

(a) *Critic*, where there is one and it can assess the hand: a candidate that it calls malformed is refused,
    and so is one that it can no longer assess. Where it failed the original the candidate must be at most
    half as likely to be malformed, and so little that it would pass the review: a good hand that was called
    wrong is not traded for a doubtful one. Where it did not, at most ``AS_SOUND`` likelier.
(b) *Geometry*: the hand is found again with its joints on the mesh, at most ``AS_EXACT`` (and never
    ``WORST_ERROR``) farther off than the original's own; no check of the list fails it, it is a hand of the
    side that its arm has, and not more than ``MOST_LOST`` of the old hand is gone.
(c) *Fit to the picture*: no aspect beyond its limit (``measure_picture_fit``). The original fits by being there.

A hand that the user named is attempted whatever the critic says: there a candidate need not come as near in
(a) to an original that did not fail it, and where it did, the odds that it is malformed must fall to
``ASKED``, whatever it is still called; all else holds.
Of those that beat the original the one is taken that is least likely malformed (in steps of .05), then whose
joints are nearest to the mesh (in steps of 1 % of hand size), then which fits its picture best, then the
first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from handwright.refine.compositing.picture_fit import PictureFit
from handwright.refine.result import Candidate
from handwright.review.critic.fusion import PARAMS as FUSION
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Side

HALF = 0.5
"""P(malformed) of a mended hand over that of an original that the critic failed, at most."""

ASKED = 0.6
"""The same of a hand that the user asked for, and of odds: the critic doubts some drawn skin."""

AS_SOUND = 0.05
"""How much likelier malformed a candidate may be than an original that the critic did not fail."""

AS_EXACT, WORST_ERROR = 0.08, 0.15
"""Joint error as a fraction of hand size: how much worse than the original's, and the worst of all."""

MOST_LOST = 0.13
"""Share of the old hand that may be gone; of 16 hands read rightly at most .04 went, of one misread .16."""

_STEPS = (0.05, 0.01)

_STANDS_OUT = {
    "sharpness": "it is not as sharp as the picture",
    "grain": "its grain is not the picture's",
    "colour": "its colour is not the picture's",
    "seam": "it shows a seam",
}


@dataclass(frozen=True)
class CriticScore:
    """What the critic says of one version of a hand.

    Attributes:
        malformed: Calibrated P(malformed).
        failed: Whether that, or the probability of one defect, reaches its limit.
        surplus: It shows flesh that no sound hand has.
        clear: All stays so far below its limit that the hand passes the review.
    """

    malformed: float
    failed: bool
    surplus: bool = False
    clear: bool = True

    @classmethod
    def of(cls, prediction: CriticPrediction) -> CriticScore | None:
        """The opinion; None of a hand that the critic cannot assess."""
        if prediction.not_assessable:
            return None
        return cls(
            prediction.malformed,
            prediction.threshold_ratio >= 1,
            prediction.has_surplus,
            prediction.threshold_ratio < FUSION.max_clear_ratio,
        )


@dataclass(frozen=True)
class OriginalScores:
    """The hand as it is.

    Attributes:
        found: It is found by a second look, too.
        joint_error: Of that look to the fitted mesh, as a fraction of hand size.
        region: Where the critic looks at it and at its candidates.
        critic: What the critic says; None where there is none or it cannot assess the hand.
        critic_failed: The critic failed it in the review, or does now.
        arm: Side of the arm that it ends, where that is plain.
        hands_named: The user named this hand.
    """

    found: bool
    joint_error: float
    region: OrientedSquare
    critic: CriticScore | None = None
    critic_failed: bool = False
    arm: Side | None = None
    hands_named: bool = False


@dataclass(frozen=True)
class CandidateScores:
    """A candidate's three scores.

    Attributes:
        found: It is found again.
        joint_error: As of ``OriginalScores``.
        side: Of the hand that was painted.
        fit: Into its picture.
        critic: As of ``OriginalScores``.
        failed_checks: Reasons of the checks of geometry that fail.
        lost: Share of the old hand that is gone; 0 where the user brought another pose.
        painted: Any pixel was painted.
    """

    found: bool
    joint_error: float
    side: Side
    fit: PictureFit
    critic: CriticScore | None = None
    failed_checks: Sequence[str] = field(default=())
    lost: float = 0.0
    painted: bool = True


def rejection_reasons(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    """Why a candidate may not replace the original, worst first, in words; empty: it may."""
    if not candidate.painted:
        return ("nothing could be painted",)
    return (*_of_critic(original, candidate), *_of_geometry(original, candidate), *_of_fit(candidate.fit))


def _of_critic(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    was, now = original.critic, candidate.critic
    if now is None:
        return ("the critic cannot assess it any more",) if was is not None else ()
    if now.surplus:
        return ("flesh that no sound hand has is left over",)
    told = "" if was is None else f"({was.malformed:.2f} → {now.malformed:.2f})"
    if original.hands_named and original.critic_failed and was is not None:
        return () if _odds(now) <= ASKED * _odds(was) else (f"the critic likes it hardly better {told}",)
    if now.failed:
        return (f"the critic calls it malformed ({now.malformed:.2f})",)
    if was is None:
        return ()
    if original.critic_failed:
        if now.malformed > HALF * was.malformed:
            return (f"the critic likes it hardly better {told}",)
        return () if now.clear else (f"the critic is not sure that it is sound {told}",)
    if not original.hands_named and now.malformed > was.malformed + AS_SOUND:
        return (f"the critic likes it less than the original {told}",)
    return ()


def _odds(score: CriticScore) -> float:
    return score.malformed / max(1 - score.malformed, 1e-9)


def _of_geometry(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    if not candidate.found:
        return ("not found again after repainting",)
    found: list[str] = []
    error = candidate.joint_error
    if error >= WORST_ERROR or (original.found and error > original.joint_error + AS_EXACT):
        found.append(f"its joints came out elsewhere ({100 * error:.0f} % of hand size)")
    found += [reason[:1].lower() + reason[1:].rstrip(".") for reason in candidate.failed_checks]
    if original.arm is not None and candidate.side != original.arm:
        found.append(f"it is a {candidate.side} hand on a {original.arm} arm")
    if candidate.lost > MOST_LOST:
        found.append(f"{100 * candidate.lost:.0f} % of the old hand would be gone")
    return tuple(found)


def _of_fit(fit: PictureFit) -> tuple[str, ...]:
    return tuple(
        f"{_STANDS_OUT[name]} ({aspect.value:.1f}, allowed {aspect.limit:.1f})"
        for name, aspect in fit.aspects.items()
        if aspect.share > 1
    )


def scores_as_dict(original: OriginalScores, candidate: CandidateScores) -> dict[str, float]:
    """Every number that decides, by name, for the report; those of a critic only where it said something."""
    scores = {
        "found_again": float(candidate.found),
        "joint_error": candidate.joint_error,
        "found_before": float(original.found),
        "joint_error_before": original.joint_error,
        "failed_checks": float(len(candidate.failed_checks)),
        "lost": candidate.lost,
        **{f"fit_{name}": aspect.value for name, aspect in candidate.fit.aspects.items()},
        "fit_share": candidate.fit.share,
    }
    if candidate.critic is not None:
        scores["malformed"] = candidate.critic.malformed
        scores["called_malformed"] = float(candidate.critic.failed)
    if original.critic is not None:
        scores["malformed_before"] = original.critic.malformed
    return scores


def order(scores: Sequence[Mapping[str, float]]) -> tuple[float, float, float]:
    """Sort key of a painting by the scores of each of its hands; the least is the best.

    What the critic says nothing of ranks with what it is sure to be malformed.
    """
    malformed, error = (
        sum(round(hand.get(name, 1.0) / step) for hand in scores)
        for name, step in zip(("malformed", "joint_error"), _STEPS, strict=True)
    )
    return malformed, error, max(hand["fit_share"] for hand in scores)


def best_rejected(candidates: Sequence[Candidate]) -> int | None:
    """Index of the refused candidate with the fewest objections; of several the best by ``order``."""
    rejected = [
        (len(c.rejection_reasons), order([c.scores]), k) for k, c in enumerate(candidates) if not c.accepted
    ]
    return min(rejected)[2] if rejected else None
