"""Review, repaint what failed, keep only what beats the original: with scripted models and stub critics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest

from handwright.refine import candidates, pipeline
from handwright.refine.painters import PaintResult
from handwright.refine.pipeline import Engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.review.critic.holding import Holding
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Image
from tests.refine.conftest import observations_of_two, reviewed, touching
from tests.review.predictions import prediction


@dataclass
class Painter:
    """Paints what it may in grey 10 + seed."""

    together: bool = True
    side_by_side: bool = False
    varied: bool = False

    def paint(self, job):
        grey = np.full(job.crop.shape, 10 + job.seed, np.uint8)
        return PaintResult(grey, job.repair_mask.astype(np.float32), toned=True)


@dataclass
class Critic:
    """P(malformed) from the grey at the middle of the region; its calls are kept."""

    of_grey: Callable[[int], float]
    calls: list[tuple[OrientedSquare, ...]] = field(default_factory=list)

    def judge(self, pixels, regions):
        self.calls.append(tuple(regions))
        there = [np.array(region.center_px).astype(int) for region in regions]
        return [prediction(malformed=self.of_grey(int(pixels[y, x, 0]))) for x, y in there]


@pytest.fixture(autouse=True)
def painter(monkeypatch) -> Painter:
    painter = Painter()
    monkeypatch.setattr(pipeline, "open_painter", lambda *_: painter)
    return painter


def run(shot_or_pixels, models, critic=None, **settings):
    pixels = getattr(shot_or_pixels, "pixels", shot_or_pixels)
    return refine_picture(Image(pixels), RefineSettings(**settings), Engine(models, critic=critic))


def painted_grey(repair, number=1) -> int:
    """The grey in the middle of a hand."""
    low, high = np.split(np.array(repair.hands[number - 1].observation.bbox_xyxy_px), 2)
    x, y = ((low + high) / 2).astype(int)
    return int(repair.after.pixels[y, x, 0])


def test_only_hands_that_fail_are_attempted(two, models):
    models.found, models.before = observations_of_two(two), ["pass", "fail"]
    repair = run(two, models)
    assert [hand.action for hand in repair.hands] == ["skipped", "refined"]
    assert repair.hands[0].reason == "passes the review"
    assert not ((repair.after.pixels != two.pixels).any(2) & ~repair.hands[1].mask.inside).any()


def test_hands_that_pass_are_never_touched(two, models):
    models.found, models.before, image = observations_of_two(two), ["pass", "pass"], Image(two.pixels)
    repair = refine_picture(image, RefineSettings(unsure=True), Engine(models))
    assert repair.after is image
    assert len(models.reviews) == 1


def test_of_what_it_cannot_tell_the_reason_is_told_and_unsure_attempts_it(one, models):
    models.found, models.before = [one.observation()], ["unsure"]
    (hand,) = run(one, models).hands
    assert hand.action == "skipped"
    assert hand.reason == "cannot tell: said to unsure; give `unsure` to attempt it"
    models.reviews.clear()
    assert run(one, models, unsure=True).hands[0].action == "refined"


def test_hands_that_seem_to_hold_a_thing_can_be_left_alone(two, models, monkeypatch):
    """Those that the user points out are attempted all the same."""
    middle = two.pixels.shape[1] / 2
    shown = SimpleNamespace(
        limit=0.4, probability=lambda _, region: 0.9 if region.center_px[0] < middle else 0.2
    )
    monkeypatch.setattr(Holding, "load", lambda *_: shown)
    models.found, models.before = observations_of_two(two), ["fail", "fail"]
    assert [hand.action for hand in run(two, models).hands] == ["refined", "refined"]
    models.reviews.clear()
    hands = run(two, models, leave_holding=True).hands
    held = min(hands, key=lambda hand: hand.observation.landmarks_px[:, 0].mean())
    assert held.action == "skipped"
    assert held.reason == "it may hold a thing (probability 0.90), and such hands are left alone"
    assert [hand.action for hand in hands if hand is not held] == ["refined"]
    models.reviews.clear()
    pointed = run(two, models, leave_holding=True, hand_ids=(held.id,)).hands[held.id - 1]
    assert pointed.action == "refined"


def test_all_attempts_what_passes_too(two, models):
    models.found, models.before = observations_of_two(two), ["pass", "unsure"]
    assert [hand.action for hand in run(two, models, all_hands=True).hands] == ["refined", "refined"]


def test_a_hand_that_is_named_is_attempted_and_no_other(two, models):
    models.found, models.before = observations_of_two(two), ["fail", "pass"]
    repair = run(two, models, hand_ids=(2,))
    assert [hand.action for hand in repair.hands] == ["skipped", "refined"]
    assert repair.hands[0].reason == "not among the hands that were named"


def test_both_reviews_are_kept_and_the_second_is_of_the_hand_as_it_was_found_again(one, models):
    moved = one.observation(landmarks_px=one.landmarks_px + 2.0)
    models.found, models.again = [one.observation()], lambda wanted, pixels: moved
    (hand,) = run(one, models).hands
    assert (hand.review_before["verdict"], hand.review_after["verdict"]) == ("fail", "pass")
    assert hand.review_after["bbox_xyxy_px"][0] == pytest.approx(hand.review_before["bbox_xyxy_px"][0] + 2)
    assert set(hand.review_before["checks"]) == {"finger_count", "joint_bending", "left_right", "grasp"}


def test_where_the_critic_likes_every_candidate_less_the_original_stays_byte_for_byte(one, models):
    models.found, image = [one.observation()], Image(one.pixels)
    critic = Critic(lambda grey: 0.95 if grey < 20 else 0.9)
    repair = refine_picture(image, RefineSettings(candidates=3), Engine(models, critic=critic))
    (hand,) = repair.hands
    assert repair.after is image
    assert (hand.action, hand.picked) == ("kept", None)
    assert "it is predicted malformed" in hand.reason and hand.reason.endswith("the original stays")
    assert hand.candidates[hand.best_rejected].rejection_reasons
    assert all(c.rejection_reasons and not c.accepted for c in hand.candidates)
    assert {c.scores["malformed"] for c in hand.candidates} == {0.95}
    assert {c.scores["malformed_before"] for c in hand.candidates} == {0.9}
    assert hand.review_after is None


def test_the_candidate_that_the_critic_likes_best_is_taken(one, models):
    models.found = [one.observation()]
    critic = Critic(lambda grey: {11: 0.4, 12: 0.02, 13: 0.2}.get(grey, 0.9))
    repair = run(one, models, critic, seed=1, candidates=3)
    (hand,) = repair.hands
    assert (hand.candidates[hand.picked].seed, painted_grey(repair)) == (2, 12)
    assert "0.02 (was 0.90)" in hand.reason
    assert repair.judged_by == ("geometry", "network")


def test_a_sound_hand_that_is_named_is_replaced_by_a_sound_one_and_never_by_a_malformed_one(one, models):
    models.found, models.before = [one.observation()], ["pass"]
    assert (
        run(one, models, Critic(lambda grey: 0.3 if grey < 20 else 0.01), all_hands=True).hands[0].picked == 0
    )
    malformed = Critic(lambda grey: 0.6 if grey < 20 else 0.01)
    assert run(one, models, malformed, all_hands=True).hands[0].action == "kept"


def test_the_critic_looks_at_every_candidate_where_it_looked_at_the_original(one, models):
    models.found = [one.observation()]
    models.again = lambda wanted, pixels: replace(wanted, landmarks_px=wanted.landmarks_px + 3.0)
    critic = Critic(lambda grey: 0.01)
    (hand,) = run(one, models, critic, candidates=2).hands
    assert len(critic.calls) == 3
    assert set(critic.calls) == {(OrientedSquare.of(hand.fit.landmarks_px),)}


def test_hands_painted_together_are_shown_to_the_critic_together_and_win_together(models):
    pixels, models.found = touching()
    critic = Critic(lambda grey: {10: 0.9, 11: 0.02}.get(grey, 0.8))
    repair = run(pixels, models, critic, candidates=2)
    assert [len(regions) for regions in critic.calls] == [2, 2, 2]
    assert [hand.picked for hand in repair.hands] == [1, 1]


def test_what_fails_in_the_finished_picture_gives_way_to_the_next_best(one, models):
    models.found = [one.observation()]
    models.after = lambda number, pixels: "fail" if (pixels == 10).all(2).any() else "pass"
    repair = run(one, models, candidates=2)
    (hand,) = repair.hands
    assert (hand.action, hand.picked, painted_grey(repair)) == ("refined", 1, 11)
    assert hand.candidates[0].rejection_reasons == ("in the finished picture said to fail",)
    assert hand.review_after["verdict"] == "pass"


@pytest.mark.parametrize(("all_hands", "action"), [(True, "refined"), (False, "kept")])
def test_a_far_better_hand_that_the_critic_still_doubts_stands_where_it_was_named(
    one, models, all_hands, action
):
    models.found, models.after = [one.observation()], lambda number, pixels: "fail"
    critic = Critic(lambda grey: 0.9 if grey < 20 else 0.9999)
    (hand,) = run(one, models, critic, all_hands=all_hands).hands
    assert hand.action == action
    assert not all_hands or "0.90 (was 1.00)" in hand.reason


def test_when_all_fail_in_the_finished_picture_the_original_stays(one, models):
    models.found, models.after, image = [one.observation()], lambda number, pixels: "fail", Image(one.pixels)
    repair = refine_picture(image, RefineSettings(candidates=2), Engine(models))
    assert repair.after is image
    assert repair.hands[0].action == "kept"
    assert "in the finished picture" in repair.hands[0].reason


def test_hands_painted_together_give_way_together(models):
    pixels, models.found = touching()
    models.after = lambda number, shown: "fail" if number == 2 and (shown == 10).all(2).any() else "pass"
    repair = run(pixels, models, candidates=2)
    assert [hand.picked for hand in repair.hands] == [1, 1]
    assert "painted in one go" in repair.hands[0].candidates[0].rejection_reasons[0]
    assert not (repair.after.pixels == 10).all(2).any()


def test_a_hand_on_the_wrong_arm_is_mended_by_the_other_reading(one, models):
    models.found, models.arm = [one.observation()], "left"
    (hand,) = run(one, models).hands
    assert hand.action == "refined"
    assert "right hand on a left arm" in hand.candidates[0].rejection_reasons[0]
    assert (hand.candidates[hand.picked].pose_hypothesis, hand.fit.hand.side) == ("as a left hand", "left")


def test_paint_that_stands_out_is_refused_in_words(one, models, monkeypatch):
    from handwright.refine.compositing.picture_fit import Aspect, PictureFit

    blurred = PictureFit(Aspect(2.0, 1.0), *(Aspect(0.0, 1.0) for _ in range(3)))
    monkeypatch.setattr(candidates, "measure_picture_fit", lambda *_: blurred)
    models.found = [one.observation()]
    (hand,) = run(one, models).hands
    assert hand.action == "kept"
    assert "not as sharp as the picture (2.0, allowed 1.0)" in hand.reason
    assert hand.candidates[0].scores["fit_share"] == 2.0


def test_geometry_that_fails_is_refused_in_words(one, models, monkeypatch):
    monkeypatch.setattr(candidates, "failed_checks", lambda analysis, others: ("One finger more.",))
    models.found = [one.observation()]
    assert "one finger more" in run(one, models).hands[0].reason


@pytest.mark.parametrize(("budget_s", "made"), [(1e-9, 1), (0.0, 4), (3600.0, 4)])
def test_no_candidate_is_begun_once_the_budget_is_spent_but_the_first_always_is(one, models, budget_s, made):
    models.found = [one.observation()]
    assert len(run(one, models, candidates=4, budget_s=budget_s).hands[0].candidates) == made


def test_a_spent_budget_leaves_other_readings_untried(one, models):
    models.found, models.again = [one.observation()], lambda wanted, pixels: None
    assert len(run(one, models, all_hands=True).hands[0].candidates) > 1
    assert len(run(one, models, all_hands=True, budget_s=1e-9).hands[0].candidates) == 1


def broken_by(*greys):
    """A verdict on hand 2: it fails while one of these greys is in the picture."""
    return lambda number, shown: (
        "fail"
        if number == 2 and np.isin(shown[..., 0][(shown == shown[..., :1]).all(2)], greys).any()
        else "pass"
    )


@pytest.mark.parametrize("verdict", ["pass", "unsure"])
def test_a_repaint_that_breaks_its_neighbour_gives_way_to_one_that_does_not(models, verdict):
    pixels, models.found = touching()
    models.before, models.after = ["fail", verdict], broken_by(10)
    first, second = run(pixels, models, candidates=2).hands
    assert (first.action, first.picked, second.action) == ("refined", 1, "skipped")
    assert first.candidates[0].rejection_reasons == (
        "in the finished picture it breaks hand 2: said to fail",
    )
    assert (second.review_before["verdict"], second.review_after["verdict"]) == (verdict, "pass")


def test_where_every_repaint_breaks_the_neighbour_the_original_stays(models):
    pixels, models.found = touching()
    models.before, models.after, image = ["fail", "pass"], broken_by(10, 11), Image(pixels)
    repair = refine_picture(image, RefineSettings(candidates=2), Engine(models))
    assert repair.after is image
    assert [hand.action for hand in repair.hands] == ["kept", "skipped"]
    assert repair.hands[1].review_after is None


def test_a_neighbour_that_failed_before_is_not_said_to_be_broken(models):
    pixels, models.found = touching()
    models.before, models.after = ["fail", "fail"], broken_by(10)
    first, second = run(pixels, models, hand_ids=(1,)).hands
    assert (first.action, second.action, second.review_after["verdict"]) == ("refined", "skipped", "fail")


def test_a_hand_far_from_all_paint_that_comes_to_fail_is_told(two, models):
    models.found = observations_of_two(two)
    far = replace(models.found[1], landmarks_px=0.2 * (models.found[1].landmarks_px - [520, 0]) + [520, 0])
    models.found[1] = far
    models.before, models.after = ["fail", "pass"], broken_by(10)
    first, second = run(two, models).hands
    assert first.action == "refined"
    assert (second.review_before["verdict"], second.review_after["verdict"]) == ("pass", "fail")


def test_a_hand_that_only_the_proposal_network_sees_is_mended_as_any_other(one, models):
    seen = one.observation(found_by="proposal")
    models.overlooked = lambda pixels: [reviewed(1, seen, "fail")] if pixels is one.pixels else []
    repair = run(one, models)
    (hand,) = repair.hands
    assert (hand.id, hand.action, hand.observation.found_by) == (1, "refined", "proposal")
    assert (hand.review_before["verdict"], hand.review_after["verdict"]) == ("fail", "pass")
    assert repair.undetected == ()


def test_one_that_stays_keeps_its_number_and_the_verdict_of_the_finished_picture(two, models):
    first, second = observations_of_two(two)
    models.found = [first]
    models.overlooked = lambda pixels: [reviewed(1, second, "unsure")]
    repair = run(two, models)
    assert [(hand.id, hand.action) for hand in repair.hands] == [(1, "refined"), (2, "skipped")]
    assert repair.hands[1].review_after["verdict"] == "unsure"
    assert repair.undetected == ()


def test_a_hand_that_nobody_could_read_is_told_with_its_review(two, models):
    first, second = observations_of_two(two)
    models.found = [first]
    models.overlooked = lambda pixels: [replace(reviewed(1, second, "fail"), observation=None)]
    repair = run(two, models)
    assert [hand.action for hand in repair.hands] == ["refined"]
    assert [(review["id"], review["verdict"]) for review in repair.undetected] == [(2, "fail")]


def test_paint_in_which_a_malformed_hand_appears_does_not_stand(one, models):
    models.found = [one.observation()]
    new = replace(reviewed(1, one.observation(), "fail"), observation=None)
    models.overlooked = lambda pixels: [new] if (pixels == 10).all(2).any() else []
    repair = run(one, models, candidates=2)
    assert (repair.hands[0].picked, repair.undetected) == (1, ())
    assert "it breaks hand 2" in repair.hands[0].candidates[0].rejection_reasons[0]


def test_boxes_of_the_user_name_the_hands_and_no_other_is_looked_for(one, models):
    models.boxes = [one.observation()]
    models.overlooked = lambda pixels: [replace(reviewed(1, one.observation(), "fail"), observation=None)]
    assert run(one, models, boxes=((10.0, 10.0, 200.0, 200.0),)).undetected == ()
