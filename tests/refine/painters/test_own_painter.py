"""A user's painter paints what it is given, and what it returns is checked."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.plug_ins import PlugIn, PlugInError
from handwright.refine.painters import PaintResult, open_painter
from handwright.refine.painters.own_painter import OwnPainter
from handwright.refine.settings import RefineSettings
from tests.drawn import shoot
from tests.refine.conftest import job_of, task_of

SHOT = shoot()
JOB = job_of(SHOT, task_of(SHOT, RefineSettings()))
SHAPE = JOB.repair_mask.shape
NO_NETWORK: Any = lambda: None  # noqa: E731


def own(returned: Any, **more: Any) -> OwnPainter:
    return OwnPainter(PlugIn("painter", SimpleNamespace(paint=lambda job: returned, **more)))


def crop(value: float = 7.0, share: float = 1.0, dtype: Any = np.float32, shape: Any = SHAPE) -> PaintResult:
    return PaintResult(np.full((*shape, 3), value, dtype), np.full(shape, share, np.float32))


def test_what_it_paints_is_handed_on_and_hands_that_meet_come_together_if_it_wants():
    result = crop()
    assert own(result).paint(JOB) is result
    assert (own(result).together, own(result).side_by_side) == (False, False)
    assert own(result, together=True).together


def test_it_paints_where_the_settings_name_none_of_the_package():
    mine = own(crop())
    assert open_painter(RefineSettings(painter="a.b:C"), NO_NETWORK, mine) is mine
    assert open_painter(RefineSettings(), NO_NETWORK, mine) is not mine
    with pytest.raises(UsageError, match=r"`painter` a\.b:C is not open"):
        open_painter(RefineSettings(painter="a.b:C"), NO_NETWORK)


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (None, "returned a NoneType"),
        (JOB.crop, "returned a ndarray"),
        (crop(shape=(4, 5)), "returned pixels of shape [4, 5, 3]"),
        (PaintResult(crop().pixels, np.zeros((4, 5))), "returned alpha of shape [4, 5]"),
        (crop(dtype=np.int64), "returned pixels of type int64"),
        (replace(crop(), behind=np.zeros((4, 5, 3), np.uint8)), "returned behind of shape [4, 5, 3]"),
        (replace(crop(), behind=JOB.crop.astype(float)), "returned behind of type float64"),
        (crop(300.0), "returned numbers out of range"),
        (crop(np.nan), "returned numbers out of range"),
        (crop(share=2.0), "returned numbers out of range"),
    ],
)
def test_what_is_no_painted_crop_is_refused_in_one_line(returned: Any, what: Any):
    with pytest.raises(PlugInError) as refused:
        own(returned).paint(JOB)
    assert what in str(refused.value) and "\n" not in str(refused.value)


def test_what_it_leaves_alone_may_hold_anything():
    result = crop(np.nan, share=0.0)
    assert own(result).paint(JOB) is result
