"""``handwright serve``: the HTTP service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen
from handwright.errors import need


def serve(
    host: Annotated[str, opt.option("--host", "ADDRESS", "Where to listen.")] = "127.0.0.1",
    port: Annotated[int, opt.option("--port", "N", "0: any that is free.")] = 8732,
    keys: Annotated[
        Path | None,
        opt.option("--keys", "FILE", "API keys, one a line; also from HANDWRIGHT_API_KEYS."),
    ] = None,
    workers: opt.Workers = 1,
    max_bytes: Annotated[int, opt.option("--max-bytes", "N", "Of a request.")] = 50_000_000,
    max_pixels: Annotated[int, opt.option("--max-pixels", "N", "Of a picture.")] = 50_000_000,
    max_queue: Annotated[int, opt.option("--max-queue", "N", "Jobs that may wait.")] = 32,
    max_seconds: Annotated[float, opt.option("--max-seconds", "S", "Of one job.")] = 300.0,
    max_memory: Annotated[float, opt.option("--max-memory", "GB", "Of one worker; 0: no bound.")] = 6.0,
    keep: Annotated[float, opt.option("--keep", "S", "How long results are kept.")] = 600.0,
    rate: Annotated[float, opt.option("--rate", "N", "Requests a minute of each key; 0: any.")] = 120.0,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
) -> None:
    """Serve review, refine and hands over HTTP: /v1/review, /v1/refine, /v1/hands, /v1/jobs/ID.

    docs/how-to/serve.md has the calls; the service itself shows them at /docs. It listens on this machine
    alone unless there is a key.
    """
    need("fastapi", "uvicorn", "prometheus_client", "python_multipart", extra="serve")
    import uvicorn

    from handwright.apps.service.app import create_app
    from handwright.apps.service.settings import ServiceSettings, read_keys
    from handwright.perception.models.download import ensure_models

    screen = Screen(debug=debug)
    settings = ServiceSettings(
        host=host,
        port=port,
        keys=read_keys(keys),
        workers=workers,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        max_queue=max_queue,
        max_seconds=max_seconds,
        max_memory_gb=max_memory,
        keep_seconds=keep,
        rate_per_minute=rate,
        landmarker=landmarker,
    )
    ensure_models(model_path=landmarker, notify=screen.notify)
    uvicorn.run(create_app(settings), host=host, port=port, log_level="info" if debug else "warning")
