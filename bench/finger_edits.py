"""A finger of a person's parameters edited, and what of it is seen in pictures (of ``edited_finger.py``)."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.body import BodyParameters, parameters_of_json, pose_body
from handwright.body.free_body import with_fingers
from handwright.body.skeleton import SIDES
from handwright.hand.anatomy import FINGER_BONES, FINGERS
from handwright.hand.depth import depth_control
from handwright.hand.grammar.angles import TYPICAL_BEND, words_of
from handwright.hand.grammar.words import Bend
from handwright.hand.kinematics import dofs_of_pose, hand_landmarks_px
from handwright.types import Box, Side
from handwright.workflow.generate.pose_source import pose_from_file

LEAST_MOTION = 0.2
"""Hand lengths that the tip of an edited finger must move in the picture: less is hardly seen (by eye)."""


@dataclass(frozen=True)
class Edit:
    """A finger to change."""

    side: Side
    finger: int  # 1 index … 4 pinky
    to: Bend  # 'curled' or 'extended'


def chosen_edit(body: BodyParameters, rng: np.random.Generator) -> Edit:
    """A finger of the hand that is larger in the picture: one whose tip is seen to move, else moves most."""
    areas = {side: _area(landmarks_of(body, side), body.size_px) for side in SIDES}
    side: Side = max(areas, key=lambda one: areas[one])
    hand = pose_body(body).hands[side]
    bends = words_of(dofs_of_pose(hand.pose, hand.palm_arch)).fingers
    edits = [
        Edit(side, k + 1, "curled" if bend == "extended" else "extended") for k, bend in enumerate(bends)
    ]
    moves = [_tip_motion(body, edit) for edit in edits]
    seen = [k for k, moved in enumerate(moves) if moved >= LEAST_MOTION]
    return edits[int(rng.choice(seen)) if seen else int(np.argmax(moves))]


def _tip_motion(body: BodyParameters, edit: Edit) -> float:
    after = parameters_of_json(edited_json(body.to_json(), edit))
    before_px, after_px = landmarks_of(body, edit.side), landmarks_of(after, edit.side)
    tip = finger_landmarks(edit.finger)[-1]
    return float(np.linalg.norm(after_px[tip] - before_px[tip])) / hand_length(before_px, after_px)


def _area(points_px: Float[np.ndarray, "21 2"], size_px: tuple[int, int]) -> float:
    """Of the outline of a hand, as far as its landmarks lie in the picture."""
    inside = ((points_px >= 0) & (points_px < size_px)).all(1)
    return cv2.contourArea(cv2.convexHull(points_px.astype(np.float32))) * float(inside.mean()) ** 2


def edited_json(data: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """The parameters' JSON, three rows changed: the joints of one finger, to the grammar's typical angles."""
    body = parameters_of_json(data)
    hand = pose_body(body).hands[edit.side]
    dofs = dofs_of_pose(hand.pose, hand.palm_arch)
    first = 7 + 4 * (edit.finger - 1)  # ``anatomy.DOF_NAMES``: MCP, PIP and DIP flexion
    dofs[first : first + 3] = np.deg2rad(TYPICAL_BEND[edit.to])
    after = with_fingers(body, {edit.side: dofs}).to_json()
    key, out = f"{edit.side}_hand_pose", deepcopy(data)
    for bone in FINGER_BONES[edit.finger]:
        out[key][bone - 1] = after[key][bone - 1]
    return out


def motions(
    before_px: Float[np.ndarray, "21 2"],
    after_px: Float[np.ndarray, "21 2"],
    found_before_px: Float[np.ndarray, "21 2"],
    found_after_px: Float[np.ndarray, "21 2"],
    finger: int,
) -> dict[str, float]:
    """Ways of landmarks between two versions of a hand, in hand lengths.

    Args:
        before_px: By the parameters as saved.
        after_px: By the edited ones.
        found_before_px: In the picture of the saved ones.
        found_after_px: In the picture of the edited ones.
        finger: The edited one, 1 index … 4 pinky.

    Returns:
        ``found``, ``others`` and ``way`` of ``Case``.
    """
    length, own = hand_length(before_px, after_px), finger_landmarks(finger)
    wished, moved = after_px - before_px, found_after_px - found_before_px
    others = [k for other in range(len(FINGERS)) if other != finger for k in finger_landmarks(other)]
    ways = np.linalg.norm(moved, axis=1) / length
    return {
        "found": float(ways[own].mean()),
        "others": float(ways[others].mean()),
        "way": float((moved[own] * wished[own]).sum() / (wished[own] ** 2).sum()),
    }


def finger_landmarks(finger: int) -> list[int]:
    """Landmarks of a finger beyond its knuckle: two joints and the tip; 0 thumb … 4 pinky."""
    return [4 * finger + k for k in (2, 3, 4)]


def hand_length(before_px: Float[np.ndarray, "21 2"], after_px: Float[np.ndarray, "21 2"]) -> float:
    """The longer side of the box around both versions of a hand, pixels."""
    return float(np.ptp(np.concatenate([before_px, after_px]), axis=0).max())


def box_around(points_px: Float[np.ndarray, "n 2"], margin_px: float) -> Box:
    """The box of points, wider by a margin on every side."""
    (x0, y0), (x1, y1) = points_px.min(0) - margin_px, points_px.max(0) + margin_px
    return (float(x0), float(y0), float(x1), float(y1))


def body_in(file: Path, side_px: int) -> BodyParameters:
    """The person of a file of parameters, in pixels of the picture."""
    body = pose_from_file(file, None, side_px).body
    assert body is not None
    return body


def landmarks_of(body: BodyParameters, side: Side) -> Float[np.ndarray, "21 2"]:
    """A hand's landmarks, pixels."""
    return hand_landmarks_px(pose_body(body).hands[side])


def near_hands(bodies: list[BodyParameters], side: Side, reach_px: float) -> Bool[np.ndarray, "h w"]:
    """Pixels of any version of a hand, and those no farther from one than this."""
    width, height = bodies[0].size_px
    hands = [pose_body(body).hands[side] for body in bodies]
    masks = [depth_control([hand], height, width).hand_id >= 0 for hand in hands]
    away = np.logical_or.reduce(masks) == 0
    return cv2.distanceTransform(away.astype(np.uint8), cv2.DIST_L2, 5) <= reach_px


def mean_squared_error(
    first: UInt8[np.ndarray, "h w 3"], second: UInt8[np.ndarray, "h w 3"], where: Bool[np.ndarray, "h w"]
) -> float:
    """Of sRGB levels, over pixels and channels; NaN without pixels."""
    apart = first[where].astype(np.float64) - second[where]
    return float((apart**2).mean()) if apart.size else float("nan")
