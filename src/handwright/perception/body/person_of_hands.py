"""A person around hands alone: head, shoulders, elbows and hips, as seen from the front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import KNUCKLES
from handwright.hand.kinematics import hand_landmarks_m
from handwright.perception.body.body_pose import ELBOWS, FACE, HANDS, WRISTS, BodyPose
from handwright.perception.body.pose_hands import fit_hand_of_pose
from handwright.types import Side

_MIDDLE_MCP = 9
_TRUNK = (0, 1, 2, 3, 4, 5, 6, 11, 12)  # Nose, eyes, ears, shoulders, hips


@dataclass(frozen=True, kw_only=True)
class PersonOfHandsParams:
    """Where a body is by its hands, of people who face the camera; lengths are in shoulder widths.

    All are means of 150 rendered people (``data.people.setup.draw_setup``, seeds 901 to 903) whose hands are
    whole in the picture, but for the forearm; in brackets standard deviations.

    Attributes:
        width: Shoulder width in lengths from wrist to middle knuckle (.42).
        forearm: Elbow from the wrist, along the way from knuckles to wrist as it is seen; of 60
            rendered bodies, as in ``two_stage.pose_completion`` (.026).
        shoulder: Shoulder from the elbow: how far towards the other one, and how far up (.24, .31 from the
            wrist).
        nose: How far the nose lies above the middle of the shoulders (.083).
        eye: How far aside of it and above the shoulders either eye lies (.08, .06).
        ear: The same of an ear (.05, .05).
        hip: How far aside of the middle, and below the shoulders, either hip lies (.05, .11).
        apart: Places of the shoulders' middle that follow from either hand lie at most so far apart: of 124
            rendered people 1.18 (``bench/hands_alone.py --n 300 --seed 906``); from 1.9 on elbows are farther
            from shoulders than ``complete_pose`` takes.
    """

    width: float = 3.51
    forearm: float = 0.709
    shoulder: tuple[float, float] = (0.318, 0.365)
    nose: float = 0.65
    eye: tuple[float, float] = (0.093, 0.758)
    ear: tuple[float, float] = (0.234, 0.652)
    hip: tuple[float, float] = (0.292, 1.332)
    apart: float = 1.9


PARAMS = PersonOfHandsParams()


def are_hands_alone(pose: BodyPose) -> bool:
    """Whether a pose has hands, and of body, feet and face nothing but wrists."""
    others = pose.known[: FACE.stop].copy()
    others[list(WRISTS.values())] = False
    return not others.any() and any(pose.has_hand(side) for side in HANDS)


def person_of_hands(pose: BodyPose, width: int, height: int) -> Float[np.ndarray, "17 2"]:
    """Where the body of hands may be: upright, facing the camera, its arms going on from the hands.

    A hand's length gives the person's size, its direction the elbow; the shoulders are level and between what
    follows from either hand. Of 300 further rendered people shoulders lie .30 shoulder widths aside of the
    truth on average and elbows .16; of 20 test-only photographs .49 and .29 (``bench/hands_alone.py``).

    Args:
        pose: The pose, in pixels of the picture; all 21 points of each of its hands are known.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.

    Returns:
        float64 [17, 2]: COCO's points in pixels, also outside the picture; 0 for wrists, legs, and an elbow
        of which there is no hand.

    Raises:
        InvalidValueError: The pose has no hand, or its hands are too far apart for one person.
    """
    sides: list[Side] = [side for side in HANDS if pose.has_hand(side)]
    if not sides:
        raise InvalidValueError("the pose has no hand", "a person is to be found around it")
    widths: list[float] = []
    ways: list[Float[np.ndarray, "2"]] = []
    for side in sides:
        hand = fit_hand_of_pose(pose, side, width, height).hand
        at_m = hand_landmarks_m(hand)
        palm_m = float(np.linalg.norm(at_m[_MIDDLE_MCP] - at_m[0]))
        widths.append(PARAMS.width * palm_m * hand.camera.focal_px / float(at_m[0, 2]))
        way = at_m[0] - at_m[list(KNUCKLES)].mean(0)
        ways.append((way / np.linalg.norm(way))[:2])
    wide = float(np.exp(np.mean(np.log(widths))))
    middles = [
        pose.points_px[HANDS[side]][0] + wide * _middle_of_shoulders(way, side)
        for side, way in zip(sides, ways, strict=True)
    ]
    apart = float(np.linalg.norm(middles[0] - middles[-1]))
    if apart > PARAMS.apart * wide:
        raise InvalidValueError(
            "the left and the right wrist are too far apart for one person",
            f"their bodies would be {apart:.0f} px apart, {apart / wide:.1f} times the width of shoulders",
            "leave one of the two hands out",
        )
    body = np.zeros((17, 2))
    body[list(_TRUNK)] = np.mean(middles, 0) + wide * _trunk()
    for side, way in zip(sides, ways, strict=True):
        body[ELBOWS[side]] = pose.points_px[HANDS[side]][0] + wide * PARAMS.forearm * way
    return body


def _middle_of_shoulders(way: Float[np.ndarray, "2"], side: Side) -> Float[np.ndarray, "2"]:
    """From a hand's wrist to the middle of the shoulders; a left arm is on the picture's right."""
    inwards, up = PARAMS.shoulder
    sign = 1.0 if side == "left" else -1.0
    return PARAMS.forearm * way - [sign * (inwards + 0.5), up]


def _trunk() -> Float[np.ndarray, "9 2"]:
    """Nose, eyes, ears, shoulders and hips about the middle of the shoulders, left ones first."""
    pairs = [(x, -y) for x, y in (PARAMS.eye, PARAMS.ear)] + [(0.5, 0.0), PARAMS.hip]
    return np.array([(0.0, -PARAMS.nose), *((sign * x, y) for x, y in pairs for sign in (1, -1))])
