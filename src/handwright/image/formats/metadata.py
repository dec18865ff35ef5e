"""Read the metadata of a picture file."""

import contextlib
import struct
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as PILImage
from PIL import JpegImagePlugin, TiffImagePlugin

from handwright.image.facts import FileFacts
from handwright.image.formats.containers import (
    carried_jpeg_segments,
    carried_png_chunks,
    png_chunks,
    webp_is_lossy,
)

ORIENTATION = 274  # Number of the EXIF and TIFF tag

SUB_DIRECTORIES = (34665, 34853)  # EXIF and GPS

EXIF_TAGS_OF_TIFF = (270, 271, 272, 282, 283, 296, 305, 306, 315, 33432, *SUB_DIRECTORIES)
"""Tags that mean the same in a TIFF and in EXIF: description, make, model, resolution, software, date, …"""

_EXTRA_SAMPLES, _XMP, _IPTC, _PHOTOSHOP, _ICC = 338, 700, 33723, 34377, 34675
_TIFF_CARRIED = (
    *EXIF_TAGS_OF_TIFF, 269, ORIENTATION, 285, 316, _EXTRA_SAMPLES, _XMP, _IPTC, _PHOTOSHOP, _ICC,
)  # fmt: skip
_FORMAT_NAMES = {"MPO": "JPEG", "DIB": "BMP"}
_DAMAGE = (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error)
_LOSSY_FORMATS = ("JPEG", "AVIF", "JPEG2000", "HEIF")


def read_facts(opened: PILImage.Image, data: bytes) -> FileFacts:
    """Metadata of an opened picture whose samples have not been loaded; what is not there has its default."""
    info: dict[Any, Any] = opened.info
    name = _FORMAT_NAMES.get(opened.format or "", opened.format or "")
    facts = FileFacts(
        format=name,
        orientation=_orientation(opened),
        icc=_bytes(info.get("icc_profile")),
        exif=_exif(opened),
        xmp=_bytes(info.get("xmp") or info.get("XML:com.adobe.xmp")),
        dpi=_dpi(info),
        palette=_palette(opened),
        lossy=name in _LOSSY_FORMATS or (name == "WEBP" and webp_is_lossy(data)),
    )
    if isinstance(opened, TiffImagePlugin.TiffImageFile):
        return _with_tiff_tags(facts, opened)
    if isinstance(opened, JpegImagePlugin.JpegImageFile):
        return replace(
            facts,
            chunks=carried_jpeg_segments(data),
            quantization={number: list(table) for number, table in opened.quantization.items()},
            sampling=JpegImagePlugin.get_sampling(opened),
            progressive=bool(info.get("progressive")),
        )
    if name == "PNG":
        text = {str(key): str(value) for key, value in info.items() if isinstance(value, str)}
        return replace(facts, text=text, chunks=carried_png_chunks(data), key_colour=_key_colour(data))
    return facts


def parsed_exif(raw: bytes) -> PILImage.Exif:
    """EXIF from its TIFF structure; what is damaged in it is missing."""
    exif = PILImage.Exif()
    with warnings.catch_warnings(), contextlib.suppress(*_DAMAGE):
        warnings.simplefilter("ignore")
        exif.load(b"Exif\0\0" + raw)
        for directory in SUB_DIRECTORIES:
            exif.get_ifd(directory)
    return exif


def _orientation(opened: PILImage.Image) -> int:
    value = 1
    with contextlib.suppress(*_DAMAGE):
        value = opened.getexif().get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _exif(opened: PILImage.Image) -> bytes | None:
    raw = (_bytes(opened.info.get("exif")) or b"").removeprefix(b"Exif\0\0")
    return raw if raw.startswith((b"II*\0", b"MM\0*")) else None


def _dpi(info: dict[Any, Any]) -> tuple[float, float] | None:
    x, y = info.get("dpi", (0, 0))
    return (float(x), float(y)) if x and y else None


def _palette(opened: PILImage.Image) -> np.ndarray | None:
    """RGBA of a 'P' picture's indices; Pillow states transparency as one index or as a table."""
    if opened.mode != "P" or opened.palette is None:
        return None
    flat = opened.getpalette("RGBA") or []
    palette = np.array(flat, np.uint8).reshape(-1, 4)[:256]
    transparency = opened.info.get("transparency")
    if isinstance(transparency, bytes):
        alpha = np.frombuffer(transparency, np.uint8)[: len(palette)]
        palette[: len(alpha), 3] = alpha
    elif isinstance(transparency, int) and transparency < len(palette):
        palette[transparency, 3] = 0
    return palette


def _key_colour(data: bytes) -> tuple[int, ...] | None:
    """Return the transparent colour of a grey or RGB PNG in the range of its decoded samples (8+ bits)."""
    bits, colour_type = data[24], data[25]
    key = dict(png_chunks(data)).get(b"tRNS")
    if colour_type not in (0, 2) or key is None or len(key) != (6 if colour_type == 2 else 2):
        return None
    samples = np.frombuffer(key, ">u2").tolist()
    return tuple(value * 255 // (2**bits - 1) if bits < 8 else value for value in samples)


def _with_tiff_tags(facts: FileFacts, opened: TiffImagePlugin.TiffImageFile) -> FileFacts:
    own = opened.tag_v2
    tags: dict[int, Any] = {
        tag: own[tag] for tag in _TIFF_CARRIED if tag in own and tag not in SUB_DIRECTORIES
    }
    with contextlib.suppress(*_DAMAGE):
        tags |= {tag: dict(opened.getexif().get_ifd(tag)) for tag in SUB_DIRECTORIES if tag in own}
    types = {tag: own.tagtype[tag] for tag in tags if tag in own.tagtype and tag not in SUB_DIRECTORIES}
    tags = {tag: value for tag, value in tags.items() if _can_be_written(tag, value, types.get(tag))}
    lossy = opened.info.get("compression") in ("jpeg", "tiff_jpeg", "webp")
    return replace(facts, tags=tags, tag_types=types, lossy=lossy)


def _can_be_written(tag: int, value: object, kind: int | None) -> bool:
    """Whether a tag can be written, both in the type it came in and in the one that it should have."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    try:
        directory[tag] = value
        directory.tobytes(8)
        if kind is not None:
            directory.tagtype[tag] = kind
            directory.tobytes(8)
    except (*_DAMAGE, ArithmeticError, AttributeError):
        return False
    return True


def _bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) and value else None
