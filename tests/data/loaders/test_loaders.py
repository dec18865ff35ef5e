from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from handwright.data.loaders import (
    Tally,
    laion_human,
    read_coco_wholebody,
    read_freihand,
    read_hagrid,
    read_interhand,
    read_laion_human,
    read_reinterhand,
    read_rhd,
    rhd,
)
from handwright.errors import DataError
from tests.data.loaders.layouts import (
    CENTER,
    FOCAL,
    dump,
    hand_cam_m,
    picture,
    pixels_of,
    tips_first,
    write_interhand,
    write_reinterhand,
)


def read_all(records):
    tally = Tally()
    return list(tally.samples(records)), tally


def is_the_hand(label, points_cam_m: np.ndarray, side: str) -> None:
    assert label.side == side
    assert label.joints_cam_m == pytest.approx(points_cam_m, abs=1e-6)
    assert label.keypoints_px == pytest.approx(pixels_of(points_cam_m), abs=1e-3)
    assert label.visible.all()
    x0, y0, x1, y1 = label.bbox_xyxy_px
    low, high = pixels_of(points_cam_m).min(0), pixels_of(points_cam_m).max(0)
    assert ((x0, y0), (x1, y1)) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


def test_freihand_knows_every_background_of_a_pose_and_tells_what_is_missing(tmp_path):
    hands = [hand_cam_m(i) for i in range(2)]
    camera = [[FOCAL[0], 0, CENTER[0]], [0, FOCAL[1], CENTER[1]], [0, 0, 1]]
    dump(tmp_path / "training_K.json", [camera] * 2)
    dump(tmp_path / "training_xyz.json", [h.tolist() for h in hands])
    for index in range(7):
        picture(tmp_path / "training/rgb" / f"{index:08d}.jpg")
    samples, tally = read_all(read_freihand(tmp_path))
    assert len(samples) == 7 and tally.broken == {"its picture is missing": 1}
    for index, sample in enumerate(samples):
        is_the_hand(sample.hands[0], hands[index % 2], "right")
    assert samples[0].image().pixels.shape == (200, 200, 3)
    assert (samples[0].domain, samples[3].source.record) == ("photograph", "training/00000003")


def test_freihand_labels_of_two_versions_are_refused(tmp_path):
    dump(tmp_path / "training_K.json", [np.eye(3).tolist()])
    dump(tmp_path / "training_xyz.json", [])
    with pytest.raises(DataError, match="1 cameras but 0 hands"):
        list(read_freihand(tmp_path))


@pytest.fixture
def rhd_folder(tmp_path):
    """Picture 0: both hands; 1: the right one; 2: none; 3: no picture. As a pickle, like the publisher's."""
    labels = {}
    for number in range(4):
        left, right = hand_cam_m(10 + number), hand_cam_m(20 + number)
        xyz = np.concatenate([tips_first(left), tips_first(right)])
        uv = np.concatenate([tips_first(pixels_of(left)), tips_first(pixels_of(right))]) - 0.5
        seen = np.ones(42)
        if number in (1, 2):
            seen[:21] = 0
        if number == 2:
            seen[21:] = 0
        labels[number] = {"xyz": xyz, "uv_vis": np.column_stack([uv, seen]), "K": np.eye(3)}
        if number != 3:
            picture(tmp_path / "training/color" / f"{number:05d}.png")
    with (tmp_path / "training/anno_training.pickle").open("wb") as file:
        pickle.dump(labels, file)
    return tmp_path


def test_rhd_is_read_once_it_is_converted_as_told(rhd_folder):
    subprocess.run([sys.executable, "-c", rhd.CONVERT], cwd=rhd_folder / "training", check=True)
    samples, tally = read_all(read_rhd(rhd_folder))
    assert [len(sample.hands) for sample in samples] == [2, 1]
    is_the_hand(samples[0].hands[0], hand_cam_m(10), "left")
    is_the_hand(samples[0].hands[1], hand_cam_m(20), "right")
    is_the_hand(samples[1].hands[0], hand_cam_m(21), "right")
    assert tally.broken == {"no hand has 4 visible points": 1, "its picture is missing": 1}
    assert samples[0].domain == "3D rendered image"


def test_rhd_never_reads_the_pickle_and_tells_how_to_convert_it(rhd_folder):
    class Boom:
        def __reduce__(self):
            return (Path.touch, (rhd_folder / "boom",))

    with (rhd_folder / "training/anno_training.pickle").open("wb") as file:
        pickle.dump({0: Boom()}, file)
    with pytest.raises(DataError, match=r"convert the pickle once.*anno_training\.npz"):
        list(read_rhd(rhd_folder))
    np.savez(rhd_folder / "training/anno_training.npz", ids=np.array([Boom()], object))
    with pytest.raises(DataError, match="malformed"):
        list(read_rhd(rhd_folder))
    assert not (rhd_folder / "boom").exists()


