"""Where to compute and with which numbers."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch

from handwright.errors import DiffusionError, UsageError

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


DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
DEVICES = ("cpu", "cuda", "mps")


def choose_device(name: str) -> torch.device:
    """The device of that name; 'auto' is the best there is.

    Raises:
        UsageError: No such device, or not on this machine.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in present.items() if here))
    if name not in DEVICES:
        raise UsageError(f"there is no device {name!r}", "", f"choose one of: auto, {', '.join(DEVICES)}")
    if not present[name]:
        raise UsageError(
            f"--device is {name}", f"PyTorch sees no {name} device on this machine", "choose auto"
        )
    return torch.device(name)


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The number format of that name; 'auto' is half precision where the device computes in it.

    Raises:
        UsageError: No such format.
    """
    if name == "auto":
        if device.type == "cuda":
            return torch.float16
        return torch.bfloat16 if device.type == "cpu" and _cpu_computes_bfloat16() else torch.float32
    if name not in DTYPES:
        raise UsageError(
            f"there is no number format {name!r}", "", f"choose one of: auto, {', '.join(DTYPES)}"
        )
    return DTYPES[name]


def laid_out(network: Any, device: torch.device) -> Any:  # noqa: ANN401 - any network
    """A network that is on a device, its weights laid out to be run there without training.

    On a CPU kernels lie with channels last, which makes convolutions faster (``bench/channels_last.py``,
    docs/performance.md); a backward pass is slower so.
    """
    return network.to(memory_format=torch.channels_last) if device.type == "cpu" else network


def training_precision(name: str) -> str:
    """The mixed precision of that name; 'auto' is bf16 where its matrices are fast, else none."""
    if name != "auto":
        return name
    return "bf16" if torch.cuda.is_available() or _cpu_computes_bfloat16() else "no"


def _cpu_computes_bfloat16() -> bool:
    """Whether it has matrices of it: with vectors alone (avx512_bf16) it is slower than float32."""
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16"))
