"""Seen joints: the angles that went into a pose come out of its landmarks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.anatomy import DOF_NAMES
from handwright.hand.kinematics import pose_of_dofs
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.review.checks.joint_bending import PARAMS, check_joints, limits_deg, observed_joints
from tests.drawn import flat_hand, shoot
from tests.review.drawn import evidence_of, seen


def posed(side="right", **degrees):
    dofs = np.zeros(24)
    for name, value in degrees.items():
        dofs[DOF_NAMES.index(name)] = np.deg2rad(value)
    pose, arch = pose_of_dofs(dofs)
    return replace(flat_hand(side=side), pose=pose, palm_arch=arch)


def angles(hand, of=None):
    """By finger and joint what is seen of a hand, in the frame of another (default: itself)."""
    observation = seen(hand)
    fit = fit_of_given_hand(observation, of or hand)
    return {(j.finger, j.joint): j for j in observed_joints(observation, fit)}


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("name", "joint"), [("pip", "middle joint"), ("dip", "end joint")])
def test_what_a_joint_was_bent_by_is_what_is_seen(side, name, joint):
    at_rest = angles(posed(side))[("middle", joint)].flexion_deg
    for turn in (-40, 30, 60):
        bent = angles(posed(side, **{f"middle_{name}_flexion": turn}))[("middle", joint)]
        assert bent.flexion_deg - at_rest == pytest.approx(turn, abs=10)
        assert bent.sideways_deg < 8


def test_a_joint_turned_out_of_its_plane_is_seen_sideways():
    straight = angles(posed())[("ring", "knuckle")].sideways_deg
    spread = angles(posed(ring_mcp_abduction=40), of=posed())[("ring", "knuckle")].sideways_deg
    assert spread - straight == pytest.approx(40, abs=10)


def test_a_flat_hand_seen_from_the_front_shows_sideways_bends_and_hides_flexions():
    for joint in angles(posed()).values():
        if joint.finger != "thumb":
            assert joint.sideways_in_plane > 0.9
            assert joint.flexion_in_plane < 0.5


def test_limits_are_the_anatomical_ones_with_the_stated_slack():
    joint = angles(posed())[("index", "middle joint")]
    assert limits_deg(joint) == pytest.approx((-12 - PARAMS.slack_deg, 105 + PARAMS.slack_deg))


def test_a_sound_hand_passes_and_a_finger_bent_sideways_fails_where_it_is():
    shot = shoot(grain=2.5)
    assert check_joints(evidence_of(shot)).verdict == "pass"
    points, truth = seen(shot.hand).landmarks_px.copy(), seen(shot.hand).landmarks_px
    pivot = truth[10]
    turn = np.deg2rad(-75)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points[[11, 12]] = (truth[[11, 12]] - pivot) @ matrix.T + pivot
    odd = replace(seen(shot.hand), landmarks_px=points)
    hand = replace(evidence_of(shot), observation=odd)
    vars(hand)["fit"] = fit_of_given_hand(odd, shot.hand)
    check = check_joints(hand)
    assert check.verdict == "fail"
    assert "sideways" in check.reason
    assert check.value["worst"]["finger"] == "middle"
    assert np.linalg.norm(np.array(check.where.points_px[0]) - pivot) < 0.3 * shot.hand_px
