"""Texts and people: what is mirrored or given other fingers still fits its words; some are held out."""

from dataclasses import replace

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.hand.grammar import StatedPose, parse_pose_text
from handwright.handiffuser.hand_words import hands_in_words
from handwright.handiffuser.tokens import decode
from handwright.training.streams.text_poses import TextPose, TextPoseStream, mirrored, with_fingers
from tests.handiffuser.poses import add_poses


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> TextPoseStream:
    """Of 24 people."""
    return TextPoseStream(add_poses(tmp_path_factory.mktemp("poses")))


def fits(person: TextPose) -> bool:
    """Whether the numbers do what the words tell of the raised hand."""
    read = hands_in_words(decode(person.tokens, (256, 256)))
    return read[person.raised] == person.hands[0]


def test_mirrored_people_fit_their_mirrored_words(stream: TextPoseStream) -> None:
    """Sides, palms and directions change together; twice is once."""
    for person in stream.training[:8]:
        flipped = mirrored(person)
        assert flipped.raised != person.raised
        assert fits(flipped)
        np.testing.assert_allclose(mirrored(flipped).tokens, person.tokens, atol=1e-6)
        assert mirrored(flipped).hands == person.hands


def test_other_fingers_fit_their_words(stream: TextPoseStream) -> None:
    """Also a left hand's on a right one: both are in right-hand space."""
    free = [person for person in stream.training if not person.busy]
    for person, other in zip(free[:6], free[6:], strict=False):
        given = with_fingers(person, other)
        assert given.hands[0].fingers == other.hands[0].fingers
        assert fits(given)


def busy_people(stream: TextPoseStream) -> list[TextPose]:
    """Those whose hands meet, or hold a thing."""
    return [person for person in (*stream.training, *stream.held_out) if person.busy]


def test_a_mirror_swaps_the_hand_that_holds(stream: TextPoseStream) -> None:
    """A thing in both hands stays there, and so does how hands meet; twice is once."""
    found = busy_people(stream)
    assert len(found) >= 4
    for person in found:
        flipped = mirrored(person)
        swapped = {"left": "right", "right": "left"}
        assert flipped.scene.holder == swapped.get(str(person.scene.holder), person.scene.holder)
        assert flipped.scene.meeting == person.scene.meeting
        assert mirrored(flipped).scene == person.scene
        assert fits(person)
        assert fits(flipped)


def test_hands_that_meet_or_hold_keep_their_fingers(stream: TextPoseStream) -> None:
    """And give them to nobody, whose text would not tell it."""
    person, free = busy_people(stream)[0], next(one for one in stream.training if not one.busy)
    assert with_fingers(person, free) is person
    assert with_fingers(free, person) is free


def test_some_texts_tell_what_hands_do_and_no_fingers(stream: TextPoseStream) -> None:
    """Of natural ones of busy hands about two fifths, beside those that are open."""
    rng, person = np.random.default_rng(4), busy_people(stream)[0]
    bare = sum(not parse_pose_text(stream.text(person, "natural", rng)).states_extension for _ in range(300))
    assert 100 < bare < 190


def test_what_is_drawn_is_never_held_out(stream: TextPoseStream) -> None:
    """Whatever was mirrored or exchanged; and the same for the same generator."""
    rng = np.random.default_rng(0)
    people = [stream.draw(rng) for _ in range(60)]
    assert not any(person.held_out for person in people)
    again = stream.draw(np.random.default_rng(0))
    np.testing.assert_array_equal(again.tokens, people[0].tokens)


def test_texts_name_the_raised_hand(stream: TextPoseStream) -> None:
    """In every wording."""
    rng = np.random.default_rng(1)
    for wording in ("terse", "natural", "technical"):
        person = stream.draw(rng)
        assert f"{person.raised} hand" in person.text(wording, rng)


def test_open_texts_state_nothing_of_a_hand_but_its_side(stream: TextPoseStream) -> None:
    """And that side is the raised hand's."""
    rng = np.random.default_rng(2)
    sides = 0
    for _ in range(80):
        person = stream.draw(rng)
        stated = parse_pose_text(person.open_text(rng))
        assert stated.side in (None, person.raised)
        assert replace(stated, side=None) == StatedPose()
        sides += stated.side is not None
    assert 20 < sides < 60  # half of the forms name it


def test_a_tenth_of_the_texts_that_are_learnt_from_are_open(stream: TextPoseStream) -> None:
    rng = np.random.default_rng(3)
    person = stream.training[0]
    plain = sum(parse_pose_text(stream.text(person, "technical", rng)).states_extension for _ in range(300))
    assert 250 < plain < 290


def test_a_folder_without_people_is_refused(tmp_path: object) -> None:
    """One line."""
    from handwright.errors import DataError

    with pytest.raises((UsageError, DataError), match="no shards"):
        TextPoseStream(tmp_path)  # pyright: ignore[reportArgumentType]
