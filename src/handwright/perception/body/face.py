"""The 68 face points of iBUG 300-W, placed by the nine points of a face that the pose network has.

A mean face is turned onto nose, eye corners, corners of the mouth and ears by the best similarity in three
dimensions, then sheared as far as the nine points ask for it. It follows the head, not its expression: an
open mouth or a raised brow is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.hand.rig import similarity

_MEAN_FACE = """
-121 -30 174 -115 4 153 -107 43 170 -102 67 116 -87 93 93 -67 117 86 -46 129 77 -23 127 43 0 128 38
23 127 43 46 129 77 67 117 86 87 93 93 102 67 116 107 43 170 115 4 153 121 -30 174
-86 -74 72 -67 -87 54 -53 -90 47 -25 -82 39 -17 -73 39 17 -73 39 25 -82 39 53 -90 47 67 -87 54 86 -74 72
0 -55 38 0 -35 27 0 -16 11 0 0 0 -24 11 22 -12 12 20 0 16 9 12 12 20 24 11 22
-73 -50 64 -55 -58 50 -42 -58 50 -27 -47 55 -42 -42 51 -62 -43 54
27 -47 55 42 -58 50 55 -58 50 73 -50 64 62 -43 54 42 -42 51
-43 50 32 -27 44 18 -13 39 10 0 40 7 13 39 10 27 44 18 43 50 32 31 62 23 11 68 13 0 69 11 -11 68 13 -31 62 23
-38 51 32 -18 50 19 0 49 12 18 50 19 38 51 32 18 51 24 0 52 14 -18 51 24
131 5 220 -131 5 220
"""
MEAN_FACE: Float[np.ndarray, "70 3"] = np.array(_MEAN_FACE.split(), float).reshape(70, 3)
"""The 68 points, then the left and the right ear, in hundredths of the distance between the eyes: x to the
person's left, y down, z backwards, from the tip of the nose. The mean of 60 rendered heads (MakeHuman, CC0),
made symmetric."""

_ANCHORS = ((0, 30), (1, 42), (3, 45), (4, 39), (6, 36), (7, 68), (8, 69), (9, 54), (10, 48))
"""Point of MediaPipe's pose network and the same point of the mean face."""


@dataclass(frozen=True, kw_only=True)
class FaceParams:
    """How the mean face is laid onto the nine points."""

    # Weight against shear, in anchors: the larger, the more the face stays a turned mean face. By eye.
    stiffness: float = 1.0
    # A point farther back than this share of the head's depth, counted from the nose, is hidden. By eye.
    hidden_behind: float = 0.62


PARAMS = FaceParams()


def face_points(
    points_px: Float[np.ndarray, "33 2"],
    depth_px: Float[np.ndarray, "33"],
    visibility: Float[np.ndarray, "33"],
) -> tuple[Float[np.ndarray, "68 2"], Float[np.ndarray, "68"]]:
    """Place the 68 face points by a body's 33 joints.

    Args:
        points_px: float64 [33, 2] MediaPipe's joints in the picture.
        depth_px: float64 [33] their depth, + away from the camera.
        visibility: float64 [33] in [0, 1].

    Returns:
        Points float64 [68, 2] in the picture, and their visibility float64 [68] in [0, 1]: that of the face
        as a whole; half of it for points on the far side of the head, and for all of a face seen from behind.
    """
    ours = [point for _, point in _ANCHORS]
    theirs = [joint for joint, _ in _ANCHORS]
    target = np.column_stack([points_px[theirs], depth_px[theirs]])
    model = MEAN_FACE[ours]
    middle, centre = model.mean(0), target.mean(0)
    similar = similarity(model - middle, target - centre)
    off = target[:, :2] - centre[:2] - (model - middle) @ similar[:, :2]
    weight = PARAMS.stiffness * np.mean((model - middle) ** 2) * np.eye(3)
    shear = np.linalg.solve((model - middle).T @ (model - middle) + weight, (model - middle).T @ off)
    placed = (MEAN_FACE - middle) @ similar
    at = (MEAN_FACE - middle) @ (similar[:, :2] + shear) + centre[:2]
    nearness = placed[:, 2]
    depth = max(float(np.ptp(nearness)), 1e-9)
    far = (nearness - nearness.min()) / depth > PARAMS.hidden_behind
    seen = float(visibility[[0, 2, 5, 9, 10]].mean())
    turned_away = nearness[30] > nearness[68:].mean()
    hidden = far[:68] | turned_away
    return at[:68], np.where(hidden, 0.5 * seen, seen)
