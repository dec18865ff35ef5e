from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

pytest.importorskip("pycocotools")

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics import average_precision as room
from handwright.metrics.average_precision import (
    HANDS,
    WHOLEBODY_SIGMAS,
    FoundPerson,
    dap,
    person_box_px,
)
from handwright.metrics.joints import annotated

HAND_SIGMAS = WHOLEBODY_SIGMAS[-21:]


def person_area_px(points_px: np.ndarray) -> float:
    """Area of the box of the annotated points."""
    return float(np.prod(person_box_px(points_px)[1]))


def keypoint_similarity(
    truth_px: np.ndarray,
    found_px: np.ndarray,
    sigmas: np.ndarray,
    area_px: float,
) -> float:
    """OKS in [0, 1] of a found person with a true one, whose whole area counts; (0, 0) is not annotated."""
    known = annotated(truth_px)
    if not known.any():
        return 0.0
    squared = ((found_px - truth_px) ** 2).sum(-1)
    return float(np.exp(-squared / (2 * area_px * (2 * sigmas) ** 2))[known].mean())


def person(seed: int, at: float = 100.0) -> np.ndarray:
    return at + 300 * np.random.default_rng(seed).random((133, 2))


def crowd(pictures: int, noise: float, seed: int = 0):
    """Pictures of one to three people; some are missed, some invented, some left hands not annotated."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(pictures):
        people = [100 + 300 * rng.random((133, 2)) for _ in range(rng.integers(1, 4))]
        for one in people:
            if rng.random() < 0.3:
                one[91:112] = 0
        detected = [
            FoundPerson(one + noise * rng.random() * rng.normal(size=one.shape), float(rng.random()))
            for one in people
            if rng.random() < 0.85
        ]
        detected += [FoundPerson(person(rng.integers(1e6)), float(rng.random()))] * int(rng.random() < 0.3)
        truth.append(people)
        found.append(detected)
    return truth, found


def pycocotools_ap(truth, found, points: int) -> float:
    evaluator = room._evaluator(truth, found, *room._chosen(points))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator.accumulate()
    precision = evaluator.eval["precision"]
    return float(precision[precision > -1].mean())


@pytest.mark.parametrize("points", [133, 42])
@pytest.mark.parametrize("noise", [2.0, 10.0, 40.0])
def test_pycocotools_agrees(points, noise):
    truth, found = crowd(60, noise)
    ours = dap(truth, found, points, rounds=5).value
    assert ours == pytest.approx(pycocotools_ap(truth, found, points), abs=1e-9)
    assert 0 < ours < 1


def test_perfect_people_score_one_and_nobody_found_scores_zero():
    truth = [[person(i)] for i in range(5)]
    assert dap(truth, [[FoundPerson(p[0], 1.0)] for p in truth], rounds=20).value == pytest.approx(1)
    assert dap(truth, [[] for _ in truth], rounds=20).value == 0


def test_growing_noise_lowers_it_and_the_order_of_pictures_does_not():
    values = [dap(*crowd(40, noise), rounds=2).value for noise in (0, 5, 20, 80)]
    assert values == sorted(values, reverse=True) and values[0] > 2 * values[-1]
    truth, found = crowd(40, 5)
    order = np.random.default_rng(1).permutation(40)
    shuffled = dap([truth[i] for i in order], [found[i] for i in order], rounds=2)
    assert shuffled.value == pytest.approx(values[1], abs=1e-9)


def test_the_interval_holds_the_value_and_n_counts_people():
    truth, found = crowd(60, 10)
    e = dap(truth, found, rounds=300)
    assert e.low < e.value < e.high
    assert (e.name, e.n) == ("dap[133]", sum(map(len, truth)))


def test_wrong_hands_lower_the_hands_more_than_the_whole_person():
    truth = [[person(i)] for i in range(20)]
    found = []
    for (one,) in truth:
        detected = one.copy()
        detected[HANDS] += 30
        found.append([FoundPerson(detected, 1.0)])
    assert dap(truth, found, 42, rounds=2).value == 0
    assert dap(truth, found, 133, rounds=2).value > 0.3


def test_finding_someone_whose_hands_are_not_annotated_is_neither_right_nor_wrong():
    truth, found = [], []
    for i in range(10):
        handless = person(100 + i, at=600.0)
        detected = handless.copy()
        handless[HANDS] = 0
        truth.append([person(i), handless])
        found.append([FoundPerson(person(i), 0.5), FoundPerson(detected, 1.0)])
    e = dap(truth, found, 42, rounds=20)
    assert (e.value, e.n) == (pytest.approx(1), 10)
    assert dap(truth, [detected[1:] for detected in found], 42, rounds=2).value == 0
    nowhere = [[a, FoundPerson(b.points_px + 9000, 1.0)] for a, b in found]
    assert dap(truth, nowhere, 42, rounds=2).value < 0.6


def test_joints_at_the_origin_do_not_inflate_the_area():
    points = 100 + 10 * np.random.default_rng(0).random((133, 2))
    before = person_area_px(points[1:])
    points[0] = 0
    assert person_area_px(points) == before < 101
    assert person_area_px(np.zeros((133, 2))) == 0


def test_similarity_is_the_closed_form():
    truth = np.array([[10.0, 10.0], [0, 0], [20.0, 20.0]])
    found = truth + np.array([[3.0, 4.0], [99, 99], [0, 0]])
    sigmas, area = np.array([0.05, 0.1, 0.1]), 400.0
    expected = (np.exp(-25 / (2 * area * 0.1**2)) + 1) / 2
    assert keypoint_similarity(truth, found, sigmas, area) == pytest.approx(expected)


def test_the_sigmas_are_the_wholebody_table():
    assert WHOLEBODY_SIGMAS.shape == (133,) and np.array_equal(WHOLEBODY_SIGMAS[91:112], HAND_SIGMAS)
    assert WHOLEBODY_SIGMAS[[0, 5, 11, 17, 23, 70, 132]] == pytest.approx(
        [0.026, 0.079, 0.107, 0.068, 0.042, 0.034, 0.031]
    )
    assert WHOLEBODY_SIGMAS.sum() == pytest.approx(1.138 + 0.480 + 1.137 + 2 * 0.553)


def test_bad_input_is_refused():
    with pytest.raises(InvalidValueError, match="133 or 42"):
        dap([[person(0)]], [[]], 21)
    with pytest.raises(NotEnoughDataError, match="annotated person"):
        dap([[]], [[]])
    with pytest.raises(InvalidValueError, match=r"got \(21, 2\)"):
        dap([[np.ones((21, 2))]], [[]])
