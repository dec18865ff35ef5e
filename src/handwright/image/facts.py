"""The metadata of a picture's file, kept so that it can be written again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.types import Image

Chunk = tuple[bytes, bytes]  # A named piece of a file: a PNG chunk's type or a JPEG marker, and the payload


@dataclass(frozen=True, eq=False, kw_only=True)
class FileFacts:
    r"""The parts of a picture file that are not samples; kept under ``Image.meta['file']``.

    Attributes:
        format: 'PNG', 'JPEG', 'WEBP', 'TIFF', 'BMP', another Pillow name, or '' for a picture from no file.
        orientation: EXIF orientation 1 … 8 of the samples as stored.
        icc: ICC profile.
        exif: EXIF as a TIFF structure (without the 'Exif\0\0' of JPEG).
        xmp: XMP packet.
        dpi: Horizontal and vertical pixels per inch.
        text: PNG text by keyword (such as a generator's prompt).
        palette: uint8 [N, 4] RGBA of a 'P' picture.
        key_colour: Samples that mean 'transparent' in an 'L', 'I;16', 'RGB' or 'RGB;16' PNG.
        chunks: PNG chunks or JPEG segments to be carried over verbatim into a file of the same format.
        tags: TIFF tags to be carried over, by number; sub-directories as mappings.
        tag_types: TIFF types of ``tags``.
        quantization: JPEG quantisation tables by number.
        sampling: JPEG chroma subsampling in Pillow's numbering (0: 4:4:4, 1: 4:2:2, 2: 4:2:0, −1: another).
        progressive: Whether the JPEG was progressive.
        lossy: Whether the source's codec was a lossy one.
    """

    format: str = ""
    orientation: int = 1
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    text: Mapping[str, str] = field(default_factory=dict[str, str])
    palette: UInt8[np.ndarray, "n 4"] | None = None
    key_colour: tuple[int, ...] | None = None
    chunks: tuple[Chunk, ...] = ()
    tags: Mapping[int, Any] = field(default_factory=dict[int, Any])
    tag_types: Mapping[int, int] = field(default_factory=dict[int, int])
    quantization: Mapping[int, list[int]] | None = None
    sampling: int = 0
    progressive: bool = False
    lossy: bool = False


def facts_of(image: Image) -> FileFacts:
    """Return the metadata of a picture's file; the defaults for a picture that came from no file."""
    return image.meta.get("file", FileFacts())


def with_png_chunk(image: Image, tag: bytes, payload: bytes | None) -> Image:
    """Return the picture with one PNG chunk of this type at the end; without a payload, with none of it.

    Args:
        image: The picture; one of another format than PNG stays as it is.
        tag: Four letters, ancillary and safe to copy (PNG §5.4).
        payload: What the chunk holds.
    """
    facts = facts_of(image)
    if facts.format != "PNG":
        return image
    chunks = tuple(chunk for chunk in facts.chunks if chunk[0] != tag)
    added = () if payload is None else ((tag, payload),)
    return replace(image, meta={**image.meta, "file": replace(facts, chunks=(*chunks, *added))})


def without_png_text(image: Image, keyword: str) -> Image:
    """Return the picture without the PNG text of a keyword."""
    facts, head = facts_of(image), keyword.encode("latin-1") + b"\0"
    chunks = tuple(chunk for chunk in facts.chunks if not (chunk[0] == b"tEXt" and chunk[1].startswith(head)))
    text = {key: value for key, value in facts.text.items() if key != keyword}
    return replace(image, meta={**image.meta, "file": replace(facts, text=text, chunks=chunks)})


def with_png_text(image: Image, keyword: str, text: str) -> Image:
    """Return the picture with one more PNG text, which replaces one of the same keyword."""
    facts = facts_of(image)
    head = keyword.encode("latin-1") + b"\0"
    chunks = facts.chunks
    if facts.format == "PNG":
        others = (
            chunk
            for chunk in chunks
            if not (chunk[0] in (b"tEXt", b"zTXt", b"iTXt") and chunk[1].startswith(head))
        )
        chunks = (*others, (b"tEXt", head + text.encode("ascii")))
    facts = replace(facts, text={**facts.text, keyword: text}, chunks=chunks)
    return replace(image, meta={**image.meta, "file": facts})
