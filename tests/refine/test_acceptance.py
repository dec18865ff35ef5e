"""The rule by which a candidate beats the original, case by case."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from handwright.refine.acceptance import (
    PARAMS,
    CandidateScores,
    CriticScore,
    OriginalScores,
    best_rejected,
    order,
    rejection_reasons,
    scores_as_dict,
)
from handwright.refine.compositing.picture_fit import Aspect, PictureFit
from handwright.review.critic.fusion import PARAMS as FUSION
from handwright.review.critic.upright_crops import OrientedSquare
from tests.refine.conftest import candidate_of
from tests.review.predictions import prediction

REGION = OrientedSquare((50.0, 50.0), 40.0, 0.0)
FITS = PictureFit(*(Aspect(0.0, 1.0) for _ in range(4)))
BAD, SOUND = CriticScore(0.9, failed=True), CriticScore(0.04, failed=False)
FAILED = OriginalScores(found=True, joint_error=0.01, region=REGION, critic=BAD, critic_failed=True)
FINE = OriginalScores(found=True, joint_error=0.01, region=REGION, critic=SOUND)
GOOD = CandidateScores(found=True, joint_error=0.02, side="right", fit=FITS, critic=SOUND)


@pytest.mark.parametrize(
    ("predicted", "failed"),
    [
        (prediction(), False),
        (prediction(malformed=0.49), False),
        (prediction(malformed=0.5), True),
        (prediction(defects={"extra": 0.5}), True),
    ],
)
def test_a_prediction_fails_a_hand_from_a_threshold_on(predicted, failed):
    assert CriticScore.of(predicted) == CriticScore(
        predicted.malformed, failed, clear=predicted.threshold_ratio < FUSION.max_clear_ratio
    )
    assert prediction().threshold_ratio < FUSION.max_clear_ratio < prediction(malformed=0.49).threshold_ratio


@pytest.mark.parametrize("blind", [prediction(assessable=0.3), prediction(gloved=0.8)])
def test_there_is_no_opinion_of_what_cannot_be_assessed(blind):
    assert CriticScore.of(blind) is None


@pytest.mark.parametrize(
    ("every_hand", "size", "most"),
    [
        (False, "hand", PARAMS.most_worse),
        (False, "surplus", PARAMS.most_worse),
        (False, "finger", PARAMS.most_worse_of_fingers),
        (True, "hand", PARAMS.most_worse_of_all),
        (True, "fingers", PARAMS.most_worse_of_fingers),
    ],
)
@pytest.mark.parametrize(("off", "accepted"), [(-0.01, True), (0.01, False)])
def test_what_would_probably_look_worse_is_refused_unless_the_hand_was_pointed_out(
    off, accepted, every_hand, size, most
):
    """Of a repair of some fingers alone it must be likelier, and where every hand was asked for."""
    assert PARAMS.most_worse < PARAMS.most_worse_of_all < PARAMS.most_worse_of_fingers
    original = replace(FAILED, hands_named=every_hand)
    candidate = replace(GOOD, worse=most + off, size=size)
    why = rejection_reasons(original, candidate)
    assert (why == ()) == accepted
    assert accepted or f"look worse ({candidate.worse:.2f}); name the hand by its number" in why[0]
    assert rejection_reasons(replace(original, hands_named=True, pointed_out=True), candidate) == ()
    assert scores_as_dict(FAILED, candidate)["worse"] == candidate.worse
    assert "worse" not in scores_as_dict(FAILED, GOOD)


def test_where_every_hand_is_asked_for_a_finger_too_many_goes_however_that_looks():
    removed = replace(GOOD, worse=0.99, size="surplus")
    assert rejection_reasons(replace(FAILED, hands_named=True), removed) == ()
    assert rejection_reasons(FAILED, removed) != ()


def test_a_sound_repaint_of_a_failed_hand_is_accepted():
    assert rejection_reasons(FAILED, GOOD) == ()


def test_what_the_critic_calls_malformed_is_refused_however_much_better_it_is():
    original = replace(FAILED, critic=CriticScore(0.999, failed=True))
    (why,) = rejection_reasons(original, replace(GOOD, critic=CriticScore(0.45, failed=True)))
    assert "malformed (0.45)" in why
    assert rejection_reasons(replace(FINE, hands_named=True), replace(GOOD, critic=BAD))


def test_surplus_skin_that_is_left_over_is_refused_however_sound_the_rest():
    (why,) = rejection_reasons(FAILED, replace(GOOD, critic=replace(SOUND, surplus=True)))
    assert "left over" in why


@pytest.mark.parametrize(("now", "accepted"), [(0.45, True), (0.46, False)])
def test_where_the_critic_failed_the_original_half_is_the_most(now, accepted):
    assert (rejection_reasons(FAILED, replace(GOOD, critic=CriticScore(now, failed=False))) == ()) == accepted


def test_a_hand_that_was_called_wrong_is_not_traded_for_a_doubtful_one():
    doubtful = replace(SOUND, clear=False)
    (why,) = rejection_reasons(FAILED, replace(GOOD, critic=doubtful))
    assert "not clearly sound" in why
    assert rejection_reasons(FINE, replace(GOOD, critic=doubtful)) == ()


@pytest.mark.parametrize(("now", "accepted"), [(0.03, True), (0.09, True), (0.10, False)])
def test_where_it_did_not_the_candidate_may_be_hardly_likelier_malformed(now, accepted):
    assert (rejection_reasons(FINE, replace(GOOD, critic=CriticScore(now, failed=False))) == ()) == accepted


def test_a_sound_hand_that_the_user_named_may_be_replaced_by_any_that_is_not_malformed():
    named, worse = replace(FINE, hands_named=True), replace(GOOD, critic=CriticScore(0.4, failed=False))
    assert rejection_reasons(named, worse) == ()


@pytest.mark.parametrize(("now", "accepted"), [(0.84, True), (0.85, False)])
@pytest.mark.parametrize("called", [True, False])
def test_of_a_malformed_hand_that_the_user_named_the_odds_must_fall(now, accepted, called):
    named = replace(FAILED, hands_named=True)
    doubted = replace(GOOD, critic=CriticScore(now, failed=called, clear=False))
    assert (rejection_reasons(named, doubted) == ()) == accepted
    assert rejection_reasons(FAILED, doubted), "unasked, only what would pass"
    assert rejection_reasons(named, replace(doubted, critic=replace(doubted.critic, surplus=True)))
    assert scores_as_dict(named, doubted)["called_malformed"] == called


def test_what_the_critic_can_no_longer_assess_is_refused():
    (why,) = rejection_reasons(FINE, replace(GOOD, critic=None))
    assert "cannot be assessed" in why


def test_without_a_critic_geometry_and_picture_decide():
    bare, blind = OriginalScores(found=True, joint_error=0.01, region=REGION), replace(GOOD, critic=None)
    assert rejection_reasons(bare, blind) == ()
    assert rejection_reasons(bare, replace(blind, failed_checks=("One finger more.",))) == (
        "one finger more",
    )


def test_a_hand_that_is_not_found_again_is_refused_for_that_alone():
    lost = replace(GOOD, found=False, joint_error=1.0)
    assert rejection_reasons(FAILED, lost) == ("not found again after repainting",)


@pytest.mark.parametrize(
    ("was", "now", "accepted"),
    [
        (0.01, 0.01 + PARAMS.joint_error_slack, True),
        (0.01, 0.0101 + PARAMS.joint_error_slack, False),
        (0.14, PARAMS.worst_joint_error - 1e-6, True),
        (0.14, PARAMS.worst_joint_error, False),
    ],
)
def test_joints_may_be_little_farther_off_than_the_originals(was, now, accepted):
    original = replace(FAILED, joint_error=was)
    assert (rejection_reasons(original, replace(GOOD, joint_error=now)) == ()) == accepted


def test_an_original_that_was_not_found_itself_sets_no_mark():
    lost = replace(FAILED, found=False, joint_error=1.0)
    assert rejection_reasons(lost, replace(GOOD, joint_error=0.14)) == ()
    assert rejection_reasons(lost, replace(GOOD, joint_error=0.16))


def test_a_hand_of_the_wrong_side_for_its_arm_is_refused():
    (why,) = rejection_reasons(replace(FAILED, arm="left"), GOOD)
    assert why == "it is a right hand on a left arm"
    assert rejection_reasons(replace(FAILED, arm="right"), GOOD) == ()


def test_a_hand_of_another_side_than_the_plain_one_of_the_original_is_refused():
    (why,) = rejection_reasons(replace(FAILED, side="left"), GOOD)
    assert why == "it is a right hand, palm for back, where a left hand was"
    assert rejection_reasons(replace(FAILED, side="right"), GOOD) == ()
    assert len(rejection_reasons(replace(FAILED, side="left", arm="left"), GOOD)) == 1


@pytest.mark.parametrize("name", ["sharpness", "grain", "colour", "seam"])
def test_paint_that_stands_out_in_any_aspect_is_refused(name):
    fit = replace(FITS, **{name: Aspect(1.01, 1.0)})
    assert len(rejection_reasons(FAILED, replace(GOOD, fit=fit))) == 1
    assert rejection_reasons(FAILED, replace(GOOD, fit=replace(FITS, **{name: Aspect(1.0, 1.0)}))) == ()


def test_a_repaint_that_paints_over_a_ring_or_a_held_thing_is_refused():
    (reason,) = rejection_reasons(FAILED, replace(GOOD, lost_things=0.002))
    assert "a ring" in reason


@pytest.mark.parametrize(("lost", "accepted"), [(PARAMS.most_lost, True), (PARAMS.most_lost + 0.01, False)])
def test_a_repaint_that_leaves_out_much_of_the_old_hand_is_refused(lost, accepted):
    assert (rejection_reasons(FAILED, replace(GOOD, lost=lost)) == ()) == accepted


def test_nothing_painted_is_told_as_that():
    assert rejection_reasons(FAILED, replace(GOOD, painted=False)) == ("nothing could be painted",)


def test_every_number_that_decides_is_logged():
    scores = scores_as_dict(FAILED, GOOD)
    assert (scores["malformed"], scores["malformed_before"]) == (0.04, 0.9)
    assert (scores["joint_error"], scores["joint_error_before"]) == (0.02, 0.01)
    assert {"fit_sharpness", "fit_grain", "fit_colour", "fit_seam"} < set(scores)
    assert all(math.isfinite(score) for score in scores.values())
    assert "malformed" not in scores_as_dict(FAILED, replace(GOOD, critic=None))


def row(malformed, error, share):
    return {"malformed": malformed, "joint_error": error, "fit_share": share}


def test_the_critic_ranks_first_then_the_joints_then_the_picture():
    ranked = [
        row(0.01, 0.03, 0.9),
        row(0.02, 0.034, 0.95),
        row(0.0, 0.05, 0.1),
        row(0.2, 0.01, 0.1),
    ]
    keys = [order([scores]) for scores in ranked]
    assert keys == sorted(keys)
    assert order([ranked[0], ranked[3]]) > order([ranked[0], ranked[0]])


def test_steps_too_small_to_mean_anything_do_not_rank(monkeypatch):
    from handwright.refine import acceptance

    nearly = [order([row(malformed, 0.03, 0.5)]) for malformed in (0.1, 0.11)]
    assert nearly[0] == nearly[1]
    finer = replace(PARAMS, malformed_step=PARAMS.malformed_step / 10)
    monkeypatch.setattr(acceptance, "PARAMS", finer)
    assert order([row(0.1, 0.03, 0.5)]) < order([row(0.11, 0.03, 0.5)])


def test_what_the_critic_cannot_assess_is_not_taken_for_sound():
    unsaid = {"joint_error": 0.01, "fit_share": 0.1}
    assert order([row(0.3, 0.05, 0.9)]) < order([unsaid])
    assert order([unsaid]) < order([unsaid | {"joint_error": 0.02}])


def test_the_best_rejected_has_the_fewest_reasons():
    def rejection_reasons(*why, error=0.02):
        return candidate_of({"joint_error": error, "fit_share": 0.5}, rejection_reasons=why)

    assert (
        best_rejected(
            [
                rejection_reasons("a", "b"),
                rejection_reasons("c", error=0.05),
                rejection_reasons("d"),
                rejection_reasons(),
            ]
        )
        == 2
    )
    assert best_rejected([rejection_reasons()]) is None
