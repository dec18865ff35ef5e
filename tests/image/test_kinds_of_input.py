"""Every kind of picture becomes upright sRGB pixels and keeps its own samples."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageOps

from handwright.errors import UnreadableImageError
from handwright.image import SUFFIXES, decode_image, encode_image, load_image
from handwright.image.modes import as_stored, upright
from tests.image.pictures import exif_bytes, noise, stored_turned

RGB = np.random.default_rng(7).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def file_of(picture: PILImage.Image, file_format: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_pixels_are_upright_as_pillow_turns_them(file_format: str, orientation: int) -> None:
    exif = b"Exif\0\0" + exif_bytes(orientation)
    data = file_of(
        PILImage.fromarray(RGB),
        file_format,
        exif=exif,
        **({"lossless": True} if file_format == "WEBP" else {}),
    )
    with PILImage.open(BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    image = decode_image(data)
    assert np.array_equal(image.pixels, expected)
    assert image.pixels.shape == ((12, 20, 3) if orientation < 5 else (20, 12, 3))
    assert image.meta["file"].orientation == orientation


@pytest.mark.parametrize("orientation", range(9))
def test_as_stored_undoes_upright(orientation: int) -> None:
    assert np.array_equal(as_stored(upright(RGB, orientation), orientation), RGB)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_pixels_are_what_pillow_converts_to(mode: str) -> None:
    picture = PILImage.fromarray(RGB).convert(mode)
    image = decode_image(file_of(picture, "TIFF" if mode == "CMYK" else "PNG"))
    assert image.mode == mode
    assert np.array_equal(image.pixels, np.asarray(picture.convert("RGB")))


def test_cmyk_jpeg_is_read_the_right_way_round() -> None:
    data = file_of(PILImage.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", quality=100)
    image = decode_image(data)
    assert image.mode == "CMYK"
    assert np.abs(image.pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_palette_transparency_is_kept_as_one_index_or_as_a_table() -> None:
    picture = PILImage.fromarray(RGB).quantize(16)
    one = decode_image(file_of(picture, "GIF", transparency=3))
    table = decode_image(file_of(picture, "PNG", transparency=bytes(range(16))))
    assert one.meta["file"].palette[:, 3].tolist().count(0) == 1
    assert table.meta["file"].palette[:16, 3].tolist() == list(range(16))


def test_16_bit_grey_is_rounded_not_cut() -> None:
    grey = np.array([[0, 128, 129, 257, 65535, 32896]], np.uint16)
    image = decode_image(file_of(PILImage.fromarray(grey), "PNG"))
    assert image.mode == "I;16"
    assert np.array_equal(image.native[..., 0], grey)
    assert image.pixels[0, :, 0].tolist() == [0, 0, 1, 1, 255, 128]


@pytest.mark.parametrize("file_format", ["PPM", "TGA", "PCX", "JPEG2000", "QOI", "SGI", "ICO"])
def test_less_common_formats_are_read(file_format: str) -> None:
    options = {"irreversible": False} if file_format == "JPEG2000" else {}
    picture = PILImage.fromarray(np.kron(RGB[:4, :4], np.ones((4, 4, 1), np.uint8)))
    image = decode_image(file_of(picture, file_format, **options))
    assert np.array_equal(image.pixels, np.asarray(picture))


def test_working_pixels_and_native_samples_do_not_share_memory() -> None:
    image = decode_image(file_of(PILImage.fromarray(RGB), "PNG"))
    assert not np.shares_memory(image.pixels, image.native)


@pytest.mark.photos
def test_real_photographs_are_read_as_pillow_reads_them(photos: Path) -> None:
    files = sorted(
        path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
    )
    for path in files[:: max(1, len(files) // 25)]:
        with PILImage.open(path) as opened:
            expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        assert np.array_equal(load_image(path).pixels, expected), path.name


def test_a_phones_jpeg_with_further_pictures_behind_it_is_its_first_picture() -> None:
    frames = [PILImage.fromarray(RGB), PILImage.fromarray(255 - RGB)]
    data = file_of(frames[0], "MPO", save_all=True, append_images=frames[1:])
    image = decode_image(data)
    with PILImage.open(BytesIO(file_of(frames[0], "JPEG"))) as first:
        assert np.array_equal(image.pixels, np.asarray(first))
    again, _ = encode_image(image, "JPEG")
    assert b"MPF\0" in data
    assert b"MPF\0" not in again
    assert decode_image(again).meta["file"].quantization == image.meta["file"].quantization


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_colour_is_exact_in_every_orientation(suffix: str, orientation: int) -> None:
    picture = stored_turned("RGB;16", 9, 14, orientation, suffix, orientation)
    again = decode_image(encode_image(picture, SUFFIXES[suffix])[0])
    assert np.array_equal(again.native, picture.native)
    assert again.native.dtype == np.uint16


def test_16_bit_colour_in_a_layout_that_two_readers_see_differently_is_refused() -> None:
    picture = noise("RGBA;16", 9, 14, 0, format="TIFF", tags={338: 1})
    with pytest.raises(UnreadableImageError, match="laid out in an unknown way"):
        decode_image(encode_image(picture, "TIFF")[0])
