"""Bodies of requests that are too large are refused as they arrive; errors as clients see them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handwright.errors import HandwrightError

OnAnswer = Callable[[str, int], None]
"""Called with the route and the status of every answer."""


def error_json(error: HandwrightError) -> dict[str, str]:
    """An error as clients see it."""
    return {"what": error.what, "why": error.why, "fix": error.fix, "line": str(error)}


class BoundedBodies:
    """Refuses bodies that are too large, by their stated length or as they arrive, and reports answers."""

    def __init__(
        self, app: ASGIApp, max_bytes: int, on_answer: OnAnswer = lambda route, status: None
    ) -> None:
        self._app, self._max, self._on_answer = app, max_bytes, on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        arrived, answered = 0, False

        async def counting(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                route = scope.get("route")
                self._on_answer(getattr(route, "path", "other"), message["status"])
            await send(message)

        async def bounded() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._max:
                raise _TooLargeError
            return message

        try:
            if not length.isdigit() or int(length) > self._max:
                raise _TooLargeError
            await self._app(scope, bounded, counting)
        except _TooLargeError:
            if answered:
                raise
            what = f"the request is larger than {self._max} bytes"
            error = HandwrightError(what, "", "send a smaller picture")
            await JSONResponse({"error": error_json(error)}, 413)(scope, receive, counting)


class _TooLargeError(Exception):
    pass
