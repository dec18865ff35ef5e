"""Runs over many pictures: `handwright refine` and `handwright hands`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright.errors import UsageError
from handwright.options import DIFFUSING
from handwright.workflow.files import cache_folder, fingerprint, make_folder, remove_parts, sweep_once
from handwright.workflow.jobs import Job, Source, find_sources, plan_outputs
from handwright.workflow.report.document import build_report, verdicts_left, write_report
from handwright.workflow.run.ledger import Ledger
from handwright.workflow.run.picture import Outcome, Work, inspect_file, refine_file
from handwright.workflow.run.pool import FailOn, JobOptions, OpenEngine, exit_code_of, run_in_order
from handwright.workflow.run.request import Plan, Request

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine

Inputs = Sequence[str | Path]


@dataclass(frozen=True, kw_only=True)
class RunOptions(JobOptions):
    """How a run is carried out; the report is report.json, index.html and the evidence."""

    patches: bool = False  # Also write one transparent PNG per refined hand
    force: bool = False  # Overwrite files that are not ours, and do again what is done
    # Keep beside the report what a diffusing painter saw and made at its steps
    keep_intermediates: bool = False
    # Makes the engine; None: the real one with the models of ``handwright setup``
    open_engine: OpenEngine | None = None


@dataclass(frozen=True)
class RunResult:
    """What a run did."""

    report: dict[str, Any]  # The whole report (see report-1.schema.json)
    outcomes: tuple[Outcome, ...]  # One per picture, in the report's order
    report_path: Path | None = None  # Of report.json, or None
    fail_on: FailOn = "fail"  # From ``RunOptions``

    @property
    def exit_code(self) -> int:
        """As ``exit_code_of``; hands that were only looked at fail nothing."""
        records = [outcome.record for outcome in self.outcomes]
        left = verdicts_left(records if self.report["command"] == "refine" else ())
        return exit_code_of([record["error"] for record in records if record["error"]], left, self.fail_on)


def refine_files(
    inputs: Inputs, output: str | Path, request: Request | None = None, options: RunOptions | None = None
) -> RunResult:
    """Refine pictures and return the report; what an earlier run did already is left as it is.

    Raises:
        UsageError: The inputs name no picture, or the request makes no sense for them.
        OutputError: The report folder cannot be written.
        MissingModelError: The perception model is missing and could not be fetched.
        DiffusionError: What a diffusing painter needs is not installed, or there is no such model.
    """
    request, options = request or Request(), options or RunOptions()
    sources = find_sources(inputs, leave_out=_folders(output, options.report))
    return run_refine(plan_outputs(sources, output), request, options)


def run_refine(jobs: Sequence[Job], request: Request, options: RunOptions) -> RunResult:
    """Refine pictures whose outputs are known; raises as ``refine_files``."""
    return _run("refine", jobs, refine_file, request, options)


def engine_opener(
    options: RunOptions, request: Request, on_stage: Callable[[str], None] | None = None
) -> OpenEngine:
    """What opens the engine of these options, with the user's own models that the request names.

    Raises:
        MissingModelError: The perception model is missing and could not be fetched.
    """
    file = request["landmarker"]
    opener = options.open_engine or partial(_open_engine, options.landmarker_file(file), on_stage)
    return partial(_with_plug_ins, opener, request.plug_ins) if request.plug_ins else opener


def inspect_files(
    inputs: Inputs, output: str | Path, request: Request | None = None, options: RunOptions | None = None
) -> RunResult:
    """Find, fit, show and save the hands of pictures; nothing is repainted.

    The folder ``output`` gets ``NAME.hands.json``, which the report calls the output, ``NAME.overlay.png``,
    ``NAME.depth.png``, ``NAME.mask.png`` and a mesh per hand (``NAME.hand-1.glb``, ``.obj``).

    Raises:
        UsageError: As ``refine_files``, or ``output`` is a file.
        OutputError: The report folder cannot be written.
        MissingModelError: The perception model is missing and could not be fetched.
    """
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"-o {folder} is a file", "hands are written into a folder", "give a folder")
    request, options = request or Request(), options or RunOptions()
    sources = find_sources(inputs, leave_out=_folders(folder, options.report))
    jobs = [
        Job(s.path, s.name, folder / s.name.with_name(f"{stem}.hands.json")) for s, stem in _stems(sources)
    ]
    return _run("hands", jobs, inspect_file, request, options)


def _run(command: str, jobs: Sequence[Job], work: Work, request: Request, options: RunOptions) -> RunResult:
    options.check()
    request.check(len(jobs))
    _check_intermediates(request, options)
    if options.report is not None:
        make_folder(options.report)
    remove_parts({job.output.parent for job in jobs})
    remove_parts([options.report] if options.report is not None else [], below=True)
    sweep_once(cache_folder())
    key = fingerprint([request.fingerprint(command), options.patches, options.keep_intermediates])
    ledger = Ledger(key, cache_folder(), options.report)
    plan = Plan(
        request=request,
        settings=request.as_json(),
        ledger=ledger,
        patches=options.patches,
        keep_intermediates=options.keep_intermediates,
        force=options.force,
    )
    finished = 0

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal finished
        finished = done
        options.progress(stage, done, total)

    def on_stage(stage: str) -> None:
        options.progress(stage, finished, len(jobs))

    alone = min(options.workers, len(jobs)) == 1  # worker processes report whole pictures only
    opener = engine_opener(options, request, on_stage if alone else None)
    outcomes = run_in_order(jobs, work, plan, opener, replace(options, progress=progress))
    records = [outcome.record for outcome in outcomes]
    path = None if options.report is None else write_report(options.report, command, records)
    return RunResult(build_report(command, records), outcomes, path, options.fail_on)


def _folders(*paths: str | Path | None) -> list[Path]:
    return [Path(path) for path in paths if path is not None and Path(path).is_dir()]


def _check_intermediates(request: Request, options: RunOptions) -> None:
    if not options.keep_intermediates:
        return
    if request["painter"] not in DIFFUSING:
        raise UsageError(
            f"`painter` {request['painter']} has no steps to keep",
            "",
            f"leave `keep_intermediates` out, or choose `painter` {' or '.join(DIFFUSING)}",
        )
    if options.report is None:
        raise UsageError(
            "`keep_intermediates` has nowhere to keep them", "", "give a `report` folder as well"
        )


def _open_engine(landmarker: Path, on_stage: Callable[[str], None] | None) -> AbstractContextManager[Engine]:
    from handwright.refine.pipeline import open_engine
    from handwright.workflow.prepare import is_compiled

    if on_stage is None:
        return open_engine(landmarker)
    if not is_compiled():
        on_stage("compile")
    return open_engine(landmarker, on_stage)


@contextmanager
def _with_plug_ins(opener: OpenEngine, plug_ins: Mapping[str, Any]) -> Generator[Engine]:
    with opener() as engine:
        yield engine.with_plug_ins(plug_ins)


def _stems(sources: Sequence[Source]) -> list[tuple[Source, str]]:
    """Each picture with the name its files start with: no suffix, unless two would then be the same."""
    stems = [source.name.with_suffix("") for source in sources]
    return [
        (source, source.name.stem if stems.count(stem) == 1 else source.name.name)
        for source, stem in zip(sources, stems, strict=True)
    ]
