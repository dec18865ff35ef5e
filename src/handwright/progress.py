"""How far some work is: the callback that every long function takes; and how long its stages took."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the number of pictures that are finished, and the number of all.

The stage is 'compile', 'find', 'fit', 'depth', 'review', 'paint' or 'check'; '' after a picture."""


STAGES = {
    "compile": "compiling for this machine, once per version, up to two minutes", "find": "finding hands",
    "fit": "fitting hands", "depth": "rendering depth", "review": "reviewing hands", "paint": "painting",
    "check": "checking what was painted",
}  # fmt: skip
"""What a user is shown while a stage of a picture runs."""


def silent(stage: str, done: int, total: int) -> None:
    """The progress callback that does nothing."""
    del stage, done, total


class Stopwatch:
    """Adds up seconds of wall time under names: ``with watch("find"): …``, in threads at the same time, too.

    Args:
        on_stage: Called with the name of every stretch as it begins.
    """

    def __init__(self, on_stage: Callable[[str], None] = lambda _: None) -> None:
        self._on_stage = on_stage
        self.seconds: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def __call__(self, stage: str) -> Generator[None]:
        """Time one stretch of a stage."""
        self._on_stage(stage)
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
