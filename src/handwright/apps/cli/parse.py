"""Text options → values."""

from __future__ import annotations

import math

from handwright.errors import UsageError

Box = tuple[float, float, float, float]


def parse_box(text: str) -> Box:
    """``x0,y0,x1,y1`` in pixels.

    Raises:
        UsageError: Not four finite numbers.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise UsageError(f"--box {text!r} is no box", "", "give four numbers: --box x0,y0,x1,y1")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def parse_strength(text: str) -> float | str:
    """A number, or the name of a strategy; which names there are is known to ``DiffusionSettings``."""
    try:
        return float(text)
    except ValueError:
        return text
