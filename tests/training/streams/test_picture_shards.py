"""Pictures from shards: mixed by weight, held-out ones never drawn, the same for the same generator."""

import numpy as np
import pytest

from handwright.data.shards import Entry, write_shard
from handwright.errors import DataError, UsageError
from handwright.training.streams.picture_shards import (
    PictureMix,
    PictureStream,
    index_pictures,
    resized,
)

MIX = PictureMix(shares={"hands": 0.75, "people": 0.25, "absent": 1.0})


def fill(folder, kind, count=120, size=40):
    """A shard of plain pictures: each shows its number as a grey value; people are red."""
    (folder / kind).mkdir(parents=True)
    record = {"hands": [], "kind": kind}
    made = []
    for k in range(count):
        pixels = np.full((size, size, 3), k, np.uint8)
        if kind == "people":
            pixels[..., 0] = 255
        made.append(Entry(f"{k:08d}", {"image": pixels}, record))
    write_shard(folder / kind / f"{kind}-0.tar", made)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    fill(root, "hands")
    fill(root, "people")
    return root


def test_every_picture_is_found_and_reads_as_it_was_written(folder):
    found = index_pictures(folder, "hands")
    assert [int(picture.pixels()[0, 0, 0]) for picture in found] == list(range(120))


def test_held_out_pictures_are_never_drawn(folder):
    stream = PictureStream(folder, 32, MIX)
    held_out = {int(p.pixels()[0, 0, 2]) for p in stream.held_out["hands"]}
    assert held_out
    drawn = stream.draw(np.random.default_rng(0), 600)
    hands = {int(d[0, 0, 2]) for d in drawn if d[0, 0, 0] != 255}
    assert len(hands) > 60
    assert not hands & held_out


def test_kinds_are_mixed_by_their_shares_and_absent_ones_left_out(folder):
    stream = PictureStream(folder, 32, MIX)
    drawn = stream.draw(np.random.default_rng(1), 800)
    assert stream.kinds == ("hands", "people")
    assert np.mean(drawn[:, 0, 0, 0] == 255) == pytest.approx(0.25, abs=0.05)


def test_the_same_generator_draws_the_same_samples(folder):
    stream = PictureStream(folder, 32, MIX)
    a, b = (stream.draw(np.random.default_rng(3), 9) for _ in range(2))
    assert np.array_equal(a, b)
    assert a.shape == (9, 32, 32, 3)


def test_held_out_pictures_stay_the_same_when_a_shard_is_added(tmp_path):
    fill(tmp_path, "hands")
    before = PictureStream(tmp_path, 32, MIX).held_out_pictures(2)
    (tmp_path / "hands" / "hands-1.tar").write_bytes((tmp_path / "hands" / "hands-0.tar").read_bytes())
    after = PictureStream(tmp_path, 32, MIX).held_out_pictures(2)
    assert np.array_equal(before["hands"], after["hands"])


def test_a_folder_without_shards_is_named(tmp_path):
    with pytest.raises(UsageError, match="holds no shards of hands"):
        PictureStream(tmp_path, 32, MIX)


def test_a_damaged_shard_is_named(tmp_path):
    (tmp_path / "hands").mkdir()
    (tmp_path / "hands" / "hands-0.tar").write_bytes(b"x" * 2000)
    with pytest.raises(DataError, match=r"hands-0\.tar is damaged"):
        PictureStream(tmp_path, 32, MIX)


@pytest.mark.parametrize("side", [16, 32, 64])
def test_a_plain_square_stays_plain_at_any_size(side):
    assert (resized(np.full((32, 32, 3), 7, np.uint8), side) == 7).all()


def test_pictures_of_which_none_is_held_out_are_refused(tmp_path):
    fill(tmp_path, "hands", count=1)
    with pytest.raises(UsageError, match="measure progress"):
        PictureStream(tmp_path, 32, MIX)
