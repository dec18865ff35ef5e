"""One hand ↔ one JSON record of a hands file."""

from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_NAMES, SHAPE_NAMES
from handwright.hand.files._fields import (
    Record,
    known_only,
    number,
    numbers,
    record,
    refuse,
    required,
    text,
    whole,
)
from handwright.hand.kinematics import DOF_BONES, dofs_of_pose, hand_landmarks_m, pose_of_dofs
from handwright.types import Camera, Hand, HandObservation, Side

_NAMES = (
    "id", "side", "landmarks_px", "depth_px", "score", "found_by", "pose", "palm_arch", "angles_deg", "wrist",
)  # fmt: skip
FIELDS = (*_NAMES, "translation_m", "shape", "camera", "betas")
ANGLE_DECIMALS = 2
_SAME_DEG = 0.5 * 10**-ANGLE_DECIMALS + 1e-9
_SLACK_DEG = 0.05
MAX_SHAPE = 1.5  # Largest shape number taken from a file: e^1.5 is 4.5 times the mean hand


def hand_to_record(hand_id: int, observation: HandObservation, hand: Hand) -> dict[str, Any]:
    """Everything of a hand; numbers in full but for ``angles_deg``, a view rounded for reading."""
    angles = np.rad2deg(dofs_of_pose(hand.pose, hand.palm_arch)).round(ANGLE_DECIMALS) + 0.0
    return {
        "id": int(hand_id),
        "side": hand.side,
        "score": float(observation.score),
        "found_by": observation.found_by,
        "angles_deg": dict(zip(DOF_NAMES, angles.tolist(), strict=True)),
        "shape": dict(zip(SHAPE_NAMES, hand.shape.tolist(), strict=True)),
        "wrist": hand.wrist.tolist(),
        "translation_m": hand.translation_m.tolist(),
        "camera": {
            "focal_px": float(hand.camera.focal_px),
            "center_px": [float(c) for c in hand.camera.center_px],
        },
        "palm_arch": hand.palm_arch.tolist(),
        "pose": hand.pose.tolist(),
        "betas": None if hand.betas is None else hand.betas.tolist(),
        "landmarks_px": observation.landmarks_px.tolist(),
        "depth_px": observation.depth_px.tolist(),
    }


def hand_from_record(value: object, position: int, where: str) -> tuple[int, HandObservation, Hand]:
    """Return a hand from its record.

    Required: side, wrist, translation_m, camera, and pose or angles_deg. By default: id is the position in
        the file,
    shape the mean hand's, landmarks and depths the hand's own, score 1, found_by 'file'.

    Raises:
        HandsFileError: Something is missing, misspelt, of the wrong shape or outside a joint's limits.
    """
    fields = record(value, where)
    known_only(fields, FIELDS, where)
    side = _side(required(fields, "side", where), where)
    pose, arch = _articulation(fields, where)
    translation = numbers(required(fields, "translation_m", where), (3,), f"{where}, translation_m")
    if translation[2] <= 0:
        refuse(f"{where}, translation_m", "the hand lies behind the camera", "z must be positive", "move it")
    betas = fields.get("betas")
    hand = Hand(
        pose=pose,
        palm_arch=arch,
        wrist=numbers(required(fields, "wrist", where), (3,), f"{where}, wrist"),
        translation_m=translation,
        shape=_shape(fields.get("shape"), f"{where}, shape"),
        side=side,
        camera=_camera(required(fields, "camera", where), f"{where}, camera"),
        betas=None if betas is None else numbers(betas, (10,), f"{where}, betas"),
    )
    hand_id = position if fields.get("id") is None else whole(fields["id"], f"{where}, id", 1)
    return hand_id, _observation(fields, hand, where), hand


def _articulation(fields: Record, where: str) -> tuple[Float[np.ndarray, "15 3"], Float[np.ndarray, "2"]]:
    """Pose and palm arch, with edited angles put in; joints whose angles were not edited stay exactly."""
    arch = fields.get("palm_arch")
    arch = np.zeros(2) if arch is None else numbers(arch, (2,), f"{where}, palm_arch")
    pose = fields.get("pose")
    if pose is None and fields.get("angles_deg") is None:
        refuse(where, "the fields 'pose' and 'angles_deg' are both missing", "", "give one of them")
    pose = np.zeros((15, 3)) if pose is None else numbers(pose, (15, 3), f"{where}, pose")
    if fields.get("angles_deg") is None:
        return pose, arch
    given = record(fields["angles_deg"], f"{where}, angles_deg")
    known_only(given, DOF_NAMES, f"{where}, angles_deg")
    dofs = dofs_of_pose(pose, arch)
    edited = np.zeros(len(DOF_NAMES), np.bool_)
    for k, name in enumerate(DOF_NAMES):
        if name in given:
            degrees = number(given[name], f"{where}, {name}")
            edited[k] = abs(degrees - np.rad2deg(dofs[k])) > _SAME_DEG
            if edited[k]:
                dofs[k] = _within_limits(degrees, k, f"{where}, {name}")
    turned, turned_arch = pose_of_dofs(dofs)
    joints = np.isin(np.arange(1, 16), np.array(DOF_BONES)[edited])
    return np.where(joints[:, None], turned, pose), np.where(edited[22:24], turned_arch, arch)


def _within_limits(degrees: float, dof: int, where: str) -> float:
    low, high = np.rad2deg(DOF_LIMITS_RAD[dof])
    if not low - _SLACK_DEG <= degrees <= high + _SLACK_DEG:
        why = f"this joint moves from {low:.0f} to {high:.0f} degrees"
        refuse(where, f"no hand bends by {degrees:g} degrees there", why, "give an angle between them")
    return float(np.deg2rad(np.clip(degrees, low, high)))


def _side(value: object, where: str) -> Side:
    if value not in ("left", "right"):
        refuse(f"{where}, side", f"expected 'left' or 'right', got {value!r}", "", "correct it")
    return "left" if value == "left" else "right"


def _shape(value: object, where: str) -> Float[np.ndarray, " s"]:
    if value is None:
        return np.zeros(len(SHAPE_NAMES))
    given = record(value, where)
    known_only(given, SHAPE_NAMES, where)
    shape = np.array([number(given.get(name, 0.0), f"{where}, {name}") for name in SHAPE_NAMES])
    if np.abs(shape).max() > MAX_SHAPE:
        refuse(where, f"no hand is shaped so: {np.abs(shape).max():g}", f"numbers go up to ±{MAX_SHAPE:g}")
    return shape


def _camera(value: object, where: str) -> Camera:
    fields = record(value, where)
    known_only(fields, ("focal_px", "center_px"), where)
    x, y = numbers(required(fields, "center_px", where), (2,), f"{where}, center_px").tolist()
    try:
        return Camera(number(required(fields, "focal_px", where), f"{where}, focal_px"), (x, y))
    except InvalidValueError as error:
        refuse(where, str(error))


def _observation(fields: Record, hand: Hand, where: str) -> HandObservation:
    landmarks, depth, score = fields.get("landmarks_px"), fields.get("depth_px"), fields.get("score")
    found_by = fields.get("found_by")
    own = hand_landmarks_m(hand) if landmarks is None or depth is None else np.zeros((21, 3))
    own_depth = (own[:, 2] - own[:, 2].mean()) * (hand.camera.focal_px / hand.translation_m[2])
    checked_score = 1.0 if score is None else number(score, f"{where}, score")
    if not 0.0 <= checked_score <= 1.0:
        refuse(f"{where}, score", f"expected a number from 0 to 1, got {checked_score:g}")
    return HandObservation(
        landmarks_px=hand.camera.project(own)
        if landmarks is None
        else numbers(landmarks, (21, 2), f"{where}, landmarks_px"),
        depth_px=own_depth if depth is None else numbers(depth, (21,), f"{where}, depth_px"),
        side=hand.side,
        score=checked_score,
        found_by="file" if found_by is None else text(found_by, f"{where}, found_by"),
    )
