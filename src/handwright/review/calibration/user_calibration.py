"""A critic's calibration fitted to hands whose truth a user knows, and what that gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from handwright.errors import NotEnoughDataError
from handwright.review.calibration.calibration import BUDGET, Calibration, Head, logit, sigmoid
from handwright.review.calibration.fitting import expected_calibration_error, fit_platt, thresholds_at
from handwright.review.calibration.recalibrated_critic import MADE_FOR, MALFORMED, calls, can_tell, reread
from handwright.review.critic.prediction import CriticPrediction

FEWEST = 20
FOLDS = 5
LEAST_LIMIT = 0.05
SURE, CERTIFYING = 0.95, 149
"""With this confidence the budget holds for hands to come; that takes so many good hands at 2 %."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A hand whose truth is known, and what a critic said of it.

    Attributes:
        picture: Which picture it is of: pictures are never parted when a fit is tried on other ones.
        malformed: The truth.
        prediction: By the calibration in use.
    """

    picture: str
    malformed: bool
    prediction: CriticPrediction


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a calibration makes of hands whose truth is known; one entry a hand that the critic can judge.

    Attributes:
        pictures: Index of each hand's picture.
        malformed: The truth.
        probability: Of being malformed.
        called: Whether the critic calls it wrong.
    """

    pictures: np.ndarray
    malformed: np.ndarray
    probability: np.ndarray
    called: np.ndarray

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the probabilities, 15 bins."""
        return expected_calibration_error(self.probability, self.malformed)


def refit(old: Calibration, hands: Sequence[Judged], budget: float = BUDGET) -> Calibration:
    """A calibration for hands such as these.

    The scale and bias of 'malformed' are fitted, starting from those in use. Limits of 'malformed' and of
    every defect together call at most ``budget`` of the good hands: with 149 good hands or more the limits
    are the lowest of which that holds for hands to come, with 95 % confidence; with fewer they are only
    raised, where these hands show that they are too low.

    Args:
        old: The calibration in use.
        hands: With what the critic said of them by ``old``.
        budget: Share of good hands that may be called wrong.
    """
    told = np.array([old.raw_logit(MALFORMED, hand.prediction.malformed) for hand in hands])
    head = old.heads[MALFORMED]
    scale, bias = fit_platt(head.scale * told + head.bias, np.array([hand.malformed for hand in hands]))
    moved = Head(scale * head.scale, scale * head.bias + bias, _moved(head.threshold, scale, bias))
    new = replace(old, heads={**old.heads, MALFORMED: moved}, about={MADE_FOR: old.digest})
    good = [reread(hand.prediction, old, new).told for hand in hands if not hand.malformed]
    if not good:
        return new
    by_head = {name: np.array([said[name] for said in good]) for name in good[0] if name in new.heads}
    if len(good) >= CERTIFYING:
        thresholds = thresholds_at(by_head, budget, SURE, LEAST_LIMIT)
    else:
        shown = thresholds_at(by_head, budget, least=LEAST_LIMIT)
        thresholds = {name: max(threshold, new.thresholds[name]) for name, threshold in shown.items()}
    heads = {name: replace(new.heads[name], threshold=threshold) for name, threshold in thresholds.items()}
    return replace(new, heads={**new.heads, **heads})


def as_it_is(hands: Sequence[Judged]) -> Outcome:
    """What the calibration in use makes of hands."""
    return _outcome(hands, [hand.prediction for hand in hands])


def tried(old: Calibration, hands: Sequence[Judged], budget: float = BUDGET) -> Outcome:
    """What refitting makes of each hand when its own picture takes no part in the fit.

    Args:
        old: The calibration in use.
        hands: In any order; the pictures are dealt into at most five parts by their names.
        budget: As in ``refit``.
    """
    part_of = {name: k % FOLDS for k, name in enumerate(sorted({hand.picture for hand in hands}))}
    fits = {
        part: refit(old, [hand for hand in hands if part_of[hand.picture] != part], budget)
        for part in set(part_of.values())
    }
    return _outcome(hands, [reread(hand.prediction, old, fits[part_of[hand.picture]]) for hand in hands])


def enough(hands: Sequence[Judged]) -> list[Judged]:
    """The hands of which the critic can tell.

    Raises:
        NotEnoughDataError: They are too few, all good, all malformed, or of one picture.
    """
    seen = [hand for hand in hands if can_tell(hand.prediction)]
    bad = sum(hand.malformed for hand in seen)
    fix = "label more hands, good and malformed ones"
    if len(seen) < FEWEST:
        why = f"{len(seen)} labelled hands of which the critic can tell; it takes {FEWEST}"
        raise NotEnoughDataError("nothing can be calibrated", why, fix)
    if bad in (0, len(seen)):
        why = f"all {len(seen)} labelled hands are {'malformed' if bad else 'good'}"
        raise NotEnoughDataError("nothing can be calibrated", why, fix)
    if len({hand.picture for hand in seen}) < 2:
        raise NotEnoughDataError("nothing can be calibrated", "all labels are of one picture", fix)
    return seen


def _outcome(hands: Sequence[Judged], said: Sequence[CriticPrediction]) -> Outcome:
    number = {name: k for k, name in enumerate(dict.fromkeys(hand.picture for hand in hands))}
    return Outcome(
        np.array([number[hand.picture] for hand in hands]),
        np.array([hand.malformed for hand in hands]),
        np.array([prediction.malformed for prediction in said]),
        np.array([calls(prediction) for prediction in said]),
    )


def _moved(threshold: float, scale: float, bias: float) -> float:
    """The limit that calls what the old one called, of probabilities that were refitted."""
    return threshold if threshold >= 1 else float(sigmoid(scale * logit(np.asarray(threshold)) + bias))
