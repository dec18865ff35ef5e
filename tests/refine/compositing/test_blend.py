from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.refine.compositing import blend
from handwright.refine.compositing.blend import PARAMS, composite_paint, proximal_of_wrist, rim
from handwright.refine.painters import PaintResult
from handwright.refine.settings import RefineSettings
from tests.refine.conftest import job_of, task_of


@pytest.fixture
def job(one):
    return job_of(one, task_of(one, RefineSettings()))


def test_outside_the_mask_not_a_bit_changes_whatever_was_painted(job):
    noise = np.random.default_rng(0).normal(128, 300, job.crop.shape)
    everywhere = np.ones(job.repair_mask.shape, np.float32)
    pixels, inside = composite_paint(job, PaintResult(noise, everywhere))
    assert np.array_equal(inside, job.repair_mask)
    assert np.array_equal(pixels[~inside], job.crop[~inside])
    assert (pixels[inside] != job.crop[inside]).any(1).mean() > 0.9


@pytest.mark.parametrize("alpha", [0.0, float("nan"), -1.0])
def test_no_share_changes_nothing(job, alpha):
    painted = PaintResult(np.zeros_like(job.crop), np.full(job.repair_mask.shape, alpha, np.float32))
    pixels, inside = composite_paint(job, painted)
    assert not inside.any()
    assert np.array_equal(pixels, job.crop)


def test_a_painter_that_took_the_pictures_colours_is_taken_at_its_word(job):
    paint = np.random.default_rng(1).integers(0, 256, job.crop.shape, np.uint8)
    pixels, inside = composite_paint(job, PaintResult(paint, job.repair_mask.astype(np.float32), toned=True))
    assert np.array_equal(pixels[inside], paint[inside])


def test_half_a_share_is_half_way(job):
    paint = np.full_like(job.crop, 200)
    pixels, inside = composite_paint(job, PaintResult(paint, 0.5 * job.repair_mask, toned=True))
    middle = (200.0 + job.crop[inside]) / 2
    assert np.abs(pixels[inside] - middle).max() <= 0.5


def test_a_colour_cast_is_taken_off_at_the_rim(one, job):
    """The picture itself, too bright by a constant: the way back knows what meets at the mask's edge."""
    cast = np.clip(job.crop + np.array([9.0, 6.0, 0.0]), 0, 255)
    pixels, inside = composite_paint(job, PaintResult(cast, rim(job.repair_mask, job.hand_px)))
    away = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    near = inside & (away > 4) & (away < 10)
    left = np.abs(pixels[near].astype(float) - job.crop[near]).mean()
    assert left < 0.45 * np.abs(cast[near] - job.crop[near]).mean()


@pytest.mark.parametrize("soft", [False, True])
def test_background_that_soft_paint_mixed_with_the_hand_is_compared_with_nothing(job, monkeypatch, soft):
    compared = []
    monkeypatch.setattr(
        blend, "match_colour_ramp", lambda p, _, __, same, **___: (compared.append(same), p)[1]
    )
    composite_paint(job, PaintResult(job.crop, rim(job.repair_mask, job.hand_px), soft=soft))
    x0, y0, x1, y1 = job.window
    hand = (job.control[y0:y1, x0:x1] > 0).astype(np.uint8)
    band_px = max(PARAMS.min_band_px, PARAMS.band * job.hand_px)
    beside = (hand == 0) & (cv2.distanceTransform(1 - hand, cv2.DIST_L2, 5) < 1.5 * band_px)
    _, background = compared
    assert background.any()
    assert (background & beside).any() != soft


