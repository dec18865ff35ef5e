"""Pasted hands come as near to their face's tone as hands are, and take their arms' at the wrist."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.image.compositing import lab_of
from handwright.perception.body.body_pose import ELBOWS, FACE, HANDS, BodyPose
from handwright.two_stage.skin_tones import LIKE_FACES, in_skin_tones
from handwright.types import Side

HAND, ARM, BLUE = (200, 150, 120), (155, 112, 88), (40, 60, 160)
SIDE_PX = 160
WRIST, LENGTH, HALF = 100, 40, 14  # Row of the wrist, length from there to the knuckles, half a hand's width
MIDDLE: dict[Side, int] = {"left": 120, "right": 40}


def pose_of(*sides: Side, elbow: bool = True) -> BodyPose:
    """Hands that point up, their arms below them."""
    points = np.zeros((133, 2))
    for side in sides:
        hand = points[HANDS[side]]
        hand[:] = [(MIDDLE[side] + 4 * (k % 5 - 2), WRIST - LENGTH - 10 - k) for k in range(21)]
        hand[0] = MIDDLE[side], WRIST
        hand[[5, 9, 13, 17]] = [(MIDDLE[side] + x, WRIST - LENGTH) for x in (-8, -3, 3, 8)]
        if elbow:
            points[ELBOWS[side]] = MIDDLE[side], WRIST + 50
    return BodyPose(points, (points != 0).any(1).astype(float))


def scene(*sides: Side, arm: tuple[int, int, int] = ARM) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Canvas with hands, picture with arms, and how far hands cover."""
    canvas = np.full((SIDE_PX, SIDE_PX, 3), 127, np.uint8)
    picture, skin = canvas.copy(), np.zeros((SIDE_PX, SIDE_PX))
    for side in sides:
        columns = slice(MIDDLE[side] - HALF, MIDDLE[side] + HALF)
        canvas[WRIST - 90 : WRIST, columns], skin[WRIST - 90 : WRIST, columns] = HAND, 1.0
        picture[WRIST:, columns] = arm
    return canvas, picture, skin


def test_tone_is_the_arm_s_at_the_wrist_and_the_hand_s_own_from_the_knuckles_on() -> None:
    canvas, picture, skin = scene("right")
    toned = in_skin_tones(canvas, picture, skin, pose_of("right"))
    middle = MIDDLE["right"]
    assert np.abs(toned[WRIST - 1, middle].astype(int) - ARM).max() <= 6
    assert (
        toned[: WRIST - LENGTH, middle - HALF : middle + HALF]
        == canvas[: WRIST - LENGTH, middle - HALF : middle + HALF]
    ).all()
    steps = np.diff(toned[WRIST - LENGTH : WRIST, middle].astype(int), axis=0)
    assert (steps <= 0).all()  # darker towards the dark arm, without a jump
    assert np.abs(steps).max() < 12
    assert (toned[skin == 0] == canvas[skin == 0]).all()


@pytest.mark.parametrize("arm", [BLUE, (250, 250, 250), (10, 10, 10)])
def test_a_sleeve_tones_nothing(arm: tuple[int, int, int]) -> None:
    canvas, picture, skin = scene("right", arm=arm)
    assert (in_skin_tones(canvas, picture, skin, pose_of("right")) == canvas).all()


def test_without_an_elbow_or_an_arm_in_view_nothing_changes() -> None:
    canvas, picture, skin = scene("right")
    assert (in_skin_tones(canvas, picture, skin, pose_of("right", elbow=False)) == canvas).all()
    covered = np.ones_like(skin)
    assert (in_skin_tones(canvas, picture, covered, pose_of("right")) == canvas).all()