def interhand_folder(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    right, left = hand_cam_m(1), hand_cam_m(2)
    valid = np.ones(42)
    valid[30] = 0
    broken = [
        {"id": 7, "image_id": 1, "joint_valid": [1] * 42, "hand_type": "interacting"},
        {"id": 8, "image_id": 9, "joint_valid": [1] * 42},
        {"id": 9, "image_id": 0, "joint_valid": [1] * 3},
        {"id": 10, "image_id": 0, "joint_valid": [0] * 42},
        "no label",
    ]
    write_interhand(tmp_path, right, left, valid, broken)
    return tmp_path, right, left


def test_interhand_goes_from_the_world_into_the_camera(tmp_path):
    root, right, left = interhand_folder(tmp_path)
    samples, tally = read_all(read_interhand(root))
    assert [sample.source.record for sample in samples] == ["train/5", "train/6"]
    is_the_hand(samples[0].hands[0], right, "right")
    other = samples[0].hands[1]
    assert other.side == "left" and other.joints_cam_m == pytest.approx(left, abs=1e-6)
    assert np.flatnonzero(~other.visible).tolist() == [11]
    assert len(samples[1].hands) == 1
    assert tally.usable == 2 and tally.broken.total() == 5
    assert tally.broken["its frame has no 3-D joints"] == 1
    assert tally.broken["its image id is in no list"] == 1
    assert tally.broken["no joint is valid and in the picture"] == 1


def test_reinterhand_leaves_the_palm_joints_out(tmp_path):
    truth = {side: hand_cam_m(seed) for side, seed in (("right", 1), ("left", 2))}
    capture = write_reinterhand(tmp_path, truth)
    dump(capture / "orig_fits/right/Keypoints/keypoint-000009.json", [[0, 0, 0]])
    pictures = capture / "Mugsy_cameras/envmap_per_frame/images"
    for name in ("cam40/000008.png", "cam40/000009.png", "cam41/000007.png"):
        picture(pictures / name)
    (pictures / "cam40/000010.png").write_text("no picture")
    samples, tally = read_all(read_reinterhand(tmp_path))
    assert len(samples) == 1
    for label, (side, points) in zip(samples[0].hands, truth.items(), strict=True):
        is_the_hand(label, points, side)
    assert set(tally.broken) == {
        "no keypoint file puts a hand into the picture",
        "its keypoints have shape (1, 3), not (24, 3)",
        "its camera has no parameters",
        "the picture is missing or damaged",
    }


def test_hagrid_numbers_are_shares_of_the_upright_picture(tmp_path):
    from PIL import Image as PILImage

    exif = PILImage.Exif()
    exif[274] = 6
    picture(tmp_path / "call/a.jpg", 200, 100, exif=exif)
    picture(tmp_path / "images/train/call/b.jpg", 400, 200)
    points = np.random.default_rng(0).random((21, 2))
    entry = {
        "bboxes": [[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.1, 0.1]],
        "labels": ["call", "no_gesture"],
        "leading_hand": "left",
        "hand_landmarks": [points.tolist(), []],
    }
    dump(
        tmp_path / "annotations/train/call.json",
        {
            "a": entry,
            "b": {"bboxes": [[0, 0, 0.5, 0.5]], "labels": ["call"]},
            "c": entry,
            "d": 3,
        },
    )
    picture(tmp_path / "call/d.jpg")
    samples, tally = read_all(read_hagrid(tmp_path))
    shown, free = samples[0].hands
    assert shown.bbox_xyxy_px == pytest.approx((10, 40, 40, 120))
    assert shown.keypoints_px == pytest.approx(points * [100, 200]) and shown.visible.all()
    assert (shown.side, shown.gesture, free.side, free.gesture) == ("left", "call", None, "no_gesture")
    assert free.keypoints_px is None and not free.visible.any()
    assert samples[0].image().pixels.shape[:2] == (200, 100)
    assert samples[1].hands[0].bbox_xyxy_px == (0, 0, 200, 100)
    assert tally.broken["its picture is missing"] == 1 and tally.broken.total() == 2


def person(seed: int, **changes):
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.integers(10, 190, (133, 2)), rng.integers(0, 3, 133)])
    parts = np.split(points, [17, 23, 91, 112])
    names = ("keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts")
    label = {
        "image_id": 1,
        "bbox": [10, 10, 180, 180],
        "lefthand_box": [20, 30, 40, 50],
        "righthand_box": [0.0, 0.0, 0.0, 0.0],
        "lefthand_valid": True,
        "righthand_valid": True,
        **{name: part.ravel().tolist() for name, part in zip(names, parts, strict=True)},
    }
    return points, label | changes


