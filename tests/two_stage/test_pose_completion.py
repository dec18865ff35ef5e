"""Completion against closed forms, and one line for each of more than twenty kinds of bad poses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.perception.body.body_pose import HANDS, point_name
from handwright.perception.body.pose_file import openpose_json, read_pose
from handwright.two_stage.pose_completion import FOREARM, TRUNK, UPPER_ARM, complete_pose, elbow_between
from tests.perception.body.test_pose_of_hands import hands_document
from tests.two_stage.poses import CANVAS, arrays, pose_of_array, wholebody_file

LEFT = HANDS["left"].start
BODY_BUT_WRISTS = [*range(9), *range(11, 91)]


def _completed(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    done = complete_pose(pose_of_array(points), CANVAS, CANVAS)
    return done.pose.points_px, done.pose.visibility, done.added


def test_a_whole_pose_stays_as_it_is() -> None:
    points = arrays(("left", "right"))
    done = complete_pose(pose_of_array(points), CANVAS, CANVAS)
    assert done.hands == ("left", "right")
    assert done.added == ()
    assert np.array_equal(done.pose.wholebody, points)


def test_an_elbow_is_below_the_arm_and_outwards_with_the_bones_lengths() -> None:
    shoulder, wrist = np.array([300.0, 200.0]), np.array([340.0, 150.0])
    elbow = elbow_between(shoulder, wrist, 60.0, 50.0, "left")
    ahead = (wrist - shoulder) / np.linalg.norm(wrist - shoulder)
    along = (elbow - shoulder) @ ahead
    across = np.linalg.norm(elbow - shoulder - along * ahead) / 0.8
    assert np.hypot(along, across) == pytest.approx(60.0)
    assert np.hypot(np.linalg.norm(wrist - shoulder) - along, across) == pytest.approx(50.0)
    assert (elbow - shoulder - along * ahead) @ [0.5, 1.0] > 0
    mirrored = elbow_between(shoulder * [-1, 1], wrist * [-1, 1], 60.0, 50.0, "right")
    assert np.allclose(mirrored, elbow * [-1, 1])


def test_an_arm_that_reaches_too_far_is_straight() -> None:
    elbow = elbow_between(np.zeros(2), np.array([300.0, 0.0]), 60.0, 40.0, "left")
    assert np.allclose(elbow, [180.0, 0.0])
    assert np.allclose(elbow_between(np.ones(2), np.ones(2), 60.0, 40.0, "left"), 1.0)


def test_a_missing_arm_is_completed_to_the_hand() -> None:
    points = arrays()
    points[[7, 9]] = 0
    out, visibility, added = _completed(points)
    assert added == ("left elbow", "left wrist")
    assert np.array_equal(out[9], points[LEFT, :2])
    trunk = np.linalg.norm(points[[5, 6], :2].mean(0) - points[[11, 12], :2].mean(0)) / TRUNK
    wide = max(trunk, np.linalg.norm(points[5, :2] - points[6, :2]))
    right = [np.linalg.norm(points[a, :2] - points[b, :2]) for a, b in ((6, 8), (8, 10))]
    lengths = float(max(UPPER_ARM * wide, right[0])), float(max(FOREARM * wide, right[1]))
    assert np.allclose(out[7], elbow_between(out[5], out[9], *lengths, "left"))
    assert visibility[[7, 9]].tolist() == [0.5, 0.5]


def test_a_hands_wrist_is_that_of_its_arm() -> None:
    points = arrays()
    points[LEFT] = 0
    out, _, added = _completed(points)
    assert added == ("wrist of the left hand",)
    assert np.array_equal(out[LEFT], points[9, :2])


def test_a_missing_shoulder_mirrors_the_other_at_the_hips() -> None:
    points = arrays()
    points[5] = 0
    out, _, added = _completed(points)
    assert added == ("left shoulder",)
    assert np.allclose(out[5], [2 * 256 - 196, 190])


def test_missing_finger_joints_come_from_the_hand_fit() -> None:
    points = arrays()
    points[[LEFT + 8, LEFT + 11, LEFT + 12]] = 0
    out, _, added = _completed(points)
    assert added == ("left index tip", "left middle DIP", "left middle tip")
    there = [LEFT + k for k in range(21) if k not in (8, 11, 12)]
    assert np.array_equal(out[there], points[there, :2])
    truth = arrays()[[LEFT + 8, LEFT + 11, LEFT + 12], :2]
    assert np.linalg.norm(out[[LEFT + 8, LEFT + 11, LEFT + 12]] - truth, axis=1).max() < 0.15 * 84


@pytest.mark.parametrize("hands", [("left",), ("left", "right")])
def test_hands_alone_get_a_body_with_arms_and_stay_as_they_are(hands: tuple[str, ...]) -> None:
    points = arrays(hands)
    points[BODY_BUT_WRISTS] = 0
    if "right" not in hands:
        points[10] = 0
    points[9] = 0
    out, visibility, added = _completed(points)
    assert np.array_equal(out[91:], points[91:, :2])
    assert np.array_equal(out[9], points[LEFT, :2])
    assert {"nose", "left shoulder", "right shoulder", "left elbow", "left wrist", "left hip"} <= set(added)
    assert ("right elbow" in added) == ("right" in hands)
    assert (visibility[[0, 1, 4, 5, 6, 7, 9, 11, 12]] == 0.5).all()
    assert not out[13:91].any()


def test_the_body_around_a_hand_alone_is_about_where_it_was() -> None:
    points, true = arrays(), arrays()[:, :2]
    points[[*BODY_BUT_WRISTS, 10]] = 0
    out, _, _ = _completed(points)
    wide = np.linalg.norm(true[5] - true[6])
    assert np.linalg.norm(out[[5, 6]] - true[[5, 6]], axis=1).max() < wide
    assert np.linalg.norm(out[7] - true[7]) < wide


def test_points_a_little_outside_the_canvas_stay() -> None:
    points = arrays()
    assert points[15, 1] > CANVAS
    assert np.array_equal(_completed(points)[0], points[:, :2])


def test_every_point_has_a_name_of_its_own() -> None:
    names = [point_name(k) for k in range(133)]
    assert len(set(names)) == 133
    assert names[7] == "left elbow"
    assert names[22] == "right heel"
    assert names[LEFT + 4] == "left thumb tip"
    assert names[132] == "right pinky tip"


def _changed(change: Callable[[np.ndarray], object], hands: tuple[str, ...] = ("left",)) -> dict[str, Any]:
    points = arrays(hands)
    change(points)
    return wholebody_file(points)


def _set(rows: Any, value: Any) -> Callable[[np.ndarray], None]:
    def change(points: np.ndarray) -> None:
        points[rows] = value

    return change


def _moved(rows: Any, by: tuple[float, float]) -> Callable[[np.ndarray], None]:
    def change(points: np.ndarray) -> None:
        points[rows, :2] += by

    return change


def _one_place(points: np.ndarray) -> None:
    points[points[:, 2] > 0, :2] = (100, 100)


def _same_hands(points: np.ndarray) -> None:
    points[[8, 10], :2] = points[[7, 9], :2]
    points[HANDS["right"]] = points[HANDS["left"]]


def _shrunk(points: np.ndarray) -> None:
    hand = points[HANDS["left"]]
    hand[:, :2] = hand[0, :2] + (hand[:, :2] - hand[0, :2]) * 0.08


def _openpose(**more: object) -> dict[str, Any]:
    written = openpose_json(pose_of_array(arrays()), CANVAS, CANVAS)
    return {**written, "people": [{**written["people"][0], **more}]}


def _of_two_people() -> dict[str, Any]:
    """A small left hand at one side of the picture, a small right one at the other."""
    document = hands_document("left", "right")
    for hand, x in zip(document["hands"], (460, 40), strict=True):
        points = np.array(hand["landmarks_px"])
        scale = 30 / np.ptp(points, axis=0).max()
        hand["landmarks_px"] = ((points - points[0]) * scale + [x, 250]).tolist()
        hand["depth_px"] = (np.array(hand["depth_px"]) * scale).tolist()
    return document


LEFT_HAND = slice(LEFT, LEFT + 21)
BAD: dict[str, tuple[Any, str]] = {
    "no JSON": ("{people:", "cannot be read as JSON"),
    "no pose": ({"shapes": []}, "neither people nor annotations"),
    "nobody": ({"people": []}, "has nobody in it"),
    "two people": ({"annotations": 2 * wholebody_file(arrays())["annotations"]}, "has 2 people"),
    "no body": ({"people": [{"hand_left_keypoints_2d": [1.0] * 63}]}, "without a body"),
    "too few numbers": (
        _openpose(hand_left_keypoints_2d=[1.0] * 60),
        "hand_left_keypoints_2d .* must hold 63",
    ),
    "no numbers": (_openpose(pose_keypoints_2d=["a"] * 75), "no list of numbers"),
    "not finite": (_openpose(pose_keypoints_2d=[float("nan")] * 75), "point 0 is not finite"),
    "confidence above 1": (_openpose(hand_left_keypoints_2d=[2.0] * 63), "confidence above 1"),
    "all unseen": (_changed(_set(slice(None), 0)), "without points"),
    "no hand": (_changed(_set(LEFT_HAND, 0)), "the pose has no hand"),
    "no wrist": (_changed(_set([9, LEFT], 0)), "the wrist of the left hand is missing"),
    "no knuckle": (_changed(_set(LEFT + 5, 0)), "the left index MCP is missing"),
    "hand of another arm": (
        _changed(_moved(LEFT_HAND, (-190, 0))),
        "the left wrist lies 190 px from the wrist",
    ),
    "hand too small": (_changed(_shrunk), "the left hand is 7 px across"),
    "hand outside": (
        _changed(_moved([7, 9, *range(LEFT, LEFT + 21)], (0, -260))),
        "the left hand lies outside",
    ),
    "the same hand twice": (_changed(_same_hands, ("left", "right")), "are the same points"),
    "no shoulder": (_changed(_set([5, 6], 0)), "the left shoulder is missing"),
    "neither elbow nor width": (_changed(_set([7, 6, 11, 12], 0)), "the left elbow is missing"),
    "arm too long": (_changed(_moved([9, *range(LEFT, LEFT + 21)], (60, 320))), "the left wrist lies"),
    "elbow elsewhere": (_changed(_moved([7], (120, 230))), "the left elbow lies"),
    "far outside": (_changed(_moved([15], (0, 4000))), "the left ankle lies far outside"),
    "no hand in a file of hands": (hands_document(), "has no hand in it"),
    "three hands": (hands_document("left", "right", "right"), "has 3 hands"),
    "two left hands": (hands_document("left", "left"), "has two left hands"),
    "hands of two people": (_of_two_people(), "too far apart for one person"),
    "one place": (_changed(_one_place), "all points of the pose lie at one place"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_pose_is_refused_in_one_line_that_names_what_is_wrong(tmp_path: Path, kind: str) -> None:
    content, words = BAD[kind]
    path = tmp_path / "pose.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(InvalidValueError, match=words) as caught:
        complete_pose(read_pose(path), CANVAS, CANVAS)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 220


def test_there_are_twenty_kinds_of_bad_poses() -> None:
    assert len(BAD) >= 20
