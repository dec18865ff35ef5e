from __future__ import annotations

import numpy as np
import pytest

from handwright.drawing.fill.patchmatch import RADIUS
from handwright.drawing.fill.pyramid import PAD, build_pyramid, enlarged_field, enlarged_picture


def problem(height: int = 131, width: int = 150) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width]
    picture = np.stack([x, y, x + y], -1).astype(np.float32)
    return picture, (x - 75) ** 2 + (y - 60) ** 2 < 30**2


def test_levels_halve_until_the_hole_is_shallow():
    picture, hole = problem()
    levels = build_pyramid(picture, hole, ~hole)
    assert [level.unknown.shape for level in levels[:2]] == [
        (131 + 2 * PAD, 150 + 2 * PAD),
        (66 + 2 * PAD, 75 + 2 * PAD),
    ]
    assert len(levels[-1].targets) < 400


def test_no_colour_of_the_hole_reaches_a_coarser_source():
    picture, hole = problem()
    spoiled = np.where(hole[..., None], np.float32(1e4), picture)
    for level in build_pyramid(spoiled, hole, ~hole):
        rows, columns = np.nonzero(level.centres)
        for di, dj in ((-RADIUS, -RADIUS), (RADIUS, RADIUS)):
            assert level.picture[rows + di, columns + dj].max() < 300
            assert not level.unknown[rows + di, columns + dj].any()


def test_without_room_for_patches_there_are_no_levels():
    picture, hole = problem()
    assert build_pyramid(picture, np.ones_like(hole), np.zeros_like(hole)) == []


def test_a_match_twice_as_large_keeps_its_offset_doubled():
    picture, hole = problem(128, 160)
    fine, coarse = build_pyramid(picture, hole, ~hole)[:2]
    field = np.zeros((*coarse.unknown.shape, 2), np.int32)
    field[tuple(coarse.targets.T)] = coarse.targets - (0, 20)
    doubled = enlarged_field(field, fine, 0)
    rows, columns = fine.targets.T
    same = (doubled[rows, columns] - fine.targets == (0, -40)).all(1)
    lost = ~fine.centres[rows, np.maximum(columns - 40, 0)]
    assert (same | lost).all()
    assert fine.centres[doubled[rows, columns, 0], doubled[rows, columns, 1]].all()


def test_an_enlarged_picture_lies_where_it_lay():
    picture, hole = problem(128, 160)
    fine, coarse = build_pyramid(picture, hole, ~hole)[:2]
    doubled = enlarged_picture(np.where(coarse.unknown[..., None], 0, coarse.picture), fine)
    assert np.array_equal(doubled[~fine.unknown], fine.picture[~fine.unknown])
    y, x = np.mgrid[: coarse.unknown.shape[0], : coarse.unknown.shape[1]].astype(np.float32)
    ramp = np.stack([x, y, y], -1)
    up = enlarged_picture(ramp, fine)[fine.unknown]
    assert up[:, 0] == pytest.approx((fine.targets[:, 1] - PAD) / 2 + PAD - 0.25, abs=0.01)
