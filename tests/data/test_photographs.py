"""Photographs in folders and in tars are listed and read alike."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from handwright.data.photographs import decode_photo, list_photos, read_photo
from handwright.errors import UnreadableImageError


def picture(path: Path, level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((8, 10, 3), level, np.uint8)
    pixels[0, 0] = (0, 0, 255)
    cv2.imwrite(str(path), pixels)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """b.png; set/a.png; set/shard.tar with c.png and d.json in a folder of the tar."""
    root = tmp_path / "photos"
    picture(root / "b.png", 20)
    picture(root / "set" / "a.png", 10)
    inner = picture(tmp_path / "c.png", 30)
    with tarfile.open(root / "set" / "shard.tar", "w") as tar:
        tar.add(inner, "pictures/c.png")
        tar.add(Path(__file__), "d.json")
    return root


def test_files_and_members_of_tars_are_listed_in_order(folder: Path):
    listed = [path.relative_to(folder).as_posix() for path in list_photos(folder)]
    assert listed == ["b.png", "set/a.png", "set/shard.tar/pictures/c.png"]


def test_both_kinds_are_read_and_decoded_as_rgb(folder: Path, tmp_path: Path):
    levels = [decode_photo(read_photo(path), path.name)[4, 4, 0] for path in list_photos(folder)]
    assert levels == [20, 10, 30]
    assert read_photo(list_photos(folder)[2]) == (tmp_path / "c.png").read_bytes()
    assert decode_photo(read_photo(folder / "b.png"), "b.png")[0, 0].tolist() == [255, 0, 0]


def test_what_is_missing_or_no_picture_is_told(folder: Path):
    for path in (folder / "x.png", folder / "set" / "shard.tar" / "x.png"):
        with pytest.raises(UnreadableImageError, match="cannot read"):
            read_photo(path)
    with pytest.raises(UnreadableImageError, match=r"e\.png is not a picture"):
        decode_photo(b"text", "e.png")


def test_an_empty_folder_and_a_damaged_tar_are_told(tmp_path: Path):
    with pytest.raises(UnreadableImageError, match="no photographs"):
        list_photos(tmp_path)
    (tmp_path / "bad.tar").write_bytes(b"not a tar" * 100)
    with pytest.raises(UnreadableImageError, match=r"bad\.tar is damaged"):
        list_photos(tmp_path)
