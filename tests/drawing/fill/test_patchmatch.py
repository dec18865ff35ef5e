from __future__ import annotations

import cv2
import numpy as np

from handwright.drawing.fill.patchmatch import BIAS_LIMIT, RADIUS, search, vote

SIZE = 64
SHIFT = (5, -24)


def repeated(lift: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random colours, the right part a copy of what lies SHIFT away; the targets in it; the sources."""
    picture = np.random.default_rng(0).uniform(0, 200, (SIZE, SIZE, 3)).astype(np.float32)
    copy = np.roll(picture, (-SHIFT[0], -SHIFT[1]), (0, 1)) + np.float32(lift)
    picture[6:50, 30:58] = copy[6:50, 30:58]
    unknown, sources = np.zeros((SIZE, SIZE), bool), np.zeros((SIZE, SIZE), bool)
    unknown[12:40, 36:50] = True
    sources[RADIUS:-RADIUS, RADIUS:28] = True
    return picture, np.argwhere(unknown).astype(np.int32), sources


def found_field(picture: np.ndarray, targets: np.ndarray, sources: np.ndarray, seed: int = 1) -> np.ndarray:
    field, cost = np.full((SIZE, SIZE, 2), 10, np.int32), np.full((SIZE, SIZE), -1, np.float32)
    means = cv2.blur(picture, (2 * RADIUS + 1, 2 * RADIUS + 1))
    search(picture, means, targets, sources, field, cost, 0.0, 12, SIZE, seed)
    return field


def share_found(field: np.ndarray, targets: np.ndarray) -> float:
    rows, columns = targets.T
    return float((field[rows, columns] - targets == SHIFT).all(1).mean())


def test_patches_are_found_where_they_were_copied_from():
    picture, targets, sources = repeated()
    assert share_found(found_field(picture, targets, sources), targets) > 0.99


def test_a_copy_in_another_light_is_found_and_lifted_back():
    picture, targets, sources = repeated(lift=0.8 * BIAS_LIMIT)
    field = found_field(picture, targets, sources)
    assert share_found(field, targets) > 0.99
    truth, belief = picture.copy(), np.zeros((SIZE, SIZE), np.float32)
    belief[tuple(targets.T)] = 1
    vote(picture, cv2.blur(picture, (2 * RADIUS + 1, 2 * RADIUS + 1)), targets, field, belief, 1)
    assert np.median(np.abs(picture - truth)) < 1e-3


def test_the_field_never_leaves_the_sources_and_depends_on_the_seed_alone():
    picture, targets, sources = repeated()
    one, two = (found_field(picture, targets, sources, 7) for _ in range(2))
    assert np.array_equal(one, two)
    rows, columns = targets.T
    assert sources[one[rows, columns, 0], one[rows, columns, 1]].all()


def test_votes_change_the_targets_only():
    picture, targets, sources = repeated()
    field, before = found_field(picture, targets, sources), picture.copy()
    belief = np.zeros((SIZE, SIZE), np.float32)
    belief[tuple(targets.T)] = 1
    vote(picture, np.zeros_like(picture), targets, field, belief, 2)
    others = np.ones((SIZE, SIZE), bool)
    others[tuple(targets.T)] = False
    assert np.array_equal(picture[others], before[others])
