"""An edited depth image decides what is nearer."""

import numpy as np
import pytest

from handwright.errors import HandsFileError
from handwright.hand.depth import depth_control
from handwright.hand.kinematics import hand_landmarks_m, pose_of_dofs
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.fit.landmark_weights import with_depth
from handwright.types import Camera, Hand, HandObservation

SIZE = 256


def bent_hand() -> Hand:
    dofs = np.zeros(24)
    dofs[7::4][:4] = 0.9
    pose, arch = pose_of_dofs(dofs)
    camera = Camera(1.2 * SIZE, (SIZE / 2, SIZE / 2))
    wrist, place = np.array([np.pi, 0.0, 0.0]), np.array([0.0, 0.06, 0.45])
    return Hand(
        pose=pose,
        palm_arch=arch,
        wrist=wrist,
        translation_m=place,
        shape=np.zeros(9),
        side="right",
        camera=camera,
    )


def seen(hand: Hand, depth_px: np.ndarray) -> HandObservation:
    landmarks = hand.camera.project(hand_landmarks_m(hand))
    return HandObservation(
        landmarks_px=landmarks, depth_px=depth_px, side="right", score=1.0, found_by="test"
    )


def test_depth_lost_by_the_detector_comes_back_from_the_image():
    hand = bent_hand()
    z = hand_landmarks_m(hand)[:, 2]
    truth = z * hand.camera.focal_px / z.mean()
    flat = seen(hand, np.zeros(21))
    image = depth_control([hand], SIZE, SIZE).depth
    read = with_depth(flat, fit_hand(seen(hand, truth), SIZE, SIZE), image).depth_px
    order = np.corrcoef(read, truth)[0, 1]
    assert order > 0.9


def test_an_image_without_a_hand_is_refused_in_words():
    hand = bent_hand()
    observation = seen(hand, np.zeros(21))
    fit = fit_hand(observation, SIZE, SIZE)
    with pytest.raises(HandsFileError, match="depth image is empty"):
        with_depth(observation, fit, np.zeros((SIZE, SIZE), np.uint8))
