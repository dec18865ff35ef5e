"""``handwright serve``, the HTTP service, and ``handwright web``, the page: both with the same bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen
from handwright.errors import need

if TYPE_CHECKING:
    from handwright.apps.service.settings import ServiceSettings

Host = Annotated[str, opt.option("--host", "ADDRESS", "Where to listen.")]
Port = Annotated[int, opt.option("--port", "N", "0: any that is free.")]
Keys = Annotated[
    Path | None, opt.option("--keys", "FILE", "API keys, one a line; also from HANDWRIGHT_API_KEYS.")
]
MaxBytes = Annotated[int, opt.option("--max-bytes", "N", "Of a request.")]
MaxPixels = Annotated[int, opt.option("--max-pixels", "N", "Of a picture.")]
MaxQueue = Annotated[int, opt.option("--max-queue", "N", "Jobs that may wait.")]
MaxSeconds = Annotated[float, opt.option("--max-seconds", "S", "Of one job.")]
MaxMemory = Annotated[float, opt.option("--max-memory", "GB", "Of one worker; 0: no bound.")]
Keep = Annotated[float, opt.option("--keep", "S", "How long results are kept.")]


_GRACE_S = 3  # Seconds that open connections, event streams above all, have to end when the server does


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8732,
    keys: Keys = None,
    workers: opt.Workers = 1,
    max_bytes: MaxBytes = 50_000_000,
    max_pixels: MaxPixels = 50_000_000,
    max_queue: MaxQueue = 32,
    max_seconds: MaxSeconds = 300.0,
    max_memory: MaxMemory = 6.0,
    keep: Keep = 600.0,
    rate: Annotated[float, opt.option("--rate", "N", "Requests a minute of each key; 0: any.")] = 120.0,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
) -> None:
    """Serve review, refine, hands and generate over HTTP: /v1/review, /v1/refine, …, /v1/jobs/ID.

    docs/how-to/serve.md has the calls; the service itself shows them at /docs. It listens on this machine
    alone unless there is a key.
    """
    need("fastapi", "uvicorn", "prometheus_client", "python_multipart", extra="serve")
    from handwright.apps.service.app import create_app

    settings = replace(_settings(locals()), rate_per_minute=rate)
    _prepare(settings, Screen(debug=debug))
    _run(create_app(settings), settings, debug=debug)


def web(
    host: Host = "127.0.0.1",
    port: Port = 8733,
    keys: Keys = None,
    workers: opt.Workers = 1,
    max_bytes: MaxBytes = 50_000_000,
    max_pixels: MaxPixels = 50_000_000,
    max_queue: MaxQueue = 32,
    max_seconds: MaxSeconds = 600.0,
    max_memory: MaxMemory = 6.0,
    keep: Keep = 3600.0,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
) -> None:
    """Open a page in the browser: drop a picture, see its hands, adjust, repair, compare, download.

    The page runs on this machine and fetches nothing; docs/how-to/web.md shows it. It listens on this machine
    alone unless there is a key, which visitors then give as password.
    """
    need("gradio", "fastapi", "uvicorn", extra="web")
    from handwright.apps.web.server import create_page

    settings, screen = _settings(locals()), Screen(debug=debug)
    _prepare(settings, screen)
    page = create_page(settings)
    shown = "localhost" if host == "127.0.0.1" else host
    screen.write(f"http://{shown}:{port}  (Ctrl-C ends it)")
    _run(page, settings, debug=debug)


def _settings(given: dict[str, Any]) -> ServiceSettings:
    """The bounds of a command, from its own arguments.

    Raises:
        UsageError: A bound makes no sense, or the address is open to others and there is no key.
    """
    from handwright.apps.service.settings import ServiceSettings, read_keys

    same = ("host", "port", "workers", "max_bytes", "max_pixels", "max_queue", "max_seconds", "landmarker")
    return ServiceSettings(
        **{name: given[name] for name in same},
        keys=read_keys(given["keys"]),
        max_memory_gb=given["max_memory"],
        keep_seconds=given["keep"],
    )


def _prepare(settings: ServiceSettings, screen: Screen) -> None:
    from handwright.perception.models.download import ensure_models

    ensure_models(model_path=settings.landmarker, notify=screen.notify)


def _run(app: Any, settings: ServiceSettings, *, debug: bool) -> None:  # noqa: ANN401 - an ASGI app
    import uvicorn

    level = "info" if debug else "warning"
    uvicorn.run(
        app, host=settings.host, port=settings.port, log_level=level, timeout_graceful_shutdown=_GRACE_S
    )
