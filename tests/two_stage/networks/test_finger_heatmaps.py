"""Ten channels, a finger each: spots stand where landmarks are, and nowhere else."""

import numpy as np
import pytest

from handwright.two_stage.networks.finger_heatmaps import CHANNELS, PARAMS, finger_heatmaps

SIDE = 128


@pytest.fixture(name="points")
def _points():
    return np.random.default_rng(0).uniform(8, SIDE - 8, (21, 2)).round() + 0.5


def test_each_channel_is_one_at_its_fingers_points_and_at_the_wrist(points):
    maps = finger_heatmaps({"right": points}, SIDE)
    assert maps.shape == (CHANNELS, SIDE, SIDE)
    assert maps.dtype == np.float32
    assert not maps[:5].any()
    for finger in range(5):
        for x, y in points[[0, *range(1 + 4 * finger, 5 + 4 * finger)]] - 0.5:
            assert maps[5 + finger, int(y), int(x)] == pytest.approx(1)


def test_a_finger_does_not_show_in_anothers_channel(points):
    moved = points.copy()
    moved[5:9] += 7  # The index finger alone
    before, after = finger_heatmaps({"left": points}, SIDE), finger_heatmaps({"left": moved}, SIDE)
    assert [k for k in range(CHANNELS) if not np.array_equal(before[k], after[k])] == [1]


def test_a_spot_falls_off_as_a_gaussian_whose_spread_is_a_share_of_the_side():
    points = np.full((21, 2), SIDE / 2 + 0.5)
    row = finger_heatmaps({"left": points}, SIDE)[0, SIDE // 2]
    spread = PARAMS.spread * SIDE
    assert spread == SIDE / 64
    assert row[SIDE // 2 + round(spread)] == pytest.approx(np.exp(-0.5), abs=1e-6)


def test_both_hands_have_their_own_channels_and_unseen_points_lower_spots(points):
    maps = finger_heatmaps({"left": points, "right": points}, SIDE, {"right": np.full(21, 0.25)})
    assert np.allclose(0.25 * maps[:5], maps[5:], atol=1e-6)


def test_points_outside_the_crop_leave_no_spot(points):
    assert finger_heatmaps({"left": points + 10 * SIDE}, SIDE).max() < 1e-6
