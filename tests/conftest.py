"""Shared by the whole suite: the real photographs, and the switch for slow tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # every worker has a core; more threads only wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import pytest
from hypothesis import settings

from handwright.threads import sleep_while_waiting

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # tests of the scripts import them by name

sleep_while_waiting()  # as the command line does

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

NO_PHOTOS = "HANDWRIGHT_PHOTOS is not set"


@pytest.fixture(scope="session")
def photos() -> Path:
    """Folder of real photographs; tests that ask for it are skipped where there is none."""
    folder = os.environ.get("HANDWRIGHT_PHOTOS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip(NO_PHOTOS)
    return Path(folder)


@pytest.fixture
def opencv_threads() -> Generator[Callable[[int], None]]:
    """Says how many threads OpenCV may use, as a worker process does; put back afterwards."""
    before = cv2.getNumThreads()
    yield cv2.setNumThreads
    cv2.setNumThreads(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    without_photos = sum(NO_PHOTOS in str(report.longrepr) for report in skipped)
    terminalreporter.write_line(f"{without_photos} tests skipped for want of HANDWRIGHT_PHOTOS")
