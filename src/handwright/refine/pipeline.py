"""The repair of one picture: detect hands, fit, review, paint, check, paste, review again (SPEC §1)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from handwright.errors import HandsFileError
from handwright.hand.depth import depth_control
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network_loader import NetworkLoader
from handwright.image import with_patch
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect.arms import find_people
from handwright.perception.detect.landmarker import HandLandmarker, Person
from handwright.perception.detect.not_a_hand import NotAHand
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.perception.fit.hand_fit import fit_of_given_hand, warm_up
from handwright.progress import Stopwatch
from handwright.refine.attempt import Attempt, attempt_hand, attempt_together
from handwright.refine.candidates import Pixels, RefineContext
from handwright.refine.engine import Engine
from handwright.refine.hand_task import HandTask, plan_hand, with_part_maps
from handwright.refine.painters import open_painter
from handwright.refine.painting import expect_tries
from handwright.refine.result import HandRepair, Repair
from handwright.refine.review_before_after import (
    chosen_to_attempt,
    is_attempted,
    rejections_in_review,
    review_after,
    review_before,
    review_json_by_id,
)
from handwright.refine.scene import Scene, own_depth
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import HandReview, PictureReview
from handwright.review.checks.broken_hold import open_broken_holds
from handwright.review.critic.appearance import open_appearance
from handwright.review.critic.comparison import open_comparison
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.proposals.network import open_proposer
from handwright.threads import both, once, threads
from handwright.types import DepthControl, HandFit, HandObservation, Image

FoundHand = tuple[HandAnalysis, HandFit | None]  # A hand's analysis, and its fit where the user brought one


@contextmanager
def open_engine(
    landmarker: Path | None = None, on_stage: Callable[[str], None] = lambda _: None
) -> Generator[Engine]:
    """Load the perception models and the packaged judges that are there; diffusion models wait for use.

    Args:
        landmarker: A hand_landmarker.task of the user's own.
        on_stage: Called with the name of every stage of a picture as it begins.

    Raises:
        MissingModelError: The model is missing and cannot be fetched.
    """
    with HandLandmarker(landmarker) as loaded:
        networks = open_critic(), open_proposer(), open_comparison()
        others = open_appearance(loaded), open_broken_holds()
        yield Engine(loaded, NetworkLoader(), *networks, on_stage, *others)


def inspect_picture(image: Image, settings: RefineSettings, engine: Engine) -> Repair:
    """Find, fit and render every hand; nothing is painted."""
    watch = Stopwatch(engine.on_stage)
    detected, notes = _find(image.pixels, settings, engine, watch)
    scene = _scene(
        image, settings, _plan(image, settings, _analyse(image, detected, engine, watch), 1, watch), watch
    )
    hands = tuple(_skipped(task, image, scene, "looked at only") for task in scene.tasks)
    return Repair(
        before=image, after=image, hands=hands, depth=scene.depth, seconds=watch.seconds, notes=notes
    )


def refine_picture(image: Image, settings: RefineSettings, engine: Engine) -> Repair:
    """Review the hands of a picture and repaint those that fail.

    Hands that the settings name are attempted whatever the review finds. A hand is replaced only by a
    candidate that is accepted (``acceptance``) and does not fail when the finished picture is reviewed.

    Returns:
        The refined picture, equal to the input outside the masks of refined hands, with its evidence.

    Raises:
        DiffusionError: A diffusion model is missing, does not fit, or needs more memory than there is.
    """
    watch = Stopwatch(engine.on_stage)
    people = once(lambda: find_people(image.pixels, engine.landmarker))
    (detected, notes), _ = both(lambda: _find(image.pixels, settings, engine, watch, people), warm_up)
    search = settings.hands is None and not settings.boxes

    found = _analyse(image, detected, engine, watch)

    def first_review() -> PictureReview:
        with watch("review"):
            return review_before(image, [analysis for analysis, _ in found], engine.judge, search, people)

    before, tasks = both(first_review, lambda: _plan(image, settings, found, 1, watch))
    undetected = [hand.observation for hand in before.hands[len(detected) :] if hand.observation is not None]
    more = _analyse(image, [(hand, None) for hand in undetected], engine, watch)
    tasks += _plan(image, settings, more, len(tasks) + 1, watch)
    scene = _scene(image, settings, tasks, watch)
    reviews = {hand.id: hand for hand in before.hands}
    scene = replace(
        scene, tasks=tuple(_with_prediction(reviews[task.id], task, image, settings) for task in scene.tasks)
    )
    context = RefineContext(
        painter=open_painter(
            settings, lambda: engine.inpainters(settings.diffusion or DiffusionSettings()), engine.painter
        ),
        settings=settings,
        judge=engine.judge,
        watch=watch,
        reviews=reviews,
        comparison=engine.comparison,
    )
    wanted, left_alone = chosen_to_attempt(image, scene.tasks, reviews, settings, engine)
    attempts = _attempt_all(image.pixels, wanted, scene, context)
    known = {number: analysis for number, (analysis, _) in enumerate(found, start=1)}

    def again(picture: Image, won: Mapping[int, HandAnalysis]) -> PictureReview:
        with watch("review"):
            now = {number: hand.in_picture(picture) for number, hand in {**known, **won}.items()}
            return review_after(picture, before, now, engine.judge, search)

    after, attempts, finished = _finish(image, before, attempts, again, engine)
    before_json, after_json = review_json_by_id(before), review_json_by_id(finished) if finished else {}
    done = {attempt.task.id: attempt for attempt in attempts}
    hands = tuple(
        done[task.id].as_repair(image, before_json[task.id], after_json.get(task.id))
        if task.id in done
        else replace(
            _skipped(task, image, scene, left_alone[task.id]),
            review_before=before_json[task.id],
            review_after=after_json.get(task.id),
        )
        for task in scene.tasks
    )
    left = after_json if finished else before_json
    undetected = tuple(review for number, review in left.items() if number > len(hands))
    return Repair(
        before=image,
        after=after,
        hands=hands,
        depth=scene.depth,
        seconds=watch.seconds,
        notes=(*notes, *_refusals(before.refused)),
        judged_by=engine.judges,
        undetected=undetected,
    )


def _with_prediction(review: HandReview, task: HandTask, image: Image, settings: RefineSettings) -> HandTask:
    """Return a task with the critic's part maps, where the hand is attempted and can be assessed."""
    prediction = review.prediction
    if (
        prediction is None
        or prediction.part_maps is None
        or prediction.not_assessable
        or not is_attempted(review, settings)
    ):
        return task
    return with_part_maps(image.pixels, task, prediction.part_maps, settings.mask)


