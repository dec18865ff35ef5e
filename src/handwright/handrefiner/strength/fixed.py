"""One strength for every picture: the one stored with the ControlNet, or a number of the user's."""

from __future__ import annotations

from handwright.handrefiner.strength.trial import Decision, T
from handwright.results import StrengthChoice, StrengthTry


def fixed(trial: T, strategy: str, why: str) -> Decision[T]:
    """The only painting there is.

    Args:
        trial: It.
        strategy: Name of what decided its strength.
        why: In words.
    """
    tried = (StrengthTry(trial.strength, trial.error),)
    return Decision(trial, StrengthChoice(strategy, tried, 0, why))
