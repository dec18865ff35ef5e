"""Reconstruct: 21 observed landmarks → a regular, anatomically limited hand (SPEC §1, 'Reconstruct').

Damped least squares over wrist, 24 anatomical angles, palm and finger proportions, in front of a pinhole
camera, with Huber weights per landmark, joint limits, spheres that must not overlap, several starting curls.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_MEAN_RAD, DOF_SPREAD_RAD, SHAPE_NAMES
from handwright.hand.joint_angles import dofs_of_pose
from handwright.hand.kinematics import hand_landmarks_m, mirror_hand_x, pose_of_dofs
from handwright.hand.rig import Rig, axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.perception.fit import _solver
from handwright.perception.fit.landmark_weights import bunched_finger_weights
from handwright.types import Camera, Hand, HandFit, HandObservation

FOCAL_FACTOR = 1.2
"""Focal length over the longer side of the picture: about 45° across, a phone's portrait lens."""

SIGMA_2D, SIGMA_Z = 0.012, 0.07
"""Expected landmark error across and along the line of sight, as fractions of hand size."""

_HUBER = 2.5
_PALM = (0, 1, 5, 9, 13, 17)
_CURLS_DEG = ((15.0, 15.0, 8.0), (5.0, 5.0, 3.0), (65.0, 85.0, 45.0), (45.0, 40.0, 25.0))
_SHAPE_INDEX = np.array([SHAPE_NAMES.index(n) for n in ("palm_width", "thickness")] + list(range(4, 9)))
_KNOWN_SPREAD = 0.002
_SHAPE_SPREAD = np.array([0.05, 0.10] + [0.08] * 5)
_SHAPE_LIMIT = np.array([0.22, 0.24] + [0.25] * 5)


def picture_camera(width: int, height: int) -> Camera:
    """The pinhole camera that a picture is taken to be seen through: focal 1.2 × its longer side, centred."""
    return Camera(FOCAL_FACTOR * max(width, height), (width / 2, height / 2))


def fit_hand(
    observation: HandObservation,
    width: int,
    height: int,
    *,
    landmark_weights: Float[np.ndarray, "21"] | None = None,
    proportions: tuple[float, float] | None = None,
    begun: Hand | None = None,
) -> HandFit:
    """Fit one hand.

    Args:
        observation: What was seen, in pixels of the picture.
        width: The picture's width.
        height: The picture's height.
        landmark_weights: [21] in [0, 1], how much to believe each landmark; by default all but those of
            bunched fingers (``trust.bunched_finger_weights``).
        proportions: Palm width and thickness (shape numbers) that are known and stay; fitted by default.
        begun: An earlier fit in the same picture to go on from; by default several curls are begun from.

    Returns:
        The fitted hand with its landmarks, residual and trust.
    """
    camera = picture_camera(width, height)
    flipped = observation.side == "left"
    center = np.asarray(camera.center_px)
    uv = observation.landmarks_px - center
    if flipped:
        uv = uv * np.array([-1.0, 1.0])
    weights = bunched_finger_weights(observation) if landmark_weights is None else landmark_weights
    weights = np.clip(weights, 0.02, 1.0)
    if begun is not None and flipped:
        begun = mirror_hand_x(begun, width)
    hand, trust = _fit_right(
        uv, observation.depth_px, camera, observation.size_px, weights, proportions, begun
    )
    if flipped:
        hand = mirror_hand_x(hand, width)
    return fit_of_given_hand(observation, hand, trust)


def fit_of_given_hand(
    observation: HandObservation, hand: Hand, trust: Float[np.ndarray, "21"] | None = None
) -> HandFit:
    """How well a given hand (an edited one, say) agrees with what was seen."""
    landmarks = hand.camera.project(hand_landmarks_m(hand))
    error = np.linalg.norm(landmarks - observation.landmarks_px, axis=1)
    return HandFit(
        hand=hand,
        landmarks_px=landmarks,
        residual=float(error.mean() / max(observation.size_px, 1.0)),
        landmark_weights=np.ones(21) if trust is None else trust,
    )


@cache
def warm_up() -> None:
    """Load the compiled solver by one fit of a stick figure; once a process."""
    finger, bone = np.divmod(np.arange(21.0) + 3, 4)
    points = np.stack([40 + 20 * finger, 140 - 20 * bone], 1)
    fit_hand(
        HandObservation(landmarks_px=points, depth_px=np.zeros(21), side="right", score=1.0, found_by="file"),
        200,
        200,
    )


def fit_hands(observations: Sequence[HandObservation], width: int, height: int) -> list[HandFit]:
    """Fit every hand of a picture."""
    return [fit_hand(o, width, height) for o in observations]


