"""Which fingers are not believed."""

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.kinematics import hand_landmarks_m, pose_of_dofs
from handwright.perception.fit.hand_fit import fit_hand, fit_of_given_hand
from handwright.perception.fit.landmark_weights import bunched_finger_weights, misfit_finger_weights
from handwright.types import Camera, Hand, HandObservation

SIZE = 512


def flat_hand(**bends: float) -> Hand:
    dofs = np.zeros(24)
    for finger, bend in bends.items():
        first = 6 + 4 * ("index", "middle", "ring", "pinky").index(finger)
        dofs[first + 1 : first + 4] = bend * np.array([1.0, 1.2, 0.7])
    pose, arch = pose_of_dofs(dofs)
    camera = Camera(1.2 * SIZE, (SIZE / 2, SIZE / 2))
    return Hand(
        pose=pose,
        palm_arch=arch,
        wrist=np.array([np.pi, 0.0, 0.0]),
        translation_m=np.array([0, 0.07, 0.45]),
        shape=np.zeros(9),
        side="right",
        camera=camera,
    )


def observe(hand: Hand) -> HandObservation:
    points = hand_landmarks_m(hand)
    z = (points[:, 2] - points[:, 2].mean()) * hand.camera.focal_px / points[:, 2].mean()
    return HandObservation(
        landmarks_px=hand.camera.project(points), depth_px=z, side="right", score=1.0, found_by="test"
    )


def bunched(seen: HandObservation, finger: int) -> HandObservation:
    """The finger's landmarks gathered at its knuckle, as a detector does with a finger that is missing."""
    landmarks = seen.landmarks_px.copy()
    knuckle = landmarks[5 + 4 * finger]
    for k in range(1, 4):
        landmarks[5 + 4 * finger + k] = knuckle + 0.2 * (landmarks[5 + 4 * finger + k] - knuckle)
    return replace(seen, landmarks_px=landmarks)


def test_an_open_hand_has_full_weights():
    assert (bunched_finger_weights(observe(flat_hand())) == 1).all()


@pytest.mark.parametrize("finger", [1, 2, 3])
def test_a_finger_bunched_between_straight_ones_has_low_weights(finger):
    weights = bunched_finger_weights(bunched(observe(flat_hand()), finger))
    beyond = np.zeros(21, bool)
    beyond[6 + 4 * finger : 9 + 4 * finger] = True
    assert (weights[beyond] < 0.1).all()
    assert (weights[~beyond] == 1).all()


def test_a_finger_held_down_by_the_thumb_has_full_weights():
    seen = bunched(observe(flat_hand()), 3)
    landmarks = seen.landmarks_px.copy()
    landmarks[4] = landmarks[20] + 3.0
    assert (bunched_finger_weights(replace(seen, landmarks_px=landmarks)) == 1).all()


def test_a_fist_has_full_weights():
    fist = flat_hand(index=1.3, middle=1.3, ring=1.3, pinky=1.3)
    assert (bunched_finger_weights(observe(fist)) == 1).all()


@pytest.mark.parametrize("finger", [1, 2])
def test_a_missing_finger_is_fitted_beside_its_neighbours(finger):
    hand = flat_hand()
    truth = observe(hand)
    fit = fit_hand(bunched(truth, finger), SIZE, SIZE)
    tip = 8 + 4 * finger
    miss = np.linalg.norm(fit.landmarks_px[tip] - truth.landmarks_px[tip]) / truth.size_px
    assert miss < 0.15


def test_a_finger_where_no_finger_can_be_is_a_misfit():
    hand = flat_hand()
    seen = observe(hand)
    landmarks = seen.landmarks_px.copy()
    landmarks[10:13] += 0.2 * seen.size_px
    astray = replace(seen, landmarks_px=landmarks)
    weights = misfit_finger_weights(astray, fit_of_given_hand(astray, hand))
    assert (weights[10:13] < 0.1).all()
    assert (weights[13:] == 1).all()
