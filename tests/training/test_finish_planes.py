"""What a finish sees: both hands, where they differ, the drawn surface; in a square and back."""

from dataclasses import replace

import numpy as np
import pytest

from handwright.drawing.painter import draw_hand
from handwright.training.finish_planes import (
    OLD,
    PAINTED,
    PLANES,
    SHARE,
    SIDE,
    FinishSquare,
    cut_planes,
    finish_inputs,
)
from tests.drawn import flat_hand, shoot


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
