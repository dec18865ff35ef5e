"""Find every hand of a picture.

Look at the whole picture and at enlarged overlapping tiles with a low threshold (`candidates`), then look again at
each candidate from close by, once as it is and once mirrored (`confirm`): a hand is where both looks see the same
one. Their mean cancels the difference that the network makes between left and right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8

from handwright.perception.landmarker import HandLandmarker, Landmarker
from handwright.perception.merge import box_iou, landmark_distance, merge_hands
from handwright.perception.views import Eyes, View, around, tiles, whole
from handwright.types import Box, HandObservation

Pixels = UInt8[np.ndarray, "h w 3"]
_A, _B = TypeVar("_A"), TypeVar("_B")


@dataclass(frozen=True)
class Search:
    """How hard to search.

    Attributes:
        smallest_px: Hands of this size and more must be found.
        tile_px: Side of the smallest tiles; a hand of ``smallest_px`` fills a sixth of it.
        step: Ratio of sides between one level of tiles and the next.
        view_px: Side that every tile is brought to.
        crop_px: Side that close looks are brought to.
        eyes: For the search, forgiving.
        close_eyes: For the close looks.
        agree: Largest ``landmark_distance`` between two close looks at one hand.
    """

    smallest_px: float = 48.0
    tile_px: float = 280.0
    step: float = 2.0
    view_px: int = 320
    crop_px: int = 384
    eyes: Eyes = Eyes(4, 0.2, 0.5)
    close_eyes: Eyes = Eyes(2, 0.3, 0.5)
    agree: float = 0.15


def find_hands(
    pixels: Pixels,
    *,
    boxes: Sequence[Box] = (),
    landmarker: Landmarker | None = None,
    search: Search | None = None,
    threads: int | None = None,
) -> list[HandObservation]:
    """Hands of a picture, left to right, then top to bottom.

    Args:
        pixels: uint8 [H, W, 3] sRGB, upright.
        boxes: x0, y0, x1, y1 in pixels. When given, only these are looked at; a box without a hand gives none
            (``find_in_box`` says which).
        landmarker: Eyes to use and leave open; by default MediaPipe's, opened and closed here.
        search: How hard to search.
        threads: Looks taken at the same time; by default one a core, at most four. Never changes the result.

    Raises:
        MissingModelError: MediaPipe's model is missing and cannot be fetched.
    """
    if landmarker is None:
        with HandLandmarker() as own:
            return find_hands(pixels, boxes=boxes, landmarker=own, search=search, threads=threads)
    search = search or Search()
    if boxes:
        found = [hand for box in boxes if (hand := find_in_box(pixels, box, landmarker)) is not None]
    else:
        with ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1)) as pool:
            seen = candidates(pixels, landmarker, search, pool.map)
            close = pool.map(lambda hand: confirm(pixels, hand, landmarker, search), seen)
            found = merge_hands(hand for hand in close if hand is not None)
    return sorted(found, key=lambda hand: hand.bbox_xyxy_px[:2])


def candidates(
    pixels: Pixels, landmarker: Landmarker, search: Search, apply: Callable[..., Iterable[list[HandObservation]]] = map
) -> list[HandObservation]:
    """Everything that may be a hand, each once: the whole picture's sightings first."""
    height, width = pixels.shape[:2]
    views = [(whole(width, height, size_px=512), "picture")]
    views += [(view, "tile") for view in pyramid(width, height, search)]
    eyes = search.eyes
    seen = apply(lambda look: look[0].look(pixels, landmarker, eyes, look[1]), views)
    return merge_hands(hand for hands in seen for hand in hands)


def pyramid(width: int, height: int, search: Search) -> list[View]:
    """Levels of overlapping tiles, from half the picture down to ``search.tile_px``."""
    views: list[View] = []
    side, hand = search.tile_px, search.smallest_px
    while side < max(width, height):
        views += tiles(width, height, side_px=side, hand_px=hand, size_px=search.view_px)
        side, hand = side * search.step, hand * search.step
    return views


def confirm(pixels: Pixels, hand: HandObservation, landmarker: Landmarker, search: Search) -> HandObservation | None:
    """The hand as two close looks see it, one of them mirrored, or None when they do not agree on one."""
    looks: list[HandObservation] = []
    for turn, margin, mirrored in ((0.15, 2.0, False), (-0.15, 2.2, True)):
        view = replace(around(hand, margin=margin, size_px=search.crop_px, turn_rad=turn), mirrored=mirrored)
        seen = view.look(pixels, landmarker, search.close_eyes, hand.found_by)
        if not seen:
            return None
        looks.append(min(seen, key=lambda h: landmark_distance(h, hand)))
    first, second = looks
    if landmark_distance(first, second) > search.agree:
        return None
    return replace(
        first if first.score >= second.score else second,
        landmarks_px=(first.landmarks_px + second.landmarks_px) / 2,
        depth_px=(first.depth_px + second.depth_px) / 2,
        score=(first.score + second.score) / 2,
    )


def find_in_box(pixels: Pixels, box: Box, landmarker: Landmarker) -> HandObservation | None:
    """The hand that fits a user's box best, or None when nothing is seen in it by any means."""
    x0, y0, x1, y1 = box
    center, size = ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0)
    best: tuple[float, HandObservation] | None = None
    for turn in (0.0, np.pi / 2, -np.pi / 2, np.pi):
        for margin in (1.6, 2.4, 1.2):
            view = View(center, margin * size, 384, turn)
            for hand in view.look(pixels, landmarker, Eyes(4, 0.1, 0.1), "box"):
                overlap = box_iou(hand.bbox_xyxy_px, box)
                if overlap > (best[0] if best else 0.1):
                    best = (overlap, hand)
        if best:
            return best[1]
    return None
