"""Who gets a hostile file but the commands (decoder, service, a batch's list), and who writes where."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright.errors import HandwrightError
from hostile import Hostile

if TYPE_CHECKING:
    from starlette.testclient import TestClient


@dataclass
class Row:
    """One kind of file."""

    files: int = 0
    runs: int = 0
    done: int = 0  # Exit code 0 or 1
    refused: int = 0  # Exit code 2
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)  # What was not sound


WRITES = (
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
)


def note_write(written: list[str], root: Path, event: str, given: tuple[Any, ...]) -> None:
    """An audit hook: notes what is written but to outputs, inputs' folders, the cache and compiled code."""
    if event == "open":
        where, _, flags = given
        if isinstance(where, int) or not flags & (os.O_WRONLY | os.O_RDWR):
            return
        paths = [where]
    elif event in WRITES:
        paths = list(given[: 2 if event in ("os.rename", "os.link") else 1])
    else:
        return
    for one in paths:
        path = "" if isinstance(one, int) else os.path.normpath(Path.cwd() / os.fsdecode(one))
        right = path.startswith((f"{root}/out", f"{root}/cache/", f"{root}/service", "/dev/"))
        if path and not right and "__pycache__" not in path and not path.startswith(f"{root}/in/"):
            written.append(path)


@contextlib.contextmanager
def service(root: Path) -> Generator[TestClient]:
    """The HTTP service in this process; it has its own folder for temporary files."""
    from starlette.testclient import TestClient

    from handwright.apps.service.app import create_app
    from handwright.apps.service.settings import ServiceSettings

    (root / "service").mkdir()
    before, tempfile.tempdir = tempfile.tempdir, str(root / "service")
    try:
        app = create_app(ServiceSettings(rate_per_minute=0))
        with TestClient(app, client=("127.0.0.1", 1), raise_server_exceptions=False) as client:
            yield client
    finally:
        tempfile.tempdir = before


def post(row: Row, one: Hostile, client: TestClient) -> None:
    """A JSON file as the body of requests; none of them holds a picture."""
    for route in ("/v1/review", "/v1/refine", "/v1/generate", "/sdapi/v1/extra-single-image"):
        row.runs += 1
        began = time.perf_counter()
        answer = client.post(route, content=one.data, headers={"content-type": "application/json"})
        row.slowest = max(row.slowest, time.perf_counter() - began)
        row.done += answer.status_code < 300
        row.refused += 400 <= answer.status_code < 500
        if not 200 <= answer.status_code < 500 or "Traceback" in answer.text:
            row.wrong.append(f"{one.kind}/{one.name}: {route} answers {answer.status_code}")


@contextlib.contextmanager
def counted(row: Row, name: str, what: str) -> Generator[None]:
    """Count a block: done, refused in one line, or wrong; ``what`` is whose line or error it would be."""
    row.runs += 1
    began = time.perf_counter()
    try:
        yield
        row.done += 1
    except HandwrightError as error:
        row.refused += 1
        if "\n" in str(error):
            row.wrong.append(f"{name}: {what}'s line has two: {error}")
    except Exception as error:  # noqa: BLE001 - what the fuzzing looks for
        row.wrong.append(f"{name}: {what} raised {type(error).__name__}: {error}")
    row.slowest = max(row.slowest, time.perf_counter() - began)


def list_and_write(row: Row, one: Hostile, path: Path, out: Path) -> None:
    """What a batch makes of a manifest or shard: its pictures are listed, read, and a result is written."""
    from handwright.workflow.batch.items import list_items, read_item
    from handwright.workflow.batch.sink import Sink

    with counted(row, f"{one.kind}/{one.name}", "batch"):
        for item in list_items([str(path)], leave_out=str(out)):
            with contextlib.suppress(HandwrightError):  # a worker writes the reason into a record
                read_item(item)
            Sink(str(out)).keep(item.key, {"key": item.key})
            Sink(str(out)).write(f"pictures/{item.key}", b"result")


def decode(row: Row, one: Hostile) -> None:
    """What a worker of the service makes of the picture's bytes."""
    from handwright.image import decode_image

    with counted(row, one.name, "the service"):
        decode_image(one.data, name="the picture")
