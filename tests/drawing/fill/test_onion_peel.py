from __future__ import annotations

import numpy as np

from handwright.drawing.fill.onion_peel import onion_peel
from handwright.drawing.fill.pyramid import PAD, build_pyramid


def test_stripes_are_carried_through_the_hole():
    y, x = np.mgrid[:48, :48]
    picture = np.repeat(np.where((x // 4) % 2, 200, 40).astype(np.float32)[..., None], 3, -1)
    hole = (x - 24) ** 2 + (y - 24) ** 2 < 6**2
    level = build_pyramid(np.where(hole[..., None], np.float32(120), picture), hole, ~hole)[0]
    painted, field = onion_peel(level, 0.01, 0)
    assert np.abs(painted[PAD:-PAD, PAD:-PAD] - picture)[hole].mean() < 25
    rows, columns = level.targets.T
    assert level.centres[field[rows, columns, 0], field[rows, columns, 1]].all()


def test_among_equal_patches_the_nearest_is_taken():
    picture = np.full((48, 48, 3), 90, np.float32)
    hole = np.zeros((48, 48), bool)
    hole[20:24, 20:24] = True
    level = build_pyramid(picture, hole, ~hole)[0]
    _, field = onion_peel(level, 1.0, 0)
    rows, columns = level.targets.T
    away = np.linalg.norm(field[rows, columns] - level.targets, axis=1)
    assert away.max() < 16


def test_a_hole_without_a_known_rim_is_still_filled_from_the_sources():
    picture = np.full((60, 60, 3), 70, np.float32)
    hole, sources = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    hole[5:9, 5:9] = True
    sources[30:, 30:] = True
    painted, _ = onion_peel(build_pyramid(picture, hole, sources)[0], 0.01, 0)
    assert (painted[PAD:-PAD, PAD:-PAD][hole] == 70).all()
