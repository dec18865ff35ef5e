"""Locks that end with the process that holds them: what a killed process left is known by that."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows refuses to delete a file that somebody has open, which serves as well
    fcntl = None


def lock(file: IO[bytes]) -> None:
    """Lock an open file until it is closed; nothing happens where the system has no such locks."""
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)


def is_linked(file: IO[bytes]) -> bool:
    """Whether an open file still has a name."""
    return os.fstat(file.fileno()).st_nlink > 0


def is_locked(file: IO[bytes]) -> bool:
    """Whether another holds the lock of an open file, or may; if not, it is ours until the file is closed."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another's, or a file system without locks: a file that may be in use stays
        return True
    return False


def remove_if_left(path: Path) -> None:
    """Delete a file that nobody holds locked; nothing happens where it cannot be opened or deleted."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if not is_locked(file):
            path.unlink(missing_ok=True)


def make_held_folder(prefix: str) -> tuple[Path, IO[bytes]]:
    """Make a temporary folder that is known as left behind once its process has ended.

    Returns:
        The folder, and the lock file in it: it is held until it is closed.

    Raises:
        OSError: There is no room for it, or the folder for temporary files may not be written to.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        try:
            held = (folder / _LOCK).open("xb")
        except FileNotFoundError:  # swept away meanwhile
            continue
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        lock(held)
        if is_linked(held):
            return folder, held
        held.close()


def remove_left_folders(prefix: str) -> None:
    """Remove the folders of ``make_held_folder`` whose processes have ended."""
    for held in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_LOCK}"):
        with contextlib.suppress(OSError), held.open("rb") as file:
            if not is_locked(file):
                shutil.rmtree(held.parent, ignore_errors=True)


_LOCK = ".lock"
