from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handwright.data.shards import Entry, write_shard
from handwright.errors import DataError, UnreadableImageError, UsageError
from handwright.metrics.extractors.choose import RandomFilters
from handwright.workflow.evaluation import evaluate
from handwright.workflow.picture_sets import find_pictures
from tests.metrics.sets.picture_folders import blots, hand_points, write

SIDE = 40


def record(k: int) -> dict[str, object]:
    hand = {"keypoints_px": hand_points(4, 4).tolist(), "pose": [[0.1 * (k % 5), 0.0, 0.0]]}
    return {"hands": [hand], "caption": f"hand {k}"}


def shards(folder: Path, pictures: list[np.ndarray], first: int = 0, *, mask: bool = True) -> Path:
    """Two shards with the pictures, a mask of their middle, and one labelled hand each."""
    folder.mkdir(exist_ok=True)
    inside = np.zeros((SIDE, SIDE), np.uint8)
    inside[10:30, 10:30] = 255
    given = [
        Entry(f"{first + k:04d}", {"image": p, **({"mask": inside} if mask else {})}, record(k))
        for k, p in enumerate(pictures)
    ]
    half = len(given) // 2
    for name, part in (("a", given[:half]), ("b", given[half:])):
        write_shard(folder / f"{name}-{first}.tar", part)
    return folder


def test_a_folder_of_shards_is_a_set_with_labels_captions_and_masks(tmp_path):
    pictures = blots(6)
    result = find_pictures(shards(tmp_path / "s", pictures), "REAL")
    assert list(result.items) == [f"{k:04d}" for k in range(6)] and not result.problems
    for k, item in enumerate(result.items.values()):
        assert np.array_equal(item.image().pixels, pictures[k])
        labels = item.labels()
        assert labels is not None and len(labels["hands"]) == 1
        assert (item.caption(), item.kind) == (f"hand {k}", "png")
        assert item.inside is not None and item.inside().sum() == 400


def test_the_same_pictures_in_files_and_in_shards_measure_the_same(tmp_path):
    real, fake = blots(20), blots(20, seed=1, noise=20)
    files = [write(tmp_path / name, p) for name, p in (("real", real), ("fake", fake))]
    packed = [shards(tmp_path / f"{name}-s", p) for name, p in (("real", real), ("fake", fake))]
    result = [
        evaluate(a, b, metrics=["kid"], extractor=RandomFilters())["kid"]
        for a, b in (files, packed, (files[0], packed[1]))
    ]
    assert result[0] == result[1] == result[2]


def test_shards_need_no_masks_option_and_bring_their_poses(tmp_path):
    a, b = (shards(tmp_path / n, blots(12, seed=s)) for n, s in (("a", 0), ("b", 1)))
    result = evaluate(a, b, metrics=["kid-fg", "diversity"], extractor=RandomFilters())
    assert result["kid-fg"].n == 12 and result["diversity[rot6d] real"].value > 0
    bare = shards(tmp_path / "c", blots(12), mask=False)
    with pytest.raises(UsageError, match="need masks"):
        evaluate(a, bare, metrics=["kid-fg"], extractor=RandomFilters())


def test_a_shard_that_was_cut_is_a_counted_problem(tmp_path):
    folder = shards(tmp_path / "s", blots(24))
    cut = folder / "b-0.tar"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    result = evaluate(folder, folder, metrics=["kid"], extractor=RandomFilters())
    assert 12 < result.n_real < 24 and result.exit_code == 2
    assert [s.path.name for s in result.skipped] == ["b-0.tar", "b-0.tar"]
    assert "damaged after" in result.skipped[0].reason


def test_what_is_broken_inside_a_shard_says_where(tmp_path):
    folder = shards(tmp_path / "s", blots(2))
    item = find_pictures(folder, "REAL").items["0000"]
    data = (folder / "a-0.tar").read_bytes()
    (folder / "a-0.tar").write_bytes(data.replace(b"\x89PNG", b"\x00\x00\x00\x00"))
    with pytest.raises(UnreadableImageError, match=r"a-0\.tar/0000: it is not a picture"):
        item.image()
    (folder / "a-0.tar").unlink()
    with pytest.raises(DataError, match="cannot read"):
        item.labels()


def test_keys_of_two_shards_that_are_alike_are_two_pictures(tmp_path):
    folder = shards(tmp_path / "s", blots(2))
    (folder / "c.tar").write_bytes((folder / "a-0.tar").read_bytes())
    assert len(find_pictures(folder, "REAL").items) == 3


def test_sets_without_pictures_are_one_clear_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.tar").write_text("no tar at all")
    with pytest.raises(UsageError, match="FAKE: the inputs hold no picture"):
        find_pictures(tmp_path / "empty", "FAKE")
    with pytest.raises(UsageError, match="FAKE: the shards hold no picture: it is damaged"):
        find_pictures(tmp_path / "bad", "FAKE")
    with pytest.raises(UsageError, match="no masks of REAL"):
        find_pictures(write(tmp_path / "a", blots(1)), "REAL", tmp_path / "nowhere")
