"""``BodyParameters``: one person as SMPL-H's numbers, before a camera; JSON both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.json_text import parse_json
from handwright.types import Camera, Side, expect_array

VERSION = 1  # Of the JSON layout

_SHAPES: Mapping[str, tuple[int, ...]] = {
    "global_orient": (3,), "body_pose": (21, 3), "left_hand_pose": (15, 3), "right_hand_pose": (15, 3),
    "betas": (10,), "transl": (3,), "palm_arch": (2, 2), "hand_shape": (9,),
}  # fmt: skip


_LARGEST, _LARGEST_PX = 1e4, 1e7
"""Radians, metres and coefficients; pixels. No person has larger ones, and their squares stay finite."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BodyParameters:
    """One person in front of a camera; names and conventions as in SMPL-H.

    The template stands in a T: arms along ±x (the left one along +x), palms down, y up, facing +z. Every
    rotation is relative to its parent's and is the identity in the template.

    Attributes:
        global_orient: float64 [3] axis-angle, template → camera (camera: x right, y down, z ahead).
        body_pose: float64 [21, 3] axis-angle of the joints after the pelvis, ``skeleton.JOINTS``.
        left_hand_pose: float64 [15, 3] axis-angle about the flat hand, MANO's left model and order.
        right_hand_pose: float64 [15, 3] the same of the right model.
        betas: float64 [10] shape: coefficients of the body's principal components, in standard deviations.
        transl: float64 [3] of the pelvis joint in camera space, metres.
        camera: The pinhole camera of the picture.
        size_px: Width and height of the picture.
        palm_arch: float64 [2, 2] flexion of the ring and the little finger's metacarpals, radians, left hand
            first; ours beside SMPL-H's, zero for a body that comes from elsewhere.
        hand_shape: float64 [9] shape of both hands, ``hand.anatomy.SHAPE_NAMES``, about what ``betas`` give;
            ours beside SMPL-H's.
    """

    global_orient: Float[np.ndarray, "3"]
    body_pose: Float[np.ndarray, "21 3"]
    left_hand_pose: Float[np.ndarray, "15 3"]
    right_hand_pose: Float[np.ndarray, "15 3"]
    betas: Float[np.ndarray, "10"]
    transl: Float[np.ndarray, "3"]
    camera: Camera
    size_px: tuple[int, int]
    palm_arch: Float[np.ndarray, "2 2"]
    hand_shape: Float[np.ndarray, "9"]

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            expect_array(getattr(self, name), f"BodyParameters.{name}", shape)
            if np.abs(getattr(self, name)).max() > _LARGEST:
                raise InvalidValueError(
                    f"BodyParameters.{name} is damaged", f"it has numbers above {_LARGEST:g}"
                )
        numbers = (self.camera.focal_px, *self.camera.center_px, *self.size_px)
        if max(map(abs, numbers)) > _LARGEST_PX:
            raise InvalidValueError(
                "BodyParameters.camera is damaged", f"it has numbers above {_LARGEST_PX:g}"
            )
        if self.transl[2] <= 0:
            raise InvalidValueError(
                "BodyParameters.transl must lie in front of the camera", f"z is {self.transl[2]:.3g} m"
            )
        if min(self.size_px) < 1:
            raise InvalidValueError(f"BodyParameters.size_px must be positive, got {self.size_px}")

    def hand_pose(self, side: Side) -> Float[np.ndarray, "15 3"]:
        """The pose of one hand, MANO's model of that side."""
        return self.left_hand_pose if side == "left" else self.right_hand_pose

    def resized(self, width: int, height: int) -> BodyParameters:
        """The same person in a picture of another size; the picture's longer side decides the scale."""
        scale = max(width, height) / max(self.size_px)
        x, y = self.camera.center_px
        center = (x - self.size_px[0] / 2) * scale + width / 2, (y - self.size_px[1] / 2) * scale + height / 2
        return replace(self, camera=Camera(self.camera.focal_px * scale, center), size_px=(width, height))

    def to_json(self) -> dict[str, Any]:
        """Plain numbers; angles in radians, lengths in metres."""
        numbers = {name: np.round(getattr(self, name), 6).tolist() for name in _SHAPES}
        camera = {"focal_px": self.camera.focal_px, "center_px": list(self.camera.center_px)}
        return {"handwright_body": VERSION, **numbers, "camera": camera, "size_px": list(self.size_px)}

    def __repr__(self) -> str:
        return f"<BodyParameters {float(self.transl[2]):.2f} m away, {self.size_px[0]}×{self.size_px[1]} px>"


def parameters_of_json(data: object, source: str = "the parameters") -> BodyParameters:
    """Read what :meth:`BodyParameters.to_json` wrote, perhaps edited.

    Raises:
        InvalidValueError: Something is missing, unknown or out of range; with its name.
    """
    if not isinstance(data, dict):
        raise InvalidValueError(f"{source} must be a JSON object", f"it is a {type(data).__name__}")
    known = {"handwright_body", *(field.name for field in fields(BodyParameters))}
    if unknown := sorted(set(data) - known):
        raise InvalidValueError(f"{source} has an unknown field {unknown[0]!r}", "", "take it out")
    if missing := sorted(known - set(data)):
        raise InvalidValueError(
            f"{source} lacks {missing[0]!r}", "", "start from a file that handwright wrote"
        )
    if data["handwright_body"] != VERSION:
        raise InvalidValueError(
            f"{source} has layout {data['handwright_body']!r}", f"this version reads layout {VERSION}"
        )
    try:
        arrays = {name: np.asarray(data[name], np.float64) for name in _SHAPES}
        camera = data["camera"]
        x, y = (float(value) for value in camera["center_px"])
        width, height = (int(value) for value in data["size_px"])
        return BodyParameters(
            **arrays, camera=Camera(float(camera["focal_px"]), (x, y)), size_px=(width, height)
        )
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError(f"{source} cannot be read", str(error), "give numbers only") from error


def read_parameters(path: Path) -> BodyParameters:
    """Read a JSON file of :meth:`BodyParameters.to_json`.

    Raises:
        InvalidValueError: It cannot be read, or does not hold parameters.
    """
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValueError(
            f"cannot read {path}", str(error), "give a JSON file of parameters"
        ) from error
    return parameters_of_json(data, str(path))
