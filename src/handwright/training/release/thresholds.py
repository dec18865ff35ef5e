"""Limits of a critic's heads that spend one budget of false alarms where it buys most."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.errors import NotEnoughDataError
from handwright.review.calibration.fitting import allowed_alarms

_AHEAD = 6  # A head may be given so many further false alarms at once: the first of them may buy nothing yet

Called = Bool[np.ndarray, "n"]


def spend(
    good: Float[np.ndarray, "g h"],
    group: Int[np.ndarray, "g"],
    bad: Float[np.ndarray, "b h"],
    worth: Float[np.ndarray, "b"],
    budget: float,
    sure: float | None = None,
) -> Float[np.ndarray, "h"]:
    """Limits such that no more than the budget of each group of good hands is called by any head.

    All limits begin above every good hand. Then, again and again, the head is lowered whose next false alarms
    find the most malformed hands that no head has called yet, in shares of what is left to spend.

    Args:
        good: Probabilities of good hands by head.
        group: Which group each is of, from 0; the budget holds for each group.
        bad: Probabilities of malformed hands.
        worth: Of finding each of these.
        budget: Share of good hands that may be called.
        sure: If given, the budget must hold for hands to come with this confidence (Clopper–Pearson); of a
            group too small for that none may be called.

    Returns:
        Per head the probability from which on it calls; half-way between the last hand that is let go and
        the first that is called, or the next malformed one.
    """
    allowed = np.array([_allowed(int(count), budget, sure) for count in np.bincount(group)])
    ordered = -np.sort(-good, axis=0)
    spent = np.zeros(good.shape[1], int)
    thresholds = np.array([_above(ordered[0, h], bad[:, h]) for h in range(good.shape[1])])
    while True:
        called, found = (good >= thresholds).any(1), (bad >= thresholds).any(1)
        used = np.bincount(group[called], minlength=len(allowed))
        best = None
        for head in range(good.shape[1]):
            for more in range(1, _AHEAD + 1):
                k = spent[head] + more
                if k >= len(ordered):
                    break
                threshold = _above(ordered[k, head], bad[:, head])
                alarms = np.bincount(group[(good[:, head] >= threshold) & ~called], minlength=len(allowed))
                gain = float(worth[(bad[:, head] >= threshold) & ~found].sum())
                if (used + alarms > allowed).any() or gain <= 0:
                    continue
                cost = float((alarms / np.maximum(allowed, 1)).sum()) + 1e-9
                if best is None or gain / cost > best[0]:
                    best = (gain / cost, head, k, threshold)
        if best is None:
            return thresholds
        _, head, spent[head], thresholds[head] = best


def _allowed(count: int, budget: float, sure: float | None) -> int:
    try:
        return allowed_alarms(count, budget, sure)
    except NotEnoughDataError:
        return 0


def _above(good: float, bad: Float[np.ndarray, "b"]) -> float:
    """Between a good hand that is let go and the next malformed one that is more suspect, half-way."""
    beyond = bad[bad > good]
    return float((good + beyond.min()) / 2) if len(beyond) else float(good + 1e-5)
