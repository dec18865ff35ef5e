"""WebDataset shards: written whole or not at all, read back whole or by picture, damage named or counted."""

import io
import json
import math
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.errors import DataError
from handwright.image.atomic_write import write_atomically


@dataclass(frozen=True)
class Member:
    """One file in a shard."""

    shard: Path  # The tar
    offset: int  # Of its first byte there
    size: int  # In bytes

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            DataError: The shard cannot be read any more.
        """
        try:
            with self.shard.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise DataError(f"cannot read {self.shard}", error.strerror or str(error), "check it") from error


@dataclass(frozen=True)
class ShardIndex:
    """What is in a shard."""

    # Files of each sample by kind ('image.jpg', 'mask.png', 'json', …), by the sample's key
    samples: Mapping[str, Mapping[str, Member]]
    problem: DataError | None = None  # Why it ends before its end, if it does; the last sample may lack files


def index_shard(shard: Path) -> ShardIndex:
    """Read a shard's table of contents; one that was cut off gives what came before, and the problem."""
    samples: dict[str, dict[str, Member]] = {}
    problem = None
    try:
        size = shard.stat().st_size
        with tarfile.open(shard, "r:") as tar:
            for entry in tar:
                if entry.isfile():
                    if entry.offset_data + entry.size > size:
                        raise tarfile.ReadError("unexpected end of data")
                    key, _, kind = Path(entry.name).name.partition(".")
                    samples.setdefault(key, {})[kind] = Member(shard, entry.offset_data, entry.size)
        if size < tar.offset + tarfile.BLOCKSIZE:
            raise tarfile.ReadError("the end of the archive is missing")
    except (tarfile.TarError, EOFError, OSError) as error:
        last = list(samples)[-1] if samples else "its start"
        problem = DataError(f"{shard.name} is damaged after {last}", str(error), "make it again")
    return ShardIndex(samples, problem)


PICTURES = ("image", "depth", "scene", "mask", "parts")


@dataclass(frozen=True, eq=False)
class Entry:
    """One picture with its truth."""

    key: str  # Its name in the shard, the index with leading zeros
    # 'image' uint8 [S, S, 3] sRGB; 'depth' (of the sound hands), 'scene' (depth of everything), 'mask' (0 or
    # 255) and 'parts' uint8 [S, S]
    pictures: Mapping[str, UInt8[np.ndarray, "s s *c"]]
    record: Mapping[str, Any]  # The truth, JSON-ready
    # Files of pictures that exist already ('image': the camera's own JPEG), kept byte for byte
    encoded: Mapping[str, bytes] = field(default_factory=dict[str, bytes])


@dataclass(frozen=True, eq=False)
class Labelled:
    """A record and where its picture is."""

    key: str  # Its name in the shard
    shard: Path  # The tar
    image: str  # Name of the picture's file in it
    record: Mapping[str, Any]  # The truth


def write_shard(path: Path, samples: Iterable[Entry]) -> int:
    """Write one tar, whole or not at all, and return the number of its samples. Same samples, same bytes.

    Raises:
        OutputError: It cannot be written.
    """
    count = 0

    def write(file: object) -> None:
        nonlocal count
        with tarfile.open(
            fileobj=cast("io.BufferedWriter", file), mode="w", format=tarfile.USTAR_FORMAT
        ) as tar:
            for sample in samples:
                for name, data in _files_of(sample):
                    entry = tarfile.TarInfo(name)
                    entry.size = len(data)
                    tar.addfile(entry, io.BytesIO(data))
                count += 1

    write_atomically(path, write)
    return count


def read_shards(
    paths: Iterable[Path], wanted: Callable[[Mapping[str, Any]], bool] = lambda record: True
) -> Iterator[Entry]:
    """Samples of shards, in order; pictures of records that are not ``wanted`` stay undecoded.

    Raises:
        DataError: A shard or a sample is damaged.
    """
    for path in paths:
        for found in _records(path):
            if isinstance(found, DataError):
                raise found
            key, parts, record = found
            if wanted(record):
                yield _sample(path, key, parts, record)


def read_records(paths: Iterable[Path]) -> Iterator[Labelled | DataError]:
    """Records of shards, in order, no picture decoded; in place of what is damaged, what is wrong with it."""
    for path in paths:
        for found in _records(path):
            if isinstance(found, DataError):
                yield found
                continue
            key, parts, record = found
            image = file_of("image", parts)
            yield _no_picture(path, key) if image is None else Labelled(key, path, f"{key}.{image}", record)


def is_whole(path: Path, keys: Sequence[str]) -> bool:
    """Whether a shard ends as a shard does and holds exactly these samples; pictures are not looked at."""
    index = index_shard(path)
    return index.problem is None and [k for k, parts in index.samples.items() if "json" in parts] == list(
        keys
    )


def list_shards(folder: Path) -> tuple[Path, ...]:
    """The shards in a folder, sorted.

    Raises:
        DataError: There is none.
    """
    found = sorted(folder.glob("*.tar"))
    if not found:
        raise DataError(
            f"{folder} holds no shards", "there is no .tar file", "make some with `handwright synth`"
        )
    return tuple(found)


