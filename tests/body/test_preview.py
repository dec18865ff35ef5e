"""The rendered preview shows the person where the parameters have it."""

from __future__ import annotations

import numpy as np

from handwright.body import mean_parameters, wholebody_of
from handwright.body.preview import render_person
from tests.handiffuser.test_pipeline import person


def test_joints_and_hands_lie_on_what_is_rendered() -> None:
    body = person(2).resized(256, 256)
    picture = render_person(body)
    assert picture.shape == (256, 256, 3)
    points = wholebody_of(body)
    inside = ((points >= 0) & (points < 256)).all(1)
    x, y = points[inside].astype(int).T
    lit = picture.max(2) > 24
    assert lit[y, x].mean() > 0.95
    assert not lit.all()
    warm = picture[..., 0].astype(int) - picture[..., 2] > 30  # hands, which are of another colour
    hands = np.arange(133)[inside] >= 91
    assert warm[y[hands], x[hands]].mean() > 0.8
    assert warm[y[~hands], x[~hands]].mean() < 0.2


def test_the_picture_has_the_size_of_the_parameters() -> None:
    assert render_person(mean_parameters(128).resized(160, 96)).shape == (96, 160, 3)
