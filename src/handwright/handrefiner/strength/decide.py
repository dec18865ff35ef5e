"""From what ``--strength`` says to the numbers that a network gets, and to the painting that is taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from handwright.handrefiner.strength.adaptive import adaptive
from handwright.handrefiner.strength.auto import auto, schedule
from handwright.handrefiner.strength.fixed import fixed
from handwright.handrefiner.strength.trial import Decision, T
from handwright.results import Strength

_SEARCHES = {"adaptive": adaptive, "auto": auto}
"""Strategies that look at what they painted."""

_STORED = "the strength stored with the ControlNet"


def resolved(strength: Strength | str, stored: float, steps: int) -> Strength:
    """The numbers behind a word; 'adaptive' asks for them one by one and never comes here.

    Args:
        strength: A number, one a step, 'fixed' or 'auto'.
        stored: The fixed strength of the ControlNet.
        steps: Of the whole schedule.
    """
    if strength == "fixed":
        return stored
    return schedule(steps, stored) if strength == "auto" else cast("Strength", strength)


def decide(strength: Strength | str | None, sample: Callable[[Strength | str | None], T]) -> Decision[T]:
    """Paint as the option says.

    Args:
        strength: A number, a name of ``STRATEGIES``, or None for a painter without strengths.
        sample: Paints with a number, 'fixed' or 'auto'.
    """
    if isinstance(strength, str) and strength in _SEARCHES:
        return _SEARCHES[strength](sample)
    stored = strength == "fixed"
    return fixed(sample(strength), "fixed" if stored else "given", _STORED if stored else "as asked")
