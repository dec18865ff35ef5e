"""The user's SMPL-H file, on a small stand-in in its published layout."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from handwright.body import BodyParameters, geometry_of, mean_parameters, wholebody_of
from handwright.body.free_body import all_rotations, global_rotations, load_body
from handwright.body.preview import render_person
from handwright.body.skeleton import ALL_PARENTS, JOINT, PARENTS, SIDES
from handwright.body.smplh import SmplhModel, pose_smplh, read_smplh, smplh_translation
from handwright.errors import InvalidValueError
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.rig import axis_angle_matrix, load_rig

JOINTS = 52


def stand_in(path: Path, **changes: np.ndarray) -> Path:
    """One vertex a joint, each carried by its joint alone; every joint is its vertex."""
    rng = np.random.default_rng(0)
    arrays = {
        "v_template": rng.normal(0, 0.5, (JOINTS, 3)),
        "shapedirs": rng.normal(0, 0.01, (JOINTS, 3, 16)),
        "posedirs": np.zeros((JOINTS, 3, 9 * (JOINTS - 1))),
        "J_regressor": np.eye(JOINTS),
        "weights": np.eye(JOINTS),
        "f": np.array([[0, 1, 2]], np.uint32),
        "kintree_table": np.array([[2**32 - 1, *ALL_PARENTS[1:]], range(JOINTS)], np.int64),
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


def test_joints_and_the_points_at_them_are_projected_and_what_the_file_lacks_is_not_known(
    tmp_path: Path,
) -> None:
    """The stand-in has no published vertices: no head, no feet, no fingertips, and so no face."""
    person = mean_parameters()
    body = pose_smplh(read_smplh(stand_in(tmp_path / "model.npz")), person)
    tips = [91 + 21 * k + 4 * f for k in range(2) for f in range(1, 6)]
    assert set(np.flatnonzero(~body.known)) == {*range(5), *range(17, 91), *tips}
    np.testing.assert_allclose(body.joints_px, person.camera.project(body.joints_cam_m))
    points = body.points_px
    assert (points[~body.known] == 0).all()
    wrists = body.joints_px[[JOINT["left_wrist"], JOINT["right_wrist"]]]
    np.testing.assert_allclose(points[[9, 10]], wrists)
    np.testing.assert_allclose(points[[91, 112]], wrists)
    np.testing.assert_allclose(points[91 + 5], body.joints_px[22])  # MANO begins with the index finger
    np.testing.assert_allclose(points[112 + 1], body.joints_px[37 + 12])  # MediaPipe with the thumb


def free_body_as_smplh() -> SmplhModel:
    """The free body in SMPL-H's layout: its T with flat hands; joints and fingertips are further vertices."""
    flat = np.zeros((15, 3))
    start = replace(mean_parameters(), global_orient=np.zeros(3), left_hand_pose=flat, right_hand_pose=flat)
    free, rig = geometry_of(start), load_rig()
    tips = np.concatenate([free.points_cam_m[91 + 21 * k + np.arange(4, 21, 4)] for k in range(2)])
    count, skin = len(free.vertices_cam_m), len(load_body().weights)
    weights = np.zeros((count + JOINTS + len(tips), JOINTS))
    rows = np.arange(skin)[:, None]
    np.add.at(weights, (rows, load_body().weight_joints), load_body().weights)
    for k, side in enumerate(SIDES):
        joints = np.array(
            [JOINT[f"{side}_wrist"], *(22 + 15 * k + np.arange(15)), *[JOINT[f"{side}_wrist"]] * 4]
        )
        np.add.at(weights, (free.hand_vertices[side][:, None], joints[rig.weight_bones]), rig.weights)
        ends = [joints[chain[2]] for chain in FINGER_BONES]
        weights[count + JOINTS + 5 * k + np.arange(5), ends] = 1.0
    weights[count : count + JOINTS] = np.eye(JOINTS)
    vertices = len(weights)
    return SmplhModel(
        np.concatenate([free.vertices_cam_m, free.joints_cam_m, tips]) - start.transl,
        np.zeros((vertices, 3, 10)),
        np.broadcast_to(0.0, (vertices, 3, 9 * (JOINTS - 1))),
        np.eye(JOINTS, vertices, count),
        weights,
        free.faces,
        (*load_body().points[:11].tolist(), *range(count + JOINTS, vertices)),
    )


def someone(seed: int) -> BodyParameters:
    """A mean body in a random pose, its shoulders as in the T: the free body's girdle follows its arms."""
    rng, start = np.random.default_rng(seed), mean_parameters()
    pose = rng.normal(0, 0.25, (21, 3))
    pose[[JOINT[f"{side}_shoulder"] - 1 for side in SIDES]] = 0.0
    hands = rng.normal(0, 0.4, (2, 15, 3))
    turn = start.global_orient + rng.normal(0, 0.2, 3)
    return replace(
        start, global_orient=turn, body_pose=pose, left_hand_pose=hands[0], right_hand_pose=hands[1]
    )


def test_both_back_ends_agree_on_the_free_body() -> None:
    """In SMPL-H's layout it has the same joints, rotations and points, and its hands lie where they did.

    Knuckles and wrists of its hands are apart by definition: MediaPipe's lie beside MANO's joints.
    """
    model = free_body_as_smplh()
    for seed in range(3):
        person = someone(seed)
        free, own = geometry_of(person), pose_smplh(model, person)
        assert own.known.all()
        np.testing.assert_allclose(own.joints_cam_m, free.joints_cam_m, atol=1e-6)
        np.testing.assert_allclose(own.rotations, free.rotations, atol=1e-9)
        np.testing.assert_array_equal(own.rotations, all_rotations(person))
        off = np.linalg.norm(own.points_cam_m - free.points_cam_m, axis=1)
        assert off[:91].max() < 0.003
        tips = [91 + 21 * k + 4 * f for k in range(2) for f in range(1, 6)]
        assert off[tips].max() < 1e-6
        assert off[91:].mean() < 0.006  # 4.7 mm
        np.testing.assert_allclose(free.points_px, wholebody_of(person))
        for side in SIDES:
            hand = free.hand_vertices_cam_m(side)
            assert np.linalg.norm(own.vertices_cam_m[free.hand_vertices[side]] - hand, axis=1).mean() < 0.0005
            assert np.isin(free.hand_vertices[side], own.hand_vertices[side]).mean() > 0.99


def test_the_preview_shows_the_licensed_body() -> None:
    """The same body by either back end is nearly the same picture."""
    person = someone(1)
    free, own = render_person(person), render_person(person, partial(pose_smplh, free_body_as_smplh()))
    assert own.shape == free.shape
    assert (np.abs(np.float64(own) - free).max(2) > 40).mean() < 0.02
    assert (free > 24).any(2).mean() > 0.05


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"J_regressor": np.eye(24)}, "J_regressor"),
        ({"weights": np.eye(3)}, "weights"),
        ({"kintree_table": np.zeros((2, 52), np.int64)}, "hang together"),
        ({"f": np.array([[0, 1, 52]])}, "triangles name vertices"),
        ({"weights": np.full((JOINTS, JOINTS), np.nan)}, "weights is not finite"),
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
