"""The process that works: one job at a time in a folder of its own, the models loaded once.

It speaks through a pipe: it is sent ``(kind, folder, options)`` and answers ``("stage", name)`` any number
of times, then ``("done", result, files)``, ``("refused", (what, why, fix))`` for what was sent, or
``("error", (what, why, fix))``. The folder holds ``input`` without a suffix; every other name in it is
chosen here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright.apps.service.generation import generate_job
from handwright.errors import (
    HandsFileError,
    HandwrightError,
    InvalidValueError,
    UnreadableImageError,
    UsageError,
    memory_error,
)
from handwright.memory import end_where_threads_cannot_start, share_one_heap

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from handwright.refine.pipeline import Engine

Result = tuple[dict[str, Any], list[str]]
"""A job's JSON, and the names of the files that go with it."""

Kinds = Mapping[str, "Callable[[Path, Mapping[str, Any], Callable[[], Engine]], Result]"]
"""What a worker does for each kind of job with the picture's file, the options, and what opens the models."""

SUFFIXES: Mapping[str, str] = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WEBP": ".webp",
    "TIFF": ".tif",
    "AVIF": ".avif",
}
"""Formats that an output keeps; others become PNG."""


def work_until_closed(
    pipe: Connection, landmarker: Path | None, max_pixels: int, kinds: Kinds | None = None
) -> None:
    """Do the jobs that come through the pipe until it is closed; ends with its parent."""
    share_one_heap()
    end_where_threads_cannot_start()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    with ExitStack() as stack:
        engine = cache(
            lambda: stack.enter_context(_opened(landmarker, lambda name: pipe.send(("stage", name))))
        )
        while True:
            try:
                kind, folder, options = pipe.recv()
            except EOFError:
                return
            pipe.send(_answer(kinds or KINDS, kind, Path(folder), options, engine, max_pixels))


_REFUSED = (UnreadableImageError, HandsFileError, InvalidValueError, UsageError)
"""Errors of what was sent, not of the service."""


def _answer(
    kinds: Kinds,
    kind: str,
    folder: Path,
    options: Mapping[str, Any],
    engine: Callable[[], Engine],
    max_pixels: int,
) -> tuple[Any, ...]:
    try:
        with _inside(folder):
            return "done", *do_job(kinds, kind, options, engine, max_pixels)
    except _REFUSED as error:
        return "refused", (error.what, error.why, error.fix)
    except HandwrightError as error:
        return "error", (error.what, error.why, error.fix)
    except Exception as error:  # noqa: BLE001 - one bad picture never stops the worker
        if lack := memory_error(error, "the picture could not be worked on"):
            return "error", (lack.what, lack.why, lack.fix)
        why = " ".join(f"{type(error).__name__}: {error}".split())
        return "error", ("the picture could not be worked on", f"internal error: {why}", "report it")


def do_job(
    kinds: Kinds, kind: str, options: Mapping[str, Any], engine: Callable[[], Engine], max_pixels: int
) -> Result:
    """Work on the file ``input`` of the current folder.

    Args:
        kinds: What there is to do.
        kind: One of them: of the service 'review', 'refine', 'hands' or 'generate'.
        options: Of a refinement by the names of ``handwright.options``; of a review ``prompt`` and
            ``generated``; of a generation those of ``service.generation``.
        engine: Opens the models on its first call.
        max_pixels: Larger pictures are refused by their header.

    Raises:
        HandwrightError: The picture cannot be read, or an option makes no sense.
    """
    source = Path("input") if kind in WITHOUT_PICTURE else _with_suffix(Path("input"), max_pixels)
    return kinds[kind](source, options, engine)


def review_job(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """The review of a picture, as the command line's ``--json``; options: ``prompt``, ``generated``."""
    from handwright.workflow.review import ReviewOptions, review_files

    judge = engine().judge
    result = review_files([source], ReviewOptions(**options, open_judge=lambda: nullcontext(judge)))
    raise_first(result.review["unreadable"])
    return result.review, []


def _refine(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    from handwright.workflow import Request, RunOptions, refine_files

    opened = engine()
    output = Path("output" + (source.suffix if source.suffix in SUFFIXES.values() else ".png"))
    run = RunOptions(force=True, open_engine=lambda: nullcontext(opened))
    result = refine_files([source], output, Request(**options), run)
    raise_first(result.report["pictures"])
    return result.report, [output.name]


def _hands(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    from handwright.workflow import Request, RunOptions, inspect_files

    opened, folder = engine(), Path("hands")
    run = RunOptions(force=True, open_engine=lambda: nullcontext(opened))
    result = inspect_files([source], folder, Request(**options), run)
    raise_first(result.report["pictures"])
    return result.report, sorted(f"{folder.name}/{path.name}" for path in folder.iterdir())


KINDS: Kinds = {
    "review": review_job,
    "refine": _refine,
    "hands": _hands,
    "generate": generate_job,
}
"""What the service does."""

WITHOUT_PICTURE = ("generate", "person")
"""Jobs, also of the page, whose ``input`` is no picture: the JSON of a pose, or nothing."""


def raise_first(entries: list[dict[str, Any]]) -> None:
    """Raise the first error that the entries of a report hold.

    Raises:
        UnreadableImageError: One of them holds one.
    """
    for entry in entries:
        error = entry.get("error")
        if isinstance(error, str):
            raise UnreadableImageError(error.rstrip("."))
        if error is not None:
            raise UnreadableImageError(error["what"], error["why"], error["fix"])


def _with_suffix(source: Path, max_pixels: int) -> Path:
    """Name the file by what it holds.

    Raises:
        UnreadableImageError: It is no picture, or has more pixels than may be.
    """
    from handwright.image.load import read_format

    found = read_format(source.read_bytes(), max_pixels=max_pixels)
    return source.rename(source.with_suffix(SUFFIXES.get(found, ".img")))


@contextmanager
def _opened(landmarker: Path | None, on_stage: Callable[[str], None]) -> Generator[Engine]:
    from handwright.perception.models.download import ensure_models
    from handwright.refine.pipeline import open_engine
    from handwright.workflow.prepare import is_compiled

    if not is_compiled():
        on_stage("compile")
    with open_engine(ensure_models(model_path=landmarker).hand_landmarker, on_stage) as engine:
        yield engine


@contextmanager
def _inside(folder: Path) -> Generator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
