"""A person as 21 tokens: what T2H denoises. Rotations are 6-D (Zhou et al. 2019, §4.2).

Body joints turn against the camera (so that where a palm faces is one token's business), finger joints
against their parents, both hands in right-hand space. ``decode`` gives valid
rotations whatever the numbers are.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.body.free_body import mean_parameters, parameters_with, pose_body, rest_body
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINT, JOINTS, SIDES
from handwright.hand.anatomy import FINGER_BONES, FINGERS
from handwright.hand.files.mano import template_frame
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Camera, Hand, Side


@dataclass(frozen=True)
class Token:
    """What one token holds."""

    name: str  # 'left index', 'trunk', …
    joints: tuple[int, ...]  # Indices in ``JOINTS``, or of finger joints in ``Hand.pose`` + 1
    side: Side | None = None  # Of a finger
    extra: int = 0  # Further numbers


_BODY = (
    ("pelvis", ("pelvis",)), ("trunk", ("spine1", "spine2", "spine3")), ("head", ("neck", "head")),
    ("left leg", ("left_hip", "left_knee", "left_ankle")),
    ("right leg", ("right_hip", "right_knee", "right_ankle")),
    ("left arm", ("left_collar", "left_shoulder", "left_elbow")),
    ("right arm", ("right_collar", "right_shoulder", "right_elbow")),
    ("left wrist", ("left_wrist",)), ("right wrist", ("right_wrist",)),
)  # fmt: skip
TOKENS: tuple[Token, ...] = (
    *(Token(name, tuple(JOINT[joint] for joint in joints)) for name, joints in _BODY),
    *(
        Token(f"{side} {finger}", FINGER_BONES[k], side, extra=int(finger in ("ring", "pinky")))
        for side in SIDES
        for k, finger in enumerate(FINGERS)
    ),
    Token("shape", (), extra=19),
    Token("camera", (), extra=4),
)
"""Body, fingers, shape (β and ours of the hands), camera (log focal length over the picture's longer side,
where the pelvis is over it, log distance)."""

WIDTH = max(6 * len(token.joints) + token.extra for token in TOKENS)
"""Numbers of a token; shorter ones are filled with zeros."""

USED: Float[np.ndarray, "t w"] = np.array(
    [[k < 6 * len(token.joints) + token.extra for k in range(WIDTH)] for token in TOKENS], float
)
"""1 where a token holds a number, 0 where it is filled up."""

_WIDEST_BETA, _WIDEST_HAND = 10.0, 1.0
"""Shape numbers are kept within these; those of the synthetic world lie within them."""

_FOLLOWS = {JOINT["left_foot"]: JOINT["left_ankle"], JOINT["right_foot"]: JOINT["right_ankle"]}
"""Joints without numbers of their own: they turn as another does."""


def encode(parameters: BodyParameters) -> Float[np.ndarray, "t w"]:
    """The tokens [21, 19] of a person."""
    posed = pose_body(parameters)
    rows: list[Float[np.ndarray, " n"]] = []
    for token in TOKENS:
        if token.side is not None:
            hand = posed.hands[token.side]
            turns = axis_angle_matrix(hand.pose[[joint - 1 for joint in token.joints]])
            arch = _arch(token, hand.palm_arch)
            rows.append(np.concatenate([sixd_of(turns).ravel(), arch]))
        elif token.joints:
            rows.append(sixd_of(posed.rotations[list(token.joints)]).ravel())
    rows.append(np.concatenate([parameters.betas, parameters.hand_shape]))
    rows.append(_camera_numbers(parameters))
    out = np.zeros((len(TOKENS), WIDTH))
    for k, row in enumerate(rows):
        out[k, : len(row)] = row
    return out


def _arch(token: Token, palm_arch: Float[np.ndarray, "2"]) -> Float[np.ndarray, " n"]:
    """The flexion of the metacarpal under a ring or little finger; nothing for the others."""
    return palm_arch[[FINGERS.index(token.name.split()[1]) - 3]] if token.extra else np.zeros(0)


def _camera_numbers(parameters: BodyParameters) -> Float[np.ndarray, "4"]:
    side_px, (width, height) = max(parameters.size_px), parameters.size_px
    x, y = parameters.camera.project(parameters.transl)
    across, down = (x - width / 2) / side_px, (y - height / 2) / side_px
    return np.array(
        [np.log(parameters.camera.focal_px / side_px), across, down, np.log(parameters.transl[2])]
    )


def decode(tokens: Float[np.ndarray, "t w"], size_px: tuple[int, int]) -> BodyParameters:
    """The person whose tokens these are, in a picture of this size; rotations are made valid."""
    side_px = max(size_px)
    by_name = {token.name: row for token, row in zip(TOKENS, tokens, strict=True)}
    turned = np.repeat(np.eye(3)[None], len(JOINTS), 0)
    poses = {side: np.zeros((15, 3)) for side in SIDES}
    arches = {side: np.zeros(2) for side in SIDES}
    for token, row in zip(TOKENS, tokens, strict=True):
        if not token.joints:
            continue
        turns = rotation_of_sixd(row[: 6 * len(token.joints)].reshape(-1, 6))
        if token.side is None:
            turned[list(token.joints)] = turns
            continue
        poses[token.side][[joint - 1 for joint in token.joints]] = matrix_axis_angle(turns)
        if token.extra:
            arches[token.side][FINGERS.index(token.name.split()[1]) - 3] = row[6 * len(token.joints)]
    for joint, leader in _FOLLOWS.items():
        turned[joint] = turned[leader]
    shape, numbers = by_name["shape"], by_name["camera"]
    focal, distance = float(np.exp(numbers[0])) * side_px, float(np.exp(np.clip(numbers[3], -2, 4)))
    camera = Camera(focal, (size_px[0] / 2, size_px[1] / 2))
    betas = np.clip(shape[:10], -_WIDEST_BETA, _WIDEST_BETA)
    hand_shape = np.clip(shape[10:19], -_WIDEST_HAND, _WIDEST_HAND)
    start = replace(
        mean_parameters(side_px),
        betas=betas,
        transl=np.array([*(numbers[1:3] * side_px / focal * distance), distance]),
        camera=camera,
        size_px=size_px,
    )
    sized = hand_shape.copy()
    sized[0] += rest_body(betas).hand_scale
    hands: dict[Side, Hand] = {
        side: Hand(
            pose=poses[side],
            palm_arch=arches[side],
            wrist=matrix_axis_angle(turned[JOINT[f"{side}_wrist"]] @ template_frame(side)),
            translation_m=start.transl,
            shape=sized,
            side=side,
            camera=camera,
        )
        for side in SIDES
    }
    return parameters_with(start, turned, hands)


def sixd_of(rotations: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 6"]:
    """The first two columns of rotations."""
    return np.concatenate([rotations[..., :, 0], rotations[..., :, 1]], -1)


def rotation_of_sixd(numbers: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "n 3 3"]:
    """The rotations nearest to pairs of columns, by Gram and Schmidt; the identity where they vanish."""
    first = _unit(numbers[..., :3], np.array([1.0, 0.0, 0.0]))
    second = numbers[..., 3:] - (numbers[..., 3:] * first).sum(-1, keepdims=True) * first
    spare = np.where(np.abs(first[..., :1]) < 0.9, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    second = _unit(second, np.cross(np.cross(first, spare), first))
    second = second / np.linalg.norm(second, axis=-1, keepdims=True)
    return np.stack([first, second, np.cross(first, second)], -1)


def _unit(
    vectors: Float[np.ndarray, "n 3"], otherwise: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "n 3"]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-6, vectors / np.maximum(length, 1e-6), otherwise)
