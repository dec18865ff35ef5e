"""The measures and tables that docs/research/judge.md stands on."""

from __future__ import annotations

import math
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.data.sample import Source
from handwright.errors import UsageError
from handwright.metrics.roc import auc, roc
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import HandObservation, Image
from judge import arguments, by_way
from judge_asked import Asked, ask, joined
from judge_measures import (
    average_precision,
    confusion,
    precision_recall,
    recall_within,
    reliability,
    thirds,
)
from judge_page import Evidence, write_page
from judge_real import judged, sharpness
from judge_review import spread
from judge_sets import Picture, Truth, as_found, blurred, is_edge_on, rendered, tiny
from judge_tables import (
    count_table,
    left_out_table,
    pose_table,
    recall_table,
    side_rate,
    skin_table,
    sure_side_rates,
)
from judged_sets import JudgedHand, JudgedPicture
from tests.review.predictions import StubCritic, prediction

GREY = np.full((64, 64, 3), 128, np.uint8)
POINTS = np.column_stack([np.linspace(10, 50, 21), np.linspace(12, 40, 21)])
REGION = OrientedSquare((30, 26), 40, 0.0)


def picture(*truths: Truth, key: str = "a") -> Picture:
    count = len(truths)
    return Picture(key, lambda: GREY, (REGION,) * count, truths, (POINTS,) * count)


def asked(*pairs) -> Asked:
    truths, told = zip(*pairs, strict=True)
    return Asked(tuple((picture(truth), 0) for truth in truths), truths, told)


GOOD = Truth("rendered", False, side="right", pose="open", size_px=120, tone=3)
BAD = replace(GOOD, malformed=True, defect="extra", way=1, fingers=6, pose=None)


def test_roc_and_auc_of_scores_that_part_cleanly_that_mix_and_that_tie():
    truths = np.array([True, True, False, False])
    assert auc(np.array([4.0, 3, 2, 1]), truths) == 1
    assert auc(np.array([1.0, 2, 3, 4]), truths) == 0
    assert auc(np.array([4.0, 2, 3, 1]), truths) == 0.75
    assert auc(np.ones(4), truths) == 0.5
    alarms, hits = roc(np.array([4.0, 2, 3, 1]), truths)
    assert alarms.tolist() == [0, 0, 0.5, 0.5, 1]
    assert hits.tolist() == [0, 0.5, 0.5, 1, 1]
    assert math.isnan(auc(np.ones(2), np.ones(2, bool)))


def test_auc_is_how_often_a_true_one_scores_above_a_false_one():
    rng = np.random.default_rng(0)
    truths = rng.random(300) < 0.3
    scores = np.round(rng.normal(truths, 1), 1)
    above = scores[truths][:, None] - scores[~truths]
    assert auc(scores, truths) == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean())


def test_precision_recall_and_its_area():
    recall, precision = precision_recall(np.array([4.0, 3, 2, 1]), np.array([True, False, True, False]))
    assert recall.tolist() == [0.5, 0.5, 1, 1]
    assert precision == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert average_precision(np.array([4.0, 3, 2, 1]), np.array([True, False, True, False])) == pytest.approx(
        5 / 6
    )
    assert average_precision(np.ones(4), np.array([True, False, False, False])) == 0.25


def test_recall_within_the_budget_calls_two_of_a_hundred_good_hands():
    scores = np.concatenate([np.arange(100) / 100, [0.975, 0.985, 0.5, 0.995]])
    truths = np.arange(104) >= 100
    assert recall_within(scores, truths) == 0.5 + 0.25
    assert recall_within(scores, truths, budget=0.5) == 1.0


def test_reliability_tells_what_was_said_and_what_came_true():
    told = np.array([0.05, 0.07, 0.95, 1.0])
    assert reliability(told, np.array([False, True, True, True])) == [
        (0.0, 0.1, 2, pytest.approx(0.06), 0.5),
        (0.9, 1.0, 2, pytest.approx(0.975), 1.0),
    ]


