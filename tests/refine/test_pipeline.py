from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.errors import HandsFileError
from handwright.hand.depth import render_hand
from handwright.refine.pipeline import inspect_picture, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.types import Image, Mask
from tests.drawn import flat_hand, shoot
from tests.refine.conftest import observations_of_two


def test_a_found_hand_is_repainted_and_nothing_outside_its_mask_changes(one, models, engine):
    models.found = [one.observation()]
    repair = refine_picture(Image(one.pixels), RefineSettings(), engine)
    (hand,) = repair.hands
    assert hand.action == "refined"
    changed = (repair.after.pixels != one.pixels).any(2)
    assert changed.sum() > 1000
    assert not (changed & ~hand.mask.inside).any()
    assert set(repair.seconds) == {"find", "fit", "depth", "review", "paint", "check"}
    assert repair.before.pixels is one.pixels
    assert hand.depth.depth.max() == 255
    assert np.linalg.norm(hand.fit.landmarks_px - one.landmarks_px, axis=1).max() < 0.06 * one.hand_px


def test_a_hand_that_is_not_found_again_is_put_back(one, models, engine):
    models.found, models.again = [one.observation()], lambda wanted, pixels: None
    image = Image(one.pixels)
    repair = refine_picture(image, RefineSettings(), engine)
    (hand,) = repair.hands
    assert (hand.action, hand.picked) == ("kept", None)
    assert hand.candidates
    assert all(c.scores["joint_error"] == 1.0 for c in hand.candidates)
    assert "not found again" in hand.reason
    assert repair.after is image


def test_a_hand_whose_joints_come_out_elsewhere_is_put_back(one, models, engine):
    def beside(wanted, pixels):
        return replace(wanted, landmarks_px=wanted.landmarks_px + 0.2 * one.hand_px)

    models.found, models.again = [one.observation()], beside
    repair = refine_picture(Image(one.pixels), RefineSettings(), engine)
    assert repair.hands[0].action == "kept"
    assert "elsewhere" in repair.hands[0].reason
    assert np.array_equal(repair.after.pixels, one.pixels)


def test_a_picture_without_hands_goes_through_unchanged(one, engine):
    image = Image(one.pixels)
    repair = refine_picture(image, RefineSettings(), engine)
    assert repair.after is image
    assert repair.hands == ()
    assert not repair.depth.depth.any()


def test_a_box_without_a_hand_leaves_a_note_that_names_it(one, models, engine):
    models.boxes = [None, one.observation(found_by="box")]
    boxes = ((1.0, 2.0, 30.0, 40.5), (50.0, 20.0, 260.0, 280.0))
    repair = refine_picture(Image(one.pixels), RefineSettings(boxes=boxes), engine)
    assert [h.observation.found_by for h in repair.hands] == ["box"]
    (note,) = repair.notes
    assert "1,2,30,40.5" in note


def test_two_hands_are_numbered_in_the_order_found_and_each_is_painted(two, models, engine):
    models.found = observations_of_two(two)
    repair = refine_picture(Image(two.pixels), RefineSettings(), engine)
    assert [h.id for h in repair.hands] == [1, 2]
    assert [h.observation.side for h in repair.hands] == ["left", "right"]
    assert [h.action for h in repair.hands] == ["refined", "refined"]
    masks = repair.hands[0].mask.inside | repair.hands[1].mask.inside
    assert np.array_equal(repair.after.pixels[~masks], two.pixels[~masks])
    first, second = (h.depth.depth > 0 for h in repair.hands)
    assert not (first & second).any()
    assert np.array_equal(first | second, repair.depth.depth > 0)


def test_only_the_hands_that_are_named_are_attempted(two, models, engine):
    models.found = observations_of_two(two)
    repair = refine_picture(Image(two.pixels), RefineSettings(hand_ids=(2,)), engine)
    assert [h.action for h in repair.hands] == ["skipped", "refined"]
    assert repair.hands[0].candidates == ()
    changed = (repair.after.pixels != two.pixels).any(2)
    assert not (changed & ~repair.hands[1].mask.inside).any()


def test_hands_that_are_given_are_used_as_they_are(one, models, engine):
    moved = replace(one.hand, translation_m=one.hand.translation_m + np.array([0.004, -0.003, 0]))
    settings = RefineSettings(hands=((one.observation(found_by="file"), moved),))
    models.found = [shoot(flat_hand(curl=1.0)).observation()]
    repair = refine_picture(Image(one.pixels), settings, engine)
    (hand,) = repair.hands
    assert hand.fit.hand is moved
    assert hand.fit.residual > 0.005
    assert len(hand.candidates) == 1


