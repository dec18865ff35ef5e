"""What cannot be judged says why: tiny, cut, blurred, gloved, drawn."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.perception.analysis import analyse_hand
from handwright.review.checks.assessability import PARAMS, edge_blur, flat_share, reasons_not_assessable
from handwright.types import Image
from tests.drawn import shoot
from tests.review.drawn import evidence_of, grainy, seen


def test_a_plain_hand_leaves_no_doubt():
    assert reasons_not_assessable(evidence_of(grainy())) == {}


def test_a_tiny_hand_is_not_judged_at_all():
    shot = shoot(grain=2.5)
    small = cv2.resize(shot.pixels, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    there = seen(shot.hand)
    tiny = replace(there, landmarks_px=there.landmarks_px * 0.12, depth_px=there.depth_px * 0.12)
    said = reasons_not_assessable(analyse_hand(Image(np.ascontiguousarray(small)), tiny))
    assert set(said) == {"finger_count", "joint_bending", "grasp", "left_right"}
    assert "px large" in said["finger_count"]


def test_a_hand_whose_fingertips_the_border_cuts_is_not_counted():
    shot = grainy()
    down = np.array([0.0, -0.45 * shot.hand_px])
    there = seen(shot.hand)
    moved = replace(there, landmarks_px=there.landmarks_px + down)
    shift = np.float32([[1, 0, 0], [0, 1, down[1]]])
    pixels = cv2.warpAffine(shot.pixels, shift, shot.pixels.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    said = reasons_not_assessable(evidence_of(shot, pixels, landmarks_px=moved.landmarks_px))
    assert "border cuts" in said["finger_count"]


def test_a_strongly_blurred_hand_is_not_judged():
    shot = shoot()
    pixels = cv2.GaussianBlur(shot.pixels, (0, 0), 0.05 * shot.hand_px)
    assert "blurred" in reasons_not_assessable(evidence_of(shot, pixels))["joint_bending"]


@pytest.mark.parametrize(("sigma_px", "blurred"), [(0.9, False), (2.5, True)])
def test_a_small_hand_may_be_as_blurred_as_cameras_blur(sigma_px, blurred):
    shot = shoot(grain=2.5)
    share = 45 / shot.hand_px
    small = cv2.resize(shot.pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    there = seen(shot.hand)
    small_hand = replace(there, landmarks_px=there.landmarks_px * share, depth_px=there.depth_px * share)
    analysis = analyse_hand(Image(cv2.GaussianBlur(small, (0, 0), sigma_px)), small_hand)
    assert edge_blur(analysis) > PARAMS.max_blur
    assert ("blurred" in reasons_not_assessable(analysis).get("joint_bending", "")) == blurred


@pytest.mark.parametrize("colour", [(0.02, 0.05, 0.4), (0.02, 0.02, 0.02), (0.05, 0.35, 0.08)])
def test_a_glove_is_no_skin(colour):
    assert "glove" in reasons_not_assessable(evidence_of(grainy(skin=colour)))["finger_count"]


@pytest.mark.parametrize("colour", [(0.72, 0.45, 0.34), (0.50, 0.27, 0.18), (0.10, 0.045, 0.025)])
def test_skin_of_any_tone_is_no_glove(colour):
    assert "finger_count" not in reasons_not_assessable(evidence_of(grainy(skin=colour)))


def test_a_hand_in_a_grey_picture_is_no_glove():
    shot = grainy()
    grey = np.repeat(shot.pixels.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    assert reasons_not_assessable(evidence_of(shot, grey)).get("finger_count") is None


def test_a_drawing_with_creases_in_few_colours_is_not_judged():
    shot = grainy()
    ink, fill = np.uint8([30, 20, 20]), np.uint8([250, 205, 160])
    checked = (np.indices(shot.silhouette.shape) // 2).sum(0) % 3 == 0
    flat = np.where(shot.silhouette[..., None], np.where(checked[..., None], ink, fill), shot.pixels)
    evidence = evidence_of(shot, flat.astype(np.uint8))
    assert flat_share(evidence) < PARAMS.max_flat
    assert "texture" in reasons_not_assessable(evidence)["finger_count"]


def test_a_drawing_in_one_colour_is_not_judged():
    shot = shoot()
    flat = np.where(shot.silhouette[..., None], np.uint8([222, 170, 140]), shot.pixels).astype(np.uint8)
    assert "texture" in reasons_not_assessable(evidence_of(shot, flat))["finger_count"]
