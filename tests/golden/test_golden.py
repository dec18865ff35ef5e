"""Pictures are tests: what `refine` makes of forty rendered pictures stays what was last accepted.

A failure names the sheet that shows before, accepted, now and their difference. If the change is meant,
`make bless` shows all that changed and accepts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright import HandRefiner
from tests.golden.cases import ACCEPTED, ACTIONS, CASES, PICTURES, Case
from tests.golden.compare import (
    LEAST_MASK_IOU,
    MOST_GRAIN,
    NOISY_SLACK,
    SLACK,
    difference,
    iou,
    measure,
    sheet,
)
from tests.golden.sensitivity import FACTORS, differences

MOST_BYTES = 3_000_000


@pytest.fixture(scope="session")
def refiner() -> Iterator[HandRefiner]:
    with HandRefiner() as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_picture_is_refined_as_it_was_accepted(case: Case, refiner: HandRefiner):
    result = case.refine(refiner)
    complaints = difference(result).complaints
    assert not complaints, f"{'; '.join(complaints)}; see {sheet([result], case.name)} (`make bless` accepts)"


@pytest.mark.parametrize(
    ("constant", "factor", "name"),
    [
        ("draw.shading.tone.steepest", 0.7, "defects_04-all"),  # a limit that no skin here is beyond
        *(("draw.finish.grain.most_ratio", factor, "noisy_00-all") for factor in FACTORS),
        *(("mask.dilation", factor, "noisy_00-all") for factor in FACTORS),
    ],
)
def test_a_constant_of_the_painter_that_is_30_percent_off_is_caught(constant, factor, name, refiner):
    (case,) = (case for case in CASES if case.name == name)
    (apart,) = differences(constant, factor, [case], refiner)
    assert apart.complaints


def test_every_picture_and_every_accepted_result_belongs_to_a_case_and_they_are_small():
    assert {path.stem for path in PICTURES.iterdir()} == {case.picture for case in CASES}
    assert {path.stem for path in ACCEPTED.iterdir()} == {case.name for case in CASES}
    files = [*PICTURES.iterdir(), *ACCEPTED.iterdir(), ACTIONS]
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES


def test_most_cases_change_their_picture():
    changed = [case.name for case in CASES if (case.accepted != case.before).any()]
    assert len(changed) >= 0.6 * len(CASES)


def painting() -> tuple[np.ndarray, np.ndarray]:
    """A picture and a grainy painting in its middle."""
    before = np.full((64, 64, 3), 120, np.uint8)
    after = before.copy()
    grain = np.random.default_rng(0).normal(0, 4, (32, 32, 1))
    after[16:48, 16:48] = np.clip(140 + grain, 0, 255)
    return before, after


def test_the_accepted_result_itself_passes():
    before, after = painting()
    assert not measure(before, after, after).complaints


def test_a_painting_where_none_was_accepted_fails():
    before, after = painting()
    assert measure(before, before, after).complaints
    assert measure(before, after, before).complaints


@pytest.mark.parametrize("levels", [2, -2])
def test_a_tone_two_levels_off_fails(levels):
    before, after = painting()
    now = np.where((after != before).any(-1, keepdims=True), after.astype(int) + levels, after)
    assert measure(before, after, now.astype(np.uint8)).complaints


def test_grain_a_third_weaker_fails():
    before, after = painting()
    middle = after[16:48, 16:48]
    now = after.copy()
    now[16:48, 16:48] = np.round(140 + (middle.astype(float) - 140) / 1.3)
    assert abs(measure(before, after, now).grain) > MOST_GRAIN


def test_in_a_noisy_case_other_noise_passes_and_weaker_noise_fails():
    before, after = painting()
    inside = (after != before).any(-1)
    now = after.copy()
    now[inside] = after[inside][np.random.default_rng(2).permutation(inside.sum())]
    assert measure(before, after, now).complaints
    noisy = {"pixel_slack": NOISY_SLACK}
    assert not replace(measure(before, after, now), grain=0.0, **noisy).complaints
    weaker = replace(measure(before, after, now), grain=-1.1 * MOST_GRAIN, **noisy)
    assert len(weaker.complaints) == 1


def test_a_mask_one_pixel_wider_fails_and_pixels_on_its_edge_pass():
    before, after = painting()
    mask = (after != before).any(-1)
    wider = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert iou(mask, wider) < LEAST_MASK_IOU
    assert replace(measure(before, after, after), mask_iou=iou(mask, wider)).complaints
    ragged = mask.copy()
    ragged[16, 16:32] = False
    assert not replace(measure(before, after, after), mask_iou=iou(mask, ragged)).complaints
    assert iou(mask & False, mask & False) == 1


def test_single_levels_of_rounding_pass():
    before, after = painting()
    rounding = np.random.default_rng(1).random(after.shape[:2]) < 0.05
    now = after.astype(int) + rounding[..., None]
    assert not measure(before, after, np.where((after != before), now, after).astype(np.uint8)).complaints


def test_an_unsteady_case_has_wider_bounds_that_a_wrong_painting_still_breaks():
    before, after = painting()
    now = np.where((after != before).any(-1, keepdims=True), after.astype(int) + 2, after).astype(np.uint8)
    wider = {"slack": SLACK, "pixel_slack": SLACK}
    assert not replace(measure(before, after, now), **wider).complaints
    assert replace(measure(before, after, before), **wider).complaints
