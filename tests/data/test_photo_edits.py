"""Photo edits: maps that are exact where they can be, true labels, controls that stay as they were."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from handwright.data import photo_edits
from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.photo_edits import edit_photo, record_of
from handwright.data.photo_edits import sample as sample_module
from handwright.data.photo_edits.canvas import bone_map, from_polar, grid, polar, sample, smooth_map
from handwright.data.photo_edits.moves import angle_between, bent, shaped_like, stretched, turned
from handwright.data.photo_edits.photo_hands import along, chains_of, is_stretched
from handwright.data.photo_edits.sample import EDITS
from handwright.data.photographs import list_photos, read_photo
from handwright.data.synthesise import KINDS, World
from handwright.errors import DataError
from handwright.hand.skeleton import distance_to_chain

SIZE = 96
CHAIN = np.array([[30.0, 90.0], [32.0, 60.0], [31.0, 40.0], [30.0, 25.0]])


def test_every_defect_of_the_rendered_world_has_three_ways():
    assert tuple(EDITS) == DEFECTS
    assert all(len(ways) >= 3 for ways in EDITS.values())
    everything = [direction for ways in EDITS.values() for direction in ways]
    assert len(set(everything)) == len(everything)


def test_a_bone_map_onto_itself_moves_nothing_along_the_finger():
    where = bone_map(CHAIN, CHAIN, 120, 6.0)
    near = distance_to_chain(CHAIN, *np.moveaxis(grid(120), -1, 0)) < 5
    assert np.abs(where - grid(120))[near].max() < 1e-2


def test_a_bone_map_brings_joints_to_where_they_were():
    target = bent(turned(CHAIN, CHAIN[0], 0.4) + 9, 1, 0.8)
    where = bone_map(target, CHAIN, 120, 6.0)
    for k in (0, 3):
        column, row = np.floor(target[k]).astype(int)
        assert np.hypot(*(where[row, column] - CHAIN[k])) < 1.5


def test_a_mirrored_bone_map_changes_left_and_right():
    straight = np.array([[50.5, 80.5], [50.5, 60.5], [50.5, 40.5], [50.5, 20.5]])
    where = bone_map(straight, straight, 100, 6.0, mirrored=True)
    assert where[50, 54] == pytest.approx([46.5, 50.5], abs=1e-3)


def test_a_smooth_map_keeps_its_points_and_a_turn_of_all_is_a_turn():
    rng = np.random.default_rng(0)
    points = rng.uniform(10, 190, (12, 2))
    goal = turned(points, np.array([100.0, 100.0]), 0.2)
    where = smooth_map(goal, points, 200)
    expected = turned(grid(200).reshape(-1, 2), np.array([100.0, 100.0]), -0.2).reshape(200, 200, 2)
    assert np.abs(where - expected).max() < 0.05


def test_polar_and_back():
    center, ahead = np.array([40.0, 90.0]), np.array([0.6, -0.8])
    radius, angle = polar(grid(64), center, ahead)
    assert np.abs(from_polar(radius, angle, center, ahead) - grid(64)).max() < 1e-3


def test_reading_through_the_still_map_changes_nothing():
    picture = np.random.default_rng(1).uniform(0, 255, (40, 40, 3)).astype(np.float32)
    assert np.abs(sample(picture, grid(40)) - picture).max() < 1e-3


def test_chains_bend_stretch_and_take_after_others():
    assert np.allclose(along(CHAIN, np.array([0.0, 1.0])), CHAIN[[0, 3]])
    assert np.linalg.norm(np.diff(stretched(CHAIN, 1.5), axis=0), axis=1).sum() == pytest.approx(
        1.5 * np.linalg.norm(np.diff(CHAIN, axis=0), axis=1).sum()
    )
    assert np.allclose(bent(CHAIN, 1, 0.5)[:2], CHAIN[:2])
    assert angle_between(CHAIN[2] - CHAIN[1], bent(CHAIN, 1, 0.5)[2] - CHAIN[1]) == pytest.approx(0.5)
    copy = shaped_like(
        3 * turned(CHAIN, CHAIN[0], 1.1) + 7, CHAIN, np.linalg.norm(np.diff(CHAIN, axis=0), axis=1).sum()
    )
    assert np.allclose(copy, CHAIN)


def test_stretched_fingers_differ_from_curled_ones():
    knuckles = np.array([[20.0, 60], [30, 40], [50, 35], [65, 40], [80, 50]])
    points = np.zeros((21, 2))
    points[0] = (50, 100)
    for f, root in enumerate(knuckles):
        direction = (root - points[0]) / np.linalg.norm(root - points[0])
        for k in range(4):
            points[1 + 4 * f + k] = root + 18 * k * direction
    assert is_stretched(points, 60).all()
    points[8] = points[5] + (points[6] - points[5]) * 0.2
    assert is_stretched(points, 60).tolist() == [True, False, True, True, True]
    assert chains_of(points).shape == (5, 4, 2)


@pytest.fixture(scope="module")
def hands(photos: Path) -> tuple[Path, ...]:
    """Photographs of one man's hands that the split leaves to training."""
    listed = list_photos(photos / "subhih_handsdataset")[::6]
    return tuple(p for p in listed if hashlib.sha256(read_photo(p)).hexdigest()[:2] >= "1a")


