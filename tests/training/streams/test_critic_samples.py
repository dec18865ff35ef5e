"""Views of hands: turned upright, with parts, places of defects and what can be believed."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.shards import write_shard
from handwright.errors import DataError, UsageError
from handwright.hand.anatomy import FINGERS
from handwright.training.networks.critic_classes import DEFECTS_SHOWN, POSE_GROUPS
from handwright.training.streams.critic_samples import (
    MAP_PX,
    SIDE_PX,
    assessable,
    elsewhere,
    load_views,
    views_of,
)
from handwright.training.streams.part_maps import PARTS, UNKNOWN, seen_parts, wrong_places
from handwright.training.streams.whole_pictures import load_pictures
from tests.training.drawn_views import entry, hand_points, missing, views


@pytest.mark.parametrize("turn", [0.0, 1.0, 2.5, -1.57])
def test_however_a_hand_is_turned_its_fingers_point_up_in_the_middle(turn):
    (row,) = views_of(entry(turn=turn))
    points = row["landmarks_px"]
    assert points[9, 0] == pytest.approx(points[0, 0], abs=1e-6)
    assert points[9, 1] < points[0, 1]
    box = (points.min(0) + points.max(0)) / 2
    assert np.abs(box - SIDE_PX / 2).max() < 0.12 * SIDE_PX
    for x, y in points[[4, 8, 12, 16, 20]]:
        assert row["pixels"][int(y), int(x), 0] > 150
        at = int(y * MAP_PX / SIDE_PX), int(x * MAP_PX / SIDE_PX)
        assert row["parts"][at] != PARTS.index("other")


def test_fingertips_lie_on_the_part_that_they_belong_to():
    (row,) = views_of(entry())
    for finger, name in enumerate(FINGERS):
        x, y = row["landmarks_px"][4 + 4 * finger] * MAP_PX / SIDE_PX
        near = row["parts"][int(y) - 1 : int(y) + 3, int(x) - 1 : int(x) + 2]
        assert PARTS.index(name) in near


def test_without_a_picture_of_parts_none_is_known_and_the_box_says_where_a_defect_is():
    made = entry(defects=[missing()], domain="photograph", parts=False)
    (row,) = views_of(made)
    assert (row["parts"] == UNKNOWN).all()
    wrong = wrong_places(made.pictures, 0, made.record["hands"][0])
    assert wrong[40:80, 90:120].all()
    assert wrong.sum() == 40 * 30
    assert row["wrong"].any()


def test_a_missing_finger_is_wrong_where_it_should_be():
    made = entry(defects=[missing("ring")])
    wrong = wrong_places(made.pictures, 0, made.record["hands"][0])
    x, y = np.rint(hand_points()[15]).astype(int)
    assert wrong[y, x]
    x, y = np.rint(hand_points()[7]).astype(int)
    assert not wrong[y, x]


def test_flesh_that_no_sound_hand_has_is_too_much_only_where_a_defect_adds():
    made = entry()
    pictures = {**made.pictures, "depth": np.zeros_like(made.pictures["depth"])}
    extra = [{"name": "extra", "generator": 0, "fingers": ["ring"]}]
    assert PARTS.index("too much") in seen_parts(pictures, 0, extra)
    assert PARTS.index("too much") not in seen_parts(pictures, 0, [missing()])
    assert not seen_parts(pictures, 1, extra).any()


def test_landmarks_of_a_malformed_finger_are_not_believed_and_its_neighbours_a_little():
    (row,) = views_of(entry(defects=[missing("ring")]))
    assert row["trust"][0] == 1
    assert not row["trust"][13:17].any()
    assert 0 < row["trust"][5] < 1
    (whole,) = views_of(entry(defects=[{"name": "melted", "generator": 0, "fingers": []}]))
    assert not whole["trust"].any()
    assert (views_of(entry())[0]["trust"] == 1).all()


def test_what_is_said_of_a_hand_comes_with_it():
    (row,) = views_of(entry(defects=[missing("ring", 2)], gloved=True))
    assert row["defects"][DEFECTS_SHOWN.index("missing")]
    assert (row["way"], row["fingers"], row["gloved"], row["pose"]) == (2, 3, True, -1)
    (sound,) = views_of(entry(name="fist"))
    assert (sound["way"], sound["fingers"], sound["pose"]) == (-1, 5, POSE_GROUPS.index("fist"))


def test_a_malformed_hand_that_is_hardly_seen_is_no_clearer_than_a_sound_one():
    hidden = [True] * 6 + [False] * 15
    assert views_of(entry(visible=hidden))[0]["seen"] == 6
    assert views_of(entry(visible=hidden, defects=[missing("ring")]))[0]["seen"] == 10
    melted = {"name": "melted", "generator": 0, "fingers": []}
    assert views_of(entry(visible=hidden, defects=[melted]))[0]["seen"] == 21


def test_fingers_are_there_gone_or_nobody_could_say():
    assert views_of(entry())[0]["present"].tolist() == [1] * 5
    assert views_of(entry(defects=[missing("ring")]))[0]["present"].tolist() == [1, 1, 1, 0, 1]
    fused = {"name": "fused", "generator": 0, "fingers": ["index", "middle"]}
    assert views_of(entry(defects=[fused]))[0]["present"].tolist() == [1, -1, -1, 1, 1]


def test_of_a_generators_hand_the_label_is_believed_and_landmarks_only_where_they_were_found():
    (good,) = views_of(entry(domain="generated", parts=False, label="good", found=True))
    (boxed,) = views_of(entry(domain="generated", parts=False, label="good", found=False))
    (wrong,) = views_of(entry(domain="repainted", parts=False, label="malformed"))
    assert [row["generated"] for row in (good, boxed, wrong)] == [1, 1, 2]
    assert [row["unforeseen"] for row in (good, boxed, wrong)] == [False, False, True]
    assert good["trust"].all()
    assert not boxed["trust"].any()
    assert not wrong["trust"].any()
    assert (good["fingers"], wrong["fingers"]) == (5, -1)
    assert views_of(entry(domain="repainted", parts=False, label="unclear")) == []


def test_places_without_a_hand_have_nothing_to_be_told_of():
    rows = [row for k in range(12) for row in elsewhere(entry(k))]
    assert rows
    for row in rows:
        assert not (row["hand"] or row["judged"] or row["seen"] or row["trust"].any() or row["defects"].any())
        assert (row["parts"] == UNKNOWN).all()
        assert (row["side"], row["pose"], row["fingers"], row["rendered"]) == (-1, -1, -1, True)
    assert all(row["hand"] for row in views_of(entry()))


@pytest.mark.parametrize(
    ("domain", "key"), [("photograph", "photograph"), ("3D rendered image", "background")]
)
def test_a_test_only_photograph_in_a_shard_is_refused(tmp_path, domain, key):
    made = entry(domain=domain, parts=False)
    made.record[key] = {"name": "a.jpg", "sha256": "19" + "0" * 62}
    write_shard(tmp_path / "a.tar", [made])
    with pytest.raises(DataError, match="test-only"):
        load_views(tmp_path)
    with pytest.raises(DataError, match="test-only"):
        load_pictures(tmp_path, 256)


def test_a_hand_of_the_wrong_side_is_not_judged_by_itself():
    (row,) = views_of(entry(defects=[{"name": "wrong_hand", "generator": 0, "fingers": []}]))
    assert not row["judged"]
    assert not row["defects"].any()
    assert row["side"] == -1
    assert not row["wrong"].any()


def test_small_and_hidden_hands_are_left_out():
    assert views_of(entry(keypoints_px=hand_points(reach=30.0).tolist())) == []
    assert views_of(entry(visible=[True] * 3 + [False] * 18)) == []


def test_hands_kept_from_training_and_those_trained_on_are_all_of_them(tmp_path):
    write_shard(tmp_path / "a.tar", [entry(k) for k in range(60)])
    taught, kept = load_views(tmp_path), load_views(tmp_path, calibration=True)
    assert taught.hand.sum() + kept.hand.sum() == 60
    assert len(taught) + len(kept) > 60, "no place without a hand"
    assert 0 < len(kept) < 20
    with pytest.raises(UsageError, match="holds no hands"):
        load_views(tmp_path / "empty")


def test_gloved_hidden_and_spoilt_hands_cannot_be_judged():
    hands = views(4, defective=False)
    hands.gloved[0] = True
    hands.seen[1] = 5
    assert assessable(hands, np.array([0.0, 0.0, 0.9, 0.2]), 0.75).tolist() == [False, False, False, True]


@pytest.mark.parametrize(("across", "told"), [((0.08, 0.0, 0.0), False), ((0.03, 0.0, 0.07), True)])
def test_a_bend_backwards_is_judged_only_where_the_camera_sees_it(across, told):
    points = np.tile([0.0, 0.0, 0.5], (21, 1))
    points[5] += across
    bent = {"name": "overbent", "generator": 0, "fingers": ["index"]}
    (row,) = views_of(entry(defects=[bent], landmarks_cam_m=points.tolist()))
    assert row["judged"] == told
    (photographed,) = views_of(entry(defects=[bent]))
    assert photographed["judged"]


def test_hands_judged_by_eye_are_good_or_malformed_and_unclear_ones_teach_nothing():
    good, bad, unclear = (
        views_of(entry(domain="generated", parts=False, label=label))
        for label in ("good", "malformed", "unclear")
    )
    assert not unclear
    assert not good[0]["unforeseen"]
    assert good[0]["trust"].any()
    assert bad[0]["unforeseen"]
    assert not bad[0]["trust"].any()
    assert not bad[0]["wrong"].any()
    assert (good[0]["generated"], bad[0]["generated"], views_of(entry())[0]["generated"]) == (1, 1, 0)
