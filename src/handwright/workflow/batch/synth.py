"""Data sets made on many machines: the shards that ``handwright synth`` writes, each by whichever worker."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from handwright.errors import DataError, UsageError
from handwright.workflow.batch.items import Item, manifest_rows, safe_name, write_copy
from handwright.workflow.batch.sink import Sink
from handwright.workflow.batch.task import Attempt, Finished, Kind, Opener, Reader, Task, read_values, whole
from handwright.workflow.run.picture import Outcome

if TYPE_CHECKING:
    from handwright.data.synthesise import World

_VALUES: dict[str, Reader] = {
    "kind": str, "seed": whole, "size": whole, "photos": str, "defect": str,
}  # fmt: skip
_COLUMNS: dict[str, Reader] = {**_VALUES, "n": whole, "name": str}
_DEFAULTS = {"kind": "hands", "seed": 0, "size": 256, "photos": None, "defect": None}  # As the command has

_RANGE = re.compile(r"(?:(\d+):)?(\d+)")
"""``N``, or ``FROM:TO``: pictures of one world by their index."""


def _items(sources: Sequence[str], task: Task) -> list[Item]:
    """One item for each shard of each world that a source asks for."""
    common = {**_DEFAULTS, **task.request.given, **task.values}
    found: dict[str, Item] = {}
    for place, values, span in (one for source in sources for one in _spans_of(source)):
        for item in _shards(place, {**common, **values}, span, Sink(task.sink)):
            if item.key in found:
                raise UsageError(
                    f"{item.key} is asked for twice", "worlds have a name each", "fill the column name"
                )
            found[item.key] = item
    if not found:
        raise UsageError("there is nothing to make", "", "give a number, FROM:TO or a manifest of seeds")
    return list(found.values())


def _spans_of(source: str) -> Iterator[tuple[str, dict[str, Any], tuple[int, int]]]:
    """What a source asks for: a folder below ``pictures/``, values that differ, and indices."""
    if match := _RANGE.fullmatch(source):
        yield "", {}, (int(match[1] or 0), int(match[2]))
        return
    for row in manifest_rows(source):
        values = read_values(_COLUMNS, row.values, f"row {row.number} of {row.url}")
        count = values.pop("n", 1000)
        default = f"{values.get('kind', 'world')}-{values.get('seed', row.number)}"
        yield safe_name(PurePosixPath(values.pop("name", default)), row.url), values, (0, count)


def _shards(place: str, values: Mapping[str, Any], span: tuple[int, int], sink: Sink) -> Iterator[Item]:
    from handwright.data.shards import shard_ranges
    from handwright.data.synthesise import PER_SHARD, check_world, shard_name, world_text

    start, stop = span
    check_world(values["kind"], stop, values["seed"], values["size"], defect=values["defect"])
    if start % PER_SHARD or start >= stop:
        raise UsageError(
            f"{start}:{stop} is no range of shards", "", f"start at a multiple of {PER_SHARD}, below the end"
        )
    text = world_text(_world(values)[0])
    folder = f"{place}/" if place else ""
    there = sink.read(f"pictures/{folder}world.json")
    if there is not None and there.decode(errors="replace") != text:
        raise DataError(
            f"{sink.url} holds another world", f"{folder}world.json differs", "give an empty SINK"
        )
    about = {**values, "world": hashlib.sha256(text.encode()).hexdigest()}
    for first, end in shard_ranges(stop, PER_SHARD):
        if first >= start:
            given = {**about, "span": [first, end]}
            key = f"{folder}{shard_name(values['kind'], (first, end))}"
            yield Item(key, f"synth:{key}", given=given, pictures=end - first)


def _world(values: Mapping[str, Any]) -> tuple[World, tuple[Path, ...]]:
    from handwright.data.synthesise import World

    photos = _photos(values["photos"])
    named = tuple(photo.name for photo in photos)
    return World(values["kind"], values["seed"], values["size"], named, values["defect"]), photos


@cache
def _photos(folder: str | None) -> tuple[Path, ...]:
    from handwright.data.photographs import list_photos

    return () if folder is None else list_photos(Path(folder))


def _nothing_to_load() -> AbstractContextManager[None]:
    return nullcontext()


def _opener(task: Task) -> Opener:
    del task
    return _nothing_to_load


def _work(given: Attempt) -> Outcome:
    from handwright.data.synthesise import make_shard, world_text

    values = given.item.given
    world, photos = _world(values)
    text = world_text(world)
    if hashlib.sha256(text.encode()).hexdigest() != values["world"]:
        raise DataError(
            f"{values['photos']} holds other photographs here", "", "give every machine the same ones"
        )
    folder, (first, end) = given.job.output.parent, values["span"]
    write_copy(folder / "world.json", text.encode())
    make_shard(folder, world, photos, (first, end), given.restart)
    return Outcome({"world": json.loads(text), "span": [first, end], "error": None})


def _same(name: PurePosixPath) -> PurePosixPath:
    return name


def _finish(task: Task, sink: Sink, items: Sequence[Item]) -> Finished:
    """Remove shards that overlap those of this run: a smaller number ended within one of them."""
    del task
    keys = {item.key for item in items}
    removed: list[str] = []
    for place in {PurePosixPath(key).parent for key in keys}:
        there = {
            (place / name).as_posix() for name in sink.names(f"pictures/{place}") if name.endswith(".tar")
        }
        spans = [_span(key) for key in keys & there if PurePosixPath(key).parent == place]
        removed += [key for key in there - keys if any(_overlap(_span(key), span) for span in spans)]
    for key in sorted(removed):
        sink.remove(f"pictures/{key}")
        sink.remove(f"records/{key}.json")
    return Finished(report={"removed": sorted(removed)})


def _span(key: str) -> tuple[int, int]:
    """First and last index of a shard by its name; (0, −1) of another file."""
    match = re.search(r"-(\d{8})-(\d{8})\.tar$", key)
    return (int(match[1]), int(match[2])) if match else (0, -1)


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return max(a[0], b[0]) <= min(a[1], b[1])


SYNTH = Kind(
    work=_work, items=_items, opener=_opener, options=("seed",), values=_VALUES, result=_same, finish=_finish
)
