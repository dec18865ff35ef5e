"""Whatever the file is, the answer is a picture or one line that says what, why and what to do."""

from __future__ import annotations

import os
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PILImage
from PIL import features

from handwright.errors import UnreadableImageError
from handwright.image import decode_image, encode_image, load_image
from handwright.image.formats.containers import PNG_SIGNATURE, png_chunk
from handwright.image.formats.encode import SUFFIXES
from tests.image.pictures import noise


def saved(file_format: str, mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    file = BytesIO()
    samples = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    PILImage.fromarray(samples).convert(mode).save(file, file_format, **options)
    return file.getvalue()


def refused(data: bytes, why: str) -> None:
    with pytest.raises(UnreadableImageError, match=why) as caught:
        decode_image(data, name="it")
    assert caught.value.what
    assert caught.value.why
    assert caught.value.fix
    assert "\n" not in str(caught.value)


def test_nothing_text_and_noise_are_no_pictures() -> None:
    refused(b"", "the file is empty")
    for data in (b"hello", b"\x00" * 1000, os.urandom(5000), b"%!PS-Adobe-3.0 EPSF-3.0\n", b"<svg/>"):
        refused(data, "not a picture")


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_file_cut_in_half_is_refused(file_format: str) -> None:
    data = saved(file_format, "P" if file_format == "GIF" else "RGB")
    refused(data[: len(data) // 2], "damaged or cut off|not a picture")


@pytest.mark.parametrize("mode", ["RGB;16", "RGBA;16", "LA;16", "I;16"])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_a_16_bit_file_cut_in_half_is_refused(file_format: str, mode: str) -> None:
    if (file_format, mode) != ("TIFF", "LA;16"):
        data, _ = encode_image(noise(mode, 40, 40, 0), file_format)
        refused(data[: len(data) // 2], "damaged or cut off|not a picture")


def test_a_decompression_bomb_is_refused_by_its_header_alone() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")
    refused(bomb, "60000 x 60000 pixels, more than the limit of 200000000")
    with pytest.raises(UnreadableImageError, match="64 x 48"):
        decode_image(saved("PNG"), max_pixels=1000)


def test_pictures_above_pillows_own_limit_but_below_ours_are_read() -> None:
    before = PILImage.MAX_IMAGE_PIXELS
    try:
        PILImage.MAX_IMAGE_PIXELS = 100
        assert decode_image(saved("PNG")).width == 64
        assert PILImage.MAX_IMAGE_PIXELS == 100
    finally:
        PILImage.MAX_IMAGE_PIXELS = before


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_moving_pictures_and_several_pages_are_refused(file_format: str) -> None:
    frames = [PILImage.new("RGB", (8, 8), colour) for colour in ("red", "blue", "green")]
    file = BytesIO()
    frames[0].save(file, file_format, save_all=True, append_images=frames[1:])
    refused(file.getvalue(), "holds 3 frames or pages")


def test_floating_point_and_lab_samples_are_refused() -> None:
    for mode in ("F", "LAB"):
        file = BytesIO()
        PILImage.new(mode, (4, 4)).save(file, "TIFF")
        refused(file.getvalue(), "samples are of the kind")


def test_one_pixel_is_a_picture() -> None:
    for suffix, file_format in SUFFIXES.items():
        data, _ = encode_image(noise("RGB", 1, 1, 0), file_format)
        assert decode_image(data).pixels.shape == (1, 1, 3), suffix


def test_things_that_are_not_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="No such file"):
        load_image(tmp_path / "missing.png")
    with pytest.raises(UnreadableImageError, match="is a folder"):
        load_image(tmp_path)
    with pytest.raises(UnreadableImageError, match="null"):
        load_image("a\0b.png")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        with pytest.raises(UnreadableImageError, match="not a regular file"):
            load_image(tmp_path / "pipe.png")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(saved("PNG"))
    path.chmod(0)
    with pytest.raises(UnreadableImageError, match="Permission denied"):
        load_image(path)


def test_a_file_too_long_for_any_allowed_picture_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnreadableImageError, match="more than any picture"):
        load_image(path)


@pytest.mark.parametrize(
    "file_format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "TGA", "JPEG2000", "AVIF"]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damaged_bytes_give_a_picture_or_the_right_error(file_format: str, data: st.DataObject) -> None:
    if file_format == "AVIF" and not features.check("avif"):
        return
    content = bytearray(saved(file_format, "P" if file_format == "GIF" else "RGB", (16, 12)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, len(content))) :]
    try:
        decode_image(bytes(content), max_pixels=1_000_000)
    except UnreadableImageError as error:
        assert error.why
