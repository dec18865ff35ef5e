"""A line of our own among a picture's PNG text."""

from __future__ import annotations

from dataclasses import replace

from handwright.image.facts import facts_of
from handwright.types import Image


def with_png_text(image: Image, keyword: str, text: str) -> Image:
    """The picture with one more PNG text, in place of one of the same keyword; other text stays.

    Args:
        image: The picture. Only a PNG file will carry the text.
        keyword: 1–79 Latin-1 characters.
        text: ASCII text.
    """
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