def test_confusion_has_truths_in_rows():
    table = confusion(np.array([4, 5, 5]), np.array([5, 5, 6]), (4, 5, 6))
    assert table.tolist() == [[0, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_thirds_keep_equal_values_together():
    assert thirds(np.arange(9.0)).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert thirds(np.array([1.0, 1, 1, 1, 1, 2, 9, 9, 9])).tolist() == [0] * 5 + [1] + [2] * 3


def test_a_palm_is_edge_on_when_its_plane_holds_the_line_of_sight():
    flat = np.zeros((21, 3))
    flat[5], flat[17] = (0.03, 0.1, 0.0), (-0.03, 0.1, 0.0)
    away = np.array([0, 0, 0.5])
    facing, turned = flat + away, flat[:, [2, 1, 0]] + away
    assert not is_edge_on(facing.tolist(), POINTS)
    assert is_edge_on(turned.tolist(), POINTS)
    assert not is_edge_on(None, POINTS)


def test_a_region_as_found_is_a_little_off_and_the_same_again():
    far = [as_found(np.random.default_rng(k), OrientedSquare((100, 50), 80, 0.3)) for k in range(400)]
    places = np.array([region.center_px for region in far])
    assert places.mean(0) == pytest.approx([100, 50], abs=0.6)
    assert places.std(0) == pytest.approx([3.2, 3.2], rel=0.15)
    assert np.log([region.size_px / 80 for region in far]).std() == pytest.approx(0.06, rel=0.15)
    assert as_found(np.random.default_rng(3), OrientedSquare((100, 50), 80, 0.3)) == far[3]


def test_the_spread_of_regions_about_the_truth_is_what_put_them_off():
    rng, true = np.random.default_rng(0), OrientedSquare.of(POINTS)
    made = [replace(picture(GOOD), regions=(as_found(rng, true),)) for _ in range(500)]
    place, size, turn = spread(ask(StubCritic(lambda pixels, region: prediction()), made))
    assert (place, size, turn) == (
        pytest.approx(0.04, rel=0.15),
        pytest.approx(0.06, rel=0.15),
        pytest.approx(0.1, rel=0.15),
    )


def test_tiny_pictures_shrink_with_all_that_is_known_of_them():
    small = tiny(picture(GOOD), np.random.default_rng(0))
    scale = small.truths[0].size_px / 120
    assert 14 <= small.truths[0].size_px <= 30
    assert small.regions[0].size_px == pytest.approx(40 * scale)
    assert small.landmarks_px[0] == pytest.approx(POINTS * scale)
    assert small.read().shape[0] == max(8, round(64 * scale))


def test_blurred_pictures_are_softer():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)
    sharp = replace(picture(GOOD), read=lambda: noise)
    assert sharpness(blurred(sharp, rng).read(), POINTS) < 0.2 * sharpness(noise, POINTS)
    assert sharpness(GREY, POINTS) == 0


def test_a_critic_is_asked_once_of_every_hand_in_order():
    critic = StubCritic(lambda pixels, region: prediction(0.9 if region.size_px > 50 else 0.1))
    large = replace(picture(GOOD, BAD), regions=(REGION, OrientedSquare((1, 1), 60, 0.0)))
    told = ask(critic, [large, picture(GOOD, key="b")])
    assert told.called.tolist() == [False, True, False]
    assert [(p.key, k) for p, k in told.where] == [("a", 0), ("a", 1), ("b", 0)]
    assert told.malformed.tolist() == [False, True, False]
    assert len(joined([told, told])) == 6


def test_what_a_critic_cannot_tell_is_not_called():
    told = asked((BAD, prediction(0.9)), (BAD, prediction(0.9, assessable=0.1)))
    assert told.called.tolist() == [True, False] and told.blind.tolist() == [False, True]
    assert told.threshold_ratio.tolist() == [pytest.approx(1.8), 0.0]


def test_tables_count_what_they_name():
    good = asked(*[(GOOD, prediction(0.1 + k / 1000)) for k in range(50)])
    bad = asked((BAD, prediction(0.9, {"extra": 0.8}, fingers=6)), (BAD, prediction(0.01, {"extra": 0.002})))
    rows = recall_table(good, bad)
    assert rows[2].startswith("| extra | 2 | 1.000 [1.000, 1.000]")
    assert rows[2].endswith("| 50.0 % [9.5, 90.5] |")
    assert rows[3].startswith("| **any** | 2 |")
    lines, exact = count_table(good + bad)
    assert lines[4] == "| has 5 | 0 | 0 | 50 | 0 | 0 | 50 |"
    assert lines[5] == "| has 6 | 0 | 0 | 1 | 1 | 0 | 2 |"
    assert (exact.value, exact.n) == (51 / 52, 52)


def test_poses_and_sides_are_of_clear_hands_alone():
    fist = replace(GOOD, pose="fist", side="left")
    told = asked(
        (GOOD, prediction(pose="open", right=0.9)),
        (fist, prediction(pose="open", right=0.6)),
        (replace(fist, gloved=True), prediction(pose="open")),
        (replace(GOOD, pose=None, side=None), prediction()),
    )
    lines, pose = pose_table(told)
    assert (pose.value, pose.n) == (0.5, 2) and len(lines) == 5
    assert (side_rate(told).value, side_rate(told).n) == (0.5, 2)
    sure, right = sure_side_rates(told)
    assert (sure.value, sure.n, right.value, right.n) == (0.5, 2, 1.0, 1)


def test_skin_compares_the_darkest_third_with_the_lightest():
    pairs = [
        (replace(GOOD, tone=k % 9), prediction(0.9 if k % 9 == 8 and k < 45 else 0.1)) for k in range(90)
    ]
    lines, gap = skin_table(asked(*pairs))
    assert "lightest third (Monk 1 … 3)" in lines[2]
    assert gap.value == pytest.approx(5 / 30) and (gap.n, gap.n_reference) == (30, 30)


def test_left_out_recall_joins_renders_and_photographs():
    made, done = asked((BAD, prediction(0.9)), (BAD, prediction(0.1))), asked((BAD, prediction(0.9)))
    lines, every = left_out_table([(1, asked((GOOD, prediction())), made, done)])
    assert lines[2].startswith("| generator 1 | 2 | 50.0 %")
    assert (every.value, every.n) == (2 / 3, 3)
    assert left_out_table([])[1] is None


class OneHand:
    """Sees a hand in the upper left of every picture."""

    def detect(self, pixels, *, max_hands, confidence, presence):
        return []


def test_judged_sets_take_the_rest_for_good_outside_what_is_unclear(monkeypatch):
    def at(x, y):
        return HandObservation(
            landmarks_px=POINTS / 4 + [x, y],
            depth_px=np.zeros(21),
            side="right",
            score=0.9,
            found_by="picture",
        )

    monkeypatch.setattr("judge_real.find_hands", lambda *_, **__: [at(0, 0), at(80, 0), at(0, 80)])
    monkeypatch.setattr("judge_real.find_in_boxes", lambda pixels, boxes, **_: [None for _ in boxes])
    record = JudgedPicture(
        "k",
        lambda: Image(np.zeros((120, 120, 3), np.uint8)),
        (JudgedHand((0, 0, 30, 20), True, "mild"),),
        True,
        ((70, 0, 120, 60),),
        Source("HADM", "k"),
    )
    (made,) = judged([record], OneHand(), None)
    assert [(t.malformed, t.level) for t in made.truths] == [(True, "mild"), (False, "")]
    assert made.truths[0].tags == {"direction guessed"} and made.truths[1].tags == {"no box"}
    assert made.regions[0] == OrientedSquare((15, 10), 30, -math.pi / 2)
    (known,) = judged([replace(record, rest_good=False)], OneHand(), None)
    assert len(known.truths) == 1


def test_rendered_hands_carry_their_truth(tmp_path):
    pictures = rendered(tmp_path, "defects", 3, 900_000)
    truths = [truth for made in pictures for truth in made.truths]
    assert truths and all(truth.source == "rendered" and truth.tone is not None for truth in truths)
    for made in pictures:
        for truth, points in zip(made.truths, made.landmarks_px, strict=True):
            assert truth.size_px == pytest.approx(np.ptp(points, axis=0).max())
            assert bool(truth.defect) == (truth.malformed is not False)
    assert [p.key for p in rendered(tmp_path, "defects", 3, 900_000)] == [p.key for p in pictures]


def test_the_page_has_every_part_and_its_pictures(tmp_path):
    rng = np.random.default_rng(0)
    good = asked(*[(replace(GOOD, tone=k % 9), prediction(float(rng.uniform(0, 0.55)))) for k in range(60)])
    bad = asked(*[(BAD, prediction(float(rng.uniform(0.3, 1)), fingers=6)) for k in range(30)])
    photo = replace(GOOD, source="photograph", tags=frozenset({"unseen", "a_folder"}), sharpness=3.0)
    seen = asked(*[(photo, prediction(0.2)) for _ in range(10)])
    hard = dict.fromkeys(("clear", "blurred", "tiny", "gloved"), good)
    both, said = good + bad, [("clear", Counter({"pass": 3, "cannot tell": 1}))]
    told = Evidence(both, both, seen, 4, hard, both, both, said, [(1, both, both)], {"HADM": both})
    path = tmp_path / "judge.md"
    write_page(path, told, arguments(["--photos", "x"]))
    text = path.read_text("utf-8")
    for part in ("Malformed hands", "False alarms", "Skin", "Calibration", "Cannot tell", "HADM", "Errors"):
        assert part.lower() in text.lower()
    assert "| recall, rendered defects | ≥ 90 % |" in text
    assert "generator 1" in text and "4 known hands" in text and "nan" not in text
    for name in ("judge_curves.png", "judge_reliability.png", "judge_errors.jpg"):
        assert cv2.imread(str(tmp_path / name)) is not None


def test_seeds_that_may_have_been_trained_on_and_odd_critics_are_refused(tmp_path):
    with pytest.raises(SystemExit):
        arguments(["--photos", "x", "--seed", "7"])
    with pytest.raises(UsageError, match="0=DIR, 1=DIR or 2=DIR"):
        by_way(["4=x"])
    with pytest.raises(UsageError, match="holds no critic"):
        by_way([f"1={tmp_path / 'nowhere'}"])
