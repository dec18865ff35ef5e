"""Where a person's arm ends there must be a hand: candidates from the whole body.

The palm detector misses hands that hold something, touch another hand, or are blurred. A visible wrist says
where to look; the landmark network then says whether there is a hand, plain and mirrored alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.confirm import confirm_by_crops
from handwright.perception.detect.crop_network import INPUT_PX
from handwright.perception.detect.duplicates import near_known_hand
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.people import Person
from handwright.perception.detect.views import View, tiles, to_greyscale, whole
from handwright.types import HandObservation

LEAST_SEEN = 0.35
"""A wrist that is less sure than this says nothing."""
LEAST_PRESENCE = 0.4
"""Mean presence over four crops that makes a hand of what lies at the end of an arm."""
AGREE = 0.25
"""Largest distance between the plain and the mirrored answer, as a share of hand size."""
FILLING = 0.35
"""One hand that covers this share of the picture leaves no room for a body."""

_LEAST_PX = 34.0
_ARMS = ((11, 13, 15, 17, 19), (12, 14, 16, 18, 20))
_PALM_OF_FOREARM, _PALM_OF_SHOULDERS = 0.33, 0.18
_CROPS = (2.6, 3.6)
_SIZE_IN_PALMS, _WRIST_IN_PALMS = (0.9, 3.8), 1.4
_VIEW_PX, _TILED_FROM_PX, _TILE = 512, 1600, 0.6
_SAME_PERSON = 0.25

_TRUNK_AND_LEGS = np.array([11, 12, 23, 24, 25, 26, 27, 28])
_SEEN_JOINT = 0.9


@dataclass(frozen=True, eq=False)
class Arm:
    """The end of an arm.

    Attributes:
        wrist_px: float64 [2].
        knuckles_px: float64 [2], between the knuckles of index and pinky, nearer to the index.
        palm_px: Length from wrist to knuckles if the palm were not foreshortened, > 0.
    """

    wrist_px: Float[np.ndarray, "2"]
    knuckles_px: Float[np.ndarray, "2"]
    palm_px: float


def hands_at_arm_ends(
    pixels: UInt8[np.ndarray, "h w 3"],
    known: Sequence[HandObservation],
    people: Sequence[Person],
    landmarker: Landmarker,
) -> list[HandObservation]:
    """Hands at the ends of arms where none is known yet; ``found_by`` is 'body'.

    Args:
        pixels: uint8 [H, W, 3].
        known: Hands that were found already.
        people: Whose arms to look at (``find_people_beside``).
        landmarker: Eyes to use.
    """
    found: list[HandObservation] = []
    for arm in arms_without_hand(pixels, known, people):
        hand = _hand_at(pixels, arm, landmarker) or _hand_at(to_greyscale(pixels), arm, landmarker)
        if hand is not None and not near_known_hand(hand, [*known, *found]):
            found.append(hand)
    return found


def find_people_beside(
    pixels: UInt8[np.ndarray, "h w 3"], known: Sequence[HandObservation], landmarker: Landmarker
) -> list[Person]:
    """People of the picture; nobody is looked for beside a hand that fills it."""
    height, width = pixels.shape[:2]
    if len(known) == 1 and _area(known[0]) > FILLING * width * height:
        return []
    return find_people(pixels, landmarker)


def arms_without_hand(
    pixels: UInt8[np.ndarray, "h w 3"], known: Sequence[HandObservation], people: Sequence[Person]
) -> list[Arm]:
    """The people's visible arms without a known hand."""
    height, width = pixels.shape[:2]
    return unmatched_arms([arm for person in people for arm in arms_of(person, width, height)], known)


def encloses_person(hand: HandObservation, people: Sequence[Person]) -> bool:
    """Whether what passed for a hand holds a person's whole trunk and legs, plainly seen.

    In a hand that fills the picture the pose network sees people too, but none with sure knees and ankles.
    """
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    for person in people:
        points, seen = person.points_px[_TRUNK_AND_LEGS], person.seen[_TRUNK_AND_LEGS] > _SEEN_JOINT
        inside = (points >= (x0, y0)).all(1) & (points <= (x1, y1)).all(1)
        if (inside & seen).all():
            return True
    return False


