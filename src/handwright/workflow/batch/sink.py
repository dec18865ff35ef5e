"""Where a batch's results go, and how it knows what is done: a folder, on disk or in a bucket.

``pictures/KEY`` are the results and ``records/KEY.json`` what became of each picture, written last. A claim
``claims/RUN/KEY.N`` is written before the Nth attempt of a run; where a worker died, it stays.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from handwright.errors import OutputError
from handwright.json_text import parse_json
from handwright.workflow.batch.items import open_filesystem

Record = dict[str, Any]


class Sink:
    """A folder for results; everything in it appears whole or not at all.

    Args:
        url: A path, or an address that fsspec knows.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    @cached_property
    def _place(self) -> tuple[Any, str]:
        files, root = open_filesystem(self.url)
        return files, root.rstrip("/")

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is no such file."""
        files, root = self._place
        try:
            return files.cat_file(f"{root}/{name}")
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            OutputError: It cannot be written.
        """
        files, root = self._place
        path = f"{root}/{name}"
        try:
            if _is_local(files):
                from handwright.image import write_atomically

                Path(path).parent.mkdir(parents=True, exist_ok=True)
                write_atomically(Path(path), lambda file: file.write(data))
            else:
                files.pipe_file(path, data)  # stores write objects whole
        except OSError as error:
            raise OutputError(
                f"cannot write {path}", str(error), "check space and permissions, then run the batch again"
            ) from error

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        files, root = self._place
        return bool(files.exists(f"{root}/{name}"))

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder; none where there is no such folder."""
        files, root = self._place
        try:
            return [
                path.rstrip("/").rpartition("/")[2] for path in files.ls(f"{root}/{folder}", detail=False)
            ]
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        """Delete a file or folder; nothing happens where there is none."""
        files, root = self._place
        if files.exists(f"{root}/{name}"):
            files.rm(f"{root}/{name}", recursive=True)

    def remove_parts(self) -> None:
        """Remove the half-written files of workers that were killed, where the sink is a folder on disk."""
        files, root = self._place
        if _is_local(files):
            from handwright.workflow.files import remove_parts

            remove_parts([Path(root)], below=True)

    def record(self, key: str, fingerprint: str) -> Record | None:
        """What became of a picture, if that was by the same settings and its results still stand."""
        data = self.read(f"records/{key}.json")
        if data is None:
            return None
        try:
            record = parse_json(data)
        except ValueError:
            return None
        if not isinstance(record, dict) or cast(Record, record).get("fingerprint") != fingerprint:
            return None
        record = cast(Record, record)
        return record if all(self.exists(name) for name in record["outputs"]) else None

    def keep(self, key: str, record: Record) -> None:
        """Store what became of a picture; its results were written before."""
        data = json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
        self.write(f"records/{key}.json", data)

    def claim(self, run: str, key: str, most: int) -> int:
        """Say that this run works on a picture.

        Returns:
            How many claims earlier attempts of this run left, at most ``most``; then no further one is made.
        """
        number = 0
        while number < most and self.exists(f"claims/{run}/{key}.{number}"):
            number += 1
        if number < most:
            self.write(f"claims/{run}/{key}.{number}", b"")
        return number

    def release(self, run: str, key: str, number: int) -> None:
        """Take back the claims of a picture that is done: those up to ``number``."""
        for k in range(number + 1):
            self.remove(f"claims/{run}/{key}.{k}")


def _is_local(files: Any) -> bool:  # noqa: ANN401
    protocol = files.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)
