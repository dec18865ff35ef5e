"""Which numbers other tests hold: python -m tests.parameters.held_by_tests NAME=TESTS [NAME=TESTS ...].

The tests are run with each number multiplied by 1.3 and by 0.7; NAME is what ``sweep`` prints, TESTS a path.
"""

from __future__ import annotations

import sys

import pytest

from tests.parameters.numbers import FACTORS, label, multiplied, params_classes

QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""Every run after the first finds modules that are imported already."""


def main() -> None:
    classes = {label(each): each for each in params_classes()}
    for argument in sys.argv[1:]:
        number, tests = argument.split("=")
        owner, _, name = number.rpartition(".")
        failed: list[bool] = []
        for factor in FACTORS:
            with multiplied(classes[owner], name, factor):
                failed.append(
                    pytest.main([tests, "-x", "-q", "--no-header", "-p", "no:cacheprovider", *QUIET]) == 1
                )
        print("HELD" if any(failed) else "free", number, *failed, flush=True)


if __name__ == "__main__":
    main()
