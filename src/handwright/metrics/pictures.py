"""Pictures of a set, read ahead and one after the other; what cannot be read is counted, with the reason."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from handwright.errors import HandwrightError
from handwright.image import load_image

_AHEAD = 16


@dataclass(frozen=True)
class Skipped:
    """Something that was left out.

    Attributes:
        path: The file.
        reason: Why, in a sentence.
    """

    path: Path
    reason: str


def read_pictures(
    paths: Iterable[Path],
) -> Generator[tuple[Path, UInt8[np.ndarray, "h w 3"] | Skipped]]:
    """Every file in order: its pixels uint8 [H, W, 3], or why it was skipped. At most 16 are read ahead."""
    waiting: deque[tuple[Path, Future[UInt8[np.ndarray, "h w 3"] | Skipped]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for path in paths:
            waiting.append((path, pool.submit(_read, path)))
            if len(waiting) > _AHEAD:
                first, result = waiting.popleft()
                yield first, result.result()
        while waiting:
            first, result = waiting.popleft()
            yield first, result.result()


def _read(path: Path) -> UInt8[np.ndarray, "h w 3"] | Skipped:
    try:
        return load_image(path).pixels
    except HandwrightError as error:
        return Skipped(path, str(error))
