from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from handwright.errors import DataError, InvalidValueError, NotEnoughDataError
from handwright.review.calibration.calibration import (
    Calibration,
    Head,
    expected_calibration_error,
    fit_platt,
    logit,
    sigmoid,
    thresholds_at,
)


def threshold_at(good: np.ndarray, budget: float, sure: float | None = None) -> float:
    return thresholds_at({"one": good}, budget, sure)["one"]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def test_platt_recovers_the_scale_and_bias_that_made_the_truths(rng):
    logits = rng.normal(0, 3, 40_000)
    truths = rng.random(40_000) < sigmoid(0.5 * logits - 1.2)
    scale, bias = fit_platt(logits, truths)
    assert (scale, bias) == (pytest.approx(0.5, abs=0.02), pytest.approx(-1.2, abs=0.05))


def test_platt_without_evidence_stays_at_the_prior():
    assert fit_platt(np.zeros(2), np.array([True, False])) == (
        pytest.approx(1.0),
        pytest.approx(0.0, abs=1e-9),
    )


def test_platt_stays_finite_where_the_classes_part_cleanly():
    scale, bias = fit_platt(np.array([-2.0, -1.0, 1.0, 2.0]), np.array([False, False, True, True]))
    assert 1.0 < scale < 3.0
    assert bias == pytest.approx(0.0, abs=1e-6)


def test_platt_never_turns_the_order_round(rng):
    logits = rng.normal(0, 2, 400)
    scale, bias = fit_platt(logits, rng.random(400) < sigmoid(-3 * logits + 1))
    assert scale == pytest.approx(0.05)
    assert 0 < bias < 1


@pytest.mark.parametrize(("budget", "called"), [(0.02, 2), (0.029, 2), (0.0, 0), (0.5, 50)])
def test_a_limit_calls_as_many_good_hands_as_the_budget_allows_and_no_more(budget, called):
    good = np.arange(100) / 100
    threshold = threshold_at(good, budget)
    assert (good >= threshold).sum() == called
    assert (good >= np.nextafter(threshold, 0)).sum() == called + 1


def test_good_hands_that_tie_are_not_called_beyond_the_budget():
    good = np.array([0.9] * 5 + [0.1] * 95)
    assert threshold_at(good, 0.02) == np.nextafter(0.9, 1)


def test_an_upper_bound_asks_for_more_than_the_plain_share():
    good = np.arange(1000) / 1000
    assert (good >= threshold_at(good, 0.02)).sum() == 20
    assert (good >= threshold_at(good, 0.02, sure=0.95)).sum() == 12


def test_149_good_hands_promise_two_percent_and_148_do_not():
    assert threshold_at(np.zeros(149), 0.02, sure=0.95) > 0
    with pytest.raises(NotEnoughDataError, match="149"):
        threshold_at(np.zeros(148), 0.02, sure=0.95)


def test_several_heads_together_stay_within_one_budget(rng):
    good = {name: rng.random(1000) for name in "abc"}
    thresholds = thresholds_at(good, 0.02)
    called = np.any([good[name] >= thresholds[name] for name in good], axis=0)
    assert 0.017 <= called.mean() <= 0.02
    same = dict.fromkeys("abc", good["a"])
    assert thresholds_at(same, 0.02) == dict.fromkeys("abc", threshold_at(good["a"], 0.02))


def test_no_limit_falls_below_the_least_and_the_other_heads_get_what_it_leaves(rng):
    good = {"loud": rng.random(1000), "silent": rng.random(1000) * 1e-6}
    thresholds = thresholds_at(good, 0.02, least=0.05)
    assert thresholds == {"loud": threshold_at(good["loud"], 0.02), "silent": 0.05}


def test_calibration_error_is_zero_where_what_is_said_comes_true():
    said = np.repeat([0.2, 0.8], 10)
    truths = np.r_[np.ones(2), np.zeros(8), np.ones(8), np.zeros(2)].astype(bool)
    assert expected_calibration_error(said, truths) == pytest.approx(0.0)
    assert expected_calibration_error(said, ~truths) == pytest.approx(0.6)
    assert expected_calibration_error(np.ones(4), np.array([True, True, True, False])) == pytest.approx(0.25)


def test_a_calibration_survives_its_file(tmp_path: Path):
    made = Calibration({"malformed": Head(0.7, -0.3, 0.61)}, {"fingers": 1.4}, {"hands": 20})
    made.save(tmp_path / "calibration.json")
    assert Calibration.load(tmp_path / "calibration.json") == made


def test_the_digest_is_of_what_it_does_and_not_of_what_it_tells():
    made = Calibration({"a": Head(), "b": Head(2.0)}, {"poses": 1.5})
    assert made.digest == Calibration({"b": Head(2.0), "a": Head()}, {"poses": 1.5}, {"hands": 3}).digest
    assert made.digest != Calibration({"a": Head(), "b": Head(2.0, 0.0, 0.51)}, {"poses": 1.5}).digest


def test_raw_logits_come_back_from_probabilities():
    made = Calibration({"extra": Head(0.7, -0.3)}, {})
    assert made.probability("extra", 0.3 / 0.7) == pytest.approx(0.5)
    for value in (-20.0, 0.0, 3.5):
        assert made.raw_logit("extra", made.probability("extra", value)) == pytest.approx(value, rel=1e-5)
    assert np.isfinite(made.raw_logit("extra", 1.0))
    assert logit(sigmoid(np.array([-5.0, 5.0]))) == pytest.approx([-5.0, 5.0])


def test_heads_that_are_not_there_are_named():
    with pytest.raises(InvalidValueError, match="'melted'"):
        Calibration({}).probability("melted", 0.0)
    with pytest.raises(InvalidValueError, match="'poses'"):
        Calibration({}).temperature("poses")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[]", "schema"),
        ('{"schema": "handwright/calibration-1"}', "'heads' is missing"),
        (
            '{"schema": "handwright/calibration-1", "heads": {"a": {"scale": 1}}, "temperatures": {}}',
            "'bias'",
        ),
        (
            '{"schema": "handwright/calibration-1", "heads": {}, "temperatures": {"poses": 0}}',
            "must be positive, got 0",
        ),
        (
            json.dumps(
                {
                    "schema": "handwright/calibration-1",
                    "heads": {"a": {"scale": -1, "bias": 0, "limit": 0.5}},
                    "temperatures": {},
                }
            ),
            "positive scale",
        ),
    ],
)
def test_a_file_that_is_no_calibration_says_why(tmp_path: Path, text: str, why: str):
    path = tmp_path / "calibration.json"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=why):
        Calibration.load(path)


def test_a_missing_file_says_so(tmp_path: Path):
    with pytest.raises(DataError, match="No such file"):
        Calibration.load(tmp_path / "nowhere.json")