def check_record(record: Mapping[str, Any], where: str) -> None:
    """A record's hands have finite keypoints of the right number, and no other number is NaN or infinite.

    Raises:
        DataError: They have not.
    """
    hands = record.get("hands")
    if not isinstance(hands, list):
        raise DataError(
            f"{where} has no list of hands", "the field 'hands' is missing", "make the shard again"
        )
    for number, hand in enumerate(cast("list[Any]", hands), 1):
        points = cast("Mapping[str, Any]", hand).get("keypoints_px") if isinstance(hand, dict) else None
        if points is None:
            raise DataError(f"{where}, hand {number}: no keypoints_px", "", "make the shard again")
        values = np.asarray(points)
        if values.dtype.kind not in "if" or values.shape != (21, 2) or not np.isfinite(values).all():
            raise DataError(
                f"{where}, hand {number}: keypoints_px are not 21 finite points", "", "make the shard again"
            )
    broken = [name for name, value in record.items() if not _is_finite(value)]
    if broken:
        raise DataError(f"{where}: {broken[0]} holds NaN or infinity", "", "make the shard again")


def encode_png(picture: UInt8[np.ndarray, "s s *c"]) -> bytes:
    """A picture as PNG bytes, fast rather than small."""
    turned = picture[..., ::-1] if picture.ndim == 3 else picture
    options = [cv2.IMWRITE_PNG_COMPRESSION, 2]
    return cv2.imencode(".png", np.ascontiguousarray(turned), options)[1].tobytes()


def _files_of(sample: Entry) -> Iterator[tuple[str, bytes]]:
    for name in PICTURES:
        if name in sample.encoded:
            yield f"{sample.key}.{name}.jpg", sample.encoded[name]
        elif name in sample.pictures:
            yield f"{sample.key}.{name}.png", encode_png(sample.pictures[name])
    yield f"{sample.key}.json", json.dumps(sample.record, allow_nan=False, separators=(",", ":")).encode()


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Member], dict[str, Any]] | DataError]:
    """Key, files and record of every sample that came whole; or what is wrong with it, or with the shard."""
    index = index_shard(path)
    for key in list(index.samples)[: None if index.problem is None else -1]:
        try:
            yield key, index.samples[key], _record(f"{path.name}, {key}", index.samples[key])
        except DataError as error:
            yield error
    if index.problem is not None:
        yield index.problem


def file_of(name: str, parts: Mapping[str, Member]) -> str | None:
    """The kind of file that holds a picture of a sample; None where there is none."""
    return next((kind for kind in (f"{name}.jpg", f"{name}.png") if kind in parts), None)


def _sample(path: Path, key: str, parts: Mapping[str, Member], record: Mapping[str, Any]) -> Entry:
    pictures: dict[str, np.ndarray] = {}
    encoded: dict[str, bytes] = {}
    for name in PICTURES:
        if (kind := file_of(name, parts)) is not None:
            data = parts[kind].read()
            pictures[name] = decode_picture(data, f"{path.name}, {key}.{kind}", colour=name == "image")
            if kind.endswith(".jpg"):
                encoded[name] = data
    if "image" not in pictures:
        raise _no_picture(path, key)
    return Entry(key, pictures, record, encoded)


def _record(where: str, parts: Mapping[str, Member]) -> dict[str, Any]:
    if "json" not in parts:
        raise DataError(f"{where} has no record", "its .json is missing", "make the shard again")
    try:
        record = json.loads(parts["json"].read())
    except ValueError as error:
        raise DataError(f"{where}: the record is not JSON", str(error), "make the shard again") from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: the record is not an object", "", "make the shard again")
    check_record(cast("dict[str, Any]", record), where)
    return cast("dict[str, Any]", record)


def _no_picture(path: Path, key: str) -> DataError:
    why = "its .image file is missing"
    return DataError(f"{path.name}, {key} has no picture", why, "make the shard again")


def _is_finite(value: object) -> bool:
    """Whether no number anywhere in a JSON value is NaN or infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_is_finite(v) for v in cast("dict[str, object]", value).values())
    return not isinstance(value, list) or all(_is_finite(v) for v in cast("list[object]", value))


def decode_picture(data: bytes, where: str, *, colour: bool = True) -> UInt8[np.ndarray, "s s *c"]:
    """The pixels of a file, sRGB or grey.

    Raises:
        DataError: It is no picture.
    """
    flag = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag) if data else None
    if pixels is None:
        raise DataError(f"{where} is not a picture", "it cannot be decoded", "make the shard again")
    return np.ascontiguousarray(pixels[..., ::-1]) if colour else np.asarray(pixels)


def shard_ranges(count: int, per_shard: int) -> list[tuple[int, int]]:
    """First index and one past the last of each shard."""
    return [(k * per_shard, min((k + 1) * per_shard, count)) for k in range(math.ceil(count / per_shard))]
