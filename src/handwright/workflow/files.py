"""Reading, hashing and writing the files around pictures."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from handwright.errors import OutputError

Record = dict[str, Any]  # One entry of ``pictures`` in the report (see report-1.schema.json)


def sha256_of_file(path: Path) -> str:
    """Sha256 of a file's bytes, in hex.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Sha256 of a JSON value, the same for equal values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def cache_folder() -> Path:
    """Folder of the records of runs, below the cache that also holds the models."""
    from handwright.perception.models.download import default_cache_dir

    return default_cache_dir() / "records"


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all, making its folder.

    Raises:
        OutputError: It cannot be written there.
    """
    from handwright.image import write_atomically

    make_folder(path.parent)
    data = text.encode("utf-8", "backslashreplace")
    write_atomically(path, lambda file: file.write(data))


def remove_parts(folders: Iterable[Path], *, below: bool = False) -> None:
    """Remove what killed processes left half-written; see ``atomic_write.remove_parts``."""
    from handwright.image import remove_parts as remove

    remove(folders, below=below)


@cache
def sweep_once(folder: Path) -> None:
    """``remove_parts`` of a folder that is large, once a process."""
    remove_parts([folder])


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder}", (error.strerror or str(error)).lower(), "name another"
        ) from error
