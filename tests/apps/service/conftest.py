"""The service's workers are other processes: nothing here is faked by the command line's fixtures."""

from __future__ import annotations

import pytest


@pytest.fixture
def fake_engine():
    """In place of the fixture of the same name of the command line."""
