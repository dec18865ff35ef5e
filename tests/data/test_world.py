"""The renderer's closed-form truths: light that adds up, shadows, noise, what a camera leaves alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.data.world._noise import noise3
from handwright.data.world._surface import vertex_normals
from handwright.data.world.light import Lamp, Lobe, Surroundings, draw_surroundings
from handwright.data.world.picture import Shot, develop, light_stage, smear
from handwright.data.world.stage import (
    COLUMNS,
    Material,
    Solid,
    Stage,
    detail_levels,
    pick_level,
    set_stage,
    skin_levels,
)

SIZE, FOCAL = 64, 100.0
GREY = Material("solid", (0.5, 0.5, 0.5), roughness=1.0, shine=0.0)
FROM_CAMERA = np.array([0.0, 0.0, -1.0])


def plate(z: float, half: float, material: Material = GREY, owner: int = 0) -> Solid:
    """A square that faces the camera."""
    points = np.array([(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)])
    faces = np.array([(0, 1, 2), (0, 2, 3)])
    return Solid(points, faces, np.zeros((2, 3, 2)), points, material, owner, np.full(4, 1 + owner))


def staged(*solids: Solid) -> Stage:
    return set_stage(solids, FOCAL, (SIZE / 2, SIZE / 2), SIZE, SIZE)


def lit(light: Surroundings, *solids: Solid) -> np.ndarray:
    return light_stage(staged(*solids), light)


def lamp(colour: float, towards: np.ndarray = FROM_CAMERA) -> Surroundings:
    return Surroundings("", (Lamp(towards, np.full(3, colour), 0.001, 0.5),), ())


def around(colour: float) -> Surroundings:
    return Surroundings("", (), (Lobe(FROM_CAMERA, np.full(3, colour), 0.0),))


def test_a_matt_plate_returns_albedo_times_light():
    inside = lit(around(0.8), plate(1.0, 0.2))[20:44, 20:44]
    assert inside.mean() == pytest.approx(0.4, rel=0.04)
    inside = lit(lamp(0.8), plate(1.0, 0.2))[20:44, 20:44]
    assert inside.mean() == pytest.approx(0.4, rel=0.04)


def test_a_lamp_at_sixty_degrees_gives_half_the_light():
    tilted = np.array([np.sin(np.pi / 3), 0.0, -np.cos(np.pi / 3)])
    straight, aslant = (
        lit(lamp(1.0, t), plate(1.0, 0.2))[28:36, 28:36].mean() for t in (FROM_CAMERA, tilted)
    )
    assert aslant == pytest.approx(straight / 2, rel=0.03)


def test_light_adds_up():
    both = Surroundings("", lamp(0.5).lamps, around(0.3).lobes)
    apart = lit(lamp(0.5), plate(1.0, 0.2)) + lit(around(0.3), plate(1.0, 0.2))
    assert lit(both, plate(1.0, 0.2)) == pytest.approx(apart, abs=1e-5)


def test_a_plate_before_another_throws_a_shadow_away_from_the_lamp():
    towards = np.array([-0.6, 0.0, -0.8])
    scene = lit(lamp(1.0, towards), plate(1.0, 0.3), plate(0.8, 0.05, owner=1))
    column = SIZE // 2 + round(FOCAL * 0.2 * 0.6 / 0.8)
    assert scene[SIZE // 2, column].mean() < 0.1 * scene[SIZE // 2, 5].mean()


def test_what_is_near_hides_the_surroundings():
    free = lit(around(1.0), plate(0.2, 0.06))[32, 24].mean()
    beside = lit(around(1.0), plate(0.2, 0.06), plate(0.196, 0.012, owner=1))[32, 24].mean()
    assert beside < 0.97 * free


def test_nothing_is_lit_where_nothing_is():
    stage = staged(plate(1.0, 0.05))
    assert (light_stage(stage, lamp(1.0))[~stage.seen] == 0).all()
    behind = staged(plate(-1.0, 0.05))
    assert not behind.seen.any()
    assert (light_stage(behind, lamp(1.0)) == 0).all()


def test_the_nearer_plate_is_seen_and_labelled():
    stage = staged(plate(1.0, 0.3), plate(0.8, 0.05, owner=1))
    assert stage.labels()[32, 32] == 2
    assert stage.owners()[32, 32] == 1
    assert stage.owners()[32, 10] == 0
    assert stage.owners()[0, 0] == -2
    assert stage.seen_points_m()[stage.index[32, 32], 2] == pytest.approx(0.8)


def test_normals_of_a_sphere_are_its_radii():
    around_, up = np.meshgrid(
        np.linspace(0, 2 * np.pi, 60, endpoint=False), np.linspace(0.2, np.pi - 0.2, 40)
    )
    points = np.stack([np.sin(up) * np.cos(around_), np.sin(up) * np.sin(around_), np.cos(up)], -1).reshape(
        -1, 3
    )
    index = np.arange(len(points)).reshape(40, 60)
    a, b, c, d = index[:-1], np.roll(index[:-1], -1, 1), index[1:], np.roll(index[1:], -1, 1)
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    normals = vertex_normals((0.01 * points).astype(np.float32), faces)
    assert (normals * points).sum(1)[60:-60] == pytest.approx(1.0, abs=0.01)


def test_noise_is_smooth_bounded_and_always_the_same():
    line = np.array([noise3(0.01 * k + 0.003, 2.5, -7.1) for k in range(2000)])
    assert np.abs(line).max() <= 1
    assert np.abs(np.diff(line)).max() < 0.05
    assert line.std() > 0.2
    assert noise3(0.5, 1.5, 2.5) == pytest.approx(noise3(0.5, 1.5, 2.5))


def test_rows_of_materials_have_the_kernels_width():
    assert len(GREY.row()) == COLUMNS
    assert Material("skin", (0.1, 0.2, 0.3), nail=(1, 0, 0)).row()[18] == 1


def test_details_of_the_skin_lie_within_their_ranges():
    assert skin_levels()[0].shape[2] == 6
    detail = detail_levels()[0]
    assert detail.min() >= 0
    assert detail.max() <= 1.01
    assert (detail.reshape(-1, 4).max(0) > 0.5).all()
    assert pick_level(skin_levels(), 100.0).shape[0] == 128


@pytest.mark.parametrize("outdoor", [False, True])
def test_every_place_has_light(outdoor: bool):
    for seed in range(40):
        light = draw_surroundings(np.random.default_rng(seed), outdoor)
        assert (light.on_background > 0.05).all()
        for source in light.lamps:
            assert np.linalg.norm(source.towards) == pytest.approx(1)


PLAIN = Shot(0, 0, 0, 0.01, 0, 0, 0, 1, (1, 1, 1), 0, 0, 0)


def test_a_plain_camera_writes_srgb():
    greys = np.array([0.02, 0.18, 0.5], np.float32)
    pixels, encoded = develop(np.ones((16, 16, 1), np.float32) * greys, PLAIN)
    assert encoded == b""
    assert pixels[8, 8] == pytest.approx(255 * greys ** (1 / 2.2), abs=1)


def test_noise_has_the_strength_that_was_asked_for():
    flat = np.full((128, 128, 3), 0.18, np.float32)
    quiet, loud = (develop(flat, replace(PLAIN, noise=n))[0].astype(float).std() for n in (2.0, 8.0))
    assert loud == pytest.approx(4 * quiet, rel=0.15)


def test_jpeg_pixels_are_what_the_file_holds():
    import cv2

    ramp = np.random.default_rng(0).random((32, 32, 3)).astype(np.float32)
    pixels, encoded = develop(ramp, replace(PLAIN, jpeg=80))
    assert (cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)[..., ::-1] == pixels).all()


def test_motion_keeps_the_light_and_streaks_along_its_direction():
    layer = np.zeros((41, 41, 4), np.float32)
    layer[20, 20] = 1.0
    streak = smear(layer, replace(PLAIN, motion_px=12.0))
    assert streak.sum() == pytest.approx(4.0, rel=0.01)
    rows, columns = np.nonzero(streak[..., 0] > 0.01)
    assert np.ptp(columns) >= 10
    assert np.ptp(rows) <= 2
