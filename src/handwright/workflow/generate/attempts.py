"""One generated picture: made anew until it passes its review against the text, else mended, reviewed again.

The workflow of seed 000, with one difference: what does not pass is first made anew from another seed, and
mended only where no seed passes. Of 102 rendered pictures that failed mending made one pass; of 184 further
seeds 44 passed, each in half the time (docs/research/workflow.md). How it is mended: the settings' ``mend``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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

    def review(
        self, image: Image, expected: Expectation | None, *, look_limit: float | None = None
    ) -> PictureReview:
        """Go through the checklist of every hand; ``look_limit`` as of ``review_picture``."""
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
    """Try seeds in turn until a picture passes its review; where none does, mend the best of those that fail.

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
            return tuple(tried)
    failing = [attempt for attempt in tried if attempt.review.verdict == "fail"]
    if failing and settings.mend != "off":
        best = best_of(failing)
        tried[tried.index(best)] = _mended(best, settings, engine, reviewer, expected)
    return tuple(tried)


def best_of(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt with the fewest hands that fail, then one with hands, the fewest unclear, the best look."""
    return min(attempts, key=lambda attempt: (_badness(attempt.review), _look(attempt.review)))


def look_limit_of(settings: TwoStageSettings) -> float | None:
    """P(looks malformed) from which on a hand does not pass; None where nothing was painted by networks."""
    from handwright.diffusion.loading.places import EMBEDDED
    from handwright.review.generated_look import EMBEDDED_LOOK, GENERATOR_LOOK

    if not settings.painted:
        return None
    return EMBEDDED_LOOK if settings.via == "two-stage" and settings.model in EMBEDDED else GENERATOR_LOOK


def _attempt(
    seed: int,
    settings: TwoStageSettings,
    poses: Poses,
    engine: Engine,
    reviewer: Reviewer,
    expected: Expectation | None,
) -> Attempt:

    begun = time.perf_counter()
    source, completed = poses(seed)
    generated = engine.make(_request(seed, source, completed, settings))
    image = Image(generated.pixels)
    review = reviewer.review(image, expected, look_limit=look_limit_of(settings))
    return Attempt(seed, source, completed, generated, image, review, review, (), time.perf_counter() - begun)


def _request(
    seed: int, source: PoseSource, completed: CompletedPose, settings: TwoStageSettings
) -> PoseRequest:
    from handwright.two_stage.engine import PoseRequest

    return PoseRequest(completed, source.width, source.height, settings, seed, source.body)


def _mended(
    attempt: Attempt,
    settings: TwoStageSettings,
    engine: Engine,
    reviewer: Reviewer,
    expected: Expectation | None,
) -> Attempt:
    """The attempt with its failing hands mended, or as it was where its review is no better afterwards."""
    begun = time.perf_counter()
    image, lines = _repaired(attempt, settings, engine, reviewer)
    review = reviewer.review(image, expected, look_limit=look_limit_of(settings))
    if _badness(review) >= _badness(attempt.review):
        image, review = attempt.image, attempt.review
        if lines:
            lines = (*lines, "The picture stays as it was generated: its review is no better afterwards.")
    seconds = attempt.seconds + time.perf_counter() - begun
    return replace(attempt, image=image, review=review, mended=lines, seconds=seconds)


def _repaired(
    attempt: Attempt, settings: TwoStageSettings, engine: Engine, reviewer: Reviewer
) -> tuple[Image, tuple[str, ...]]:
    """The picture with its failing hands drawn, or painted once more, and a line for each of them."""
    from handwright.two_stage.engine import RepaintingEngine

    if settings.mend == "draw":
        return reviewer.mend(attempt.image, attempt.seed)
    assert isinstance(engine, RepaintingEngine)  # the settings refuse any other
    boxes = [hand.bbox_xyxy_px for hand in attempt.review.hands if hand.verdict == "fail"]
    request = _request(attempt.seed, attempt.source, attempt.completed, settings)
    pixels, sides = engine.repaint(request, attempt.image.pixels, boxes)
    return Image(pixels), tuple(f"The {side} hand is painted once more by stage I." for side in sides)


def _badness(review: PictureReview) -> tuple[int, bool, int]:
    """Hands that fail; then whether no hand is found; then hands of which it cannot tell, and notes."""
    verdicts = [hand.verdict for hand in review.hands]
    return verdicts.count("fail"), not verdicts, verdicts.count("unsure") + len(review.notes)


def _look(review: PictureReview) -> float:
    """The highest P(looks malformed) of its hands, to a tenth: what differs by less counts as equal."""
    each = [hand.prediction.appearance for hand in review.hands if hand.prediction is not None]
    return round(max(each, default=0.0), 1)


class OwnReviewer:
    """The package's review and refinement, by the models of an engine."""

    def __init__(self, engine: RefineEngine) -> None:
        self.engine = engine

    @cached_property
    def _judge(self) -> Any:  # noqa: ANN401
        return self.engine.judge

    def review(
        self, image: Image, expected: Expectation | None, *, look_limit: float | None = None
    ) -> PictureReview:
        """See :class:`Reviewer`."""
        from handwright.review.judge import review_picture

        return review_picture(image, self._judge, expected, look_limit=look_limit)

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
