"""Close-up confirmation: whether a candidate is a hand, and where exactly its landmarks are.

A face, a lamp or a fold may be detected as a hand once, but seldom twice in the same place, least of all in a
mirrored crop. The mean of a plain and a mirrored detection also cancels the landmark network's difference
between left and right hands, about 2 % of hand size, which is more than shifting or turning a crop changes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.crop_network import INPUT_PX
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.views import (
    DetectionOptions,
    View,
    around,
    box_iou,
    landmark_distance,
    near_known_hand,
    upright,
)
from handwright.types import Box, HandObservation

Apply = Callable[..., Iterable[list[HandObservation]]]

_CLOSE_UP = DetectionOptions(max_hands=3, confidence=0.3, presence=0.5)
_IN_BOX = DetectionOptions(max_hands=4, confidence=0.1, presence=0.1)


@dataclass(frozen=True, kw_only=True)
class ConfirmParams:
    """When a candidate counts as a hand. All values were chosen by eye; ``bench/find.py`` measures.

    Distances between two detections are ``landmark_distance``, a fraction of hand size; presences are the
    landmark network's output in [0, 1].
    """

    # Largest distance between the plain and the mirrored detection of one hand
    max_disagreement: float = 0.12
    # The same for ``confirm_by_crops``, whose crops follow the landmarks and so differ more
    max_network_disagreement: float = 0.2
    max_shift: float = 0.6  # Largest distance of a close-up detection from its candidate
    min_presence: float = 0.75  # Least mean presence over the four crops of ``confirm_by_crops``
    min_crop_presence: float = 0.2  # A single crop below this presence ends ``confirm_by_crops``
    sure_presence: float = 0.9  # Least presence of both crops of ``classify_candidate``
    # Smallest hand for ``confirm_by_crops``: below it ears and folds resemble hands too much
    min_size_px: float = 34.0
    crop_px: int = 384  # Side of the close-up crops in pixels
    # Side in hand sizes and turn in radians of the plain close-up crop
    plain_crop: tuple[float, float] = (2.0, 0.15)
    # The same of the mirrored one: another size and turn, so that errors differ
    mirrored_crop: tuple[float, float] = (2.2, -0.15)
    close_up: DetectionOptions = _CLOSE_UP  # Options of the detector in close-up crops
    # Crops of a user's box, tried round by round: side in box sizes, turn in radians, mirrored
    box_crops: tuple[tuple[tuple[float, float, bool], ...], ...] = (
        ((1.6, 0.0, False), (2.4, 0.0, False), (1.2, 0.0, False)),
        (
            (1.6, 0.0, True),
            (2.4, np.pi / 2, False),
            (2.4, -np.pi / 2, False),
            (2.4, np.pi, False),
            (3.5, 0.0, False),
        ),
    )
    # Options of the detector in those crops: far lower thresholds than usual
    box_options: DetectionOptions = _IN_BOX
    box_network_margin: float = 1.3  # Side of the landmark network's crops of a box, in box sizes
    box_min_presence: float = 0.3  # ``min_presence`` inside a user's box
    min_box_iou: float = 0.2  # Least overlap of a hand with the user's box
    skin_margin: float = 0.1  # Skin around the outermost landmarks, a fraction of hand size


PARAMS = ConfirmParams()


def confirm_candidates(
    pixels: UInt8[np.ndarray, "h w 3"],
    candidates: Sequence[HandObservation],
    landmarker: Landmarker,
    apply: Apply = map,
) -> list[HandObservation]:
    """Return those candidates that are hands, with the mean of two detections as their landmarks.

    Two close-up detections that agree suffice. Where they do not, the landmark network decides alone
    (``confirm_by_crops``), and the hand is marked 'low_threshold'.
    """
    confirmed: list[HandObservation] = []
    for hand in candidates:
        if near_known_hand(hand, confirmed):
            continue
        found = apply(
            lambda view: view.detect(pixels, landmarker, PARAMS.close_up, "close"),
            (_plain(hand), _mirrored(hand)),
        )
        first, second = (_nearest(hands, hand) for hands in found)
        agree = (
            first is not None
            and second is not None
            and landmark_distance(first, second) <= PARAMS.max_disagreement
        )
        if first is not None and second is not None and agree:
            confirmed.append(mean_hand(first, second, hand.found_by))
            continue
        doubtful = first or second or hand
        if doubtful.size_px >= PARAMS.min_size_px and not near_known_hand(doubtful, confirmed):
            answer = confirm_by_crops(
                pixels,
                doubtful,
                landmarker,
                min_presence=PARAMS.min_presence,
                max_disagreement=PARAMS.max_network_disagreement,
            )
            if answer is not None and answer.size_px >= PARAMS.min_size_px:
                confirmed.append(answer)
    return confirmed


def classify_candidate(
    pixels: UInt8[np.ndarray, "h w 3"], hand: HandObservation, landmarker: Landmarker
) -> tuple[float, HandObservation | None]:
    """Mean presence in a plain and a mirrored upright crop; their mean result where they agree, or None."""
    plain, first = upright(hand).landmarks_in_crop(pixels, landmarker)
    at = first if plain >= PARAMS.sure_presence else hand
    mirror, second = replace(upright(at), mirrored=True).landmarks_in_crop(pixels, landmarker)
    sure = min(plain, mirror) >= PARAMS.sure_presence
    agree = sure and landmark_distance(first, second) <= PARAMS.max_disagreement
    return (plain + mirror) / 2, mean_hand(first, second, hand.found_by) if agree else None


def confirm_by_crops(
    pixels: UInt8[np.ndarray, "h w 3"],
    hand: HandObservation,
    landmarker: Landmarker,
    *,
    min_presence: float,
    max_disagreement: float,
) -> HandObservation | None:
    """Run the landmark network on two plain and two mirrored crops, each second one placed by the first.

    Returns the mean of the plain and the mirrored result, or None where presence over the four crops is below
    ``min_presence`` or the two lie farther apart than ``max_disagreement``: it is no hand.
    """
    total, at, results = 0.0, hand, list[HandObservation]()
    for step, mirrored in enumerate((False, False, True, True)):
        view = replace(upright(at if step % 2 else hand), mirrored=mirrored)
        presence, at = view.landmarks_in_crop(pixels, landmarker)
        total += presence
        if presence < PARAMS.min_crop_presence or total + (3 - step) < 4 * min_presence:
            return None
        results.append(at)
    plain, mirror = results[1], results[3]
    if landmark_distance(plain, mirror) > max_disagreement:
        return None
    return mean_hand(plain, mirror, "low_threshold")


def detect_in_box(
    pixels: UInt8[np.ndarray, "h w 3"], box: Box, landmarker: Landmarker, apply: Apply = map
) -> HandObservation | None:
    """Return the hand that overlaps a user's box best, at the lowest thresholds, or None."""
    center, size = _square(box)
    for crops in PARAMS.box_crops:
        views = [
            View(center, margin * size, PARAMS.crop_px, turn, mirrored) for margin, turn, mirrored in crops
        ]
        found = apply(lambda view: view.detect(pixels, landmarker, PARAMS.box_options, "box"), views)
        best = _best_in(box, [hand for hands in found for hand in hands])
        if best is not None:
            confirmed = _best_in(box, confirm_candidates(pixels, [best], landmarker, apply))
            return replace(confirmed or best, found_by="box")
    return _network_in_box(pixels, box, landmarker)


