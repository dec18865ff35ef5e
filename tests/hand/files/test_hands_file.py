from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from handwright.errors import HandsFileError
from handwright.hand.anatomy import DOF_NAMES
from handwright.hand.files.hands_file import (
    hands_from_json,
    hands_text,
    hands_to_json,
    load_hands,
    load_numbered_hands,
    load_pose,
)
from handwright.hand.kinematics import hand_landmarks_m
from handwright.types import Hand, HandObservation

SHA = "ab" * 32


def observed(hand: Hand, seed: int = 0) -> HandObservation:
    landmarks = hand.camera.project(hand_landmarks_m(hand)) + np.random.default_rng(seed).normal(
        0, 1, (21, 2)
    )
    return HandObservation(
        landmarks_px=landmarks, depth_px=np.linspace(-5, 5, 21), side=hand.side, score=0.875, found_by="tile"
    )


@pytest.fixture
def numbered(make_hand: Callable[..., Hand]) -> list[tuple[int, HandObservation, Hand]]:
    hands = [make_hand(1, "left"), make_hand(2, "right", betas=True)]
    return [(k + 1, observed(hand, k), hand) for k, hand in enumerate(hands)]


@pytest.fixture
def document(numbered: list[tuple[int, HandObservation, Hand]]) -> dict[str, Any]:
    return json.loads(hands_text(hands_to_json(numbered, (512, 480), SHA)))


def write(folder: Path, document: object) -> Path:
    path = folder / "hands.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def assert_same(a: Hand, b: Hand) -> None:
    for name in ("pose", "palm_arch", "wrist", "translation_m", "shape"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.side, a.camera) == (b.side, b.camera)
    assert (a.betas is None) == (b.betas is None)
    if a.betas is not None and b.betas is not None:
        np.testing.assert_array_equal(a.betas, b.betas)


def test_hands_come_back_exactly(numbered: list, tmp_path: Path) -> None:
    document = hands_to_json(numbered, (512, 480), SHA)
    path = tmp_path / "hands.json"
    path.write_bytes(hands_text(document).encode())
    back = load_numbered_hands(path, width=512, height=480, sha256=SHA)
    assert [number for number, _, _ in back] == [1, 2]
    for (_, seen, hand), (_, seen_back, hand_back) in zip(numbered, back, strict=True):
        assert_same(hand, hand_back)
        np.testing.assert_array_equal(seen.landmarks_px, seen_back.landmarks_px)
        np.testing.assert_array_equal(seen.depth_px, seen_back.depth_px)
        assert (seen.side, seen.score, seen.found_by) == (seen_back.side, seen_back.score, seen_back.found_by)


def test_no_hands_are_a_valid_file(tmp_path: Path) -> None:
    document = hands_to_json([], (64, 48))
    path = tmp_path / "hands.json"
    path.write_bytes(hands_text(document).encode())
    assert load_hands(path, width=64, height=48) == ()


