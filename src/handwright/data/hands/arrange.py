"""Where hands are: how each is turned, how two meet, and how the camera frames them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.hold import Posed, draw_pose, named_pose
from handwright.data.shapes import Matrix, Vector
from handwright.hand.grammar import counting, wrist_of
from handwright.hand.grammar.motion import spheres_of
from handwright.hand.grammar.named import NAMED
from handwright.hand.grammar.words import Direction
from handwright.hand.kinematics import hand_landmarks_m, pose_of_dofs, to_camera
from handwright.hand.rig import axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.types import Camera, Hand, Side

PAIRS = (
    "side by side", "counting", "crossing", "palms together", "fingertips together", "clasped",
    "one on the other",
)  # fmt: skip
_PAIR_SHARES = (0.28, 0.12, 0.18, 0.1, 0.08, 0.12, 0.12)
_EDGEWAYS_DEG = (35.0, 70.0)
_VIEWS: tuple[tuple[float, Direction, Direction], ...] = (
    (0.19, "camera", "up"), (0.17, "away", "up"), (0.06, "left", "up"), (0.06, "right", "up"),
    (0.05, "camera", "left"), (0.05, "camera", "right"), (0.05, "away", "left"), (0.05, "away", "right"),
    (0.04, "down", "left"), (0.04, "down", "right"), (0.03, "up", "left"), (0.03, "up", "right"),
    (0.04, "camera", "down"), (0.05, "away", "down"), (0.03, "left", "down"), (0.03, "up", "camera"),
    (0.02, "down", "camera"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Turned:
    """A hand before the camera has found its place."""

    posed: Posed  # Its pose and words
    side: Side  # Which hand
    turn: Matrix  # [3, 3] hand → scene (camera axes)
    at_m: Vector  # [3] of the wrist in the scene


def one_hand(
    rng: np.random.Generator,
    posed: Posed,
    *,
    showing: bool = False,
    palmar: bool = False,
    edgeways: bool = False,
) -> Turned:
    """A single hand, turned as people hold hands before cameras.

    With ``showing``, palm or back to the camera and fingers up; ``palmar``, more often the palm, where it
    holds something; ``edgeways``, then turned until one of its edges is seen, so that a bend shows.
    """
    side: Side = "right" if rng.random() < 0.5 else "left"
    palm, points = _view(rng, posed, side, showing, palmar)
    turn = jitter(rng, 12.0 if showing else 17.0) @ axis_angle_matrix(wrist_of(palm, points))
    if edgeways:
        angle = np.deg2rad(rng.choice([-1, 1]) * rng.uniform(*_EDGEWAYS_DEG))
        turn = axis_angle_matrix(np.array([0.0, angle, 0.0])) @ turn
    return Turned(posed, side, turn, np.zeros(3))


def two_hands(rng: np.random.Generator, kind: str, size: float) -> tuple[Turned, Turned]:
    """Two hands that belong together, as ``kind`` of ``PAIRS``; ``size`` is against the mean hand."""
    if kind in ("side by side", "counting"):
        return _side_by_side(rng, kind, size)
    view = jitter(rng, 22.0) @ axis_angle_matrix(np.array([0, rng.choice([0.0, 0.0, np.pi]), 0]))
    first, second, approach = {
        "crossing": _crossing,
        "palms together": _facing,
        "fingertips together": _facing,
        "clasped": _clasped,
        "one on the other": _stacked,
    }[kind](rng, kind)
    second = bring_together(first, second, approach, size)
    return tuple(replace(hand, turn=view @ hand.turn, at_m=view @ hand.at_m) for hand in (first, second))  # pyright: ignore[reportReturnType]


def draw_pair_kind(rng: np.random.Generator) -> str:
    """One of ``PAIRS``."""
    return str(rng.choice(PAIRS, p=_PAIR_SHARES))


def frame_hands(
    rng: np.random.Generator,
    turned: tuple[Turned, ...],
    shape: Float[np.ndarray, "9"],
    side_px: int,
    share: tuple[float, float] = (0.42, 0.8),
) -> tuple[Hand, ...]:
    """Place the camera: focal length, distance and aim that bring all hands into the picture."""
    focal = side_px * float(rng.choice([rng.uniform(0.85, 1.2), rng.uniform(1.2, 2.2)]))
    camera = Camera(focal, (side_px / 2, side_px / 2))
    wanted = float(rng.uniform(*share)) * side_px
    offset = np.array([0.0, 0.0, 0.5])
    scene = [hand_landmarks_m(_hand(t, shape, camera, np.zeros(3))) for t in turned]
    points_m = np.concatenate(scene)
    aim = side_px / 2 + side_px * np.clip(rng.normal(0, 0.05, 2), -0.1, 0.1)
    arm = np.mean([t.turn @ np.array([0.0, -1.0, 0.0]) for t in turned], 0)[:2]
    aim = aim - 0.05 * side_px * arm
    for _ in range(5):
        points = camera.project(points_m + offset)
        low, high = points.min(0), points.max(0)
        nearest = float(points_m[:, 2].min()) + offset[2]
        scale = float((high - low).max()) / wanted
        middle = offset[2]
        offset[2] = max(middle * scale, middle - nearest + 0.16)
        offset[:2] += (aim - (low + high) / 2) / focal * offset[2]
    return tuple(_hand(t, shape, camera, offset) for t in turned)


def _hand(turned: Turned, shape: Float[np.ndarray, "9"], camera: Camera, offset: Vector) -> Hand:
    pose, arch = pose_of_dofs(turned.posed.dofs_rad)
    return Hand(
        pose=pose,
        palm_arch=arch,
        wrist=matrix_axis_angle(turned.turn),
        translation_m=turned.at_m + offset,
        shape=shape,
        side=turned.side,
        camera=camera,
    )


def _view(
    rng: np.random.Generator, posed: Posed, side: Side, showing: bool = False, palmar: bool = False
) -> tuple[Direction, Direction]:
    named = NAMED.get(posed.name or "")
    if named is not None and named.palm is not None and named.points is not None and rng.random() < 0.7:
        return named.palm, named.points
    if posed.name in ("like", "dislike"):
        return thumb_view(rng, posed.name, side, 0.5)
    views = _VIEWS[:2] if showing else _VIEWS
    shares = np.array([view[0] * (0.25 if palmar and view[1] in ("away", "down") else 1.0) for view in views])
    _, palm, points = views[int(rng.choice(len(views), p=shares / shares.sum()))]
    return palm, points


def thumb_view(
    rng: np.random.Generator, name: str, side: Side, palmar_share: float
) -> tuple[Direction, Direction]:
    """Fingers sideways, so that the thumb points up ('like') or down ('dislike')."""
    palm: Direction = "camera" if rng.random() < palmar_share else "away"
    thumb_up = (name == "like") == (side == "right")
    return palm, "left" if thumb_up == (palm == "camera") else "right"


def _side_by_side(rng: np.random.Generator, kind: str, size: float) -> tuple[Turned, Turned]:
    if kind == "counting":
        names = counting(int(rng.integers(6, 11)))
        poses = (named_pose(names[0], rng), named_pose(names[1], rng))
        palm: Direction = "camera" if rng.random() < 0.75 else "away"
        points: Direction = "up"
    else:
        first = draw_pose(rng)
        poses = (first, first if rng.random() < 0.4 else draw_pose(rng))
        palm, points = _view(rng, poses[0], "right") if rng.random() < 0.4 else ("away", "up")
    apart = size * rng.uniform(0.15, 0.26)
    base = axis_angle_matrix(wrist_of(palm, points))
    thumbs_in = palm == "away"
    left_first: Side = "left" if thumbs_in else "right"
    right_second: Side = "right" if thumbs_in else "left"
    hands = []
    for index, (posed, side) in enumerate(zip(poses, (left_first, right_second), strict=True)):
        at = np.array([(index - 0.5) * apart, rng.normal(0, 0.02), rng.normal(0, 0.02)])
        lean = axis_angle_matrix(np.array([0.0, 0.0, (0.5 - index) * rng.uniform(-0.1, 0.5)]))
        hands.append(Turned(posed, side, lean @ jitter(rng, 9.0) @ base, at))
    return hands[0], hands[1]


def _crossing(rng: np.random.Generator, kind: str) -> tuple[Turned, Turned, Vector]:
    """One hand before the other, arms at an angle."""
    palm: Direction = "camera" if rng.random() < 0.4 else "away"
    base = axis_angle_matrix(wrist_of(palm, "up"))
    angle = rng.uniform(0.5, 1.5)
    names = ("palm", "stop", "flat", "relaxed", "peace", "fist", "spread", "pointing")
    first = Turned(named_pose(str(rng.choice(names)), rng), "right", about_z(angle / 2) @ base, np.zeros(3))
    second = Turned(named_pose(str(rng.choice(names)), rng), "left", about_z(-angle / 2) @ base, np.zeros(3))
    centre = np.array([0.0, 0.075, 0.0])
    at = first.turn @ centre - second.turn @ centre + rng.normal(0, 0.012, 3)
    return first, replace(second, at_m=at), np.array([0.0, 0.0, -1.0])


def _facing(rng: np.random.Generator, kind: str) -> tuple[Turned, Turned, Vector]:
    """Palm to palm, or fingertip to fingertip."""
    flat = kind == "palms together"
    base = axis_angle_matrix(wrist_of("left", "up"))
    posed = named_pose("stop" if flat else "spread", rng)
    lean = 0.0 if flat else rng.uniform(0.45, 0.75)
    right = Turned(posed, "right", about_z(-lean) @ base, np.zeros(3))
    mirror = axis_angle_matrix(wrist_of("right", "up"))
    left = Turned(
        posed, "left", about_z(lean) @ mirror, np.array([0.0, rng.normal(0, 0.004), rng.normal(0, 0.004)])
    )
    return right, left, np.array([-1.0, 0.0, 0.0])


def _clasped(rng: np.random.Generator, kind: str) -> tuple[Turned, Turned, Vector]:
    """A fist in the other hand."""
    fist = Turned(named_pose("fist", rng), "right", axis_angle_matrix(wrist_of("down", "left")), np.zeros(3))
    around = named_pose("letter C", rng)
    turn = about_z(rng.normal(0, 0.15)) @ axis_angle_matrix(wrist_of("away", "right"))
    held = fist.turn @ np.array([0.0, 0.075, 0.0])
    cup = Turned(around, "left", turn, np.zeros(3))
    at = held - turn @ np.array([0.0, 0.075, 0.0]) + np.array([0.02, 0.0, 0.0])
    return fist, replace(cup, at_m=at), np.array([0.0, 0.0, -1.0])


def _stacked(rng: np.random.Generator, kind: str) -> tuple[Turned, Turned, Vector]:
    """A hand resting on the back of the other."""
    base = axis_angle_matrix(wrist_of("away", "up"))
    under = Turned(
        named_pose("flat" if rng.random() < 0.6 else "relaxed", rng),
        "right",
        about_z(0.5) @ base,
        np.zeros(3),
    )
    over = named_pose("flat" if rng.random() < 0.5 else "relaxed", rng)
    turn = about_z(-rng.uniform(0.3, 1.1)) @ base
    at = under.turn @ np.array([0.0, 0.06, 0.0]) - turn @ np.array([0.0, 0.08, 0.0])
    return under, Turned(over, "left", turn, at), np.array([0.0, 0.0, -1.0])


def bring_together(first: Turned, second: Turned, away: Vector, size: float, far: float = 0.2) -> Turned:
    """Move the second hand along ``away``, up to ``far`` metres, to where it just touches the first."""
    a, b = _scene_spheres(first), _scene_spheres(second)
    near = -0.02
    for _ in range(14):
        middle = (near + far) / 2
        near, far = (middle, far) if _gap_m(a, b + middle * away) < -0.001 else (near, middle)
    return replace(second, at_m=size * (second.at_m + far * away))


def apart_m(first: Turned, second: Turned) -> float:
    """Least distance of two mean hands, metres, by their collision spheres; negative inside."""
    return _gap_m(_scene_spheres(first), _scene_spheres(second))


def _gap_m(first: Float[np.ndarray, "s 3"], second: Float[np.ndarray, "s 3"]) -> float:
    radii = load_rig().sphere_radii_m
    return float((np.linalg.norm(first[:, None] - second, axis=2) - radii[:, None] - radii).min())


def _scene_spheres(turned: Turned) -> Float[np.ndarray, "s 3"]:
    hand = _hand(turned, np.zeros(9), Camera(1.0, (0.0, 0.0)), np.zeros(3))
    return to_camera(spheres_of(turned.posed.dofs_rad), hand)


def about_z(angle: float) -> Matrix:
    """A turn about the line of sight, radians, clockwise in the picture."""
    return axis_angle_matrix(np.array([0.0, 0.0, angle]))


def jitter(rng: np.random.Generator, degrees: float, most: float = 2.2) -> Matrix:
    """A random turn, of this deviation about each axis and at most so many times that."""
    return axis_angle_matrix(np.deg2rad(np.clip(rng.normal(0, degrees, 3), -most * degrees, most * degrees)))
