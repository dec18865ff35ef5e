"""MediaPipe without the plotting library that its own drawings would need."""

from __future__ import annotations

import functools
import importlib
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_PLOTS = ("matplotlib", "matplotlib.pyplot")
_ONE_AT_A_TIME = threading.Lock()


class _Later(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _plots_later() -> Generator[None]:
    """While it lasts, importing matplotlib gives stand-ins, which import it once they are used."""
    with _ONE_AT_A_TIME:
        stands_in = [name for name in _PLOTS if name not in sys.modules]
        sys.modules.update({name: _Later(name) for name in stands_in})
        if stands_in == list(_PLOTS):
            sys.modules[_PLOTS[0]].__dict__["pyplot"] = sys.modules[_PLOTS[1]]
        try:
            yield
        finally:
            for name in stands_in:
                del sys.modules[name]


@functools.cache
def import_mediapipe() -> tuple[Any, Any, Any]:
    """``mediapipe``, its ``BaseOptions`` and ``vision``.

    MediaPipe imports matplotlib to draw landmarks, which nothing here does and which takes as long as all
    else of it.
    """
    with _plots_later():
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision
    return mediapipe, BaseOptions, vision
