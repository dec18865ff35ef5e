"""How a process holds memory, and what it does when there is none to start a thread."""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from typing import Any

ARENAS = "MALLOC_ARENA_MAX"
"""Environment variable of glibc: into how many heaps a process's threads may divide what they allocate."""

_M_ARENA_MAX = -8
"""The same as an option of ``mallopt``, from glibc's ``malloc.h``."""

_UNSTARTED = "in thread started by"
"""Part of Python's line about an error before a thread began to run; whoever started it waits for ever."""


def share_one_heap() -> None:
    """Let all threads of this process, and of those that it starts, allocate from one heap.

    By default glibc gives each thread a heap of its own, which keeps what that thread's largest picture
    needed: a process that works on picture after picture holds more and more, and touches fresh pages for
    each. Call it before there are threads. Where the user has set ``MALLOC_ARENA_MAX``, or another C library
    is in use, nothing changes.
    """
    if ARENAS in os.environ or sys.platform != "linux":
        return
    os.environ[ARENAS] = "1"
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def need_memory(byte_count: int) -> None:
    """Do nothing where this process may have so many bytes more; none of them is used.

    Call it before native code that ends the process, without a word, when it gets no memory.

    Raises:
        MemoryError: Its address space is limited, or the system promises no more than it has.
    """
    try:
        mmap.mmap(-1, byte_count, access=mmap.ACCESS_COPY).close()
    except OSError as error:
        raise MemoryError(f"{byte_count >> 20} MiB more are needed") from error


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
