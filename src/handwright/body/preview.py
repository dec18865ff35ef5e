"""A picture of a person as parameters have it: the body and both hands, lit from the camera."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from handwright.body.free_body import load_body, pose_body, skin_of
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import SIDES
from handwright.hand.kinematics import mesh_of
from handwright.hand.raster import rasterize

_BODY, _HANDS, _BEHIND = (150.0, 155.0, 165.0), (235.0, 190.0, 150.0), 24
"""sRGB of skin that faces the camera, and the grey behind it: chosen by eye."""

_DARKEST = 0.35  # Share of that which is left where skin faces sideways


def render_person(parameters: BodyParameters) -> UInt8[np.ndarray, "h w 3"]:
    """Render a person in the picture that the parameters belong to."""
    (width, height), camera = parameters.size_px, parameters.camera
    hands = [mesh_of(pose_body(parameters).hands[side]) for side in SIDES]
    parts = [(skin_of(parameters), load_body().faces, _BODY)]
    parts += [(mesh.vertices_cam_m, mesh.faces, _HANDS) for mesh in hands]
    starts = np.cumsum([0, *(len(vertices) for vertices, _, _ in parts)])
    points = np.concatenate([vertices for vertices, _, _ in parts])
    faces = np.concatenate([start + part for start, (_, part, _) in zip(starts, parts, strict=False)])
    colours = np.concatenate([np.tile(colour, (len(part), 1)) for _, part, colour in parts])
    ahead = points[:, 2] > 0
    faces, colours = faces[ahead[faces].all(1)], colours[ahead[faces].all(1)]
    seen = rasterize(camera.project(points), points[:, 2], faces, height, width)
    corners = points[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    towards = np.abs(normals[:, 2]) / np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
    shades = colours * (_DARKEST + (1 - _DARKEST) * towards)[:, None]
    picture = np.full((height, width, 3), _BEHIND, np.uint8)
    covered = seen.face >= 0
    picture[covered] = np.rint(shades[seen.face[covered]]).astype(np.uint8)
    return picture
