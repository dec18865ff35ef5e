"""Finds that are no hands: doubtful ones on a face, a neck, a trunk or an arm where no arm ends.

An ear, a chin, a collar or an elbow is taken for a hand now and then, by the landmark network alone or by the
proposal network. Two detections that agree count wherever they are: hands do lie before faces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import TypeVar

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.perception.detect.arms import ARM_JOINTS, Arm, arm_ends, unmatched_arms
from handwright.perception.detect.landmarker import Person
from handwright.types import Box, HandObservation

T = TypeVar("T")

DOUBTFUL = "low_threshold"  # ``found_by`` of hands that the landmark network alone confirmed

_NOSE, _FACE, _EARS, _EYE_CORNERS, _SHOULDERS, _TRUNK = (
    0,
    (0, 2, 5, 9, 10),
    (7, 8),
    (3, 6),
    (11, 12),
    (11, 12, 24, 23),
)
"""Nose, eyes and corners of the mouth; ears; outer corners of the eyes; shoulders; with hips, in a ring."""


@dataclass(frozen=True, kw_only=True)
class NotAHandParams:
    """When a doubtful find is no hand; chosen on the train split of ai_hands and on rendered people.

    Attributes:
        min_visibility: Least visibility, in [0, 1], of the joints of a part that the body model is sure of.
        min_share: Share of a find's points on the part from which on it lies there.
        min_gap: Distance of the nearest arm's end from a find, in sizes of the larger of hand and palm, from
            which on it is not that arm's hand.
        head: Radius of the head over half the distance of the ears or that of the eyes' outer corners.
        profile: What the distance of nose and farther ear counts for these, in a head seen from the side.
        neck_of_shoulders: Radius of the neck over the width of the shoulders.
        limb: Radius of an arm over the longest of upper arm, forearm and width of the shoulders.
        forearm: Share of the forearm, from the elbow, that is no hand.
        max_size: Largest find, in sizes of the upper body, for which the person is trusted: the pose network
            finds bodies in hands that fill the picture.
    """

    min_visibility: float = 0.8
    min_share: float = 0.5
    min_gap: float = 0.9
    head: float = 1.4
    profile: float = 0.65
    neck_of_shoulders: float = 0.25
    limb: float = 0.12
    forearm: float = 0.75
    max_size: float = 0.5


PARAMS = NotAHandParams()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A find that may be no hand."""

    points_px: Float[np.ndarray, "n 2"]  # Its landmarks, or points all over its middle
    wrist_px: Float[np.ndarray, "2"]  # Where it begins; its middle where that is not known
    middle_px: Float[np.ndarray, "2"]  # Its middle knuckle, or its middle
    size_px: float  # Longer side of its box
    bbox_xyxy_px: Box

    @classmethod
    def of_hand(cls, hand: HandObservation) -> Candidate:
        """A hand with landmarks."""
        points = hand.landmarks_px
        return cls(points, points[0], points[9], hand.size_px, hand.bbox_xyxy_px)

    @classmethod
    def of_square(cls, center_px: tuple[float, float], size_px: float) -> Candidate:
        """A square without landmarks: its inner quarter stands for them."""
        middle = np.array(center_px, float)
        steps = np.linspace(-0.25, 0.25, 5) * size_px
        grid = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
        (x, y), half = center_px, size_px / 2
        box = float(x - half), float(y - half), float(x + half), float(y + half)
        return cls(middle + grid, middle, middle, size_px, box)


@dataclass(frozen=True)
class NotAHand:
    """A find that was refused."""

    bbox_xyxy_px: Box  # Where it was found
    reason: str  # Why it is no hand, a sentence

    def scaled(self, across: float, down: float) -> NotAHand:
        """The same in a picture that is larger by these factors."""
        x0, y0, x1, y1 = self.bbox_xyxy_px
        return NotAHand((x0 * across, y0 * down, x1 * across, y1 * down), self.reason)


def refuse_finds(
    hands: Sequence[HandObservation], people: Sequence[Person]
) -> tuple[list[HandObservation], list[NotAHand]]:
    """Part the hands of a picture into hands, and doubtful finds that are none."""
    finds = ((hand, Candidate.of_hand(hand) if hand.found_by == DOUBTFUL else None) for hand in hands)
    return refuse_candidates(finds, hands, people)


def refuse_candidates(
    finds: Iterable[tuple[T, Candidate | None]], hands: Sequence[HandObservation], people: Sequence[Person]
) -> tuple[list[T], list[NotAHand]]:
    """Part finds into hands, and candidates that are none; a find without a candidate is a hand.

    ``hands`` are all hands of the picture, the doubtful ones included.
    """
    sure = [hand for hand in hands if hand.found_by != DOUBTFUL]
    kept: list[T] = []
    refused: list[NotAHand] = []
    for find, candidate in finds:
        part = None if candidate is None else part_taken_for_hand(candidate, sure, people)
        if candidate is None or part is None:
            kept.append(find)
        else:
            reason = f"This is no hand: it lies on {part}, and no arm ends there."
            refused.append(NotAHand(candidate.bbox_xyxy_px, reason))
    return kept, refused


