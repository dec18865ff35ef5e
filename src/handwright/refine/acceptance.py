"""When a candidate may replace the original: three scores, each compared with the original's own.

(a) *Critic*, where there is one and it can assess the hand: a candidate that it predicts malformed is
    rejected, and so is one that it can no longer assess. Where it failed the original the candidate must be
    at most ``malformed_ratio`` as likely malformed, and so little that it would pass the review: a good hand
    that was predicted malformed is not replaced by a doubtful one. Where it did not, at most
    ``malformed_slack`` likelier.
(b) *Geometry*: the hand is redetected with its joints on the mesh, at most ``joint_error_slack`` (and never
    ``worst_joint_error``) farther off than the original's own; no check of the list fails it, it is a hand of
    the side that its arm has, and of the original's where that is plain, and not more than ``most_lost`` of
    the old hand is gone, and no ring, painted nail or held thing (``lost_things_area``).
(c) *Picture fit*: no aspect beyond its limit (``measure_picture_fit``); the original fits by being there.
(d) *Look*, unless the user pointed the hand out, or asked for every hand and a finger too many alone goes:
    the probability that viewers find it worse than the original is at most ``most_worse``,
    ``most_worse_of_fingers`` or ``most_worse_of_all`` (``review.critic.comparison``).

A hand that the user named, alone or with all others, is attempted whatever the critic predicts: there a
candidate need not come as near in (a) to an original that did not fail it, and where it did, the odds that it
is malformed must fall to ``malformed_odds_ratio_named``, whatever is still predicted; all else holds.
Of those that may replace the original the one is taken that is least likely malformed (in steps of .05), then
whose joints are nearest to the mesh (in steps of 1 % of hand size), then which fits its picture best, then
the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from handwright.refine.compositing.picture_fit import PictureFit
from handwright.refine.result import FINGER_SIZES, Candidate
from handwright.review.critic.fusion import PARAMS as FUSION
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Side


@dataclass(frozen=True, kw_only=True)
class AcceptanceParams:
    """Limits of the rules by which a candidate may replace the original."""

    # P(malformed) of a candidate over that of an original that the critic failed, at most; chosen by eye
    malformed_ratio: float = 0.5
    # The same of odds, for a hand that the user named: the critic doubts some drawn skin; chosen by eye
    malformed_odds_ratio_named: float = 0.6
    # How much likelier malformed a candidate may be than an original that the critic did not fail; chosen by
    # eye
    malformed_slack: float = 0.05
    # Probability that viewers find a candidate worse than the original, at most: of 175 repaints that were
    # judged blind and nothing else refuses 42 are better; of the 5.2 below it 4.2, and none is worse to
    # both viewers (means of five deals; docs/research/repaint_pairs.md)
    most_worse: float = 0.25
    # The same where some fingers alone are painted, of which viewers find fewer worse: of 67 such repairs of
    # photographs 20 lie below it, 19 of them better; of 44 of sound hands none
    # (docs/research/drawn-hand.md)
    most_worse_of_fingers: float = 0.5
    # The same where the user asked for every hand: of the 175 repaints 12.6 lie below it, 8.8 of them better
    # and 1.6 worse (docs/research/repaint_pairs.md)
    most_worse_of_all: float = 0.4
    # How much larger than the original's its joint error may be, in hand sizes; chosen by eye
    joint_error_slack: float = 0.08
    # Joint error from which a candidate is rejected, in hand sizes; chosen by eye
    worst_joint_error: float = 0.15
    # Share of the old hand that may be gone: of 16 hands interpreted rightly at most .04 went, of one
    # interpreted wrongly .16
    most_lost: float = 0.13
    # Differences of P(malformed) below this do not rank candidates; chosen by eye
    malformed_step: float = 0.05
    # Differences of joint error below this do not rank candidates, in hand sizes; chosen by eye
    joint_error_step: float = 0.01


PARAMS = AcceptanceParams()  # The limits that ship

_STANDS_OUT = {
    "sharpness": "it is not as sharp as the picture",
    "grain": "its grain is not the picture's",
    "colour": "its colour is not the picture's",
    "seam": "it shows a seam",
}


@dataclass(frozen=True)
class CriticScore:
    """The critic's prediction for a hand, reduced to what acceptance needs."""

    malformed: float  # Calibrated P(malformed)
    failed: bool  # Whether that, or the probability of one defect, reaches its limit
    surplus: bool = False  # It shows skin that no regular hand has
    clear: bool = True  # All stays so far below its limit that the hand passes the review

    @classmethod
    def of(cls, prediction: CriticPrediction) -> CriticScore | None:
        """The score of a prediction; None for a hand that the critic cannot assess."""
        if prediction.not_assessable:
            return None
        return cls(
            prediction.malformed,
            prediction.threshold_ratio >= 1,
            prediction.has_surplus,
            prediction.threshold_ratio < FUSION.max_clear_ratio,
        )


