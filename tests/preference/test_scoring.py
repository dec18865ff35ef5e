"""Raters with known preferences are simulated: what they prefer must come out, with honest intervals."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from handwright.errors import DataError, NotEnoughDataError, UsageError
from handwright.preference import Answers, pictures_needed, read_answers, score_study, scoring
from handwright.preference.answers import read_key

SYSTEMS = ("ours", "base", "other")
STRENGTHS = {"ours": 1.0, "base": 0.0, "other": -1.0}


def key_of(pictures: int, systems: tuple[str, ...] = SYSTEMS, checks: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    trials = []
    for k, pair in itertools.product(range(pictures), itertools.combinations(systems, 2)):
        a, b = rng.permutation(pair).tolist()
        trials.append({"id": f"t{len(trials)}", "picture": f"p{k}", "a": a, "b": b})
    return {
        "study": "s", "systems": list(systems), "questions": ["plausibility"], "trials": trials,
        "checks": [{"id": f"c{k}", "intact": "a"} for k in range(checks)],
    }  # fmt: skip


def raters(
    key: dict[str, Any], n: int, seed: int, *, neither: float = 0.1, attentive: bool = True
) -> list[dict[str, Any]]:
    """Answer files of raters who prefer by ``STRENGTHS``, or click at random."""
    rng = np.random.default_rng(seed)
    files = []
    for k in range(n):
        answers = []
        for trial in key["trials"]:
            gap = STRENGTHS[trial["a"]] - STRENGTHS[trial["b"]] if attentive else 0.0
            a = rng.random() < 1 / (1 + np.exp(-gap))
            answer = "neither" if rng.random() < neither else "ab"[not a]
            answers.append(_answer(trial["id"], answer, rng))
        for check in key["checks"]:
            answers.append(_answer(check["id"], "a" if attentive else "ab"[rng.integers(2)], rng))
        files.append({"study": "s", "rater": f"r{seed}-{k}", "answers": answers})
    return files


def _answer(trial: str, answer: str, rng: np.random.Generator) -> dict[str, Any]:
    left = "ab"[rng.integers(2)]
    return {"id": trial, "question": "plausibility", "answer": answer, "left": left, "ms": 900}


def read(files: list[dict[str, Any]], key: dict[str, Any], folder: Path) -> list[Answers]:
    paths = []
    for k, each in enumerate(files):
        paths.append(folder / f"answers-{k}.json")
        paths[-1].write_text(json.dumps(each))
    return read_answers(paths, key)


def test_known_strengths_come_out_in_order_and_apart(tmp_path: Path):
    key = key_of(80)
    result = score_study(key, read(raters(key, 6, 1, neither=0.0), key, tmp_path))
    scores = {score.name: score for score in result.questions["plausibility"].scores}
    assert all(abs(score.value - STRENGTHS[name]) < 0.2 for name, score in scores.items())
    assert scores["ours"].low > scores["base"].high > scores["base"].low > scores["other"].high


def test_intervals_of_scores_cover_the_truth_about_as_often_as_they_claim(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(scoring, "ROUNDS", 100)
    key, covered = key_of(40), 0
    for seed in range(10):
        answers = read(raters(key, 4, seed, neither=0.0), key, tmp_path)
        scores = score_study(key, answers).questions["plausibility"].scores
        covered += sum(score.low < STRENGTHS[score.name] < score.high for score in scores)
    assert covered >= 24  # of 30; 68 of 75 in a longer run


def test_win_rates_intervals_cover_the_truth_as_often_as_they_claim(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(scoring, "ROUNDS", 10)  # of the scores' intervals; that of a win rate draws nothing
    covered = 0
    key = key_of(40, ("ours", "base"))
    truth = 1 / (1 + np.exp(-1.0))
    for seed in range(60):
        answers = read(raters(key, 1, seed, neither=0.0), key, tmp_path)
        (pair,) = score_study(key, answers).questions["plausibility"].pairs
        covered += pair.win_rate.low <= truth <= pair.win_rate.high
    assert covered >= 54  # an exact interval covers at least 95 % of 60 on average; 54 or fewer: p < .01


def test_raters_without_a_preference_show_none(tmp_path: Path):
    key = key_of(100, ("ours", "base"), checks=0)
    answers = read(raters(key, 1, 4, attentive=False, neither=0.0), key, tmp_path)
    (pair,) = score_study(key, answers).questions["plausibility"].pairs
    assert pair.win_rate.low < 0.5 < pair.win_rate.high
    assert pair.win_rate.p is not None
    assert pair.win_rate.p > 0.05


def test_votes_are_counted_by_majority_and_by_plurality():
    key = key_of(3, ("ours", "base"), checks=0)
    wanted = {
        "p0": ["ours", "ours", "base"],
        "p1": ["ours", "base", "neither", "neither"],
        "p2": ["ours"] * 2,
    }
    wanted["p2"] += ["base", "neither"]
    files = []
    for k in range(4):
        choices = {}
        for trial in key["trials"]:
            votes = wanted[trial["picture"]]
            if k < len(votes):
                vote = votes[k]
                side = "neither" if vote == "neither" else "ab"[trial["b"] == vote]
                choices[trial["id"], "plausibility"] = side
        left = dict.fromkeys(choices, "a")
        files.append(Answers(rater=f"r{k}", choices=choices, left=left, checks_failed=0, checks_seen=0))
    (pair,) = score_study(key, files).questions["plausibility"].pairs
    assert (pair.first_majority, pair.second_majority) == (1, 0)
    assert (pair.first_plurality, pair.second_plurality) == (2, 0)
    assert (pair.first_answers, pair.second_answers, pair.neither_answers) == (5, 3, 3)
    assert (pair.win_rate.value, pair.win_rate.n) == (1.0, 2)


def test_raters_who_fail_the_checks_do_not_count(tmp_path: Path):
    key = key_of(20, checks=8)
    files = raters(key, 3, 1) + raters(key, 4, 2, attentive=False)
    result = score_study(key, read(files, key, tmp_path))
    assert result.raters == ("r1-0", "r1-1", "r1-2")
    assert len(result.excluded) == 4
    with pytest.raises(NotEnoughDataError, match="attention"):
        score_study(key, read(files[3:], key, tmp_path))


def test_a_habit_of_clicking_left_is_seen(tmp_path: Path):
    key = key_of(40, ("ours", "base"), checks=0)
    files = raters(key, 1, 1, neither=0.0)
    for answer in files[0]["answers"]:
        answer["left"] = answer["answer"]
    left = score_study(key, read(files, key, tmp_path)).questions["plausibility"].left
    assert left.value == 1.0
    assert left.low > 0.9


def test_agreement_is_one_where_all_agree_and_about_zero_by_chance(tmp_path: Path):
    key = key_of(60, ("ours", "base"), checks=0)
    same = raters(key, 1, 1)
    copies = [{**same[0], "rater": f"r{k}"} for k in range(4)]
    assert score_study(key, read(copies, key, tmp_path)).questions["plausibility"].agreement.value == 1.0
    random = score_study(key, read(raters(key, 4, 2, attentive=False), key, tmp_path))
    agreement = random.questions["plausibility"].agreement
    assert agreement.low < 0 < agreement.high


def test_alpha_equals_krippendorffs_example():
    """Nominal data of 'Computing Krippendorff's alpha-reliability' (2011), section C: 0.743."""
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11"]
    counts = np.array([[unit.count(kind) for kind in "12345"] for unit in units], float)
    assert scoring._alpha(counts) == pytest.approx(0.743, abs=5e-4)


