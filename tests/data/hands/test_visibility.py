"""A bend backwards shows across the finger's own direction, and not where it is foreshortened or hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.data.hands.defects.fingers import bend_shows
from handwright.data.hands.defects.generators import GENERATORS, SHOWN_EDGEWAYS, add_defect
from handwright.data.hands.setup import draw_setup
from handwright.hand.anatomy import FINGERS, SHAPE_NAMES
from handwright.hand.kinematics import dofs_of_pose, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Camera, Hand

INDEX = 1


def open_hand(yaw_deg):
    """The mean hand upright before the camera, its palm towards it at 0°, an edge at 90°."""
    upright = axis_angle_matrix(np.array([np.pi, 0.0, 0.0]))
    wrist = axis_angle_matrix(np.array([0.0, np.deg2rad(yaw_deg), 0.0])) @ upright
    return Hand(
        pose=np.zeros((15, 3)),
        palm_arch=np.zeros(2),
        wrist=matrix_axis_angle(wrist),
        translation_m=np.array([0.0, 0.08, 0.6]),
        shape=np.zeros(len(SHAPE_NAMES)),
        side="right",
        camera=Camera(614.4, (256.0, 256.0)),
    )


def bent(hand, degrees, finger=INDEX):
    """The hand with a finger's knuckle bent backwards."""
    dofs = dofs_of_pose(hand.pose, hand.palm_arch)
    dofs[6 + 4 * (finger - 1) + 1] = -np.deg2rad(degrees)
    pose, arch = pose_of_dofs(dofs)
    return replace(hand, pose=pose, palm_arch=arch)


def test_seen_from_the_edge_it_bend_shows_and_from_the_palm_it_does_not():
    edge, palm = open_hand(yaw_deg=80.0), open_hand(yaw_deg=0.0)
    assert bend_shows(edge, bent(edge, 70), INDEX)[0]
    shows, across = bend_shows(palm, bent(palm, 70), INDEX)
    assert not shows
    assert across < 0.06


def test_a_small_bend_does_not_count():
    edge = open_hand(yaw_deg=80.0)
    assert not bend_shows(edge, bent(edge, 3), INDEX)[0]
    assert bend_shows(edge, bent(edge, 70), INDEX)[1] > bend_shows(edge, bent(edge, 30), INDEX)[1]


@pytest.mark.parametrize("generator", [0, 1, 2])
def test_most_of_the_worlds_bends_show(generator):
    rng, shown = np.random.default_rng(generator), []
    for _ in range(30):
        setup = draw_setup(rng, 128, showing=True, edgeways=True)
        malformed = add_defect(setup, SHOWN_EDGEWAYS[0], generator, rng)
        (finger,) = malformed.labels[0].fingers
        hands = setup.hands[0].posed.hand, malformed.hands[0].posed.hand
        shown.append(bend_shows(*hands, FINGERS.index(finger))[0])
    assert np.mean(shown) >= (0.8, 0.8, 0.35)[generator]
    assert len(GENERATORS["overbent"]) == 3
