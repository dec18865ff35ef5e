"""``handwright generate``: pictures from a pose or a text, their pose error, their review and the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from handwright import __version__
from handwright.errors import OutputError, UsageError
from handwright.progress import Progress, silent
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow.files import make_folder, sha256_of_file, write_text
from handwright.workflow.generate import engines
from handwright.workflow.generate.evidence import pose_json, write_evidence, write_pose
from handwright.workflow.generate.pose_source import (
    PoseSource,
    pose_from_file,
    pose_from_photo,
    pose_from_text,
)

if TYPE_CHECKING:
    from handwright.perception.body.estimate import BodyEstimator, PeopleIn
    from handwright.two_stage.engine import Engine
    from handwright.two_stage.pose_completion import CompletedPose
    from handwright.workflow.generate.attempts import Attempt, Reviewer

LEAST_SIDE, MOST_SIDE = 128, 2048
"""Longer side of pictures in pixels: below, hands have no fingers; above, memory."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """What is to be generated, and where it goes."""

    output: Path | None  # A file, or a folder where ``n`` is above 1; None: only the skeleton and report
    settings: TwoStageSettings  # Engine, prompt and the like
    pose: Path | None = None  # A pose file …
    reference: Path | None = None  # … or a photograph of somebody in the pose; neither: the prompt decides
    person: int | None = None  # Which person of either, from 0
    n: int = 1  # How many pictures, with the seeds ``settings.seed``, + 1, …
    attempts: int = 3  # Tries at each until one passes its review, each ``n`` seeds further on
    side: int = 512  # Longer side of the pictures, pixels
    skeleton: Path | None = None  # Where the skeleton picture goes, the first picture's
    report: Path | None = None  # Folder of the report
    fail_on: str = "unsure"  # What of a review makes the exit code 1
    force: bool = False  # Overwrite files
    progress: Progress = silent
    open_engine: Callable[[TwoStageSettings], Engine] | None = None  # None: the engine that the settings name
    open_reviewer: Callable[[], AbstractContextManager[Reviewer]] | None = None  # None: the real one
    open_estimator: Callable[[], AbstractContextManager[PeopleIn]] | None = None  # None: the real one


@dataclass(frozen=True, eq=False)
class Generated:
    """What was generated."""

    report: dict[str, Any]  # As report.json has it
    exit_code: int  # 0 every picture passes its review, 1 one does not
    page: Path | None = None  # The report's page


@dataclass(frozen=True, eq=False)
class _Kept:
    attempt: Attempt  # The one that was written
    found: list[Any]  # Poses of everybody who is found in it
    entry: dict[str, Any]  # In the report


def generate_from_pose(generation: Generation) -> Generated:
    """Make pictures of a pose: generate, review, mend what fails, review again, until one passes.

    Raises:
        InvalidValueError: The pose is bad or cannot be completed; the message names the joint.
        UsageError: Options make no sense together, or the reference does not show exactly one person.
        OutputError: A file is there already, or cannot be written.
        MissingModelError: A perception model is missing and could not be fetched.
        MissingPackageError: The body that the renderer draws is not installed.
        DiffusionError: A model cannot be loaded, does not fit, or runs out of memory.
    """
    from handwright.workflow.generate.attempts import attempt_until_passed, best_of, open_reviewer

    _check(generation)
    outputs = _outputs(generation)
    count, settings = len(outputs), generation.settings
    with ExitStack() as stack:
        opened: list[PeopleIn] = []

        def estimate(pixels: UInt8[np.ndarray, "h w 3"]) -> list[Any]:
            if not opened:
                opened.append(stack.enter_context((generation.open_estimator or _estimator)()))
            return list(opened[0](pixels))

        poses = _poses(generation, estimate)
        source, completed = poses(settings.seed)
        if not outputs:
            write_pose(generation.skeleton, _evidence_folder(generation, 0), source, completed)
            return Generated(_document(generation, [], 0) | {"pose": pose_json(source, completed)}, 0)
        engine = (generation.open_engine or engines.open_engine)(settings)
        reviewer = stack.enter_context((generation.open_reviewer or open_reviewer)())
        kept: list[_Kept] = []
        for number, output in enumerate(outputs):
            generation.progress("paint", number, count)
            seeds = [settings.seed + number + count * k for k in range(generation.attempts)]
            tried = attempt_until_passed(seeds, settings, poses, engine, reviewer)
            best = best_of(tried)
            people = [body.pose for body in estimate(best.image.pixels)]
            kept.append(_Kept(best, people, _write(generation, number, output, tried, best, people)))
            generation.progress("", number + 1, count)
    code = int(any(_falls_short(one.attempt, generation.fail_on) for one in kept))
    report = _document(generation, kept, code)
    page = None
    if generation.report is not None:
        from handwright.workflow.report.generation_page import render_generation

        write_text(generation.report / "report.json", json.dumps(report, indent=1, allow_nan=False) + "\n")
        page = generation.report / "index.html"
        write_text(page, render_generation(report))
    return Generated(report, code, page)


def _falls_short(attempt: Attempt, fail_on: str) -> bool:
    """Whether a picture makes the exit code 1: a hand fails, none is found, or (``unsure``) all is not clear.

    Someone whose pose has no hand in the picture needs none.
    """
    review = attempt.review
    if not review.hands:
        return bool(attempt.completed.hands)
    return review.verdict == "fail" or (fail_on == "unsure" and review.verdict == "unsure")


def _poses(generation: Generation, estimate: PeopleIn) -> Callable[[int], tuple[PoseSource, CompletedPose]]:
    """The pose for a seed, completed; only those from a text depend on it."""
    from handwright.two_stage.pose_completion import complete_pose

    def completed(source: PoseSource) -> tuple[PoseSource, CompletedPose]:
        return source, complete_pose(source.pose, source.width, source.height)

    person, side = generation.person, generation.side
    if generation.pose is not None:
        fixed = completed(pose_from_file(generation.pose, person, side))
    elif generation.reference is not None:
        fixed = completed(pose_from_photo(generation.reference, person, side, estimate))
    else:
        return cache(lambda seed: completed(pose_from_text(generation.settings.prompt, side, seed)))
    return lambda _: fixed


def _check(generation: Generation) -> None:
    if generation.pose is not None and generation.reference is not None:
        raise UsageError(
            "generate makes pictures of one pose", "it comes from a pose file or a photograph",
            "give --pose FILE or --reference PHOTO",
        )  # fmt: skip
    if generation.output is None and generation.skeleton is None:
        raise UsageError("there is nothing to write", "-o and --skeleton are missing", "give -o OUT")
    if generation.settings.keep_steps and generation.report is None:
        raise UsageError("--keep-intermediates has nowhere to keep them", "", "give --report DIR as well")
    for name, number in (("--n", generation.n), ("--attempts", generation.attempts)):
        if number < 1:
            raise UsageError(f"{name} is {number}", "", "give a whole number from 1 on")
    if not LEAST_SIDE <= generation.side <= MOST_SIDE:
        raise UsageError(
            f"--side is {generation.side}", "", f"give a number from {LEAST_SIDE} to {MOST_SIDE}"
        )
    if generation.skeleton is not None and generation.skeleton.exists() and not generation.force:
        raise OutputError(
            f"{generation.skeleton} is there already", "", "choose another name, or give --force"
        )
    if generation.fail_on not in ("fail", "unsure"):
        raise UsageError(f"--fail-on {generation.fail_on!r} is not known", "", "give fail or unsure")
    level = generation.settings.start_level
    if not 0 < level <= 1:
        raise UsageError(f"--start-level is {level:g}", "", "give a number above 0, up to 1")


def _outputs(generation: Generation) -> list[Path]:
    """The files to write, none of which is there."""
    if generation.output is None:
        return []
    single = generation.n == 1 and not generation.output.is_dir()
    files = (
        [generation.output] if single else [generation.output / f"{k:04d}.png" for k in range(generation.n)]
    )
    taken = next((file for file in files if file.exists() and not generation.force), None)
    if taken is not None:
        raise OutputError(f"{taken} is there already", "", "choose another output, or give --force")
    return files


def _write(
    generation: Generation,
    number: int,
    output: Path,
    tried: Sequence[Attempt],
    best: Attempt,
    people: list[Any],
) -> dict[str, Any]:
    """Write one picture and what belongs to it; its entry in the report."""
    from handwright.image import save_image
    from handwright.metrics.pose_error import pose_error
    from handwright.review.review_json import picture_json

    source, generated = best.source, best.generated
    error = pose_error(best.completed.pose, people, source.width, source.height)
    make_folder(output.parent)
    save_image(best.image, output, overwrite=generation.force)
    folder, keep_steps = _evidence_folder(generation, number), generation.settings.keep_steps
    write_pose(generation.skeleton if number == 0 else None, folder, source, best.completed)
    return {
        "output": output.as_posix(),
        "sha256": sha256_of_file(output),
        "seed": best.seed,
        "passed": best.passes,
        "pose": pose_json(source, best.completed),
        "words": generated.words,
        "notes": list(generated.notes),
        "attempts": [attempt.to_json() for attempt in tried],
        "pose_error": _plain(asdict(error)),
        "review": picture_json(output.as_posix(), best.review),
        "files": {} if folder is None else write_evidence(folder, tried, best, people, keep_steps),
        "seconds": round(sum(attempt.seconds for attempt in tried), 2),
    }


def _evidence_folder(generation: Generation, number: int) -> Path | None:
    """Where a picture's evidence goes; None without a report."""
    return None if generation.report is None else generation.report / f"{number:04d}"


