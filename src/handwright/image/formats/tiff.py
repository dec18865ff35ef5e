"""TIFF of every mode, deflated, with the tags of the source."""

import zlib
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import TiffImagePlugin

from handwright.image.facts import FileFacts
from handwright.image.formats.metadata import EXIF_TAGS_OF_TIFF, ORIENTATION, SUB_DIRECTORIES, parsed_exif

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES_PER_PIXEL, _ROWS_PER_STRIP, _BYTE_COUNTS = 277, 278, 279
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_PREDICTOR, _COLOUR_MAP, _INK_SET, _EXTRA_SAMPLES, _XMP, _ICC = 317, 320, 332, 338, 700, 34675
_BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED = 1, 2, 3, 5
_PHOTOMETRICS = {
    "P": _PALETTE, "CMYK": _SEPARATED, "RGB": _RGB, "RGBA": _RGB, "RGB;16": _RGB, "RGBA;16": _RGB,
}  # fmt: skip
_DEFLATE, _HORIZONTAL, _INCH, _UNASSOCIATED = 8, 2, 2, 2
_LONG = 4
_STRIP_BYTES = 1 << 18


def encode_tiff(
    samples: np.ndarray, mode: str, facts: FileFacts, same_format: bool
) -> tuple[bytes, tuple[str, ...]]:
    """Encode samples [H, W, C] as a TIFF 6.0 file with deflated strips and horizontal prediction."""
    height, width, channels = samples.shape
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in (facts.tags if same_format else _tags_of(facts)).items():
        directory[tag] = value
        if same_format and tag in facts.tag_types:
            directory.tagtype[tag] = facts.tag_types[tag]
    strips, rows = _strips(samples, mode)
    bits = 1 if mode == "1" else 8 * samples.itemsize
    predicted = mode not in ("1", "P")
    layout: dict[int, Any] = {
        _WIDTH: width, _HEIGHT: height, _BITS: (bits,) * channels, _COMPRESSION: _DEFLATE,
        _PHOTOMETRIC: _PHOTOMETRICS.get(mode, _BLACK_IS_ZERO), _SAMPLES_PER_PIXEL: channels,
        _ROWS_PER_STRIP: rows, _PREDICTOR: _HORIZONTAL if predicted else 1,
        _BYTE_COUNTS: tuple(len(strip) for strip in strips),
        _OFFSETS: tuple(np.cumsum([0, *(len(strip) for strip in strips[:-1])]).tolist()),
    }  # fmt: skip
    if mode == "P":
        layout[_COLOUR_MAP] = _colour_map(facts.palette)
    has_alpha = mode in ("LA", "RGBA", "RGBA;16")
    if has_alpha and not (mode == "RGBA;16" and _EXTRA_SAMPLES in directory):
        layout[_EXTRA_SAMPLES] = _UNASSOCIATED
    elif not has_alpha and _EXTRA_SAMPLES in directory:
        del directory[_EXTRA_SAMPLES]
    for tag, value in layout.items():
        directory[tag] = value
    directory.tagtype[_OFFSETS] = directory.tagtype[_BYTE_COUNTS] = _LONG
    file = BytesIO()
    directory.save(file)
    for strip in strips:
        file.write(strip)
    lost = facts.format == "PNG" and facts.text
    return file.getvalue(), (("text of the PNG (such as its prompt) was left out",) if lost else ())


def _strips(samples: np.ndarray, mode: str) -> tuple[list[bytes], int]:
    """Deflated strips, and rows per strip."""
    if mode == "1":
        rows = np.packbits(samples[..., 0] > 0, axis=1)
    else:
        little = samples.astype(samples.dtype.newbyteorder("<"))
        if mode != "P":
            little[:, 1:] -= samples[:, :-1]
        rows = little.reshape(len(samples), -1).view(np.uint8)
    step = max(1, _STRIP_BYTES // rows.shape[1])
    return [zlib.compress(rows[at : at + step].tobytes(), 6) for at in range(0, len(rows), step)], step


def _colour_map(palette: UInt8[np.ndarray, "n 4"] | None) -> tuple[int, ...]:
    table = np.zeros((256, 3), np.uint16)
    if palette is not None:
        table[: len(palette)] = palette[:, :3]
    return tuple((table.T.ravel() * 257).tolist())


def _tags_of(facts: FileFacts) -> dict[int, Any]:
    """Metadata of another format as TIFF tags."""
    tags: dict[int, Any] = {}
    if facts.exif:
        exif = parsed_exif(facts.exif)
        tags |= {tag: exif[tag] for tag in EXIF_TAGS_OF_TIFF if tag in exif and tag not in SUB_DIRECTORIES}
        tags |= {tag: dict(exif.get_ifd(tag)) for tag in SUB_DIRECTORIES if tag in exif}
        tags |= {ORIENTATION: 1} if ORIENTATION in exif else {}
    if facts.dpi:
        tags |= {_X_RESOLUTION: facts.dpi[0], _Y_RESOLUTION: facts.dpi[1], _RESOLUTION_UNIT: _INCH}
    tags |= {_XMP: facts.xmp} if facts.xmp else {}
    return tags | ({_ICC: facts.icc} if facts.icc else {})
