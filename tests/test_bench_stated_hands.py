"""``bench/stated_hands.py``: what of a text is true of a person, and the annotations of the free texts."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.body import parameters_of_json
from handwright.hand.grammar import NAMED, StatedPose, parse_pose_text, parse_pose_words
from handwright.handiffuser.hand_words import agreement_of
from handwright.prompts.plan import plan_prompt
from stated_hands import (
    OTHER,
    Seen,
    StatedHand,
    nearest_direction,
    read_prompts,
    seen_in,
    seen_in_plan,
    stated_of,
    verdict,
    without_idle,
)
from tests.handiffuser.poses import records

PROMPTS = Path(__file__).parents[1] / "bench" / "data" / "prompts_oov_200.csv"

HEADER = "text,side,thumb,index,middle,ring,pinky,shown,palm,points,thumb_points\n"

PEACE = StatedPose(extended=(False, True, True, False, False))
FIST = StatedPose(extended=(False, False, False, False, False))


def seen(left="fist", right="peace", hanging=(), higher="right") -> Seen:
    words = {
        "left": replace(NAMED[left], side="left", palm="camera", points="up"),
        "right": replace(NAMED[right], side="right", palm="camera", points="up"),
    }
    return Seen(words, {"left": "right", "right": "up"}, frozenset(hanging), higher)


def test_people_are_as_they_were_drawn_and_agree_with_the_readers_count():
    for record in records():
        person = parameters_of_json(record["body"])
        for hand in record["hands"]:
            stated = parse_pose_text(str(parse_pose_words(hand["words"])))
            found = verdict(seen_in(person), [stated_of(stated)])
            agreed = agreement_of(person, (stated,))
            assert (found.whole, found.fingers) == (bool(agreed.whole), bool(agreed.fingers)) == (True, True)
            assert found.palm is found.points is True
        raised = stated_of(parse_pose_text(record["hands"][0]["words"]))
        assert verdict(seen_in(person), [raised]).handed


def test_a_hand_that_hangs_counts_only_where_it_is_named():
    idle = seen(hanging=("left",))
    anybody, named = StatedHand(FIST), StatedHand(FIST, side="left")
    assert verdict(idle, [anybody]).whole
    assert not verdict(without_idle(idle, [anybody]), [anybody]).whole
    assert verdict(without_idle(idle, [named]), [named]).whole
    raised = StatedHand(PEACE)
    assert verdict(without_idle(idle, [raised]), [raised]).whole


def test_each_thing_that_is_wrong_has_its_own_answer():
    right = StatedHand(PEACE, "right", ("camera",), ("up",), ("up", "left"))
    assert verdict(seen(), [right]) == verdict(seen(), [replace(right, palms=("down", "camera"))])
    assert verdict(seen(), [right]).whole
    turned = verdict(seen(), [replace(right, palms=("away",))])
    assert (turned.whole, turned.fingers, turned.palm, turned.points) == (False, True, False, True)
    thumb = verdict(seen(), [replace(right, thumbs=("down",))])
    assert (thumb.whole, thumb.palm, thumb.points) == (False, True, False)
    bent = verdict(seen(), [replace(right, pose=FIST)])
    assert (bent.whole, bent.fingers, bent.palm) == (False, False, True)


def test_what_a_text_leaves_open_is_neither_true_nor_false():
    found = verdict(seen(), [StatedHand(PEACE)])
    assert (found.whole, found.handed, found.palm, found.points) == (True, None, None, None)


def test_the_named_hand_must_do_it_and_not_the_other():
    assert verdict(seen(), [StatedHand(PEACE, "right")]).handed
    assert verdict(seen(), [StatedHand(PEACE, "left")]).handed is False
    both = seen(left="peace")
    assert verdict(both, [StatedHand(PEACE, "left")]).handed
    assert verdict(seen(left="peace", hanging=["left"]), [StatedHand(PEACE, "left")]).handed is False
    assert verdict(seen(right="fist"), [StatedHand(PEACE, "left")]).handed is False
    assert verdict(seen(right="fist", higher="left"), [StatedHand(PEACE, "left")]).handed


def test_two_hands_are_told_apart_and_may_not_be_one():
    stated = [StatedHand(FIST), StatedHand(PEACE)]
    assert verdict(seen(), stated).whole
    assert not verdict(seen(left="peace"), stated).whole
    assert verdict(seen(), [StatedHand(FIST, "left"), StatedHand(PEACE, "right")]).handed
    assert verdict(seen(), [StatedHand(FIST, "right"), StatedHand(PEACE, "left")]).handed is False


def test_the_rules_alone_are_the_hands_of_the_plan():
    found = seen_in_plan(plan_prompt("a woman making a peace sign with her left hand"))
    assert set(found.words) == {"left"}
    assert verdict(found, [StatedHand(PEACE, "left")]).handed
    assert not verdict(found, [StatedHand(PEACE, "right")]).whole
    nothing = seen_in_plan(plan_prompt("an empty room"))
    assert not verdict(nothing, [StatedHand(PEACE)]).whole


@pytest.mark.parametrize(
    ("vector", "direction"),
    [((0.1, -1, 0.2), "up"), ((0.1, 1, 0.2), "down"), ((-2, 1, 0), "left"), ((0, 1, -3), "camera")],
)
def test_the_nearest_direction_is_of_the_longest_side(vector, direction):
    assert nearest_direction(np.array(vector, float)) == direction


def test_annotations_of_the_free_texts_are_complete():
    prompts = read_prompts(PROMPTS)
    assert len(prompts) == 200
    for text, hands in prompts.items():
        assert 1 <= len(hands) <= 2
        for hand in hands:
            states_something = hand.pose.states_extension or hand.palms or hand.points or hand.thumbs
            assert states_something, text
    sides = [hand.side for hands in prompts.values() for hand in hands]
    assert min(sides.count("left"), sides.count("right")) > 40
    assert OTHER["left"] == "right"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("x,none,any,open,any,any,any,any,any,any,any\n", "open"),
        ("x,both,any,any,any,any,any,any,any,any,any\n", "both"),
        ("x,none,any,any,any,any,any,any,forwards,any,any\n", "forwards"),
        (2 * "x,left,any,any,any,any,any,any,any,any,any\n", "more hands"),
    ],
)
def test_an_unknown_word_of_an_annotation_is_refused(tmp_path, row, problem):
    file = tmp_path / "texts.csv"
    file.write_text(HEADER + row)
    with pytest.raises(ValueError, match=problem):
        read_prompts(file)
