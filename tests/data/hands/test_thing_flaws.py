"""Flaws of things: cut surfaces end at the plane and are closed, molten ones take the other's colour."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.data.hands import thing_flaws
from handwright.data.hands.thing_flaws import Held, ThingFlaw, apply_thing_flaw
from handwright.data.world.stage import Material, Solid, plain_solid

RADIUS = 0.03


Three = tuple[float, float, float]


def ball(
    centre: Three = (0.0, 0.0, 0.6), albedo: Three = (0.1, 0.2, 0.4), rings: int = 24, sides: int = 40
) -> Solid:
    """A closed sphere without doubled vertices."""
    t = np.linspace(0, np.pi, rings + 1)[1:-1]
    u = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    body = np.stack(
        [np.outer(np.sin(t), np.cos(u)), np.outer(np.sin(t), np.sin(u)), np.outer(np.cos(t), 1 + 0 * u)], -1
    )
    points = RADIUS * np.concatenate([body.reshape(-1, 3), [[0, 0, 1]], [[0, 0, -1]]]) + np.array(centre)
    index = np.arange((rings - 1) * sides).reshape(rings - 1, sides)
    a, b = index[:-1], np.roll(index[:-1], -1, 1)
    c, d = index[1:], np.roll(index[1:], -1, 1)
    top, bottom = len(points) - 2, len(points) - 1
    faces = np.concatenate([
        np.stack([a, c, d], -1).reshape(-1, 3), np.stack([a, d, b], -1).reshape(-1, 3),
        np.stack([np.full(sides, top), index[0], np.roll(index[0], -1)], 1),
        np.stack([np.full(sides, bottom), np.roll(index[-1], -1), index[-1]], 1),
    ])  # fmt: skip
    return plain_solid(points, faces, points, Material("solid", albedo), 200)


def volume(solid: Solid) -> float:
    corners = solid.points_m[solid.faces]
    return float((corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6)


def area(solid: Solid) -> float:
    corners = solid.points_m[solid.faces]
    return float(
        np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
        / 2
    )


def held(thing: Solid | None = None, axis: np.ndarray | None = None) -> Held:
    """A ball beside a ball of skin that touches it at its right."""
    skin = ball(centre=(2 * RADIUS, 0.0, 0.6), albedo=(0.6, 0.4, 0.3))
    return Held(skin, thing or ball(), axis, hollow=False)


def test_half_a_ball_has_half_its_volume_and_ends_at_the_plane():
    fine = thing_flaws.refined(ball(), ball())
    half = thing_flaws.cut_off(fine, np.array([1.0, 0, 0]), 0.0, closed=True)
    assert half.points_m[half.faces][..., 0].max() <= 1e-12
    assert volume(half) == pytest.approx(volume(fine) / 2, rel=0.02)
    shell = thing_flaws.cut_off(fine, np.array([1.0, 0, 0]), 0.0, closed=False)
    assert area(half) - area(shell) == pytest.approx(np.pi * RADIUS**2, rel=0.02)


def test_arefined_mesh_is_the_same_surface_with_short_edges():
    coarse = ball(rings=6, sides=8)
    fine = thing_flaws.refined(coarse, coarse)
    corners = fine.points_m[fine.faces]
    assert np.linalg.norm(corners - np.roll(corners, 1, 1), axis=2).max() <= thing_flaws.EDGE_M
    assert area(fine) == pytest.approx(area(coarse), rel=1e-9)
    assert volume(fine) == pytest.approx(volume(coarse), rel=1e-9)


def test_of_a_cut_ball_the_side_at_the_hand_is_missing():
    _, thing = apply_thing_flaw(held(), ThingFlaw("parted", 0.5, 7))
    assert thing.points_m[thing.faces][..., 0].max() < 0.9 * RADIUS
    assert volume(thing) < 0.98 * volume(ball())


def test_a_long_thing_is_interrupted_beside_the_hand():
    stick = ball()
    points = (stick.points_m - [0, 0, 0.6]) * [0.2, 6, 0.2] + [0.03, 0.05, 0.6]
    long = plain_solid(points, stick.faces, points, stick.material, 200)
    _, near, far = apply_thing_flaw(held(thing=long, axis=np.array([0.0, 1, 0])), ThingFlaw("parted", 0.5, 7))
    gap = far.points_m[far.faces][..., 1].min() - near.points_m[near.faces][..., 1].max()
    assert 0.04 < gap < 0.1


def test_the_halves_of_a_shifted_ball_lie_apart_across_the_cut():
    _, one, other = apply_thing_flaw(held(), ThingFlaw("shifted", 1.0, 7))
    assert volume(one) + volume(other) == pytest.approx(volume(ball()), rel=0.03)
    middles = [solid.points_m[solid.faces].mean((0, 1)) for solid in (one, other)]
    assert np.linalg.norm(np.subtract(*middles)) > 0.9 * RADIUS


@pytest.mark.parametrize("kind", ["grown", "turned to thing", "melted"])
def test_where_thing_and_flesh_touch_one_has_the_others_colour_and_far_away_its_own(kind: str):
    skin, thing = apply_thing_flaw(held(), ThingFlaw(kind, 1.0, 7))
    painted = {"grown": (thing,), "turned to thing": (skin,), "melted": (skin, thing)}[kind]
    assert [solid.paint is not None for solid in (skin, thing)] == [s in painted for s in (skin, thing)]
    for solid in painted:
        other = (skin if solid is thing else thing).material.albedo
        paint = solid.paint
        assert paint is not None
        assert paint.picture[0, -1] * solid.material.albedo == pytest.approx(other, rel=1e-5)
        assert paint.picture[0, 0] == pytest.approx(1.0)
        distance = np.linalg.norm(solid.points_m[solid.faces] - [RADIUS, 0, 0.6], axis=-1)
        u = paint.corner_uv[..., 0]
        assert u[distance < 0.008].min() > 0.9
        assert u[distance > 0.05].max() < 0.05


def test_distances_are_those_of_the_nearest_point_up_to_what_is_far():
    rng = np.random.default_rng(2)
    points, others = rng.normal(0, 0.01, (50, 3)), rng.normal(0.015, 0.01, (70, 3))
    true = np.linalg.norm(points[:, None] - others[None], axis=2).min(1)
    assert thing_flaws.distance_m(points, others) == pytest.approx(np.minimum(true, thing_flaws.FAR_M))
    assert (thing_flaws.distance_m(points, others + 1.0) == thing_flaws.FAR_M).all()
