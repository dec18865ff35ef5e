"""``BodyPose``: the 133 points of one person in COCO-WholeBody's order (Jin et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import FINGERS
from handwright.types import Box, Side, expect_array

BODY, FEET, FACE = slice(0, 17), slice(17, 23), slice(23, 91)
"""Nose, eyes, ears, shoulders … ankles, left first; big toe, small toe, heel, left first; iBUG's 68."""
HANDS: dict[Side, slice] = {"left": slice(91, 112), "right": slice(112, 133)}
"""The 21 landmarks of each hand, MediaPipe order."""

_MEET = 1.1  # Boxes grown by this factor that touch share one crop

_BODY_NAMES = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee",
    "right knee", "left ankle", "right ankle", "left big toe", "left small toe", "left heel",
    "right big toe", "right small toe", "right heel",
)  # fmt: skip
_JOINT_NAMES = {"thumb": ("CMC", "MCP", "IP", "tip")}
_FINGER_JOINTS = ("MCP", "PIP", "DIP", "tip")

_SIDE_PAIRS = (
    *((k, k + 1) for k in range(1, 17, 2)), *((17 + k, 20 + k) for k in range(3)),
    *((23 + k, 39 - k) for k in range(8)), *((40 + k, 49 - k) for k in range(5)),
    *((54 + k, 58 - k) for k in range(2)), (59, 68), (60, 67), (61, 66), (62, 65), (63, 70), (64, 69),
    *((71 + k, 77 - k) for k in range(3)), *((78 + k, 82 - k) for k in range(2)),
    (83, 87), (84, 86), (88, 90), *((91 + k, 112 + k) for k in range(21)),
)  # fmt: skip
"""Points that are each other's in a mirrored picture; those in the middle of nose, mouth and chin stay."""

SHOULDERS: dict[Side, int] = {"left": 5, "right": 6}
ELBOWS: dict[Side, int] = {"left": 7, "right": 8}
WRISTS: dict[Side, int] = {"left": 9, "right": 10}
"""An arm's joints among the points of the body."""


def point_name(index: int) -> str:
    """What to call one of the 133 points in a message: 'left elbow', 'face point 30', 'right index PIP'."""
    if index < FACE.start:
        return _BODY_NAMES[index]
    if index < FACE.stop:
        return f"face point {index - FACE.start}"
    side: Side = "left" if index < HANDS["right"].start else "right"
    joint = index - HANDS[side].start
    if joint == 0:
        return f"wrist of the {side} hand"
    finger = FINGERS[(joint - 1) // 4]
    return f"{side} {finger} {_JOINT_NAMES.get(finger, _FINGER_JOINTS)[(joint - 1) % 4]}"


@dataclass(frozen=True, eq=False, repr=False)
class BodyPose:
    """The points of one person in a picture.

    Attributes:
        points_px: float64 [133, 2] in pixels of the picture (centres at + 0.5, y down), also outside it;
            (0, 0) where a point is not known.
        visibility: float64 [133] in [0, 1]: how surely the point is in the picture and unobstructed; 0 where
            it is not known.
        depth_px: float64 [133] relative depth of hands' points in pixels, + away from the camera, any offset
            a hand; None where it is not known, as in files.
    """

    points_px: Float[np.ndarray, "133 2"]
    visibility: Float[np.ndarray, "133"]
    depth_px: Float[np.ndarray, "133"] | None = None

    def __post_init__(self) -> None:
        expect_array(self.points_px, "BodyPose.points_px", (133, 2))
        expect_array(self.visibility, "BodyPose.visibility", (133,))
        if self.depth_px is not None:
            expect_array(self.depth_px, "BodyPose.depth_px", (133,))
        if self.visibility.min() < 0 or self.visibility.max() > 1:
            raise InvalidValueError(
                "BodyPose.visibility must lie in [0, 1]",
                f"it goes from {self.visibility.min():.3g} to {self.visibility.max():.3g}",
            )

    @property
    def known(self) -> Bool[np.ndarray, "133"]:
        """Which points are known, bool [133]."""
        return (self.points_px != 0).any(1)

    @property
    def wholebody(self) -> Float[np.ndarray, "133 3"]:
        """x, y and visibility of each point, float64 [133, 3], as in the project's labels of people."""
        return np.column_stack([self.points_px, self.visibility])

    @classmethod
    def from_wholebody(cls, points: Float[np.ndarray, "133 3"]) -> BodyPose:
        """The pose whose ``wholebody`` these points are."""
        return cls(points[:, :2].copy(), points[:, 2].copy())

    def has_hand(self, side: Side) -> bool:
        """Whether the landmarks of this hand are known."""
        return bool(self.known[HANDS[side]].any())

    def mirrored(self, width: float) -> BodyPose:
        """The pose in the picture flipped left to right, which is ``width`` pixels wide."""
        order = np.arange(133)
        for one, other in _SIDE_PAIRS:
            order[[one, other]] = other, one
        points = self.points_px[order].copy()
        known = self.known[order]
        points[known, 0] = width - points[known, 0]
        depth = None if self.depth_px is None else self.depth_px[order]
        return BodyPose(points, self.visibility[order].copy(), depth)

    def scaled(self, x: float, y: float, scale: float) -> BodyPose:
        """The pose in a window of its picture from (x, y) on, enlarged by ``scale``."""
        points = np.where(self.known[:, None], (self.points_px - [x, y]) * scale, 0.0)
        depth = None if self.depth_px is None else self.depth_px * scale
        return BodyPose(points, self.visibility, depth)

    def bbox_xyxy_px(self, part: slice = slice(None)) -> Box | None:
        """The box of the known points, or of those of one part; None where there are none."""
        points = self.points_px[part][self.known[part]]
        if not len(points):
            return None
        low, high = points.min(0), points.max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def __repr__(self) -> str:
        hands = [side for side in HANDS if self.has_hand(side)]
        seen = int((self.visibility >= 0.5).sum())
        return f"<BodyPose {seen} of 133 points seen, hands: {', '.join(hands) or 'none'}>"


def boxes_meet(one: Float[np.ndarray, "21 2"], other: Float[np.ndarray, "21 2"]) -> bool:
    """Whether the boxes of two hands' landmarks, grown by ``_MEET``, overlap: they share a crop then."""
    (low, high), (low2, high2) = (_grown(points) for points in (one, other))
    return bool(((low < high2) & (low2 < high)).all())


def hands_meet(points_px: Float[np.ndarray, "133 2"]) -> bool:
    """Whether a person's own hands do, as ``boxes_meet`` has it."""
    return boxes_meet(*(points_px[hand] for hand in HANDS.values()))


def _grown(points: Float[np.ndarray, "21 2"]) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    middle, half = (points.min(0) + points.max(0)) / 2, _MEET * np.ptp(points, axis=0) / 2
    return middle - half, middle + half
