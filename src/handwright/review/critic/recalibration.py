"""The critic recalibrated to a user's labelled hands: the fit, its gain, and a critic that uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.errors import DataError, NotEnoughDataError
from handwright.review.calibration.calibration import (
    BUDGET,
    Calibration,
    Head,
    fit_platt,
    logit,
    sigmoid,
    thresholds_at,
)
from handwright.review.critic.prediction import MALFORMED, Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare

REPLACED_DIGEST = "made_for"
"""Key under which a recalibration holds the digest of the calibration that it replaces."""


@dataclass(frozen=True, kw_only=True)
class RecalibrationParams:
    """What a recalibration takes; counts of hands, chosen by eye."""

    min_hands: int = 20  # Fewest labelled hands that are fitted at all
    folds: int = 5  # Parts into which the pictures are dealt for cross-validation
    # No threshold is lower: a defect that never comes near one is not reported by a hair
    min_threshold: float = 0.05
    confidence: float = 0.95  # With which the budget of false alarms holds for hands to come
    # Good hands that this confidence takes at a budget of 2 % (Clopper–Pearson: the smallest n with .98ⁿ ≤
    # .05)
    certifying_hands: int = 149


PARAMS = RecalibrationParams()


class CalibratedCritic(Critic, Protocol):
    """A critic with a calibration that can be replaced."""

    @property
    def calibration(self) -> Calibration:
        """The calibration in use."""
        ...


@dataclass(frozen=True, eq=False)
class RecalibratedCritic:
    """A critic under a user's calibration; satisfies ``review.critic.prediction.Critic``."""

    critic: CalibratedCritic  # The critic
    calibration: Calibration  # Of its heads only 'malformed' and the defects are replaced

    def __post_init__(self) -> None:
        if self.calibration.about.get(REPLACED_DIGEST) != self.critic.calibration.digest:
            raise DataError(
                "the calibration was made for another critic",
                "",
                "make it again with handwright review --calibrate",
            )

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """The critic's predictions under the new calibration."""
        return [
            recalibrated(prediction, self.critic.calibration, self.calibration)
            for prediction in self.critic.judge(pixels, regions)
        ]


def recalibrated(prediction: CriticPrediction, old: Calibration, new: Calibration) -> CriticPrediction:
    """A prediction that was made under ``old``, with the probabilities and thresholds of ``new``."""

    def probability(name: str, value: float) -> float:
        return new.probability(name, old.raw_logit(name, value))

    return replace(
        prediction,
        malformed=probability(MALFORMED, prediction.malformed),
        defects={name: probability(name, value) for name, value in prediction.defects.items()},
        thresholds={name: new.thresholds[name] for name in prediction.thresholds},
    )


@dataclass(frozen=True, eq=False)
class LabelledHand:
    """A hand whose truth is known, with the critic's prediction."""

    picture: str  # Which picture it is of; cross-validation never parts the hands of one picture
    malformed: bool  # The truth
    prediction: CriticPrediction  # Under the calibration in use


@dataclass(frozen=True, eq=False, kw_only=True)
class CalibrationTrial:
    """A calibration on labelled hands; one entry a hand."""

    pictures: Int[np.ndarray, " n"]  # Index of each hand's picture
    malformed: Bool[np.ndarray, " n"]  # The truth
    probability: Float[np.ndarray, " n"]  # The probability that it is malformed
    reported: Bool[np.ndarray, " n"]  # Whether it is reported as malformed


