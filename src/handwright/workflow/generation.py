"""``handwright generate``: pictures from a pose or a text, their pose error, their review and the report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright import __version__
from handwright.errors import OutputError, UsageError
from handwright.progress import Progress, silent
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow.files import make_folder, sha256_of_file, write_text
from handwright.workflow.pose_source import PoseSource, pose_from_file, pose_from_photo, pose_from_text

if TYPE_CHECKING:
    from handwright.perception.body.estimate import BodyEstimator
    from handwright.review.judge import Judge
    from handwright.two_stage.engine import Engine, GeneratedPicture
    from handwright.two_stage.pose_completion import CompletedPose

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
    side: int = 512  # Longer side of the pictures, pixels
    skeleton: Path | None = None  # Where the skeleton picture goes
    report: Path | None = None  # Folder of the report
    fail_on: str = "fail"  # What of a hand makes the exit code 1
    force: bool = False  # Overwrite files
    progress: Progress = silent
    open_engine: Callable[[TwoStageSettings], Engine] | None = None  # None: the engine that the settings name
    open_judge: Callable[[], AbstractContextManager[Judge]] | None = None  # None: the real one
    open_estimator: Callable[[], BodyEstimator] | None = None  # None: the real one


@dataclass(frozen=True, eq=False)
class Generated:
    """What was generated."""

    report: dict[str, Any]  # As report.json has it
    exit_code: int  # 0 no hand fails the review, 1 one does
    page: Path | None = None  # The report's page


@dataclass(frozen=True, eq=False)
class _Run:
    generation: Generation
    source: PoseSource
    completed: CompletedPose
    engine: Engine
    judge: Judge
    estimator: BodyEstimator
    found: list[Any] = field(default_factory=list)


def generate_from_pose(generation: Generation) -> Generated:
    """Make pictures of a pose.

    Raises:
        InvalidValueError: The pose is bad or cannot be completed; the message names the joint.
        UsageError: Options make no sense together, or the reference does not show exactly one person.
        OutputError: A file is there already, or cannot be written.
        MissingModelError: A perception model is missing and could not be fetched.
        MissingPackageError: The body that the renderer draws is not installed.
        DiffusionError: A model cannot be loaded, does not fit, or runs out of memory.
    """
    from handwright.two_stage.engine import open_engine
    from handwright.two_stage.pose_completion import complete_pose

    _check(generation)
    outputs = _outputs(generation)
    with ExitStack() as stack:
        estimator = None
        if generation.pose is not None:
            source = pose_from_file(generation.pose, generation.person, generation.side)
        elif generation.reference is None:
            source = pose_from_text(generation.settings.prompt, generation.side, generation.settings.seed)
        else:
            estimator = stack.enter_context(_estimator(generation))
            source = pose_from_photo(generation.reference, generation.person, generation.side, estimator)
        completed = complete_pose(source.pose, source.width, source.height)
        _write_pose(generation, source, completed)
        if not outputs:
            return Generated(_document(generation, source, completed, [], [], 0), 0)
        engine = (generation.open_engine or open_engine)(generation.settings)
        estimator = estimator or stack.enter_context(_estimator(generation))
        judge = stack.enter_context((generation.open_judge or _open_judge)())
        run = _Run(generation, source, completed, engine, judge, estimator)
        pictures: list[dict[str, Any]] = []
        for number, output in enumerate(outputs):
            generation.progress("paint", number, len(outputs))
            pictures.append(_one(run, number, output))
            generation.progress("", number + 1, len(outputs))
    counts = [hand["verdict"] for picture in pictures for hand in picture["review"]["hands"]]
    code = int("fail" in counts or (generation.fail_on == "unsure" and "unsure" in counts))
    report = _document(generation, source, completed, pictures, run.found, code)
    page = None
    if generation.report is not None:
        from handwright.workflow.report.generation_page import render_generation

        write_text(generation.report / "report.json", json.dumps(report, indent=1, allow_nan=False) + "\n")
        page = generation.report / "index.html"
        write_text(page, render_generation(report))
    return Generated(report, code, page)


def _check(generation: Generation) -> None:
    if generation.pose is not None and generation.reference is not None:
        raise UsageError(
            "generate makes pictures of one pose", "it comes from a pose file or a photograph",
            "give --pose FILE or --reference PHOTO",
        )  # fmt: skip
    if generation.output is None and generation.skeleton is None:
        raise UsageError("there is nothing to write", "-o and --skeleton are missing", "give -o OUT")
    if generation.n < 1:
        raise UsageError(f"--n is {generation.n}", "", "give a whole number from 1 on")
    if not LEAST_SIDE <= generation.side <= MOST_SIDE:
        raise UsageError(
            f"--side is {generation.side}", "", f"give a number from {LEAST_SIDE} to {MOST_SIDE}"
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


def _one(run: _Run, number: int, output: Path) -> dict[str, Any]:
    """Make, measure, review and write one picture; its entry in the report."""
    from handwright.image import save_image
    from handwright.metrics.pose_error import pose_error
    from handwright.review.judge import review_picture
    from handwright.review.review_json import picture_json
    from handwright.two_stage.engine import PoseRequest
    from handwright.types import Image

    generation, source = run.generation, run.source
    seed = generation.settings.seed + number
    begun = time.perf_counter()
    request = PoseRequest(run.completed, source.width, source.height, generation.settings, seed)
    generated = run.engine.make(request)
    seconds = time.perf_counter() - begun
    image = Image(generated.pixels)
    bodies = [body.pose for body in run.estimator(generated.pixels)]
    error = pose_error(run.completed.pose, bodies, source.width, source.height)
    run.found.append(bodies)
    review = review_picture(image, run.judge)
    make_folder(output.parent)
    save_image(image, output, overwrite=generation.force)
    files = (
        {}
        if generation.report is None
        else _evidence(generation.report, f"{number:04d}", generated, bodies, run)
    )
    return {
        "output": output.as_posix(),
        "sha256": sha256_of_file(output),
        "seed": seed,
        "words": generated.words,
        "notes": list(generated.notes),
        "pose_error": _plain(asdict(error)),
        "review": picture_json(output.as_posix(), review),
        "files": files,
        "seconds": round(seconds, 2),
    }


def _evidence(
    report: Path, name: str, generated: GeneratedPicture, bodies: list[Any], run: _Run
) -> dict[str, Any]:
    """Write the pictures beside the report; their names below it."""
    import numpy as np

    from handwright.image import write_png
    from handwright.metrics.pose_error import nearest_person, wanted_points
    from handwright.perception.body.skeleton_picture import skeleton_picture

    folder = report / name
    make_folder(folder)
    height, width = generated.mask.shape
    wanted = wanted_points(run.completed.pose, width, height)
    person = nearest_person(wanted, bodies)
    shown = skeleton_picture([] if person is None else person, width, height)
    parts: dict[str, Any] = {
        "picture": generated.pixels,
        "canvas": generated.canvas,
        "mask": generated.mask.astype(np.uint8) * 255,
        "found": np.where(shown.any(2, keepdims=True), shown, generated.pixels),
        "steps": generated.strip,
        **{f"hand-{'-'.join(hand.sides)}": hand.pixels for hand in generated.hands},
    }
    files: dict[str, str] = {}
    for part, pixels in parts.items():
        if pixels is not None:
            write_png(folder / f"{part}.png", pixels)
            files[part] = f"{name}/{part}.png"
    return files


def _write_pose(generation: Generation, source: PoseSource, completed: CompletedPose) -> None:
    from handwright.image import write_png
    from handwright.perception.body.pose_file import openpose_json
    from handwright.perception.body.skeleton_picture import skeleton_picture

    drawn = skeleton_picture(completed.pose, source.width, source.height)
    if generation.skeleton is not None:
        if generation.skeleton.exists() and not generation.force:
            raise OutputError(
                f"{generation.skeleton} is there already", "", "choose another name, or give --force"
            )
        make_folder(generation.skeleton.parent)
        write_png(generation.skeleton, drawn)
    if generation.report is not None:
        make_folder(generation.report)
        write_png(generation.report / "skeleton.png", drawn)
        if source.body is not None:
            text = json.dumps(source.body.to_json(), indent=1)
            write_text(generation.report / "parameters.json", text + "\n")
        text = json.dumps(openpose_json(completed.pose, source.width, source.height))
        write_text(generation.report / "pose.json", text + "\n")


def _document(
    generation: Generation,
    source: PoseSource,
    completed: CompletedPose,
    pictures: list[dict[str, Any]],
    found: list[Any],
    code: int,
) -> dict[str, Any]:
    return {
        "schema": "handwright/generation-1",
        "handwright": __version__,
        "command": "generate",
        "exit_code": code,
        "settings": asdict(replace(generation.settings)),
        "pose": {
            "source": source.name,
            "width": source.width,
            "height": source.height,
            "hands": list(completed.hands),
            "completed": list(completed.added),
            "notes": list(source.notes),
        },
        "measures": _measures(completed, source, found) if pictures else {},
        "pictures": pictures,
    }


def _measures(completed: CompletedPose, source: PoseSource, found: list[Any]) -> dict[str, Any]:
    """MPJPE and, where pycocotools is installed, DAP over the pictures, with 95 % intervals."""
    from importlib.util import find_spec

    from handwright.metrics.average_precision import FoundPerson, dap
    from handwright.metrics.pose_error import mpjpe_of, wanted_points

    size = source.width, source.height
    estimates = list(mpjpe_of([completed.pose] * len(found), found, [size] * len(found)))
    if find_spec("pycocotools") is not None:
        wanted = wanted_points(completed.pose, *size)
        people = [
            [FoundPerson(pose.points_px, float(pose.visibility.mean())) for pose in bodies]
            for bodies in found
        ]
        estimates += [dap([[wanted]] * len(found), people, points, rounds=100) for points in (133, 42)]
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


def _estimator(generation: Generation) -> BodyEstimator:
    from handwright.perception.body.estimate import BodyEstimator

    return (generation.open_estimator or BodyEstimator)()


def _open_judge() -> AbstractContextManager[Judge]:
    from handwright.perception.models.download import ensure_models
    from handwright.review.judge import open_judge

    return open_judge(ensure_models().hand_landmarker)
