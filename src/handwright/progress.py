"""How far some work is: one callback that every long function takes, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the number of pictures that are finished, and the number of all.

The stage is 'compile', 'find', 'fit', 'depth', 'review', 'paint' or 'check'; '' after a picture."""


def silent(stage: str, done: int, total: int) -> None:
    """The progress callback of those who do not want one."""
    del stage, done, total
