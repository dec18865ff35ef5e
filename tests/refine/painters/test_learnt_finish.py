"""The learnt finish keeps, mixes and changes as its network says, and nothing that was not painted."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from handwright.drawing.painter import draw_hand
from handwright.drawing.photo.finish_planes import (
    OLD,
    PAINTED,
    PLANES,
    SHARE,
    SIDE,
    FinishSquare,
    cut_planes,
    finish_inputs,
)
from handwright.errors import MissingModelError
from handwright.refine.painters.learnt_finish import FILE, LearntFinish
from handwright.review.checks.broken_hold import FILE as OTHER_FILE
from handwright.review.checks.broken_hold import PACKAGED as OTHER
from tests.drawn import flat_hand, shoot


class Says:
    """Stands in for the network: the same answer for every pixel."""

    def __init__(self, kept, change=0.0):
        self.kept, self.change = kept, change

    def run(self, names, given):
        assert names == ["kept", "change"]
        assert given["planes"].shape == (1, PLANES, SIDE, SIDE)
        ones = np.ones((1, 1, SIDE, SIDE), np.float32)
        return [self.kept * ones, self.change * np.repeat(ones, 3, 1)]


@pytest.fixture(scope="module", params=[1, 3], ids=["small", "large"])
def drawn(request):
    """A curled hand's crop, and an open hand drawn over it; in pixels as they are, or three to one."""
    old, new = shoot(flat_hand(curl=0.5)), shoot()
    crop = np.ascontiguousarray(np.repeat(np.repeat(old.pixels, request.param, 0), request.param, 1))
    if request.param == 1:
        region, window, hand = old.region, old.window, new.hand
    else:
        region, window, hand = enlarged(old, new, request.param)
    return crop, draw_hand(crop, window, hand, old.landmarks_px * request.param, region, seed=0)


def enlarged(old, new, times):
    """The old hand's region, its window and the new hand, in a picture so many times as large."""
    inside = np.repeat(np.repeat(old.region.inside, times, 0), times, 1)
    region = replace(old.region, inside=inside, span_px=old.region.span_px * times)
    camera = new.hand.camera
    camera = replace(
        camera,
        focal_px=camera.focal_px * times,
        center_px=tuple(times * float(v) for v in camera.center_px),
    )
    window = tuple(times * v for v in old.window)
    return region, window, replace(new.hand, camera=camera)


def test_what_is_kept_whole_is_the_old_crop_and_what_is_not_the_drawn_one(drawn):
    crop, result = drawn
    old = LearntFinish(Says(1.0)).apply(crop, result)
    assert np.array_equal(old.pixels, crop)
    assert not old.painted.any()
    new = LearntFinish(Says(0.0)).apply(crop, result)
    assert np.array_equal(new.pixels, result.pixels)
    assert np.array_equal(new.painted, (result.pixels != crop).any(-1))


def test_a_change_is_added_where_something_was_painted_and_nowhere_else(drawn):
    crop, result = drawn
    brighter = LearntFinish(Says(0.0, 10 / 127.5)).apply(crop, result).pixels
    inside = result.painted
    assert np.array_equal(brighter[~inside], crop[~inside])
    wanted = np.minimum(result.pixels[inside].astype(int) + 10, 255)
    assert np.abs(brighter[inside].astype(int) - wanted).max() <= 1


def test_half_kept_lies_in_the_middle(drawn):
    crop, result = drawn
    half = LearntFinish(Says(0.5)).apply(crop, result).pixels.astype(float)
    middle = (crop.astype(float) + result.pixels) / 2
    assert np.abs(half - middle)[result.painted].max() <= 0.51


def test_the_network_sees_both_hands_and_where_they_differ(drawn):
    crop, result = drawn
    planes = finish_inputs(crop, result)
    assert planes.shape == (*crop.shape[:2], PLANES)
    assert np.array_equal(np.rint((planes[..., OLD] + 1) * 127.5), crop)
    assert np.array_equal(np.rint((planes[..., :3] + 1) * 127.5), result.pixels)
    assert np.array_equal(planes[..., PAINTED] > 0, result.painted)
    solid = planes[..., SHARE] > 0.99
    assert solid.any()
    lengths = np.linalg.norm(planes[..., 4:7], axis=-1)
    assert np.median(lengths[solid]) == pytest.approx(1, abs=0.05)
    assert lengths[planes[..., SHARE] == 0].max() == 0


def test_a_square_holds_all_that_was_painted_and_comes_back_to_its_place(drawn):
    crop, result = drawn
    square = FinishSquare.around(result.painted)
    cut = cut_planes(finish_inputs(crop, result), square)
    rows, columns = np.nonzero(cut[..., PAINTED] > 0.5)
    assert min(rows.min(), columns.min()) > 0
    assert max(rows.max(), columns.max()) < SIDE - 1
    back = square.back(np.ascontiguousarray(cut[..., PAINTED]), crop.shape[:2]) > 0.5
    assert (back != result.painted).mean() < 0.01


def test_a_file_that_is_missing_or_another_network_is_refused(tmp_path):
    with pytest.raises(MissingModelError):
        LearntFinish.load(tmp_path)
    shutil.copy(OTHER / OTHER_FILE, tmp_path / FILE)
    with pytest.raises(MissingModelError, match="no finish"):
        LearntFinish.load(tmp_path)
