"""A network of our own keeps to as many threads as its process may use."""

from __future__ import annotations

import cv2
import pytest

from handwright.perception.onnx_session import MOST_THREADS, threads


@pytest.fixture
def _as_before():
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("_as_before")
@pytest.mark.parametrize(("allowed", "used"), [(1, 1), (2, 2), (8, MOST_THREADS)])
def test_no_more_threads_than_opencv_is_kept_to_and_never_more_than_two(allowed, used):
    cv2.setNumThreads(allowed)
    assert threads() == used
