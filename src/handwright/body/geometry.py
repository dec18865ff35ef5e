"""``BodyGeometry``: all that a body model makes of parameters, whichever model it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.body.parameters import BodyParameters
from handwright.types import Camera, Side


@dataclass(frozen=True, eq=False)
class BodyGeometry:
    """A posed body before the camera.

    Joints and rotations are the 22 of ``skeleton.JOINTS``, then 15 of the left hand and 15 of the right one
    in MANO's order. The 133 points are COCO-WholeBody's.
    """

    joints_cam_m: Float[np.ndarray, "52 3"]  # Camera space, metres
    rotations: Float[np.ndarray, "52 3 3"]  # Template → camera
    vertices_cam_m: Float[np.ndarray, "v 3"]  # Skin, both hands included; camera space, metres
    faces: Int[np.ndarray, "f 3"]  # Triangles of the skin, counter-clockwise from outside
    hand_vertices: Mapping[Side, Int[np.ndarray, " n"]]  # Which vertices are each hand's
    points_cam_m: Float[np.ndarray, "133 3"]  # Camera space, metres; zeros where the model has no such point
    known: Bool[np.ndarray, "133"]  # Which of the points the model has
    camera: Camera  # Of the parameters

    @property
    def joints_px(self) -> Float[np.ndarray, "52 2"]:
        """Joints in pixels of the parameters' picture, whether in the picture or not."""
        return self.camera.project(self.joints_cam_m)

    @property
    def points_px(self) -> Float[np.ndarray, "133 2"]:
        """The 133 points in pixels, whether in the picture or not; zeros for those that are not known."""
        points = np.zeros((len(self.known), 2))
        points[self.known] = self.camera.project(self.points_cam_m[self.known])
        return points

    def hand_vertices_cam_m(self, side: Side) -> Float[np.ndarray, "n 3"]:
        """Skin of one hand in camera space, metres."""
        return self.vertices_cam_m[self.hand_vertices[side]]


BodyModel = Callable[[BodyParameters], BodyGeometry]
"""A back end: ``free_body.geometry_of``, or ``partial(pose_smplh, read_smplh(path))`` with one's own file."""
