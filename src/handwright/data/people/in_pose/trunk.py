"""Turn, place, spine, shoulders and head of a body by least squares on the points of a pose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.makehuman import load_figure
from handwright.data.people.figure.mesh_cutting import FACE as FACE_VERTICES
from handwright.data.people.figure.mesh_cutting import NOSE, Posed, bone, ears, pose_bones
from handwright.data.shapes import Matrix, Points, Vector
from handwright.hand.rig import axis_angle_matrix
from handwright.perception.body.body_pose import FACE, BodyPose
from handwright.types import Camera

_JOINTS = ("upperarm01.L", "upperarm01.R", "upperleg01.L", "upperleg01.R")
_JOINT_POINTS = (5, 6, 11, 12)
_HEAD_POINTS = (0, 1, 2, 3, 4, *range(FACE.start, FACE.stop))
_SPINE = ("spine04", "spine03", "spine02", "spine01")
_NECK = ("neck01", "neck02", "neck03", "head")

_SPREAD_DEG = np.array([10, 45, 6, 9, 12, 8, 14, 28, 12, 9, 9], float)
"""Expected deviations of the angles: the trunk's tilt, turn and lean, bend, twist and lean of the spine, nod,
shake and tilt of the head, how far the left and the right shoulder are raised. By eye, on the people that
``posture.stance`` draws and a little wider."""

_POINT_SD, _FACE_SHARE, _FEWEST = 0.04, 0.06, 0.05
"""Expected error of a point in shoulder widths; weight of one of the 68 face points beside a joint's; weight
of a point that is not seen but estimated."""

_STEPS, _DELTA = 14, 1e-4
_NEUTRAL_DEPTH_M = 2.5  # Where the search starts if neither shoulders nor hips give a distance


@dataclass(frozen=True, eq=False)
class Trunk:
    """A body whose trunk and head are in the pose; arms and legs are at rest."""

    posed: Posed  # Its bones
    place_m: Vector  # [3] of the body's origin in camera space
    local: dict[str, Matrix]  # The bones' own rotations, for ``pose_bones``
    error_px: float  # Weighted mean distance of the points that were fitted


def fit_trunk(pose: BodyPose, vertices_m: Points, heads_m: Points, camera: Camera) -> Trunk:
    """Fit a resting body's trunk to a pose by damped least squares (Levenberg–Marquardt).

    Args:
        pose: The pose, in pixels of the picture; at least one shoulder is known.
        vertices_m: The resting body and its helper meshes, as ``rest_vertices_m`` gives them.
        heads_m: The heads of its bones.
        camera: The picture's camera.
    """
    data = _Data.of(pose, vertices_m, heads_m, camera)
    p = data.start()
    residual = data.residuals(p)
    damping = 1e-2
    for _ in range(_STEPS):
        jacobian = np.stack(
            [(data.residuals(p + _DELTA * unit) - residual) / _DELTA for unit in np.eye(len(p))], 1
        )
        square = jacobian.T @ jacobian
        step = np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-9), -jacobian.T @ residual)
        tried = data.residuals(p + step)
        if tried @ tried < residual @ residual:
            p, residual, damping = p + step, tried, max(damping / 4, 1e-6)
        else:
            damping *= 6
    posed, place = data.body(p)
    return Trunk(posed, place, _local(p), data.error_px(p))


@dataclass(frozen=True, eq=False)
class _Data:
    """What the residuals are made of."""

    heads_m: Points
    on_head_m: Float[np.ndarray, "73 3"]  # Nose, eyes, ears and face of the resting body
    wanted_px: Float[np.ndarray, "77 2"]
    weights: Float[np.ndarray, "77"]
    camera: Camera
    sd_px: float

    @classmethod
    def of(cls, pose: BodyPose, vertices_m: Points, heads_m: Points, camera: Camera) -> _Data:
        index = [*_JOINT_POINTS, *_HEAD_POINTS]
        seen = np.where(pose.known, np.clip(pose.visibility, _FEWEST, 1.0), 0.0)[index]
        seen[9:] *= _FACE_SHARE
        on_head = vertices_m[_head_vertices()]
        wanted = pose.points_px[index]
        wide = _width_px(pose)
        return cls(heads_m, on_head, wanted, seen, camera, max(_POINT_SD * wide, 0.5))

    def start(self) -> np.ndarray:
        """Facing the camera, as far away as shoulders and hips are apart."""
        known = self.weights[:4] > 0
        rest = self.heads_m[_joint_bones()]
        p = np.zeros(3 + len(_SPREAD_DEG))
        depth = _NEUTRAL_DEPTH_M
        spread = self.wanted_px[:4][known]
        apart = np.linalg.norm(spread - spread.mean(0)) if known.any() else 0.0
        if known.sum() > 1 and apart > 1:
            model = rest[known][:, :2]
            depth = self.camera.focal_px * float(np.linalg.norm(model - model.mean(0)) / apart)
        middle = spread.mean(0) if known.any() else np.asarray(self.camera.center_px)
        anchor = (rest[known] if known.any() else rest).mean(0) @ TO_CAMERA
        at = np.append((middle - self.camera.center_px) / self.camera.focal_px * depth, depth)
        p[:3] = at - anchor * [1, 1, 0]
        p[2] = np.log(depth)
        return p

    def body(self, p: np.ndarray) -> tuple[Posed, Vector]:
        """The bones, and the place of the body's origin in camera space."""
        return pose_bones(self.heads_m, _local(p)), np.array([p[0], p[1], np.exp(p[2])])

    def _offsets_px(self, p: np.ndarray) -> Float[np.ndarray, "77 2"]:
        posed, place = self.body(p)
        head = bone("head")
        on_head = posed.heads_m[head] + (self.on_head_m - self.heads_m[head]) @ posed.turns[head].T
        points = np.concatenate([posed.heads_m[_joint_bones()], on_head]) @ TO_CAMERA + place
        points[:, 2] = np.maximum(points[:, 2], 0.1)
        return self.camera.project(points) - self.wanted_px

    def residuals(self, p: np.ndarray) -> np.ndarray:
        """Offsets of the points and angles in expected deviations."""
        off = np.sqrt(self.weights)[:, None] * self._offsets_px(p) / self.sd_px
        return np.concatenate([off.ravel(), p[3:] / np.deg2rad(_SPREAD_DEG)])

    def error_px(self, p: np.ndarray) -> float:
        """Weighted mean distance of the points."""
        far = np.linalg.norm(self._offsets_px(p), axis=1)
        return float((self.weights * far).sum() / max(self.weights.sum(), 1e-9))


