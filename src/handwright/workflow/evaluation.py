"""`handwright evaluate`: folders and patterns in, measures out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from handwright.errors import UsageError
from handwright.workflow.jobs import find_sources

if TYPE_CHECKING:
    from handwright.metrics.evaluation import Plan
    from handwright.metrics.features import FeatureExtractor
    from handwright.metrics.gather import HandFinder
    from handwright.metrics.results import Evaluation

DEFAULT_EXTRACTOR = "hw-v1"


def evaluate(
    real: str | Path | Sequence[str | Path],
    fake: str | Path | Sequence[str | Path],
    *,
    metrics: Sequence[str] = (),
    hands: bool = False,
    masks: tuple[Path, Path] | None = None,
    extractor: str | FeatureExtractor = DEFAULT_EXTRACTOR,
    landmarker: Path | None = None,
    seed: int = 0,
    on_start: Callable[[int], None] = lambda _: None,
    on_picture: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Measure pictures against real ones.

    Args:
        real: Folder, pattern, file, or several, of the reference pictures.
        fake: The same of the pictures to judge. Pictures of one name (suffix aside) are compared hand by
            hand, where that is asked for.
        metrics: Names (``handwright.metrics.evaluation.METRICS``); default: KID, and FID where there are more
            pictures than features.
        hands: Also measure hands: their crops, how surely they are found, how far their joints lie off.
        masks: Folders of foreground masks of both sets; adds KID and FID without background.
        extractor: An extractor or the name of one (``handwright.metrics.extractors.EXTRACTORS``).
        landmarker: A hand_landmarker.task of the user's own.
        seed: Of the bootstrap intervals.
        on_start: Told how many pictures there are.
        on_picture: Called after each.

    Raises:
        UsageError: A metric or extractor has no such name, or a folder holds no picture.
        NotEnoughDataError: Nothing at all could be measured.
        MissingModelError: Weights that are needed are missing.
    """
    from handwright.metrics.evaluation import Plan, evaluate_sets

    plan = Plan(tuple(metrics), hands, masks, seed)
    sets = [_by_name(given, called) for given, called in ((real, "REAL"), (fake, "FAKE"))]
    with ExitStack() as stack:
        finder = _open_finder(landmarker, stack) if plan.needs_finder else None
        on_start(sum(map(len, sets)))
        return evaluate_sets(sets[0], sets[1], plan, _opened(extractor, plan), finder, on_picture)


def _by_name(given: str | Path | Sequence[str | Path], called: str) -> Mapping[str, Path]:
    """File of each picture by its name without suffix; with it where two would be called the same.

    Raises:
        UsageError: There is no picture.
    """
    inputs = [given] if isinstance(given, str | Path) else list(given)
    try:
        sources = find_sources(inputs)
    except UsageError as error:
        raise UsageError(f"{called}: {error.what}", error.why, error.fix) from error
    named: dict[str, Path] = {}
    for source in sources:
        short, full = source.name.with_suffix("").as_posix(), source.name.as_posix()
        name = short if short not in named else full
        named[name if name not in named else source.path.as_posix()] = source.path
    return named


def _opened(extractor: str | FeatureExtractor, plan: Plan) -> FeatureExtractor | None:
    from handwright.metrics.extractors import open_extractor

    if not plan.needs_extractor:
        return None
    return open_extractor(extractor) if isinstance(extractor, str) else extractor


def _open_finder(landmarker: Path | None, stack: ExitStack) -> HandFinder:
    from handwright.perception.find import find_hands
    from handwright.perception.landmarker import HandLandmarker

    eyes = stack.enter_context(HandLandmarker(landmarker))
    return lambda pixels: find_hands(pixels, landmarker=eyes)
