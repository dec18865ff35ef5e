"""The pose grammar: what is said is posed, what is posed is said, and texts are read back."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import DOF_LIMITS_RAD
from handwright.hand.grammar import (
    NAMED,
    ORIENTATIONS,
    PoseWords,
    StatedPose,
    angles_of,
    counting,
    describe,
    names_of,
    orientation_of,
    parse_pose_text,
    parse_pose_words,
    words_of,
    wrist_of,
)
from handwright.hand.grammar.named import NAMED_SETS
from handwright.hand.grammar.words import BENDS, GAPS, THUMBS, stated_gaps
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle

bends = st.tuples(*[st.sampled_from(BENDS)] * 4)
free_words = st.builds(
    lambda bent, thumb, fingers, gaps, side, at: PoseWords(
        thumb_bent=bent,
        thumb=thumb,
        fingers=fingers,
        gaps=stated_gaps(fingers, gaps),
        contacts=(),
        palm=at and at[0],
        points=at and at[1],
        side=side,
    ),
    st.booleans(),
    st.sampled_from(THUMBS),
    bends,
    st.tuples(*[st.sampled_from(GAPS)] * 3),
    st.sampled_from([None, "left", "right"]),
    st.sampled_from([None, *ORIENTATIONS]),
)


@pytest.mark.parametrize("name", NAMED)
def test_a_named_pose_is_recognised_from_its_angles(name: str):
    words = NAMED[name]
    dofs = angles_of(words)
    assert (dofs >= DOF_LIMITS_RAD[:, 0]).all()
    assert (dofs <= DOF_LIMITS_RAD[:, 1]).all()
    said = replace(words_of(dofs), palm=words.palm, points=words.points)
    assert said == words
    assert name in names_of(said)


def test_combinations_of_finger_words_survives_the_way_through_angles():
    failed = []
    for bent, thumb, fingers in list(product((False, True), THUMBS, product(BENDS, repeat=4)))[::7]:
        words = PoseWords(
            thumb_bent=bent,
            thumb=thumb,
            fingers=fingers,
            gaps=stated_gaps(fingers, ("apart", "apart", "apart")),
        )
        if words_of(angles_of(words)) != words:
            failed.append(str(words))
    assert not failed


def test_every_gap_between_straight_fingers_survives_the_way_through_angles():
    for gaps in product(("together", "apart", "spread"), repeat=3):
        words = PoseWords(thumb_bent=False, thumb="out", fingers=("extended",) * 4, gaps=gaps)
        assert words_of(angles_of(words)) == words


@pytest.mark.parametrize("finger", range(1, 5))
def test_the_thumb_reaches_every_fingertip(finger: int):
    fingers = tuple("bent" if k == finger else "extended" for k in range(1, 5))
    words = PoseWords(
        thumb_bent=False,
        thumb="opposed",
        fingers=fingers,
        gaps=stated_gaps(fingers, ("apart",) * 3),
        contacts=(finger,),
    )
    assert words_of(angles_of(words)).contacts == (finger,)


@given(free_words)
def test_a_technical_wording_is_read_back(words: PoseWords):
    assert parse_pose_words(str(words)) == words
    assert parse_pose_words(str(words).upper().replace(", ", " ;\n")) == words


@pytest.mark.parametrize("pair", ORIENTATIONS)
def test_a_direction_in_words_is_the_direction_of_the_wrist(pair):
    assert orientation_of(wrist_of(*pair)) == pair


def test_an_orientation_holds_up_to_thirty_degrees_off():
    rng = np.random.default_rng(0)
    for pair in ORIENTATIONS:
        axis = rng.normal(size=3)
        turn = axis_angle_matrix(np.deg2rad(30) * axis / np.linalg.norm(axis))
        assert orientation_of(matrix_axis_angle(turn @ axis_angle_matrix(wrist_of(*pair)))) == pair


@pytest.mark.parametrize("name", ["peace", "ok", "fist", "call", "letter R", "writing tripod grasp"])
@pytest.mark.parametrize("wording", ["natural", "technical"])
def test_a_wording_says_all_fingers(name: str, wording: str):
    words = replace(NAMED[name], side="left")
    said = parse_pose_text(describe(words, wording))
    assert said.fingers == words.fingers
    assert said.thumb == words.thumb
    assert said.side == "left"


def test_what_a_text_leaves_open_stays_open():
    assert parse_pose_text("a woman waving on a beach") == StatedPose()
    assert parse_pose_text("a right hand, palm up, index finger extended") == StatedPose(
        fingers=("extended", None, None, None),
        extended=(None, True, None, None, None),
        palm="up",
        side="right",
    )


def test_the_sets_are_complete():
    assert {name: len(poses) for name, poses in NAMED_SETS.items()} == {
        "hagrid": 18,
        "everyday": 14,
        "letters": 24,
        "grasps": 33,
    }
    fingers = [sum(sum(b == "extended" for b in NAMED[n].fingers) for n in counting(k)) for k in range(11)]
    thumbs = [sum(NAMED[n].thumb == "out" for n in counting(k)) for k in range(11)]
    assert [f + t for f, t in zip(fingers, thumbs, strict=True)] == list(range(11))


@pytest.mark.parametrize(
    "text", ["", "a hand", "thumb extended out, index extended", "hand, thumb bent across, index melted"]
)
def test_an_unclear_wording_is_refused(text: str):
    with pytest.raises(InvalidValueError):
        parse_pose_words(text)


def test_impossible_words_are_refused():
    with pytest.raises(InvalidValueError, match="gap"):
        PoseWords(thumb_bent=False, thumb="out", fingers=("extended",) * 4)
    with pytest.raises(InvalidValueError, match="palm"):
        PoseWords(thumb_bent=False, thumb="out", fingers=("bent",) * 4, palm="up", points="down")
    with pytest.raises(InvalidValueError, match="contacts"):
        PoseWords(thumb_bent=False, thumb="out", fingers=("bent",) * 4, contacts=(2, 1))
    with pytest.raises(InvalidValueError, match="count"):
        counting(11)
