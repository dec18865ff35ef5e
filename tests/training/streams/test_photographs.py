"""Test-only pictures never enter training: by hash."""

from __future__ import annotations

import csv
import hashlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

from handwright.data.hands import render_one_hand
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.training import hand_crops
from handwright.training.streams.crops import CONTEXT
from handwright.training.streams.photographs import (
    TRAIN_SETS,
    Photograph,
    is_test_only,
    training_photographs,
)
from make_photograph_crops import photograph_crops

LISTED = Path(__file__).parents[3] / "docs" / "research" / "training_photographs.csv"


def listed():
    with LISTED.open(encoding="utf-8") as file:
        return {row["sha256"]: row["photograph"] for row in csv.DictReader(file)}


def test_no_photograph_that_weights_have_seen_is_kept_for_tests():
    seen = listed()
    assert len(seen) > 800
    assert not any(is_test_only(sha256) for sha256 in seen)
    assert {name.split("/")[0] for name in seen.values()} == set(TRAIN_SETS)


def test_what_training_reads_holds_no_picture_of_the_test_only_folders(photos):
    kept = set()
    for folder in (f for f in photos.iterdir() if f.is_dir() and f.name not in TRAIN_SETS):
        for path in folder.rglob("*"):
            if path.suffix == ".tar":
                with tarfile.open(path) as tar:
                    kept |= {
                        hashlib.sha256(tar.extractfile(m).read()).hexdigest()
                        for m in tar
                        if m.name.endswith((".jpg", ".png"))
                    }
            elif path.is_file():
                kept.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(kept) > 200
    assert not kept & {photograph.sha256 for photograph in training_photographs(photos)}
    assert not kept & set(listed())


@pytest.fixture(scope="module")
def looked_at():
    """A picture with a hand, and the depth that the hand really has."""
    picture = render_one_hand(722_104, 256)
    return Photograph("a/b.jpg", "ff", picture.pixels), picture.depth


def test_the_depth_of_a_photograph_is_that_of_its_fitted_hand_where_the_crop_shows_it(looked_at):
    photograph, true = looked_at
    with HandLandmarker(None) as landmarker:
        crops = photograph_crops(photograph, landmarker, 144)
    (found,), (mask,) = crops.depth > 0, crops.mask
    assert not (found & ~mask).any()
    low, high = crops.landmarks_px[0].min(0), crops.landmarks_px[0].max(0)
    assert np.ptp(np.nonzero(found)[0]) > 0.8 * (high - low)[1]
    assert found.mean() == pytest.approx((true > 0).mean() * _shrunk(photograph), rel=0.2)


def test_a_fit_that_is_far_from_what_was_seen_gives_no_depth(looked_at, monkeypatch):
    monkeypatch.setattr(hand_crops, "FARTHEST_FIT", 0.0)
    with HandLandmarker(None) as landmarker:
        crops = photograph_crops(looked_at[0], landmarker, 144)
    assert not crops.depth.any()
    assert crops.mask.any()


def _shrunk(photograph):
    """The picture's area over the crop's."""
    with HandLandmarker(None) as landmarker:
        (seen,) = find_hands(photograph.pixels, landmarker=landmarker)
    return (256 / (CONTEXT * seen.size_px)) ** 2
