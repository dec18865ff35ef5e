"""From one picture to every person's 133 points, face box and mask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.body.body_pose import BODY, FACE, FEET, HANDS, WRISTS, BodyPose
from handwright.perception.body.face import face_points
from handwright.perception.body.network import BodyNetwork, FoundBody
from handwright.perception.detect.arms import PARAMS as ARMS
from handwright.perception.detect.arms import arms_of
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker, Person, of_side
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import nearest_pairs
from handwright.perception.models.download import ensure_models
from handwright.types import Box, HandObservation, Side, expect_array

_BODY_FROM_POSE = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""COCO's 17 points among MediaPipe's 33."""
_FEET_FROM_POSE = ((31, 29, 27, 25, 1.0), (32, 30, 28, 26, -1.0))
"""Tip of the foot, heel, ankle and knee of each foot, left first; sign of the outer side."""


@dataclass(frozen=True, kw_only=True)
class BodyParams:
    """How points that the networks do not have follow from those that they have.

    Attributes:
        small_toe: How far the small toe lies outwards and forwards of the big one, in lengths of the foot;
            mean of 60 rendered bodies (standard deviations .002 and .014).
        max_gap: Largest distance of a hand's wrist from an arm's, in sizes of the larger of hand and palm, at
            which the hand is that arm's; as in the review of arms.
        min_mask: Value of the network's mask from which on a pixel is of the person, in [0, 1].
    """

    small_toe: tuple[float, float] = (0.2325, -0.299)
    max_gap: float = 0.6
    min_mask: float = 0.5


PARAMS = BodyParams()


@dataclass(frozen=True, eq=False)
class Body:
    """One person in a picture."""

    pose: BodyPose  # The 133 points
    mask: Bool[np.ndarray, "h w"]  # Pixels of the picture that show this person
    face_xyxy_px: Box | None  # Box of the face points; None where the face is turned away or out of view
    score: float  # Mean visibility of shoulders, hips and face, in [0, 1]

    def __post_init__(self) -> None:
        expect_array(self.mask, "Body.mask", (None, None), np.bool_)


PeopleIn = Callable[[UInt8[np.ndarray, "h w 3"]], Sequence[Body]]
"""Everybody in a picture, the surest first."""


class BodyEstimator(AbstractContextManager["BodyEstimator"]):
    """Finds people and their 133 points; the networks load on first use and stay loaded until ``close``.

    Args:
        landmarker: Finds the hands; it stays open. By default MediaPipe's, opened and closed here.
        model: A pose_landmarker.task; by default the one that ``ensure_models()`` finds or fetches.

    Raises:
        MissingModelError: A model is missing and cannot be fetched.
    """

    def __init__(self, landmarker: Landmarker | None = None, model: Path | None = None) -> None:
        model = model or ensure_models().pose_landmarker
        if model is None:
            raise MissingModelError(
                "The body model is missing",
                "pose_landmarker.task is not in the cache and could not be fetched",
                "connect to the network and run `handwright setup`",
            )
        self._network = BodyNetwork(model)
        self._own = HandLandmarker() if landmarker is None else None
        self._landmarker = landmarker or self._own

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the networks that were opened here."""
        self._network.close()
        if self._own is not None:
            self._own.close()

    def __call__(
        self, pixels: UInt8[np.ndarray, "h w 3"], hands: Sequence[HandObservation] | None = None
    ) -> list[Body]:
        """Estimate everybody in a picture, the surest first.

        At most six people a view are found, those whose head or upper body is in view; a hand that belongs to
        no visible arm belongs to nobody. What is not estimated is (0, 0) with visibility 0.

        Args:
            pixels: uint8 [H, W, 3] sRGB, upright.
            hands: The hands where they are known; None: they are searched for.

        Raises:
            InvalidValueError: ``pixels`` is no such array.
            MissingModelError: A model file does not load.
        """
        expect_array(pixels, "pixels", (None, None, 3), np.uint8)
        found = self._network(pixels)
        if hands is None:
            hands = find_hands(pixels, landmarker=self._landmarker) if found else []
        height, width = pixels.shape[:2]
        of_body = hands_of_bodies([body.person for body in found], hands, width, height)
        bodies = [_assemble(body, own, width, height) for body, own in zip(found, of_body, strict=True)]
        return sorted(bodies, key=lambda body: -body.score)


def hands_of_bodies(
    people: Sequence[Person], hands: Sequence[HandObservation], width: int, height: int
) -> list[dict[Side, HandObservation]]:
    """Return each person's hands by the side of the arm that they end, the nearest pairs first."""
    arms = [(index, arm) for index, person in enumerate(people) for arm in arms_of(person, width, height)]
    gaps: list[tuple[float, int, int]] = []
    for i, (_, arm) in enumerate(arms):
        for j, hand in enumerate(hands):
            apart = float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px))
            gap = apart / max(hand.size_px, arm.palm_px)
            if gap < PARAMS.max_gap and ARMS.hand_sizes[0] / 2 <= hand.size_px / arm.palm_px:
                gaps.append((gap, i, j))
    of_body: list[dict[Side, HandObservation]] = [{} for _ in people]
    for i, j in nearest_pairs(gaps).items():
        index, arm = arms[i]
        of_body[index][arm.side] = hands[j]
    return of_body


def _assemble(found: FoundBody, hands: dict[Side, HandObservation], width: int, height: int) -> Body:
    joints, seen = found.person.points_px, found.person.visibility
    points, visibility, depth = np.zeros((133, 2)), np.zeros(133), np.zeros(133)
    points[BODY], visibility[BODY] = joints[list(_BODY_FROM_POSE)], seen[list(_BODY_FROM_POSE)]
    points[FEET], visibility[FEET] = _feet(joints, found.depth_px, seen)
    points[FACE], visibility[FACE] = face_points(joints, found.depth_px, seen)
    for side, found_hand in hands.items():
        hand = of_side(found_hand, side)
        points[HANDS[side]], visibility[HANDS[side]] = hand.landmarks_px, 1.0
        points[WRISTS[side]], depth[HANDS[side]] = hand.landmarks_px[0], hand.depth_px
    inside = ((points >= 0) & (points < (width, height))).all(1)
    pose = BodyPose(points, np.where(inside, np.clip(visibility, 0, 1), 0.0), depth)
    face = pose.bbox_xyxy_px(FACE) if pose.visibility[FACE].max() >= 0.5 else None
    return Body(pose, found.mask >= PARAMS.min_mask, face, float(seen[[0, 2, 5, 11, 12, 23, 24]].mean()))


def _feet(
    joints: Float[np.ndarray, "33 2"], depth: Float[np.ndarray, "33"], seen: Float[np.ndarray, "33"]
) -> tuple[Float[np.ndarray, "6 2"], Float[np.ndarray, "6"]]:
    """Big toe, small toe and heel of both feet; the small toe lies beside the big one, away from the shin."""
    solid = np.column_stack([joints, depth])
    points: list[Float[np.ndarray, "3"]] = []
    visible: list[float] = []
    for tip, heel, ankle, knee, sign in _FEET_FROM_POSE:
        foot = solid[tip] - solid[heel]
        length = max(float(np.linalg.norm(foot)), 1e-9)
        outwards = sign * np.cross(foot, solid[ankle] - solid[knee])
        outwards = outwards / max(float(np.linalg.norm(outwards)), 1e-9)
        small = solid[tip] + PARAMS.small_toe[0] * length * outwards + PARAMS.small_toe[1] * foot
        points += [solid[tip], small, solid[heel]]
        visible += [seen[tip], seen[tip], seen[heel]]
    return np.array(points)[:, :2], np.array(visible)
