"""The fit: 21 observed landmarks → the nearest regular, anatomically limited hand (HandRefiner §3.1's mesh).

Damped least squares over the wrist, 24 anatomical angles, and palm and finger proportions, in front of a
pinhole camera, with Huber weights for each landmark, joint limits, collision spheres, and several starting
curls.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_MEAN_RAD, DOF_SPREAD_RAD, SHAPE_NAMES
from handwright.hand.kinematics import dofs_of_pose, hand_landmarks_px, mirror_hand_x, pose_of_dofs
from handwright.hand.rig import Rig, axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.perception.fit import _solver
from handwright.perception.fit.landmark_weights import bunched_finger_weights
from handwright.types import Camera, Hand, HandFit, HandObservation

_PALM = (0, 1, 5, 9, 13, 17)  # Landmarks of the palm: wrist, thumb CMC and the four MCP joints
_SHAPE_INDEX = np.array([SHAPE_NAMES.index(n) for n in ("palm_width", "thickness")] + list(range(4, 9)))
"""The fitted shape numbers: palm width, thickness and the five finger lengths."""


@dataclass(frozen=True, kw_only=True)
class FitParams:
    """The camera, the expected errors and the prior of the fit; ``bench/fit.py`` measures."""

    # Focal length over the longer side of the picture: about 45° across, a phone's portrait lens
    focal_factor: float = 1.2
    # Standard deviation of a landmark across the line of sight, a fraction of hand size (measured with
    # ``scripts/calibrate_landmarks.py``)
    landmark_sd: float = 0.012
    depth_sd: float = 0.07  # The same along the line of sight
    huber: float = 2.5  # Landmark error in standard deviations from which its weight falls (chosen by eye)
    # Least weight of a landmark, so that every finger stays determined (chosen by eye)
    min_weight: float = 0.02
    iterations: int = 40  # Most steps from each starting curl (chosen by eye)
    # Starting flexions of MCP, PIP and DIP: relaxed, flat, fist, half curled (chosen by eye)
    curls_deg: tuple[tuple[float, float, float], ...] = (
        (15.0, 15.0, 8.0),
        (5.0, 5.0, 3.0),
        (65.0, 85.0, 45.0),
        (45.0, 40.0, 25.0),
    )
    # Prior's standard deviation of palm width, thickness, and each finger length, logarithms (chosen by eye)
    shape_sd: tuple[float, float, float] = (0.05, 0.10, 0.08)
    # Their largest absolute values (chosen by eye)
    shape_limit: tuple[float, float, float] = (0.22, 0.24, 0.25)
    # Standard deviation of proportions that are given: they stay, but for the solver's precision
    given_sd: float = 0.002
    min_depth_m: float = 0.05  # Least starting distance from the camera in metres


PARAMS = FitParams()

POINTS_ALONE = FitParams(landmark_sd=0.006, depth_sd=1.0, shape_sd=(0.077, 0.02, 0.04))
"""The same for points of a pose, whose depth nobody knows, and which say what is wanted.

Depth is left free: under ``PARAMS`` it would count as 0, and fingers of such flat hands come out short.
Palm widths and finger lengths spread as those of rendered people do; thickness, which no point tells, stays
near the mean. Chosen on 24 rendered people of seed 2060, their points exact and with noise of 1 and 2 % of
the hand (docs/research/two-stage.md).
"""


def picture_camera(width: int, height: int) -> Camera:
    """Return the pinhole camera that is assumed for a picture: focal 1.2 × its longer side, centred."""
    return Camera(PARAMS.focal_factor * max(width, height), (width / 2, height / 2))


def fit_hand(
    observation: HandObservation,
    width: int,
    height: int,
    *,
    landmark_weights: Float[np.ndarray, "21"] | None = None,
    proportions: tuple[float, float] | None = None,
    start: Hand | None = None,
    has_depth: bool = True,
) -> HandFit:
    """Fit a hand to an observation.

    Args:
        observation: The observed hand, in pixels of the picture.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
        landmark_weights: [21] in [0, 1], how much each landmark counts; by default all count but those of
            bunched fingers (``landmark_weights.bunched_finger_weights``).
        proportions: Given palm width and thickness (shape numbers), which stay; fitted by default.
        start: A hand in the same picture to start from; by default the fit starts from several curls and
            keeps the best.
        has_depth: Whether the observation's depth is known; else ``POINTS_ALONE`` holds, and its depth counts
            for nothing.

    Returns:
        The fitted hand with its landmarks, residual and final landmark weights.
    """
    camera = picture_camera(width, height)
    flipped = observation.side == "left"
    center = np.asarray(camera.center_px)
    uv = observation.landmarks_px - center
    if flipped:
        uv = uv * np.array([-1.0, 1.0])
    weights = bunched_finger_weights(observation) if landmark_weights is None else landmark_weights
    weights = np.clip(weights, PARAMS.min_weight, 1.0)
    if start is not None and flipped:
        start = mirror_hand_x(start, width)
    hand, final_weights = _fit_right(
        uv, observation.depth_px, camera, observation.size_px, weights, proportions, start, has_depth
    )
    if flipped:
        hand = mirror_hand_x(hand, width)
    return fit_of_given_hand(observation, hand, final_weights)


def fit_of_given_hand(
    observation: HandObservation, hand: Hand, landmark_weights: Float[np.ndarray, "21"] | None = None
) -> HandFit:
    """Return how well a given hand, such as an edited one, agrees with an observation."""
    landmarks = hand_landmarks_px(hand)
    error = np.linalg.norm(landmarks - observation.landmarks_px, axis=1)
    return HandFit(
        hand=hand,
        landmarks_px=landmarks,
        residual=float(error.mean() / max(observation.size_px, 1.0)),
        landmark_weights=np.ones(21) if landmark_weights is None else landmark_weights,
    )


@cache
def warm_up() -> None:
    """Compile or load the solver by fitting a stick figure, once a process."""
    finger, bone = np.divmod(np.arange(21.0) + 3, 4)
    points = np.stack([40 + 20 * finger, 140 - 20 * bone], 1)
    fit_hand(
        HandObservation(landmarks_px=points, depth_px=np.zeros(21), side="right", score=1.0, found_by="file"),
        200,
        200,
    )


def _fit_right(
    uv: Float[np.ndarray, "21 2"],
    depth_px: Float[np.ndarray, "21"],
    camera: Camera,
    size_px: float,
    weights: Float[np.ndarray, "21"],
    proportions: tuple[float, float] | None,
    start: Hand | None,
    has_depth: bool,
) -> tuple[Hand, Float[np.ndarray, "21"]]:
    """Fit a right hand to pixels relative to the principal point."""
    rig, params = load_rig(), PARAMS if has_depth else POINTS_ALONE
    arrays = solver_rig(rig)
    prior = _prior(params, proportions)
    z = depth_px - depth_px.mean() if has_depth else np.zeros(21)
    sds_px = params.landmark_sd * size_px, params.depth_sd * size_px
    obs = (np.ascontiguousarray(uv), z, camera.focal_px, *sds_px)
    starts = (_start(curl, uv, z, camera.focal_px, arrays) for curl in params.curls_deg)
    best = None
    for p, wrist in starts if start is None else [_parameters(start)]:
        p, wrist, cost, used, _, _ = _solver.solve(
            p, wrist, arrays, obs, prior, weights, params.iterations, params.huber
        )
        if best is None or cost < best[0]:
            best = (cost, p, wrist, used)
    assert best is not None
    _, p, wrist, used = best
    angles = np.clip(p[6:30], DOF_LIMITS_RAD[:, 0], DOF_LIMITS_RAD[:, 1])
    pose, arch = pose_of_dofs(angles, rig)
    shape = np.zeros(len(SHAPE_NAMES))
    limit = _of_shape(params.shape_limit)
    shape[_SHAPE_INDEX] = np.clip(p[30:37], -limit, limit)
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
    ), used**2


def solver_rig(rig: Rig) -> tuple[np.ndarray, ...]:
    """Return the rig's arrays in the solver's order."""
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


def _of_shape(numbers: tuple[float, float, float]) -> np.ndarray:
    """One number for each of the seven proportions: the palm's two, and one for all five fingers."""
    return np.array([*numbers[:2], *[numbers[2]] * 5])


