"""MediaPipe's tasks: one instance per set of options and per thread that asks at the same time."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.perception.models.mediapipe_import import import_mediapipe

_STDERR = threading.Lock()


class TaskPool:
    """Tasks that are open and idle, lent one at a time.

    Args:
        opener: Opens a task for a set of options; called when none is idle.
    """

    def __init__(self, opener: Callable[[Any], Any]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._idle: dict[Hashable, list[Any]] = defaultdict(list)
        weakref.finalize(self, _close_all, self._idle)

    @contextlib.contextmanager
    def borrowed(self, options: Hashable) -> Generator[Any]:
        """A task for these options, of the caller alone until the block ends."""
        with self._lock:
            task = self._idle[options].pop() if self._idle[options] else self._opener(options)
        try:
            yield task
        finally:
            with self._lock:
                self._idle[options].append(task)

    def close(self) -> None:
        """Let go of every idle task."""
        with self._lock:
            _close_all(self._idle)


def _close_all(idle: dict[Hashable, list[Any]]) -> None:
    """Left open, mediapipe's tasks print tracebacks when the interpreter ends."""
    while idle:
        for task in idle.popitem()[1]:
            task.close()


def as_mediapipe(pixels: UInt8[np.ndarray, "h w 3"]) -> Any:
    """uint8 [H, W, 3] sRGB as MediaPipe's picture."""
    mediapipe, *_ = import_mediapipe()
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


@contextlib.contextmanager
def quiet() -> Generator[None]:
    """Send what C++ writes to file descriptor 2 nowhere: its start-up notes obey no log level."""
    with _STDERR:
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
