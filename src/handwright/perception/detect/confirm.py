"""Look at a hand from close by: is it one, and where exactly are its landmarks?

A face, a lamp or a fold may pass for a hand once; it seldom does so twice in the same place, least of all in
the mirror. The mean of two looks, one of them mirrored, also cancels what the network does differently for
left and right hands: about 2 % of hand size, more than shifting or turning a crop changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.crop_network import INPUT_PX
from handwright.perception.detect.duplicates import box_iou, landmark_distance, near_known_hand
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.views import DetectionOptions, View, around, upright
from handwright.types import Box, HandObservation

AGREE = 0.12
"""Two looks see the same hand when their landmarks lie closer than this share of hand size."""
LEAST_PRESENCE = 0.75
"""What the landmark network must say of a doubtful hand, on the mean of four crops."""
LEAST_DOUBTFUL_PX = 34.0
"""Below this size ears and folds look too much like hands to be asked about."""
DOUBTFUL_AGREE = 0.2
"""``AGREE`` for those crops, which follow the landmarks and so differ more."""

_CLOSE = DetectionOptions(3, 0.3, 0.5)
_NEAR = 0.6
_CROP_PX = 384
_IN_BOX = DetectionOptions(4, 0.1, 0.1)
_BOX_LOOKS = (
    ((1.6, 0.0, False), (2.4, 0.0, False), (1.2, 0.0, False)),
    (
        (1.6, 0.0, True),
        (2.4, np.pi / 2, False),
        (2.4, -np.pi / 2, False),
        (2.4, np.pi, False),
        (3.5, 0.0, False),
    ),
)
_BOX_PRESENCE, _LEAST_OVERLAP = 0.3, 0.2
_HOPELESS = 0.2
_BEYOND_DOUBT = 0.9

Apply = Callable[..., Iterable[list[HandObservation]]]


def confirm(
    pixels: UInt8[np.ndarray, "h w 3"],
    hands: Sequence[HandObservation],
    landmarker: Landmarker,
    apply: Apply = map,
) -> list[HandObservation]:
    """Those candidates that are hands, with the mean of two looks as their landmarks.

    Two close looks that agree are enough; where they do not, the landmark network is asked directly, and a
    hand that it is sure of is marked 'low_threshold'.

    Args:
        pixels: uint8 [H, W, 3].
        hands: Candidates, in pixels of the picture, best first.
        landmarker: Eyes to use.
        apply: ``map`` or a pool's.

    Returns:
        Confirmed hands in the order of their candidates.
    """
    confirmed: list[HandObservation] = []
    for hand in hands:
        if near_known_hand(hand, confirmed):
            continue
        seen = apply(
            lambda view: view.detect(pixels, landmarker, _CLOSE, "close"), (_plain(hand), _mirrored(hand))
        )
        first, second = (_nearest(sightings, hand) for sightings in seen)
        if first is not None and second is not None and landmark_distance(first, second) <= AGREE:
            confirmed.append(mean_hand(first, second, hand.found_by))
            continue
        doubtful = first or second or hand
        if doubtful.size_px >= LEAST_DOUBTFUL_PX and not near_known_hand(doubtful, confirmed):
            answer = confirm_by_crops(pixels, doubtful, landmarker)
            if answer is not None and answer.size_px >= LEAST_DOUBTFUL_PX:
                confirmed.append(answer)
    return confirmed


def judge(
    pixels: UInt8[np.ndarray, "h w 3"], hand: HandObservation, landmarker: Landmarker
) -> tuple[float, HandObservation | None]:
    """What the landmark network alone says of a candidate, plain and mirrored.

    Args:
        pixels: uint8 [H, W, 3].
        hand: Where to look.
        landmarker: Eyes to use.

    Returns:
        Mean presence in [0, 1], and the mean of the two answers when both are beyond doubt and agree.
    """
    plain, first = upright(hand).landmarks_in_crop(pixels, landmarker)
    at = first if plain >= _BEYOND_DOUBT else hand
    mirror, second = replace(upright(at), mirrored=True).landmarks_in_crop(pixels, landmarker)
    sure = min(plain, mirror) >= _BEYOND_DOUBT and landmark_distance(first, second) <= AGREE
    return (plain + mirror) / 2, mean_hand(first, second, hand.found_by) if sure else None


def confirm_by_crops(
    pixels: UInt8[np.ndarray, "h w 3"],
    hand: HandObservation,
    landmarker: Landmarker,
    *,
    least: float = LEAST_PRESENCE,
    agree: float = DOUBTFUL_AGREE,
) -> HandObservation | None:
    """Ask the landmark network about a hand, twice plain and twice mirrored, second crops set by the first.

    Args:
        pixels: uint8 [H, W, 3].
        hand: Where to look.
        landmarker: Eyes to use.
        least: Mean presence over the four crops that makes it a hand, in [0, 1].
        agree: Largest distance between the plain and the mirrored answer.

    Returns:
        The mean of the plain and the mirrored answer, or None.
    """
    total, at, answers = 0.0, hand, list[HandObservation]()
    for step, mirrored in enumerate((False, False, True, True)):
        view = replace(upright(at if step % 2 else hand), mirrored=mirrored)
        presence, at = view.landmarks_in_crop(pixels, landmarker)
        total += presence
        if presence < _HOPELESS or total + (3 - step) < 4 * least:
            return None
        answers.append(at)
    plain, mirror = answers[1], answers[3]
    return mean_hand(plain, mirror, "low_threshold") if landmark_distance(plain, mirror) <= agree else None


def detect_in_box(
    pixels: UInt8[np.ndarray, "h w 3"], box: Box, landmarker: Landmarker, apply: Apply = map
) -> HandObservation | None:
    """The hand that overlaps a user's box best, seen with the most forgiving eyes, or None.

    Args:
        pixels: uint8 [H, W, 3].
        box: x0, y0, x1, y1 in pixels of the picture.
        landmarker: Eyes to use.
        apply: ``map`` or a pool's.
    """
    center, size = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), max(box[2] - box[0], box[3] - box[1], 1.0)
    for looks in _BOX_LOOKS:
        views = [View(center, margin * size, _CROP_PX, turn, mirrored) for margin, turn, mirrored in looks]
        seen = apply(lambda view: view.detect(pixels, landmarker, _IN_BOX, "box"), views)
        best = _best_in(box, [hand for hands in seen for hand in hands])
        if best is not None:
            sure = confirm(pixels, [best], landmarker, apply)
            kept = _best_in(box, sure)
            return replace(kept or best, found_by="box")
    return _examine_box(pixels, box, landmarker)


def _examine_box(
    pixels: UInt8[np.ndarray, "h w 3"], box: Box, landmarker: Landmarker
) -> HandObservation | None:
    """The palm detector sees nothing: ask the landmark network about the box, fingers in any direction."""
    center, size = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), max(box[2] - box[0], box[3] - box[1], 1.0)
    views = [View(center, 1.3 * size, INPUT_PX, turn) for turn in np.arange(8) * np.pi / 4]
    asked = [view.landmarks_in_crop(pixels, landmarker) for view in views]
    fitting = [(presence, i) for i, (presence, hand) in enumerate(asked) if _best_in(box, [hand]) is not None]
    if not fitting:
        return None
    guess = asked[max(fitting)[1]][1]
    found = confirm_by_crops(pixels, guess, landmarker, least=_BOX_PRESENCE, agree=2 * DOUBTFUL_AGREE)
    return (
        replace(found, found_by="box") if found is not None and _best_in(box, [found]) is not None else None
    )


def mean_hand(first: HandObservation, second: HandObservation, found_by: str) -> HandObservation:
    """Two sightings of one hand as one; the side is that of the surer one."""
    surer = first if first.score >= second.score else second
    return HandObservation(
        landmarks_px=(first.landmarks_px + second.landmarks_px) / 2,
        depth_px=(first.depth_px + second.depth_px) / 2,
        side=surer.side,
        score=(first.score + second.score) / 2,
        found_by=found_by,
    )


def _plain(hand: HandObservation) -> View:
    return replace(around(hand, margin=2.0, size_px=_CROP_PX), turn_rad=0.15)


def _mirrored(hand: HandObservation) -> View:
    return replace(around(hand, margin=2.2, size_px=_CROP_PX), turn_rad=-0.15, mirrored=True)


def _nearest(hands: Sequence[HandObservation], to: HandObservation) -> HandObservation | None:
    near = [(landmark_distance(hand, to), i) for i, hand in enumerate(hands)]
    return hands[min(near)[1]] if near and min(near)[0] < _NEAR else None


def _best_in(box: Box, hands: Sequence[HandObservation]) -> HandObservation | None:
    best = max(hands, key=lambda hand: box_iou(_grown(hand), box), default=None)
    return best if best is not None and box_iou(_grown(best), box) >= _LEAST_OVERLAP else None


def _grown(hand: HandObservation) -> Box:
    """Landmarks end inside the flesh; boxes that people draw do not."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    edge = 0.1 * hand.size_px
    return x0 - edge, y0 - edge, x1 + edge, y1 + edge
