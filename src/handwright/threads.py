"""How much goes on at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2

MOST_THREADS = 2

A = TypeVar("A")
B = TypeVar("B")


def threads() -> int:
    """How many threads may work at once: two, or fewer where OpenCV is kept to fewer, as in a worker."""
    return max(1, min(MOST_THREADS, cv2.getNumThreads()))


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """What two functions return that do not touch each other's things; if threads are allowed, at once."""
    if threads() == 1:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(second)
        return first(), later.result()
