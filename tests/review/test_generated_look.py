"""Hands of pictures that are known to be generated: what looks malformed does not pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handwright.review.checklist import HandReview, PictureReview
from handwright.review.generated_look import EMBEDDED_LOOK, GENERATOR_LOOK, review_as_generated
from handwright.review.judge import review_picture
from handwright.types import Image
from tests.review.critic.test_appearance import judge_to_whom_all_looks_malformed
from tests.review.critic.test_onnx_critic import checks, prediction
from tests.review.drawn import grainy, seen


def hand(look: float | None, verdict: str = "pass") -> HandReview:
    predicted = None if look is None else replace(prediction(), appearance=look)
    return HandReview(
        id=1, bbox_xyxy_px=(0, 0, 9, 9), side="left", checks=checks(verdict), observation=None,
        prediction=predicted,
    )  # fmt: skip


def as_generated(one: HandReview, *limit: float) -> HandReview:
    return review_as_generated(PictureReview((one,), 10, 10), *limit).hands[0]


@pytest.mark.parametrize("look", [0.0, GENERATOR_LOOK - 0.001, None])
def test_a_hand_that_looks_sound_or_has_no_look_passes(look):
    assert as_generated(hand(look)).verdict == "pass"


def test_what_looks_malformed_cannot_be_told_and_says_how_it_looks():
    found = as_generated(hand(GENERATOR_LOOK))
    assert found.verdict == "unsure"
    shape = found.checks["joint_bending"]
    assert shape.verdict == "cannot tell"
    assert shape.value["looks_malformed"] == GENERATOR_LOOK
    assert {name for name, check in found.checks.items() if check.verdict != "pass"} == {"joint_bending"}


def test_what_the_embedded_family_paints_has_a_limit_of_its_own():
    assert as_generated(hand(GENERATOR_LOOK), EMBEDDED_LOOK).verdict == "pass"
    assert as_generated(hand(EMBEDDED_LOOK), EMBEDDED_LOOK).verdict == "unsure"


def test_a_failure_stays_one():
    assert as_generated(hand(0.9, "fail")).checks["joint_bending"].verdict == "fail"


def test_the_judge_holds_the_look_against_generated_pictures_alone():
    shot, judge = grainy(), judge_to_whom_all_looks_malformed()
    given = {"hands": [seen(shot.hand)]}
    (photographed,) = review_picture(Image(shot.pixels), judge, **given).hands
    (generated,) = review_picture(Image(shot.pixels), judge, look_limit=GENERATOR_LOOK, **given).hands
    assert photographed.checks["joint_bending"].verdict == "pass"
    assert generated.checks["joint_bending"].verdict == "cannot tell"
