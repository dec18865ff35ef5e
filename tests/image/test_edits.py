"""New colours go where they should, in the picture's own kind of samples."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import InvalidValueError
from handwright.image import patch_png, with_edits, with_patch
from handwright.image.modes import cmyk_to_rgb, from_srgb
from handwright.types import Image
from tests.image.pictures import MODES, noise


def patch(x: int, y: int) -> SimpleNamespace:
    inside = np.zeros((4, 6), np.bool_)
    inside[1:3, 2:5] = True
    return SimpleNamespace(pixels=np.full((4, 6, 3), 200, np.uint8), inside=inside, origin_xy_px=(x, y))


@pytest.mark.parametrize("mode", MODES)
def test_a_mask_of_zeros_gives_the_very_same_picture(mode: str) -> None:
    picture = noise(mode, 8, 9, 0)
    assert with_edits(picture, 255 - picture.pixels, np.zeros((8, 9), np.bool_)) is picture


@pytest.mark.parametrize("mode", MODES)
def test_painting_what_is_there_already_gives_the_very_same_picture(mode: str) -> None:
    picture = noise(mode, 8, 9, 0)
    assert with_edits(picture, picture.pixels.copy(), np.ones((8, 9), np.bool_)) is picture


@pytest.mark.parametrize("mode", MODES)
def test_painting_leaves_the_source_picture_alone(mode: str) -> None:
    picture, same = noise(mode, 8, 9, 0), noise(mode, 8, 9, 0)
    with_edits(picture, 255 - picture.pixels, np.ones((8, 9), np.bool_))
    assert np.array_equal(picture.native, same.native)
    assert np.array_equal(picture.pixels, same.pixels)


@pytest.mark.parametrize("mode", MODES)
def test_painted_colours_are_shown_as_near_as_the_mode_can(mode: str) -> None:
    picture = noise(mode, 16, 16, 1)
    painted = noise("RGB", 16, 16, 2).pixels
    if mode in ("1", "L", "LA", "I;16", "LA;16"):
        painted = np.repeat(painted[..., :1], 3, axis=-1)
    shown = with_edits(picture, painted, np.ones((16, 16), np.bool_)).pixels
    assert np.abs(shown.astype(int) - painted).max() <= (1 if mode == "CMYK" else 0)


def test_a_grey_picture_takes_the_luma_of_a_painted_colour() -> None:
    picture = noise("L", 1, 3, 0)
    painted = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    expected = np.asarray(PILImage.fromarray(painted).convert("L"))
    assert np.array_equal(with_edits(picture, painted, np.ones((1, 3), np.bool_)).native[..., 0], expected)


def test_cmyk_keeps_as_much_black_as_the_colour_allows() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5000, 3), dtype=np.uint8)
    old = np.random.default_rng(1).integers(0, 256, (5000, 4), dtype=np.uint8)
    inks = from_srgb(colours, old, "CMYK")
    assert np.abs(cmyk_to_rgb(inks).astype(int) - colours).max() <= 1
    assert np.array_equal(inks[:, 3], np.minimum(old[:, 3], 255 - colours.max(1)))


def test_a_picture_that_came_from_no_file_can_be_painted() -> None:
    picture = Image(noise("RGB", 8, 9, 0).pixels)
    edited = with_patch(picture, patch(1, 2))
    assert (edited.pixels[3:5, 3:6] == 200).all()


def test_a_patch_changes_its_own_mask_and_nothing_else() -> None:
    picture = noise("RGBA", 20, 20, 0)
    edited = with_patch(picture, patch(10, 5))
    changed = (edited.native != picture.native).any(-1)
    assert changed.sum() == 6
    assert changed[6:8, 12:15].all()


def test_a_patch_laid_over_the_picture_gives_the_edited_picture() -> None:
    picture = noise("RGB", 20, 20, 0)
    with PILImage.open(BytesIO(patch_png(picture, patch(10, 5)))) as layer:
        assert (layer.mode, layer.size) == ("RGBA", (20, 20))
        under = PILImage.fromarray(picture.pixels).convert("RGBA")
        over = np.asarray(PILImage.alpha_composite(under, layer))[..., :3]
    assert np.array_equal(over, with_patch(picture, patch(10, 5)).pixels)


def test_wrong_shapes_and_places_are_refused() -> None:
    picture = noise("RGB", 8, 9, 0)
    with pytest.raises(InvalidValueError, match="pixels must be"):
        with_edits(picture, np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.bool_))
    with pytest.raises(InvalidValueError, match="inside must be"):
        with_edits(picture, picture.pixels, np.zeros((8, 9), np.uint8))
    for x, y in ((-1, 0), (0, -1), (4, 0), (0, 5)):
        with pytest.raises(InvalidValueError, match="reaches beyond"):
            with_patch(picture, patch(x, y))
