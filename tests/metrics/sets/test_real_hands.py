"""The measures of hands with the real finder, on real photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import ImageFilter

from handwright.workflow.evaluation import evaluate

pytestmark = [pytest.mark.photos, pytest.mark.models]


@pytest.fixture(scope="module")
def sets(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three photographs; the same with 6 px of wall added on the left; the same without anything to see."""
    root = tmp_path_factory.mktemp("real")
    sources = sorted((photos / "mediapipe_gesture_testdata" / "images").glob("*.jpg"))[:3]
    for name in ("real", "moved", "blurred"):
        (root / name).mkdir()
    for number, source in enumerate(sources):
        with PILImage.open(source) as opened:
            picture = opened.convert("RGB")
        picture.thumbnail((480, 480))
        pixels = np.asarray(picture)
        moved = np.concatenate([pixels[:, :1].repeat(6, 1), pixels[:, :-6]], 1)
        picture.save(root / "real" / f"{number}.png")
        PILImage.fromarray(moved).save(root / "moved" / f"{number}.png")
        picture.filter(ImageFilter.GaussianBlur(60)).save(root / "blurred" / f"{number}.png")
    return {name: root / name for name in ("real", "moved", "blurred")}


def test_hands_that_moved_six_pixels_are_six_pixels_off_and_untouched_ones_near_the_floor(sets):
    moved = evaluate(sets["real"], sets["moved"], metrics=["mpjpe", "det"])
    same = evaluate(sets["real"], sets["real"], metrics=["mpjpe"])
    assert same["mpjpe[px]"].value == 0 < same["mpjpe-floor[px]"].value
    assert moved["mpjpe[px]"].n >= 3
    assert moved["mpjpe[px]"].value == pytest.approx(6, abs=2)
    assert moved["mpjpe-floor[% hand]"].value < 10
    found = {e.name: e.value for e in moved.estimates}
    assert found["hand-found real"] == found["hand-found fake"] >= 0.5


def test_hands_that_cannot_be_seen_count_in_full(sets):
    result = evaluate(sets["real"], sets["blurred"], metrics=["mpjpe", "det"])
    assert result["mpjpe[% hand]"].value > 70
    assert result["missed"].value > 0.7
