"""Test-only pictures never enter training: by hash."""

from __future__ import annotations

import csv
import hashlib
import tarfile
from pathlib import Path

from handwright.training.photographs import TRAIN_SETS, is_test_only, training_photographs

LISTED = Path(__file__).parents[2] / "docs" / "evidence" / "training_photographs.csv"


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
