"""The grammar's tables, ``tables.toml``: named poses, phrases of every word, patterns of free text."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("tables.toml").read_text("utf-8"))
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def source_of(entry: str | list[str]) -> str:
    """Return the regular expression of an entry, its alternatives joined and the named parts filled in."""
    text = entry if isinstance(entry, str) else "|".join(entry)
    return re.sub(r"\{([a-z]+)\}", lambda part: TABLES["parts"][part[1]], text)


@cache
def pattern_of(pattern: str) -> re.Pattern[str]:
    """Return a compiled pattern; there are more of them than the cache of ``re`` holds."""
    return re.compile(pattern)
