"""Someone in a given pose: points go where they are wanted, given hands are seen exactly as they were."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from handwright.data.people.figure.hand_graft import TO_CAMERA, draw_build, rest_vertices_m
from handwright.data.people.figure.mesh_cutting import bone, pose_bones, rest_heads_m
from handwright.data.people.in_pose.appearance import draw_appearance
from handwright.data.people.in_pose.picture import PosedPicture, picture_in_pose
from handwright.data.people.in_pose.trunk import fit_trunk
from handwright.data.people.posture.reach import turn_between
from handwright.data.people.sample import render_person
from handwright.hand.depth import depth_control
from handwright.hand.rig import axis_angle_matrix
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.perception.fit.hand_fit import fit_hand, picture_camera
from handwright.types import Hand, HandObservation, Side

SIZE, SEED = 192, 7207


@cache
def posed() -> tuple[BodyPose, dict[Side, Hand], PosedPicture]:
    truth = render_person(SEED, 1, SIZE).person.wholebody
    pose = BodyPose.from_wholebody(truth)
    hands: dict[Side, Hand] = {}
    for side, part in HANDS.items():
        if (truth[part, 2] > 0).all():
            seen = HandObservation(
                landmarks_px=truth[part, :2].copy(),
                depth_px=np.zeros(21),
                side=side,
                score=1.0,
                found_by="file",
            )
            hands[side] = fit_hand(seen, SIZE, SIZE).hand
    picture = picture_in_pose(pose, hands, SIZE, SIZE, "a woman outdoors", np.random.default_rng(1))
    return pose, hands, picture


def test_joints_lie_on_their_points() -> None:
    pose, hands, picture = posed()
    assert hands
    known = pose.known[5:17]
    wide = np.linalg.norm(pose.points_px[5] - pose.points_px[6])
    off = np.linalg.norm(picture.joints_px - pose.points_px[5:17], axis=1)[known] / wide
    assert off.mean() < 0.1
    assert off.max() < 0.25


def test_a_given_hand_is_seen_where_it_was_fitted() -> None:
    _, hands, picture = posed()
    for side, hand in hands.items():
        wanted = depth_control([hand], SIZE, SIZE).hand_id >= 0
        shown = picture.hands[side]
        assert (wanted & shown).sum() / shown.sum() > 0.85
        assert picture.person[shown].all()


def test_the_same_state_gives_the_same_picture_and_the_prompt_chooses() -> None:
    pose, hands, picture = posed()
    again = picture_in_pose(pose, hands, SIZE, SIZE, "a woman outdoors", np.random.default_rng(1))
    assert np.array_equal(again.pixels, picture.pixels)
    assert "woman" in picture.words
    assert "in a garden" in picture.words


@pytest.mark.parametrize("words", ["an old man in a green shirt", "a girl", "a young woman with curly hair"])
def test_looks_share_the_prompts_words(words: str) -> None:
    shown = draw_appearance(words, np.random.default_rng(5), 64).words
    for word in {"man", "green", "girl", "woman", "curly"} & set(words.split()):
        assert word in shown.split(",")[0] or word in shown


@pytest.mark.parametrize(
    ("prompt", "worn"),
    [
        ("a cheerful man in a yellow shirt waving at a market", "yellow shirt"),
        ("a tall woman in a green dress counting to three", "green dress"),
        ("a woman in a white t-shirt and blue jeans", "white T-shirt"),
        ("a man in white trousers and a purple jumper", "purple sweater"),
        ("an old woman with long grey hair", "long grey hair"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_colour_is_that_of_the_garment_it_is_said_of(prompt: str, worn: str, seed: int) -> None:
    drawn = draw_appearance(prompt, np.random.default_rng(seed), 64)
    parts = [*drawn.outfit.words, drawn.hair.words]
    noun = worn.split()[-1]
    (found,) = [part for part in parts if part.split()[-1] == noun]
    assert set(worn.split()) <= set(found.split())


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("a fist in front of a brick wall", "brick"),
        ("a man waving at a market", "street"),
        ("a hiker in the woods", "garden"),
        ("a woman in a kitchen", "tiles"),
    ],
)
def test_places_of_prompts_are_drawn_as_the_nearest_there_is(prompt: str, place: str) -> None:
    assert draw_appearance(prompt, np.random.default_rng(4), 64).place.name == place


def test_the_trunk_of_a_known_turn_is_found() -> None:
    rng = np.random.default_rng(3)
    vertices = rest_vertices_m(draw_build(rng, "young"))
    heads = rest_heads_m(vertices)
    wanted = np.deg2rad(25.0)
    body = pose_bones(heads, {"root": axis_angle_matrix(np.array([0.0, wanted, 0.0]))})
    camera = picture_camera(400, 400)
    place = np.array([0.05, 1.25, 2.4])
    names = ("upperarm01.L", "upperarm01.R", "upperleg01.L", "upperleg01.R")
    joints = camera.project(body.heads_m[[bone(name) for name in names]] @ TO_CAMERA + place)
    points = np.zeros((133, 2))
    points[[5, 6, 11, 12]] = joints
    found = fit_trunk(BodyPose(points, (points > 0).any(1).astype(float)), vertices, heads, camera)
    turn = found.posed.turns[bone("root")]
    assert abs(float(np.rad2deg(np.arctan2(turn[0, 2], turn[2, 2])))) == pytest.approx(25, abs=9)
    assert found.error_px < 2.0


def test_the_least_turn_between_two_directions() -> None:
    a, b = np.array([1.0, 0, 0]), np.array([0, 0.6, 0.8])
    turn = turn_between(a, b)
    assert np.allclose(turn @ a, b)
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.allclose(turn_between(a, a), np.eye(3))
