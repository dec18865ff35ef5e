"""What a process does when there is no memory to start a thread: it ends instead of waiting for ever."""

from __future__ import annotations

import os
import sys
from typing import Any

_UNSTARTED = "in thread started by"
"""Part of Python's line about an error before a thread began to run; whoever started it waits for ever."""


def end_where_threads_cannot_start() -> None:
    """Let this process print one line and end with exit code 2 when a thread finds no memory to start with.

    Python's ``Thread.start`` waits for the thread to signal that it runs, and that one never will.
    """
    usual = sys.unraisablehook

    def hook(error: Any) -> None:  # noqa: ANN401 - sys.UnraisableHookArgs is a name for type checkers alone
        if issubclass(error.exc_type, MemoryError) and _UNSTARTED in (error.err_msg or ""):
            os.write(2, _LINE)
            os._exit(2)
        usual(error)

    sys.unraisablehook = hook


_LINE = b"handwright: the command stopped: there is not enough memory; free some, or use a smaller picture.\n"
"""Made beforehand: there may be no memory to make it."""
