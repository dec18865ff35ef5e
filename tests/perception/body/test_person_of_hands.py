"""A person around hands alone: closed forms for the elbow, the size and the middle, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.hand.kinematics import hand_landmarks_m
from handwright.perception.body import person_of_hands as module
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.perception.body.person_of_hands import PARAMS, are_hands_alone, person_of_hands
from handwright.types import Hand, Side
from tests.perception.fit.test_hand_fit import HEIGHT, WIDTH, some_hand

FACE_POINTS, SHOULDERS, HIPS = (0, 1, 2, 3, 4), [5, 6], [11, 12]


def upright(side: Side, x_m: float = 0.0) -> Hand:
    """The mean hand at rest, fingers up."""
    some = some_hand(3, side)
    return replace(
        some, pose=np.zeros((15, 3)), palm_arch=np.zeros(2), shape=np.zeros_like(some.shape),
        wrist=np.array([np.pi, 0.0, 0.0]), translation_m=np.array([x_m, 0.0, 0.8]),
    )  # fmt: skip


def pose_of_these(*hands: Hand) -> BodyPose:
    points, depth = np.zeros((133, 2)), np.zeros(133)
    for hand in hands:
        at = hand_landmarks_m(hand)
        points[HANDS[hand.side]] = hand.camera.project(at)
        depth[HANDS[hand.side]] = (at[:, 2] - at[0, 2]) * hand.camera.focal_px / at[0, 2]
    return BodyPose(points, (points != 0).any(1).astype(float), depth)


def _palm_px(hand: Hand) -> float:
    at = hand_landmarks_m(hand)
    return float(np.linalg.norm(at[9] - at[0])) * hand.camera.focal_px / at[0, 2]


def _way(hand: Hand) -> np.ndarray:
    at = hand_landmarks_m(hand)
    way = at[0] - at[[5, 9, 13, 17]].mean(0)
    return (way / np.linalg.norm(way))[:2]


@pytest.mark.parametrize("side", ["left", "right"])
def test_size_elbow_and_shoulder_follow_from_the_hand(side: Side) -> None:
    hand = upright(side)
    pose = pose_of_these(hand)
    body = person_of_hands(pose, WIDTH, HEIGHT)
    wide, wrist = PARAMS.width * _palm_px(hand), pose.points_px[HANDS[side]][0]
    assert np.linalg.norm(body[5] - body[6]) == pytest.approx(wide, rel=0.05)
    elbow, shoulder = (body[[k]][0] for k in ((7, 5) if side == "left" else (8, 6)))
    assert np.allclose(elbow - wrist, PARAMS.forearm * wide * _way(hand), atol=0.05 * wide)
    sign = 1 if side == "left" else -1
    inwards, up = PARAMS.shoulder
    assert np.allclose(shoulder - elbow, [-sign * inwards * wide, -up * wide], atol=0.05 * wide)
    assert not body[[8 if side == "left" else 7, 9, 10, 13, 14, 15, 16]].any()


def test_the_body_is_upright_with_the_proportions_of_the_parameters() -> None:
    body = person_of_hands(pose_of_these(upright("left")), WIDTH, HEIGHT)
    wide, middle = body[5, 0] - body[6, 0], body[SHOULDERS].mean(0)
    about = (body - middle) / wide
    assert about[0] == pytest.approx([0, -PARAMS.nose])
    assert about[1] == pytest.approx([PARAMS.eye[0], -PARAMS.eye[1]])
    assert about[4] == pytest.approx([-PARAMS.ear[0], -PARAMS.ear[1]])
    assert about[SHOULDERS] == pytest.approx(np.array([[0.5, 0], [-0.5, 0]]))
    assert about[HIPS] == pytest.approx(np.array([PARAMS.hip, (-PARAMS.hip[0], PARAMS.hip[1])]))


def test_a_mirrored_hand_has_a_mirrored_body() -> None:
    pose = pose_of_these(some_hand(5, "left"))
    body, twin = (person_of_hands(one, WIDTH, HEIGHT) for one in (pose, pose.mirrored(WIDTH)))
    order = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    back = np.where((twin[order] != 0).any(1)[:, None], [WIDTH, 0] + twin[order] * [-1, 1], 0.0)
    assert np.allclose(back, body, atol=1.0)


def test_two_hands_share_a_body_between_them_and_two_bodies_are_refused() -> None:
    left, right = (
        person_of_hands(pose_of_these(hand), WIDTH, HEIGHT)
        for hand in (upright("left", 0.2), upright("right", -0.2))
    )
    both = person_of_hands(pose_of_these(upright("left", 0.2), upright("right", -0.2)), WIDTH, HEIGHT)
    assert np.allclose(both[SHOULDERS].mean(0), (left[SHOULDERS] + right[SHOULDERS]).mean(0) / 2, atol=2.0)
    with pytest.raises(InvalidValueError, match="too far apart for one person") as caught:
        person_of_hands(pose_of_these(upright("left", 0.9), upright("right", -0.9)), WIDTH, HEIGHT)
    assert "\n" not in str(caught.value)


def test_hands_are_apart_just_beyond_the_limit_and_not_just_within(monkeypatch: pytest.MonkeyPatch) -> None:
    hands = upright("left", 0.3), upright("right", -0.3)
    middles = [person_of_hands(pose_of_these(hand), WIDTH, HEIGHT)[SHOULDERS].mean(0) for hand in hands]
    wide = PARAMS.width * _palm_px(hands[0])
    apart = float(np.linalg.norm(middles[0] - middles[1])) / wide
    assert apart > 0.1
    monkeypatch.setattr(module, "PARAMS", replace(PARAMS, apart=1.1 * apart))
    person_of_hands(pose_of_these(*hands), WIDTH, HEIGHT)
    monkeypatch.setattr(module, "PARAMS", replace(PARAMS, apart=0.9 * apart))
    with pytest.raises(InvalidValueError, match="too far apart"):
        person_of_hands(pose_of_these(*hands), WIDTH, HEIGHT)


def test_a_body_is_made_around_hands_alone() -> None:
    pose = pose_of_these(upright("left"))
    assert are_hands_alone(pose)
    assert pose.points_px[HANDS["left"]][0, 1] > pose.points_px[HANDS["left"]][9, 1]
    wrist = pose.points_px.copy()
    wrist[9] = wrist[HANDS["left"]][0]
    assert are_hands_alone(BodyPose(wrist, pose.visibility))
    for point in (0, 5, 7, 16, 20, 40):
        more = wrist.copy()
        more[point] = 10, 10
        assert not are_hands_alone(BodyPose(more, pose.visibility))
    assert not are_hands_alone(BodyPose(np.zeros((133, 2)), np.zeros(133)))
    with pytest.raises(InvalidValueError, match="has no hand"):
        person_of_hands(BodyPose(np.zeros((133, 2)), np.zeros(133)), WIDTH, HEIGHT)
