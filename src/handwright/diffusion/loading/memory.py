"""Running out of memory becomes one error of one line."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import torch

from handwright.errors import DiffusionError

_SIGNS = ("out of memory", "not enough memory", "can't allocate memory", "failed to allocate")


@contextmanager
def enough_memory(doing: str) -> Generator[None, None, None]:
    """Turn every way of running out of memory into a ``DiffusionError``."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _out_of_memory(doing) from error
    except RuntimeError as error:
        if any(sign in str(error).lower() for sign in _SIGNS):
            raise _out_of_memory(doing) from error
        raise


def _out_of_memory(doing: str) -> DiffusionError:
    return DiffusionError(
        f"memory ran out while {doing}",
        "the model is too large for this device",
        "use --dtype bfloat16, --device cpu or a smaller --model",
    )