@pytest.mark.parametrize("name", ["extra", "fused", "melted"])
def test_a_defect_is_where_its_label_says_and_a_control_stays_as_it_was(
    hands, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(sample_module, "EDITS", {name: EDITS[name]})
    for share, malformed in ((0.0, True), (1.0, False)):
        monkeypatch.setattr(sample_module, "SHARE_SOUND", share)
        picture = edit_photo(3, 0, SIZE, hands)
        before = cv2.resize(picture.crop.bytes, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        pair = [cv2.blur(pixels, (3, 3)).astype(float) for pixels in (picture.pixels, before)]
        changed = np.abs(pair[0] - pair[1]).mean(-1)
        assert (picture.label is not None) == malformed
        if picture.label is None:
            assert np.percentile(changed, 95) < 15
            continue
        x0, y0, x1, y1 = picture.label.bbox_xyxy_px
        assert 0 <= x0 < x1 <= SIZE and 0 <= y0 < y1 <= SIZE
        inside = np.zeros(changed.shape, bool)
        inside[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = True
        assert changed[inside].mean() > max(2 * changed[~inside].mean(), 5)
        assert (picture.label.name, picture.processing[0]) == (name, name)


def test_the_record_names_the_photograph_the_source_of_points_and_what_was_done(hands):
    pictures = [edit_photo(5, index, SIZE, hands) for index in range(5)]
    for index, picture in enumerate(pictures):
        record = record_of(picture, 5, index)
        (first, *_) = record["hands"]
        assert (record["domain"], record["keypoints_source"]) == ("photograph", "mediapipe")
        assert len(record["photograph"]["sha256"]) == 64
        assert np.abs(np.array(first["keypoints_px"]) - picture.crop.points / 1.5).max() < 1e-2
        assert record["caption"].startswith("a photograph of")
        if picture.label is None:
            assert (first["defects"], record["defects"]) == ([], [])
        else:
            (defect,) = first["defects"]
            assert defect["name"] == record["defects"][0] == picture.label.name
            assert len(defect["bbox_xyxy_px"]) == 4
    assert {picture.label is None for picture in pictures} == {True, False}


def test_the_same_index_is_the_same_picture_whatever_was_made_before(hands):
    first = edit_photo(7, 3, SIZE, hands)
    edit_photo(7, 1, SIZE, hands)
    assert edit_photo(7, 3, SIZE, hands).encoded == first.encoded


def test_half_of_a_world_of_defects_with_photographs_is_edited(hands, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photo_edits, "edit_photo", lambda *_: pytest.fail("this index is rendered"))
    edited = [np.random.default_rng([2, index, 44]).random() < 0.5 for index in range(12)]
    assert 3 < sum(edited) < 9
    index = edited.index(False)
    assert KINDS["defects"](World("defects", 2, 64), index, hands).record["domain"] == "3D rendered image"
    monkeypatch.undo()
    entry = KINDS["defects"](World("defects", 2, 64), edited.index(True), hands)
    assert entry.record["domain"] == "photograph"
    assert set(entry.pictures) == {"image", "depth", "mask"}
    assert (entry.pictures["depth"] > 0).any() and (entry.pictures["mask"] > 0).any()


def test_photographs_without_hands_are_an_error_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sample_module, "_TRIES", 5)
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 200, 3), 128, np.uint8))
    with pytest.raises(DataError, match="can be edited"):
        edit_photo(0, 0, SIZE, list_photos(tmp_path))