def test_bradley_terry_of_two_is_the_log_odds():
    scores = scoring.bradley_terry(np.array([[0.0, 29.5], [9.5, 0.0]]))
    assert scores[0] - scores[1] == pytest.approx(np.log(30 / 10), abs=1e-6)


def test_a_system_that_never_loses_keeps_a_finite_score():
    assert np.isfinite(scoring.bradley_terry(np.array([[0.0, 9.0], [0.0, 0.0]]))).all()


@pytest.mark.parametrize(("rate", "low", "high"), [(0.6, 190, 215), (0.7, 44, 54), (0.9, 9, 15)])
def test_the_sample_size_is_that_of_the_exact_test(rate: float, low: int, high: int):
    n = pictures_needed(rate)
    assert low <= n <= high  # normal approximation: 194, 47, 10; the exact test needs a little more
    reject = binom.ppf(0.025, n, 0.5) - 1
    assert binom.cdf(reject, n, rate) + binom.sf(n - reject - 1, n, rate) >= 0.8


@pytest.mark.parametrize("numbers", [(0.5, 0.8, 0.05), (1.1, 0.8, 0.05), (0.6, 1.0, 0.05), (0.6, 0.8, 0.0)])
def test_impossible_sample_sizes_are_refused(numbers):
    with pytest.raises(UsageError):
        pictures_needed(numbers[0], power=numbers[1], alpha=numbers[2])
    with pytest.raises(UsageError, match="20,000"):
        pictures_needed(0.501)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"study": "other"}, "does not belong"),
        ({"answers": [{"id": "t0", "question": "plausibility", "answer": "c", "left": "a"}]}, "not valid"),
        ({"answers": [{"id": "t99", "question": "plausibility", "answer": "a", "left": "a"}]}, "not valid"),
        ({"answers": [{"id": "t0"}]}, "no answer file"),
        ({"answers": 3}, "no answer file"),
        ({"rater": "r1-1"}, "the same rater"),
    ],
)
def test_wrong_answer_files_are_named(tmp_path: Path, change: dict, words: str):
    key = key_of(4)
    files = raters(key, 2, 1)
    files[0].update(change)
    with pytest.raises(DataError, match=words):
        read(files, key, tmp_path)


def test_files_that_are_no_answers_or_no_key_are_named(tmp_path: Path):
    (tmp_path / "x.json").write_text("[1, 2")
    with pytest.raises(DataError, match="not JSON"):
        read_answers([tmp_path / "x.json"], key_of(2))
    with pytest.raises(UsageError, match="cannot read"):
        read_answers([tmp_path / "none.json"], key_of(2))
    with pytest.raises(UsageError, match="no file"):
        read_answers([], key_of(2))
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(DataError, match="no key"):
        read_key(tmp_path)
