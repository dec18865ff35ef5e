"""Squares go out and come back; controls and masks have the sizes and kinds that others expect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.refine.exchange import planned
from handwright.refine.exchange.controls import MASK_KINDS, depth_at, inpainting_mask
from handwright.refine.exchange.outcome import outcome
from handwright.refine.exchange.planned import failed_mask, plan_hands, plan_reviewed
from handwright.refine.exchange.squares import hand_squares, middle_square, paste_squares
from handwright.refine.pipeline import refine_picture
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import PictureReview
from handwright.types import Image
from tests.refine.conftest import observations_of_two, reviewed


@pytest.fixture
def found(models, engine, two):
    models.found.extend(observations_of_two(two))
    return Image(two.pixels), plan_hands(Image(two.pixels), engine, RefineSettings())


def test_every_hand_has_a_square_that_holds_its_mask(found):
    image, hands = found
    squares = hand_squares(image.pixels, hands, 128)
    assert len(squares) == 2 and all(square.picture.shape == (128, 128, 3) for square in squares)
    for square in squares:
        rows, columns = np.nonzero(square.inside)
        assert square.place.left <= columns.min() and columns.max() < square.place.left + square.place.side
        assert square.place.top <= rows.min() and rows.max() < square.place.top + square.place.side
        assert square.mask.any() and square.depth.any()


@pytest.mark.parametrize("side", [64, 200])
def test_paint_lands_inside_the_masks_alone(found, side):
    image, hands = found
    squares = hand_squares(image.pixels, hands, 128)
    red = np.broadcast_to(np.array([255, 0, 0], np.float32), (side, side, 3))
    pixels, changed = paste_squares(image.pixels, squares, [red, red])
    allowed = squares[0].inside | squares[1].inside
    assert not (changed & ~allowed).any() and (pixels[~changed] == image.pixels[~changed]).all()
    assert (pixels[allowed] == [255, 0, 0]).all(-1).mean() > 0.5


def test_squares_belong_to_their_picture_and_each_needs_its_paint(found):
    image, hands = found
    squares = hand_squares(image.pixels, hands, 64)
    paint = np.zeros((64, 64, 3), np.float32)
    with pytest.raises(InvalidValueError, match="1 painted squares came for 2"):
        paste_squares(image.pixels, squares, [paint])
    with pytest.raises(InvalidValueError, match="the squares were cut from"):
        paste_squares(image.pixels[:100], squares, [paint, paint])


def test_a_picture_without_hands_has_nothing_to_paint():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    square = middle_square(pixels, 32)
    assert square.place.left == 10 and not square.mask.any()
    same, changed = paste_squares(pixels, [square], [np.zeros((32, 32, 3), np.float32)])
    assert (same == pixels).all() and not changed.any()


def test_kinds_of_mask_hold_each_other(found):
    _, hands = found
    masks = {kind: inpainting_mask(hands.hands, hands.depth, kind, padding_px=9) for kind in MASK_KINDS}
    assert (masks["based_on_depth"] <= masks["tight_bboxes"]).all()
    assert masks["tight_bboxes"].sum() < masks["original"].sum()
    assert (masks["tight_bboxes"] <= masks["original"]).all()
    shrunk = inpainting_mask(hands.hands, hands.depth, expand_px=-3)
    assert (shrunk <= masks["based_on_depth"]).all() and 0 < shrunk.sum() < masks["based_on_depth"].sum()


def test_a_mask_grows_by_a_diamond():
    from handwright.types import DepthControl

    depth = np.zeros((9, 9), np.uint8)
    depth[4, 4] = 255
    grown = inpainting_mask((), DepthControl(depth, np.full((9, 9), -1, np.int16)), expand_px=2)
    rows, columns = np.mgrid[:9, :9]
    assert (grown == (abs(rows - 4) + abs(columns - 4) <= 2)).all()


@pytest.mark.parametrize(
    ("shorter", "shape"), [(0, (40, 80)), (40, (40, 80)), (20, (20, 40)), (60, (60, 120))]
)
def test_a_depth_image_is_resized_by_its_shorter_side(shorter, shape):
    depth = np.full((40, 80), 200, np.uint8)
    assert depth_at(depth, shorter).shape == shape and (depth_at(depth, shorter) == 200).all()


def test_only_hands_of_the_verdict_are_planned_and_masked(found, two, engine, monkeypatch):
    image, _ = found
    first, second = observations_of_two(two)
    lost = replace(reviewed(3, first, "fail"), observation=None, bbox_xyxy_px=(2.0, 3.0, 12.0, 9.0))
    review = PictureReview((reviewed(1, first, "fail"), reviewed(2, second, "unsure"), lost), 520, 288)
    assert [hand.id for hand in plan_reviewed(image, review, ("fail",), RefineSettings()).hands] == [1]
    failed, more = failed_mask(image, review).inside, failed_mask(image, review, ("fail", "unsure")).inside
    assert failed[3:9, 2:12].all() and failed.sum() < more.sum()
    monkeypatch.setattr(planned, "review_picture", lambda *_: review)
    numbers = [[h.id for h in plan_hands(image, engine, RefineSettings(), w).hands] for w in planned.WHICH]
    assert numbers == [[1, 2], [1], [1, 2]]


def test_an_outcome_shows_rejected_repaints_on_demand(models, engine, two):
    models.found.extend(observations_of_two(two))
    models.after = lambda number, pixels: "fail" if number == 1 else "pass"
    repair = refine_picture(Image(two.pixels), RefineSettings(), engine)
    pixels, inside = outcome(repair)
    every, more = outcome(repair, with_rejected=True)
    assert (pixels == repair.after.pixels).all() and (inside <= more).all() and inside.sum() < more.sum()
    assert (every[~more] == two.pixels[~more]).all() and (every != pixels).any()
