"""The page's server: gradio's page, the files of jobs, bounds on every body, and no address but its own."""

from __future__ import annotations

import json
import mimetypes
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import FileResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handwright.apps.service.access import Keys
from handwright.apps.service.limits import BoundedBodies
from handwright.apps.service.queue import JobQueue
from handwright.apps.service.settings import ServiceSettings
from handwright.apps.web.sessions import FILES, Sessions
from handwright.apps.web.work import KINDS

STATIC = Path(__file__).with_name("static")
EXAMPLES = Path(__file__).with_name("examples")

_HEADERS = {
    # gradio's page runs scripts and styles of its own that stand in it; nothing comes from elsewhere
    "content-security-policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_UPLOADS_VARIABLE = "GRADIO_TEMP_DIR"


def create_page(settings: ServiceSettings) -> FastAPI:
    """The page; its worker processes and its files live from here to shut-down."""
    uploads = Path(tempfile.mkdtemp(prefix="handwright-web-"))
    os.environ[_UPLOADS_VARIABLE] = str(uploads)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio

    from handwright.apps.web.page import build, theme

    queue = JobQueue(settings, kinds=KINDS)
    sessions = Sessions(queue, uploads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            queue.close()
            shutil.rmtree(uploads, ignore_errors=True)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.queue, app.state.uploads = queue, uploads

    @app.get(FILES + "/{job_id}/{name:path}")
    def file(job_id: str, name: str) -> FileResponse:  # pyright: ignore[reportUnusedFunction]
        """A file that a job lists; who knows the job's random name may have it."""
        path = sessions.file(job_id, name)
        if path is None or not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type=mimetypes.guess_type(name)[0])

    @app.get("/rig.json")
    def rig() -> Response:  # pyright: ignore[reportUnusedFunction]
        """What every hand shares, for the editor."""
        from handwright.apps.web.view import rig_json

        return Response(json.dumps(rig_json()), media_type="application/json")

    @app.get("/examples/{name}")
    def example(name: str) -> FileResponse:  # pyright: ignore[reportUnusedFunction]
        """A picture of our own."""
        if name not in example_names():
            raise HTTPException(404)
        return FileResponse(EXAMPLES / name)

    @app.get("/healthz")
    def healthz() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """Whether the page runs, and how many jobs wait."""
        return {"status": "ok", "waiting": queue.waiting}

    keys = Keys(settings.keys)
    app = gradio.mount_gradio_app(
        app,
        build(sessions, settings),
        path="/",
        server_name=settings.host,
        server_port=settings.port,
        footer_links=[],
        run_history=False,
        auth=(lambda _, key: keys.owner(key, "") is not None) if settings.keys else None,
        auth_message="Any name; the password is an API key of this server.",
        show_error=True,
        max_file_size=settings.max_bytes,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css=(STATIC / "page.css").read_text("utf-8"),
    )
    app.add_middleware(BoundedBodies, max_bytes=settings.max_bytes)
    app.add_middleware(_WithHeaders)
    return app


def example_names() -> list[str]:
    """Names of the pictures of our own."""
    return sorted(path.name for path in EXAMPLES.glob("*.jpg"))


class _WithHeaders:
    """Adds headers that keep the page to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        extra = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, with_headers)
