"""Find every hand of a picture.

Look at the whole picture and at enlarged overlapping tiles, forgiving (`candidates`); then look again at each
candidate from close by (`close.confirm`) and keep those that are hands. Look for the rest without colour, and
where arms end (`body.hands_at_arm_ends`). A user's box wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.arms import (
    arms_without_hand,
    encloses_person,
    find_people_beside,
    hands_at_arm_ends,
)
from handwright.perception.detect.confirm import confirm, detect_in_box, judge
from handwright.perception.detect.duplicates import merge_hands, near_known_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.views import DetectionOptions, View, tiles, to_greyscale, whole
from handwright.threads import threads as allowed_threads
from handwright.types import Box, HandObservation

SEARCHING = DetectionOptions(max_hands=6, confidence=0.1, presence=0.1)
"""Forgiving: the close looks sort out what is no hand."""

NO_HAND = 0.05
"""Mean presence below which a candidate is nothing, beyond doubt."""


@dataclass(frozen=True)
class Search:
    """How far down to search; the defaults were chosen on training photographs (``bench/find.py`` measures).

    Attributes:
        smallest_px: Hands of this size and more must be found.
        ignored_px: Hands below this size are left out.
        tile_px: Side of the smallest tiles, 4–5 × ``smallest_px``: palms want a fifth of a view.
        step: Ratio of sides between one level of tiles and the next.
        view_px: Side that tiles are brought to.
        large_hand_picture_px: Pictures up to this side may be told at a glance; 0 searches every picture.
        large_hand_share: Hands smaller than this share of the picture call for a search.
        smallest_share: Hands smaller than this share of the picture's longer side are not searched for.
    """

    smallest_px: float = 48.0
    ignored_px: float = 24.0
    tile_px: float = 220.0
    step: float = 2.5
    view_px: int = 256
    large_hand_picture_px: float = 1100.0
    large_hand_share: float = 0.3
    smallest_share: float = 1 / 60

    def within(self, longer_px: float) -> Search:
        """This search in a picture of that longer side: its tiles grow with the smallest hand that counts."""
        times = max(1.0, longer_px * self.smallest_share / self.smallest_px)
        return replace(self, smallest_px=self.smallest_px * times, tile_px=self.tile_px * times)


def find_hands(
    pixels: UInt8[np.ndarray, "h w 3"],
    *,
    boxes: Sequence[Box] = (),
    landmarker: Landmarker | None = None,
    search: Search | None = None,
    threads: int | None = None,
) -> list[HandObservation]:
    """Hands of a picture, left to right, then top to bottom.

    Args:
        pixels: uint8 [H, W, 3] sRGB, upright.
        boxes: x0, y0, x1, y1 in pixels. When given, only these are looked at; a box in which nothing is seen
            adds no hand (``find_in_boxes`` says which).
        landmarker: Eyes to use and leave open; by default MediaPipe's, opened and closed here.
        search: How far down to search.
        threads: Views detected at the same time; ``handwright.threads`` by default. It never changes the result.

    Raises:
        MissingModelError: MediaPipe's model is missing and cannot be fetched.
    """
    if landmarker is None:
        with HandLandmarker() as own:
            return find_hands(pixels, boxes=boxes, landmarker=own, search=search, threads=threads)
    if boxes:
        seen = find_in_boxes(pixels, boxes, landmarker=landmarker, threads=threads)
        found = [hand for hand in seen if hand is not None]
    else:
        search = (search or Search()).within(max(pixels.shape[:2]))
        found = detect_large_hands(pixels, landmarker, search)
        if not found:
            with _thread_pool(threads) as pool:
                maybe = candidates(pixels, landmarker, search, pool)
                found = merge_hands(confirm(pixels, maybe, landmarker, pool.map))
                found += hands_without_colour(pixels, found, landmarker, search, pool)
                people = find_people_beside(pixels, found, landmarker)
                found = [hand for hand in found if not encloses_person(hand, people)]
                found += hands_at_arm_ends(pixels, found, people, landmarker)
        found = merge_hands(hand for hand in found if hand.size_px >= search.ignored_px)
    return sorted(found, key=lambda hand: hand.bbox_xyxy_px[:2])


def detect_large_hands(
    pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker, search: Search
) -> list[HandObservation]:
    """The hands of a picture of moderate size of which one look tells all; none means 'search'.

    One look tells all when every candidate in it is either none or a large hand, beyond doubt, and no visible
    arm lacks its hand: then the others of the same people would be as large, and seen.
    """
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if longer > search.large_hand_picture_px:
        return []
    seen = whole(width, height, margin=1.25, size_px=384).detect(pixels, landmarker, SEARCHING, "picture")
    found: list[HandObservation] = []
    for hand in merge_hands(seen):
        presence, sure = judge(pixels, hand, landmarker)
        if presence < NO_HAND:
            continue
        if sure is None or sure.size_px < search.large_hand_share * longer:
            return []
        found.append(sure)
    people = find_people_beside(pixels, found, landmarker) if found else []
    doubtful = any(encloses_person(hand, people) for hand in found)
    return [] if doubtful or arms_without_hand(pixels, found, people) else found


def find_in_boxes(
    pixels: UInt8[np.ndarray, "h w 3"],
    boxes: Sequence[Box],
    *,
    landmarker: Landmarker,
    threads: int | None = None,
) -> list[HandObservation | None]:
    """For every box of the user, the hand that fits it best, or None where nothing is seen by any means."""
    with _thread_pool(threads) as pool:
        return [detect_in_box(pixels, box, landmarker, pool.map) for box in boxes]


def candidates(
    pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker, search: Search, pool: ThreadPoolExecutor
) -> list[HandObservation]:
    """Everything that may be a hand, each once; ``found_by`` is 'picture' or 'tile'."""
    height, width = pixels.shape[:2]
    straight = whole(width, height, margin=1.25, size_px=384)
    views = [(straight, "picture"), (replace(straight, turn_rad=0.6), "picture")]
    views += [(view, "tile") for view in pyramid(width, height, search)]
    seen = pool.map(lambda item: item[0].detect(pixels, landmarker, SEARCHING, item[1]), views)
    return merge_hands(hand for hands in seen for hand in hands if hand.size_px >= search.ignored_px / 2)


def hands_without_colour(
    pixels: UInt8[np.ndarray, "h w 3"],
    known: Sequence[HandObservation],
    landmarker: Landmarker,
    search: Search,
    pool: ThreadPoolExecutor,
) -> list[HandObservation]:
    """Hands whose colour hides them (paint, gloves, coloured light): larger ones, seen without colour."""
    drab = to_greyscale(pixels)
    times = max(search.step, max(pixels.shape[:2]) / 4 / search.tile_px)
    coarse = replace(search, tile_px=search.tile_px * times, smallest_px=search.smallest_px * times)
    maybe = [hand for hand in candidates(drab, landmarker, coarse, pool) if not near_known_hand(hand, known)]
    sure = merge_hands(confirm(drab, maybe, landmarker, pool.map))
    return [hand for hand in sure if not near_known_hand(hand, known)]


def pyramid(width: int, height: int, search: Search) -> list[View]:
    """Levels of overlapping tiles, from ``search.tile_px`` up to less than the picture.

    Args:
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        search: Sizes of the smallest tiles and hands; each level up multiplies both.
    """
    views: list[View] = []
    side, hand = search.tile_px, search.smallest_px
    while side < max(width, height):
        views += tiles(width, height, side_px=side, hand_px=hand, size_px=search.view_px)
        side, hand = side * search.step, hand * search.step
    return views


def _thread_pool(threads: int | None) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads or allowed_threads())
