"""Whose arm a hand belongs to, and arms that end without one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.arms import Arm, arms_of, find_people, unmatched_arms
from handwright.perception.detect.landmarker import Landmarker, Person
from handwright.perception.detect.views import nearest_pairs
from handwright.types import Box, HandObservation, Side

_WRISTS: dict[Side, int] = {"left": 15, "right": 16}
_ELBOWS: dict[Side, int] = {"left": 13, "right": 14}
_OTHER_SIDE = np.array(
    [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(k + 1 if k % 2 else k - 1 for k in range(11, 33))]
)
"""Index of each of the 33 points in a mirror image."""

_FACE, _SHOULDERS = slice(0, 9), (11, 12)


@dataclass(frozen=True, kw_only=True)
class ArmParams:
    """Which arm a hand ends, and when its side is sure; chosen by eye on training photographs."""

    max_gap: float = 0.6  # Distance of a hand's wrist from an arm's end, in sizes of the larger of the two
    size_in_palms: tuple[float, float] = (0.8, 3.8)  # Least and greatest size of the hand in palms of the arm
    hand_in_palms: float = 1.9  # Length of a hand in palms, where an arm lacks one
    # Distance of a wrist in the mirror image from its place, in palms, that confirms it
    max_moved: float = 0.6
    min_visibility: float = 0.8  # Visibility of elbow, shoulders and face, in [0, 1], of a sure arm
    # Distance of a face in front view from the middle of the shoulders, in shoulder widths
    neck: tuple[float, float] = (0.35, 1.3)
    min_other_wrist: float = 1.5  # Least distance of the other wrist in palms
    # Margin around a hand, in its sizes, within which shoulders are no person's: the pose network finds
    # bodies in hands
    margin: float = 0.3


PARAMS = ArmParams()


@dataclass(frozen=True, eq=False)
class OwnArm:
    """A person's arm, with the side that the body gives it."""

    arm: Arm  # Its end
    sure: bool  # Its side is sure: elbow, both shoulders and the face are in view, and the other wrist is far

    @property
    def side(self) -> Side:
        """Of the person."""
        return self.arm.side


def own_arms(
    people: Sequence[Person], hands: Sequence[HandObservation], width: int, height: int
) -> list[OwnArm]:
    """The arms whose hand lies in the picture, each with its side."""
    return [
        OwnArm(arm, _is_sure(person, arm, width, height))
        for person in people
        if not any(_within(person, hand) for hand in hands)
        for arm in arms_of(person, width, height)
    ]


def people_in_mirror(pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker) -> list[Person]:
    """The people of the mirror image, in the pixels and sides of the picture itself."""
    width = pixels.shape[1]
    mirrored = find_people(np.ascontiguousarray(pixels[:, ::-1]), landmarker)
    return [
        Person((person.points_px * (-1, 1) + (width, 0))[_OTHER_SIDE], person.visibility[_OTHER_SIDE])
        for person in mirrored
    ]


def found_again(own: OwnArm, again: Sequence[OwnArm]) -> bool:
    """Whether a second detection has a sure arm of the same side at the same place."""
    return any(
        other.sure
        and other.side == own.side
        and float(np.linalg.norm(other.arm.wrist_px - own.arm.wrist_px)) < PARAMS.max_moved * own.arm.palm_px
        for other in again
    )


def arms_of_hands(arms: Sequence[OwnArm], hands: Sequence[HandObservation]) -> list[OwnArm | None]:
    """Per hand the arm that it ends, the nearest pairs first; None where there is none."""
    pairs = nearest_pairs(
        (gap, i, j)
        for i, own in enumerate(arms)
        for j, hand in enumerate(hands)
        if (gap := _gap(own.arm, hand)) < PARAMS.max_gap and _same_size(own.arm, hand)
    )
    of_hand = {j: arms[i] for i, j in pairs.items()}
    return [of_hand.get(j) for j in range(len(hands))]


def arms_without(arms: Sequence[OwnArm], hands: Sequence[HandObservation]) -> list[OwnArm]:
    """The arms that none of the hands belongs to."""
    bare = {id(arm) for arm in unmatched_arms([own.arm for own in arms], hands)}
    return [own for own in arms if id(own.arm) in bare]


def hand_box(arm: Arm) -> Box:
    """Where an arm's hand should be: a square around its palm, as wide as a hand is long."""
    along = arm.knuckles_px - arm.wrist_px
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    x, y = arm.wrist_px + 0.5 * PARAMS.hand_in_palms * arm.palm_px * along
    half = 0.5 * PARAMS.hand_in_palms * arm.palm_px
    return float(x - half), float(y - half), float(x + half), float(y + half)


def _is_sure(person: Person, arm: Arm, width: int, height: int) -> bool:
    points, joints = person.points_px, [*_SHOULDERS, _ELBOWS[arm.side], _WRISTS[arm.side]]
    needed = np.concatenate([points[_FACE], points[joints]])
    if not ((needed >= 0) & (needed <= (width, height))).all():
        return False
    if (
        person.visibility[joints].min() < PARAMS.min_visibility
        or person.visibility[_FACE].mean() < PARAMS.min_visibility
    ):
        return False
    first, second = points[list(_SHOULDERS)]
    neck = np.linalg.norm(points[_FACE].mean(0) - (first + second) / 2) / np.linalg.norm(first - second)
    apart = np.linalg.norm(points[_WRISTS["left"]] - points[_WRISTS["right"]])
    return bool(PARAMS.neck[0] <= neck <= PARAMS.neck[1] and apart > PARAMS.min_other_wrist * arm.palm_px)


def _within(person: Person, hand: HandObservation) -> bool:
    """Whether both shoulders lie in a detected hand."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    edge = PARAMS.margin * hand.size_px
    shoulders = person.points_px[list(_SHOULDERS)]
    return bool(((shoulders >= (x0 - edge, y0 - edge)) & (shoulders <= (x1 + edge, y1 + edge))).all())


def _same_size(arm: Arm, hand: HandObservation) -> bool:
    return PARAMS.size_in_palms[0] <= hand.size_px / arm.palm_px <= PARAMS.size_in_palms[1]


def _gap(arm: Arm, hand: HandObservation) -> float:
    """Distance of a hand from an arm's end, in sizes of the larger of the two."""
    scale = max(hand.size_px, arm.palm_px)
    return float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px)) / scale
