"""The routes: pictures in, jobs out; errors are one JSON object with what, why and what to do."""

import asyncio
import json
import mimetypes
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import escape
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi import Request as HttpRequest
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from handwright import __version__
from handwright.apps.service.access import Keys, Rate
from handwright.apps.service.bodies import OPTIONS_OF, decoded, json_object, read_body
from handwright.apps.service.counters import Counters
from handwright.apps.service.generation import GENERATE_OPTIONS, read_generation, read_plan
from handwright.apps.service.limits import BoundedBodies, error_json
from handwright.apps.service.queue import FINISHED, Job, JobQueue, QueueFullError
from handwright.apps.service.settings import ServiceSettings
from handwright.errors import HandwrightError, UsageError
from handwright.json_text import parse_json

MOST_WAIT = 300.0  # Seconds that a request may wait for its job
_POLL_S, _BEAT_S = 0.05, 15.0  # Between two looks at a job; between two signs of life of an event stream


class ServiceError(HandwrightError):
    """An error with a status of HTTP."""

    def __init__(self, status: int, what: str, why: str = "", fix: str = "", retry_s: float = 0.0) -> None:
        super().__init__(what, why, fix)
        self.status, self.retry_s = status, retry_s


def _allowed(request: HttpRequest) -> str:
    """Name of who asks.

    Raises:
        ServiceError: The key is missing or wrong, or asks too often.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key")
    owner = request.app.state.keys.owner(given, request.client.host if request.client else "")
    if owner is None:
        raise ServiceError(401, "the API key is missing or wrong", "", "send it as Authorization: Bearer KEY")
    if wait := request.app.state.rate.wait_seconds(owner):
        raise ServiceError(429, "too many requests", "", f"wait {wait:.0f} s", retry_s=wait)
    return owner


Owner = Annotated[str, Depends(_allowed)]
Wait = Annotated[
    float, Query(ge=0, le=MOST_WAIT, description="Seconds to wait for the result before answering.")
]


def create_app(settings: ServiceSettings) -> FastAPI:
    """The service; its worker processes live from start-up to shut-down."""
    counters = Counters()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.queue = JobQueue(settings, counters.finished)
        try:
            yield
        finally:
            await asyncio.to_thread(app.state.queue.close)

    app = FastAPI(
        title="handwright",
        version=__version__,
        lifespan=lifespan,
        description="Review, mend and find the hands of pictures. Docs: docs/how-to/serve.md",
    )

    @app.exception_handler(HandwrightError)
    async def on_error(request: HttpRequest, error: HandwrightError) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        del request
        status = (
            error.status
            if isinstance(error, ServiceError)
            else 503
            if isinstance(error, QueueFullError)
            else 422
        )
        retry = error.retry_s if isinstance(error, ServiceError) else 1.0
        headers = {"Retry-After": str(max(1, round(retry)))} if status in (429, 503) else {}
        headers |= {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        return JSONResponse({"error": error_json(error)}, status, headers)

    app.state.keys, app.state.rate = Keys(settings.keys), Rate(settings.rate_per_minute)

    def queue() -> JobQueue:
        return app.state.queue

    def find(job_id: str, owner: str) -> Job:
        job = queue().get(job_id, owner)
        if job is None:
            raise ServiceError(
                404, "there is no such job", "its result may have expired", "send the picture again"
            )
        return job

    def answer(job: Job, *, posted: bool = False) -> JSONResponse:
        status = 202 if job.status not in FINISHED else 422 if posted and job.refused else 200
        headers = {"Location": f"/v1/jobs/{job.id}"}
        return JSONResponse(job.to_json(queue().position(job)), status, headers)

    async def finished(job: Job, seconds: float) -> Job:
        end = asyncio.get_running_loop().time() + seconds
        while job.status not in FINISHED and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(_POLL_S)
        return job

    def posting(kind: str) -> Callable[..., Awaitable[JSONResponse]]:
        async def post(request: HttpRequest, owner: Owner, wait: Wait = 0.0) -> JSONResponse:
            picture, options = await read_body(request, kind)
            job = queue().add(kind, picture, options, owner)
            return answer(await finished(job, wait), posted=True)

        post.__doc__ = f"{_SUMMARY[kind]} Options: {', '.join(OPTIONS_OF[kind])}."
        return post

    for kind in OPTIONS_OF:
        app.post(f"/v1/{kind}", openapi_extra={"requestBody": _BODY}, status_code=202)(posting(kind))

    @app.post(
        "/v1/generate",
        openapi_extra={"requestBody": _GENERATE_BODY},
        description=f"{_SUMMARY['generate']} Options: {', '.join(GENERATE_OPTIONS)}.",
        status_code=202,
    )
    async def generate(request: HttpRequest, owner: Owner, wait: Wait = 0.0) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        from handwright.prompts.plan import plan_prompt

        entry = json_object(await request.body(), "the body")
        if (text := read_plan(entry)) is not None:
            return JSONResponse(plan_prompt(text).to_json())
        pose, options = read_generation(entry, settings.max_pixels)
        job = await finished(queue().add("generate", pose, options, owner), wait)
        return answer(job, posted=True)

    @app.get("/v1/jobs/{job_id}")
    async def get_job(job_id: str, owner: Owner, wait: Wait = 0.0) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        """A job, with its result once it is finished."""
        return answer(await finished(find(job_id, owner), wait))

    @app.delete("/v1/jobs/{job_id}")
    async def cancel(job_id: str, owner: Owner) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        """Cancel a job; a finished one stays as it is."""
        job = find(job_id, owner)
        queue().cancel(job)
        return answer(job)

    @app.get("/v1/jobs/{job_id}/events")
    async def events(job_id: str, owner: Owner) -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]
        """Server-sent events: the job whenever its status, stage or place changes, until it is finished."""
        return StreamingResponse(_events(find(job_id, owner), queue()), media_type="text/event-stream")

    @app.get("/v1/jobs/{job_id}/files/{name:path}")
    async def file(job_id: str, name: str, owner: Owner) -> FileResponse:  # pyright: ignore[reportUnusedFunction]
        """A file of a finished job, by a name that the job lists."""
        job = find(job_id, owner)
        if name not in job.files:
            raise ServiceError(
                404, "the job has no such file", "", f"it has: {', '.join(job.files) or 'none'}"
            )
        return FileResponse(job.folder / name, media_type=mimetypes.guess_type(name)[0])

    @app.post("/sdapi/v1/extra-single-image")
    async def extra_single_image(request: HttpRequest, owner: Owner) -> JSONResponse:  # pyright: ignore[reportUnusedFunction]
        """A1111's post-processing call: {"image": base64} in, the picture with mended hands out."""
        try:
            picture = decoded(parse_json(await request.body()).get("image"))
        except (ValueError, AttributeError) as error:
            if isinstance(error, HandwrightError):
                raise
            raise UsageError("the body is not JSON", "", 'send {"image": base64}') from error
        job = await finished(queue().add("refine", picture, {}, owner), settings.max_seconds)
        if job.status != "done":
            raise UsageError(*(job.error or ("the job did not finish", "", "try again")))
        (name,) = job.files
        data = b64encode((job.folder / name).read_bytes()).decode()
        hands = (job.result or {})["pictures"][0]["hands"]
        lines = [f"hand {hand['id']} {hand['action']}: {hand['reason']}" for hand in hands]
        return JSONResponse({"html_info": "<br>".join(map(escape, lines)), "image": data})

    @app.get("/healthz")
    async def healthz() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        """Whether the service runs, and how many jobs wait."""
        return {"status": "ok", "version": __version__, "waiting": queue().waiting}

    @app.get("/metrics")
    async def metrics(owner: Owner) -> Response:  # pyright: ignore[reportUnusedFunction]
        """Counters in Prometheus' text format."""
        del owner
        text, kind = counters.page(queue().waiting, queue().restarts)
        return Response(text, media_type=kind)

    app.add_middleware(BoundedBodies, max_bytes=settings.max_bytes, on_answer=counters.answered)
    return app


