"""Arms that bring given hands to their places in a picture, and legs, on a body whose trunk is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.hold import Posed as HandPose
from handwright.data.hands.hold import named_pose
from handwright.data.people.figure.hand_graft import SIDES, TO_CAMERA, Socket, hand_on
from handwright.data.people.figure.mesh_cutting import Posed, bone, pose_bones
from handwright.data.people.in_pose.trunk import Trunk
from handwright.data.people.posture.arms import HeldHand, lower_hand, tag_of
from handwright.data.people.posture.reach import Capsules, ElbowCost, Solution, solve_arm, turn_between
from handwright.data.shapes import Matrix, Points, Vector
from handwright.hand.grammar import words_of
from handwright.hand.grammar.motion import TOUCH_M, clearance_m
from handwright.hand.kinematics import dofs_of_pose, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix
from handwright.perception.body.body_pose import ELBOWS, WRISTS, BodyPose
from handwright.types import Camera, Hand, Side

_LEGS = (("L", (11, 13, 15)), ("R", (12, 14, 16)))

_DEPTHS, _SWIVELS = 31, 48  # Places of the wrist along its line of sight, and of the elbow, that are tried
_ELBOW_SD = 0.06
"""Error of an elbow that counts as much as one deviation of a prior, as a share of the arm's length; half of
the floor of rendered elbows (docs/research/body.md: .069 shoulder widths are .05 of an arm)."""

_SIZE_SD = 0.15  # Expected deviation of the logarithm of a hand's size against its body's
_SEEN = 0.3  # Least visibility of a limb's points for the limb to follow them
_SLIM = 0.75  # Share of the body's capsules that arms keep out of


@dataclass(frozen=True, eq=False)
class Limbs:
    """A body in the pose."""

    bones: Posed  # All of them
    held: tuple[HeldHand, HeldHand]  # Both hands, right first
    hands: tuple[Hand, Hand]  # The same in camera space


def fit_limbs(
    pose: BodyPose,
    trunk: Trunk,
    given: Mapping[Side, Hand],
    sockets: Mapping[Side, Socket],
    body: Capsules,
    shape: Float[np.ndarray, "9"],
    camera: Camera,
    tall_m: float,
    rng: np.random.Generator,
    *,
    together: bool = False,
) -> Limbs:
    """Pose arms and legs.

    A given hand is where it was fitted, seen from the camera; it is moved along its line of sight and resized
    with its distance, so that its picture stays as it is, to where its arm reaches most easily; hands that
    touch each other are moved together. An arm
    without a hand follows its points where they are seen, and hangs otherwise.

    Args:
        pose: The pose, in pixels of the picture.
        trunk: The fitted trunk.
        given: The hands of the pose, in ``camera``.
        sockets: Where hands sit on the resting body.
        body: What arms must not go through.
        shape: Shape numbers of hands that are not given.
        camera: The picture's camera.
        tall_m: Height of the body.
        rng: Chooses among ways that are about as easy.
        together: Hands are moved together though they do not touch, as they hold one thing.
    """
    turned = _legs(pose, trunk, camera)
    held: dict[Side, HeldHand] = {}
    meet = len(given) == 2 and (together or clearance_m(*given.values()) <= TOUCH_M)
    scale = _common_scale(pose, trunk, given, sockets, body, camera, rng) if meet else None
    for side in SIDES:
        if side in given:
            depths = (
                _reachable(trunk, given[side]) if scale is None else given[side].translation_m[2:] * scale
            )
            arm = _to_hand(pose, trunk, given[side], sockets[side], body, camera, depths, rng)
            held[side], moves = _held(given[side], sockets[side]), {} if arm is None else arm.turned
        else:
            held[side], moves = _without_hand(pose, trunk, side, sockets[side], body, camera, tall_m, rng)
        turned |= moves
    bones = pose_bones(trunk.posed.rest_heads_m, trunk.local, turned)
    hands = {
        side: _scaled(given[side], scale or _at_arm(bones, sockets[side], given[side], trunk.place_m))
        if side in given
        else _own(bones, sockets[side], held[side], shape, camera, trunk.place_m)
        for side in SIDES
    }
    return Limbs(bones, (held["right"], held["left"]), (hands["right"], hands["left"]))


def _common_scale(
    pose: BodyPose,
    trunk: Trunk,
    given: Mapping[Side, Hand],
    sockets: Mapping[Side, Socket],
    body: Capsules,
    camera: Camera,
    rng: np.random.Generator,
) -> float:
    """By how much two hands are moved from the camera and resized, so that they stay together."""
    reaches = [_reachable(trunk, hand)[[0, -1]] / hand.translation_m[2] for hand in given.values()]
    low, high = max(reach[0] for reach in reaches), min(reach[1] for reach in reaches)
    scales = np.linspace(min(low, high), max(low, high), _DEPTHS)
    costs: list[float] = []
    for scale in scales:
        arms = [
            _to_hand(pose, trunk, hand, sockets[side], body, camera, scale * hand.translation_m[2:], rng)
            for side, hand in given.items()
        ]
        costs.append(sum(np.inf if arm is None else arm.discomfort for arm in arms))
    return float(scales[int(np.argmin(costs))])


def _to_hand(
    pose: BodyPose,
    trunk: Trunk,
    hand: Hand,
    socket: Socket,
    body: Capsules,
    camera: Camera,
    depths_m: Float[np.ndarray, " n"],
    rng: np.random.Generator,
) -> Solution | None:
    """The arm of a given hand that is at one of these depths."""
    side = hand.side
    ray = hand.translation_m / hand.translation_m[2]
    axes = TO_CAMERA @ axis_angle_matrix(hand.wrist)
    seat = axes @ socket.turn.T @ (socket.at_m - _rest(trunk, f"wrist.{tag_of(side)}"))
    wrists = _in_body(depths_m[:, None] * ray, trunk) - seat
    size = np.log(depths_m / hand.translation_m[2]) + hand.shape[0] - np.log(socket.scale)
    off_size = ((size / _SIZE_SD) ** 2)[:, None]
    near = _elbow_cost(pose, trunk, side, camera)
    return solve_arm(
        trunk.posed, side, socket.turn, wrists, np.repeat(axes[None], len(depths_m), 0),
        replace(body, radii_m=_SLIM * body.radii_m), rng, swivels=_SWIVELS,
        elbow_cost=lambda elbow: near(elbow) + off_size, worst=np.inf,
    )  # fmt: skip


def _held(hand: Hand, socket: Socket) -> HeldHand:
    dofs = dofs_of_pose(hand.pose, hand.palm_arch)
    return HeldHand(hand.side, HandPose(dofs, words_of(dofs), None), "raised", socket)


def _without_hand(
    pose: BodyPose,
    trunk: Trunk,
    side: Side,
    socket: Socket,
    body: Capsules,
    camera: Camera,
    tall_m: float,
    rng: np.random.Generator,
) -> tuple[HeldHand, dict[str, Matrix]]:
    ends = [ELBOWS[side], WRISTS[side]]
    if not (pose.known[ends].all() and pose.visibility[ends].min() >= _SEEN):
        return lower_hand(rng, trunk.posed, side, socket, body, tall_m, "hanging")
    elbow_px, wrist_px = pose.points_px[ends]
    ray = np.append((wrist_px - camera.center_px) / camera.focal_px, 1.0)
    depths = _along(trunk, side, ray)
    fingers = np.append((wrist_px - elbow_px) * [1, -1], 0.0)
    fingers = fingers / max(float(np.linalg.norm(fingers)), 1e-9)
    inwards = np.array([-1.0 if side == "left" else 1.0, 0.0, -0.3])
    palm = inwards - (inwards @ fingers) * fingers
    palm = palm / max(float(np.linalg.norm(palm)), 1e-9)
    axes = np.stack([np.cross(fingers, palm), fingers, palm], 1)
    solution = solve_arm(
        trunk.posed, side, socket.turn, _in_body(depths[:, None] * ray, trunk),
        np.repeat(axes[None], len(depths), 0), replace(body, radii_m=_SLIM * body.radii_m), rng,
        swivels=_SWIVELS, elbow_cost=_elbow_cost(pose, trunk, side, camera), worst=np.inf,
    )  # fmt: skip
    held = HeldHand(side, named_pose("relaxed", rng), "hanging", socket)
    return held, {} if solution is None else solution.turned


def _elbow_cost(pose: BodyPose, trunk: Trunk, side: Side, camera: Camera) -> ElbowCost:
    """Squared distance of places of the elbow from its point, in expected deviations."""
    point = ELBOWS[side]
    weight = float(np.clip(pose.visibility[point], 0.05, 1.0)) if pose.known[point] else 0.0
    wanted = pose.points_px[point]

    def cost(elbow: Float[np.ndarray, "n k 3"]) -> Float[np.ndarray, "n k"]:
        seen = elbow @ TO_CAMERA + trunk.place_m
        seen[..., 2] = np.maximum(seen[..., 2], 0.1)
        arm_px = camera.focal_px * sum(_arm_m(trunk, side)) / seen[..., 2]
        off = np.linalg.norm(camera.project(seen) - wanted, axis=-1) / arm_px
        return weight * (off / _ELBOW_SD) ** 2

    return cost


def _reachable(trunk: Trunk, hand: Hand) -> Float[np.ndarray, " n"]:
    """Depths at which a hand is within its arm's reach, or nearest to it."""
    return _along(trunk, hand.side, hand.translation_m / hand.translation_m[2])