def _prior(
    params: FitParams, proportions: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    mean = np.concatenate([np.zeros(6), DOF_MEAN_RAD, np.zeros(7)])
    spread = np.concatenate([np.ones(6), DOF_SPREAD_RAD, _of_shape(params.shape_sd)])
    if proportions is not None:
        mean[30:32] = proportions
        spread[30:32] = params.given_sd
    limit = _of_shape(params.shape_limit)
    low = np.concatenate([np.full(6, -1e9), DOF_LIMITS_RAD[:, 0], -limit])
    high = np.concatenate([np.full(6, 1e9), DOF_LIMITS_RAD[:, 1], limit])
    return mean, spread, low, high


def _start(
    curl_deg: tuple[float, float, float],
    uv: Float[np.ndarray, "21 2"],
    z: Float[np.ndarray, "21"],
    focal_px: float,
    arrays: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters of a curled hand turned onto the palm's landmarks (Procrustes), at their distance."""
    p = np.zeros(_solver.N)
    p[6:30] = DOF_MEAN_RAD
    for k in range(4):
        p[13 + 4 * k : 16 + 4 * k] = np.deg2rad(curl_deg)
    model = _model_landmarks(p, arrays)
    observed = np.concatenate([uv, z[:, None]], 1)
    a = model[list(_PALM)] - model[list(_PALM)].mean(0)
    b = observed[list(_PALM)] - observed[list(_PALM)].mean(0)
    u, _, vt = np.linalg.svd(b.T @ a)
    wrist = u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt
    turned = model @ wrist.T
    spread_observed = ((uv - uv.mean(0)) ** 2).sum()
    spread_model = ((turned[:, :2] - turned[:, :2].mean(0)) ** 2).sum()
    distance = focal_px * np.sqrt(spread_model / spread_observed)
    offset = uv.mean(0) / focal_px * distance - turned.mean(0)[:2]
    depth = max(distance - turned.mean(0)[2], PARAMS.min_depth_m)
    p[3:5], p[5] = offset / depth, np.log(depth)
    return p, np.ascontiguousarray(wrist)


def _parameters(hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """Return the solver's parameters of a right hand."""
    p = np.zeros(_solver.N)
    depth = hand.translation_m[2]
    p[3:5], p[5] = hand.translation_m[:2] / depth, np.log(depth)
    p[6:30] = dofs_of_pose(hand.pose, hand.palm_arch)
    p[30:37] = hand.shape[_SHAPE_INDEX]
    return p, axis_angle_matrix(hand.wrist)


def _model_landmarks(p: np.ndarray, arrays: tuple[np.ndarray, ...]) -> Float[np.ndarray, "21 3"]:
    """Return the landmarks of a parameter vector in hand space, metres."""
    px, cam = np.zeros((21, 2)), np.zeros((21, 3))
    q = p.copy()
    q[3:6] = 0.0
    obs = (np.zeros((21, 2)), np.zeros(21), 1.0, 1.0, 1.0)
    hess, grad = np.zeros((1, 1)), np.zeros(1)
    _solver.evaluate(q, np.eye(3), arrays, obs, _prior(PARAMS), np.ones(21), hess, grad, px, cam, False)
    return cam - np.array([0.0, 0.0, 1.0])
