"""The command line runs on the fake engine too."""

from __future__ import annotations

from tests.workflow.conftest import fake_engine, here

__all__ = ["fake_engine", "here"]
