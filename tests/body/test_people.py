"""The synthetic world's people as SMPL-H's numbers: how much joints, hands and skin move."""

import numpy as np
import pytest

from handwright.body import BodyParameters, excess_of, pose_body, skin_of
from handwright.data.people.figure.hand_graft import TO_CAMERA, rest_vertices_m
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import bone
from handwright.data.people.parameters import HEAD_BONES, betas_of, parameters_of
from handwright.data.people.setup import PersonSetup, draw_setup
from handwright.hand.kinematics import hand_landmarks_m


@pytest.fixture(scope="module")
def people() -> list[tuple[PersonSetup, BodyParameters]]:
    """Four people with their parameters."""
    found: list[tuple[PersonSetup, BodyParameters]] = []
    for index in range(4):
        setup = draw_setup(np.random.default_rng([3, index, 44]), 64)
        someone = setup.someone
        betas = betas_of(rest_vertices_m(setup.build))
        found.append((setup, parameters_of(someone.stance, someone.hands, someone.place_m, betas, 64)))
    return found


def test_joints_move_less_than_a_centimetre(people: list[tuple[PersonSetup, BodyParameters]]) -> None:
    """12 people of seed 3: mean 2.0 mm, worst 7.8 mm (a wrist); chains of bones became one joint each."""
    for setup, parameters in people:
        heads = setup.someone.stance.bones.heads_m
        hips = (heads[bone("upperleg01.L")] + heads[bone("upperleg01.R")]) / 2
        true = np.array([hips if name is None else heads[bone(name)] for name in HEAD_BONES])
        true = true @ TO_CAMERA + setup.someone.place_m
        away = np.linalg.norm(true - pose_body(parameters).joints_cam_m, axis=1)
        assert away.mean() < 0.004
        assert away.max() < 0.01


def test_hands_keep_pose_and_move_less_than_a_centimetre(
    people: list[tuple[PersonSetup, BodyParameters]],
) -> None:
    """Landmarks: mean 3.7 mm over 24 hands; about the wrist they are exact but for the hand's size."""
    for setup, parameters in people:
        hands = pose_body(parameters).hands
        for hand in setup.someone.hands:
            before, after = hand_landmarks_m(hand), hand_landmarks_m(hands[hand.side])
            assert np.linalg.norm(before - after, axis=1).mean() < 0.01
            scale = np.linalg.norm(after[9] - after[0]) / np.linalg.norm(before[9] - before[0])
            np.testing.assert_allclose((before - before[0]) * scale, after - after[0], atol=5e-4)


def test_skin_lies_about_where_it_was(people: list[tuple[PersonSetup, BodyParameters]]) -> None:
    """8.3 mm in the mean over 12 people: forearms twist at the elbow alone, and ten numbers are a shape."""
    for setup, parameters in people:
        away = skin_of(parameters)[:SKIN_VERTICES] - setup.someone.skin_m()[:SKIN_VERTICES]
        assert np.linalg.norm(away, axis=1).mean() < 0.013


def test_everyone_is_within_anatomical_limits(people: list[tuple[PersonSetup, BodyParameters]]) -> None:
    """The limits hold what the world's arms can do."""
    for _, parameters in people:
        assert not excess_of(parameters).beyond()
