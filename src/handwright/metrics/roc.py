"""How well scores part true from false: the ROC and the area under it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

Scores = Float[np.ndarray, " n"]
Truths = Bool[np.ndarray, " n"]


def roc(scores: Scores, truths: Truths) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]]:
    """False alarms and recall at every limit, from none called to all; equal scores are one step."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    hits, alarms = np.cumsum(truths[order])[ends], np.cumsum(~truths[order])[ends]
    return np.append(0, alarms) / max(1, alarms[-1]), np.append(0, hits) / max(1, hits[-1])


def auc(scores: Scores, truths: Truths) -> float:
    """Area under the ROC: how often a true one scores above a false one, ties half; NaN without both."""
    if truths.all() or not truths.any():
        return float("nan")
    alarms, hits = roc(scores, truths)
    return float(np.trapezoid(hits, alarms))
