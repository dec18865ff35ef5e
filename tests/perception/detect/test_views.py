"""Windows into a picture: what they show, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.perception.detect.views import DetectionOptions, View, tiles, to_greyscale, whole
from tests.perception.hands import DotLandmarker, hand, paint


def test_a_view_of_its_own_size_shows_the_pixels_themselves():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(View((20, 20), 40, 40).sample(pixels), pixels)


def test_a_mirrored_view_is_the_flipped_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(View((20, 20), 40, 40, mirrored=True).sample(pixels), pixels[:, ::-1])


def test_a_view_turned_by_a_right_angle_is_the_turned_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(View((20, 20), 40, 40, turn_rad=np.pi / 2).sample(pixels), np.rot90(pixels))


def test_shrinking_takes_means_of_areas():
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    pixels = np.repeat(checks[..., None], 3, 2).astype(np.uint8)
    seen = View((32, 32), 64, 16).sample(pixels)
    assert np.abs(seen.astype(int) - 127.5).max() <= 1


def test_what_lies_outside_the_picture_is_black():
    pixels = np.full((20, 20, 3), 200, np.uint8)
    seen = View((10, 10), 60, 60).sample(pixels)
    assert seen[:18].max() == 0
    assert seen[30, 30].tolist() == [200, 200, 200]


def test_a_view_wholly_outside_is_black_and_no_error():
    assert View((-500, -500), 60, 60).sample(np.full((20, 20, 3), 200, np.uint8)).max() == 0


@given(
    st.floats(80, 220), st.floats(80, 220), st.floats(120, 500), st.floats(-3.2, 3.2), st.booleans(),
    st.sampled_from([200, 384]),
)  # fmt: skip
@settings(deadline=None, max_examples=30)
def test_a_mark_seen_through_any_view_is_mapped_back_to_where_it_is(x, y, side, turn, mirrored, size):
    pixels = np.zeros((300, 300, 3), np.uint8)
    pixels[148:152, 98:102] = 255
    view = View((x, y), side, size, turn, mirrored)
    light = view.sample(pixels).astype(float).sum(2)
    if light.sum() < 3 * 255:
        return
    rows, columns = np.indices(light.shape) + 0.5
    seen = np.array([[(columns * light).sum(), (rows * light).sum()]]) / light.sum()
    edge = seen.min() < 6 * size / side or seen.max() > size - 6 * size / side
    assert edge or np.abs(view.to_picture(seen) - (100, 150)).max() < 0.5


def test_looking_through_a_mirrored_turned_view_gives_landmarks_of_the_picture_and_the_true_side():
    pixels = np.zeros((400, 600, 3), np.uint8)
    there = hand(200, 100, 160)
    paint(pixels, there)
    straight, mirrored = View((280, 180), 350, 350), View((280, 180), 350, 350, 0.0, mirrored=True)
    for view, side in ((straight, "right"), (mirrored, "left")):
        (seen,) = view.detect(pixels, DotLandmarker(), DetectionOptions(2, 0.5, 0.5), "tile")
        assert np.abs(seen.landmarks_px - there.landmarks_px).max() < 1.0
        assert (seen.side, seen.found_by) == (side, "tile")


def test_depth_is_brought_to_the_scale_of_the_picture():
    pixels = paint(np.zeros((400, 400, 3), np.uint8), hand(100, 100, 200))
    (seen,) = View((200, 200), 400, 200).detect(pixels, DotLandmarker(), DetectionOptions(2, 0.5, 0.5), "x")
    assert np.allclose(seen.depth_px, hand().depth_px * 2)


@given(st.integers(60, 5000), st.integers(60, 5000), st.floats(150, 900), st.floats(0.1, 0.6), st.data())
@settings(max_examples=60)
def test_a_box_anywhere_lies_whole_in_some_tile(width, height, side, share, data):
    box = min(share * side, width, height)
    x = data.draw(st.floats(0, width - box))
    y = data.draw(st.floats(0, height - box))
    views = tiles(width, height, side_px=side, hand_px=share * side, size_px=256)
    inside = [
        abs(x + box / 2 - v.center_px[0]) <= (side - box) / 2 + 1e-6
        and abs(y + box / 2 - v.center_px[1]) <= (side - box) / 2 + 1e-6
        for v in views
    ]
    assert any(inside)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_tiles_stay_inside_a_picture_that_is_larger(width, height):
    for view in tiles(width, height, side_px=220, hand_px=48, size_px=256):
        for center, length in zip(view.center_px, (width, height), strict=True):
            if length > 220:
                assert 110 - 1e-6 <= center <= length - 110 + 1e-6
            else:
                assert center == length / 2


@pytest.mark.parametrize(("width", "height"), [(1, 1), (700, 300), (300, 700)])
def test_the_whole_view_holds_the_whole_picture(width, height):
    view = whole(width, height, margin=1.25, size_px=384)
    corners = view.to_picture(np.array([[0.0, 0.0], [384.0, 384.0]]))
    assert (corners[0] <= 0).all()
    assert (corners[1] >= (width, height)).all()


def test_grey_keeps_grey_pixels_and_makes_all_channels_one():
    rng = np.random.default_rng(5)
    colour = rng.integers(0, 256, (20, 30, 3), np.uint8)
    drab = to_greyscale(colour)
    assert (drab == drab[..., :1]).all()
    assert (to_greyscale(drab) == drab).all()
