"""Limits spend the budget of false alarms where it buys most, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from critic_calibration import spend


def called(values, thresholds):
    return (values >= thresholds).any(1)


def test_what_no_good_hand_reaches_is_found_for_nothing():
    good = np.array([[0.2, 0.1], [0.3, 0.2]])
    bad = np.array([[0.9, 0.0], [0.0, 0.8], [0.25, 0.1]])
    thresholds = spend(good, np.zeros(2, int), bad, np.ones(3), 0.0)
    assert called(bad, thresholds).tolist() == [True, True, False]
    assert not called(good, thresholds).any()
    assert thresholds == pytest.approx([0.6, 0.5])


def test_the_budget_goes_to_the_head_that_finds_more_with_it():
    rng = np.random.default_rng(0)
    good = np.column_stack([rng.uniform(0, 1, 1000), rng.uniform(0, 0.5, 1000)])
    good[:10, 1] = 0.9
    bad = np.column_stack([np.full(100, 0.5), np.full(100, 0.7)])
    thresholds = spend(good, np.zeros(1000, int), bad, np.ones(100), 0.0)
    assert not called(bad, thresholds).any()
    thresholds = spend(good[5:], np.zeros(995, int), bad, np.ones(100), 0.005 + 1e-4)
    assert called(good[5:], thresholds).sum() <= 5
    assert called(bad, thresholds).all()


def test_the_budget_holds_for_each_group_of_good_hands_and_for_all_heads_together():
    rng = np.random.default_rng(1)
    good, group = rng.uniform(size=(600, 5)), np.repeat([0, 1], [400, 200])
    bad = rng.uniform(size=(300, 5)) ** 0.5
    thresholds = spend(good, group, bad, np.ones(300), 0.05)
    alarms = np.bincount(group[called(good, thresholds)], minlength=2)
    assert (alarms <= [20, 10]).all()
    none = spend(good, group, bad, np.ones(300), 0.0)
    assert called(bad, thresholds).sum() > called(bad, none).sum()
    assert not called(good, none).any()


def test_hands_that_are_worth_more_are_found_first():
    good = np.column_stack([np.linspace(0, 0.99, 100), np.linspace(0, 0.99, 100)[::-1]])
    bad = np.array([[0.95, 0.0], [0.0, 0.95]])
    for worth, found in (([1.0, 9.0], [False, True]), ([9.0, 1.0], [True, False])):
        thresholds = spend(good, np.zeros(100, int), bad, np.array(worth), 0.05)
        assert called(bad, thresholds).tolist() == found


def test_a_budget_that_must_hold_for_hands_to_come_is_spent_more_carefully():
    rng = np.random.default_rng(2)
    good, bad = rng.uniform(size=(1000, 3)), rng.uniform(size=(300, 3)) ** 0.5
    group = np.zeros(1000, int)
    plain = spend(good, group, bad, np.ones(300), 0.02)
    careful = spend(good, group, bad, np.ones(300), 0.02, 0.9)
    assert called(good, careful).sum() < called(good, plain).sum() <= 20
    few = spend(good[:40], group[:40], bad, np.ones(300), 0.02, 0.9)
    assert not called(good[:40], few).any()
