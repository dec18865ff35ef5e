"""The few pieces of HTML that the pages are made of; every text is escaped."""

from __future__ import annotations

from html import escape
from urllib.parse import quote


def figure(file: str, caption: str, over: str = "", alt: str = "") -> str:
    """A picture of the report's folder with its caption, and perhaps an SVG over it."""
    image = f'<img loading="lazy" src="{address(file)}" alt="{escape(alt)}">'
    return (
        f'<figure><span class="stage">{image}{over}</span><figcaption>{escape(caption)}</figcaption></figure>'
    )


def address(file: str) -> str:
    """A file of the report's folder as an address."""
    return escape(quote(file, errors="surrogateescape"))


def tag(kind: str, words: str) -> str:
    """A small label, coloured by its kind."""
    return f'<span class="tag {escape(kind)}">{escape(words)}</span>'


def plural(count: int, noun: str) -> str:
    """The noun, with an s unless there is one."""
    return noun if count == 1 else f"{noun}s"
