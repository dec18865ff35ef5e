"""Which skin beside a fitted hand counts."""

from types import SimpleNamespace

import numpy as np
import pytest

from handwright.review.checks import unexplained_skin
from handwright.review.checks.unexplained_skin import PARAMS, outgrowths
from handwright.types import HandRegion

SPAN = 90.0


@pytest.mark.parametrize(("side", "counts"), [(0.8, False), (1.3, True)])
def test_skin_of_least_area_counts(monkeypatch, side, counts):
    shape = 200, 200
    drawn, own = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    drawn[80:120, 80:120] = own[80:120, 80:120] = True
    px = round(side * PARAMS.min_side * SPAN)
    own[150 : 150 + px, 150 : 150 + px] = True
    crop = np.full((*shape, 3), 128, np.uint8)
    small = unexplained_skin._Small(own, drawn, np.ones(shape, np.bool_), crop, np.zeros((5, 2)), SPAN)
    monkeypatch.setattr(unexplained_skin, "_small", lambda _: small)
    region = HandRegion(inside=own, skin_lab=np.full(3, 128.0), skin_covariance=np.eye(3), span_px=SPAN)
    found = outgrowths(SimpleNamespace(crop=crop, coarse_region=region))
    assert bool(found) is counts
    assert not found or np.array_equal(found[0].inside, own & ~drawn)
