"""The reader of poses agrees with the grammar that made them."""

from dataclasses import replace

from handwright.body import parameters_of_json
from handwright.hand.grammar import StatedPose, describe, parse_pose_text, parse_pose_words
from handwright.handiffuser.hand_words import agreement_of, hands_in_words
from tests.handiffuser.poses import records


def test_people_are_read_as_they_were_drawn() -> None:
    """Every hand that is in the picture, in every wording."""
    for record in records():
        person = parameters_of_json(record["body"])
        for hand in record["hands"]:
            words = parse_pose_words(hand["words"])
            assert hands_in_words(person)[words.side or "right"] == words
            for wording in ("terse", "natural", "technical"):
                stated = parse_pose_text(describe(words, wording))
                assert agreement_of(person, (stated,)).all_right


def test_the_wrong_hand_the_wrong_finger_and_the_wrong_direction_are_found() -> None:
    """Each by its own count."""
    record = records()[0]
    person = parameters_of_json(record["body"])
    words = hands_in_words(person)["right"]
    stated = parse_pose_text(str(words))
    assert agreement_of(person, (stated,)).whole == 1
    bent = words.fingers[0] == "extended"
    other = replace(stated, fingers=("curled" if bent else "extended", *stated.fingers[1:]))
    wrong = agreement_of(person, (replace(other, extended=(None, not bent, None, None, None)),))
    assert (wrong.whole, wrong.fingers, wrong.directions) == (0, 0, 1)
    turned = agreement_of(person, (replace(stated, palm="down", points=None),))
    assert turned.whole == (words.palm == "down")


def test_a_statement_without_a_side_holds_for_the_hand_that_fits() -> None:
    """Either hand may be meant."""
    for record in records()[:6]:
        person = parameters_of_json(record["body"])
        for words in hands_in_words(person).values():
            stated = replace(parse_pose_text(str(words)), side=None)
            assert agreement_of(person, (stated,)).whole == 1
    assert agreement_of(person, (StatedPose(),)).all_right
