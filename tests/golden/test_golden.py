"""Pictures are tests: what `refine` makes of forty rendered pictures stays what was last accepted.

A failure names the sheet that shows before, accepted, now and their difference. If the change is meant,
`make bless` shows all that changed and accepts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from handwright import HandRefiner
from handwright.drawing.params import DrawParams
from tests.golden.cases import ACCEPTED, ACTIONS, CASES, PICTURES, Case
from tests.golden.compare import MOST_GRAIN, SLACK, difference, measure, sheet
from tests.golden.sensitivity import painting_with, scaled

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


def test_a_number_of_the_painter_that_is_30_percent_off_is_caught(refiner: HandRefiner):
    (case,) = (case for case in CASES if case.name == "defects_04-default")
    with painting_with(scaled(DrawParams(), "shading.tone.steepest", 0.7)):
        assert difference(case.refine(refiner)).complaints


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


def test_single_levels_of_rounding_pass():
    before, after = painting()
    rounding = np.random.default_rng(1).random(after.shape[:2]) < 0.05
    now = after.astype(int) + rounding[..., None]
    assert not measure(before, after, np.where((after != before), now, after).astype(np.uint8)).complaints


def test_an_unsteady_case_has_wider_bounds_that_a_wrong_painting_still_breaks():
    before, after = painting()
    now = np.where((after != before).any(-1, keepdims=True), after.astype(int) + 2, after).astype(np.uint8)
    assert not replace(measure(before, after, now), slack=SLACK).complaints
    assert replace(measure(before, after, before), slack=SLACK).complaints
