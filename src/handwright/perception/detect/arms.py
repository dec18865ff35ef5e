"""Hands at the ends of arms that the palm detector misses.

The palm detector misses hands that hold something, touch another hand, or are blurred. A visible wrist shows
where a hand must be; the landmark network then decides, on plain and mirrored crops, whether there is one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.confirm import confirm_by_crops
from handwright.perception.detect.crop_network import INPUT_PX
from handwright.perception.detect.landmarker import Landmarker, Person
from handwright.perception.detect.views import (
    View,
    near_known_hand,
    nearest_pairs,
    tiles,
    to_greyscale,
    whole,
)
from handwright.types import HandObservation, Side

ARM_JOINTS = ((11, 13, 15, 17, 19), (12, 14, 16, 18, 20))
"""Shoulder, elbow, wrist, pinky and index knuckle of the left and the right arm, MediaPipe's pose order."""
SIDES: tuple[Side, Side] = ("left", "right")
_TRUNK_AND_LEGS = np.array([11, 12, 23, 24, 25, 26, 27, 28])
"""Shoulders, hips, knees and ankles, MediaPipe's pose order."""


@dataclass(frozen=True, kw_only=True)
class ArmParams:
    """Hands at the ends of people's arms. All values were chosen by eye; ``bench/find.py`` measures."""

    min_wrist_visibility: float = 0.35  # Wrists of a lower visibility, in [0, 1], are left out
    # Least mean presence over four crops, in [0, 1], of a hand at the end of an arm
    min_presence: float = 0.4
    # Largest distance between the plain and the mirrored landmarks, a fraction of hand size
    max_disagreement: float = 0.25
    min_size_px: float = 34.0  # Smallest hand in pixels
    crop_sizes: tuple[float, float] = (2.6, 3.6)  # Sides of the first crops, in palm lengths
    hand_sizes: tuple[float, float] = (0.9, 3.8)  # Smallest and largest hand, in palm lengths
    max_wrist_gap: float = 1.4  # Largest distance of the hand's wrist from the arm's, in palm lengths
    # Palm length over the forearm's length as seen: a lower bound against foreshortening
    palm_of_forearm: float = 0.33
    palm_of_shoulders: float = 0.18  # Palm length over the shoulders' width as seen: the same
    # One hand whose box covers this share of the picture leaves no room for a body
    filling_share: float = 0.35
    view_px: int = 512  # Side of the pose network's input, pixels
    tiled_from_px: int = 1600  # Pictures with a longer side of this many pixels are searched in tiles, too
    tile_share: float = 0.6  # Side of those tiles over the picture's longer side
    # Two people are one when their upper bodies lie closer than this share of their size
    same_person: float = 0.25
    # Visibility above which a joint counts in ``encloses_person``: in a hand that fills the picture the pose
    # network finds people too, but none with sure knees and ankles
    plain_visibility: float = 0.9


PARAMS = ArmParams()


@dataclass(frozen=True, eq=False)
class Arm:
    """The end of an arm."""

    wrist_px: Float[np.ndarray, "2"]  # float64 [2]
    # float64 [2], between the knuckles of index and pinky, nearer to the index
    knuckles_px: Float[np.ndarray, "2"]
    palm_px: float  # Length from wrist to knuckles if the palm were not foreshortened, > 0
    side: Side  # Of the person


def hands_at_arm_ends(
    pixels: UInt8[np.ndarray, "h w 3"],
    known: Sequence[HandObservation],
    people: Sequence[Person],
    landmarker: Landmarker,
) -> list[HandObservation]:
    """Find hands at the ends of arms where none is known yet; ``found_by`` is 'body'."""
    found: list[HandObservation] = []
    for arm in arms_without_hand(pixels, known, people):
        hand = _hand_at(pixels, arm, landmarker) or _hand_at(to_greyscale(pixels), arm, landmarker)
        if hand is not None and not near_known_hand(hand, [*known, *found]):
            found.append(hand)
    return found


def find_people_beside(
    pixels: UInt8[np.ndarray, "h w 3"], known: Sequence[HandObservation], people: Callable[[], list[Person]]
) -> list[Person]:
    """Return what ``people`` finds in the picture; it is not called beside a hand that fills the picture."""
    height, width = pixels.shape[:2]
    if len(known) == 1 and _area(known[0]) > PARAMS.filling_share * width * height:
        return []
    return people()


def arms_without_hand(
    pixels: UInt8[np.ndarray, "h w 3"], known: Sequence[HandObservation], people: Sequence[Person]
) -> list[Arm]:
    """Return the people's visible arms without a known hand."""
    height, width = pixels.shape[:2]
    return unmatched_arms([arm for person in people for arm in arms_of(person, width, height)], known)


