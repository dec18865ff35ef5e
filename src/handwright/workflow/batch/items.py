"""What a batch has to do: pictures by address, from folders, patterns, manifests and WebDataset shards."""

from __future__ import annotations

import csv
import io
import pickle
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from handwright.errors import OutputError, UnreadableImageError, UsageError
from handwright.json_text import parse_json
from handwright.workflow.jobs import PICTURE_SUFFIXES

MOST_BYTES = 500_000_000
"""Larger files are no pictures that one can work on; they are quarantined unread. Chosen by eye."""

MANIFESTS = (".csv", ".parquet", ".jsonl")


@dataclass(frozen=True)
class Item:
    """One picture, or what is made in one go."""

    key: str  # Its name in the sink, below ``pictures/`` and ``records/``
    url: str  # Where it lies, for fsspec; of what is made, where it is asked for
    offset: int = 0  # Its first byte there
    size: int = -1  # Its bytes; −1: all there are
    prompt: str = ""  # What it was meant to show; empty: not known
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])  # What decides its result besides; JSON
    source: Any = None  # What reads it where that is no file of its own; decides no result
    pictures: int = 1  # How many pictures it counts for

    def row(self) -> dict[str, bytes]:
        """The item as a row of a data set."""
        return {"item": pickle.dumps(self)}


def list_items(sources: Sequence[str], leave_out: str | None = None) -> list[Item]:
    """Every picture that the sources name, ordered by key.

    Args:
        sources: Folders, patterns with ``*``, picture files, ``.tar`` shards (or patterns of them) and
            manifests (``.csv``, ``.parquet`` or ``.jsonl`` with a column ``path`` and perhaps ``name`` and
            ``prompt``), each as a path or an address that fsspec knows (``s3://``, ``gs://``, ``az://``,
            ``file://`` …). Paths in a manifest are relative to it.
        leave_out: A folder whose content is never an input: the sink inside a source.

    Raises:
        UsageError: There are none, two have the same name, or a source cannot be listed.
    """
    found: dict[str, Item] = {}
    barred = _folder_url(leave_out)
    for source in sources:
        for item in _of(source):
            if barred is not None and item.url.startswith(barred) and _folder_url(source) != barred:
                continue
            if found.setdefault(item.key, item) != item:
                raise UsageError(
                    f"{found[item.key].url} and {item.url} would both be named {item.key}",
                    "results keep the names of their pictures",
                    "name their common folder instead, or give a manifest with a column name",
                )
    if not found:
        raise UsageError("the sources hold no picture", "", "give folders, patterns, manifests or shards")
    return [found[key] for key in sorted(found)]


def read_item(item: Item) -> bytes:
    """The picture's bytes.

    Raises:
        UnreadableImageError: It is not there, cannot be read, or is too large.
    """
    try:
        files, path = open_filesystem(item.url)
        size = item.size if item.size >= 0 else files.size(path)
        if size is not None and size > MOST_BYTES:
            raise UnreadableImageError(
                f"cannot read {item.url}", f"it has {size} bytes", f"pictures have at most {MOST_BYTES}"
            )
        end = item.offset + item.size if item.size >= 0 else None
        return files.cat_file(path, start=item.offset or None, end=end)
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableImageError(
            f"cannot read {item.url}", why, "check the name and the permissions"
        ) from error


