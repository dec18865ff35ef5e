"""How surely a hand finder finds hands (HandRefiner's 'Det. Conf.'), and how often at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from handwright.errors import NotEnoughDataError
from handwright.metrics.statistics.estimate import ROUNDS, Estimate, mean_estimate, statistic_estimate
from handwright.types import HandObservation

Detections = Sequence[Sequence[HandObservation]]  # Per picture, the hands that were found in it


def found_rate(detections: Detections, *, rounds: int = ROUNDS, seed: int = 0) -> Estimate:
    """Share of pictures in which at least one hand was found."""
    return mean_estimate(
        "hand-found", np.array([bool(hands) for hands in detections], float), rounds=rounds, seed=seed
    )


def detection_confidence(detections: Detections, *, rounds: int = ROUNDS, seed: int = 0) -> Estimate:
    """Mean score of the best hand of each picture; a picture without one counts 0."""
    best = [max((hand.score for hand in hands), default=0.0) for hands in detections]
    return mean_estimate("det-conf", np.array(best, float), rounds=rounds, seed=seed)


def confidence_where_found(detections: Detections, *, rounds: int = ROUNDS, seed: int = 0) -> Estimate:
    """Mean score of the hands that were found, as published: what was missed does not count.

    Pictures are redrawn, not hands: the hands of a picture are alike. Never read it without ``hand-found``.

    Raises:
        NotEnoughDataError: No hand was found.
    """
    rows = np.array([(sum(hand.score for hand in hands), len(hands)) for hands in detections], float).reshape(
        -1, 2
    )
    name = "det-conf[found]"
    if not rows[:, 1].sum():
        raise NotEnoughDataError(f"{name} has nothing to measure", "no hand was found")
    estimate = statistic_estimate(name, rows, _ratio, rounds=rounds, seed=seed)
    return Estimate(name, estimate.value, estimate.low, estimate.high, n=int(rows[:, 1].sum()))


def _ratio(rows: np.ndarray) -> float:
    total, count = rows.sum(0)
    return float(total / count) if count else float("nan")
