"""The paper's adaptive strength (HandRefiner §3.2): the weakest that is exact enough."""

from __future__ import annotations

from collections.abc import Callable

from handwright.handrefiner.strength.trial import Decision, T
from handwright.results import StrengthChoice, StrengthTry

STRENGTHS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Tried in turn after 1."""

TOLERANCE = 1.15
"""How many times the error at strength 1 a weaker one may have."""

_MISSED = 1.0


def adaptive(sample: Callable[[float], T]) -> Decision[T]:
    """The pseudo-code of §3.2.

    A painting whose hand is not found again has an error of 1 and is never exact enough, not even where the
    one at strength 1 was missed too: there the first in which the hand is found wins.

    Args:
        sample: Paints with a strength.

    Returns:
        The first of ``STRENGTHS`` whose error is below 1.15 × that at strength 1, else the picture at 1.
    """
    selected = sample(1.0)
    tried = [StrengthTry(1.0, selected.error)]
    enough = min(TOLERANCE * selected.error, _MISSED)
    for strength in STRENGTHS:
        x = sample(strength)
        tried.append(StrengthTry(strength, x.error))
        if x.error < enough:
            why = f"the first whose joints lie less than {100 * enough:.1f} % of hand size off"
            return Decision(x, StrengthChoice("adaptive", tuple(tried), len(tried) - 1, why))
    why = f"no weaker one has its joints less than {100 * enough:.1f} % of hand size off"
    return Decision(selected, StrengthChoice("adaptive", tuple(tried), 0, why))
