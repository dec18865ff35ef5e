"""Words ↔ wrist rotation: where the palm faces and where the fingers point in the picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.hand.grammar.words import DIRECTIONS, Direction, perpendicular
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Side

_VECTORS: dict[Direction, tuple[float, float, float]] = {
    "camera": (0, 0, -1),
    "away": (0, 0, 1),
    "up": (0, -1, 0),
    "down": (0, 1, 0),
    "left": (-1, 0, 0),
    "right": (1, 0, 0),
}
ORIENTATIONS: tuple[tuple[Direction, Direction], ...] = tuple(
    (palm, points) for palm in DIRECTIONS for points in DIRECTIONS if perpendicular(palm, points)
)
"""The 24 pairs of where the palm faces and where the fingers point."""


def wrist_of(palm: Direction, points: Direction) -> Float[np.ndarray, "3"]:
    """Axis-angle wrist rotation (hand → camera) of a hand whose palm and fingers go this way; either side.

    Raises:
        InvalidValueError: The two directions are not at right angles.
    """
    if not perpendicular(palm, points):
        raise InvalidValueError(f"a palm that faces {palm} cannot have its fingers {points}")
    y, z = np.array(_VECTORS[points], float), np.array(_VECTORS[palm], float)
    matrix = np.stack([np.cross(y, z), y, z], 1)
    return matrix_axis_angle(matrix)


def thumb_direction(palm: Direction, points: Direction, side: Side) -> Direction:
    """Return the direction of the thumb's side of a hand with these palm and finger directions."""
    across = np.cross(np.array(_VECTORS[points]), np.array(_VECTORS[palm])) * (1 if side == "right" else -1)
    return max(DIRECTIONS, key=lambda direction: float(across @ np.array(_VECTORS[direction])))


def orientation_of(wrist: Float[np.ndarray, "3"]) -> tuple[Direction, Direction]:
    """Where the palm faces and where the fingers point: the pair of :data:`ORIENTATIONS` that is nearest."""
    matrix = axis_angle_matrix(wrist)

    def closeness(pair: tuple[Direction, Direction]) -> float:
        palm, points = (np.array(_VECTORS[direction], float) for direction in pair)
        return float(matrix[:, 2] @ palm + matrix[:, 1] @ points)

    return max(ORIENTATIONS, key=closeness)