def _fit_right(
    uv: Float[np.ndarray, "21 2"],
    depth_px: Float[np.ndarray, "21"],
    camera: Camera,
    size_px: float,
    weights: Float[np.ndarray, "21"],
    proportions: tuple[float, float] | None,
    begun: Hand | None,
) -> tuple[Hand, Float[np.ndarray, "21"]]:
    """Fit a right hand to pixels relative to the principal point."""
    rig = load_rig()
    arrays = solver_rig(rig)
    prior = _prior(proportions)
    z = depth_px - depth_px.mean()
    obs = (np.ascontiguousarray(uv), z, camera.focal_px, SIGMA_2D * size_px, SIGMA_Z * size_px)
    starts = (_start(curl, uv, z, camera.focal_px, arrays) for curl in _CURLS_DEG)
    best = None
    for p, wrist in starts if begun is None else [_parameters(begun)]:
        p, wrist, cost, trust, _, _ = _solver.solve(p, wrist, arrays, obs, prior, weights, 40, _HUBER)
        if best is None or cost < best[0]:
            best = (cost, p, wrist, trust)
    assert best is not None
    _, p, wrist, trust = best
    angles = np.clip(p[6:30], DOF_LIMITS_RAD[:, 0], DOF_LIMITS_RAD[:, 1])
    pose, arch = pose_of_dofs(angles, rig)
    shape = np.zeros(len(SHAPE_NAMES))
    shape[_SHAPE_INDEX] = np.clip(p[30:37], -_SHAPE_LIMIT, _SHAPE_LIMIT)
    depth = float(np.exp(p[5]))
    translation = np.array([p[3] * depth, p[4] * depth, depth])
    return Hand(
        pose=pose,
        palm_arch=arch,
        wrist=matrix_axis_angle(wrist),
        translation_m=translation,
        shape=shape,
        side="right",
        camera=camera,
    ), trust**2


def solver_rig(rig: Rig) -> tuple[np.ndarray, ...]:
    """The rig's arrays in the solver's order."""
    return (
        rig.joints_m,
        rig.finger_axes,
        rig.landmark_bones,
        rig.landmarks_m,
        rig.sphere_bones,
        rig.spheres_m,
        rig.sphere_radii_m,
        rig.sphere_pairs,
    )


def _prior(
    proportions: tuple[float, float] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    mean = np.concatenate([np.zeros(6), DOF_MEAN_RAD, np.zeros(7)])
    spread = np.concatenate([np.ones(6), DOF_SPREAD_RAD, _SHAPE_SPREAD])
    if proportions is not None:
        mean[30:32] = proportions
        spread[30:32] = _KNOWN_SPREAD
    low = np.concatenate([np.full(6, -1e9), DOF_LIMITS_RAD[:, 0], -_SHAPE_LIMIT])
    high = np.concatenate([np.full(6, 1e9), DOF_LIMITS_RAD[:, 1], _SHAPE_LIMIT])
    return mean, spread, low, high


def _start(
    curl_deg: tuple[float, float, float],
    uv: Float[np.ndarray, "21 2"],
    z: Float[np.ndarray, "21"],
    focal_px: float,
    arrays: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Curled hand, turned onto the palm's landmarks (Procrustes) and moved to the right distance."""
    p = np.zeros(_solver.N)
    p[6:30] = DOF_MEAN_RAD
    for k in range(4):
        p[13 + 4 * k : 16 + 4 * k] = np.deg2rad(curl_deg)
    model = _model_landmarks(p, arrays)
    seen = np.concatenate([uv, z[:, None]], 1)
    a = model[list(_PALM)] - model[list(_PALM)].mean(0)
    b = seen[list(_PALM)] - seen[list(_PALM)].mean(0)
    u, _, vt = np.linalg.svd(b.T @ a)
    wrist = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    turned = model @ wrist.T
    spread_seen = ((uv - uv.mean(0)) ** 2).sum()
    spread_model = ((turned[:, :2] - turned[:, :2].mean(0)) ** 2).sum()
    distance = focal_px * np.sqrt(spread_model / spread_seen)
    offset = uv.mean(0) / focal_px * distance - turned.mean(0)[:2]
    depth = max(distance - turned.mean(0)[2], 0.05)
    p[3:5], p[5] = offset / depth, np.log(depth)
    return p, np.ascontiguousarray(wrist)


def _parameters(hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """The solver's numbers of a right hand."""
    p = np.zeros(_solver.N)
    depth = hand.translation_m[2]
    p[3:5], p[5] = hand.translation_m[:2] / depth, np.log(depth)
    p[6:30] = dofs_of_pose(hand.pose, hand.palm_arch)
    p[30:37] = hand.shape[_SHAPE_INDEX]
    return p, axis_angle_matrix(hand.wrist)


def _model_landmarks(p: np.ndarray, arrays: tuple[np.ndarray, ...]) -> Float[np.ndarray, "21 3"]:
    """Landmarks in hand space of a parameter vector."""
    px, cam = np.zeros((21, 2)), np.zeros((21, 3))
    q = p.copy()
    q[3:6] = 0.0
    obs = (np.zeros((21, 2)), np.zeros(21), 1.0, 1.0, 1.0)
    hess, grad = np.zeros((1, 1)), np.zeros(1)
    _solver.evaluate(q, np.eye(3), arrays, obs, _prior(), np.ones(21), hess, grad, px, cam, False)
    return cam - np.array([0.0, 0.0, 1.0])
