"""What the installer asks of pip: nothing that could change OpenCV, NumPy or torch."""

from __future__ import annotations

import runpy
from importlib.metadata import version
from pathlib import Path

import pytest

INSTALLER = Path(__file__).parents[3] / "integrations" / "comfyui" / "install.py"


@pytest.fixture
def installer() -> dict:
    return runpy.run_path(str(INSTALLER))


def test_what_is_there_is_a_constraint(installer):
    kept = installer["kept"]()
    assert f"numpy=={version('numpy')}" in kept and f"torch=={version('torch')}" in kept
    assert any(line.startswith("opencv-") for line in kept)


def test_packages_that_name_opencv_come_without_their_requirements(installer, monkeypatch, tmp_path):
    monkeypatch.setitem(installer["commands"].__globals__, "find_spec", lambda name: None)
    with_constraints, alone = installer["commands"](tmp_path / "c.txt")
    assert with_constraints[:2] == ["-c", str(tmp_path / "c.txt")]
    assert "opencv-python-headless>=4.10" in with_constraints  # only where there is no OpenCV at all
    assert alone == ["--no-deps", "mediapipe>=1.2", str(INSTALLER.parents[2])]
    monkeypatch.setitem(installer["commands"].__globals__, "find_spec", lambda name: object())
    with_constraints, alone = installer["commands"](tmp_path / "c.txt")
    assert alone == ["--no-deps"] and not any(one.startswith("opencv") for one in with_constraints)
