"""The search for every hand of a picture.

Candidates come from the whole picture and from enlarged overlapping tiles at low thresholds
(``candidates``); close-up crops then decide which of them are hands (``confirm.confirm_candidates``), and
people's bodies which of the doubtful ones are none (``not_a_hand.refuse_finds``). Further hands come from the
picture without colour, and from the ends of arms (``arms.hands_at_arm_ends``). A user's boxes replace the
search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.arms import (
    arms_without_hand,
    encloses_person,
    find_people,
    find_people_beside,
    hands_at_arm_ends,
)
from handwright.perception.detect.confirm import classify_candidate, confirm_candidates, detect_in_box
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker, Person
from handwright.perception.detect.not_a_hand import NotAHand, refuse_finds
from handwright.perception.detect.views import (
    DetectionOptions,
    View,
    merge_hands,
    near_known_hand,
    tiles,
    to_greyscale,
    whole,
)
from handwright.threads import once
from handwright.threads import threads as allowed_threads
from handwright.types import Box, HandObservation

_SEARCHING = DetectionOptions(max_hands=6, confidence=0.1, presence=0.1)


@dataclass(frozen=True, kw_only=True)
class SearchParams:
    """The search down to small hands; chosen on training photographs (``bench/find.py`` measures)."""

    smallest_px: float = 48.0  # Hands of this size and more must be found
    ignored_px: float = 24.0  # Hands below this size are left out
    # Side of the smallest tiles, 4–5 × ``smallest_px``: the palm detector needs palms of about a fifth of its
    # input
    tile_px: float = 220.0
    step: float = 2.5  # Ratio of sides between one level of tiles and the next
    view_px: int = 256  # Side that tiles are resampled to, pixels
    whole_px: int = 384  # Side that the whole picture is resampled to, pixels
    # Side of the square around the whole picture, in longer sides: room for hands that fill it
    whole_margin: float = 1.25
    # Angle of the second detection in the whole picture, for hands that the first one misses
    turn_rad: float = 0.6
    # Options of the detector; its low thresholds are made up for by the close-up crops
    options: DetectionOptions = _SEARCHING
    # Longest side of pictures in which one detection may suffice (``detect_large_hands``); 0 searches every
    # picture
    single_detection_px: float = 1100.0
    # Hands smaller than this share of the picture's longer side call for a search
    large_hand_share: float = 0.3
    # Range of grey levels, of 255, below which a tile shows nothing: a wall, a plain background, a border
    min_contrast: float = 16.0
    no_hand_presence: float = 0.05  # Mean presence below which a candidate is certainly no hand
    # Hands smaller than this share of the picture's longer side are not searched for
    smallest_share: float = 1 / 60

    def within(self, longer_px: float) -> SearchParams:
        """Return these parameters for a picture of that longer side: larger pictures take larger tiles."""
        times = max(1.0, longer_px * self.smallest_share / self.smallest_px)
        return replace(self, smallest_px=self.smallest_px * times, tile_px=self.tile_px * times)


def find_hands(
    pixels: UInt8[np.ndarray, "h w 3"],
    *,
    boxes: Sequence[Box] = (),
    landmarker: Landmarker | None = None,
    search: SearchParams | None = None,
    threads: int | None = None,
    refused: list[NotAHand] | None = None,
    people: Callable[[], list[Person]] | None = None,
) -> list[HandObservation]:
    """Find the hands of a picture.

    Args:
        pixels: uint8 [H, W, 3] sRGB, upright.
        boxes: x0, y0, x1, y1 in pixels. When given, hands are detected only inside them; a box without a
            detected hand adds none (``find_in_boxes`` tells them apart).
        landmarker: The detector, which stays open; by default MediaPipe's, opened and closed here.
        search: Parameters of the search.
        threads: Views detected at the same time; ``handwright.threads`` by default. It never changes the
            result.
        refused: Receives the finds that are no hands, with the reason.
        people: Returns the people of the picture, for a caller who needs them, too; by default they are found
            here.

    Returns:
        The hands, left to right, then top to bottom.

    Raises:
        MissingModelError: MediaPipe's model is missing and cannot be fetched.
    """
    if landmarker is None:
        with HandLandmarker() as own:
            return find_hands(
                pixels,
                boxes=boxes,
                landmarker=own,
                search=search,
                threads=threads,
                refused=refused,
                people=people,
            )
    if boxes:
        in_boxes = find_in_boxes(pixels, boxes, landmarker=landmarker, threads=threads)
        found = [hand for hand in in_boxes if hand is not None]
    else:
        search = (search or SearchParams()).within(max(pixels.shape[:2]))
        people = people or once(lambda: find_people(pixels, landmarker))
        straight = once(lambda: detect_in_whole(pixels, landmarker, search))
        found = detect_large_hands(pixels, landmarker, search, straight, people)
        if not found:
            with _thread_pool(threads) as pool:
                possible = candidates(pixels, landmarker, search, straight, pool)
                found = merge_hands(confirm_candidates(pixels, possible, landmarker, pool.map))
                found += hands_without_colour(pixels, found, landmarker, search, pool)
                persons = find_people_beside(pixels, found, people)
                found = [hand for hand in found if not encloses_person(hand, persons)]
                found, no_hands = refuse_finds(found, persons)
                if refused is not None:
                    refused += no_hands
                found += hands_at_arm_ends(pixels, found, persons, landmarker)
        found = merge_hands(hand for hand in found if hand.size_px >= search.ignored_px)
    return sorted(found, key=lambda hand: hand.bbox_xyxy_px[:2])


def find_in_boxes(
    pixels: UInt8[np.ndarray, "h w 3"],
    boxes: Sequence[Box],
    *,
    landmarker: Landmarker,
    threads: int | None = None,
) -> list[HandObservation | None]:
    """Return, for every box of the user, the hand that overlaps it best, or None where none is detected."""
    with _thread_pool(threads) as pool:
        return [detect_in_box(pixels, box, landmarker, pool.map) for box in boxes]


def detect_in_whole(
    pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker, search: SearchParams
) -> list[HandObservation]:
    """Return what one detection in the whole picture takes for hands; ``found_by`` is 'picture'."""
    height, width = pixels.shape[:2]
    return _whole(width, height, search).detect(pixels, landmarker, search.options, "picture")


def detect_large_hands(
    pixels: UInt8[np.ndarray, "h w 3"],
    landmarker: Landmarker,
    search: SearchParams,
    straight: Callable[[], list[HandObservation]],
    people: Callable[[], list[Person]],
) -> list[HandObservation]:
    """Return the hands of a picture of moderate size in which one detection suffices; none means 'search'.

    ``straight`` returns what that detection takes for hands.

    One detection suffices when every candidate is certainly no hand or certainly a large one, and no visible
    arm lacks its hand: further hands of the same people would be as large, and detected.
    """
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if longer > search.single_detection_px:
        return []
    found: list[HandObservation] = []
    for hand in merge_hands(straight()):
        presence, sure = classify_candidate(pixels, hand, landmarker)
        if presence < search.no_hand_presence:
            continue
        if sure is None or sure.size_px < search.large_hand_share * longer:
            return []
        found.append(sure)
    persons = find_people_beside(pixels, found, people) if found else []
    doubtful = any(encloses_person(hand, persons) for hand in found)
    return [] if doubtful or arms_without_hand(pixels, found, persons) else found


def candidates(
    pixels: UInt8[np.ndarray, "h w 3"],
    landmarker: Landmarker,
    search: SearchParams,
    straight: Callable[[], list[HandObservation]],
    pool: ThreadPoolExecutor,
) -> list[HandObservation]:
    """Return everything that may be a hand, each once, best first; ``found_by`` is 'picture' or 'tile'.

    ``straight`` returns what a detection in the whole picture, as it stands, takes for hands.
    """
    height, width = pixels.shape[:2]
    turned = replace(_whole(width, height, search), turn_rad=search.turn_rad)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    views = [(turned, "picture")]
    views += [
        (view, "tile")
        for view in pyramid(width, height, search)
        if np.ptp(grey[view.within(width, height)]) >= search.min_contrast
    ]

    def detect(view: View, found_by: str) -> list[HandObservation]:
        return view.detect(pixels, landmarker, search.options, found_by)

    found = pool.map(lambda look: look(), [straight, *(partial(detect, *view) for view in views)])
    return merge_hands(hand for hands in found for hand in hands if hand.size_px >= search.ignored_px / 2)


def hands_without_colour(
    pixels: UInt8[np.ndarray, "h w 3"],
    known: Sequence[HandObservation],
    landmarker: Landmarker,
    search: SearchParams,
    pool: ThreadPoolExecutor,
) -> list[HandObservation]:
    """Return further, larger hands that are detected only without colour (paint, gloves, coloured light)."""
    grey = to_greyscale(pixels)
    times = max(search.step, max(pixels.shape[:2]) / 4 / search.tile_px)
    coarse = replace(search, tile_px=search.tile_px * times, smallest_px=search.smallest_px * times)
    possible = [
        hand
        for hand in candidates(
            grey, landmarker, coarse, lambda: detect_in_whole(grey, landmarker, coarse), pool
        )
        if not near_known_hand(hand, known)
    ]
    confirmed = merge_hands(confirm_candidates(grey, possible, landmarker, pool.map))
    return [hand for hand in confirmed if not near_known_hand(hand, known)]


def pyramid(width: int, height: int, search: SearchParams) -> list[View]:
    """Return levels of overlapping tiles, from ``search.tile_px`` up to less than the picture.

    Each level multiplies the sizes of the smallest tiles and hands by ``search.step``.
    """
    views: list[View] = []
    side, hand = search.tile_px, search.smallest_px
    while side < max(width, height):
        views += tiles(width, height, side_px=side, hand_px=hand, size_px=search.view_px)
        side, hand = side * search.step, hand * search.step
    return views


def _whole(width: int, height: int, search: SearchParams) -> View:
    return whole(width, height, margin=search.whole_margin, size_px=search.whole_px)


def _thread_pool(threads: int | None) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads or allowed_threads())
