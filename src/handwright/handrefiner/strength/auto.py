"""Ours: full strength while the shape is decided, the fixed one while texture is; one run, nothing to judge.

The phase transition (HandRefiner §3.2) says that control decides structure first and takes texture last; the
steps of a sampler do the same, noisiest first. So the control is strong where it is needed for shape, and
leaves the late steps, which draw the skin, to the base model.
"""

from __future__ import annotations

SHAPE_UNTIL = 0.5
"""Share of the schedule, from its clean end, above which the shape is decided."""


def schedule(steps: int, late: float) -> tuple[float, ...]:
    """Control strength of every step of a run from pure noise, the noisiest first.

    Args:
        steps: Of the whole schedule.
        late: The fixed strength, for the steps that draw texture; where it is above 1, so are the early ones.
    """
    early = max(1.0, late)
    return tuple(early if 1 - step / steps > SHAPE_UNTIL else late for step in range(steps))
