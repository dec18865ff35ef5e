"""A folder that is watched: what a generator writes there is refined as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Event

from handwright.errors import UsageError, need
from handwright.workflow.jobs import Source, find_sources, plan_outputs
from handwright.workflow.run.batch import RunOptions, RunResult, engine_opener, run_refine
from handwright.workflow.run.request import Request

TICK_MS = 400
"""Milliseconds between two looks; a file counts as written once it is as it was at the look before."""


def watch_folder(
    folder: Path,
    output: Path,
    request: Request,
    options: RunOptions,
    show: Callable[[RunResult], None],
    stop: Event | None = None,
) -> None:
    """Refine the pictures of a folder, then every one that is written below it, until it is stopped.

    What an earlier run did is left as it is; a picture that is written anew is refined anew. Models stay
    loaded.

    Args:
        folder: What is watched, with all folders below it.
        output: Folder of the results, under the pictures' names.
        request: How pictures are refined.
        options: How the runs are carried out; there is no report.
        show: Called with the result of every run.
        stop: Ends the watch when it is set.

    Raises:
        UsageError: ``folder`` is no folder, or is ``output`` itself.
        MissingPackageError: watchfiles is not installed.
    """
    need("watchfiles", extra="watch")
    import watchfiles

    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "", "give the folder that pictures are written to")
    if output.resolve() == folder.resolve():
        raise UsageError("the watched folder is the output itself", "", "give another folder for the results")
    request.check(1)
    output.mkdir(parents=True, exist_ok=True)
    with engine_opener(options, request)() as engine:
        kept = replace(options, open_engine=lambda: nullcontext(engine))

        def refine(sources: Sequence[Source]) -> None:
            if sources:
                show(run_refine(plan_outputs(sources, output), request, kept))

        before: dict[Path, tuple[int, int]] | None = None
        for changes in watchfiles.watch(
            folder,
            stop_event=stop,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            debounce=TICK_MS,
            raise_interrupt=True,
        ):
            if before is None:  # what is there, once nothing that comes is missed any more
                before = {one.path.resolve(): (-1, -1) for one in _pictures(folder, output)}
            before.update({Path(path): (-1, -1) for _, path in changes})
            now = {path: state for path in before if (state := _state(path)) is not None}
            written = {path.resolve() for path, state in now.items() if before[path] == state}
            before = {path: state for path, state in now.items() if path.resolve() not in written}
            refine(
                [one for one in _pictures(folder, output) if one.path.resolve() in written] if written else []
            )


def _pictures(folder: Path, output: Path) -> list[Source]:
    try:
        return find_sources([folder], leave_out=[output])
    except UsageError:  # it holds no picture yet
        return []


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; None where there is none any more."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns
