"""The rigged hand: rest geometry, skin weights, landmarks and shape space, in right-hand space and metres.

Frame of the rest hand: wrist at the origin, +y along the middle metacarpal, +x to the thumb's side, +z out of
the palm. ``scripts/export_rig.py`` made the file from CC0 MakeHuman data.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import BONES, FINGER_BONES, PALM_BONES, SHAPE_NAMES

_SLACK_PX = 0.3
"""Distance beyond the radius up to which a pixel belongs to the disc: 1 gives a cross, 2 a round disc."""


def dilated(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask grown by ``radius_px`` pixels."""
    near = _around(mask, radius_px)
    out = np.zeros_like(mask)
    if near is not None:
        out[near] = _within(mask[near], radius_px)
    return out


def eroded(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask shrunk by ``radius_px`` pixels; it is taken to continue beyond the picture's border."""
    near = _around(mask, 0.0)
    if near is None or mask[near].all():
        return mask.copy()
    out = np.zeros_like(mask)
    out[near] = ~_within(~mask[near], radius_px)
    return out


def opened(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask without parts that are narrower than a disc of ``radius_px`` pixels."""
    return dilated(eroded(mask, radius_px), radius_px)


def _around(mask: Bool[np.ndarray, "h w"], radius_px: float) -> tuple[slice, slice] | None:
    """Return rows and columns of the mask and its surroundings; None for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    rim = int(radius_px) + 3
    return slice(max(rows[0] - rim, 0), rows[-1] + rim), slice(max(columns[0] - rim, 0), columns[-1] + rim)


def _within(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return away <= radius_px + _SLACK_PX


_IDENTITY = np.eye(3)

SPREAD_SHARE = (0.0, 1.0, 0.3, -0.35, -1.0)
"""Abduction of each finger (``anatomy.FINGERS``) for one unit of the shape number 'spread' (by eye)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Rig:
    """Rest geometry of the mean right hand."""

    vertices_m: Float[np.ndarray, "v 3"]  # [V, 3] skin
    faces: Int[np.ndarray, "f 3"]  # int32 [F, 3], counter-clockwise from outside; open at the wrist
    weight_bones: Int[np.ndarray, "v 6"]  # int64 [V, 6] bones that carry each vertex
    weights: Float[np.ndarray, "v 6"]  # [V, 6] their shares, each row sums to 1
    joints_m: Float[np.ndarray, "20 3"]  # [20, 3] pivot of each bone
    tips_m: Float[np.ndarray, "5 3"]  # [5, 3] fingertips
    finger_axes: Float[np.ndarray, "5 3 3"]  # [5, 3 (flexion, abduction, along), 3] unit axes at rest
    # [F, 3, 2] texture coordinates of every corner of every face, in 0…1
    corner_uv: Float[np.ndarray, "f 3 2"]
    landmark_bones: Int[np.ndarray, "21 2"]  # int64 [21, 2] the two bones that carry each landmark, half each
    landmarks_m: Float[np.ndarray, "21 3"]  # [21, 3] landmarks at rest, MediaPipe order
    sphere_bones: Int[np.ndarray, " s"]  # int64 [S] bone of each collision sphere
    spheres_m: Float[np.ndarray, "s 3"]  # [S, 3] centres at rest
    sphere_radii_m: Float[np.ndarray, " s"]  # [S]
    sphere_pairs: Int[np.ndarray, "p 2"]  # int64 [P, 2] pairs of spheres that must not overlap

    @property
    def part_ids(self) -> Int[np.ndarray, " v"]:
        """Index into ``BONES`` of the bone with the largest weight of each vertex."""
        return self.weight_bones[np.arange(len(self.weights)), self.weights.argmax(1)]


@lru_cache(maxsize=1)
def load_rig() -> Rig:
    """Load the packaged rig, once a process; its arrays are read-only."""
    with files("handwright.hand").joinpath("rig.npz").open("rb") as stream, np.load(stream) as data:
        arrays = {name: _widen(data[name]) for name in data.files}
    return Rig(**arrays)


def rest_bones(
    rig: Rig, shape: Float[np.ndarray, " s"]
) -> tuple[Float[np.ndarray, "20 3 3"], Float[np.ndarray, "20 3"]]:
    """Shape the rest hand: for each bone, a linear map of offsets from its pivot, and the new pivot.

    A rest point x on bone b goes to ``linear[b] @ (x − rig.joints_m[b]) + joints_m[b]``.

    Raises:
        InvalidValueError: The number of shape numbers is wrong.
    """
    if shape.shape != (len(SHAPE_NAMES),):
        raise InvalidValueError(f"a hand's shape needs {len(SHAPE_NAMES)} numbers, got {shape.shape}")
    size, palm_width, thickness = np.exp(shape[:3])
    spread, lengths = shape[3], np.exp(shape[4:9])
    palm = np.diag([palm_width, 1.0, 1.0])
    linear = np.zeros((len(BONES), 3, 3))
    linear[list(PALM_BONES)] = palm
    joints = rig.joints_m @ palm.T
    turns = axis_angle_matrix(rig.finger_axes[:, 1] * (spread * np.array(SPREAD_SHARE))[:, None])
    for f, chain in enumerate(FINGER_BONES):
        along = rig.finger_axes[f, 2]
        finger = turns[f] @ (thickness * np.eye(3) + (lengths[f] - thickness) * np.outer(along, along))
        linear[list(chain)] = finger
        for parent, child in pairwise(chain):
            joints[child] = joints[parent] + finger @ (rig.joints_m[child] - rig.joints_m[parent])
    return size * linear, size * joints


def axis_angle_matrix(vector: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3 3"]:
    """Return rotation matrices of axis-angle vectors [..., 3] in radians (Rodrigues' formula)."""
    vector = np.asarray(vector, np.float64)
    angle = np.sqrt((vector * vector).sum(-1))[..., None, None]
    cross = np.zeros((*vector.shape, 3))
    cross[..., (2, 0, 1), (1, 2, 0)] = vector / np.maximum(angle[..., 0], 1e-12)
    cross = cross - cross.swapaxes(-1, -2)
    return _IDENTITY + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def matrix_axis_angle(matrix: Float[np.ndarray, "*n 3 3"]) -> Float[np.ndarray, "*n 3"]:
    """Return axis-angle vectors [..., 3] of rotation matrices, through unit quaternions; angles in [0, π]."""
    matrix = np.asarray(matrix, np.float64)
    trace, turned = np.trace(matrix, axis1=-2, axis2=-1), matrix.swapaxes(-1, -2)
    products = np.empty((*matrix.shape[:-2], 4, 4))
    products[..., 0, 0] = 1 + trace
    skew = (matrix - turned)[..., (2, 0, 1), (1, 2, 0)]
    products[..., 0, 1:] = products[..., 1:, 0] = skew
    products[..., 1:, 1:] = matrix + turned + (1 - trace)[..., None, None] * np.eye(3)
    largest = np.diagonal(products, axis1=-2, axis2=-1).argmax(-1)
    quaternion = np.take_along_axis(products, largest[..., None, None], -2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    quaternion = quaternion * np.where(quaternion[..., :1] < 0, -1.0, 1.0)
    sine = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, quaternion[..., :1])
    return quaternion[..., 1:] * np.divide(angle, sine, out=np.full_like(sine, 2.0), where=sine > 0)


def similarity(model: Float[np.ndarray, "n 3"], target: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3 3"]:
    """Return the rotation times the scale that lays centred points onto others (Umeyama 1991), for rows."""
    left, stretch, right = np.linalg.svd(model.T @ target)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    scale = float((stretch * sign).sum() / max(float((model**2).sum()), 1e-12))
    return scale * (left * sign) @ right


def _widen(array: np.ndarray) -> np.ndarray:
    kind = np.float64 if np.issubdtype(array.dtype, np.floating) else np.int64
    wide = np.ascontiguousarray(array.astype(kind))
    wide.setflags(write=False)
    return wide