@dataclass(frozen=True, kw_only=True)
class OriginalScores:
    """The hand as it is."""

    found: bool  # It is redetected
    joint_error: float  # Of the redetected to the fitted joints, as a fraction of hand size
    region: OrientedSquare  # The square that the critic is given, of it and of its candidates
    # The critic's score; None where there is none or it cannot assess the hand
    critic: CriticScore | None = None
    critic_failed: bool = False  # The critic failed it in the review, or does now
    arm: Side | None = None  # Side of the arm that it ends, where that is plain
    side: Side | None = None  # Its own side, where that is plain
    hands_named: bool = False  # The user named this hand, alone or with all others
    pointed_out: bool = False  # The user pointed out this hand alone


@dataclass(frozen=True, kw_only=True)
class CandidateScores:
    """A candidate's three scores."""

    found: bool  # It is found again
    joint_error: float  # As of ``OriginalScores``
    side: Side  # Of the hand that was painted
    fit: PictureFit  # Into its picture
    critic: CriticScore | None = None  # As of ``OriginalScores``
    failed_checks: Sequence[str] = field(default=())  # Reasons of the checks of geometry that fail
    lost: float = 0.0  # Share of the old hand that is gone; 0 where the user brought another pose
    lost_things: float = 0.0  # Area of the things on and in it that are gone, in squared hand sizes
    worse: float | None = None  # Probability that viewers find it worse than the original; None: not known
    painted: bool = True  # Any pixel was painted
    size: str = "hand"  # How much of the hand was painted, one of ``result.SIZES``


