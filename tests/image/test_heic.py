"""HEIC pictures are read through an optional package, or the error names it."""

from __future__ import annotations

import sys
from io import BytesIO
from types import ModuleType

import numpy as np
import pillow_heif
import pytest
from PIL import Image as PILImage
from PIL import ImageOps

from handwright.errors import MissingPackageError, UnreadableImageError
from handwright.image import decode_image, encode_image
from handwright.image.load import HEIF_BRANDS
from handwright.image.modes import upright
from tests.image.pictures import exif_bytes, noise


def header(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize("brand", HEIF_BRANDS)
def test_without_pillow_heif_the_error_names_what_to_install(brand, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        MissingPackageError, match=r"hand\.heic.*pillow-heif.*pip install 'handwright\[heic\]'"
    ):
        decode_image(header(brand), name="hand.heic")


def test_another_picture_does_not_ask_for_pillow_heif(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnreadableImageError):
        decode_image(header(b"qt  "), name="film.mov")


def test_pillow_heif_is_registered_when_a_heic_picture_comes(monkeypatch):
    registered: list[bool] = []
    fake = ModuleType("pillow_heif")
    monkeypatch.setattr(fake, "register_heif_opener", lambda: registered.append(True), raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", fake)
    with pytest.raises(UnreadableImageError):
        decode_image(header(b"heic"))
    assert registered == [True]


def heic(samples: np.ndarray, **options: object) -> bytes:
    """A HEIC file that pillow-heif wrote."""
    pillow_heif.register_heif_opener()
    file = BytesIO()
    PILImage.fromarray(samples).save(file, "HEIF", **options)
    return file.getvalue()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_real_heic_picture_has_the_pixels_that_pillow_decodes_the_right_way_up(orientation, channels):
    samples = np.full((48, 64, channels), 255, np.uint8)
    samples[..., :3] = 200, 120, 90
    samples[:16, :24, :3] = 20, 40, 220
    data = heic(samples, quality=95, exif=exif_bytes(orientation))
    with PILImage.open(BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    image = decode_image(data)
    assert np.array_equal(image.native, expected)
    assert np.abs(image.pixels.astype(int) - upright(samples, orientation)[..., :3]).max() <= 8


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_a_turned_heic_picture_is_written_as_it_is_seen(file_format):
    image = decode_image(heic(noise("RGB", 48, 64, seed=1).pixels, quality=-1, exif=exif_bytes(6)))
    data, _ = encode_image(image, file_format)
    with PILImage.open(BytesIO(data)) as opened:
        seen = np.asarray(ImageOps.exif_transpose(opened))
        assert opened.getexif()[271] == "handwright tests"
    assert seen.shape == image.pixels.shape == (64, 48, 3)
    assert file_format == "JPEG" or np.array_equal(seen, image.pixels)


def test_a_heic_picture_that_is_cut_off_is_refused():
    data = heic(noise("RGB", 48, 64, seed=1).pixels)
    with pytest.raises(UnreadableImageError, match=r"damaged or cut off|not a picture"):
        decode_image(data[: len(data) // 2])
