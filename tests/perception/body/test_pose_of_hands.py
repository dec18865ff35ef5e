"""Files of hands as poses: points are the file's, an edited finger moves, bad ones are refused in a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handwright.errors import HandsFileError, InvalidValueError
from handwright.hand.files.hands_file import hands_text, hands_to_json
from handwright.hand.kinematics import hand_landmarks_px
from handwright.perception.body.body_pose import HANDS
from handwright.perception.body.pose_file import pose_of, read_canvas, read_pose
from handwright.types import Hand, HandObservation, Side
from tests.perception.fit.test_hand_fit import HEIGHT, WIDTH, observe, some_hand

INDEX = slice(6, 9)  # What a bent PIP joint of the index finger moves


def numbered(*sides: Side) -> list[tuple[int, HandObservation, Hand]]:
    hands = [some_hand(seed, side) for seed, side in enumerate(sides, 3)]
    return [(k + 1, observe(hand, noise=0.01, seed=k), hand) for k, hand in enumerate(hands)]


def hands_document(*sides: Side) -> dict[str, Any]:
    """What ``handwright hands`` writes of such hands."""
    return json.loads(hands_text(hands_to_json(numbered(*sides), (WIDTH, HEIGHT))))


def test_both_hands_are_where_the_file_has_them_with_their_depth(tmp_path: Path) -> None:
    path = tmp_path / "photo.hands.json"
    path.write_text(hands_text(hands_to_json(numbered("right", "left"), (WIDTH, HEIGHT))))
    pose = read_pose(path)
    assert read_canvas(path) == (WIDTH, HEIGHT)
    assert pose.depth_px is not None
    for _, seen, hand in numbered("right", "left"):
        part = HANDS[hand.side]
        assert np.allclose(pose.points_px[part], seen.landmarks_px)
        assert np.allclose(pose.depth_px[part], seen.depth_px)
        inside = ((seen.landmarks_px >= 0) & (seen.landmarks_px < [WIDTH, HEIGHT])).all(1)
        assert np.array_equal(pose.visibility[part], inside)
    for wrist, side in ((9, "left"), (10, "right")):
        assert np.array_equal(pose.points_px[wrist], pose.points_px[HANDS[side]][0])  # pyright: ignore
    rest = [k for k in range(91) if k not in (9, 10)]
    assert not pose.known[rest].any()
    assert not pose.visibility[rest].any()


def test_a_point_outside_the_picture_is_not_visible() -> None:
    document = hands_document("left")
    document["hands"][0]["landmarks_px"][8] = [-3.0, 20.0]
    pose = pose_of(document)
    assert pose.visibility[HANDS["left"]][8] == 0
    assert pose.known[HANDS["left"]].all()


def test_an_edited_angle_bends_that_finger_alone() -> None:
    document = hands_document("left")
    before = pose_of(document)
    angles = document["hands"][0]["angles_deg"]
    angles["index_pip_flexion"] = 10.0 if angles["index_pip_flexion"] > 50 else 90.0
    after = pose_of(document)
    assert before.depth_px is not None
    assert after.depth_px is not None
    moved = np.linalg.norm((after.points_px - before.points_px)[HANDS["left"]], axis=1)
    moved += np.abs((after.depth_px - before.depth_px)[HANDS["left"]])
    others = np.ones(21, bool)
    others[INDEX] = False
    assert moved[INDEX].min() > 1
    assert moved[others].max() < 1e-6


def test_without_landmarks_the_points_are_those_of_the_regular_hand() -> None:
    document = hands_document("right")
    document["hands"][0].pop("landmarks_px")
    document["hands"][0].pop("depth_px")
    ((_, _, hand),) = numbered("right")
    assert np.allclose(pose_of(document).points_px[HANDS["right"]], hand_landmarks_px(hand), atol=1e-6)


def test_the_only_person_has_number_0() -> None:
    assert np.array_equal(pose_of(hands_document("left"), person=0).points_px[9:11, 0] > 0, [True, False])
    with pytest.raises(InvalidValueError, match="has no person 1"):
        pose_of(hands_document("left"), person=1)


def _without_camera(document: dict[str, Any]) -> None:
    document["hands"][0].pop("camera")


def _of_another_version(document: dict[str, Any]) -> None:
    document["schema"] = "handwright/hands-9"


def _far_away(document: dict[str, Any]) -> None:
    document["hands"][0]["landmarks_px"][3] = [1e9, 0.0]


BAD: dict[str, tuple[tuple[Side, ...], Callable[[dict[str, Any]], object], type[Exception], str]] = {
    "none": ((), lambda _: None, InvalidValueError, "has no hand in it"),
    "three": (("left", "right", "left"), lambda _: None, InvalidValueError, "has 3 hands: a person has two"),
    "two left": (("left", "left"), lambda _: None, InvalidValueError, "has two left hands"),
    "far away": (("left",), _far_away, InvalidValueError, "the left hand of .* lies far outside"),
    "no camera": (("left",), _without_camera, HandsFileError, "hand 1: .*camera"),
    "another version": (("left",), _of_another_version, HandsFileError, "this version reads"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_persons_hands_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    sides, change, error, words = BAD[kind]
    document = hands_document(*sides)
    change(document)
    path = tmp_path / "photo.hands.json"
    path.write_text(json.dumps(document))
    with pytest.raises(error, match=words) as caught:
        read_pose(path)
    assert "\n" not in str(caught.value)


def test_a_picture_of_absurd_size_is_no_canvas(tmp_path: Path) -> None:
    document = hands_document("left")
    document["picture"]["width"] = 10**400
    path = tmp_path / "photo.hands.json"
    path.write_text(json.dumps(document))
    assert read_canvas(path) is None
    assert read_pose(path).has_hand("left")
