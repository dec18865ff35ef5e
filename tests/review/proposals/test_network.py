"""Where hands may be: views of a picture there and back, each hand once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import Proposal, distinct, in_picture, lies_within, view_input, views


def at(x, y, size, score=0.9):
    return Proposal(OrientedSquare((x, y), size, 0.0), score)


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (40, 3), (256, 256), (300, 500), (1100, 800), (30, 600)]
)
def test_every_view_shows_a_mark_where_it_says_it_is(width, height):
    for view in views(width, height, 256):
        x0, y0, x1, y1 = view.box_px
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        pixels = np.zeros((height, width, 3), np.uint8)
        radius = view.side_px / 40
        x, y = x0 + 0.6 * (x1 - x0), y0 + 0.3 * (y1 - y0)
        rows, columns = np.mgrid[:height, :width]
        pixels[np.hypot(columns + 0.5 - x, rows + 0.5 - y) <= max(radius, 0.8)] = 255
        seen = (view_input(pixels, view, 256)[0] + 1) / 2
        assert seen.shape == (256, 256)
        if not seen.sum():
            continue
        rows, columns = np.mgrid[:256, :256] + 0.5
        there = (columns * seen).sum() / seen.sum(), (rows * seen).sum() / seen.sum()
        back = in_picture(at(*there, 10), view, 256).region
        assert math.dist(back.center_px, (x, y)) < max(1.0, 1.5 * view.side_px / 256)
        assert back.size_px == pytest.approx(10 * view.side_px / 256)


def test_what_is_no_picture_is_black():
    seen = view_input(np.full((50, 100, 3), 255, np.uint8), views(100, 50, 256)[0], 256)
    assert (seen[:, :60] == -1).all()
    assert (seen[:, 70:180] == 1).all()
    assert (seen[:, 200:] == -1).all()


def test_the_parts_of_a_large_picture_cover_it():
    covered = np.zeros((900, 1300), np.bool_)
    whole, *parts = views(1300, 900, 256)
    assert whole.box_px == (0, 0, 1300, 900)
    for part in parts:
        x0, y0, x1, y1 = part.box_px
        covered[y0:y1, x0:x1] = True
    assert covered.all()
    assert len(views(400, 512, 256)) == 1


def test_a_hand_seen_twice_is_one_hand_and_neighbours_stay_two():
    best, again, small, beside = (
        at(100, 100, 80, 0.9),
        at(110, 95, 70, 0.6),
        at(100, 80, 20, 0.5),
        at(180, 100, 80, 0.4),
    )
    assert distinct([small, again, beside, best]) == [best, beside]
    assert distinct([]) == []


def test_a_part_is_believed_about_small_and_whole_hands_alone():
    _, corner, *_ = views(1000, 1000, 256)
    assert corner.box_px == (0, 0, 600, 600)
    assert lies_within(at(300, 300, 100), corner, 1000, 1000)
    assert not lies_within(at(300, 300, 400), corner, 1000, 1000)
    assert not lies_within(at(590, 300, 100), corner, 1000, 1000)
    assert lies_within(at(10, 300, 100), corner, 1000, 1000), "the picture's own border cuts it too"
