"""A person from a text, and from body parameters that were edited: the pose that is painted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handwright.body import BodyParameters, mean_parameters, wholebody_of
from handwright.body.framing import framed
from handwright.errors import InvalidValueError, UsageError
from handwright.perception.body.body_pose import HANDS
from handwright.perception.body.pose_file import read_pose
from handwright.two_stage.pose_completion import complete_pose
from handwright.workflow.generate.pose_source import PoseSource, pose_from_file, pose_from_text
from tests.perception.body.test_pose_of_hands import hands_document
from tests.perception.fit.test_hand_fit import HEIGHT, WIDTH

SIDE = 256


@pytest.fixture(scope="module")
def drawn() -> PoseSource:
    """Somebody whom the embedded T2H draws."""
    return pose_from_text("a young woman making a peace sign with her right hand", SIDE, 3)


def test_the_hand_that_a_text_names_is_in_the_picture(drawn: PoseSource) -> None:
    """With all its points; the pose can be painted."""
    hand = drawn.pose.points_px[HANDS["right"]]
    assert ((hand >= 0) & (hand < SIDE)).all()
    assert "right" in complete_pose(drawn.pose, drawn.width, drawn.height).hands
    tips = hand[[8, 12]].mean(0) - hand[0], hand[[16, 20]].mean(0) - hand[0]
    assert np.linalg.norm(tips[0]) > 1.3 * np.linalg.norm(tips[1])  # two fingers up, two bent


def _wanted(body: BodyParameters) -> np.ndarray:
    """The head and the left hand."""
    points = wholebody_of(body)
    return np.concatenate([points[:5], points[HANDS["left"]]])


def test_the_same_seed_draws_the_same_person_and_another_one_another(drawn: PoseSource) -> None:
    """Reproducible."""
    again = pose_from_text("a young woman making a peace sign with her right hand", SIDE, 3)
    np.testing.assert_array_equal(again.pose.points_px, drawn.pose.points_px)
    other = pose_from_text("a young woman making a peace sign with her right hand", SIDE, 4)
    assert np.abs(other.pose.points_px - drawn.pose.points_px).max() > 1


def test_parameters_that_were_kept_give_the_pose_back(drawn: PoseSource, tmp_path: Path) -> None:
    """``report/parameters.json`` is a pose file; a bent finger moves that finger alone."""
    assert drawn.body is not None
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps(drawn.body.to_json()), encoding="utf-8")
    again = pose_from_file(path, None, SIDE)
    np.testing.assert_allclose(again.pose.points_px, drawn.pose.points_px, atol=1e-2)
    data = drawn.body.to_json()
    bent = np.array(data["right_hand_pose"])
    bent[0] += [0.0, 0.0, 0.8]  # the index finger's first joint in MANO's order and axes
    path.write_text(json.dumps({**data, "right_hand_pose": bent.tolist()}), encoding="utf-8")
    moved = np.linalg.norm(pose_from_file(path, None, SIDE).pose.points_px - drawn.pose.points_px, axis=1)
    index = np.zeros(133, bool)
    index[HANDS["right"]][5:9] = True
    assert not again.notes
    assert moved[index].max() > 2
    assert moved[~index].max() < 0.02


def test_the_picture_s_size_is_that_which_is_asked_for(drawn: PoseSource, tmp_path: Path) -> None:
    """Points go with it."""
    assert drawn.body is not None
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps(drawn.body.to_json()), encoding="utf-8")
    twice = pose_from_file(path, None, 2 * SIDE)
    assert (twice.width, twice.height) == (2 * SIDE, 2 * SIDE)
    known = drawn.pose.known & twice.pose.known
    np.testing.assert_allclose(twice.pose.points_px[known], 2 * drawn.pose.points_px[known], atol=0.05)


def test_the_lens_widens_until_a_hand_is_in_the_picture() -> None:
    """Arms in a T reach beyond; who is inside already stays."""
    person = replace(mean_parameters(SIDE), transl=np.array([0.0, 0.0, 2.0]))
    left = wholebody_of(person)[HANDS["left"]]
    assert left[:, 0].max() > SIDE
    closer = framed(person, _wanted(person))
    seen = wholebody_of(closer)[HANDS["left"]]
    assert seen[:, 0].max() <= SIDE
    assert framed(closer, _wanted(closer)) is closer


def test_broken_parameters_and_empty_texts_are_refused(tmp_path: Path) -> None:
    """One line each."""
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps({"handwright_body": 1}), encoding="utf-8")
    with pytest.raises(InvalidValueError, match="lacks"):
        pose_from_file(path, None, SIDE)
    with pytest.raises(UsageError, match="no text"):
        pose_from_text("  ", SIDE, 0)


def test_hands_of_a_file_keep_their_places_and_get_a_body(tmp_path: Path) -> None:
    """On the canvas of their picture, resized."""
    path = tmp_path / "photo.hands.json"
    path.write_text(json.dumps(hands_document("left", "right")), encoding="utf-8")
    source = pose_from_file(path, None, SIDE)
    scale = SIDE / max(WIDTH, HEIGHT)
    assert (source.width, source.height) == (round(WIDTH * scale), round(HEIGHT * scale))
    own = read_pose(path)
    np.testing.assert_allclose(source.pose.points_px, own.points_px * scale)
    assert source.pose.depth_px is not None
    assert own.depth_px is not None
    np.testing.assert_allclose(source.pose.depth_px, own.depth_px * scale)
    completed = complete_pose(source.pose, source.width, source.height)
    assert completed.hands == ("left", "right")
    assert completed.pose.known[[0, 5, 6, 7, 8, 11, 12]].all()


def test_a_finger_that_bends_too_far_is_told(drawn: PoseSource, tmp_path: Path) -> None:
    """And painted as it is."""
    assert drawn.body is not None
    bent = np.array(drawn.body.to_json()["right_hand_pose"])
    bent[0] += [0.0, 0.0, 2.5]
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps({**drawn.body.to_json(), "right_hand_pose": bent.tolist()}), encoding="utf-8")
    assert "bend farther" in pose_from_file(path, None, SIDE).notes[0]