def recalibrate(old: Calibration, hands: Sequence[LabelledHand], budget: float = BUDGET) -> Calibration:
    """A calibration fitted to labelled hands.

    The scale and bias of 'malformed' are fitted, starting from those in use. The thresholds of
    'malformed' and of every defect together report at most ``budget`` of the good hands: with
    ``certifying_hands`` good hands they are the lowest of which that holds for hands to come; with fewer
    they are only raised, where these hands show that they are too low.

    Args:
        old: The calibration in use.
        hands: With the predictions under ``old``.
        budget: Share of good hands that may be reported.
    """
    logits = np.array([old.raw_logit(MALFORMED, hand.prediction.malformed) for hand in hands])
    head = old.heads[MALFORMED]
    truths = np.array([hand.malformed for hand in hands])
    scale, bias = fit_platt(head.scale * logits + head.bias, truths)
    moved = Head(scale * head.scale, scale * head.bias + bias, _moved(head.threshold, scale, bias))
    new = replace(old, heads={**old.heads, MALFORMED: moved}, about={REPLACED_DIGEST: old.digest})
    good = [recalibrated(hand.prediction, old, new).defect_scores for hand in hands if not hand.malformed]
    if not good:
        return new
    by_head = {name: np.array([scores[name] for scores in good]) for name in good[0] if name in new.heads}
    if len(good) >= PARAMS.certifying_hands:
        thresholds = thresholds_at(by_head, budget, PARAMS.confidence, PARAMS.min_threshold)
    else:
        lowest = thresholds_at(by_head, budget, least=PARAMS.min_threshold)
        thresholds = {name: max(value, new.thresholds[name]) for name, value in lowest.items()}
    heads = {name: replace(new.heads[name], threshold=value) for name, value in thresholds.items()}
    return replace(new, heads={**new.heads, **heads})


def current_trial(hands: Sequence[LabelledHand]) -> CalibrationTrial:
    """The calibration in use on labelled hands."""
    return _trial(hands, [hand.prediction for hand in hands])


def cross_validated_trial(
    old: Calibration, hands: Sequence[LabelledHand], budget: float = BUDGET
) -> CalibrationTrial:
    """Recalibration on labelled hands, each under a fit in which its own picture took no part.

    Args:
        old: The calibration in use.
        hands: In any order; the pictures are dealt into folds by their sorted names.
        budget: As in :func:`recalibrate`.
    """
    fold_of = {name: k % PARAMS.folds for k, name in enumerate(sorted({hand.picture for hand in hands}))}
    fits = {
        fold: recalibrate(old, [hand for hand in hands if fold_of[hand.picture] != fold], budget)
        for fold in set(fold_of.values())
    }
    return _trial(hands, [recalibrated(hand.prediction, old, fits[fold_of[hand.picture]]) for hand in hands])


def assessable_hands(hands: Sequence[LabelledHand]) -> list[LabelledHand]:
    """The hands that the critic can assess.

    Raises:
        NotEnoughDataError: They are too few, all good, all malformed, or of one picture.
    """
    usable = [hand for hand in hands if not hand.prediction.not_assessable]
    malformed = sum(hand.malformed for hand in usable)
    fix = "label more hands, good and malformed ones"
    if len(usable) < PARAMS.min_hands:
        why = f"{len(usable)} labelled hands that can be assessed; it takes {PARAMS.min_hands}"
        raise NotEnoughDataError("nothing can be calibrated", why, fix)
    if malformed in (0, len(usable)):
        why = f"all {len(usable)} labelled hands are {'malformed' if malformed else 'good'}"
        raise NotEnoughDataError("nothing can be calibrated", why, fix)
    if len({hand.picture for hand in usable}) < 2:
        raise NotEnoughDataError("nothing can be calibrated", "all labels are of one picture", fix)
    return usable


def _trial(hands: Sequence[LabelledHand], predictions: Sequence[CriticPrediction]) -> CalibrationTrial:
    number = {name: k for k, name in enumerate(dict.fromkeys(hand.picture for hand in hands))}
    return CalibrationTrial(
        pictures=np.array([number[hand.picture] for hand in hands]),
        malformed=np.array([hand.malformed for hand in hands]),
        probability=np.array([prediction.malformed_by_any for prediction in predictions]),
        reported=np.array([prediction.is_malformed for prediction in predictions]),
    )


def _moved(threshold: float, scale: float, bias: float) -> float:
    """The threshold on refitted probabilities that reports the same hands as the old one."""
    return threshold if threshold >= 1 else float(sigmoid(scale * logit(np.asarray(threshold)) + bias))
