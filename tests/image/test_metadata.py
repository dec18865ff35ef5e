"""What a file says beside its pixels is said again."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageCms, ImageOps, PngImagePlugin, TiffImagePlugin

from handwright.image import decode_image, encode_image, load_image, with_edits
from handwright.image.formats.containers import carried_png_chunks, jpeg_segments, png_chunk, png_chunks
from handwright.types import Image
from tests.image.pictures import exif_bytes

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><note>kept</note></x:xmpmeta>'
PICTURE = np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def painted(image: Image) -> Image:
    inside = np.zeros(image.pixels.shape[:2], np.bool_)
    inside[4:9, 5:12] = True
    return with_edits(image, 255 - image.pixels, inside)


def written(file_format: str, mode: str = "RGB", **options: object) -> bytes:
    file = BytesIO()
    PILImage.fromarray(PICTURE).convert(mode).save(file, file_format, **options)
    return file.getvalue()


def reopened(data: bytes) -> PILImage.Image:
    picture = PILImage.open(BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_icc_exif_xmp_and_dpi_bytes_come_back(file_format: str, orientation: int) -> None:
    exif = b"Exif\0\0" + exif_bytes(orientation)
    options = {"icc_profile": ICC, "exif": exif}
    options |= {"lossless": True, "xmp": XMP} if file_format == "WEBP" else {"dpi": (300, 300)}
    source = written(file_format, **options)
    data, _ = encode_image(painted(decode_image(source)), file_format)
    before, after = reopened(source), reopened(data)
    for key in ("icc_profile", "exif", "xmp", "dpi"):
        assert after.info.get(key) == before.info.get(key), key
    assert after.size == before.size, "stored the other way round"


def test_png_chunks_come_back_in_order_and_verbatim() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "a hand\nSteps: 20, Seed: 7")
    text.add_text("long", "x" * 5000, zip=True)
    text.add_itxt("prompt", "ハンド", lang="ja")
    text.add(b"prVt", b"private, safe to copy")
    text.add(b"caBX", b"signed, not safe to copy")
    source = written("PNG", pnginfo=text, icc_profile=ICC, dpi=(72, 72))
    data, _ = encode_image(painted(decode_image(source)), "PNG")
    assert carried_png_chunks(data) == carried_png_chunks(source)
    assert {tag for tag, _ in png_chunks(source)} - {tag for tag, _ in png_chunks(data)} == {b"caBX"}
    assert reopened(data).text == reopened(source).text


def test_jpeg_keeps_tables_subsampling_and_segments() -> None:
    for sampling in (0, 1, 2):
        for progressive in (False, True):
            source = written(
                "JPEG",
                quality=83,
                subsampling=sampling,
                progressive=progressive,
                comment=b"a comment",
                xmp=XMP,
            )
            data, notes = encode_image(painted(decode_image(source)), "JPEG")
            before, after = reopened(source), reopened(data)
            assert after.quantization == before.quantization
            assert after.layer == before.layer
            assert after.info.get("progressive") == before.info.get("progressive")
            assert (after.info["comment"], after.info["xmp"]) == (b"a comment", XMP)
            assert "touches every pixel" in notes[0]
            assert [marker for marker, _ in jpeg_segments(data)].count(b"\xe0") == 1


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_stay_grey_and_cmyk(mode: str) -> None:
    data, _ = encode_image(painted(decode_image(written("JPEG", mode, quality=95))), "JPEG")
    assert reopened(data).mode == mode


def test_tiff_tags_come_back() -> None:
    exif = PILImage.Exif()
    exif[270], exif[315], exif[274] = "a description", "an artist", 8
    exif[0x8769] = {33434: (1, 125)}
    source = written("TIFF", exif=exif.tobytes(), icc_profile=ICC, dpi=(300, 300))
    data, _ = encode_image(painted(decode_image(source)), "TIFF")
    with PILImage.open(BytesIO(source)) as before, PILImage.open(BytesIO(data)) as after:
        for tag in (270, 315, 274, 282, 283, 296, 34675):
            assert after.tag_v2[tag] == before.tag_v2[tag], tag
        assert after.getexif().get_ifd(0x8769)[33434] == before.getexif().get_ifd(0x8769)[33434]


@pytest.mark.parametrize("target", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("source_format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_another_format_gets_an_upright_picture_with_the_same_words(source_format: str, target: str) -> None:
    if source_format == target:
        return
    lossless = {"lossless": True} if source_format == "WEBP" else {}
    exif = b"Exif\0\0" + exif_bytes(6, "the maker")
    source = decode_image(written(source_format, icc_profile=ICC, exif=exif, **lossless))
    data, _ = encode_image(source, target)
    after = reopened(data)
    assert after.info["icc_profile"] == ICC
    assert after.getexif()[271] == "the maker"
    assert after.getexif().get(274, 1) == 1
    assert after.size == (source.width, source.height)
    if target != "JPEG":
        assert np.array_equal(np.asarray(ImageOps.exif_transpose(after)), source.pixels)


def test_a_note_names_what_a_format_cannot_hold() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "a hand")
    with_text = decode_image(written("PNG", pnginfo=text, icc_profile=ICC))
    for target in ("WEBP", "TIFF", "BMP", "JPEG"):
        assert any("text of the PNG" in note for note in encode_image(with_text, target)[1]), target
    assert any("ICC" in note for note in encode_image(with_text, "BMP")[1])
    assert any("lossless" in note for note in encode_image(decode_image(written("WEBP")), "WEBP")[1])


def test_a_lossy_webp_comes_back_as_it_was_decoded() -> None:
    source = decode_image(written("WEBP", quality=50))
    again = decode_image(encode_image(source, "WEBP")[0])
    assert np.array_equal(again.native, source.native)


def test_damaged_exif_neither_stops_reading_nor_writing() -> None:
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense", b"Exif\0\0" + exif_bytes(6)[:-9]):
        image = decode_image(written("JPEG", exif=exif))
        for target in ("PNG", "JPEG", "WEBP", "TIFF", "BMP"):
            assert decode_image(encode_image(image, target)[0]).width == image.width


def test_a_png_chunk_that_is_cut_off_ends_the_list() -> None:
    data = written("PNG")
    assert [tag for tag, _ in png_chunks(data[:30])] == [b"IHDR"]
    assert png_chunk(b"IEND", b"") == data[-12:]


def test_chunks_with_impossible_names_and_tags_with_impossible_values_are_dropped() -> None:
    data = written("PNG")
    odd = data[:33] + png_chunk(b"\xa9\x00bt", b"?") + data[33:]
    assert carried_png_chunks(odd) == ()
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[271] = 1.5
    directory.tagtype[271] = 11
    file = BytesIO()
    PILImage.fromarray(PICTURE).save(file, "TIFF", tiffinfo=directory)
    image = decode_image(file.getvalue())
    assert 271 not in image.meta["file"].tags
    for target in ("PNG", "TIFF", "JPEG", "WEBP", "BMP"):
        assert decode_image(encode_image(image, target)[0]).width == image.width


@pytest.mark.photos
def test_a_box_painted_into_real_photographs_changes_nothing_else_and_no_metadata(photos: Path) -> None:
    files = sorted(
        path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
    )
    for path in files[7 :: max(1, len(files) // 12)]:
        image = load_image(path)
        edited = painted(image)
        outside = (edited.pixels == image.pixels).all(-1)
        for target in ("PNG", "TIFF", "WEBP"):
            if max(image.pixels.shape) <= 1600:
                again = decode_image(encode_image(edited, target)[0])
                assert np.array_equal(again.pixels[outside], image.pixels[outside]), path.name
                assert again.meta["file"].icc == image.meta["file"].icc
