"""Pictures of a set, read ahead and one after the other; what cannot be read is counted, with the reason."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from handwright.errors import HandwrightError
from handwright.metrics.results import Skipped
from handwright.metrics.sets.items import Item
from handwright.types import Image

_AHEAD = 16  # small ones; a batch of features is read while the one before is computed


def read_pictures(items: Iterable[Item]) -> Generator[tuple[Item, Image | Skipped]]:
    """Every picture in order, bare of its native samples, or why it was skipped; 16 are read ahead."""
    waiting: deque[tuple[Item, Future[Image | Skipped]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for item in items:
            waiting.append((item, pool.submit(_read, item)))
            if len(waiting) > _AHEAD:
                first, result = waiting.popleft()
                yield first, result.result()
        while waiting:
            first, result = waiting.popleft()
            yield first, result.result()


def _read(item: Item) -> Image | Skipped:
    try:
        image = item.image()
        return Image(image.pixels, mode=image.mode)
    except HandwrightError as error:
        return Skipped.because(item.path, error)