def _attempt_all(
    pixels: Pixels, wanted: Sequence[HandTask], scene: Scene, context: RefineContext
) -> list[Attempt]:
    """Attempt the hands one after the other, each in the picture as painted so far.

    Hands that lie apart are attempted in parallel, none in a picture with the others', so that the number of
    threads changes nothing; a painter that paints in batches learns what will come.
    """
    canvas = pixels.copy()
    attempts: list[Attempt] = []
    groups = scene.groups(wanted, context.painter.together)
    if context.settings.budget_s == 0:  # else a hand's time would go to others
        expect_tries(pixels, groups, scene, context)
    with ThreadPoolExecutor(threads()) as pool:
        for together in scene.rounds(groups, context.painter.side_by_side):
            done = list(pool.map(lambda group: _attempt_group(canvas, group, scene, context), together))
            for attempt in chain.from_iterable(done):
                _paste(canvas, attempt)
                attempts.append(attempt)
    return attempts


def _finish(
    image: Image,
    before: PictureReview,
    attempts: list[Attempt],
    again: Callable[[Image, Mapping[int, HandAnalysis]], PictureReview],
    engine: Engine,
) -> tuple[Image, list[Attempt], PictureReview | None]:
    """Paste the winners and review the picture; a rejected one gives way to the next best or the original.

    Returns:
        The finished picture, the attempts as they stand, and the review of the picture if it was changed.
    """
    while any(attempt.winner is not None for attempt in attempts):
        after = with_patch(image, *[one.winner for one in attempts if one.winner is not None])
        won = [attempt for attempt in attempts if attempt.winner is not None]
        review = again(
            after,
            {
                one.task.id: one.best.analysis
                or analyse_hand(after, one.task.observation, fitter=engine.fitter)
                for one in won
            },
        )
        why = rejections_in_review(attempts, before, review)
        if not why:
            return after, attempts, review
        attempts = [one.without_winner(why[one.task.id]) if one.task.id in why else one for one in attempts]
    return image, attempts, None


