"""Values show themselves in a line, and pictures go out to Pillow, NumPy, files and notebooks."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as PILImage

import handwright
from handwright.errors import OutputError
from handwright.types import Image, Mask


@pytest.fixture
def picture():
    return Image(np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3))


def test_a_picture_goes_out_to_numpy_and_pillow(picture):
    assert np.array_equal(np.asarray(picture), picture.pixels)
    assert np.asarray(picture, dtype=np.float32).dtype == np.float32
    assert np.array_equal(np.asarray(picture.to_pil()), picture.pixels)


def test_transparency_goes_out_to_pillow(tmp_path):
    rgba = np.full((4, 5, 4), 200, np.uint8)
    rgba[0, 0, 3] = 7
    PILImage.fromarray(rgba).save(tmp_path / "a.png")
    out = handwright.load_image(tmp_path / "a.png").to_pil()
    assert out.mode == "RGBA"
    assert out.getpixel((0, 0))[3] == 7


def test_a_picture_is_written_and_written_again(picture, tmp_path):
    for _ in range(2):
        assert picture.save(tmp_path / "p.png") == ()
    assert np.array_equal(np.asarray(PILImage.open(tmp_path / "p.png")), picture.pixels)
    with pytest.raises(OutputError):
        picture.save(tmp_path / "p.xyz")


def test_notebooks_show_a_picture(picture):
    shown = PILImage.open(io.BytesIO(picture._repr_png_()))
    assert np.array_equal(np.asarray(shown), picture.pixels)


def test_values_show_themselves_in_a_line(picture):
    assert repr(picture) == "<Image 5×4 RGB>"
    assert repr(Mask(np.eye(4, dtype=bool))) == "<Mask 4×4, 25.0 % inside>"