def _local(p: np.ndarray) -> dict[str, Matrix]:
    turn, spine, head, raised = p[3:6], p[6:9], p[9:12], p[12:14]
    parts = {"root": axis_angle_matrix(turn)}
    parts |= {name: axis_angle_matrix(spine / 4) for name in _SPINE}
    parts |= {name: axis_angle_matrix(head / 4) for name in _NECK}
    for tag, sign, up in (("L", 1.0, raised[0]), ("R", -1.0, raised[1])):
        parts[f"clavicle.{tag}"] = axis_angle_matrix(np.array([0.0, 0.0, sign * up]))
    return parts


@cache
def _joint_bones() -> list[int]:
    return [bone(name) for name in _JOINTS]


@cache
def _head_vertices() -> Int[np.ndarray, "73"]:
    """Nose, the front of both eyes, ears and the 68 face points, by vertices of the resting body."""
    figure = load_figure()
    eyes: list[int] = []
    for side in "lr":
        ball = np.unique(figure.groups[f"helper-{side}-eye"].faces)
        eyes.append(int(ball[figure.vertices_m[ball, 2].argmax()]))
    return np.array([NOSE, *eyes, *ears(), *FACE_VERTICES])


def _width_px(pose: BodyPose) -> float:
    """About the width of the shoulders, for the scale of errors."""
    if pose.known[[5, 6]].all():
        return float(np.linalg.norm(pose.points_px[5] - pose.points_px[6]))
    return float(np.ptp(pose.points_px[pose.known], axis=0).max()) / 3
