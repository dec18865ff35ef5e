"""One generated picture: made, reviewed against its text, mended where a hand fails, and reviewed again.

The workflow of seed 000: what fails is mended first, and made anew from another seed only where it still does
not pass. How it is mended is the settings' ``mend``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from handwright.types import Image

if TYPE_CHECKING:
    from handwright.prompts.expectation import Expectation
    from handwright.refine.pipeline import Engine as RefineEngine
    from handwright.review.checklist import PictureReview
    from handwright.two_stage.engine import Engine, GeneratedPicture, PoseRequest
    from handwright.two_stage.pose_completion import CompletedPose
    from handwright.two_stage.settings import TwoStageSettings
    from handwright.workflow.generate.pose_source import PoseSource

Poses = Callable[[int], "tuple[PoseSource, CompletedPose]"]
"""The pose for a seed: another one for each where a text decides, else always the same."""


class Reviewer(Protocol):
    """Who judges pictures, and mends hands in them."""

    def review(self, image: Image, expected: Expectation | None) -> PictureReview:
        """Go through the checklist of every hand."""
        ...

    def mend(self, image: Image, seed: int) -> tuple[Image, tuple[str, ...]]:
        """Repaint the hands that fail; the picture, and a line for each hand that was attempted."""
        ...


@dataclass(frozen=True, eq=False)
class Attempt:
    """One try at a picture."""

    seed: int
    source: PoseSource
    completed: CompletedPose
    generated: GeneratedPicture
    image: Image  # As it ends: mended where that made the review better
    first_review: PictureReview  # Of the picture as it was generated
    review: PictureReview  # Of ``image``
    mended: tuple[str, ...]  # What was done to hands that failed, a line each
    seconds: float  # Of all of it

    @property
    def passes(self) -> bool:
        """Whether the review has nothing against it; 'cannot tell' is no pass."""
        return self.review.verdict == "pass"

    def to_json(self) -> dict[str, Any]:
        """The entry of ``attempts`` in the report."""
        return {
            "seed": self.seed,
            "verdict_before_mending": self.first_review.verdict,
            "mended": list(self.mended),
            "verdict": self.review.verdict,
            "seconds": round(self.seconds, 2),
        }


def attempt_until_passed(
    seeds: Sequence[int], settings: TwoStageSettings, poses: Poses, engine: Engine, reviewer: Reviewer
) -> tuple[Attempt, ...]:
    """Try seeds in turn until a picture passes its review.

    Args:
        seeds: One a try, at least one.
        settings: How pictures are made.
        poses: Where their poses come from.
        engine: Who paints them.
        reviewer: Who judges and mends them.

    Returns:
        All tries; :func:`best_of` names the one to keep.
    """
    from handwright.prompts.parse import parse_prompt

    expected = parse_prompt(settings.prompt) if settings.prompt.strip() else None
    tried: list[Attempt] = []
    for seed in seeds:
        tried.append(_attempt(seed, settings, poses, engine, reviewer, expected))
        if tried[-1].passes:
            break
    return tuple(tried)


def best_of(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt whose review is the best, the first of equals."""
    return min(attempts, key=lambda attempt: _badness(attempt.review))


def _attempt(
    seed: int,
    settings: TwoStageSettings,
    poses: Poses,
    engine: Engine,
    reviewer: Reviewer,
    expected: Expectation | None,
) -> Attempt:
    from handwright.two_stage.engine import PoseRequest

    begun = time.perf_counter()
    source, completed = poses(seed)
    request = PoseRequest(completed, source.width, source.height, settings, seed, source.body)
    generated = engine.make(request)
    image = Image(generated.pixels)
    first = review = reviewer.review(image, expected)
    lines: tuple[str, ...] = ()
    if first.verdict == "fail" and settings.mend != "off":
        mended, lines = _mended(request, image, first, engine, reviewer)
        again = reviewer.review(mended, expected)
        if _badness(again) < _badness(first):
            image, review = mended, again
        elif lines:
            lines = (*lines, "The picture stays as it was generated: its review is no better afterwards.")
    return Attempt(
        seed, source, completed, generated, image, first, review, lines, time.perf_counter() - begun
    )


def _mended(
    request: PoseRequest, image: Image, review: PictureReview, engine: Engine, reviewer: Reviewer
) -> tuple[Image, tuple[str, ...]]:
    """The picture with its failing hands drawn, or painted once more, and a line for each of them."""
    from handwright.two_stage.engine import RepaintingEngine

    if request.settings.mend == "draw":
        return reviewer.mend(image, request.seed)
    assert isinstance(engine, RepaintingEngine)  # the settings refuse any other
    boxes = [hand.bbox_xyxy_px for hand in review.hands if hand.verdict == "fail"]
    pixels, sides = engine.repaint(request, image.pixels, boxes)
    return Image(pixels), tuple(f"The {side} hand is painted once more by stage I." for side in sides)


def _badness(review: PictureReview) -> tuple[int, int]:
    """Hands that fail; then hands of which it cannot tell, notes, and a picture without any hand."""
    verdicts = [hand.verdict for hand in review.hands]
    return verdicts.count("fail"), verdicts.count("unsure") + len(review.notes) + (not verdicts)


class OwnReviewer:
    """The package's review and refinement.

    Args:
        engine: Their models.
    """

    def __init__(self, engine: RefineEngine) -> None:
        self.engine = engine

    @cached_property
    def _judge(self) -> Any:  # noqa: ANN401
        return self.engine.judge

    def review(self, image: Image, expected: Expectation | None) -> PictureReview:
        """See :class:`Reviewer`."""
        from handwright.review.judge import review_picture

        return review_picture(image, self._judge, expected)

    def mend(self, image: Image, seed: int) -> tuple[Image, tuple[str, ...]]:
        """See :class:`Reviewer`; hands are drawn, as ``handwright refine`` does by default."""
        from handwright.refine.pipeline import refine_picture
        from handwright.refine.settings import refine_settings

        repair = refine_picture(image, refine_settings({"seed": seed}), self.engine)
        lines = [
            f"Hand {hand.id} {hand.action}: {hand.reason}"
            for hand in repair.hands
            if hand.action != "skipped"
        ]
        return repair.after, tuple(lines)


@contextmanager
def open_reviewer() -> Generator[Reviewer]:
    """Load the models of review and refinement.

    Raises:
        MissingModelError: A perception model is missing and cannot be fetched.
    """
    from handwright.perception.models.download import ensure_models
    from handwright.refine.pipeline import open_engine

    with open_engine(ensure_models().hand_landmarker) as engine:
        yield OwnReviewer(engine)