def find_people(pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker) -> list[Person]:
    """People of the whole picture, and of overlapping tiles where it is large; each once."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    views = [whole(width, height, margin=1.0, size_px=min(_VIEW_PX, longer))]
    if longer >= _TILED_FROM_PX:
        side = _TILE * longer
        views += tiles(width, height, side_px=side, hand_px=(2 * _TILE - 1) * longer, size_px=_VIEW_PX)
    kept: list[Person] = []
    for view in views:
        for person in landmarker.people(view.sample(pixels)):
            there = replace(person, points_px=view.to_picture(person.points_px))
            if not any(_same_person(there, other) for other in kept):
                kept.append(there)
    return kept


def arms_of(person: Person, width: int, height: int) -> list[Arm]:
    """The arms whose wrist is sure and whose hand lies in the picture."""
    points = person.points_px
    shoulders = float(np.linalg.norm(points[11] - points[12]))
    arms: list[Arm] = []
    for _, elbow, wrist, pinky, index in _ARMS:
        knuckles = (2 * points[index] + points[pinky]) / 3
        inside = bool((knuckles >= 0).all() and knuckles[0] < width and knuckles[1] < height)
        if person.seen[wrist] < LEAST_SEEN or not inside:
            continue
        forearm = float(np.linalg.norm(points[wrist] - points[elbow]))
        seen = float(np.linalg.norm(knuckles - points[wrist]))
        palm = max(seen, _PALM_OF_FOREARM * forearm, _PALM_OF_SHOULDERS * shoulders, 1.0)
        arms.append(Arm(points[wrist], knuckles, palm))
    return arms


def unmatched_arms(arms: Sequence[Arm], known: Sequence[HandObservation]) -> list[Arm]:
    """The arms that none of the known hands belongs to; a hand belongs to one arm, the nearest first."""
    pairs = [
        (gap, i, j)
        for i, arm in enumerate(arms)
        for j, hand in enumerate(known)
        if (gap := _gap(arm, hand)) < 1.0
    ]
    of_arm: set[int] = set()
    taken: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in of_arm and j not in taken:
            of_arm.add(i)
            taken.add(j)
    return [arm for i, arm in enumerate(arms) if i not in of_arm]


def views_of(arm: Arm) -> list[View]:
    """Upright crops of an arm's hand, fingers along the palm: two sizes, each plain and mirrored."""
    along = arm.knuckles_px - arm.wrist_px
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    turn = float(np.arctan2(along[0], -along[1]))
    x, y = arm.wrist_px + arm.palm_px * along
    return [
        View((float(x), float(y)), size * arm.palm_px, INPUT_PX, turn, mirrored)
        for size in _CROPS
        for mirrored in (False, True)
    ]


def _hand_at(pixels: UInt8[np.ndarray, "h w 3"], arm: Arm, landmarker: Landmarker) -> HandObservation | None:
    starts = [view.landmarks_in_crop(pixels, landmarker) for view in views_of(arm)]
    for _, start in sorted(starts, key=lambda answer: -answer[0]):
        if not _fits(start, arm):
            continue
        hand = confirm_by_crops(pixels, start, landmarker, least=LEAST_PRESENCE, agree=AGREE)
        if hand is not None and _fits(hand, arm) and hand.size_px >= _LEAST_PX:
            return replace(hand, found_by="body")
    return None


def _fits(hand: HandObservation, arm: Arm) -> bool:
    """Whether a hand is of the arm's size and begins at its wrist."""
    size = hand.size_px / arm.palm_px
    gap = float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px)) / arm.palm_px
    return _SIZE_IN_PALMS[0] <= size <= _SIZE_IN_PALMS[1] and gap <= _WRIST_IN_PALMS


def _gap(arm: Arm, hand: HandObservation) -> float:
    """How far a hand lies from an arm's end, in sizes of the larger of the two."""
    scale = max(hand.size_px, arm.palm_px)
    wrists = float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px))
    middles = float(np.linalg.norm(hand.landmarks_px[9] - arm.knuckles_px))
    return min(wrists, middles) / scale


def _same_person(a: Person, b: Person) -> bool:
    """Whether the upper bodies lie closer than a quarter of their size."""
    size = max(float(np.ptp(a.points_px[:17], axis=0).max()), 1e-9)
    return float(np.linalg.norm(a.points_px[:17] - b.points_px[:17], axis=1).mean()) < _SAME_PERSON * size


def _area(hand: HandObservation) -> float:
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    return (x1 - x0) * (y1 - y0)
