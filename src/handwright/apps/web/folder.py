"""Reviews of many pictures: one row a picture, the worst first; nothing here knows gradio."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from handwright import __version__
from handwright.apps.web.sessions import CancelledError, Sessions
from handwright.apps.web.state import Json
from handwright.errors import HandwrightError
from handwright.review.review_json import VERDICTS, review_json

MOST_PICTURES = 500  # Of one review


@dataclass(frozen=True)
class FolderStep:
    """How far the review of a folder is."""

    line: str
    review: Json  # As ``handwright review --json``, of the pictures that are done
    busy: bool = False
    bad: bool = False


def review_uploads(
    sessions: Sessions, owner: str, given: Mapping[str, Any], *, generated: bool = False
) -> Generator[FolderStep]:
    """Review uploads in turn; one that cannot be read stops nothing, and cancelling keeps what is done.

    Args:
        sessions: Does the jobs.
        owner: The visitor.
        given: ``uploads`` as the page's script sends them, and how many were ``left_out``.
        generated: They are of image generators: hands that look malformed do not pass.
    """
    uploads: Sequence[Any] = (given.get("uploads") or ())[:MOST_PICTURES]
    pictures: list[Json] = []
    unreadable: list[Json] = []

    def so_far() -> Json:
        return review_json(pictures, unreadable, None, __version__, generated=generated)

    if not uploads:
        yield FolderStep(str(given.get("error") or "No picture was uploaded."), so_far(), bad=True)
        return
    for number, upload in enumerate(uploads, start=1):
        name = str(upload.get("name", "")) if isinstance(upload, dict) else ""
        yield FolderStep(f"Reviewing {number} of {len(uploads)}: {name}", so_far(), busy=True)
        try:
            name, data = sessions.taken(upload)
            found = _reviewed(sessions, owner, data, generated)
            pictures.append({**found["pictures"][0], "path": name})
        except CancelledError:
            yield FolderStep(f"Cancelled after {number - 1} of {len(uploads)}.", so_far())
            return
        except HandwrightError as error:
            unreadable.append({"path": name, "error": str(error)})
    left_out = given.get("left_out")
    more = f" {left_out} more were left out: the most is {MOST_PICTURES}." if left_out else ""
    yield FolderStep(f"{len(uploads)} reviewed.{more}", so_far())


def _reviewed(sessions: Sessions, owner: str, data: bytes, generated: bool) -> Json:
    """The review of one picture; its stages are not shown.

    Raises:
        HandwrightError: It cannot be reviewed, or the visitor cancelled.
    """
    steps = sessions.run(owner, "review", data, {"generated": generated})
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value.result or {}


def rows_html(review: Json) -> str:
    """The rows, the worst first, and a link to the whole review; names are shown, never run."""
    order = {verdict: k for k, verdict in enumerate(VERDICTS)}
    pictures = sorted(review["pictures"], key=lambda picture: order[picture["verdict"]])
    rows = [_row(picture["path"], picture["verdict"], _reasons(picture)) for picture in pictures]
    rows = [_row(one["path"], "unreadable", [one["error"]]) for one in review["unreadable"]] + rows
    if not rows:
        return ""
    data = base64.b64encode(json.dumps(review, indent=1).encode()).decode()
    link = (
        '<a class="hw-button" download="review.json" '
        f'href="data:application/json;base64,{data}">Review (JSON)</a>'
    )
    return f'<div class="hw-downloads">{link}</div><ul class="hw-list">{"".join(rows)}</ul>'


def _row(name: str, verdict: str, reasons: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    kind = {"unreadable": "fail"}.get(verdict, verdict)
    return (
        f'<li><div class="hw-row"><b>{escape(name)}</b>'
        f'<span class="hw-verdict {kind}">{escape(verdict.replace("_", " "))}</span></div>'
        f'<ul class="hw-reasons">{listed}</ul></li>'
    )


def _reasons(picture: Json) -> list[str]:
    """What the hands of a picture did not pass."""
    return [
        f"hand {hand['id']}: {name.replace('_', ' ')}: {check['reason']}"
        for hand in picture["hands"]
        for name, check in hand["checks"].items()
        if check["verdict"] != "pass"
    ] + list(picture["notes"])
