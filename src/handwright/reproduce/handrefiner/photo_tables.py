"""HandRefiner's Tables 1 and 2: generated pictures, and crops of their hands, held against photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError, UsageError
from handwright.metrics.crops import CROP_PX, MARGIN, hand_crop
from handwright.metrics.estimate import mean_estimate
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import FeatureExtractor, extract
from handwright.metrics.frechet import frechet_distance, frechet_distance_difference
from handwright.metrics.kernel import kernel_distance, kernel_distance_difference
from handwright.perception.detect.views import box_iou
from handwright.refine.pipeline import open_engine
from handwright.reproduce.handrefiner.generated import (
    GENERATED,
    STATES,
    WITH_GESTURE,
    GeneratedPictures,
    Pixels,
)
from handwright.reproduce.handrefiner.photo_page import Measured, PhotoResults, write_photo_page
from handwright.reproduce.handrefiner.photographs import Photographs, open_freihand, open_hagrid
from handwright.reproduce.handrefiner.study import REFEREE, Study
from handwright.reproduce.measure import ANATOMY, APPEARANCE, Figures
from handwright.reproduce.sheets import save_sheet
from handwright.reproduce.store import Store
from handwright.types import Box
from handwright.workflow.files import cache_folder, fingerprint

MOST_ENLARGED = 4.0
"""Hands whose crop would be enlarged by more are left out of Table 2, as are those that another hand meets;
the paper leaves out such hands and gives no size. Chosen by eye."""

SAME_HAND = 0.2
"""Intersection over union of boxes from which a detection is the same hand; chosen by eye."""

SHOWN = 6  # Pictures of each kind on the sheet beside the page

Features = Float[np.ndarray, "n d"]
Hand = tuple[float, float, float, float, float]  # x0, y0, x1, y1 in pixels, and its score


@dataclass(frozen=True)
class CutHand:
    """A hand of a generated picture that Table 2 takes."""

    kind: str  # Of the picture
    picture: str  # Its name
    box: Box  # As it was found in the picture as generated


def reproduce_photo_tables(
    study: Study, hagrid: Path | None, freihand: Path | None, page: Path, command: str, work: Path | None
) -> Path:
    """Measure Tables 1 and 2 on folders in the published layouts and write them as a page.

    Args:
        study: Model, settings, ``scale.generated`` pictures of each kind, ``scale.photographs`` photographs.
        hagrid: HaGRID's folder, for Table 1; None: without it.
        freihand: FreiHAND's folder, for Table 2; None: without it.
        page: Markdown file; a sheet is put beside it.
        command: What the page names as its command.
        work: Keeps every picture; by default a folder in the cache.

    Returns:
        The work folder.

    Raises:
        UsageError: No folder is given, or one is not there.
        DataError: A folder is not in its layout or holds nothing that can be used.
        DiffusionError: The model is missing or damaged.
        OutputError: The page cannot be written, or the work folder holds another study.
    """
    if hagrid is None and freihand is None:
        raise UsageError("Tables 1 and 2 need photographs", "", "give --hagrid DIR, --freihand DIR or both")
    people = None if hagrid is None else open_hagrid(hagrid)
    hands = None if freihand is None else open_freihand(freihand)
    extractors = {APPEARANCE: open_extractor(study.extractor), ANATOMY: open_extractor(REFEREE)}
    gestures = None if people is None else people.gestures()
    identity = {**study.identity(), "tables": "1 and 2", "gestures": gestures}
    store = Store(work or cache_folder() / "reproduce" / fingerprint(identity)[:16], identity)
    with open_engine(study.landmarker) as engine:
        bench = GeneratedPictures(study, store, engine)
        names = {kind: bench.make(kind, pictures) for kind, pictures in bench.kinds(gestures).items()}
    study.progress("measuring", 0, 1)
    cut = tuple(cut for kind, each in names.items() for name in each for cut in cut_hands(store, kind, name))
    results = PhotoResults(
        names=names,
        hands=len(cut),
        people=None if people is None else _table_1(study, store, names, people, extractors[APPEARANCE]),
        crops=None if hands is None else _table_2(study, store, cut, hands, extractors),
        photographs={each.name: each for each in (people, hands) if each is not None},
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    _sheet(store, names, page.with_name(f"{page.stem}_pictures.jpg"))
    write_photo_page(results, study, command, page)
    return store.folder


def cut_hands(store: Store, kind: str, name: str) -> list[CutHand]:
    """The hands of a picture as generated that are large enough and stand alone."""
    hands = _hands(store, kind, name, GENERATED)
    boxes: list[Box] = [hand[:4] for hand in hands]
    return [
        CutHand(kind, name, box)
        for k, box in enumerate(boxes)
        if MARGIN * max(box[2] - box[0], box[3] - box[1]) * MOST_ENLARGED >= CROP_PX
        and not any(box_iou(box, other) > 0 for other in boxes[:k] + boxes[k + 1 :])
    ]


def _table_1(
    study: Study,
    store: Store,
    names: Mapping[str, tuple[str, ...]],
    people: Photographs,
    extractor: FeatureExtractor,
) -> dict[str, Measured]:
    reference = extract(people.chosen(study.scale.photographs, study.seed), extractor)
    tables: dict[str, Measured] = {}
    for kind, each in names.items():
        features = {
            state: {APPEARANCE: extract((store.crop(kind, f"{name}/{state}") for name in each), extractor)}
            for state in STATES
        }
        scores = {state: [_picture_score(store, kind, name, state) for name in each] for state in STATES}
        tables[kind] = _measured({APPEARANCE: reference}, features, _seen_anywhere(scores))
    return dict(sorted(tables.items(), key=lambda item: item[0] != WITH_GESTURE))


def _table_2(
    study: Study,
    store: Store,
    cut: Sequence[CutHand],
    photographs: Photographs,
    extractors: Mapping[str, FeatureExtractor],
) -> Measured:
    count = study.scale.photographs
    reference = {
        key: extract(photographs.chosen(count, study.seed), each) for key, each in extractors.items()
    }

    def crops(state: str, hand: CutHand) -> Pixels:
        return hand_crop(store.crop(hand.kind, f"{hand.picture}/{state}"), hand.box)

    features = {
        state: {key: extract(map(partial(crops, state), cut), each) for key, each in extractors.items()}
        for state in STATES
    }
    scores: dict[str, list[float | None]] = {
        state: [_hand_score(store, hand, state) for hand in cut] for state in STATES
    }
    return _measured(reference, features if cut else {state: {} for state in STATES}, scores)


def _measured(
    reference: Mapping[str, Features],
    features: Mapping[str, Mapping[str, Features]],
    scores: Mapping[str, Sequence[float | None]],
) -> Measured:
    """Figures of every state, and paired differences of the later ones to the first."""
    figures: dict[str, Figures] = {}
    apart: dict[str, Figures] = {}
    for state, each in features.items():
        figures[state] = _distances(reference, each) | _confidence(scores[state])
        if state != GENERATED:
            apart[state] = _differences(reference, each, features[GENERATED])
            before = scores[GENERATED]
            both = [(a or 0.0) - (b or 0.0) for a, b in zip(scores[state], before, strict=True)]
            _put(apart[state], "score", partial(mean_estimate, "Δ det. conf.", np.array(both, float)))
    return Measured(figures=figures, differences=apart)


def _distances(reference: Mapping[str, Features], features: Mapping[str, Features]) -> Figures:
    figures: Figures = {}
    for key, each in features.items():
        _put(figures, key, partial(kernel_distance, reference[key], each))
    if APPEARANCE in features:
        _put(figures, "fid", partial(frechet_distance, reference[APPEARANCE], features[APPEARANCE]))
    return figures


def _differences(
    reference: Mapping[str, Features], of: Mapping[str, Features], less: Mapping[str, Features]
) -> Figures:
    figures: Figures = {}
    for key in of:
        _put(figures, key, partial(kernel_distance_difference, reference[key], of[key], less[key]))
    if APPEARANCE in of:
        three = reference[APPEARANCE], of[APPEARANCE], less[APPEARANCE]
        _put(figures, "fid", partial(frechet_distance_difference, *three))
    return figures


def _put(figures: Figures, key: str, measure: Callable[[], object]) -> None:
    """A figure where there are pictures enough for it."""
    with suppress(NotEnoughDataError):
        figures[key] = measure()  # type: ignore[assignment]


def _confidence(scores: Sequence[float | None]) -> Figures:
    """Of all, those not found counting 0; of those found alone; and how many are found."""
    if not scores:
        return {}
    found = np.array([score for score in scores if score is not None], float)
    figures = {
        "score": mean_estimate("det. conf.", np.array([score or 0.0 for score in scores], float)),
        "found": mean_estimate(
            "found", 100 * np.array([float(score is not None) for score in scores], float)
        ),
    }
    return figures | ({"score_found": mean_estimate("det. conf. of found", found)} if len(found) else {})


def _picture_score(store: Store, kind: str, name: str, state: str) -> float | None:
    """The mean over a picture's hands; None where none is found."""
    scores = [hand[4] for hand in _hands(store, kind, name, state)]
    return float(np.mean(scores)) if scores else None


