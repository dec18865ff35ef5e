"""A file is the old one, the whole new one, or not there."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import OutputError
from handwright.image import load_image, remove_parts, save_image, save_unchanged, write_atomically, write_png
from tests.image.pictures import noise


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(tmp_path / "new.json", fail)
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.json").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        write_atomically(tmp_path / "old.json", fail)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("old.json", b"old")]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_a_process_killed_while_writing_leaves_the_old_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_bytes(b"old")
    script = (
        "import os, signal, sys\n"
        "from handwright.image.atomic_write import write_atomically\n"
        "def write(file):\n"
        "    file.write(b'x' * 10_000_000); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(sys.argv[1], write)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"
    write_atomically(target, lambda file: file.write(b"new"))
    assert target.read_bytes() == b"new"
    assert len(list(tmp_path.glob("*.part"))) + len(list(tmp_path.glob(".*.part"))) >= 1
    remove_parts([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_only_half_written_files_of_the_dead_are_removed(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    for folder in (tmp_path, deep):
        (folder / ".a.png.0123456789ab.part").write_bytes(b"half")
        (folder / "movie.part").write_bytes(b"the user's own")

    def write(file: BinaryIO) -> None:
        remove_parts([tmp_path, tmp_path / "missing"])
        file.write(b"whole")

    write_atomically(tmp_path / "b.png", write)  # its own part was there all the time
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "deep", "movie.part"]
    assert len(list(deep.iterdir())) == 2
    remove_parts([tmp_path], below=True)
    assert [path.name for path in deep.iterdir()] == ["movie.part"]


def test_a_part_that_was_swept_before_it_was_locked_is_begun_again(tmp_path: Path, monkeypatch) -> None:
    from handwright.image import atomic_write

    swept: list[Path] = []

    def lock_late(file: BinaryIO) -> None:
        if not swept:
            swept.append(Path(file.name))
            swept[0].unlink()

    monkeypatch.setattr(atomic_write, "lock", lock_late)
    write_atomically(tmp_path / "a.png", lambda file: file.write(b"whole"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.png", b"whole")]


def test_a_name_as_long_as_may_be_is_written(tmp_path: Path) -> None:
    name = "ü" * 125 + ".png"
    write_atomically(tmp_path / name, lambda file: file.write(b"whole"))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    def full(_: BinaryIO) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(tmp_path / "new.png", full)
    assert not list(tmp_path.iterdir())


def test_permissions_and_links_of_the_old_file_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "real.txt", tmp_path / "link.txt"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_atomically(link, lambda file: file.write(b"new"))
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_gets_the_users_own_default_permissions(tmp_path: Path) -> None:
    write_atomically(tmp_path / "ours", lambda file: file.write(b""))
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        write_png(tmp_path / "a.png", np.zeros((2, 2), np.uint8))


def test_a_missing_folder_a_folder_and_a_file_as_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "missing" / "a.png", tmp_path, tmp_path / "file" / "a.png"):
        with pytest.raises(OutputError, match="cannot write"):
            write_png(path, np.zeros((2, 2), np.uint8))


def test_plain_pngs_hold_grey_colour_and_alpha(tmp_path: Path) -> None:
    for shape in ((3, 4), (3, 4, 3), (3, 4, 4)):
        array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        write_png(tmp_path / "a.png", array)
        with PILImage.open(tmp_path / "a.png") as read:
            assert np.array_equal(np.asarray(read), array)


def test_the_input_and_other_files_are_not_overwritten_unasked(tmp_path: Path) -> None:
    source, other = tmp_path / "in.png", tmp_path / "other.png"
    picture = noise("RGB", 5, 5, 0)
    save_image(picture, source)
    save_image(picture, other)
    before = source.read_bytes()
    (tmp_path / "alias.png").symlink_to(source)
    for target, why in (
        (source, "input itself"),
        (tmp_path / "alias.png", "input itself"),
        (other, "exists already"),
    ):
        with pytest.raises(OutputError, match=why):
            save_image(noise("RGB", 5, 5, 1), target, source_path=source)
        with pytest.raises(OutputError, match=why):
            save_unchanged(source, target)
    assert source.read_bytes() == before
    save_image(noise("RGB", 5, 5, 1), source, overwrite=True, source_path=source)
    assert np.array_equal(load_image(source).native, noise("RGB", 5, 5, 1).native)


def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name in ("a.gif", "a.xyz", "a", ".png"):
        with pytest.raises(OutputError, match=r"choose one of \.png"):
            save_image(noise("RGB", 2, 2, 0), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_unchanged_picture_is_copied_byte_for_byte(tmp_path: Path) -> None:
    source, target = tmp_path / "in.xyz", tmp_path / "out.xyz"
    source.write_bytes(os.urandom(3_000_000))
    save_unchanged(source, target)
    assert target.read_bytes() == source.read_bytes()
    save_unchanged(source, source, overwrite=True)
    assert target.read_bytes() == source.read_bytes()
    with pytest.raises(OutputError, match="cannot copy"):
        save_unchanged(tmp_path / "gone.png", tmp_path / "new.png")
