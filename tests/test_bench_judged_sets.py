"""Sets of judged hands are read as their publishers lay them out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.data.loaders import Tally
from handwright.errors import DataError
from judged_sets import read_hadm, read_malhand
from tests.data.loaders.layouts import dump, picture


def read_all(records):
    tally = Tally()
    return list(tally.samples(records)), tally


def hadm_entry(name: str, parts=(), people=(), width=200, height=100):
    image = {"file_name": name, "height": height, "width": width, "tag": ""}
    return {"image": image, "annotation": list(parts), "human": list(people)}


def part(kind: str, box, level="severe"):
    return {"body_parts": kind, "level": level, "bbox": box}


def test_hadm_boxes_of_hands_are_malformed_hands_and_the_rest_is_good(tmp_path):
    labels = tmp_path / "annotations/val_ALL"
    hands = [
        part("hand", [60, 70, 20, 30]),
        part("hand", [1, 2, 30, 40.5], "mild"),
        part("face", [0, 0, 9, 9]),
    ]
    dump(labels / "a.json", hadm_entry("a.jpg", hands))
    dump(labels / "b.json", hadm_entry("elsewhere.jpg"))
    picture(tmp_path / "images/val_ALL/a.jpg", 200, 100)
    picture(tmp_path / "images/val_ALL/b.png", 200, 100)
    (a, b), _ = read_all(read_hadm(tmp_path))
    assert [(hand.bbox_xyxy_px, hand.malformed, hand.level) for hand in a.hands] == [
        ((20, 30, 60, 70), True, "severe"),
        ((1, 2, 30, 40.5), True, "mild"),
    ]
    assert a.rest_good and a.key == "hadm-val_ALL-a"
    assert b.hands == () and b.image().pixels.shape == (100, 200, 3)


def test_hadm_says_nothing_of_other_hands_of_a_person_with_hands_or_arms_too_many(tmp_path):
    people = [
        {"tag": ["human missing feet", "human with extra hand"], "bbox": [0, 0, 50, 100]},
        {"tag": ["human missing feet"], "bbox": [50, 0, 100, 100]},
        {"tags": ["human missing arm"], "bbox": [150, 100, 100, 0]},
    ]
    dump(tmp_path / "annotations/val_ALL/a.json", hadm_entry("a.jpg", people=people))
    picture(tmp_path / "images/val_ALL/a.jpg", 200, 100)
    (sample,), _ = read_all(read_hadm(tmp_path))
    assert sample.unclear_xyxy_px == ((0, 0, 50, 100), (100, 0, 150, 100))


def test_hadm_tells_what_is_broken(tmp_path):
    labels = tmp_path / "annotations/val_ALL"
    dump(labels / "a.json", hadm_entry("a.jpg"))
    dump(labels / "b.json", hadm_entry("b.jpg", width=10))
    dump(labels / "c.json", hadm_entry("b.jpg", [part("hand", [5, 5, 5, 9])]))
    dump(labels / "d.json", {"image": {"file_name": "b.jpg", "width": 200, "height": 100}})
    picture(tmp_path / "images/val_ALL/b.jpg", 200, 100)
    samples, tally = read_all(read_hadm(tmp_path))
    assert not samples
    assert [reason.split(" (")[0] for reason in tally.broken] == [
        "its picture is missing",
        "its picture has another size than its labels give",
        "its labels are malformed",
        "its labels are malformed",
    ]


@pytest.mark.parametrize(
    "yaml",
    [
        "path: .\nnames: ['hand', 'malformed_hand']\nnc: 2\n",
        "names:\n  0: hand # a good one\n  1: malformed_hand\n\ntrain: images/train\n",
        'names:\n- "hand"\n- bad hand\n',
    ],
)
def test_malhand_boxes_are_shares_of_the_picture_and_classes_go_by_their_names(tmp_path, yaml):
    (tmp_path / "labels/val").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text(yaml)
    (tmp_path / "labels/val/a.txt").write_text("1 0.5 0.5 0.1 0.4\n0 0.25 0.75 0.5 0.5\n\n")
    (tmp_path / "labels/val/b.txt").write_text("")
    for name in ("a.png", "b.jpg"):
        picture(tmp_path / "images/val" / name, 200, 100)
    (a, b), _ = read_all(read_malhand(tmp_path))
    assert [hand.malformed for hand in a.hands] == [True, False]
    assert a.hands[0].bbox_xyxy_px == pytest.approx((90, 30, 110, 70))
    assert a.hands[1].bbox_xyxy_px == pytest.approx((0, 50, 100, 100))
    assert not a.rest_good and b.hands == ()


def test_malhand_of_the_other_layout_with_classes_that_are_told(tmp_path):
    (tmp_path / "valid/labels").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("names: [hand]\n")
    (tmp_path / "valid/labels/a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    picture(tmp_path / "valid/images/a.jpg")
    with pytest.raises(DataError, match="they are hand; say which are"):
        list(read_malhand(tmp_path, "valid"))
    (sample,), _ = read_all(read_malhand(tmp_path, "valid", ["hand"]))
    assert sample.hands[0].malformed


@pytest.mark.parametrize(
    ("name", "malformed"),
    [
        ("normal_hand", False),
        ("small hand", False),
        ("female-hand", False),
        ("animal", False),
        ("undeformed_hand", False),
        ("malformed_hand", True),
        ("BAD_HAND", True),
        ("AbnormalHand", True),
        ("deformed", True),
        ("malhand", True),
    ],
)
def test_a_class_is_malformed_where_a_word_of_its_name_says_so(tmp_path, name, malformed):
    (tmp_path / "labels/val").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text(f"names: [{name}, hand, poor_hand]\n")
    (tmp_path / "labels/val/a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    picture(tmp_path / "images/val/a.png")
    (sample,), _ = read_all(read_malhand(tmp_path))
    assert sample.hands[0].malformed == malformed


def test_where_every_class_says_malformed_the_user_is_asked(tmp_path):
    (tmp_path / "data.yaml").write_text("names: [bad, broken]\n")
    with pytest.raises(
        DataError, match=r"every class .* is a malformed hand: they are bad, broken; say which are"
    ):
        list(read_malhand(tmp_path))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5 0.1\n", "a line of its labels has not 5 fields"),
        ("2 0.5 0.5 0.1 0.1\n", "its labels hold a class without a name"),
        ("0 0.5 0.5 0 0.1\n", "its labels are malformed"),
        ("hand 0.5 0.5 0.1 0.1\n", "its labels are malformed"),
    ],
)
def test_malhand_tells_what_is_broken(tmp_path, line, reason):
    (tmp_path / "labels/val").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("names: [malformed, hand]\n")
    (tmp_path / "labels/val/a.txt").write_text(line)
    picture(tmp_path / "images/val/a.png")
    samples, tally = read_all(read_malhand(tmp_path))
    assert not samples
    assert [told.split(" (")[0] for told in tally.broken] == [reason]


@pytest.mark.parametrize("read", [read_hadm, read_malhand])
def test_an_empty_folder_is_one_clear_line(tmp_path, read):
    with pytest.raises(DataError) as told:
        list(read(tmp_path))
    assert "\n" not in str(told.value) and str(tmp_path) in str(told.value)
