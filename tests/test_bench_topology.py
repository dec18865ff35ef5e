"""``bench/topology.py``: how far two fingers press into each other, in closed form and on posed hands."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import topology
from handwright.hand.anatomy import DOF_NAMES
from handwright.hand.kinematics import pose_of_dofs
from tests.drawn import flat_hand
from topology import THROUGH, check, overlap_of_fingers


class Fixed:
    """Landmarks of a hand of which only thumb and index finger are near each other."""

    def __init__(self, thumb, index):
        self.landmarks_cam_m = np.arange(63, dtype=float).reshape(21, 3) * 10
        self.landmarks_cam_m[2:5], self.landmarks_cam_m[6:9] = thumb, index


def overlap(monkeypatch, thumb, index, radius=1.0):
    monkeypatch.setattr(topology, "mesh_of", lambda _: Fixed(np.array(thumb), np.array(index)))
    monkeypatch.setattr(topology, "finger_radii_m", lambda _: np.full(5, radius))
    return overlap_of_fingers(flat_hand())


def test_overlap_is_what_two_round_fingers_share_of_their_thickness(monkeypatch):
    straight = [[-5.0, 0, 0], [0, 0, 0], [5, 0, 0]]
    for height, expected in ((0.0, 1.0), (0.5, 0.75), (1.0, 0.5), (2.0, 0.0), (3.0, 0.0)):
        across = [[0, -5.0, height], [0, 0, height], [0, 5, height]]
        assert overlap(monkeypatch, straight, across) == pytest.approx(expected)


def test_tips_that_meet_do_not_go_through_each_other(monkeypatch):
    thumb, index = [[-5.0, 0, 0], [-3, 0, 0], [0, 0, 0]], [[5.0, 0, 0], [3, 0, 0], [0, 0, 0]]
    assert overlap(monkeypatch, thumb, index) == pytest.approx(0.0, abs=1e-9)
    sunk = [[-5.0, 0, 0], [-3, 0, 0], [1.5, 0, 0]]
    assert 0.5 < overlap(monkeypatch, sunk, index) <= 1


def bent(**degrees):
    dofs = np.zeros(len(DOF_NAMES))
    for name, value in degrees.items():
        dofs[DOF_NAMES.index(name)] = np.radians(value)
    pose, arch = pose_of_dofs(dofs)
    return replace(flat_hand(), pose=pose, palm_arch=arch)


def test_a_flat_hand_is_right_and_one_whose_fingers_cross_is_not():
    assert check(flat_hand(), 200, 200).wrong == ()
    apart, crossed = (
        bent(ring_mcp_abduction=sign * 22.0, pinky_mcp_abduction=-sign * 22.0) for sign in (-1, 1)
    )
    assert "finger through finger" not in check(apart, 200, 200).wrong
    assert overlap_of_fingers(crossed) > THROUGH
    assert "finger through finger" in check(crossed, 200, 200).wrong


@pytest.mark.parametrize(("more", "wrong"), [(-0.001, False), (0.001, True)])
def test_fingers_go_through_each_other_from_the_limit_on(more, wrong, monkeypatch):
    monkeypatch.setattr(topology, "overlap_of_fingers", lambda _: THROUGH + more)
    assert ("finger through finger" in check(flat_hand(), 200, 200).wrong) is wrong
