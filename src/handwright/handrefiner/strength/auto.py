"""Ours: full strength while shape is decided, the fixed one while texture is; again where that fails.

The phase transition (HandRefiner §3.2) says that control decides structure first and takes texture last; the
steps of a sampler do the same, noisiest first. So the control is strong where it is needed for shape, and
leaves the late steps, which draw the skin, to the base model. Few paintings then fail, and only those are
painted once more.
"""

from __future__ import annotations

from collections.abc import Callable

from handwright.handrefiner.strength.trial import Decision, T
from handwright.results import Strength, StrengthChoice, StrengthTry

SHAPE_UNTIL = 0.5
"""Share of the schedule, from its clean end, above which the shape is decided."""

NEAR = 0.1
"""Joint error, as a fraction of hand size, from which a painting is made once more, at strength 1."""


def schedule(steps: int, late: float) -> tuple[float, ...]:
    """Control strength of every step of a run from pure noise, the noisiest first.

    Args:
        steps: Of the whole schedule.
        late: The fixed strength, for the steps that draw texture; where it is above 1, so are the early ones.
    """
    early = max(1.0, late)
    return tuple(early if 1 - step / steps > SHAPE_UNTIL else late for step in range(steps))


def auto(sample: Callable[[Strength | str | None], T]) -> Decision[T]:
    """The painting by ``schedule``; where its joints are off, the nearer of it and one at strength 1.

    Args:
        sample: Paints with a number, or, given 'auto', with the schedule of the ControlNet at hand.
    """
    first = sample("auto")
    tried = (StrengthTry(first.strength, first.error),)
    if first.error < NEAR:
        why = f"the first has its joints less than {100 * NEAR:g} % of hand size off"
        return Decision(first, StrengthChoice("auto", tried, 0, why))
    second = sample(1.0)
    tried = (*tried, StrengthTry(1.0, second.error))
    won = int(second.error < first.error)
    why = f"the nearer of two, as the first has its joints {100 * first.error:.0f} % of hand size off"
    return Decision((first, second)[won], StrengthChoice("auto", tried, won, why))
