"""What strategies work on: a painting with the strength that made it and its joint error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from handwright.results import Strength, StrengthChoice


class Trial(Protocol):
    """One painting of one hand, or of hands that meet."""

    @property
    def strength(self) -> Strength | None:
        """What it was painted with; None: by a painter without strengths."""
        ...

    @property
    def error(self) -> float:
        """Its 2-D MPJPE, as a fraction of hand size; 1 where the hand is not found again.

        Between the joints of the mesh that was rendered and of the mesh that is fitted to the result.
        """
        ...


T = TypeVar("T", bound=Trial)


@dataclass(frozen=True)
class Decision(Generic[T]):
    """Which painting was taken, and the record of how.

    Attributes:
        picked: The painting.
        choice: What was tried, with what errors, which won, and why.
    """

    picked: T
    choice: StrengthChoice
