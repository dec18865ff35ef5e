"""MediaPipe's tasks: imported without matplotlib, opened without messages or reports, pooled per thread.

Two process-wide things are touched here, each only for the length of one call and put back afterwards:

- ``sys.modules`` while MediaPipe is imported (``import_mediapipe``), because MediaPipe's drawing helpers
  import ``matplotlib.pyplot``, which nothing here uses and which takes as long to load as the rest of
  MediaPipe. This can go when ``mediapipe.tasks.python.vision.drawing_utils`` imports it on use.
- File descriptor 2 while a task starts up (``silenced_stderr``), because MediaPipe's C++ code writes notes to
  it which no log level turns off. This can go when MediaPipe's ``absl`` log level can be set from Python.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import os
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Generator, Hashable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.errors import MissingModelError, memory_error
from handwright.memory import need_memory
from handwright.stderr import silenced_stderr

_MATPLOTLIB = ("matplotlib", "matplotlib.pyplot")
_PROCESSORS = Path("/sys/devices/system/cpu/possible")
_NO_AUTHORITIES = f"{os.devnull}/none"  # a path below a device: no file can ever be there
_import_lock = threading.Lock()

TASK_BYTES = 768 << 20
"""Address space that opening a task must find. The first one took 510 MiB, heaps and stacks of its threads
included (MediaPipe 1.2, Linux on x86-64), and the caller's other threads take some meanwhile; with less,
MediaPipe aborts the process while it loads, or never comes back."""

_open_pools: weakref.WeakSet[TaskPool] = weakref.WeakSet()


class TaskPool:
    """MediaPipe tasks that are open and idle; a task serves one thread at a time."""

    def __init__(self, opener: Callable[[Any], Any]) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._idle: dict[Hashable, list[Any]] = defaultdict(list)
        weakref.finalize(self, _close_all, self._idle)
        _open_pools.add(self)
        _close_pools_at_exit()

    @contextlib.contextmanager
    def borrowed(self, options: Hashable) -> Generator[Any]:
        """Yield a task with these options, which belongs to the caller alone until the block ends."""
        with self._lock:
            task = self._idle[options].pop() if self._idle[options] else self._opener(options)
        try:
            yield task
        finally:
            with self._lock:
                self._idle[options].append(task)

    def close(self) -> None:
        """Close every idle task."""
        with self._lock:
            _close_all(self._idle)


def as_mediapipe(pixels: UInt8[np.ndarray, "h w 3"]) -> Any:  # noqa: ANN401
    """Wrap sRGB pixels, uint8 [H, W, 3], as MediaPipe's image type."""
    mediapipe, *_ = import_mediapipe()
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


@functools.cache
def import_mediapipe() -> tuple[Any, Any, Any]:
    """Import MediaPipe without matplotlib; return ``mediapipe``, its ``BaseOptions`` and ``vision``.

    The options are those of tasks that report nothing.

    Raises:
        MissingModelError: MediaPipe would abort the process, since Linux's processors cannot be counted.
    """
    if sys.platform == "linux" and not _PROCESSORS.exists():
        raise MissingModelError(
            "MediaPipe cannot start",
            f"{_PROCESSORS} is missing, from which it counts the processors",
            "mount /sys, as containers have it: mount -t sysfs -o ro sysfs /sys",
        )
    with _lazy_matplotlib():
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision
    return mediapipe, _without_reports(BaseOptions), vision


def _without_reports(options: Any) -> type:  # noqa: ANN401
    """Return MediaPipe's ``BaseOptions`` for tasks that send no reports of their use to its publisher.

    Version 1.2 reports by HTTPS from C++ and has no switch for it. These options name no certificate
    authorities that it could trust, so that every connection ends before anything is sent.
    """

    class Unreported(options):
        def to_ctypes(self) -> Any:  # noqa: ANN401
            """Return the C structure of these options."""
            structure = super().to_ctypes()
            structure.ca_bundle_path = _NO_AUTHORITIES.encode()
            return structure

    return Unreported


def open_task(kind: str, model: Path, fix: str, **options: Any) -> Any:  # noqa: ANN401
    """Open one of MediaPipe's landmarkers quietly, and run it once on black.

    Args:
        kind: 'HandLandmarker' or 'PoseLandmarker'.
        model: Its task file.
        fix: What a user can do where it does not load.
        **options: Of the task.

    Raises:
        MissingModelError: The file does not load.
        MemoryError: There is less than ``TASK_BYTES``.
        HandwrightError: Memory ran out on the way.
    """
    need_memory(TASK_BYTES)
    _, base_options, vision = import_mediapipe()
    file = base_options(model_asset_path=str(model))
    try:
        with silenced_stderr():
            settings = getattr(vision, f"{kind}Options")(base_options=file, **options)
            task = getattr(vision, kind).create_from_options(settings)
            task.detect(as_mediapipe(np.zeros((64, 64, 3), np.uint8)))
    except (RuntimeError, ValueError, OSError) as error:
        if lack := memory_error(error, f"MediaPipe's {kind} did not start"):
            raise lack from error
        raise MissingModelError(f"{model} does not load", str(error), fix) from error
    return task


class _LazyModule(ModuleType):
    """Stands for a module and imports it when an attribute is first used."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextlib.contextmanager
def _lazy_matplotlib() -> Generator[None]:
    """Let ``import matplotlib.pyplot`` give a lazy stand-in during the block, unless it is loaded."""
    with _import_lock:
        replaced = [name for name in _MATPLOTLIB if name not in sys.modules]
        sys.modules.update({name: _LazyModule(name) for name in replaced})
        if replaced == list(_MATPLOTLIB):
            sys.modules[_MATPLOTLIB[0]].__dict__["pyplot"] = sys.modules[_MATPLOTLIB[1]]
        try:
            yield
        finally:
            for name in replaced:
                del sys.modules[name]


@functools.cache
def _close_pools_at_exit() -> None:
    """Close what is still open when the interpreter ends, before thread pools stop taking work.

    Tasks close in a thread pool of theirs. ``atexit`` runs after thread pools have ended; the list that ends
    them, which runs in reverse, has no public name.
    """
    importlib.import_module("concurrent.futures.thread")  # in the list before us

    def close_pools() -> None:
        for pool in list(_open_pools):
            pool.close()

    register: Callable[[Callable[[], None]], object] = getattr(threading, "_register_atexit", atexit.register)
    register(close_pools)


def _close_all(idle: dict[Hashable, list[Any]]) -> None:
    """Close tasks explicitly: those left open print tracebacks when the interpreter ends."""
    while idle:
        for task in idle.popitem()[1]:
            task.close()
