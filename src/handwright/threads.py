"""How many threads the package may use at once, and how they wait; this module alone decides it.

The number never changes a result: threads share out whole views and whole hands, and every sum stays within
one.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from handwright.errors import UsageError

VARIABLE = "HANDWRIGHT_THREADS"  # Environment variable with the number of threads, 1 or more

MAX_DEFAULT_THREADS = 8
"""Upper limit of the default: a picture seldom has more views or hands at once, and each thread opens its own
networks (chosen by eye); ``HANDWRIGHT_THREADS`` may go beyond."""

SPIN_COUNT = "GOMP_SPINCOUNT"
"""Environment variable of GNU's OpenMP: how often a thread looks whether others are ready, then sleeps."""

SPINS = "1000"
"""Where another program keeps a core busy, a network paints 20 times as fast with it as by default; where
none does, a tenth slower (docs/performance.md, on Linux)."""

A = TypeVar("A")
B = TypeVar("B")


def threads() -> int:
    """Return how many threads may work at once, 1 or more.

    It is ``HANDWRIGHT_THREADS``, or else the number of CPUs of this process and at most
    ``MAX_DEFAULT_THREADS``. In a process whose OpenCV is limited to one thread, as in the workers of a batch,
    it is 1.

    Raises:
        UsageError: ``HANDWRIGHT_THREADS`` is not a positive whole number.
    """
    import cv2

    if cv2.getNumThreads() == 1:
        return 1
    return _requested() or min(available_cpus(), MAX_DEFAULT_THREADS)


def sleep_while_waiting() -> None:
    """Let torch's threads sleep soon where they wait for each other, in this process and those it starts.

    By default GNU's OpenMP looks 300,000 times first. Where another program has the core of one thread, the
    others do so for every operation of a network. Call it before torch is imported; nothing changes where
    the user has set this variable or ``OMP_WAIT_POLICY``.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(SPIN_COUNT, SPINS)


def available_cpus() -> int:
    """Return the number of CPUs that this process may run on (``os.process_cpu_count`` of Python 3.13)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Call two functions that share no state, at the same time where two threads are allowed.

    Returns:
        The results of the first and of the second function. An exception of either one is passed on.
    """
    if threads() == 1:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(second)
        return first(), later.result()


def once(work: Callable[[], A]) -> Callable[[], A]:
    """Return a function that calls ``work`` when it is first called, whichever threads call it.

    From then on it returns the same result; while ``work`` runs, other threads wait for it.
    """
    lock = Lock()
    result = functools.cache(work)

    def call() -> A:
        with lock:
            return result()

    return call


def _requested() -> int:
    """Return the number in the environment variable, 0 where it is not set."""
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return 0
    if not value.isdecimal() or int(value) < 1:
        raise UsageError(f"{VARIABLE} is {value!r}", "it must be a whole number from 1", f"unset {VARIABLE}")
    return int(value)
