"""Keeps native libraries from writing to the standard error."""

import contextlib
import os
import sys
import threading
from collections.abc import Generator

_lock = threading.Lock()


@contextlib.contextmanager
def silenced_stderr() -> Generator[None]:
    """Discard what is written to file descriptor 2 during the block; one thread at a time."""
    with _lock:
        sys.stderr.flush()
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