def mean_hand(first: HandObservation, second: HandObservation, found_by: str) -> HandObservation:
    """Return the mean of two detections of one hand; the side is that of the higher score."""
    surer = first if first.score >= second.score else second
    return HandObservation(
        landmarks_px=(first.landmarks_px + second.landmarks_px) / 2,
        depth_px=(first.depth_px + second.depth_px) / 2,
        side=surer.side,
        score=(first.score + second.score) / 2,
        found_by=found_by,
    )


def _network_in_box(
    pixels: UInt8[np.ndarray, "h w 3"], box: Box, landmarker: Landmarker
) -> HandObservation | None:
    """Run the landmark network on a box in eight directions, where the palm detector finds nothing."""
    center, size = _square(box)
    views = [
        View(center, PARAMS.box_network_margin * size, INPUT_PX, turn) for turn in np.arange(8) * np.pi / 4
    ]
    results = [view.landmarks_in_crop(pixels, landmarker) for view in views]
    fitting = [
        (presence, i) for i, (presence, hand) in enumerate(results) if _best_in(box, [hand]) is not None
    ]
    if not fitting:
        return None
    found = confirm_by_crops(
        pixels,
        results[max(fitting)[1]][1],
        landmarker,
        min_presence=PARAMS.box_min_presence,
        max_disagreement=2 * PARAMS.max_network_disagreement,
    )
    if found is None or _best_in(box, [found]) is None:
        return None
    return replace(found, found_by="box")


def _square(box: Box) -> tuple[tuple[float, float], float]:
    """Centre and longer side of a box in pixels."""
    center = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return center, max(box[2] - box[0], box[3] - box[1], 1.0)


def _plain(hand: HandObservation) -> View:
    margin, turn_rad = PARAMS.plain_crop
    return replace(around(hand, margin=margin, size_px=PARAMS.crop_px), turn_rad=turn_rad)


def _mirrored(hand: HandObservation) -> View:
    margin, turn_rad = PARAMS.mirrored_crop
    return replace(around(hand, margin=margin, size_px=PARAMS.crop_px), turn_rad=turn_rad, mirrored=True)


def _nearest(hands: Sequence[HandObservation], to: HandObservation) -> HandObservation | None:
    near = [(landmark_distance(hand, to), i) for i, hand in enumerate(hands)]
    return hands[min(near)[1]] if near and min(near)[0] < PARAMS.max_shift else None


def _best_in(box: Box, hands: Sequence[HandObservation]) -> HandObservation | None:
    best = max(hands, key=lambda hand: box_iou(_skin_box(hand), box), default=None)
    return best if best is not None and box_iou(_skin_box(best), box) >= PARAMS.min_box_iou else None


def _skin_box(hand: HandObservation) -> Box:
    """The landmarks' box grown to the skin's outline: people draw boxes around the skin."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    margin = PARAMS.skin_margin * hand.size_px
    return x0 - margin, y0 - margin, x1 + margin, y1 + margin
