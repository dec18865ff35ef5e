"""Control strength (HandRefiner §3.2): a number of the user's, or one of three strategies by name.

``fixed`` is the strength stored with the ControlNet, ``adaptive`` the paper's search, ``auto`` our schedule.
``choose_strength`` is the way in. This module imports nothing heavy: the command line needs its names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

Strength = float | tuple[float, ...]
"""Control strength: of a whole run, or of every step of the schedule, the noisiest first."""

STRENGTHS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Strengths that 'adaptive' tries in turn after 1 (HandRefiner §3.2)."""

TOLERANCE = 1.15  # How many times the error at strength 1 a weaker one may have (HandRefiner §3.2: 15 % more)

SHAPE_UNTIL = 0.5
"""'auto': share of the schedule, counted from its clean end, above which the shape is decided."""

NEAR = 0.1
"""'auto': joint error, as a fraction of hand size, from which a painting is made once more, at strength 1."""

_MISSED = 1.0  # Joint error of a hand that is not found again


@dataclass(frozen=True)
class StrengthTry:
    """One painting on the way to a control strength."""

    strength: Strength | None  # What it was painted with; None: by a painter without strengths
    joint_error: float  # Of the painting, as a fraction of hand size; of several hands the mean; 1: missed


@dataclass(frozen=True)
class StrengthChoice:
    """How the control strength of a candidate came about."""

    strategy: str  # 'given' (a number), 'fixed', 'adaptive' or 'auto'
    tried: tuple[StrengthTry, ...]  # Every painting, in the order made
    won: int  # Index of the one that was taken
    why: str  # In words


class Trial(Protocol):
    """One painting of one hand, or of hands that meet."""

    @property
    def strength(self) -> Strength | None:
        """What it was painted with; None: by a painter without strengths."""
        ...

    @property
    def error(self) -> float:
        """Its 2-D MPJPE, as a fraction of hand size; 1 where the hand is not found again.

        The error lies between the joints of the mesh that was rendered and those of the mesh that is fitted
        to the result.
        """
        ...


T = TypeVar("T", bound=Trial)


@dataclass(frozen=True)
class Decision(Generic[T]):
    """Which painting was taken, and the record of how."""

    picked: T  # The painting
    choice: StrengthChoice  # What was tried, with what errors, which won, and why


def choose_strength(
    strength: Strength | str | None, sample: Callable[[Strength | str | None], T]
) -> Decision[T]:
    """Paint with the strength, or by the strategy, that an option names."""
    if strength == "adaptive":
        return adaptive(sample)
    if strength == "auto":
        return auto(sample)
    if strength == "fixed":
        return fixed(sample(strength), "fixed", "the strength stored with the ControlNet")
    return fixed(sample(strength), "given", "as asked")


def resolved(strength: Strength | str, stored: float, steps: int) -> Strength:
    """The numbers behind 'fixed' (``stored``) and 'auto'; 'adaptive' samples them one by one, elsewhere."""
    if strength == "fixed":
        return stored
    return schedule(steps, stored) if strength == "auto" else cast("Strength", strength)


def fixed(trial: T, strategy: str, why: str) -> Decision[T]:
    """The only painting there is: one strength for every picture."""
    tried = (StrengthTry(trial.strength, trial.error),)
    return Decision(trial, StrengthChoice(strategy, tried, 0, why))


def adaptive(sample: Callable[[float], T]) -> Decision[T]:
    """The pseudo-code of §3.2: the weakest strength that is exact enough.

    A painting whose hand is not found again has an error of 1 and is never exact enough, not even where the
    one at strength 1 was missed too: there the first in which the hand is found wins.

    It is the first of ``STRENGTHS`` whose error is below 1.15 × that at strength 1, else the picture at 1.
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


def schedule(steps: int, late: float) -> tuple[float, ...]:
    """Control strength of every step of a run from pure noise, the noisiest first.

    The phase transition (HandRefiner §3.2) shows that control decides structure first and takes texture
    last; the steps of a sampler do the same, noisiest first. So the control is strong where it is needed for
    shape, and leaves the late steps, which draw the skin, to the base model.

    Args:
        steps: Number of steps of the whole schedule.
        late: The fixed strength, for the steps that draw texture; where it is above 1, so are the early ones.
    """
    early = max(1.0, late)
    return tuple(early if 1 - step / steps > SHAPE_UNTIL else late for step in range(steps))


def auto(sample: Callable[[Strength | str | None], T]) -> Decision[T]:
    """The painting by ``schedule``; where its joints are off, the nearer of it and one at strength 1."""
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
