"""Curves and tables of the judge's evidence: ROC, precision–recall, reliability, confusion; no pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.metrics.estimate import Estimate, rate_estimate, statistic_estimate
from handwright.metrics.roc import Scores, Truths
from handwright.review.calibration.calibration import expected_calibration_error, thresholds_at

ROUNDS = 500
BUDGET = 0.02


def precision_recall(
    scores: Scores, truths: Truths
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """Recall and precision at every limit, from the highest; equal scores are one step."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits = np.cumsum(truths[order])[ends]
    return hits / max(1, truths.sum()), hits / (ends + 1)


def average_precision(scores: Scores, truths: Truths) -> float:
    """Mean precision over the steps of recall; NaN without a true one."""
    if not truths.any():
        return float("nan")
    recall, precision = precision_recall(scores, truths)
    return float((np.diff(recall, prepend=0) * precision).sum())


def recall_within(scores: Scores, truths: Truths, budget: float = BUDGET) -> float:
    """Recall at the lowest limit at which at most ``budget`` of the false ones are called."""
    if truths.all() or not truths.any():
        return float("nan")
    return float(
        (scores[truths] >= thresholds_at({"malformed": scores[~truths]}, budget)["malformed"]).mean()
    )


def of_both(
    name: str, scores: Scores, truths: Truths, statistic: Callable[[Scores, Truths], float]
) -> Estimate:
    """A figure of scores and truths with its bootstrap interval over hands."""
    rows = np.column_stack([scores, truths])
    return statistic_estimate(
        name, rows, lambda drawn: statistic(drawn[:, 0], drawn[:, 1] > 0), rounds=ROUNDS
    )


def calibration_error(name: str, told: Scores, truths: Truths) -> Estimate:
    """Expected calibration error, 15 bins, with its bootstrap interval."""
    return of_both(name, told, truths, expected_calibration_error)


def reliability(told: Scores, truths: Truths, bins: int = 10) -> list[tuple[float, float, int, float, float]]:
    """Of each bin that is not empty: its ends, number of hands, what was said on average, what came true."""
    index = np.clip((told * bins).astype(int), 0, bins - 1)
    return [
        (k / bins, (k + 1) / bins, int(here.sum()), float(told[here].mean()), float(truths[here].mean()))
        for k in range(bins)
        if (here := index == k).any()
    ]


def confusion(
    truth: Int[np.ndarray, " n"], told: Int[np.ndarray, " n"], names: Sequence[int]
) -> Int[np.ndarray, "k k"]:
    """How often each truth (row) was told as each (column)."""
    table = np.zeros((len(names), len(names)), int)
    for row, column in zip(truth, told, strict=True):
        table[names.index(int(row)), names.index(int(column))] += 1
    return table


def rates_by(
    groups: Sequence[tuple[str, Bool[np.ndarray, " n"]]], happened: Bool[np.ndarray, " n"]
) -> list[Estimate]:
    """The share of hands of each group of which something is true; empty groups are left out."""
    return [rate_estimate(name, happened[inside]) for name, inside in groups if inside.any()]


def thirds(values: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """0, 1 or 2: the lowest third of the values, the middle one, the highest; equal values stay together."""
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    return np.where(values < high, np.where(values <= low, 0, 1), 2)
