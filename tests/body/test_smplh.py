"""The user's SMPL-H file, on a small stand-in in its published layout."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handwright.body import mean_parameters
from handwright.body.free_body import global_rotations
from handwright.body.skeleton import JOINT, PARENTS
from handwright.body.smplh import pose_smplh, read_smplh, smplh_translation
from handwright.errors import InvalidValueError
from handwright.hand.rig import axis_angle_matrix

JOINTS = 52


def stand_in(path: Path, **changes: np.ndarray) -> Path:
    """One vertex a joint, each carried by its joint alone; every joint is its vertex."""
    rng = np.random.default_rng(0)
    parents = [*PARENTS]
    for wrist in (20, 21):
        first = len(parents)
        parents += [wrist if k % 3 == 0 else first + k - 1 for k in range(15)]
    arrays = {
        "v_template": rng.normal(0, 0.5, (JOINTS, 3)),
        "shapedirs": rng.normal(0, 0.01, (JOINTS, 3, 16)),
        "posedirs": np.zeros((JOINTS, 3, 9 * (JOINTS - 1))),
        "J_regressor": np.eye(JOINTS),
        "weights": np.eye(JOINTS),
        "f": np.array([[0, 1, 2]], np.uint32),
        "kintree_table": np.array([[2**32 - 1, *parents[1:]], range(JOINTS)], np.int64),
    }
    np.savez(path, **{**arrays, **changes})
    return path


def test_the_template_stands_where_the_pelvis_is_put(tmp_path: Path) -> None:
    """Identity rotations: every vertex keeps its offset from the pelvis joint."""
    model = read_smplh(stand_in(tmp_path / "model.npz"))
    flat = np.zeros((15, 3))
    person = replace(mean_parameters(), global_orient=np.zeros(3), left_hand_pose=flat, right_hand_pose=flat)
    body = pose_smplh(model, person)
    expected = model.template_m - model.template_m[0] + person.transl
    np.testing.assert_allclose(body.vertices_cam_m, expected, atol=1e-12)
    np.testing.assert_allclose(body.joints_cam_m, expected, atol=1e-12)
    np.testing.assert_allclose(smplh_translation(model, person), person.transl - model.template_m[0])


def test_an_elbow_moves_what_hangs_on_it_and_nothing_else(tmp_path: Path) -> None:
    """Closed form for the wrist; fingers go with it, the other arm stays."""
    model = read_smplh(stand_in(tmp_path / "model.npz"))
    start = replace(mean_parameters(), global_orient=np.zeros(3))
    pose = start.body_pose.copy()
    pose[JOINT["left_elbow"] - 1] = [0.0, -1.0, 0.0]
    bent = replace(start, body_pose=pose)
    before, after = pose_smplh(model, start), pose_smplh(model, bent)
    moved = np.linalg.norm(after.joints_cam_m - before.joints_cam_m, axis=1) > 1e-9
    assert set(np.flatnonzero(moved)) == {JOINT["left_wrist"], *range(22, 37)}
    elbow, wrist = JOINT["left_elbow"], JOINT["left_wrist"]
    turn = axis_angle_matrix(np.array([0.0, -1.0, 0.0]))
    offset = model.template_m[wrist] - model.template_m[elbow]
    np.testing.assert_allclose(after.joints_cam_m[wrist] - after.joints_cam_m[elbow], turn @ offset)


def test_rotations_are_those_of_the_free_body(tmp_path: Path) -> None:
    """Bones of the licensed body turn as ours do: one convention."""
    rng = np.random.default_rng(1)
    person = replace(mean_parameters(), body_pose=rng.normal(0, 0.3, (21, 3)))
    model = read_smplh(stand_in(tmp_path / "model.npz"))
    body = pose_smplh(model, person)
    turned = global_rotations(person)
    for joint in range(1, 22):
        rest = model.template_m[joint] - model.template_m[PARENTS[joint]]
        posed = body.joints_cam_m[joint] - body.joints_cam_m[PARENTS[joint]]
        np.testing.assert_allclose(posed, turned[PARENTS[joint]] @ rest, atol=1e-12)


def test_shape_and_pose_displacements_are_added_before_skinning(tmp_path: Path) -> None:
    """Closed form on the pelvis' vertex, which no rotation moves but the whole body's."""
    rng = np.random.default_rng(2)
    directions = rng.normal(0, 0.01, (JOINTS, 3, 9 * (JOINTS - 1)))
    model = read_smplh(stand_in(tmp_path / "model.npz", posedirs=directions))
    person = replace(mean_parameters(), global_orient=np.zeros(3))
    betas = np.array([1.0, -2.0])
    local = axis_angle_matrix(
        np.concatenate([person.body_pose, person.left_hand_pose, person.right_hand_pose])
    )
    extra = directions @ (local - np.eye(3)).ravel()
    body = pose_smplh(model, person, betas)
    np.testing.assert_allclose(body.vertices_cam_m[0], person.transl + extra[0], atol=1e-12)
    with pytest.raises(InvalidValueError, match="too many"):
        pose_smplh(model, person, np.zeros(17))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"J_regressor": np.eye(24)}, "J_regressor"),
        ({"weights": np.eye(3)}, "weights"),
        ({"kintree_table": np.zeros((2, 52), np.int64)}, "hang together"),
        ({"v_template": np.array([{"a": 1}], object)}, "cannot read"),
    ],
)
def test_other_files_get_one_line(tmp_path: Path, changes: dict[str, np.ndarray], word: str) -> None:
    """SMPL, damaged trees, pickled objects."""
    with pytest.raises(InvalidValueError, match=word):
        read_smplh(stand_in(tmp_path / "model.npz", **changes))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    """Missing and broken files."""
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 nothing")
    for path in (broken, tmp_path / "missing.npz"):
        with pytest.raises(InvalidValueError, match="cannot read"):
            read_smplh(path)
