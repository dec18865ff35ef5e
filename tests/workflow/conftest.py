"""The fake engine, and a cache of its own for every test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.workflow import fakes

MODELS = SimpleNamespace(hand_landmarker=Path("model.task"))
PIPELINE = "handwright.refine.pipeline"


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    monkeypatch.setenv("HANDWRIGHT_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("handwright.perception.models.download.ensure_models", lambda **_: MODELS)
    before = sys.modules.get(PIPELINE)
    fakes.install()
    yield
    sys.modules.pop(PIPELINE, None)
    if before is not None:
        sys.modules[PIPELINE] = before


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