def part_taken_for_hand(
    find: Candidate, sure: Sequence[HandObservation], people: Sequence[Person]
) -> str | None:
    """Return the name of the body part that a doubtful find lies on, or None where it may be a hand.

    Args:
        find: The find.
        sure: The hands of the picture that are not in doubt; a body found within one of them is none.
        people: The people of the picture.
    """
    arms = [arm_ends(person) for person in people]
    ends = list(chain.from_iterable(arms))
    if any(_gap(find, arm) < PARAMS.min_gap for arm in ends):
        return None
    bare = {id(arm) for arm in unmatched_arms(ends, sure)}
    shares = [
        (float(inside.mean()), name)
        for person, own in zip(people, arms, strict=True)
        if _can_be_trusted(person, find, sure)
        for name, inside in _on_parts(person, find.points_px, [id(arm) not in bare for arm in own])
    ]
    share, name = max(shares, key=itemgetter(0), default=(0.0, ""))
    return name if share >= PARAMS.min_share else None


def _gap(find: Candidate, arm: Arm) -> float:
    """Distance of a find from an arm's end, in sizes of the larger of hand and palm."""
    apart = min(
        float(np.linalg.norm(find.wrist_px - arm.wrist_px)),
        float(np.linalg.norm(find.middle_px - arm.knuckles_px)),
        float(np.linalg.norm(find.middle_px - arm.wrist_px)),
    )
    return apart / max(find.size_px, arm.palm_px)


def _can_be_trusted(person: Person, find: Candidate, sure: Sequence[HandObservation]) -> bool:
    """Whether someone is large enough beside a find, and no body that was found in a hand."""
    upper = float(np.ptp(person.points_px[:17], axis=0).max())
    shoulders = person.points_px[list(_SHOULDERS)]
    in_hand = (
        bool(((shoulders >= hand.bbox_xyxy_px[:2]) & (shoulders <= hand.bbox_xyxy_px[2:])).all())
        for hand in sure
    )
    return find.size_px <= PARAMS.max_size * upper and not any(in_hand)


def _on_parts(
    person: Person, at_px: Float[np.ndarray, "n 2"], has_hand: Sequence[bool]
) -> Iterator[tuple[str, Bool[np.ndarray, " n"]]]:
    """Names of the parts that the body model is sure of, and which points lie on them.

    A find on an arm that has its hand, or on the trunk of someone who has both, would be one hand too many; a
    find on any other arm or trunk may be a hand whose wrist the pose network misplaces. ``has_hand`` tells of
    the left and the right arm.
    """
    points, seen = person.points_px, person.visibility
    shoulders = _apart(points, *_SHOULDERS)

    def is_sure(*joints: int) -> bool:
        return float(seen[list(joints)].min()) >= PARAMS.min_visibility

    if is_sure(*_FACE):
        profile = PARAMS.profile * max(_apart(points, _NOSE, ear) for ear in _EARS)
        head = PARAMS.head * max(_apart(points, *_EARS) / 2, _apart(points, *_EYE_CORNERS), profile)
        centre = points[:11].mean(0)
        yield "a face or an ear", np.linalg.norm(at_px - centre, axis=1) <= head
        if is_sure(*_SHOULDERS):
            mouth, collar = points[[9, 10]].mean(0), points[list(_SHOULDERS)].mean(0)
            yield "a neck", _near_line(at_px, mouth, collar, PARAMS.neck_of_shoulders * shoulders)
    if not is_sure(*_SHOULDERS):
        return
    if all(has_hand):
        trunk = cv2.convexHull(points[list(_TRUNK)].astype(np.float32))
        inside = [cv2.pointPolygonTest(trunk, (float(x), float(y)), measureDist=False) >= 0 for x, y in at_px]
        yield "a trunk", np.array(inside)
    for (shoulder, elbow, wrist, _, _), has in zip(ARM_JOINTS, has_hand, strict=True):
        if has and is_sure(elbow, wrist):
            upper, fore = _apart(points, shoulder, elbow), _apart(points, elbow, wrist)
            radius = PARAMS.limb * max(upper, fore, shoulders)
            end = points[elbow] + PARAMS.forearm * (points[wrist] - points[elbow])
            yield "an upper arm", _near_line(at_px, points[shoulder], points[elbow], radius)
            yield "a forearm", _near_line(at_px, points[elbow], end, radius)


def _near_line(
    points: Float[np.ndarray, "n 2"], a: Float[np.ndarray, "2"], b: Float[np.ndarray, "2"], radius: float
) -> Bool[np.ndarray, " n"]:
    """Which points lie within a radius of the straight line from a to b."""
    along = b - a
    at = np.clip((points - a) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    return np.linalg.norm(points - a - at[:, None] * along, axis=1) <= radius


def _apart(points: Float[np.ndarray, "k 2"], i: int, j: int) -> float:
    return float(np.linalg.norm(points[i] - points[j]))