def test_written_files_satisfy_the_published_schema(document: dict[str, Any]) -> None:
    schema = json.loads(
        package_files("handwright.hand.files").joinpath("hands-1.schema.json").read_text("utf-8")
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    del document["hands"][0]["camera"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_text_keeps_a_row_of_numbers_on_a_line(numbered: list) -> None:
    lines = hands_text(hands_to_json(numbered, (512, 480))).splitlines()
    assert max(map(len, lines)) < 600
    assert len(lines) < 250


def test_an_edited_angle_turns_its_joint_and_nothing_else(document: dict[str, Any]) -> None:
    (_, _, before), _ = hands_from_json(document)
    document["hands"][0]["angles_deg"]["index_pip_flexion"] = 80
    (_, _, after), _ = hands_from_json(document)
    changed = np.abs(after.pose - before.pose).max(1) > 0
    assert np.flatnonzero(changed).tolist() == [1]
    assert np.rad2deg(np.linalg.norm(after.pose[1])) == pytest.approx(80)
    document["hands"][0]["angles_deg"] = {"pinky_cmc_flexion": 12.5}
    (_, _, arched), _ = hands_from_json(document)
    np.testing.assert_array_equal(arched.pose, before.pose)
    assert np.rad2deg(arched.palm_arch) == pytest.approx([np.rad2deg(before.palm_arch[0]), 12.5])


def test_a_twist_that_angles_cannot_say_survives(document: dict[str, Any]) -> None:
    document["hands"][0]["pose"][5] = [0.3, 0.2, -0.4]
    del document["hands"][0]["angles_deg"]
    (number, seen, hand), _ = hands_from_json(document)
    again = json.loads(hands_text(hands_to_json([(number, seen, hand)], (512, 480))))
    np.testing.assert_array_equal(hands_from_json(again)[0][2].pose, hand.pose)


def test_the_least_that_makes_a_hand(document: dict[str, Any]) -> None:
    full = document["hands"][1]
    least = {name: full[name] for name in ("side", "wrist", "translation_m", "camera")}
    document["hands"] = [{**least, "angles_deg": {"thumb_ip_flexion": 30}}]
    ((number, seen, hand),) = hands_from_json(document)
    assert number == 1 and seen.found_by == "file" and seen.score == 1.0
    assert np.rad2deg(np.linalg.norm(hand.pose[14])) == pytest.approx(30) and not hand.shape.any()
    np.testing.assert_allclose(seen.landmarks_px, hand.camera.project(hand_landmarks_m(hand)))
    assert seen.depth_px.mean() == pytest.approx(0, abs=1e-9)


def test_angles_outside_the_limits_are_refused_by_name(document: dict[str, Any]) -> None:
    document["hands"][0]["angles_deg"]["middle_pip_flexion"] = 170
    with pytest.raises(HandsFileError, match=r"hand 1, middle_pip_flexion.*170.*-12 to 105"):
        hands_from_json(document)


def set_in(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["hands"][0].pop(name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_in("schema", to="other/1"), "schema is 'other/1'"),
        (set_in("hands", to=None), "'hands' is missing"),
        (set_in("hands", to={}), "expected a list"),
        (set_in("hands", 0, to=3), "hand 1: expected an object"),
        (set_in("picture", to=None), "'picture' is missing"),
        (set_in("picture", "width", to=0), "whole number"),
        (set_in("hands", 0, "side", to="middle"), "'left' or 'right', got 'middle'"),
        (set_in("hands", 0, "side", to=["left"]), "'left' or 'right'"),
        (set_in("hands", 0, "pose", to=[[0, 0, 0]] * 14), "pose: expected 15 × 3 numbers, got 14 × 3"),
        (set_in("hands", 0, "pose", 4, 1, to=float("nan")), "pose: it holds NaN"),
        (set_in("hands", 0, "pose", 4, to=[1, 2]), "pose: expected 15 × 3 numbers"),
        (set_in("hands", 0, "wrist", to="up"), "wrist: expected 3 numbers, got the text 'up'"),
        (set_in("hands", 0, "wrist", to=[True, False, True]), "wrist: expected 3 numbers"),
        (set_in("hands", 0, "wrist", to=[10**400, 0, 0]), "wrist: expected 3 numbers"),
        (set_in("hands", 0, "landmarks_px", to=[[1, 2]] * 20), "21 × 2 numbers, got 20 × 2"),
        (set_in("hands", 0, "translation_m", to=[0, 0, -1]), "behind the camera"),
        (set_in("hands", 0, "camera", "focal_px", to=-5), "positive number"),
        (set_in("hands", 0, "camera", "zoom", to=1), "no field 'zoom'"),
        (set_in("hands", 0, "shape", "weight", to=1), "no field 'weight'"),
        (set_in("hands", 0, "shape", "scale", to=50), "no hand is shaped so"),
        (set_in("hands", 0, "angles_deg", "knee", to=1), "no field 'knee'"),
        (
            set_in("hands", 0, "angles_deg", "index_pip_flexion", to="bent"),
            "expected a number, got the text 'bent'",
        ),
        (set_in("hands", 0, "score", to=2), "from 0 to 1"),
        (set_in("hands", 0, "id", to=2), "two hands have the id 2"),
        (set_in("hands", 0, "id", to=1.5), "whole number"),
        (set_in("hands", 0, "betas", to=[0] * 9), "betas: expected 10 numbers"),
        (set_in("hands", 0, "pos", to=1), "no field 'pos'"),
        (drop("side"), "'side' is missing"),
        (drop("wrist"), "'wrist' is missing"),
        (drop("translation_m"), "'translation_m' is missing"),
        (drop("camera"), "'camera' is missing"),
    ],
)
def test_an_error_names_the_wrong_field(
    document: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    change(document)
    path = write(tmp_path, document)
    with pytest.raises(HandsFileError) as caught:
        load_hands(path)
    assert says in str(caught.value)
    assert caught.value.fix and path.name in str(caught.value)


def test_hands_of_another_picture_are_refused(document: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path, document)
    assert len(load_hands(path, width=512, height=480, sha256=SHA.upper())) == 2
    with pytest.raises(HandsFileError, match=r"another picture.*512 × 480.*640 × 480"):
        load_hands(path, width=640, height=480)
    with pytest.raises(HandsFileError, match="SHA-256"):
        load_hands(path, width=512, height=480, sha256="0" * 64)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b"PK\x03\x04"])
@pytest.mark.parametrize("ending", ["json", "npz"])
def test_files_that_are_none_are_refused(tmp_path: Path, content: bytes, ending: str) -> None:
    path = tmp_path / f"hands.{ending}"
    path.write_bytes(content)
    with pytest.raises(HandsFileError, match=r"hands file|not JSON"):
        load_hands(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HandsFileError, match="cannot be read"):
        load_hands(tmp_path / "none.json")
    with pytest.raises(HandsFileError, match="cannot be read"):
        load_hands(tmp_path)


def test_a_pose_is_that_of_the_first_hand(document: dict[str, Any], tmp_path: Path) -> None:
    assert load_pose(write(tmp_path, document)).side == "left"
    with pytest.raises(HandsFileError, match="no hand"):
        load_pose(write(tmp_path, {**document, "hands": []}))


def test_angles_are_written_for_every_degree_of_freedom(document: dict[str, Any]) -> None:
    assert tuple(document["hands"][0]["angles_deg"]) == DOF_NAMES
