"""Look at a hand from close by: is it one, and where exactly are its landmarks?

A face, a lamp or a fold may pass for a hand once; it seldom does so twice in the same place, least of all in
the mirror. The mean of two looks, one of them mirrored, also cancels what the network does differently for
left and right hands: about 2 % of hand size, more than shifting or turning a crop changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.perception.landmarker import Landmarker
from handwright.perception.merge import box_iou, landmark_distance
from handwright.perception.views import Eyes, View, around
from handwright.types import Box, HandObservation

AGREE = 0.12
"""Two looks see the same hand when their landmarks lie closer than this share of hand size."""

TRUSTED_PX = 48.0
"""A candidate of this size and more needs only one close look that agrees with how it was first seen."""

_NEAR = 0.6
_CROP_PX = 384


@dataclass(frozen=True)
class CloseLook:
    """A square of ``margin`` × hand size around a candidate, turned and perhaps mirrored."""

    margin: float
    turn_rad: float
    mirrored: bool

    def view(self, hand: HandObservation) -> View:
        """The window of this look at a candidate."""
        straight = around(hand, margin=self.margin, size_px=_CROP_PX)
        return replace(straight, turn_rad=self.turn_rad, mirrored=self.mirrored)


_ROUNDS = (
    (Eyes(3, 0.3, 0.5), None, (CloseLook(2.0, 0.15, False), CloseLook(2.2, -0.15, True))),
    (Eyes(3, 0.15, 0.3), "low_threshold", (CloseLook(1.6, -0.1, False), CloseLook(2.8, 0.1, True))),
)
"""Eyes, what to say of hands that need them, and the looks to take; the second round is for the rest."""

_IN_BOX = Eyes(4, 0.1, 0.1)
_BOX_LOOKS = (
    tuple((margin, turn, False) for margin, turn in ((1.6, 0.0), (2.4, 0.0), (1.2, 0.0))),
    (
        (1.6, 0.0, True),
        (2.4, np.pi / 2, False),
        (2.4, -np.pi / 2, False),
        (2.4, np.pi, False),
        (3.5, 0.0, False),
    ),
)

Apply = Callable[..., Iterable[list[HandObservation]]]


def confirm(
    pixels: UInt8[np.ndarray, "h w 3"],
    hands: Sequence[HandObservation],
    landmarker: Landmarker,
    apply: Apply = map,
) -> list[HandObservation]:
    """Those candidates that two looks agree on, with the mean of the two as their landmarks.

    Args:
        pixels: uint8 [H, W, 3].
        hands: Candidates, in pixels of the picture.
        landmarker: Eyes to use.
        apply: ``map`` or a pool's.

    Returns:
        Confirmed hands in the order of their candidates.
    """
    sightings: list[list[HandObservation]] = [[] for _ in hands]
    confirmed: dict[int, HandObservation] = {}
    for eyes, found_by, looks in _ROUNDS:
        open_ones = [(i, look) for i in range(len(hands)) if i not in confirmed for look in looks]
        views = [look.view(hands[i]) for i, look in open_ones]
        seen = apply(_looking(pixels, landmarker, eyes, "tile"), views)
        for (i, _), sighted in zip(open_ones, seen, strict=True):
            sighting = _nearest(sighted, hands[i])
            if sighting is None or i in confirmed:
                continue
            partner = _agreeing(sightings[i], sighting)
            if partner is not None:
                confirmed[i] = mean_hand(partner, sighting, found_by or hands[i].found_by)
            sightings[i].append(sighting)
    for i, hand in enumerate(hands):
        partner = _agreeing(sightings[i], hand)
        if i not in confirmed and partner is not None and hand.size_px >= TRUSTED_PX:
            confirmed[i] = mean_hand(partner, hand, "low_threshold")
    return [confirmed[i] for i in sorted(confirmed)]


def look_in_box(
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
        seen = [
            hand for hands in apply(_looking(pixels, landmarker, _IN_BOX, "box"), views) for hand in hands
        ]
        fitting = [hand for hand in seen if box_iou(_grown(hand), box) >= 0.2]
        if fitting:
            best = max(fitting, key=lambda hand: box_iou(_grown(hand), box))
            sure = confirm(pixels, [best], landmarker, apply)
            return replace(sure[0], found_by="box") if sure else best
    return None


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


def _looking(
    pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker, eyes: Eyes, found_by: str
) -> Callable[[View], list[HandObservation]]:
    return lambda view: view.look(pixels, landmarker, eyes, found_by)


def _nearest(hands: Sequence[HandObservation], to: HandObservation) -> HandObservation | None:
    near = [(landmark_distance(hand, to), i) for i, hand in enumerate(hands)]
    return hands[min(near)[1]] if near and min(near)[0] < _NEAR else None


def _agreeing(hands: Sequence[HandObservation], to: HandObservation) -> HandObservation | None:
    nearest = _nearest(hands, to)
    return nearest if nearest is not None and landmark_distance(nearest, to) <= AGREE else None


def _grown(hand: HandObservation) -> Box:
    """Landmarks end inside the flesh; boxes that people draw do not."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    edge = 0.1 * hand.size_px
    return x0 - edge, y0 - edge, x1 + edge, y1 + edge