def _seen_anywhere(scores: Mapping[str, Sequence[float | None]]) -> dict[str, list[float | None]]:
    """The scores of pictures that show a hand in one state at least."""
    rows = [row for row in zip(*scores.values(), strict=True) if any(score is not None for score in row)]
    return {state: [row[k] for row in rows] for k, state in enumerate(scores)}


def _hand_score(store: Store, hand: CutHand, state: str) -> float | None:
    """Of the detection at a hand's place; None where there is none."""
    here = [
        found[4]
        for found in _hands(store, hand.kind, hand.picture, state)
        if box_iou(found[:4], hand.box) > SAME_HAND
    ]
    return max(here, default=None)


def _hands(store: Store, kind: str, name: str, state: str) -> list[Hand]:
    return [
        (x0, y0, x1, y1, score) for x0, y0, x1, y1, score in store.record(kind, f"{name}/{state}")["hands"]
    ]


def _sheet(store: Store, names: Mapping[str, Sequence[str]], path: Path) -> None:
    """The first pictures of every kind, none picked out."""
    rows = [
        (f"{kind} {name}", [_square(store.crop(kind, f"{name}/{state}")) for state in STATES])
        for kind, each in names.items()
        for name in each[:SHOWN]
    ]
    save_sheet(path, STATES, rows)


def _square(pixels: Pixels) -> Pixels:
    """A picture on a square of its longer side, so that a sheet does not stretch it."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 250, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square