def encloses_person(hand: HandObservation, people: Sequence[Person]) -> bool:
    """Whether a supposed hand's box holds the whole visible trunk and legs of a person, and so is no hand."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    for person in people:
        points, visible = (
            person.points_px[_TRUNK_AND_LEGS],
            person.visibility[_TRUNK_AND_LEGS] > PARAMS.plain_visibility,
        )
        inside = (points >= (x0, y0)).all(1) & (points <= (x1, y1)).all(1)
        if (inside & visible).all():
            return True
    return False


def find_people(pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker) -> list[Person]:
    """Find people in the whole picture, and in overlapping tiles where it is large; each once."""
    height, width = pixels.shape[:2]
    kept: list[Person] = []
    for view in views_of_people(width, height):
        for person in landmarker.people(view.sample(pixels)):
            there = replace(person, points_px=view.to_picture(person.points_px))
            if not any(same_person(there, other) for other in kept):
                kept.append(there)
    return kept


def views_of_people(width: int, height: int) -> list[View]:
    """Return the whole of a picture, and overlapping tiles where it is large."""
    longer = max(height, width)
    views = [whole(width, height, margin=1.0, size_px=min(PARAMS.view_px, longer))]
    if longer >= PARAMS.tiled_from_px:
        side = PARAMS.tile_share * longer
        views += tiles(
            width, height, side_px=side, hand_px=(2 * PARAMS.tile_share - 1) * longer, size_px=PARAMS.view_px
        )
    return views


def arm_ends(person: Person) -> list[Arm]:
    """Return the ends of a person's left and right arm, in view or not: a hidden wrist is estimated, too."""
    points = person.points_px
    shoulders = float(np.linalg.norm(points[11] - points[12]))
    ends: list[Arm] = []
    for side, (_, elbow, wrist, pinky, index) in zip(SIDES, ARM_JOINTS, strict=True):
        knuckles = (2 * points[index] + points[pinky]) / 3
        forearm = float(np.linalg.norm(points[wrist] - points[elbow]))
        length = float(np.linalg.norm(knuckles - points[wrist]))
        palm = max(length, PARAMS.palm_of_forearm * forearm, PARAMS.palm_of_shoulders * shoulders, 1.0)
        ends.append(Arm(points[wrist], knuckles, palm, side))
    return ends


def arms_of(person: Person, width: int, height: int) -> list[Arm]:
    """Return a person's arms with a visible wrist and a hand within a ``width`` × ``height`` picture."""
    return [
        arm
        for arm, (_, _, wrist, _, _) in zip(arm_ends(person), ARM_JOINTS, strict=True)
        if person.visibility[wrist] >= PARAMS.min_wrist_visibility
        and bool(((arm.knuckles_px >= 0) & (arm.knuckles_px < (width, height))).all())
    ]


def unmatched_arms(arms: Sequence[Arm], known: Sequence[HandObservation]) -> list[Arm]:
    """Return the arms to which no known hand belongs; a hand belongs to one arm, the nearest pairs first."""
    gaps = ((_gap(arm, hand), i, j) for i, arm in enumerate(arms) for j, hand in enumerate(known))
    pairs = nearest_pairs(pair for pair in gaps if pair[0] < 1.0)
    return [arm for i, arm in enumerate(arms) if i not in pairs]


def views_of(arm: Arm) -> list[View]:
    """Return upright crops of an arm's hand, fingers along the palm: two sizes, each plain and mirrored."""
    along = arm.knuckles_px - arm.wrist_px
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    turn = float(np.arctan2(along[0], -along[1]))
    x, y = arm.wrist_px + arm.palm_px * along
    return [
        View((float(x), float(y)), size * arm.palm_px, INPUT_PX, turn, mirrored)
        for size in PARAMS.crop_sizes
        for mirrored in (False, True)
    ]


def _hand_at(pixels: UInt8[np.ndarray, "h w 3"], arm: Arm, landmarker: Landmarker) -> HandObservation | None:
    starts = [view.landmarks_in_crop(pixels, landmarker) for view in views_of(arm)]
    for _, start in sorted(starts, key=lambda result: -result[0]):
        if not _fits(start, arm):
            continue
        hand = confirm_by_crops(
            pixels,
            start,
            landmarker,
            min_presence=PARAMS.min_presence,
            max_disagreement=PARAMS.max_disagreement,
        )
        if hand is not None and _fits(hand, arm) and hand.size_px >= PARAMS.min_size_px:
            return replace(hand, found_by="body")
    return None


def _fits(hand: HandObservation, arm: Arm) -> bool:
    """Whether a hand has the arm's size and begins at its wrist."""
    size = hand.size_px / arm.palm_px
    gap = float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px)) / arm.palm_px
    smallest, largest = PARAMS.hand_sizes
    return smallest <= size <= largest and gap <= PARAMS.max_wrist_gap


def _gap(arm: Arm, hand: HandObservation) -> float:
    """Distance of a hand from an arm's end, in sizes of the larger of the two."""
    scale = max(hand.size_px, arm.palm_px)
    wrists = float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px))
    middles = float(np.linalg.norm(hand.landmarks_px[9] - arm.knuckles_px))
    return min(wrists, middles) / scale


def same_person(a: Person, b: Person) -> bool:
    """Whether the upper bodies lie closer than a quarter of their size."""
    size = max(float(np.ptp(a.points_px[:17], axis=0).max()), 1e-9)
    return (
        float(np.linalg.norm(a.points_px[:17] - b.points_px[:17], axis=1).mean()) < PARAMS.same_person * size
    )


def _area(hand: HandObservation) -> float:
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    return (x1 - x0) * (y1 - y0)
