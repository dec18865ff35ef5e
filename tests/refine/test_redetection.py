from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.perception.fit.hand_fit import fit_hand
from handwright.refine import redetection
from tests.drawn import SIZE

BLIND = None
LIMIT = redetection.PARAMS.max_distance


@pytest.fixture
def fit(one):
    return fit_hand(one.observation(), SIZE, SIZE)


def joint_error(one, fit) -> tuple[bool, float]:
    """Whether the hand is found again, and its joint error."""
    again = redetection.measure_redetection(one.pixels, one.observation(), fit, BLIND)
    return again.analysis is not None, again.joint_error


def test_a_hand_seen_where_it_is_has_no_joint_error(one, fit, models):
    found, error = joint_error(one, fit)
    assert found
    assert error < 1e-6


def test_a_miss_counts_as_100_percent(one, fit, models):
    models.again = lambda wanted, pixels: None
    assert joint_error(one, fit) == (False, 1.0)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_a_hand_seen_beside_itself_is_off_by_that_share_of_its_size(one, fit, models, share):
    shift = share * np.ptp(one.landmarks_px, axis=0).max()
    models.again = lambda wanted, pixels: replace(
        wanted, landmarks_px=wanted.landmarks_px + np.array([shift, 0])
    )
    found, error = joint_error(one, fit)
    assert found
    assert error == pytest.approx(share, rel=0.35)


def test_the_error_never_exceeds_100_percent(one, fit, models):
    models.again = lambda wanted, pixels: replace(wanted, landmarks_px=wanted.landmarks_px + 5 * SIZE)
    assert joint_error(one, fit) == (True, 1.0)


def test_a_flipped_label_in_the_second_look_is_no_error(one, fit, models):
    models.again = lambda wanted, pixels: replace(wanted, side="left")
    assert joint_error(one, fit)[1] < 1e-6


def test_another_hand_far_away_is_not_this_one(one, monkeypatch):
    size = np.ptp(one.landmarks_px, axis=0).max()
    for shift, same in ((0.95 * LIMIT, True), (1.05 * LIMIT, False)):
        seen = one.observation(landmarks_px=one.landmarks_px + np.array([shift * size, 0]))
        monkeypatch.setattr(
            redetection, "confirm_candidates", lambda pixels, hands, landmarker, seen=seen: [seen]
        )
        assert (redetection.redetect_hand(one.pixels, one.observation(), BLIND) is seen) == same
    monkeypatch.setattr(redetection, "confirm_candidates", lambda pixels, hands, landmarker: [])
    assert redetection.redetect_hand(one.pixels, one.observation(), BLIND) is None
