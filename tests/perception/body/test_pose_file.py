"""Poses from files: each layout read exactly, each kind of bad pose refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.perception.body.body_pose import HANDS
from handwright.perception.body.pose_file import pose_of, read_pose


def _flat(n: int, start: float = 10.0, seen: float = 1.0) -> list[float]:
    return [value for i in range(n) for value in (start + i, 2 * start + i, seen)]


def _openpose(n: int = 18, **more: object) -> dict[str, Any]:
    return {"people": [{"pose_keypoints_2d": _flat(n), **more}]}


def _coco(n: int = 17, **more: object) -> dict[str, Any]:
    return {"annotations": [{"keypoints": _flat(n, seen=2), **more}]}


@pytest.mark.parametrize(("count", "left_wrist", "right_ankle"), [(18, 7, 10), (25, 7, 11)])
def test_openpose_goes_to_cocos_order(tmp_path: Path, count: int, left_wrist: int, right_ankle: int) -> None:
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(_openpose(count, hand_right_keypoints_2d=_flat(21, 200))))
    pose = read_pose(path)
    assert pose.points_px[9, 0] == 10 + left_wrist
    assert pose.points_px[16, 0] == 10 + right_ankle
    assert pose.has_hand("right")
    assert not pose.has_hand("left")
    assert pose.points_px[HANDS["right"]][:, 0].tolist() == [200.0 + i for i in range(21)]
    assert bool(pose.known[17:23].all()) == (count == 25)


def test_openpose_pupils_are_left_out_and_confidence_kept() -> None:
    pose = pose_of(_openpose(face_keypoints_2d=_flat(70, 300, 0.5)))
    assert (pose.visibility[23:91] == 0.5).all()
    assert pose.points_px[90, 0] == 367


def test_wholebody_parts_and_one_list_are_the_same() -> None:
    parts = {"foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}
    whole, body, start = _flat(133, seen=2), _flat(133, seen=2)[:51], 51
    split: dict[str, Any] = {"keypoints": body}
    for part, count in parts.items():
        split[part] = whole[start : start + 3 * count]
        start += 3 * count
    split_pose = pose_of({"annotations": [split]})
    assert np.array_equal(split_pose.wholebody, pose_of(_coco(133)).wholebody)
    assert split_pose.known.all()


def test_a_hidden_point_of_coco_is_known_but_hardly_visible() -> None:
    flat = _flat(17, seen=2)
    flat[2], flat[5] = 1, 0
    pose = pose_of({"annotations": [{"keypoints": flat}]})
    assert pose.visibility[:3].tolist() == [0.25, 0, 1]
    assert pose.known[:3].tolist() == [True, False, True]


def test_shares_of_the_canvas_become_pixels_in_a_list_of_one_picture() -> None:
    shares = [0.5, 0.25, 1.0] * 18
    content = [{"people": [{"pose_keypoints_2d": shares}], "canvas_width": 512, "canvas_height": 768}]
    assert pose_of(content).points_px[0].tolist() == [256, 192]


def test_a_person_is_chosen_by_number() -> None:
    two = {"people": [{"pose_keypoints_2d": _flat(18)}, {"pose_keypoints_2d": _flat(18, 90)}]}
    assert pose_of(two, person=1).points_px[0, 0] == 90


BAD: dict[str, tuple[object, str]] = {
    "a number": (3, "is no pose file"),
    "two pictures": ([_openpose(), _openpose()], "is no pose file"),
    "no people": ({"version": 1.3}, "neither people nor annotations"),
    "people no list": ({"people": {}}, "people is not a list"),
    "nobody": ({"people": []}, "has nobody"),
    "two people": ({"people": _openpose()["people"] * 2}, "has 2 people"),
    "person no object": ({"people": [5]}, "person 0 is no object"),
    "no body": ({"people": [{}]}, "without a body"),
    "no body of COCO": ({"annotations": [{"bbox": [0, 0, 1, 1]}]}, "without a body"),
    "17 points of OpenPose": (_openpose(17), "pose_keypoints_2d of"),
    "cut short": ({"people": [{"pose_keypoints_2d": [1.0, 2.0]}]}, "must hold 54 or 75"),
    "words": ({"people": [{"pose_keypoints_2d": ["a"] * 54}]}, "no list of numbers"),
    "nested": ({"people": [{"pose_keypoints_2d": [[1, 2, 1]] * 18}]}, "must hold 54 or 75"),
    "ragged": ({"people": [{"pose_keypoints_2d": [[1], [1, 2]]}]}, "no list of numbers"),
    "not finite": ({"people": [{"pose_keypoints_2d": [float("nan")] * 54}]}, "point 0 is not finite"),
    "confidence below 0": ({"people": [{"pose_keypoints_2d": _flat(18, seen=-1)}]}, "below 0"),
    "confidence above 1": ({"people": [{"pose_keypoints_2d": _flat(18, seen=7)}]}, "above 1"),
    "all unseen": ({"people": [{"pose_keypoints_2d": _flat(18, seen=0)}]}, "without points"),
    "20 points in a hand": (_openpose(hand_left_keypoints_2d=_flat(20)), "hand_left_keypoints_2d of"),
    "67 points in a face": (_coco(face_kpts=_flat(67)), "face_kpts of"),
    "a flag of 3": ({"annotations": [{"keypoints": _flat(17, seen=3)}]}, "none of 0, 1 and 2"),
    "shares of no canvas": ({"people": [{"pose_keypoints_2d": [0.5] * 54}]}, "between 0 and 1"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_pose_is_refused_in_words(kind: str) -> None:
    content, words = BAD[kind]
    with pytest.raises(InvalidValueError, match=words) as caught:
        pose_of(content, "pose.json")
    assert "pose.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_person_that_is_not_there_and_a_file_that_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="has no person 4"):
        pose_of(_openpose(), person=4)
    path = tmp_path / "broken.json"
    path.write_text("{")
    for bad in (path, tmp_path / "absent.json"):
        with pytest.raises(InvalidValueError, match="cannot be read as JSON"):
            read_pose(bad)
