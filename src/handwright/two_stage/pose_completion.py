"""From what a file or photograph has of a pose to one that both stages can work from.

Stage I needs whole hands, stage II an arm that leads to each of them. What is missing and follows from the
rest is completed: a hand's finger joints by the hand fit, its arm by two-bone inverse kinematics. The rest is
refused by an error that names the joint.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import InvalidValueError
from handwright.perception.body.body_pose import BODY, ELBOWS, HANDS, SHOULDERS, WRISTS, BodyPose, point_name
from handwright.perception.body.person_of_hands import are_hands_alone, person_of_hands
from handwright.perception.fit.hand_fit import fit_hand
from handwright.types import HandObservation, Side

UPPER_ARM, FOREARM, TRUNK = 0.725, 0.709, 1.384
"""Lengths in shoulder widths: shoulder to elbow, elbow to wrist, middle of the shoulders to that of the hips.
Means of 60 rendered bodies (standard deviations .043, .026, .095)."""

_SWIVEL = 0.8
"""Share of an elbow's offset from the line between shoulder and wrist that lies in the picture plane. Of the
shares 0, .3, .5 … 1 the one with the smallest error on 78 rendered raised arms: .42 shoulder widths."""

_LONGEST_ARM, _LONGEST_BONE = 1.6, 2.0
"""An arm, and one of its bones, may be seen this many times as long as the lengths above: an arm that comes
towards the camera is enlarged, a turned trunk is narrow."""

_FAR = 3.0  # Largest distance of a point from the canvas, in its longer sides
_LEAST_HAND_PX = 12.0  # Below, the five fingers of a hand are not apart
_COMPLETED = 0.5  # Visibility of a completed point

_PALM = (0, 1, 5, 9, 13, 17)
_FINGER_BONE = 0.8  # A missing outer bone of a finger over the one before it; where the hand fit starts


@dataclass(frozen=True)
class CompletedPose:
    """A pose that both stages can work from."""

    pose: BodyPose
    hands: tuple[Side, ...]  # The hands to make, all of whose 21 points are known
    added: tuple[str, ...]  # Names of the points that were completed


def complete_pose(pose: BodyPose, width: int, height: int) -> CompletedPose:
    """Complete what follows from the rest of a pose, and refuse what cannot be made.

    Completed are: a hand's wrist from its arm's and the other way round, joints of fingers beyond the
    knuckles, a shoulder from the other one, an elbow; around hands alone head, trunk and their arms
    (``person_of_hands``). Completed points have visibility 0.5. A side without a hand stays as it is.

    Args:
        pose: The pose, in pixels of the canvas.
        width: Width of the canvas, pixels.
        height: Height of the canvas, pixels.

    Raises:
        InvalidValueError: There is no hand, or something of a hand or its arm is missing, outside the canvas
            or impossible; the message names the joint.
    """
    _check_extent(pose, width, height)
    sides: list[Side] = [side for side in HANDS if pose.has_hand(side)]
    if not sides:
        raise InvalidValueError(
            "the pose has no hand", "stage I begins with the hands", "give a pose with 21 points of a hand"
        )
    points, visibility = pose.points_px.copy(), pose.visibility.copy()
    known = pose.known.copy()
    for side in sides:
        _complete_wrist(points, known, side)
        _complete_fingers(points, known, side, width, height)
        _check_shown(points[HANDS[side]], side, width, height)
    _check_different(points, sides)
    if are_hands_alone(pose):
        body = person_of_hands(BodyPose(points, visibility, pose.depth_px), width, height)
        found = ~known[BODY] & (body != 0).any(1)
        points[BODY][found], known[BODY] = body[found], known[BODY] | found
    for side in sides:
        _complete_shoulder(points, known, side)
        _complete_elbow(points, known, side)
    added = known & ~pose.known
    visibility[added] = _COMPLETED
    names = tuple(point_name(int(k)) for k in np.flatnonzero(added))
    return CompletedPose(BodyPose(points, visibility, pose.depth_px), tuple(sides), names)


def shoulder_width_px(points_px: Float[np.ndarray, "133 2"], known: Bool[np.ndarray, "133"]) -> float:
    """How wide the shoulders are seen from the front, by themselves and the trunk; 0: neither is known."""
    widths = [0.0]
    if known[[5, 6]].all():
        widths.append(float(np.linalg.norm(points_px[5] - points_px[6])))
        if known[[11, 12]].all():
            trunk = points_px[[5, 6]].mean(0) - points_px[[11, 12]].mean(0)
            widths.append(float(np.linalg.norm(trunk)) / TRUNK)
    return max(widths)


def elbow_between(
    shoulder: Float[np.ndarray, "2"],
    wrist: Float[np.ndarray, "2"],
    upper_px: float,
    fore_px: float,
    side: Side,
) -> Float[np.ndarray, "2"]:
    """The elbow of an arm in the picture plane, by the law of cosines; below the arm and outwards.

    Where the wrist is farther than both bones reach, the arm is straight and its bones share the way.
    """
    way = wrist - shoulder
    far = float(np.linalg.norm(way))
    if far < 1e-9 or far >= upper_px + fore_px:
        return shoulder + way * upper_px / (upper_px + fore_px)
    ahead = way / far
    along = np.clip((upper_px**2 - fore_px**2 + far**2) / (2 * far), -upper_px, upper_px)
    across = np.array([-ahead[1], ahead[0]])
    outwards = np.array([0.5 if side == "left" else -0.5, 1.0])  # A person's left is on the picture's right
    across *= 1.0 if across @ outwards >= 0 else -1.0
    return shoulder + along * ahead + _SWIVEL * float(np.sqrt(upper_px**2 - along**2)) * across


def _check_extent(pose: BodyPose, width: int, height: int) -> None:
    known = np.flatnonzero(pose.known)
    if not len(known):
        raise InvalidValueError("the pose has no points", "all 133 are unknown")
    points = pose.points_px[known]
    beyond = np.maximum(np.maximum(-points, points - [width, height]), 0).max(1)
    far = int(beyond.argmax())
    if beyond[far] > _FAR * max(width, height):
        raise InvalidValueError(
            f"the {point_name(int(known[far]))} lies far outside the canvas",
            f"it is at ({points[far, 0]:.0f}, {points[far, 1]:.0f}), the canvas is {width} × {height}",
            "give the size that the coordinates are meant for",
        )
    if np.ptp(points, axis=0).max() < 1:
        raise InvalidValueError("all points of the pose lie at one place", f"({points[0, 0]:.1f}, …)")


def _complete_wrist(points: Float[np.ndarray, "133 2"], known: Bool[np.ndarray, "133"], side: Side) -> None:
    of_hand, of_arm = HANDS[side].start, WRISTS[side]
    if not known[of_hand] and not known[of_arm]:
        raise InvalidValueError(
            f"the {point_name(of_hand)} is missing",
            "neither the hand nor the arm has it",
            "give the wrist, or leave the hand out",
        )
    if not known[of_hand]:
        points[of_hand] = points[of_arm]
    elif not known[of_arm]:
        points[of_arm] = points[of_hand]
    known[[of_hand, of_arm]] = True
    hand = points[HANDS[side]][known[HANDS[side]]]
    apart = float(np.linalg.norm(points[of_hand] - points[of_arm]))
    if apart > max(float(np.ptp(hand, axis=0).max()), _LEAST_HAND_PX):
        raise InvalidValueError(
            f"the {point_name(of_arm)} lies {apart:.0f} px from the wrist of the hand",
            "that is more than the hand's size",
            f"give the {side} hand of this arm",
        )


def _complete_fingers(
    points: Float[np.ndarray, "133 2"], known: Bool[np.ndarray, "133"], side: Side, width: int, height: int
) -> None:
    first = HANDS[side].start
    for joint in _PALM:
        if not known[first + joint]:
            raise InvalidValueError(
                f"the {point_name(first + joint)} is missing",
                "a finger's place on the palm cannot be completed",
                "give it, or leave the hand out",
            )
    hand, there = points[HANDS[side]], known[HANDS[side]].copy()
    size = float(np.ptp(hand[there], axis=0).max())
    if size < _LEAST_HAND_PX:
        raise InvalidValueError(
            f"the {side} hand is {size:.0f} px across",
            f"the least is {_LEAST_HAND_PX:.0f}",
            "give a larger canvas, or leave the hand out",
        )
    missing = np.flatnonzero(~there)
    if not len(missing):
        return
    guess = hand.copy()
    for joint in missing:  # In order, so that the joint before it is there
        before = int(joint) - 1
        root = 0 if before % 4 == 1 else before - 1
        bone = _FINGER_BONE * (guess[before] - guess[root])
        guess[joint] = guess[before] + (0.5 if root == 0 else 1) * bone
    observed = HandObservation(
        landmarks_px=guess, depth_px=np.zeros(21), side=side, score=1.0, found_by="file"
    )
    fit = fit_hand(observed, width, height, landmark_weights=there.astype(float), has_depth=False)
    points[first + missing] = fit.landmarks_px[missing]
    known[first + missing] = True


def _check_shown(hand: Float[np.ndarray, "21 2"], side: Side, width: int, height: int) -> None:
    inside = ((hand >= 0) & (hand < [width, height])).all(1)
    if not inside.any():
        raise InvalidValueError(
            f"the {side} hand lies outside the canvas",
            f"the canvas has {width} × {height} pixels",
            "move the pose, or leave the hand out",
        )


def _check_different(points: Float[np.ndarray, "133 2"], sides: list[Side]) -> None:
    if len(sides) < 2:
        return
    left, right = points[HANDS["left"]], points[HANDS["right"]]
    apart = float(np.linalg.norm(left - right, axis=1).mean())
    if apart < 0.05 * float(np.ptp(left, axis=0).max()):
        raise InvalidValueError(
            "the left and the right hand are the same points", "", "leave one of the two hands out"
        )


def _complete_shoulder(
    points: Float[np.ndarray, "133 2"], known: Bool[np.ndarray, "133"], side: Side
) -> None:
    mine, other = SHOULDERS[side], SHOULDERS["right" if side == "left" else "left"]
    if known[mine]:
        return
    hips, nose = known[[11, 12]].all(), known[0]
    if not known[other] or not (hips or nose):
        raise InvalidValueError(
            f"the {point_name(mine)} is missing",
            "it follows from the other shoulder and the nose or the hips, which are missing too",
            f"give it, or leave the {side} hand out",
        )
    middle = points[[11, 12]].mean(0)[0] if hips else points[0, 0]
    points[mine] = [2 * middle - points[other, 0], points[other, 1]]
    known[mine] = True


def _complete_elbow(points: Float[np.ndarray, "133 2"], known: Bool[np.ndarray, "133"], side: Side) -> None:
    shoulder, elbow, wrist = (at[side] for at in (SHOULDERS, ELBOWS, WRISTS))
    wide = shoulder_width_px(points, known)
    upper, fore = (
        max(length * wide, other)
        for length, other in zip((UPPER_ARM, FOREARM), _other_arm(points, known, side), strict=True)
    )
    far = float(np.linalg.norm(points[wrist] - points[shoulder]))
    if wide and far > _LONGEST_ARM * (upper + fore):
        raise InvalidValueError(
            f"the {point_name(wrist)} lies {far:.0f} px from its shoulder",
            f"an arm of this body is {upper + fore:.0f} px long",
            f"move the {side} hand nearer, or leave it out",
        )
    if not known[elbow]:
        if not wide:
            raise InvalidValueError(
                f"the {point_name(elbow)} is missing",
                "how long the arm is follows from both shoulders, of which one is missing",
                "give it, or the other shoulder",
            )
        points[elbow] = elbow_between(points[shoulder], points[wrist], upper, fore, side)
        known[elbow] = True
    for end, length in ((shoulder, upper), (wrist, fore)):
        way = float(np.linalg.norm(points[elbow] - points[end]))
        if wide and way > _LONGEST_BONE * length:
            raise InvalidValueError(
                f"the {point_name(elbow)} lies {way:.0f} px from the {point_name(end)}",
                f"this part of an arm is about {length:.0f} px long",
                f"move the {point_name(elbow)}, or leave it out to have it completed",
            )


def _other_arm(
    points: Float[np.ndarray, "133 2"], known: Bool[np.ndarray, "133"], side: Side
) -> tuple[float, float]:
    """How long the other arm's bones are seen, 0 where they are not known."""
    other: Side = "right" if side == "left" else "left"
    ends = [at[other] for at in (SHOULDERS, ELBOWS, WRISTS)]
    upper, fore = (
        float(np.linalg.norm(points[a] - points[b])) if known[[a, b]].all() else 0.0
        for a, b in pairwise(ends)
    )
    return upper, fore
