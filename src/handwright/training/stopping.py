"""How a run is asked to end: by SIGTERM, or by a file that appears."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def stop_requests(stop_file: Path | None) -> Generator[Callable[[], bool]]:
    """A function that is true once the process was sent SIGTERM, or ``stop_file`` exists.

    The signal's earlier handler is back afterwards. Must be entered in the main thread.
    """
    caught: list[int] = []
    earlier = signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
    try:
        yield lambda: bool(caught) or (stop_file is not None and stop_file.exists())
    finally:
        signal.signal(signal.SIGTERM, earlier)
