"""Whether a page's tables are another's again: python bench/same_tables.py NEW.md [COMMITTED.md].

Every number that has an interval is compared with the one of the same heading, row and column: the new one
has to lie within the committed interval. Exit status 1 if any does not, or if a table is missing.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

_TOLD = re.compile(r"(-?[\d.]+) \[(-?[\d.]+), (-?[\d.]+)\]$")

Place = tuple[str, str, str]
"""Heading, row and column."""


def estimates(page: Path) -> Iterator[tuple[Place, tuple[float, float, float]]]:
    """Each number with an interval: the number, the interval's ends."""
    heading, titles = "", list[str]()
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if not line.startswith("|"):
            titles = []
            continue
        row, *cells = (cell.strip() for cell in line.strip().strip("|").split("|"))
        titles = titles or cells
        for title, cell in zip(titles, cells, strict=True):
            if found := _TOLD.match(cell):
                number, low, high = map(float, found.groups())
                yield (heading, row, title), (number, low, high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("new", type=Path)
    parser.add_argument("committed", type=Path, nargs="?", default=Path("docs/research/handrefiner.md"))
    options = parser.parse_args()
    new, committed = dict(estimates(options.new)), dict(estimates(options.committed))
    missing = committed.keys() ^ new.keys()
    outside = [
        place
        for place in committed.keys() & new.keys()
        if not committed[place][1] <= new[place][0] <= committed[place][2]
    ]
    same = sum(new[place] == told for place, told in committed.items() if place in new)
    print(f"{len(committed)} numbers with an interval: {same} the same, {len(outside)} outside it")
    for place in sorted(missing):
        print("only on one page:", " | ".join(place))
    for place in sorted(outside):
        was, now = committed[place], new[place]
        print(" | ".join(place), f"{was[0]:g} [{was[1]:g}, {was[2]:g}] is now {now[0]:g}")
    raise SystemExit(bool(missing or outside))


if __name__ == "__main__":
    main()