def _document(generation: Generation, kept: Sequence[_Kept], code: int) -> dict[str, Any]:
    return {
        "schema": "handwright/generation-1",
        "handwright": __version__,
        "command": "generate",
        "exit_code": code,
        "settings": {**asdict(generation.settings), "attempts": generation.attempts},
        "measures": _measures(kept) if kept else {},
        "pictures": [one.entry for one in kept],
    }


def _measures(kept: Sequence[_Kept]) -> dict[str, Any]:
    """MPJPE and, where pycocotools is installed, DAP over the pictures, with 95 % intervals."""
    from importlib.util import find_spec

    from handwright.metrics.average_precision import FoundPerson, dap
    from handwright.metrics.pose_error import mpjpe_of, wanted_points

    poses = [one.attempt.completed.pose for one in kept]
    sizes = [(one.attempt.source.width, one.attempt.source.height) for one in kept]
    found = [one.found for one in kept]
    estimates = list(mpjpe_of(poses, found, sizes))
    if find_spec("pycocotools") is not None:
        wanted = [[wanted_points(pose, *size)] for pose, size in zip(poses, sizes, strict=True)]
        people = [
            [FoundPerson(pose.points_px, float(pose.visibility.mean())) for pose in bodies]
            for bodies in found
        ]
        estimates += [dap(wanted, people, points, rounds=100) for points in (133, 42)]
    return {
        one.name: _plain({"value": one.value, "low": one.low, "high": one.high, "n": one.n})
        for one in estimates
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers that JSON knows: rounded, None for those that are none."""
    import math

    return {
        name: (round(value, 4) if math.isfinite(value) else None) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _estimator() -> BodyEstimator:
    from handwright.perception.body.estimate import BodyEstimator

    return BodyEstimator()
