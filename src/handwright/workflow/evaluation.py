"""`handwright evaluate`: folders and patterns in, measures out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from handwright.errors import UsageError
from handwright.progress import Progress, silent
from handwright.workflow.keywords import known_keywords
from handwright.workflow.picture_sets import Given, find_pictures

if TYPE_CHECKING:
    from handwright.metrics.extractors.features import FeatureExtractor
    from handwright.metrics.results import Evaluation
    from handwright.metrics.sets.evaluation import Plan
    from handwright.metrics.sets.gather import HandFinder


@known_keywords
def evaluate(
    real: Given,
    fake: Given,
    *,
    metrics: Sequence[str] | str = (),
    hands: bool = False,
    masks: tuple[str | Path, str | Path] | None = None,
    versus: Given | None = None,
    extractor: str | FeatureExtractor = "hw-v2",
    landmarker: str | Path | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure pictures, or poses, against real ones: FID, KID and measures of hands and people.

    Args:
        real: Folder, pattern, file, or several, of the reference pictures; a folder of ``synth`` shards,
            which bring their truth; or a .npz or .safetensors file of poses.
        fake: The same of what is to be judged. Pictures of one name (suffix aside) are compared hand by hand
            and person by person, where that is wanted.
        metrics: Names, such as 'kid' (all of them: docs/metrics.md); default: KID, and FID where there are
            more pictures than features; of poses all.
        hands: Also measure hands: their crops, how surely they are found, how far their joints lie off.
        masks: Folders of foreground masks of both sets; adds KID and FID without background.
        versus: Another treatment of FAKE's inputs, under the same names; adds paired FAKE − VERSUS.
        extractor: An extractor, or the name of one (``handwright.metrics.extractors.EXTRACTORS``).
        landmarker: A hand_landmarker.task of the user's own.
        seed: Of the bootstrap intervals.
        progress: Called before the first and after each picture.

    Returns:
        Every measure with N and a 95 % bootstrap interval.

    Raises:
        HandwrightError: No such measure or extractor, a folder without pictures, a damaged file, too few
            pictures for every measure, or missing weights.

    >>> import handwright
    >>> result = handwright.evaluate("real/", "fake/", metrics=["kid", "det"])  # doctest: +SKIP
    >>> {one.name: one.value for one in result.estimates}  # doctest: +SKIP
    {'kid': 0.0131, 'det': 0.92}
    """
    from handwright.metrics.poses import is_parameter_file

    names = [metrics] if isinstance(metrics, str) else metrics
    if is_parameter_file(real) or is_parameter_file(fake):
        return _evaluate_parameters(real, fake, names, seed)
    from handwright.metrics.results import Skipped
    from handwright.metrics.sets.evaluation import Plan, evaluate_sets

    plan = Plan(tuple(names), hands, masks is not None, seed)
    folders = (*((None, None) if masks is None else map(Path, masks)), None)
    given = [("REAL", real), ("FAKE", fake), *([("VERSUS", versus)] if versus is not None else [])]
    sets = [find_pictures(one, name, folder) for (name, one), folder in zip(given, folders, strict=False)]
    with ExitStack() as stack:
        finder = (
            _open_finder(None if landmarker is None else Path(landmarker), stack)
            if plan.needs_finder
            else None
        )
        total, done = sum(len(one.items) for one in sets), itertools.count(1)
        show = progress or silent
        show("", 0, total)
        opened = _opened(extractor, plan)
        other = sets[2].items if versus is not None else None
        result = evaluate_sets(
            sets[0].items, sets[1].items, plan, opened, finder, lambda: show("", next(done), total), other
        )
    return replace(result, skipped=(*(Skipped(*p) for one in sets for p in one.problems), *result.skipped))


def _evaluate_parameters(real: Given, fake: Given, metrics: Sequence[str], seed: int) -> Evaluation:
    from handwright.metrics.poses import (
        evaluate_parameters,
        is_parameter_file,
        read_parameters,
    )

    if not (is_parameter_file(real) and is_parameter_file(fake)):
        raise UsageError(
            "one of REAL and FAKE is a file of parameters, the other is not", "", "give two of a kind"
        )
    poses = [read_parameters(Path(str(given))) for given in (real, fake)]
    return evaluate_parameters(poses[0], poses[1], metrics, seed)


def _opened(extractor: str | FeatureExtractor, plan: Plan) -> FeatureExtractor | None:
    from handwright.metrics.extractors import open_extractor

    if not plan.needs_extractor:
        return None
    return open_extractor(extractor) if isinstance(extractor, str) else extractor


def _open_finder(landmarker: Path | None, stack: ExitStack) -> HandFinder:
    from handwright.perception.detect.landmarker import HandLandmarker
    from handwright.perception.detect.search import find_hands

    detector = stack.enter_context(HandLandmarker(landmarker))
    return lambda pixels: find_hands(pixels, landmarker=detector)
