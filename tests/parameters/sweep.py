"""Which numbers move nothing: python -m tests.parameters.sweep [NAME ...].

All golden pictures, and some of every folder of ``HANDWRIGHT_PHOTOS`` where that is set, are repaired once
while the calls of every module with a ``…Params`` class are recorded. Each number is then multiplied by 1.3
and by 0.7, and the calls of its module are made again. A line a number: how many calls there are, and whether
one returns something else, each way. A number that moves nothing is one to delete, or lacks a case.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from handwright import HandRefiner
from tests.golden.cases import CASES
from tests.parameters.numbers import FACTORS, label, multiplied, numbers, params_classes
from tests.parameters.recording import Recording, differs
from tests.parameters.scenarios import record_other_hands
from tests.parameters.test_numbers import calls_of, read_in

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
OF_EACH_FOLDER = 2
MOST_SECONDS = 20.0
"""Of the calls of one module, so many seconds' worth are made again."""


def photographs(folder: str) -> list[Path]:
    """The first pictures of every folder of photographs; none where there are none."""
    if not folder:
        return []
    chosen: list[Path] = []
    for each in sorted(Path(folder).iterdir()):
        files = (
            file
            for file in sorted(each.rglob("*"))
            if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
        )
        chosen += list(files)[:OF_EACH_FOLDER]
    return chosen


def main() -> None:
    wanted = sys.argv[1:]
    classes = [each for each in params_classes() if not wanted or any(part in label(each) for part in wanted)]
    recording = Recording(most=100)
    photos = os.environ.get("HANDWRIGHT_PHOTOS", "")
    with HandRefiner() as refiner:
        with recording.of({module for each in classes for module in read_in(each)}):
            for case in CASES:
                case.refine(refiner)
            for file in photographs(photos):
                refiner(file, all=True)
            record_other_hands()
        silent = []
        for params in classes:
            calls, before, left = [], [], MOST_SECONDS
            for call in calls_of(params, recording):
                begun = time.perf_counter()
                before.append(call.again())
                calls.append(call)
                left -= time.perf_counter() - begun
                if left < 0:
                    break
            for name in numbers(params):
                moved = []
                for factor in FACTORS:
                    with multiplied(params, name, factor):
                        pairs = zip(calls, before, strict=True)
                        moved.append(any(differs(call.again(), was) for call, was in pairs))
                print(f"{label(params) + '.' + name:70} {len(calls):4} {moved[0]:4} {moved[1]:4}", flush=True)
                silent += [] if any(moved) else [f"{label(params)}.{name}"]
    print("moves nothing:", *silent, sep="\n  ")


if __name__ == "__main__":
    main()
