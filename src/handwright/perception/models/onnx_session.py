"""The package's own networks through ONNX Runtime, which is imported when the first one is opened."""

import functools
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from handwright.errors import MissingModelError
from handwright.threads import threads


def open_session(path: Path) -> tuple[Any, dict[str, str]]:
    """Open a session on the CPU, and return it with the file's metadata.

    Raises:
        MissingModelError: It is missing or damaged.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # it keeps what the largest crop needed, and grows in powers of two
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            path.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except (OSError, RuntimeError, ValueError, *_onnx_errors()) as error:
        raise MissingModelError(f"{path} does not load", str(error), "install handwright again") from error
    return session, dict(session.get_modelmeta().custom_metadata_map)


@functools.cache
def import_onnxruntime() -> ModuleType:
    """Import ONNX Runtime with its telemetry off.

    From 1.29 on, its packages for Linux report every session to their publisher unless this variable is set
    when the module is imported. Where a program has imported it before, reports end here.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _onnx_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that ONNX Runtime raises on a damaged file."""
    import onnxruntime.capi.onnxruntime_pybind11_state as state

    return tuple(
        getattr(state, name)
        for name in ("Fail", "InvalidProtobuf", "InvalidGraph", "InvalidArgument", "NoModel")
    )