def test_in_a_picture_without_colour_paint_has_none(one):
    grey = np.repeat(cv2.cvtColor(one.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    shot = replace(one, pixels=grey)
    job = job_of(shot, task_of(shot, RefineSettings()))
    paint = np.random.default_rng(2).integers(0, 256, job.crop.shape, np.uint8)
    whole = job.repair_mask.astype(np.float32)
    pixels, inside = composite_paint(job, PaintResult(paint, whole))
    assert inside.any() and not np.ptp(pixels, axis=2).any()
    assert np.ptp(composite_paint(job, PaintResult(paint, whole, toned=True))[0][inside], axis=1).any()


def test_the_rim_grows_with_the_hand_and_never_leaves_the_mask():
    mask = np.zeros((200, 200), bool)
    mask[40:160, 40:160] = True
    small, large = rim(mask, 60.0), rim(mask, 800.0)
    assert not small[~mask].any() and not large[~mask].any()
    assert small[100, 100] == large[100, 100] == 1.0
    assert small[100, 43] > large[100, 43] > 0


def test_fresh_skin_gets_the_colour_that_the_old_hand_had(job):
    """A hand painted far too dark and too red comes back in the old hand's colour, shading and all."""
    x0, y0, x1, y1 = job.window
    skin = (job.control[y0:y1, x0:x1] > 0) & job.repair_mask
    old = np.zeros(skin.shape, bool)
    for task in job.tasks:
        old[job.place(task)] |= task.region.inside & task.repair_mask
    shade = np.random.default_rng(2).uniform(0.8, 1.2, skin.shape)[..., None]
    dark = np.clip(np.array([110.0, 70.0, 50.0]) * shade, 0, 255)
    pixels, _ = composite_paint(job, PaintResult(dark, job.repair_mask.astype(np.float32)))
    wanted = np.median(job.crop[old], axis=0)
    assert np.abs(np.median(pixels[skin], axis=0) - wanted).max() < 12
    assert np.abs(np.median(dark[skin], axis=0) - wanted).max() > 50
    assert np.corrcoef(pixels[skin].mean(1), dark[skin].mean(1))[0, 1] > 0.8
    arm = old & (job.control[y0:y1, x0:x1] == 0) & proximal_of_wrist(job)
    assert arm.sum() > 100
    assert np.abs(np.median(pixels[arm], axis=0) - wanted).max() < 12


def test_paint_is_laid_over_what_is_behind_it(job):
    paint, behind = np.full_like(job.crop, 200), np.full_like(job.crop, 40)
    left = np.zeros(job.repair_mask.shape, np.float32)
    left[:, : left.shape[1] // 2] = 1.0
    pixels, inside = composite_paint(job, PaintResult(paint, left, toned=True, behind=behind))
    assert np.array_equal(inside, job.repair_mask)
    assert (pixels[inside & (left > 0)] == 200).all()
    assert (pixels[inside & (left == 0)] == 40).all()
    assert np.array_equal(pixels[~inside], job.crop[~inside])
    same, inside = composite_paint(job, PaintResult(paint, 0 * left, behind=job.crop))
    assert not inside.any()
    assert np.array_equal(same, job.crop)


def test_a_hand_that_is_repaired_in_part_is_so_with_what_is_behind_it(one):
    task = task_of(one, RefineSettings())
    job = job_of(one, replace(task, share=np.full(task.repair_mask.shape, 0.5, np.float32)))
    paint, behind = np.full_like(job.crop, 200), np.full_like(job.crop, 40)
    alpha = np.ones(job.repair_mask.shape, np.float32)
    pixels, inside = composite_paint(job, PaintResult(paint, alpha, toned=True, behind=behind))
    assert np.abs(pixels[inside] - (job.crop[inside] + 200.0) / 2).max() <= 1
    pixels, inside = composite_paint(job, PaintResult(paint, 0 * alpha, toned=True, behind=behind))
    assert np.abs(pixels[inside] - (job.crop[inside] + 40.0) / 2).max() <= 1


def test_paint_that_is_no_number_where_it_does_not_count_changes_nothing(job):
    alpha = (job.new_hands & job.repair_mask).astype(np.float32)
    paint = np.random.default_rng(5).normal(150, 10, job.crop.shape)
    behind = np.where(job.old_hands[..., None], 90, job.crop).astype(np.uint8)
    hole = np.where(alpha[..., None] > 0, paint, np.nan)
    wanted = composite_paint(
        job, PaintResult(np.where(alpha[..., None] > 0, paint, 255), alpha, behind=behind)
    )
    assert np.array_equal(composite_paint(job, PaintResult(hole, alpha, behind=behind))[0], wanted[0])


def test_paint_with_something_behind_it_gets_one_light_beyond_its_outline_too(job):
    colour = np.full(job.crop.shape, (110.0, 70.0, 50.0))
    hand = job.new_hands.astype(np.float32)
    grown = cv2.dilate(hand, np.ones((5, 5), np.uint8))
    pixels, _ = composite_paint(job, PaintResult(colour, grown, behind=job.crop))
    beside = (grown > 0) & (hand == 0) & job.repair_mask
    painted = (hand > 0) & job.repair_mask
    assert np.abs(np.median(pixels[beside], axis=0) - np.median(pixels[painted], axis=0)).max() < 12