def write_copy(path: Path, data: bytes) -> None:
    """Write a picture's local copy.

    Raises:
        OutputError: There is no room for it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise no_room(path, error) from error


def no_room(path: Path, error: OSError) -> OutputError:
    """The error of a local copy that cannot be written."""
    why = error.strerror or str(error)
    return OutputError(f"cannot write {path}", why, "free some space, then run the batch again")


def open_filesystem(url: str) -> tuple[Any, str]:
    """The file system of an address and the path there.

    Raises:
        UsageError: There is no such kind of address, or what reads it is not installed.
    """
    import fsspec

    try:
        return fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise UsageError(f"{url} cannot be opened", str(error), "install that package") from error
    except ValueError as error:
        raise UsageError(f"{url} cannot be opened", str(error), "give a path or another address") from error


def _folder_url(url: str | None) -> str | None:
    if url is None:
        return None
    files, path = open_filesystem(url)
    return files.unstrip_protocol(path.rstrip("/")) + "/"


def _of(source: str) -> Iterator[Item]:
    files, path = open_filesystem(source)
    suffix = PurePosixPath(path).suffix.lower()
    try:
        if any(mark in path for mark in "*?["):
            matches = sorted(files.glob(path))
            if not matches:
                raise UsageError(f"nothing matches {source}", "", "check the pattern")
            shards = [match for match in matches if match.lower().endswith(".tar")]
            for shard in shards:
                yield from _of_shard(files, shard)
            yield from _below(files, _fixed_part(path), [m for m in matches if m not in set(shards)])
        elif files.isdir(path):
            yield from _below(files, path, files.find(path))
        elif suffix == ".tar":
            yield from _of_shard(files, path)
        elif suffix in MANIFESTS:
            yield from _of_manifest(source)
        elif not files.exists(path):
            raise UsageError(f"there is no {source}", "", "check the name")
        else:
            yield Item(PurePosixPath(path).name, files.unstrip_protocol(path))
    except OSError as error:
        raise UsageError(f"{source} cannot be listed", str(error), "check the permissions") from error


def _below(files: Any, root: str, paths: Iterable[str]) -> Iterator[Item]:  # noqa: ANN401 - an fsspec file system
    """The visible pictures among paths below a folder."""
    for path in paths:
        relative = PurePosixPath(path).relative_to(PurePosixPath(root))
        if _is_visible_picture(relative):
            yield Item(relative.as_posix(), files.unstrip_protocol(path))


def _fixed_part(pattern: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(pattern).parts[:-1]:
        if any(mark in part for mark in "*?["):
            break
        parts.append(part)
    return str(PurePosixPath(*parts))


def _is_visible_picture(name: PurePosixPath) -> bool:
    return name.suffix.lower() in PICTURE_SUFFIXES and not any(part.startswith(".") for part in name.parts)


def _of_shard(files: Any, path: str) -> Iterator[Item]:  # noqa: ANN401
    """The pictures of an uncompressed tar, by the bytes where each lies."""
    shard, url = PurePosixPath(path).stem, files.unstrip_protocol(path)
    try:
        with files.open(path, "rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                if member.isfile() and _is_visible_picture(name):
                    yield Item(f"{shard}/{safe_name(name, url)}", url, member.offset_data, member.size)
    except tarfile.TarError as error:
        raise UsageError(f"{url} is no tar file", str(error), "give uncompressed .tar shards") from error


def _of_manifest(source: str) -> Iterator[Item]:
    for row in manifest_rows(source):
        place = row.values.get("path")
        if not place:
            raise UsageError(f"row {row.number} of {row.url} has no path", "", "fill the column path")
        url = row.address(str(place))
        default = place if url != place else PurePosixPath(url).name
        name = safe_name(PurePosixPath(str(row.values.get("name") or default)), row.url)
        yield Item(name, url, prompt=str(row.values.get("prompt") or ""))


@dataclass(frozen=True)
class ManifestRow:
    """A row of a manifest."""

    url: str  # Of the manifest
    number: int  # From 1
    values: Mapping[str, Any]  # By column

    def address(self, place: str) -> str:
        """Where a file lies that the row names: relative to the manifest, if it is not absolute."""
        if "://" in place or place.startswith("/"):
            return place
        return f"{self.url.rpartition('/')[0]}/{place}"


def manifest_rows(source: str) -> list[ManifestRow]:
    """The rows of a manifest.

    Raises:
        UsageError: It is not there, or cannot be read as one.
    """
    files, path = open_filesystem(source)
    url, suffix = files.unstrip_protocol(path), PurePosixPath(path).suffix.lower()
    try:
        rows = _rows(files.cat_file(path), suffix)
    except FileNotFoundError as error:
        raise UsageError(f"there is no {source}", "", "check the name") from error
    except (ValueError, OSError, csv.Error) as error:  # pyarrow's errors are of the first two kinds
        raise UsageError(f"{url} cannot be read as a manifest", str(error), "write it anew") from error
    return [ManifestRow(url, number, row) for number, row in enumerate(rows, start=1)]


def _rows(data: bytes, suffix: str) -> list[dict[str, Any]]:
    if suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(io.BytesIO(data)).to_pylist()
    text = data.decode("utf-8-sig")
    if suffix == ".jsonl":
        rows = [parse_json(line) for line in text.split("\n") if line.strip()]
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("a line is no object")
        return rows
    return list(csv.DictReader(io.StringIO(text, newline="")))


def safe_name(name: PurePosixPath, url: str) -> str:
    """A name that stays below the sink.

    Raises:
        UsageError: It does not.
    """
    if name.is_absolute() or ".." in name.parts or any(c in str(name) for c in "\\\0") or not name.name:
        raise UsageError(f"{url} names {str(name)!r}", "it leads out of a folder", "rename it")
    return name.as_posix()
