"""Atomic writing: an output appears whole or not at all."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PILImage

from handwright.errors import OutputError
from handwright.locks import is_linked, lock, remove_if_left

_PART = re.compile(r"\..+\.[0-9a-f]{12}\.part", re.DOTALL)


def write_atomically(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that at every moment its path holds the old file, the whole new one, or nothing.

    The bytes go to a hidden sibling that is flushed to disk and then renamed. A process that is killed
    half-way leaves at most that (``.NAME.*.part``), which ``remove_parts`` clears away. A symbolic link stays
    one: its target is replaced.

    Args:
        path: Where the file shall be; replaces what is there.
        write: Called once with the open binary file. What it raises is passed on after cleaning up.

    Raises:
        OutputError: The folder is missing or not writable, the path is a folder, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"cannot write {path}", "it is a folder", "give a file name")
    part = _part_of(target)
    try:
        file = part.open("xb")
        lock(file)  # marks that somebody lives who writes it
        while not is_linked(file):  # swept away before it was locked
            file.close()
            part = _part_of(target)
            file = part.open("xb")
            lock(file)
        with file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {path}", _cause(error, target), _remedy(error)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def remove_parts(folders: Iterable[Path], *, below: bool = False) -> None:
    """Remove the half-written files that killed processes left; those that are being written stay.

    Args:
        folders: Where to look; what is missing or may not be listed is passed over.
        below: Look in the folders below them, too.
    """
    for folder in folders:
        for root, inner, names in os.walk(folder):
            for name in names:
                if _PART.fullmatch(name):
                    remove_if_left(Path(root, name))
            if not below:
                inner.clear()


def write_png(path: str | Path, array: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w c"]) -> None:
    """Write a plain PNG: uint8 grey [H, W], RGB [H, W, 3] or RGBA [H, W, 4]; atomic, replaces what is there.

    Raises:
        OutputError: As :func:`write_atomically`.
    """
    picture = PILImage.fromarray(np.ascontiguousarray(array))
    write_atomically(path, lambda file: picture.save(file, "PNG"))


def _part_of(target: Path) -> Path:
    """A new hidden sibling; its name has at most 255 bytes, however long that of the target is."""
    start = target.name.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return target.with_name(f".{start}.{os.urandom(6).hex()}.part")


def _cause(error: OSError, target: Path) -> str:
    if not target.parent.exists():
        return f"the folder {target.parent} does not exist"
    return error.strerror or str(error)


def _remedy(error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "create the folder or name another"
    if isinstance(error, PermissionError):
        return "name a folder you may write to"
    return "free some space or name another place"
