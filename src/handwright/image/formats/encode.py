"""From an ``Image`` to the bytes of a file, with the source file's metadata."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as PILImage

from handwright.errors import OutputError
from handwright.image.facts import FileFacts, facts_of
from handwright.image.formats.containers import jpeg_with_segments
from handwright.image.formats.generator_text import exif_with_text, text_of_exif
from handwright.image.formats.metadata import EXIF_TAGS_OF_TIFF, ORIENTATION, parsed_exif
from handwright.image.formats.png import encode_png, with_pillow
from handwright.image.formats.tiff import encode_tiff
from handwright.image.modes import as_stored, mode_in_file, widen
from handwright.types import Image

JPEG_NOTE = "JPEG touches every pixel, also outside the hands: choose .png, or take the patches"
"""Note for the report whenever a picture is written with a lossy codec."""

SUFFIXES = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF",
    ".bmp": "BMP",
}  # fmt: skip
"""File name endings (lower case) that can be written, and their formats."""

_MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "LA;16", "RGB;16", "RGBA;16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "RGB;16", "RGBA;16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "JPEG": ("L", "RGB", "CMYK"),
}
_JPEG_EXIF_BYTES = 65_000  # A segment holds 65,533 bytes, its mark among them
_JPEG_QUALITY_OF_OTHERS = 95  # Quality of a JPEG whose source was none (chosen by eye)


def encode_image(image: Image, file_format: str) -> tuple[bytes, tuple[str, ...]]:
    """Encode a picture.

    Into the format that it came from, samples are stored in the file's own orientation with its own metadata;
    into another one, upright.

    Raises:
        OutputError: The format cannot hold the picture.

    Returns the file's bytes, and notes for the report.
    """
    facts = facts_of(image)
    same_format = facts.format == file_format
    native = image.pixels if image.native is None else image.native
    mode = mode_in_file(image.mode, facts.palette, _allowed_modes(file_format, facts), file_format)
    samples = widen(native, image.mode, facts.palette, mode)
    if same_format:
        samples = as_stored(samples, facts.orientation)
    else:
        facts = _upright_facts(facts)
    facts, lost = _with_generators_text(facts, file_format, same_format)
    try:
        data, notes = _ENCODERS[file_format](samples, mode, facts, same_format)
    except (OSError, ValueError, OverflowError) as error:
        raise OutputError(
            f"cannot write this picture as {file_format}", str(error), "choose .png or .tif"
        ) from error
    return data, notes + lost


def _with_generators_text(
    facts: FileFacts, file_format: str, same_format: bool
) -> tuple[FileFacts, tuple[str, ...]]:
    """Put a generator's text where the new format has it, and name in a note what there is no room for."""
    if same_format:
        return facts, ()
    if file_format == "PNG":
        return replace(facts, text={**text_of_exif(facts.exif), **facts.text}), ()
    if file_format not in ("JPEG", "WEBP") or facts.format != "PNG":
        return facts, ()
    exif, lost = exif_with_text(facts.exif, facts.text, _JPEG_EXIF_BYTES if file_format == "JPEG" else None)
    named = ", ".join(map(repr, lost))
    notes = (f"text of the PNG was left out, as {file_format} has no room for it: {named}",) if lost else ()
    return replace(facts, exif=exif), notes


def _allowed_modes(file_format: str, facts: FileFacts) -> tuple[str, ...]:
    """Modes of the format; only PNG keeps transparency in a palette."""
    modes = _MODES[file_format]
    if file_format != "PNG" and facts.palette is not None and (facts.palette[:, 3] < 255).any():
        return tuple(mode for mode in modes if mode != "P")
    return modes


def _upright_facts(facts: FileFacts) -> FileFacts:
    """Return metadata for a file of another format: orientation 1, without what only the old format holds."""
    exif = facts.exif
    if facts.tags:
        exif = _exif_from_tags(facts)
    elif exif and facts.orientation != 1:
        parsed = parsed_exif(exif)
        parsed[ORIENTATION] = 1
        exif = parsed.tobytes().removeprefix(b"Exif\0\0")
    xmp = None if facts.xmp and b"Orientation" in facts.xmp else facts.xmp
    return replace(facts, exif=exif, xmp=xmp, chunks=(), tags={}, tag_types={}, orientation=1)


def _exif_from_tags(facts: FileFacts) -> bytes | None:
    """EXIF of a TIFF, which keeps it among its own tags."""
    exif = PILImage.Exif()
    for tag, value in facts.tags.items():
        if tag in EXIF_TAGS_OF_TIFF:
            exif[tag] = value
    return exif.tobytes().removeprefix(b"Exif\0\0") if len(exif) else None


def _encode_jpeg(
    samples: np.ndarray, mode: str, facts: FileFacts, same_format: bool
) -> tuple[bytes, tuple[str, ...]]:
    options: dict[str, Any] = {"dpi": tuple(round(v) for v in facts.dpi)} if facts.dpi else {}
    if same_format and facts.quantization:
        options |= {"qtables": dict(facts.quantization), "progressive": facts.progressive}
        options["subsampling"] = facts.sampling if mode == "RGB" and facts.sampling >= 0 else 0
    else:
        options |= {"quality": _JPEG_QUALITY_OF_OTHERS, "subsampling": 0}
        options |= {"icc_profile": facts.icc, "exif": _exif_header(facts), "xmp": facts.xmp or b""}
    data = with_pillow(samples, mode, "JPEG", **options)
    notes = (JPEG_NOTE,)
    return (jpeg_with_segments(data, facts.chunks) if same_format else data), notes


def _encode_webp(
    samples: np.ndarray, mode: str, facts: FileFacts, same_format: bool
) -> tuple[bytes, tuple[str, ...]]:
    """Always lossless: also pixels that came from a lossy WebP come back exactly as they were decoded."""
    data = with_pillow(
        samples, mode, "WEBP", lossless=True, exact=True, quality=20, method=1,
        icc_profile=facts.icc or b"", exif=_exif_header(facts), xmp=facts.xmp or b"",
    )  # fmt: skip
    was_lossy = same_format and facts.lossy
    larger = ("the WebP was lossy and is written lossless, so that nothing outside the hands changes",)
    return data, larger if was_lossy else ()


def _encode_bmp(
    samples: np.ndarray, mode: str, facts: FileFacts, same_format: bool
) -> tuple[bytes, tuple[str, ...]]:
    dpi = {"dpi": facts.dpi} if facts.dpi else {}
    holds_more = not same_format and any((facts.icc, facts.exif, facts.xmp))
    notes = ("BMP holds no ICC profile, EXIF or XMP: they were left out",) if holds_more else ()
    return with_pillow(samples, mode, "BMP", facts.palette, **dpi), notes + _lost_text(facts)


def _lost_text(facts: FileFacts) -> tuple[str, ...]:
    return (
        ("text of the PNG (such as its prompt) was left out",) if facts.format == "PNG" and facts.text else ()
    )


def _exif_header(facts: FileFacts) -> bytes:
    return b"Exif\0\0" + facts.exif if facts.exif else b""


_ENCODERS: dict[str, Callable[[np.ndarray, str, FileFacts, bool], tuple[bytes, tuple[str, ...]]]] = {
    "PNG": encode_png, "TIFF": encode_tiff, "WEBP": _encode_webp, "BMP": _encode_bmp, "JPEG": _encode_jpeg,
}  # fmt: skip
