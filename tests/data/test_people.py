"""Rendered people: the truth lies on the picture, joints keep their limits, everybody is dressed."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from handwright.data import synthesise as world
from handwright.data.hands.body import FOREARM, LABELS_PER_HAND
from handwright.data.hands.parts import rim_of
from handwright.data.people import render_person
from handwright.data.people.body import HAIR, SKIN, TOP
from handwright.data.people.clothing.garments import covered, places
from handwright.data.people.clothing.wardrobe import draw_outfit
from handwright.data.people.figure import makehuman
from handwright.data.people.figure.hand_graft import (
    SIDES,
    TO_CAMERA,
    draw_build,
    give_way,
    hand_on,
    joint,
    rest_vertices_m,
    socket_of,
)
from handwright.data.people.figure.makehuman import SKIN_VERTICES, load_figure
from handwright.data.people.figure.mesh_cutting import (
    FACE,
    bone,
    cut_mesh,
    neighbours,
    pose_bones,
    refine,
    rest_heads_m,
    skin,
    smoothed,
)
from handwright.data.people.head.face import face_paint
from handwright.data.people.posture.arms import tag_of
from handwright.data.people.posture.reach import (
    SUPINATION,
    WRIST_DEVIATION,
    WRIST_FLEXION,
    Capsules,
    capsules_of,
    supination,
    wrist_angles,
)
from handwright.data.people.posture.stance import draw_stance
from handwright.data.people.sample import record_of
from handwright.data.shards import check_record, list_shards
from handwright.data.synthesise import synthesise
from handwright.errors import MissingPackageError
from handwright.hand.kinematics import mesh_of
from handwright.hand.raster import rasterize
from handwright.metrics.sets.items import people
from handwright.types import Camera

SIZE = 192
STILL = np.zeros((15, 3)), np.zeros(2), np.zeros(9)
CAMERA = Camera(500.0, (96.0, 96.0))


@cache
def pictures():
    """Made by the first test that needs them."""
    return [render_person(7, index, SIZE) for index in range(6)]


def _grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The unit square as n × n squares, each cut in two."""
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1), indexing="ij")
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    return np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1), faces