_SUMMARY = {
    "review": "Go through the checklist of every hand of a picture.",
    "refine": "Review the hands of a picture and repaint those that fail.",
    "hands": "Find and fit the hands of a picture; nothing is repainted.",
    "generate": "Make pictures of a person from a text, a pose or both; with `plan`: what a text leaves open "
    "about hands, at once and without a job.",
}

_PICTURE = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["picture"],
                "properties": {"picture": _PICTURE, "options": {"type": "string", "description": "JSON"}},
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["picture"],
                "properties": {
                    "picture": {"type": "string", "description": "base64"},
                    "options": {"type": "object"},
                },
            }
        },
    },
}


_GENERATE_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "description": "What the picture shows."},
                    "pose": {
                        "type": "object",
                        "description": "The content of a pose file: OpenPose's, COCO-WholeBody's, that "
                        "of `handwright hands`, or parameters.json of a report; without it the text decides.",
                    },
                    "options": {"type": "object"},
                    "plan": {"type": "boolean", "description": "The plan of the text, and no picture."},
                },
            }
        }
    },
}


async def _events(job: Job, queue: JobQueue) -> AsyncIterator[str]:
    before, quiet = "", 0.0
    while True:
        ended = job.status in FINISHED
        now = json.dumps(job.to_json(queue.position(job)))
        if now != before:
            before, quiet = now, 0.0
            yield f"event: job\ndata: {now}\n\n"
        if ended:
            return
        await asyncio.sleep(_POLL_S)
        quiet += _POLL_S
        if quiet >= _BEAT_S:
            quiet = 0.0
            yield ": still here\n\n"