def test_things_and_the_other_hand_keep_their_colours() -> None:
    """The left arm is a sleeve; a thing lies across the right hand's wrist."""
    canvas, picture, skin = scene("left", "right")
    picture[WRIST:, MIDDLE["left"] - HALF : MIDDLE["left"] + HALF] = BLUE
    thing = np.s_[WRIST - 6 : WRIST - 2, MIDDLE["right"] - 4 : MIDDLE["right"] + 4]
    canvas[thing], skin[thing] = (0, 200, 0), 0.0
    toned = in_skin_tones(canvas, picture, skin, pose_of("left", "right"))
    assert (toned[:, SIDE_PX // 2 :] == canvas[:, SIDE_PX // 2 :]).all()
    assert (toned[thing] == canvas[thing]).all()
    assert (toned != canvas).any()


def with_face(pose: BodyPose) -> BodyPose:
    """The same pose with a face of 40 px at the upper edge, between the hands."""
    points, middle = pose.points_px.copy(), np.array([80.0, 24.0])
    angles = np.linspace(0, np.pi, 17)
    jaw = middle + 20 * np.stack((-np.cos(angles), np.sin(angles)), 1)
    nose = np.stack((np.linspace(76, 84, 9), np.linspace(20, 28, 9)), 1)
    nose[3] = middle
    points[FACE] = np.concatenate([jaw, np.tile(middle, (10, 1)), nose, np.tile(middle, (32, 1))])
    return BodyPose(points, (points != 0).any(1).astype(float))


def faced(hand: tuple[int, int, int], face: tuple[int, int, int]) -> tuple[np.ndarray, ...]:
    """Canvas, picture and cover of a hand of one colour, light on one half, before a face of another."""
    canvas, picture, skin = scene("right", arm=BLUE)
    canvas[skin > 0] = hand
    canvas[:, : MIDDLE["right"] - 4] = np.where(
        skin[:, : MIDDLE["right"] - 4, None] > 0, np.array(hand) * 8 // 10, 127
    )
    picture[:48, 56:104] = face
    return canvas, picture, skin


@pytest.mark.parametrize("hand", [(110, 122, 106), (205, 172, 155), (85, 62, 50)])
def test_a_hand_unlike_its_face_comes_as_near_to_it_as_hands_are(hand: tuple[int, int, int]) -> None:
    """Greenish, light and dark hands of a person with a brown face."""
    canvas, picture, skin = faced(hand, ARM)
    toned = in_skin_tones(canvas, picture, skin, with_face(pose_of("right")))
    before, after, face = (
        np.median(lab_of(one[where][None])[0], 0)
        for one, where in ((canvas, skin > 0), (toned, skin > 0), (np.full_like(canvas, ARM), skin > 0))
    )
    assert ((before - face < LIKE_FACES[0]) | (before - face > LIKE_FACES[1])).any()
    assert (after - face > LIKE_FACES[0] - 1.5).all()
    assert (after - face < LIKE_FACES[1] + 1.5).all()
    assert toned[40, MIDDLE["right"] - 8].mean() < toned[40, MIDDLE["right"] + 8].mean()  # Its shading stays
    assert (toned[skin == 0] == canvas[skin == 0]).all()


def test_a_hand_like_its_face_stays_and_so_does_one_beside_what_is_no_face() -> None:
    canvas, picture, skin = faced((165, 122, 98), ARM)
    pose = with_face(pose_of("right"))
    assert np.abs(in_skin_tones(canvas, picture, skin, pose).astype(int) - canvas).max() <= 1
    for face in (BLUE, (128, 128, 128)):
        canvas, picture, skin = faced((110, 122, 106), face)
        assert (in_skin_tones(canvas, picture, skin, pose) == canvas).all()
    covered = skin.copy()
    covered[:48, 56:104] = 1  # The hand is held before the face
    canvas, picture, _ = faced((110, 122, 106), ARM)
    unseen = in_skin_tones(canvas, picture, covered, with_face(pose_of("right", elbow=False)))
    assert (unseen == canvas).all()


def test_a_sleeve_of_a_tone_of_skin_that_is_not_the_face_s_tones_nothing() -> None:
    """What is as near the face as arms are, or is seen without a face, is taken for an arm."""
    sleeve = (170, 72, 50)
    canvas, picture, skin = scene("right", arm=sleeve)
    pose = with_face(pose_of("right"))
    assert (in_skin_tones(canvas, picture, skin, pose) != canvas).any()  # No face is seen
    picture[:48, 56:104] = HAND
    assert (in_skin_tones(canvas, picture, skin, pose) == canvas).all()
    picture[WRIST:, MIDDLE["right"] - HALF : MIDDLE["right"] + HALF] = ARM
    assert (in_skin_tones(canvas, picture, skin, pose) != canvas).any()