def _along(trunk: Trunk, side: Side, ray: Vector) -> Float[np.ndarray, " n"]:
    """Depths at which a line of sight is within an arm's reach of the shoulder, or nearest to it."""
    shoulder = trunk.posed.heads_m[bone(f"upperarm01.{tag_of(side)}")] @ TO_CAMERA + trunk.place_m
    reach = 0.97 * sum(_arm_m(trunk, side))
    middle = float(ray @ shoulder) / float(ray @ ray)
    rest = reach**2 - float(((middle * ray - shoulder) ** 2).sum())
    half = float(np.sqrt(max(rest, 1e-4) / float(ray @ ray)))
    return np.maximum(np.linspace(middle - half, middle + half, _DEPTHS), 0.15)


def _arm_m(trunk: Trunk, side: Side) -> tuple[float, float]:
    names = [f"{name}.{tag_of(side)}" for name in ("upperarm01", "lowerarm01", "wrist")]
    shoulder, elbow, wrist = (_rest(trunk, name) for name in names)
    return float(np.linalg.norm(elbow - shoulder)), float(np.linalg.norm(wrist - elbow))


def _rest(trunk: Trunk, name: str) -> Vector:
    return trunk.posed.rest_heads_m[bone(name)]


def _in_body(points_cam_m: Points, trunk: Trunk) -> Points:
    return (points_cam_m - trunk.place_m) @ TO_CAMERA


