"""PNG of every mode: Pillow for 8 bits and grey 16, our own scan lines for 16-bit colour."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image as PILImage
from PIL import PngImagePlugin

from handwright.image.facts import Chunk, FileFacts
from handwright.image.formats.containers import PNG_SIGNATURE, png_chunk, png_with_chunks

_COLOUR_TYPES = {"I;16": 0, "RGB;16": 2, "LA;16": 4, "RGBA;16": 6}

_COMPRESS_LEVEL = 4


def encode_png(
    samples: np.ndarray, mode: str, facts: FileFacts, same_format: bool
) -> tuple[bytes, tuple[str, ...]]:
    """Encode samples [H, W, C] as PNG; a PNG source's chunks are carried over verbatim. No notes."""
    bare = _encode_16_bit(samples, mode) if mode in _COLOUR_TYPES else _encode_8_bit(samples, mode, facts)
    chunks = facts.chunks if same_format else _chunks_of(facts)
    if facts.key_colour is not None and mode in ("L", "RGB", *_COLOUR_TYPES):
        chunks += ((b"tRNS", struct.pack(f">{len(facts.key_colour)}H", *facts.key_colour)),)
    return png_with_chunks(bare, chunks), ()


def _encode_8_bit(samples: UInt8[np.ndarray, "h w c"], mode: str, facts: FileFacts) -> bytes:
    return with_pillow(samples, mode, "PNG", facts.palette, compress_level=_COMPRESS_LEVEL)


def with_pillow(
    samples: np.ndarray,
    mode: str,
    file_format: str,
    palette: UInt8[np.ndarray, "n 4"] | None = None,
    **options: Any,  # noqa: ANN401
) -> bytes:
    """Let Pillow encode uint8 samples [H, W, C]."""
    flat = samples[..., 0] if samples.shape[2] == 1 else samples
    picture = PILImage.fromarray(np.ascontiguousarray(flat), "L" if mode in ("1", "P") else mode)
    if mode == "1":
        picture = picture.convert("1", dither=PILImage.Dither.NONE)
    if mode == "P" and palette is not None:
        used = max(len(palette), int(samples.max()) + 1)
        table = np.full((used, 4), (0, 0, 0, 255), np.uint8)
        table[: len(palette)] = palette
        picture.putpalette(table[:, :3].tobytes())
        if (table[:, 3] < 255).any():
            options["transparency"] = table[:, 3].tobytes()
    file = BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def _encode_16_bit(samples: UInt16[np.ndarray, "h w c"], mode: str) -> bytes:
    """Scan lines with the 'Up' filter (PNG 3rd ed. §9.2, type 2), big-endian."""
    height, width = samples.shape[:2]
    rows = np.ascontiguousarray(samples.astype(">u2")).reshape(height, -1).view(np.uint8)
    lines = np.full((height, rows.shape[1] + 1), 2, np.uint8)
    lines[0, 1:] = rows[0]
    lines[1:, 1:] = rows[1:] - rows[:-1]
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[mode], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.data, _COMPRESS_LEVEL)), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(png_chunk(*chunk) for chunk in chunks)


def _chunks_of(facts: FileFacts) -> tuple[Chunk, ...]:
    """Metadata of another format as PNG chunks."""
    info = PngImagePlugin.PngInfo()
    if facts.icc:
        info.add(b"iCCP", b"ICC Profile\0\0" + zlib.compress(facts.icc))
    if facts.dpi:
        info.add(b"pHYs", struct.pack(">IIB", *(round(dots / 0.0254) for dots in facts.dpi), 1))
    if facts.exif:
        info.add(b"eXIf", facts.exif)
    if facts.xmp:
        info.add_itxt("XML:com.adobe.xmp", facts.xmp.decode("utf-8", "replace"))
    for keyword, text in facts.text.items():
        info.add_text(keyword, text)
    return tuple((chunk[0], chunk[1]) for chunk in info.chunks)
