"""Finds in a text what people write about hands: the patterns of ``words.toml``, by name."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

_ENTRIES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


@cache
def pattern(name: str, table: str = "") -> re.Pattern[str]:
    """The pattern of that name, in a table or at the top."""
    return re.compile(_source((_ENTRIES[table] if table else _ENTRIES)[name]))


def find(name: str, text: str) -> re.Match[str] | None:
    """The first place in a text that a pattern fits."""
    return pattern(name).search(text)


def first_in(table: str, text: str) -> str:
    """Name of the first entry of a table that fits anywhere in a text; empty where none does."""
    return next((name for name in _ENTRIES[table] if pattern(name, table).search(text)), "")


def poses_for(thing: str) -> Iterator[tuple[str, ...]]:
    """Named poses that hold a thing, of every kind of thing that it may be."""
    for kind in _ENTRIES["held_things"]:
        if re.search(rf"\b(?:{_source(kind['things'])})s?\b", thing):
            yield tuple(kind["poses"])


def drawn_thing(thing: str, in_both_hands: bool = False) -> str:
    """Which of the things that can be drawn a held thing is, by the last word for it; empty for none."""
    group = "drawn_in_both_hands" if in_both_hands else "drawn_things"
    return next((kind for kind in _ENTRIES[group] if _is_drawn(group, kind).search(thing)), "")


@cache
def _is_drawn(group: str, kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_source(_ENTRIES[group][kind])})(?= of\b|$)")


def _source(entry: str | list[str]) -> str:
    text = entry if isinstance(entry, str) else "|".join(entry)
    return re.sub(r"\{([a-z_]+)\}", lambda name: f"(?:{_source(_ENTRIES[name[1]])})", text)
