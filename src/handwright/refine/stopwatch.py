"""Seconds per stage; of what goes on at the same time, all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock


class Stopwatch:
    """Adds up seconds under names: ``with watch("find"): …``.

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
