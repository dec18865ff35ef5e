"""A picture of a person as parameters have it: the body and both hands, lit from the camera."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from handwright.body.free_body import geometry_of
from handwright.body.geometry import BodyModel
from handwright.body.parameters import BodyParameters
from handwright.hand.raster import rasterize

_BODY, _HANDS, _BEHIND = (150.0, 155.0, 165.0), (235.0, 190.0, 150.0), 24
"""sRGB of skin that faces the camera, and the grey behind it: chosen by eye."""

_DARKEST = 0.35  # Share of that which is left where skin faces sideways


def render_person(parameters: BodyParameters, body_of: BodyModel = geometry_of) -> UInt8[np.ndarray, "h w 3"]:
    """Render a person in the picture that the parameters belong to.

    Args:
        parameters: Who, and before which camera.
        body_of: The body model; by default the free body.
    """
    (width, height), body = parameters.size_px, body_of(parameters)
    points, camera = body.vertices_cam_m, body.camera
    faces = body.faces
    of_hand = np.isin(faces, np.concatenate([*body.hand_vertices.values()])).all(1)
    colours = np.array([_BODY, _HANDS])[of_hand.astype(int)]
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
