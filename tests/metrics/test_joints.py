from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.joints import joint_errors, match_hands, miss_rate, mpjpe, pck


def hand(seed: int = 0, size: float = 100.0) -> np.ndarray:
    """21 points whose box is exactly ``size`` wide and at most as high."""
    points = np.random.default_rng(seed).random((21, 2))
    points = (points - points.min(0)) / np.ptp(points, axis=0) * [1.0, 0.8]
    return 50 + size * points


def shifted(points: np.ndarray, x: float, y: float) -> np.ndarray:
    return points + np.array([x, y])


def test_a_shift_of_five_pixels_on_a_hundred_is_five_per_cent():
    truth = [hand(i) for i in range(4)]
    e = mpjpe(joint_errors(truth, [shifted(t, 3, 4) for t in truth]))
    assert (e.name, e.n) == ("mpjpe[% hand]", 4)
    assert e.value == pytest.approx(5) and e.low == pytest.approx(5) and e.high == pytest.approx(5)


def test_the_three_units_tell_the_same_error():
    errors = joint_errors([hand(0, 200)], [shifted(hand(0, 200), 10, 0)])
    assert [mpjpe(errors, unit).value for unit in ("% hand", "px", "body")] == pytest.approx([5, 10, 0.05])


def test_a_missed_hand_counts_a_hundred_per_cent():
    errors = joint_errors([hand(0), hand(1)], [hand(0), None])
    assert mpjpe(errors).value == pytest.approx(50)
    assert mpjpe(errors, "px").value == pytest.approx(50)
    assert miss_rate(errors).value == 0.5
    assert pck(errors).value == pytest.approx(0.5)


def test_no_found_hand_is_worse_than_a_missed_one():
    assert mpjpe(joint_errors([hand()], [hand() + 5000])).value == 100


def test_joints_at_the_origin_neither_count_nor_stretch_the_hand():
    truth = hand()
    truth[5] = 0
    found = shifted(truth, 3, 4)
    errors = joint_errors([truth], [found])
    assert errors.size_px[0] < 101
    assert mpjpe(errors).value == pytest.approx(500 / errors.size_px[0])


def test_a_joint_on_the_edge_of_the_picture_is_there():
    truth = hand()
    truth[4, 0], truth[7, 1] = 0, 0
    found = truth.copy()
    found[[4, 7]] += 21
    errors = joint_errors([truth], [found])
    assert np.isfinite(errors.distances_px).all() and errors.distances_px.sum() == pytest.approx(42 * 2**0.5)


def test_only_visible_joints_count_but_the_size_is_the_hands():
    found = hand()
    found[0] += 50
    visible = np.ones(21, bool)
    visible[0] = False
    errors = joint_errors([hand()], [found], [visible])
    assert mpjpe(errors).value == 0 and errors.size_px[0] == pytest.approx(100)


def test_pck_counts_joints_within_reach():
    found = hand()
    found[:7] += [30, 0]
    errors = joint_errors([hand()], [found])
    assert pck(errors, 0.2).value == pytest.approx(14 / 21)
    assert pck(errors, 0.31).value == 1


def test_error_grows_with_noise_and_ignores_the_order_of_hands():
    rng = np.random.default_rng(0)
    truth, noise = [hand(i) for i in range(20)], rng.normal(size=(20, 21, 2))
    values = [
        mpjpe(joint_errors(truth, [t + s * n for t, n in zip(truth, noise, strict=True)])).value
        for s in (0, 1, 2, 4, 8)
    ]
    assert values == sorted(values)
    backwards = joint_errors(truth[::-1], [t + n for t, n in zip(truth, noise, strict=True)][::-1])
    assert mpjpe(backwards).value == pytest.approx(values[1])


def test_hands_are_matched_to_the_nearest_and_used_once():
    a, b = hand(0), hand(1) + 400
    matched = match_hands([a, b], [b + 2, a + 1])
    assert np.array_equal(matched[0], a + 1) and np.array_equal(matched[1], b + 2)
    assert match_hands([a, a + 3], [a])[1] is None


def test_joints_that_were_not_seen_say_nothing_about_whose_they_are():
    detected = hand() + 1
    detected[:15] = 0
    assert match_hands([hand()], [detected]) == [pytest.approx(detected)]
    assert match_hands([hand()], [np.zeros((21, 2))]) == [None]


def test_intervals_redraw_pictures_with_all_their_hands():
    truth = [hand(i) for i in range(40)]
    found = [t + (i // 2) for i, t in enumerate(truth)]
    in_pairs = joint_errors(truth, found, pictures=[i // 2 for i in range(40)])
    for measure in (mpjpe, lambda errors: pck(errors, 0.1)):
        alone, together = measure(joint_errors(truth, found)), measure(in_pairs)
        assert alone.value == together.value
        assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(2**0.5, rel=0.15)


def test_a_hand_elsewhere_is_no_match():
    assert match_hands([hand()], [hand() + 400]) == [None]


def test_hands_without_truth_are_refused():
    with pytest.raises(InvalidValueError, match="true hand 0 has no extent"):
        joint_errors([np.zeros((21, 2))], [hand()])
    with pytest.raises(NotEnoughDataError, match="there is no hand"):
        joint_errors([], [])
    with pytest.raises(InvalidValueError, match="2 true hands, but 1"):
        joint_errors([hand(), hand()], [hand()])
