"""Natural hand poses: categories of finger angles, jittered within anatomical limits, free of collisions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import DOF_LIMITS_RAD, SHAPE_NAMES
from handwright.hand.kinematics import pose_bones, pose_of_dofs, pose_points
from handwright.hand.rig import load_rig
from handwright.types import Camera, Hand

_TRIES = 24
_DEEPEST_M = 0.002

_STRAIGHT, _EASY, _HALF, _CURLED = (4, 6, 4), (16, 22, 12), (42, 50, 28), (76, 92, 52)
_OPEN_THUMB, _FLAT_THUMB, _TUCKED_THUMB = (-10, 0, 0, 2, 0, 4), (14, -8, 0, 4, 0, 4), (34, 22, 6, 38, 0, 36)
_PINCH_THUMB = (16, 30, 10, 14, 0, 16)

CATEGORIES: dict[str, tuple[float, tuple[int, ...], tuple[tuple[int, ...], ...], tuple[int, ...]]] = {
    "open": (0.16, _OPEN_THUMB, (_STRAIGHT,) * 4, (3, 0, -2, -4)),
    "spread": (0.16, (-24, 4, 0, -2, 0, 0), ((0, 3, 2),) * 4, (14, 3, -8, -16)),
    "together": (0.08, _FLAT_THUMB, (_STRAIGHT,) * 4, (-3, -1, 2, 5)),
    "relaxed": (
        0.18,
        (6, 10, 4, 10, 0, 12),
        ((10, 15, 8), (14, 19, 11), (18, 23, 13), (22, 25, 14)),
        (3, 0, -2, -4),
    ),
    "pointing": (0.10, _TUCKED_THUMB, (_STRAIGHT, _CURLED, _CURLED, _CURLED), (2, 0, 0, 0)),
    "victory": (0.10, _TUCKED_THUMB, (_STRAIGHT, _STRAIGHT, _CURLED, _CURLED), (10, -8, 0, 0)),
    "pinch": (0.08, _PINCH_THUMB, ((46, 48, 26), _HALF, _EASY, _EASY), (2, 0, -4, -8)),
    "grip": (
        0.07,
        (4, 32, 6, 8, 0, 14),
        ((38, 46, 26), (42, 48, 28), (46, 50, 28), (50, 52, 30)),
        (4, 0, -2, -4),
    ),
    "fist": (0.07, _TUCKED_THUMB, (_CURLED,) * 4, (0, 0, 0, 0)),
}
"""Share, thumb's six angles, per finger (MCP, PIP, DIP) flexion, abductions; degrees."""

SHOWING = ("open", "spread")
"""Categories in which every finger is seen: the ones that a wrong number of fingers shows in."""


def draw_dofs(rng: np.random.Generator, category: str) -> Float[np.ndarray, "24"]:
    """The 24 angles of a pose of this category, radians, within limits and (nearly) free of collisions."""
    _, thumb, fingers, abductions = CATEGORIES[category]
    centre = np.array(
        [*thumb, *(v for a, f in zip(abductions, fingers, strict=True) for v in (a, *f)), 2, 4], float
    )
    spread = np.array([5, 6, 3, 5, 1, 7] + [2.5, 6, 7, 4] * 4 + [2, 3], float)
    best, deepest = centre, np.inf
    for _ in range(_TRIES):
        together = rng.normal()
        jitter = rng.normal(size=24)
        jitter[6:22] = 0.7 * jitter[6:22] + 0.7 * together * np.tile([0, 1, 1, 1], 4)
        dofs = np.clip(np.deg2rad(centre + spread * jitter), *DOF_LIMITS_RAD.T)
        depth = penetration_m(dofs)
        if depth < deepest:
            best, deepest = dofs, depth
        if depth < _DEEPEST_M:
            break
    return best


def penetration_m(dofs_rad: Float[np.ndarray, "24"]) -> float:
    """How deep the rig's collision spheres run into each other at most, in metres."""
    rig = load_rig()
    pose, arch = pose_of_dofs(dofs_rad)
    camera = Camera(1.0, (0.0, 0.0))
    hand = Hand(
        pose=pose,
        palm_arch=arch,
        wrist=np.zeros(3),
        translation_m=np.zeros(3),
        shape=np.zeros(len(SHAPE_NAMES)),
        side="right",
        camera=camera,
    )
    bones = rig.sphere_bones[:, None]
    centres = pose_points(rig.spheres_m, bones, np.ones(bones.shape), pose_bones(rig, hand))
    a, b = rig.sphere_pairs.T
    apart = np.linalg.norm(centres[a] - centres[b], axis=1)
    return float(np.maximum(rig.sphere_radii_m[a] + rig.sphere_radii_m[b] - apart, 0).max())
