"""The 133 points of COCO-WholeBody of someone who was rendered."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from handwright.data.hands.sample import HandTruth
from handwright.data.people.body import Someone
from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.landmarks import BODY_BONES, FACE, NOSE, ears, feet
from handwright.data.people.figure.makehuman import load_figure
from handwright.data.people.figure.skeleton import bone
from handwright.data.world.stage import Stage

_BODY, _FEET, _FACE, _LEFT, _RIGHT = (
    slice(0, 17),
    slice(17, 23),
    slice(23, 91),
    slice(91, 112),
    slice(112, 133),
)
_JOINT_DEPTH_M, _SKIN_DEPTH_M, _FOOT_DEPTH_M = 0.16, 0.012, 0.03
"""How far behind what is seen a point may lie and still be seen: joints are within, hair and shoes above."""

HIDDEN = 0.5  # Confidence of a point that is in the picture and hidden, as COCO's visibility 1


def wholebody_of(
    someone: Someone, hands: Mapping[str, HandTruth], stage: Stage, scale: int, size: int
) -> Float[np.ndarray, "133 3"]:
    """Where the points are, and whether they are seen (1), hidden (0.5) or outside the picture (0, 0, 0)."""
    skin_m = someone.skin_m()
    joints = someone.stance.bones.heads_m[[bone(name) for name in BODY_BONES]] @ TO_CAMERA + someone.place_m
    eyes = [skin_m[np.unique(load_figure().groups[f"helper-{k}-eye"].faces)] for k in "lr"]
    front = np.array([ball[ball[:, 2].argmin()] for ball in eyes])
    points = np.concatenate([skin_m[[NOSE]], front, skin_m[ears()], joints, skin_m[feet()], skin_m[FACE]])
    slack = np.concatenate(
        [
            np.full(5, _SKIN_DEPTH_M),
            np.full(12, _JOINT_DEPTH_M),
            np.full(6, _FOOT_DEPTH_M),
            np.full(68, _SKIN_DEPTH_M),
        ]
    )
    camera = someone.hands[0].camera
    pixels = camera.project(points)
    column, row = np.clip(np.floor(pixels * scale).astype(int), 0, size * scale - 1).T
    seen_m = stage.visible.depth_m[row, column]
    seen = points[:, 2] - np.where(np.isfinite(seen_m), seen_m, np.inf) < slack
    out = np.zeros((133, 3))
    out[:91] = np.concatenate([pixels, np.where(seen, 1.0, HIDDEN)[:, None]], 1)
    for side, part in (("left", _LEFT), ("right", _RIGHT)):
        truth = hands[side]
        out[part] = np.concatenate([truth.keypoints_px, np.where(truth.visible, 1.0, HIDDEN)[:, None]], 1)
    outside = ~((out[:, :2] >= 0) & (out[:, :2] < size)).all(1)
    out[outside] = 0.0
    return out
