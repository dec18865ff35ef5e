"""Poses to work from: someone who raises the left hand, in the layouts of the files."""

from __future__ import annotations

from typing import Any

import numpy as np

from handwright.hand.depth import depth_control
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.two_stage.engine import fit_hands, hands_of
from handwright.two_stage.pose_completion import CompletedPose
from tests.perception.hands import FLAT

CANVAS = 512
BODY = (
    (256, 110), (268, 98), (244, 98), (284, 104), (228, 104), (316, 190), (196, 190), (372, 258), (180, 276),
    (368, 170), (176, 360), (292, 356), (220, 356), (292, 470), (220, 470), (292, 580), (220, 580),
)  # fmt: skip


def arrays(hands: tuple[str, ...] = ("left",)) -> np.ndarray:
    """float64 [133, 3] of a person seen from the front; the left palm faces the camera, fingers up."""
    points = np.zeros((133, 3))
    points[:17, :2] = BODY
    points[:17, 2] = 1.0
    mirrored = FLAT * [-1, 1] + np.array([1.0, 0.0])
    for side, at in (("left", (368, 170)), ("right", (176, 360))):
        if side in hands:
            shape = mirrored if side == "left" else FLAT
            points[HANDS[side], :2] = (shape - shape[0]) * 84 + np.array(at)  # pyright: ignore
            points[HANDS[side], 2] = 1.0  # pyright: ignore
    return points


def pose_of_array(points: np.ndarray) -> BodyPose:
    return BodyPose.from_wholebody(points)


def wholebody_file(points: np.ndarray) -> dict[str, Any]:
    flagged = points.copy()
    flagged[:, 2] = np.where(points[:, 2] > 0, 2, 0)
    return {"annotations": [{"keypoints": flagged.ravel().tolist()}]}


def hands_mask(completed: CompletedPose, width: int, height: int) -> np.ndarray:
    """Where the fitted hands are in the picture."""
    hands = hands_of(fit_hands(completed, width, height))
    return depth_control(list(hands.values()), height, width).hand_id >= 0
