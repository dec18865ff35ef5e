"""A slow disk: flushing and renaming take long. Needs nothing but Python: any process can begin with it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable


def slow_disk(seconds: float) -> None:
    """Make flushing and renaming slow in this process."""
    for name in ("fsync", "replace", "rename"):
        setattr(os, name, _slowly(getattr(os, name), seconds))


def _slowly(whole: Callable[..., object], seconds: float) -> Callable[..., object]:
    def slow(*given: object, **named: object) -> object:
        time.sleep(seconds)
        return whole(*given, **named)

    return slow