def test_a_lent_pose_replaces_the_articulation_and_its_crop_holds_it(models, engine):
    fist = shoot(flat_hand(curl=1.3))
    models.found = [fist.observation()]
    spread = flat_hand()
    repair = refine_picture(Image(fist.pixels), RefineSettings(hand_pose=spread), engine)
    (hand,) = repair.hands
    assert np.array_equal(hand.fit.hand.pose, spread.pose)
    whole = render_hand(hand.fit.hand, *fist.silhouette.shape).face >= 0
    assert hand.mask.inside[whole].mean() > 0.98
    assert hand.action == "refined"


def test_the_users_mask_confines_the_repair(one, models, engine):
    models.found = [one.observation()]
    allowed = np.zeros(one.silhouette.shape, bool)
    allowed[:150] = True
    repair = refine_picture(Image(one.pixels), RefineSettings(mask=Mask(allowed)), engine)
    assert not (repair.hands[0].mask.inside & ~allowed).any()
    assert np.array_equal(repair.after.pixels[150:], one.pixels[150:])
    assert (repair.after.pixels != one.pixels).any()


@pytest.mark.parametrize("shape", [(10, 10), (289, 288), (288, 287)])
def test_a_mask_of_another_size_is_refused_with_both_sizes(one, models, engine, shape):
    models.found = [one.observation()]
    with pytest.raises(HandsFileError, match=rf"{shape[1]} × {shape[0]}.*288 × 288"):
        refine_picture(Image(one.pixels), RefineSettings(mask=Mask(np.ones(shape, bool))), engine)


def test_a_depth_image_of_another_size_is_refused(one, models, engine):
    models.found = [one.observation()]
    depth = Image(np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(HandsFileError, match=r"30 × 20.*288 × 288"):
        refine_picture(Image(one.pixels), RefineSettings(depth=depth), engine)


def test_every_candidate_is_logged_and_the_best_is_picked(one, models, engine):
    shifts = iter([0.0, 6.0, 1.0, 3.0])

    def shaken(wanted, pixels):
        return replace(wanted, landmarks_px=one.landmarks_px + next(shifts))

    models.found, models.again = [one.observation()], shaken
    repair = refine_picture(Image(one.pixels), RefineSettings(candidates=3, seed=7), engine)
    (hand,) = repair.hands
    assert [c.seed for c in hand.candidates] == [7, 8, 9]
    errors = [c.scores["joint_error"] for c in hand.candidates]
    assert errors[1] < errors[2] < errors[0]
    assert hand.picked == 1
    x, y = hand.candidates[1].origin_xy_px
    height, width = hand.candidates[1].inside.shape
    pasted = repair.after.pixels[y : y + height, x : x + width]
    assert np.array_equal(pasted, hand.candidates[1].pixels)


def test_the_same_seed_gives_the_same_bytes_and_the_last_seed_wraps(one, models, engine):
    models.found = [one.observation()]
    wrapped = RefineSettings(seed=2**32 - 1, candidates=2)
    two = refine_picture(Image(one.pixels), wrapped, engine).hands[0].candidates
    again = refine_picture(Image(one.pixels), RefineSettings(seed=0), engine).hands[0].candidates
    assert [c.seed for c in two] == [2**32 - 1, 0]
    assert two[1].pixels.tobytes() == again[0].pixels.tobytes()


def test_inspecting_paints_nothing(one, models, engine):
    models.found = [one.observation()]
    image = Image(one.pixels)
    repair = inspect_picture(image, RefineSettings(), engine)
    assert repair.after is image
    assert [h.action for h in repair.hands] == ["skipped"]
    assert "paint" not in repair.seconds


@pytest.mark.parametrize("move_px", [(-150, 0), (150, 0), (0, 130), (0, -190), (-400, 0)])
def test_hands_that_leave_the_picture_are_survived(models, engine, move_px):
    metres = np.array(move_px) * 0.35 / (1.2 * 288)
    shot = shoot(flat_hand(at=(metres[0], 0.07 + metres[1])))
    models.found = [shot.observation()]
    repair = refine_picture(Image(shot.pixels), RefineSettings(), engine)
    mask = repair.hands[0].mask.inside
    assert np.array_equal(repair.after.pixels[~mask], shot.pixels[~mask])


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (40, 2), (12, 12)])
def test_tiny_pictures_are_survived(one, models, engine, size):
    marks = one.landmarks_px / 288 * max(size)
    models.found = [one.observation(landmarks_px=marks)]
    pixels = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    repair = refine_picture(Image(pixels), RefineSettings(), engine)
    mask = repair.hands[0].mask.inside
    assert np.array_equal(repair.after.pixels[~mask], pixels[~mask])
