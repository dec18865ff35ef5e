"""The command line on real photographs, with the real engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.perception.models.download import ensure_models
from handwright.workflow.report.document import SCHEMA_FILE
from tests.golden.cases import PICTURES

pytestmark = [pytest.mark.photos, pytest.mark.models]


def handwright(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh process, as a user starts it; the records of runs are kept apart from the user's own."""
    code = "import sys; from handwright.apps.cli import main; main(sys.argv[1:])"
    cache = {**os.environ, "HANDWRIGHT_CACHE": str(folder / "cache")}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=cache)


@pytest.fixture
def folder(photos: Path, tmp_path: Path) -> Path:
    """Two photographs and a render with a malformed hand as PNG, and one picture without a hand."""
    models = ensure_models()
    (tmp_path / "cache").mkdir()
    for file in models.hand_landmarker.parent.glob("*_landmarker*"):
        shutil.copy(file, tmp_path / "cache")
    (tmp_path / "in").mkdir()
    sources = sorted((photos / "mediapipe_gesture_testdata" / "images").glob("four_*.jpg"))[:2]
    for number, source in enumerate(sources):
        with PILImage.open(source) as picture:
            picture.save(tmp_path / "in" / f"{number}.png")
    with PILImage.open(PICTURES / "defects_16.webp") as picture:
        picture.save(tmp_path / "in" / "2.png")
    PILImage.new("RGB", (320, 240), (90, 120, 160)).save(tmp_path / "in" / "none.png")
    return tmp_path


def test_a_folder_of_photographs_is_refined_outside_the_masks_not_at_all_and_the_same_by_two_workers(
    folder: Path,
):
    first = handwright(folder, "refine", "in", "-o", "one", "--all", "--report", "r", "--json")
    assert (first.returncode, first.stderr) == (0, "")
    report = json.loads(first.stdout)
    jsonschema.validate(report, json.loads(SCHEMA_FILE.read_text()))
    status = [entry["status"] for entry in report["pictures"]]
    assert status[2:] == ["refined", "no_hands"]
    for entry in report["pictures"]:
        before, after = (
            np.asarray(PILImage.open(folder / entry[name]).convert("RGB")) for name in ("input", "output")
        )
        mask = np.zeros(before.shape[:2], bool)
        for hand in entry["hands"]:
            mask |= np.asarray(PILImage.open(folder / "r" / hand["mask"]).convert("L")) > 0
        assert (before[~mask] == after[~mask]).all()
    assert handwright(folder, "refine", "in", "-o", "two", "--all", "--workers", "2").returncode == 0
    for file in (folder / "one").iterdir():
        assert file.read_bytes() == (folder / "two" / file.name).read_bytes()


def test_hands_are_saved_edited_and_fed_back(folder: Path):
    saved = handwright(folder, "hands", "in/0.png", "-o", "found")
    assert (saved.returncode, saved.stderr) == (0, "")
    again = handwright(folder, "refine", "in/0.png", "-o", "b.png", "--hands", "found/0.hands.json")
    assert (again.returncode, again.stderr) == (0, "")
    wrong = handwright(folder, "refine", "in/1.png", "-o", "c.png", "--hands", "found/0.hands.json")
    assert wrong.returncode == 2
    assert len(wrong.stderr.splitlines()) == 1
    assert not (folder / "c.png").exists()
