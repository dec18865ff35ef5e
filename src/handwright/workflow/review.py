"""Reviews of many pictures: `handwright review`."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from handwright import __version__
from handwright.errors import HandwrightError, UsageError
from handwright.options import OPTIONS
from handwright.plug_ins import chosen, describe
from handwright.prompts.parse import parse_prompt
from handwright.workflow.files import make_folder, remove_parts, write_text
from handwright.workflow.jobs import Job, find_sources
from handwright.workflow.run.ledger import Ledger
from handwright.workflow.run.picture import Outcome
from handwright.workflow.run.pool import JobOptions, OpenEngine, exit_code_of, run_in_order
from handwright.workflow.run.request import Plan, Request

if TYPE_CHECKING:
    import numpy as np

    from handwright.prompts.expectation import Expectation
    from handwright.review.checklist import HandReview, PictureReview
    from handwright.review.judge import Judge

_CROP_PX, _CROP_MARGIN = 360, 0.3  # Longer side of a hand's view on the page; room around it, in its sizes


@dataclass(frozen=True, kw_only=True)
class ReviewOptions(JobOptions):
    """How pictures are reviewed; the report is review.json, index.html and the overlays."""

    prompt: str | None = None  # What they were meant to show; None holds them against nothing
    generated: bool = False  # They are known to be of image generators: what looks malformed does not pass
    calibration: Path | None = None  # What ``--calibrate`` wrote, for the critic to be read by, or None
    landmarker: object = None  # A hand_landmarker.task (a ``Path``), or a plug-in of the user's own
    fitter: object = None  # A plug-in of the user's own, likewise
    critic: object = None  # A plug-in of the user's own, likewise
    # Makes the judge; None: the real one with the models of ``handwright setup``
    open_judge: Callable[[], AbstractContextManager[Judge]] | None = None

    @property
    def plug_ins(self) -> dict[str, Any]:
        """The user's own models, by kind: names or objects (``handwright.plug_ins``)."""
        return chosen(vars(self))

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: An option has no such value, or a calibration is given for a critic of the user's.
            PlugInError: A plug-in cannot be imported, is no class, or lacks its method.
        """
        super().check()
        for kind in ("fitter", "critic"):
            OPTIONS[kind].check(getattr(self, kind))
        describe(self.plug_ins)
        if self.calibration is not None and self.critic is not None:
            raise UsageError(
                "`calibration` belongs to the packaged critic",
                "`critic` takes its place",
                "leave one of them out",
            )


@dataclass(frozen=True)
class ReviewResult:
    """What a review found."""

    review: dict[str, Any]  # The whole of it (see review-1.schema.json)
    exit_code: int  # 0 nothing at or above ``fail_on``, 1 findings, 2 a file that could not be read, 70 a bug
    traces: tuple[str, ...] = ()  # Tracebacks of internal errors, for ``--debug``
    page: Path | None = None  # The report's page, or None


def review_files(inputs: Sequence[str | Path], options: ReviewOptions | None = None) -> ReviewResult:
    """Review pictures; a file that cannot be read stops nothing.

    Raises:
        UsageError: The inputs name no picture, or an option makes no sense.
        OutputError: The report cannot be written.
        MissingModelError: The perception model is missing and could not be fetched.
        DataError: The calibration cannot be read, or is of another critic.
    """
    options = options or ReviewOptions()
    options.check()
    barred = [options.report] if options.report is not None and options.report.is_dir() else []
    sources = find_sources(inputs, leave_out=barred)
    jobs = [Job(source.path, source.name, source.path) for source in sources]
    if options.report is not None:
        make_folder(options.report)
        remove_parts([options.report], below=True)
    expected = None if options.prompt is None else parse_prompt(options.prompt)
    opener = judge_opener(options)
    work = partial(_review_file, expected, options.generated, options.report)
    plan = Plan(request=Request(), settings={}, ledger=Ledger("", Path()))
    outcomes = run_in_order(jobs, work, plan, cast("OpenEngine", opener), options)
    return _result(outcomes, options)


def judge_opener(options: ReviewOptions) -> Callable[[], AbstractContextManager[Judge]]:
    """What opens the judge of these options, in any process.

    Raises:
        MissingModelError: The perception model is missing and could not be fetched.
        DataError: The calibration cannot be read, or is of another critic.
        UsageError: There is a calibration, but no critic that it could be of.
    """
    options.check()
    opener = options.open_judge or partial(_open_judge, options.landmarker_file(options.landmarker))
    if options.plug_ins:
        opener = partial(_with_plug_ins, opener, options.plug_ins)
    if options.calibration is None:
        return opener
    from handwright.workflow.calibrate import open_recalibrated

    recalibrated = partial(open_recalibrated, opener, options.calibration)
    with recalibrated():
        return recalibrated


def _result(outcomes: Sequence[Outcome], options: ReviewOptions) -> ReviewResult:
    from handwright.review.review_json import review_json

    records = [outcome.record for outcome in outcomes]
    good = [record["review"] for record in records if record["error"] is None]
    bad = [record for record in records if record["error"] is not None]
    unreadable = [{"path": record["input"], "error": _error_line(record["error"])} for record in bad]
    views = [record["views"] for record in records if record["error"] is None]
    plug_ins, generated = describe(options.plug_ins), options.generated
    review = review_json(good, unreadable, options.prompt, __version__, plug_ins, generated=generated)
    page = None
    if options.report is not None:
        from handwright.workflow.report.review_page import render_page

        page = options.report / "index.html"
        write_text(page, render_page(review, views))
        text = json.dumps(review, indent=1, ensure_ascii=False, allow_nan=False)
        write_text(options.report / "review.json", text + "\n")
    traces = tuple(outcome.trace for outcome in outcomes if outcome.trace)
    code = exit_code_of([record["error"] for record in bad], review["summary"], options.fail_on)
    return ReviewResult(review, code, traces, page)


def look_limit(generated: bool) -> float | None:
    """The limit of ``review_picture`` for pictures that are known to be generated, or None."""
    from handwright.review.generated_look import GENERATOR_LOOK

    return GENERATOR_LOOK if generated else None


def _review_file(
    expected: Expectation | None,
    generated: bool,
    report: Path | None,
    job: Job,
    plan: Plan,
    engine: Callable[[], Any],
) -> Outcome:
    """One picture in any process; its record is its entry in the review, and small views of its hands."""
    from handwright.image import load_image
    from handwright.review.judge import review_picture
    from handwright.review.review_json import picture_json

    image = load_image(job.source)
    review = review_picture(image, engine(), expected, look_limit=look_limit(generated))
    views = _write_views(report, job, image.pixels, review)
    return Outcome({"review": picture_json(job.source.as_posix(), review), "views": views, "error": None})


def _write_views(report: Path | None, job: Job, pixels: np.ndarray, review: PictureReview) -> dict[int, str]:
    """Write the overlay; per hand a small JPEG of it as a data: address. Nothing without a report."""
    if report is None:
        return {}
    from handwright.image import write_png
    from handwright.review.overlay import draw_review

    drawn = draw_review(pixels, review.hands)
    path = report / "overlays" / _overlay_name(job.name)
    make_folder(path.parent)
    write_png(path, drawn)
    return {hand.id: _data_address(drawn, hand) for hand in review.hands}


def _overlay_name(name: PurePosixPath) -> PurePosixPath:
    return name if name.suffix == ".png" else name.with_name(f"{name.name}.png")


def _data_address(drawn: np.ndarray, hand: HandReview) -> str:
    from PIL import Image as PILImage

    x0, y0, x1, y1 = hand.bbox_xyxy_px
    half = max((x1 - x0, y1 - y0)) * (0.5 + _CROP_MARGIN)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    height, width = drawn.shape[:2]
    left, top = int(min(max(x - half, 0), width - 1)), int(min(max(y - half, 0), height - 1))
    right, bottom = int(max(min(x + half, width), left + 1)), int(max(min(y + half, height), top + 1))
    view = PILImage.fromarray(drawn[top:bottom, left:right])
    view.thumbnail((_CROP_PX, _CROP_PX))
    data = io.BytesIO()
    view.save(data, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def _error_line(error: Mapping[str, str]) -> str:
    what = error["what"].replace("could not be refined", "could not be reviewed")
    return str(HandwrightError(what, error["why"], error["fix"]))


@contextmanager
def _with_plug_ins(
    opener: Callable[[], AbstractContextManager[Judge]], plug_ins: Mapping[str, Any]
) -> Generator[Judge]:
    with opener() as judge:
        yield judge.with_plug_ins(plug_ins)


def _open_judge(landmarker: Path) -> AbstractContextManager[Judge]:
    from handwright.review.judge import open_judge

    return open_judge(landmarker)