def _area(points: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def test_a_cut_mesh_is_what_lies_inside_the_line():
    points, faces = _grid(7)
    field = points @ [1.0, 0.5, 0.0] - 0.4
    part = cut_mesh(faces, field)
    placed = part.carry(points)
    assert _area(placed, part.faces) == pytest.approx(1 - 0.4 * 0.8 / 2)
    assert (part.carry(field[:, None]) > -1e-12).all()
    rim = np.unique(rim_of(part.faces))
    on_line = np.abs(part.carry(field[:, None])[rim, 0]) < 1e-9
    on_edge = (np.abs(placed[rim, :2] - 0.5) > 0.5 - 1e-9).any(1)
    assert (on_line | on_edge).all()
    assert on_line.sum() > 5


def test_a_refined_mesh_is_the_same_surface_and_smoothing_leaves_a_plane_flat():
    points, faces = _grid(4)
    fine = refine(faces)
    assert len(fine.faces) == 4 * len(faces)
    assert _area(fine.carry(points), fine.faces) == pytest.approx(1.0)
    assert (smoothed(points, neighbours(faces), 5)[:, 2] == 0).all()


def test_points_pushed_out_of_capsules_are_outside():
    body = Capsules(np.zeros((1, 3)), np.array([[0.0, 1.0, 0.0]]), np.array([0.2]))
    points = np.array([[0.1, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 1.1, 0.01]])
    out = body.pushed_out(points, 0.05)
    assert body.depth_m(points)[:2] == pytest.approx([0.1, -0.3])
    assert (body.depth_m(out) <= -0.05 + 1e-9).all()
    assert (out[1] == points[1]).all()


def test_a_body_whose_bones_do_not_turn_stays_as_it_is():
    vertices = rest_vertices_m(draw_build(np.random.default_rng(0), "young"))
    assert np.abs(skin(vertices, pose_bones(rest_heads_m(vertices), {})) - vertices).max() < 1e-6


def test_children_are_smaller_and_nobody_is_a_giant():
    rng = np.random.default_rng(1)
    tall = {
        age: [np.ptp(rest_vertices_m(draw_build(rng, age))[:SKIN_VERTICES, 1]) for _ in range(6)]
        for age in ("child", "young", "middle-aged", "elderly")
    }
    assert max(tall["child"]) < np.mean(tall["young"])
    assert min(map(min, tall.values())) > 1.0
    assert max(map(max, tall.values())) < 2.05


def test_the_face_has_two_like_sides():
    mirrored = load_figure().mirror[FACE]
    order = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    order += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    order += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    assert (mirrored == FACE[order]).all()
    right_of_chin = load_figure().vertices_m[FACE[:8], 0]
    assert (right_of_chin < 0).all()


@pytest.mark.parametrize("side", SIDES)
def test_our_hand_sits_on_the_resting_body_and_the_arm_meets_it(side):
    vertices = rest_vertices_m(draw_build(np.random.default_rng(2), "young"))
    bones = pose_bones(rest_heads_m(vertices), {})
    socket = socket_of(vertices, side)
    hand = hand_on(bones, socket, side, *STILL, CAMERA, np.array([0.0, 1.0, 4.0]))
    body = vertices @ TO_CAMERA + [0.0, 1.0, 4.0]
    seam, mesh = joint(side), mesh_of(hand)
    apart = np.linalg.norm(mesh.vertices_cam_m - body[seam.hand], axis=1)
    assert apart.mean() < 0.004
    assert apart.max() < 0.02
    led = give_way(body, hand)
    moved = np.linalg.norm(led - body, axis=1)
    assert (moved[seam.arm] <= seam.shares.sum(1) * apart[seam.loop].max() + 1e-9).all()
    assert seam.shares.sum(1).max() > 0.9
    assert seam.shares.sum(1).min() < 0.1
    assert not moved[np.setdiff1d(np.arange(SKIN_VERTICES), seam.arm)].any()


@pytest.fixture(scope="module")
def stances():
    made = []
    for seed in range(12):
        rng = np.random.default_rng([seed, 3])
        vertices = rest_vertices_m(draw_build(rng, "young"))
        made.append((vertices, draw_stance(rng, vertices)))
    return made


def test_arms_keep_their_lengths_and_their_limits(stances):
    for _, stance in stances:
        heads, rest = stance.bones.heads_m, stance.bones.rest_heads_m
        for held in stance.hands:
            tag = tag_of(held.side)
            chain = [bone(f"{name}.{tag}") for name in ("upperarm01", "lowerarm01", "wrist")]
            lengths, wanted = (np.linalg.norm(np.diff(p[chain], axis=0), axis=1) for p in (heads, rest))
            assert lengths == pytest.approx(wanted, rel=0.06)
            upper, fore = (v / np.linalg.norm(v) for v in np.diff(heads[chain], axis=0))
            axes = stance.bones.turns[chain[2]] @ held.socket.turn
            flexion, deviation = wrist_angles(fore, axes, held.side)
            hinge = np.cross(upper, fore)
            turn = float(supination(fore, hinge / np.linalg.norm(hinge), axes, held.side))
            turn += 2 * np.pi * (turn < -np.pi / 2)
            slack = np.deg2rad(8)
            assert abs(flexion) < WRIST_FLEXION + slack
            assert abs(deviation) < WRIST_DEVIATION + slack
            assert SUPINATION[0] - slack < turn < SUPINATION[1] + slack


def test_raised_hands_are_before_the_body_and_not_in_it(stances):
    raised = 0
    for vertices, stance in stances:
        body = capsules_of(vertices, stance.bones)
        for held in stance.hands:
            if held.doing == "raised":
                raised += 1
                posed = skin(vertices, stance.bones)[joint(held.side).hand]
                assert body.depth_m(posed).max() < 0.02
                assert posed[:, 1].max() > stance.bones.heads_m[bone("spine03")][1]
    assert raised >= len(stances)


def test_everybody_is_dressed_whatever_is_drawn():
    at = places()
    trunk = (at.arm[:SKIN_VERTICES] < 0) & (at.sleeves[:SKIN_VERTICES].max(1) == 0)
    private = trunk & (at.height[:SKIN_VERTICES] > 0.44) & (at.height[:SKIN_VERTICES] < 0.74)
    assert private.sum() > 1000
    for seed in range(60):
        outfit = draw_outfit(np.random.default_rng(seed), feminine=seed % 2 == 0)
        assert covered(outfit)[:SKIN_VERTICES][private].min() > 0.0, outfit.words


def test_painted_lips_and_brows_are_where_the_landmarks_are():
    look = pictures()[0].setup.someone.look
    paint = face_paint(look, (0.5, 0.35, 0.28)).mean(2)
    x, y = (load_figure().vertices_m[FACE][:, :2].T - [[-0.1], [0.605]]) / 0.2 * 480
    row, column = (480 - y).astype(int), x.astype(int)
    cheek = paint[row[30] + 10, column[[46, 41]]].mean()
    assert paint[row[[19, 24]], column[[19, 24]]].max() < 0.97 * cheek
    assert paint[(row[51] + row[62]) // 2, column[51]] < 0.95 * cheek


def test_same_number_same_picture():
    again = render_person(7, 3, SIZE)
    assert again.encoded == pictures()[3].encoded
    assert (again.parts == pictures()[3].parts).all()
    assert (again.pixels != pictures()[4].pixels).any()


def test_hands_are_on_their_pixels():
    """What the parts call a hand is that hand's own silhouette; where nothing hides it, all of it."""
    checked = 0
    for picture in pictures():
        sides = [hand.side for hand in picture.setup.someone.hands]
        for truth in picture.hands:
            first = sides.index(truth.hand.side) * LABELS_PER_HAND
            shown = (picture.parts > first) & (picture.parts < first + FOREARM)
            mesh = mesh_of(truth.hand)
            flat = 4 * truth.hand.camera.project(mesh.vertices_cam_m)
            inside = rasterize(flat, mesh.vertices_cam_m[:, 2], mesh.faces, 4 * SIZE, 4 * SIZE).face >= 0
            touched = inside.reshape(SIZE, 4, SIZE, 4).any((1, 3))
            whole = inside.reshape(SIZE, 4, SIZE, 4).all((1, 3))
            assert (shown & ~touched).sum() <= 0.04 * max(shown.sum(), 25)
            if truth.visible.sum() >= 19:
                checked += 1
                near_wrist = (picture.parts == first + FOREARM) & whole
                assert (shown | near_wrist)[whole].mean() > 0.93
                assert (picture.depth[whole] > 0).mean() > 0.99
    assert checked >= 2


def test_the_133_points_agree_with_hands_picture_and_mask():
    for picture in pictures():
        points = picture.person.wholebody
        seen = points[:, 2] > 0
        assert ((points[seen, :2] >= 0) & (points[seen, :2] < SIZE)).all()
        assert not points[~seen].any()
        for truth in picture.hands:
            part = points[91:112] if truth.hand.side == "left" else points[112:133]
            there = part[:, 2] > 0
            assert (part[there, :2] == truth.keypoints_px[there]).all()
            assert ((part[:, 2] == 1) == truth.visible).all()
        sure = points[:91][points[:91, 2] == 1]
        row, column = sure[:, 1].astype(int), sure[:, 0].astype(int)
        assert picture.mask[row, column].mean() > 0.95
        assert (picture.mask == (picture.parts > 0)).all()
        x0, y0, x1, y1 = picture.person.bbox_xyxy_px
        rows, columns = np.nonzero(picture.mask)
        assert (x0, y0, x1, y1) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_faces_clothes_and_hair_are_labelled_in_order_from_above():
    for picture in pictures():
        if picture.setup.framing != "full" and picture.setup.someone.hair.style != "bald":
            middle = [np.nonzero(picture.parts == label)[0].mean() for label in (HAIR, SKIN, TOP)]
            assert middle[0] < middle[2]
            assert middle[1] < middle[2]


def test_records_are_json_that_the_measures_read():
    for index, picture in enumerate(pictures()):
        record = json.loads(json.dumps(record_of(picture, 7, index)))
        check_record(record, str(index))
        told = people(record, Path("a.json"))
        assert len(told) == 1
        assert np.array(record["people"][0]["wholebody"]).shape == (133, 3)
        assert record["captions"]["terse"].startswith("3D rendered image, a")
        assert {hand["doing"] for hand in record["hands"]} <= {"raised", "hanging", "on the hip"}
        assert picture.setup.build.noun in record["caption"]


def test_people_are_the_same_with_one_worker_and_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(world, "PER_SHARD", 1)
    for name, workers in (("one", 1), ("two", 2)):
        synthesise(tmp_path / name, "people", count=2, size=64, workers=workers)
    one, two = (
        {path.name: path.read_bytes() for path in list_shards(tmp_path / name)} for name in ("one", "two")
    )
    assert one == two


def test_without_the_body_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(makehuman, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'handwright\[synth\]'"):
        makehuman.data_folder()


def test_people_need_no_torch():
    probe = (
        "import sys; from handwright.data.people import render_person; render_person(0, 0, 64); "
        "assert not {'torch', 'anny'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", probe], check=True)
