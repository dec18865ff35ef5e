"""How many pictures a study needs for a wanted power."""

import numpy as np

from handwright.errors import UsageError, need

_MOST = 20_000
_STAYS = 25  # The exact test's power is a sawtooth in N: it must hold for so many further pictures


def pictures_needed(win_rate: float, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Decided pictures at which an exact two-sided binomial test against one half finds a true win rate.

    Args:
        win_rate: Assumed share of decided pictures on which the better system is preferred, 0.5 to 1.
        power: Wanted probability that the test rejects 'both are as good', 0 to 1.
        alpha: Level of the test.

    Returns:
        The smallest N from which on the power stays.

    Raises:
        UsageError: A number is out of range, or more than 20,000 pictures would be needed.
        MissingPackageError: scipy is not installed.
    """
    if not 0.5 < win_rate <= 1 or not 0 < power < 1 or not 0 < alpha < 1:
        raise UsageError(
            "no sample size for these numbers", f"win rate {win_rate}, power {power}, alpha {alpha}",
            "give a win rate above 0.5 and at most 1, and power and alpha between 0 and 1",
        )  # fmt: skip
    need("scipy", extra="preference")
    from scipy.stats import binom

    ns = np.arange(1, _MOST + 1)
    # The largest k with P(X <= k | 1/2) <= alpha / 2; -1 where there is none
    lower = binom.ppf(alpha / 2, ns, 0.5) - 1
    reached = binom.cdf(lower, ns, win_rate) + binom.sf(ns - lower - 1, ns, win_rate)
    enough = np.where(lower >= 0, reached, 0.0) >= power
    held = np.convolve(enough, np.ones(_STAYS), "valid") == _STAYS
    if not held.any():
        raise UsageError(
            f"more than {_MOST:,} pictures would be needed",
            f"a win rate of {win_rate} is too close to one half",
        )
    return int(ns[np.argmax(held)])
