"""A body pose as the picture that OpenPose ControlNets read: limbs, hands, face in DWPose's colours.

Shapes, order and colours are those of DWPose's drawing (Yang et al. 2023), which ControlNet 1.1's openpose
annotator has, too; sizes are DWPose's at 512 pixels and grow with the shorter side of the canvas.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.perception.body.body_pose import FACE, HANDS, BodyPose

_BODY_OF_WHOLEBODY = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""OpenPose's 18 body points among COCO's 17; its point 1, the neck, lies between the shoulders."""

_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip

_COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0),
    (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255),
    (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""sRGB of the 17 limbs and of the 18 points."""

_HAND_POINT, _FACE_POINT = (0, 0, 255), (255, 255, 255)

Canvas = UInt8[np.ndarray, "h w 3"]
Points = Float[np.ndarray, "k 2"]
Seen = Bool[np.ndarray, " k"]


_SIDE_PX, _LIMB_PX, _JOINT_PX, _FACE_PX, _BONE_PX = 512, 4, 4, 3, 2
"""Shorter side of the canvas that DWPose's sizes are for; half the breadth of a limb; radius of a point of
body or hand, and of the face; breadth of a finger's bone."""

_LIMB_LIGHT = 0.6  # Limbs have this share of their colour, points all of it

MIN_VISIBILITY = 0.3
"""Points that are less surely seen are left out, as by DWPose."""


def skeleton_picture(
    poses: BodyPose | Sequence[BodyPose],
    width: int,
    height: int,
    min_visibility: float = MIN_VISIBILITY,
) -> Canvas:
    """Draw poses on black, as an OpenPose ControlNet reads them.

    Args:
        poses: One pose or several, in pixels of the canvas; what lies outside it is cut off.
        width: Width of the canvas, pixels.
        height: Height of the canvas, pixels.
        min_visibility: Points of less visibility, in [0, 1], are left out, with every line to them.

    Returns:
        uint8 [height, width, 3] sRGB.

    Raises:
        InvalidValueError: The canvas has no pixels.
    """
    if min(width, height) < 1:
        raise InvalidValueError("the canvas of a skeleton needs pixels", f"it is {width} × {height}")
    people = [poses] if isinstance(poses, BodyPose) else list(poses)
    canvas = np.zeros((height, width, 3), np.uint8)
    scale = min(width, height) / _SIDE_PX
    bodies = [_body(pose, min_visibility) for pose in people]
    _limbs(canvas, bodies, scale)
    canvas[:] = (canvas * _LIMB_LIGHT).astype(np.uint8)
    for points, seen in bodies:
        for k in np.flatnonzero(seen):
            _dot(canvas, points[k], _scaled(_JOINT_PX, scale), _COLOURS[k])
    for pose in people:
        seen = pose.known & (pose.visibility >= min_visibility)
        for part in HANDS.values():
            _hand(canvas, pose.points_px[part], seen[part], scale)
        for point in pose.points_px[FACE][seen[FACE]]:
            _dot(canvas, point, _scaled(_FACE_PX, scale), _FACE_POINT)
    return canvas


def openpose_body(pose: BodyPose) -> Float[np.ndarray, "18 3"]:
    """x, y and visibility of OpenPose's 18 body points; (0, 0, 0) where a point is not known.

    The neck is the middle of the shoulders, as visible as the less visible one.
    """
    points = np.zeros((18, 3))
    for k, ours in enumerate(_BODY_OF_WHOLEBODY):
        if ours is not None and pose.known[ours]:
            points[k] = pose.wholebody[ours]
    if pose.known[[5, 6]].all():
        points[1, :2] = pose.points_px[[5, 6]].mean(0)
        points[1, 2] = pose.visibility[[5, 6]].min()
    return points


def _body(pose: BodyPose, least: float) -> tuple[Points, Seen]:
    points = openpose_body(pose)
    return points[:, :2], (points[:, 2] >= least) & (points[:, :2] != 0).any(1)


def _limbs(canvas: Canvas, bodies: Sequence[tuple[Points, Seen]], scale: float) -> None:
    for limb, (a, b) in enumerate(_LIMBS):
        for points, seen in bodies:
            if not (seen[a] and seen[b]):
                continue
            middle, along = (points[a] + points[b]) / 2, points[a] - points[b]
            half = int(np.linalg.norm(along) / 2)
            angle = int(np.degrees(np.arctan2(along[1], along[0])))
            axes = (half, _scaled(_LIMB_PX, scale))
            outline = cv2.ellipse2Poly((int(middle[0]), int(middle[1])), axes, angle, 0, 360, 1)
            cv2.fillConvexPoly(canvas, np.array(outline), _COLOURS[limb])


def _hand(canvas: Canvas, points: Points, seen: Seen, scale: float) -> None:
    for number, (a, b) in enumerate(LANDMARK_EDGES):
        if seen[a] and seen[b]:
            start, end = (tuple(int(v) for v in np.floor(points[k])) for k in (a, b))
            cv2.line(canvas, start, end, _hue(number), _scaled(_BONE_PX, scale))
    for k in np.flatnonzero(seen):
        _dot(canvas, points[k], _scaled(_JOINT_PX, scale), _HAND_POINT)


def _hue(number: int) -> tuple[int, int, int]:
    """The colour of a finger's bone: hues once around the circle over the 20 bones."""
    sextant, rest = divmod(6 * number / len(LANDMARK_EDGES), 1)
    rising, falling = round(255 * rest), round(255 * (1 - rest))
    return (
        (255, rising, 0), (falling, 255, 0), (0, 255, rising), (0, falling, 255), (rising, 0, 255),
        (255, 0, falling),
    )[int(sextant)]  # fmt: skip


def _dot(canvas: Canvas, point: Float[np.ndarray, "2"], radius: int, colour: tuple[int, int, int]) -> None:
    x, y = (int(v) for v in np.floor(point))
    cv2.circle(canvas, (x, y), radius, colour, -1)


def _scaled(pixels: int, scale: float) -> int:
    return max(1, round(pixels * scale))