def test_coco_wholebody_has_all_parts_in_order_and_its_pixels_centred(tmp_path):
    points, label = person(1)
    _, without_hands = person(2, lefthand_valid=False, righthand_valid=False)
    _, elsewhere = person(3, image_id=2)
    _, short = person(4, image_id=3, face_kpts=[1, 2, 3])
    pictures = [{"id": i, "file_name": f"{i:012d}.jpg"} for i in (1, 2, 3)]
    content = {"images": pictures, "annotations": [label, without_hands, elsewhere, short]}
    dump(tmp_path / "annotations/coco_wholebody_val_v1.0.json", content)
    picture(tmp_path / "val2017/000000000001.jpg")
    picture(tmp_path / "val2017/000000000003.jpg")
    (sample,), tally = read_all(read_coco_wholebody(tmp_path))
    known = points[:, 2] > 0
    read = sample.people[0].wholebody
    assert read[known, :2] == pytest.approx(points[known, :2] + 0.5)
    assert read[:, 2] == pytest.approx(points[:, 2] / 2) and not read[~known].any()
    assert len(sample.people) == 2 and [hand.side for hand in sample.hands] == ["left", "right"]
    left, right = sample.hands
    assert left.bbox_xyxy_px == (20, 30, 60, 80)
    assert left.visible.tolist() == known[91:112].tolist()
    assert left.keypoints_px[left.visible] == pytest.approx(points[91:112][known[91:112], :2] + 0.5)
    assert right.bbox_xyxy_px[0] == pytest.approx(points[112:][known[112:], 0].min() + 0.5)
    assert tally.broken["its picture is missing"] == 1 and tally.broken.total() == 2


def test_laion_human_is_read_once_its_poses_are_converted_as_told(tmp_path):
    rng = np.random.default_rng(0)
    body = np.column_stack([rng.uniform(0, 190, (17, 2)), np.ones(17)])
    body[3, 2] = 0
    poses = np.array([{"keypoints": body, "bbox": [0, 0, 1, 1]}], dtype=object)
    (tmp_path / "pose").mkdir()
    for name in ("a", "b"):
        np.savez(tmp_path / f"pose/{name}.npz", poses)
    entries = {
        name: {"img_path": f"images/{name}.jpg", "pose_path": f"pose/{pose}.npz", "prompt": "a dancer"}
        for name, pose in (("00/a", "a"), ("b", "b"), ("c", "a"), ("d", "none"))
    }
    dump(tmp_path / "mapping_file_training.json", entries | {"e": {"prompt": 1}})
    for name in ("00/a", "b", "d"):
        picture(tmp_path / f"images/{name}.jpg")
    subprocess.run([sys.executable, "-c", laion_human.CONVERT, str(tmp_path / "pose/a.npz")], check=True)
    (sample,), tally = read_all(read_laion_human(tmp_path))
    read = sample.people[0].wholebody
    kept = [i for i in range(17) if i != 3]
    assert read[kept, :2] == pytest.approx(body[kept, :2] + 0.5)
    assert not read[3].any() and not read[17:].any()
    assert (sample.caption, sample.key) == ("a dancer", "laion-human-00-a")
    assert [reason.split(" (")[0] for reason in tally.broken] == [
        "its pose file is not converted",
        "its picture is missing",
        "its pose file is missing",
        "its labels are malformed",
    ]


def test_the_tally_tells_how_many_why_and_which(tmp_path):
    _, tally = read_all(read_interhand(interhand_folder(tmp_path)[0]))
    lines = tally.lines()
    assert lines[0] == "2 of 7 records are usable"
    assert any("left out: its frame has no 3-D joints (such as train/7)" in line for line in lines)


@pytest.mark.parametrize(
    "read",
    [
        read_rhd,
        read_freihand,
        read_interhand,
        read_reinterhand,
        read_hagrid,
        read_coco_wholebody,
        read_laion_human,
    ],
)
def test_an_empty_folder_is_one_clear_line(tmp_path, read):
    with pytest.raises(DataError) as told:
        list(read(tmp_path))
    assert "\n" not in str(told.value) and str(tmp_path) in str(told.value)