def rejection_reasons(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    """Why a candidate may not replace the original, worst first, in words; empty: it may."""
    if not candidate.painted:
        return ("nothing could be painted",)
    return (
        *_of_critic(original, candidate),
        *_of_geometry(original, candidate),
        *_of_fit(candidate.fit),
        *_of_look(original, candidate),
    )


def _of_critic(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    was, now = original.critic, candidate.critic
    if now is None:
        return ("it cannot be assessed any more",) if was is not None else ()
    if now.surplus:
        return ("skin that no regular hand has is left over",)
    change = "" if was is None else f"({was.malformed:.2f} → {now.malformed:.2f})"
    if original.hands_named and original.critic_failed and was is not None:
        return (
            ()
            if _odds(now) <= PARAMS.malformed_odds_ratio_named * _odds(was)
            else (f"it is hardly less likely malformed {change}",)
        )
    if now.failed:
        return (f"it is predicted malformed ({now.malformed:.2f})",)
    if was is None:
        return ()
    if original.critic_failed:
        if now.malformed > PARAMS.malformed_ratio * was.malformed:
            return (f"it is hardly less likely malformed {change}",)
        return () if now.clear else (f"it is not clearly sound {change}",)
    if not original.hands_named and now.malformed > was.malformed + PARAMS.malformed_slack:
        return (f"it is likelier malformed than the original {change}",)
    return ()


def _odds(score: CriticScore) -> float:
    return score.malformed / max(1 - score.malformed, 1e-9)


def _of_geometry(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    if not candidate.found:
        return ("not found again after repainting",)
    found: list[str] = []
    error = candidate.joint_error
    if error >= PARAMS.worst_joint_error or (
        original.found and error > original.joint_error + PARAMS.joint_error_slack
    ):
        found.append(f"its joints came out elsewhere ({100 * error:.0f} % of hand size)")
    found += [reason[:1].lower() + reason[1:].rstrip(".") for reason in candidate.failed_checks]
    if original.arm is not None and candidate.side != original.arm:
        found.append(f"it is a {candidate.side} hand on a {original.arm} arm")
    elif original.side is not None and candidate.side != original.side:
        found.append(f"it is a {candidate.side} hand, palm for back, where a {original.side} hand was")
    if candidate.lost > PARAMS.most_lost:
        found.append(f"{100 * candidate.lost:.0f} % of the old hand would be gone")
    if candidate.lost_things > 0:
        found.append("a ring, a painted nail or a held thing would be gone")
    return tuple(found)


def _of_fit(fit: PictureFit) -> tuple[str, ...]:
    return tuple(
        f"{_STANDS_OUT[name]} ({aspect.value:.1f}, allowed {aspect.limit:.1f})"
        for name, aspect in fit.aspects.items()
        if aspect.share > 1
    )


def _of_look(original: OriginalScores, candidate: CandidateScores) -> tuple[str, ...]:
    # Of removed fingers 13 of 14 are better, whatever P(worse) is (docs/research/drawn-hand.md)
    unasked = original.pointed_out or (original.hands_named and candidate.size == "surplus")
    most = PARAMS.most_worse_of_all if original.hands_named else PARAMS.most_worse
    if candidate.size in FINGER_SIZES:
        most = max(most, PARAMS.most_worse_of_fingers)
    if unasked or candidate.worse is None or candidate.worse <= most:
        return ()
    how = "name the hand by its number to have it all the same"
    return (f"it would probably look worse ({candidate.worse:.2f}); {how}",)


def scores_as_dict(original: OriginalScores, candidate: CandidateScores) -> dict[str, float]:
    """Every number that decides, by name, for the report; the critic's only where it could assess it."""
    scores = {
        "found_again": float(candidate.found),
        "joint_error": candidate.joint_error,
        "found_before": float(original.found),
        "joint_error_before": original.joint_error,
        "failed_checks": float(len(candidate.failed_checks)),
        "lost": candidate.lost,
        "lost_things": candidate.lost_things,
        **{f"fit_{name}": aspect.value for name, aspect in candidate.fit.aspects.items()},
        "fit_share": candidate.fit.share,
    }
    if candidate.worse is not None:
        scores["worse"] = candidate.worse
    if candidate.critic is not None:
        scores["malformed"] = candidate.critic.malformed
        scores["called_malformed"] = float(candidate.critic.failed)
    if original.critic is not None:
        scores["malformed_before"] = original.critic.malformed
    return scores


def order(scores: Sequence[Mapping[str, float]]) -> tuple[float, float, float]:
    """Sort key of a painting by the scores of each of its hands; the least is the best.

    What the critic cannot assess ranks with what it is sure to be malformed.
    """
    malformed, error = (
        sum(round(hand.get(name, 1.0) / step) for hand in scores)
        for name, step in (
            ("malformed", PARAMS.malformed_step),
            ("joint_error", PARAMS.joint_error_step),
        )
    )
    return malformed, error, max(hand["fit_share"] for hand in scores)


def best_rejected(candidates: Sequence[Candidate]) -> int | None:
    """Index of the rejected candidate with the fewest rejection reasons; of several the best by ``order``."""
    rejected = [
        (len(c.rejection_reasons), order([c.scores]), k) for k, c in enumerate(candidates) if not c.accepted
    ]
    return min(rejected)[2] if rejected else None
