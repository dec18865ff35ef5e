"""Work keeps to as many threads as its process may use."""

from __future__ import annotations

from threading import Barrier

import pytest

from handwright.threads import MOST_THREADS, both, threads


@pytest.mark.parametrize(("allowed", "used"), [(1, 1), (2, 2), (8, MOST_THREADS)])
def test_no_more_threads_than_opencv_is_kept_to_and_never_more_than_two(allowed, used, opencv_threads):
    opencv_threads(allowed)
    assert threads() == used


@pytest.mark.parametrize("allowed", [1, 2])
def test_two_things_give_what_each_gives_alone(allowed, opencv_threads):
    opencv_threads(allowed)
    assert both(lambda: 1, lambda: "two") == (1, "two")


@pytest.mark.parametrize("allowed", [1, 2])
@pytest.mark.parametrize("which", [0, 1])
def test_what_goes_wrong_in_either_of_two_things_is_told(allowed, which, opencv_threads):
    def fails():
        raise ValueError("no")

    opencv_threads(allowed)
    works = [lambda: 1, lambda: 2]
    works[which] = fails
    with pytest.raises(ValueError, match="no"):
        both(*works)


def test_two_things_go_on_at_the_same_time_where_two_threads_are_allowed(opencv_threads):
    opencv_threads(2)
    met = Barrier(2, timeout=10)
    both(met.wait, met.wait)