def _attempt_group(
    pixels: Pixels, group: Sequence[HandTask], scene: Scene, context: RefineContext
) -> list[Attempt]:
    """Attempt hands that meet in one go; should that fail, one by one, each beside those accepted."""
    earlier: dict[int, Attempt] = {}
    if len(group) > 1:
        attempts = attempt_together(pixels, group, scene, context)
        if all(attempt.winner is not None for attempt in attempts):
            return attempts
        earlier = {attempt.task.id: attempt for attempt in attempts}
    canvas, attempts = pixels.copy(), []
    for task in group:
        attempt = attempt_hand(canvas, task, scene, context)
        _paste(canvas, attempt)
        attempts.append(attempt.after(earlier.get(task.id)))
    return attempts


def _skipped(task: HandTask, image: Image, scene: Scene, reason: str) -> HandRepair:
    return HandRepair(
        id=task.id,
        observation=task.observation,
        fit=task.fit,
        mask=task.full_mask(image),
        depth=own_depth(task, scene.depth),
        action="skipped",
        reason=reason,
    )


def _find(
    pixels: Pixels,
    settings: RefineSettings,
    engine: Engine,
    watch: Stopwatch,
    people: Callable[[], list[Person]] | None = None,
) -> tuple[list[tuple[HandObservation, HandFit | None]], tuple[str, ...]]:
    """Return detected hands, with their fit where the user brought it, and what the user should know."""
    with watch("find"):
        if settings.hands is not None:
            return [(seen, fit_of_given_hand(seen, hand)) for seen, hand in settings.hands], ()
        if not settings.boxes:
            refused: list[NotAHand] = []
            hands = find_hands(pixels, landmarker=engine.landmarker, refused=refused, people=people)
            return [(hand, None) for hand in hands], _refusals(refused)
        found: list[tuple[HandObservation, HandFit | None]] = []
        notes: list[str] = []
        detected = find_in_boxes(pixels, settings.boxes, landmarker=engine.landmarker)
        for box, hand in zip(settings.boxes, detected, strict=True):
            if hand is None:
                at = ",".join(f"{v:g}" for v in box)
                notes.append(
                    f"No hand was recognised in the box {at}; try a wider box, or bring a hand with `hands`."
                )
            else:
                found.append((hand, None))
        return found, tuple(notes)


def _refusals(refused: Sequence[NotAHand]) -> tuple[str, ...]:
    """What the user should know of finds that are no hands."""
    boxes = (",".join(f"{v:.0f}" for v in one.bbox_xyxy_px) for one in refused)
    return tuple(f"Left alone at {box}: {one.reason}" for box, one in zip(boxes, refused, strict=True))


def _analyse(
    image: Image,
    detected: Sequence[tuple[HandObservation, HandFit | None]],
    engine: Engine,
    watch: Stopwatch,
) -> list[FoundHand]:
    with watch("fit"):
        return [
            (analyse_hand(image, observation, fitter=None if given else engine.fitter), given)
            for observation, given in detected
        ]


def _plan(
    image: Image, settings: RefineSettings, found: Sequence[FoundHand], first: int, watch: Stopwatch
) -> list[HandTask]:
    """Return tasks of hands that are numbered from ``first`` on.

    Raises:
        HandsFileError: The user's mask or depth image has another size than the picture.
    """
    mask, depth = settings.mask, settings.depth
    for name, given in (("mask", mask and mask.inside), ("depth image", depth and depth.pixels)):
        if given is not None and given.shape[:2] != image.pixels.shape[:2]:
            raise HandsFileError(
                f"the {name} is {given.shape[1]} × {given.shape[0]} pixels",
                f"the picture is {image.width} × {image.height}",
                f"give a {name} of the picture's size",
            )
    with watch("fit"):
        return [
            plan_hand(number, image, analysis, settings, fit)
            for number, (analysis, fit) in enumerate(found, start=first)
        ]


def _scene(image: Image, settings: RefineSettings, tasks: Sequence[HandTask], watch: Stopwatch) -> Scene:
    """Return the hands with their depth control image, rendered unless the user gave one."""
    given = settings.depth
    with watch("depth"):
        depth = depth_control([task.fit.hand for task in tasks], image.height, image.width)
        if given is not None:
            depth = DepthControl(np.ascontiguousarray(given.pixels.max(-1)), depth.hand_id)
    return Scene(tuple(tasks), depth, given is not None)


def _paste(pixels: np.ndarray, attempt: Attempt) -> None:
    candidate = attempt.winner
    if candidate is None:
        return
    x, y = candidate.origin_xy_px
    height, width = candidate.inside.shape
    pixels[y : y + height, x : x + width][candidate.inside] = candidate.pixels[candidate.inside]


__all__ = ["Engine", "inspect_picture", "open_engine", "refine_picture"]
