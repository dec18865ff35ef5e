"""Photographs of one person each, as shards for `handwright train outpainter`.

    scripts/make_people_photographs.py ROOT -o DIR

ROOT is LAION-Human in its published layout, its pose files converted (data/loaders/laion_human.py).
Points are MediaPipe's, hands are segmented; pictures of several people or without hands are left out, and
those that the split keeps for tests. Shards that are there already are kept.
"""

from __future__ import annotations

import argparse
from itertools import count, islice
from pathlib import Path

from handwright.data.loaders.laion_human import read_laion_human
from handwright.data.loaders.records import Broken, Tally
from handwright.data.people_photographs import person_entry
from handwright.data.shards import write_shard
from handwright.perception.body.estimate import BodyEstimator
from handwright.training.streams.photographs import is_test_only

PER_SHARD = 250


def make(root, output, people_in, per_shard=PER_SHARD):
    """Write the shards; lines about what was left out."""
    tally, kept = Tally(), Tally()
    samples = tally.samples(read_laion_human(root))
    for first in count(0, per_shard):
        lot = list(islice(samples, per_shard))
        if not lot:
            break
        path = output / f"people-{first:08d}.tar"
        if not path.exists():
            write_shard(path, kept.samples(entries(lot, first, people_in)))
    return [*tally.lines(), *kept.lines()]


def entries(lot, first, people_in):
    """Entries of some samples, or why there is none."""
    for number, sample in enumerate(lot, first):
        entry = person_entry(sample, f"{number:08d}", people_in)
        if not isinstance(entry, Broken) and is_test_only(entry.record["sha256"]):
            entry = Broken(sample.source, "it is kept for tests")
        yield entry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, help="folder of LAION-Human")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with BodyEstimator() as estimator:
        print("\n".join(make(args.root, args.output, estimator)))


if __name__ == "__main__":
    main()