def _at_arm(bones: Posed, socket: Socket, hand: Hand, place_m: Vector) -> float:
    """By how much a given hand is farther from the camera at the distance of its arm's end."""
    wrist = bone(f"wrist.{tag_of(hand.side)}")
    end = bones.heads_m[wrist] + bones.turns[wrist] @ (socket.at_m - bones.rest_heads_m[wrist])
    ray = hand.translation_m / hand.translation_m[2]
    depth = float(ray @ (end @ TO_CAMERA + place_m)) / float(ray @ ray)
    return max(depth, 0.1) / float(hand.translation_m[2])


def _scaled(hand: Hand, scale: float) -> Hand:
    """A hand so much farther from the camera and larger that it is seen as it was."""
    sized = hand.shape.copy()
    sized[0] += np.log(scale)
    return replace(hand, translation_m=hand.translation_m * scale, shape=sized)


def _own(
    bones: Posed,
    socket: Socket,
    held: HeldHand,
    shape: Float[np.ndarray, "9"],
    camera: Camera,
    place_m: Vector,
) -> Hand:
    pose, arch = pose_of_dofs(held.posed.dofs_rad)
    return hand_on(bones, socket, held.side, pose, arch, shape, camera, place_m)


def _legs(pose: BodyPose, trunk: Trunk, camera: Camera) -> dict[str, Matrix]:
    """Legs along their points where both knee and ankle are known; the others stay straight."""
    turned: dict[str, Matrix] = {}
    root = trunk.posed.turns[bone("root")]
    for tag, (_, knee_point, ankle_point) in _LEGS:
        ends = [knee_point, ankle_point]
        if not (pose.known[ends].all() and pose.visibility[ends].min() >= _SEEN):
            continue
        hip, knee, ankle = (bone(f"{name}.{tag}") for name in ("upperleg01", "lowerleg01", "foot"))
        rest = trunk.posed.rest_heads_m
        thigh, shin = rest[knee] - rest[hip], rest[ankle] - rest[knee]
        best: tuple[float, Vector, Vector] | None = None
        start = trunk.posed.heads_m[hip]
        for knee_m in _on_sphere(
            pose.points_px[knee_point], start, float(np.linalg.norm(thigh)), trunk, camera
        ):
            for ankle_m in _on_sphere(
                pose.points_px[ankle_point], knee_m, float(np.linalg.norm(shin)), trunk, camera
            ):
                cost = _leg_cost(root.T @ (knee_m - start), root.T @ (ankle_m - knee_m))
                if best is None or cost < best[0]:
                    best = cost, knee_m, ankle_m
        assert best is not None
        _, knee_m, ankle_m = best
        upper = turn_between(root @ _unit(thigh), _unit(knee_m - start)) @ root
        lower = turn_between(upper @ _unit(shin), _unit(ankle_m - knee_m)) @ upper
        turned |= {f"upperleg01.{tag}": upper, f"upperleg02.{tag}": upper}
        turned |= {f"lowerleg01.{tag}": lower, f"lowerleg02.{tag}": lower, f"foot.{tag}": root}
    return turned


def _leg_cost(thigh: Vector, shin: Vector) -> float:
    """Knees bend backwards, thighs do not; the straighter the likelier. Vectors are in the trunk's axes."""
    bends_forward = max(float(_unit(shin)[2] - _unit(thigh)[2]), 0.0)
    return 10 * bends_forward + 3 * max(-float(_unit(thigh)[2]) - 0.3, 0.0) + abs(float(_unit(shin)[2]))


def _on_sphere(
    point_px: Float[np.ndarray, "2"], centre_m: Vector, radius_m: float, trunk: Trunk, camera: Camera
) -> list[Vector]:
    """Where a line of sight meets a sphere, in the body's axes; the nearest place of the sphere otherwise."""
    ray = np.append((point_px - camera.center_px) / camera.focal_px, 1.0)
    centre = centre_m @ TO_CAMERA + trunk.place_m
    middle = float(ray @ centre) / float(ray @ ray)
    rest = radius_m**2 - float(((middle * ray - centre) ** 2).sum())
    half = float(np.sqrt(max(rest, 0.0) / float(ray @ ray)))
    found = [(middle + sign * half) * ray for sign in ((-1, 1) if rest > 0 else (1,))]
    return [_in_body(centre + radius_m * _unit(at - centre), trunk) for at in found]


def _unit(vector: Vector) -> Vector:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
