"""Write a world: a folder of shards, the same for any number of workers, taken up again after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.data.photographs import list_photos
from handwright.data.shards import Entry, is_whole, list_shards, read_shards, shard_ranges, write_shard
from handwright.errors import DataError, UsageError
from handwright.hand.defects import Defect
from handwright.image.atomic_write import write_atomically

if TYPE_CHECKING:
    from handwright.data.hands.sample import RenderedPicture

WORLD = 3  # Goes up whenever the same seed and index give another picture than before

PER_SHARD = 250
_SHEET_COLUMNS = 10
_SHARE_EDITED = 0.5  # Of the world of defects, where there are photographs; the rest is rendered
_SMALLEST, _LARGEST = 64, 1024


@dataclass(frozen=True)
class World:
    """What a folder of shards holds."""

    kind: str  # One of ``KINDS``
    seed: int  # Of everything
    size: int  # Side of the pictures in pixels
    photos: tuple[str, ...] = ()  # Names of the photographs used as backgrounds, in order
    # The only defect of a world of defects, one of ``hand.defects.Defect``; None for all
    defect: str | None = None
    world: int = WORLD  # Version of the synthesis


@dataclass(frozen=True)
class Written:
    """What a run did."""

    folder: Path  # Where the shards are
    samples: int  # How many samples are there now
    shards: int  # How many shards
    new_shards: int  # How many of them this run wrote; the others were there


def synthesise(
    folder: Path,
    kind: str = "hands",
    *,
    count: int = 1000,
    seed: int = 0,
    size: int = 256,
    workers: int = 1,
    photos: Path | None = None,
    defect: str | None = None,
    sheet: bool = False,
    progress: Callable[[int, int], None] | None = None,
    notify: Callable[[str], None] | None = None,
) -> Written:
    """Make ``count`` samples in shards of 250; whole shards that are there already stay.

    Args:
        folder: Where; made if it is missing.
        kind: One of ``KINDS``.
        count: Number of samples, at least 1.
        seed: Same seed, same samples, whatever the number of workers.
        size: Side of the pictures, 64 … 1024 px.
        workers: Processes.
        photos: Folder of photographs to use as backgrounds in half of the pictures.
        defect: The only defect that the world of defects is to show, on renders; by default all.
        sheet: Also write ``sheet.jpg``, the first hundred pictures.
        progress: Called with samples done and samples in all after every shard.
        notify: Called with a sentence for each shard that is there but damaged: it is rendered again.

    Raises:
        UsageError: A value makes no sense.
        DataError: The folder holds another world, or more of this one.
        OutputError: It cannot be written.
    """
    check_world(kind, count, seed, size, workers, defect)
    pictures = list_photos(photos) if photos is not None else ()
    world = World(kind, seed, size, tuple(p.name for p in pictures), defect)
    folder.mkdir(parents=True, exist_ok=True)
    _enter(folder, world)
    ranges = shard_ranges(count, PER_SHARD)
    names = {shard_name(kind, span): span for span in ranges}
    there = [path for path in folder.glob(f"{kind}-{_INDEX}-{_INDEX}.tar") if path.name not in names]
    _refuse_beyond(there, count)
    for outgrown in there:
        outgrown.unlink()
    missing = [span for name, span in names.items() if not _stays(folder / name, span, notify)]
    done = count - sum(stop - start for start, stop in missing)
    for start, stop in _work(folder, world, pictures, missing, workers):
        done += stop - start
        if progress is not None:
            progress(done, count)
    if sheet:
        write_sheet(folder)
    return Written(folder, count, len(ranges), len(missing))


_INDEX = "[0-9]" * 8
"""Pattern of an index in the name of a shard."""


def _refuse_beyond(shards: Sequence[Path], count: int) -> None:
    """Refuse shards that hold samples beyond ``count``: they would have to be deleted."""
    upto = max((int(path.stem.rsplit("-", 1)[1]) + 1 for path in shards), default=0)
    if upto > count:
        raise DataError(
            f"{shards[0].parent} holds samples up to number {upto}",
            f"only {count} were asked for, and none is deleted",
            f"ask for {upto} or more, or name another folder",
        )


def tiled(pictures: Sequence[UInt8[np.ndarray, "h w 3"]], columns: int) -> UInt8[np.ndarray, "hh ww 3"]:
    """Pictures of one size in rows; the last row is filled up with black."""
    filled = [*pictures, *[np.zeros_like(pictures[0])] * (-len(pictures) % columns)]
    return np.vstack([np.hstack(filled[k : k + columns]) for k in range(0, len(filled), columns)])


def write_sheet(folder: Path, count: int = 100) -> Path:
    """Write ``sheet.jpg`` of a folder's first samples."""
    samples = islice(read_shards(list_shards(folder)), count)
    path = folder / "sheet.jpg"
    picture = tiled([sample.pictures["image"] for sample in samples], _SHEET_COLUMNS)[..., ::-1]
    data = cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    write_atomically(path, lambda file: file.write(data))
    return path


def check_world(
    kind: str, count: int, seed: int, size: int, workers: int = 1, defect: str | None = None
) -> None:
    """Refuse values that make no sense.

    Raises:
        UsageError: One does not.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind {kind!r}", f"kinds are {', '.join(KINDS)}", "choose one of them")
    for name, value, least, most in (
        ("n", count, 1, 100_000_000),
        ("seed", seed, 0, 2**63 - 1),
        ("size", size, _SMALLEST, _LARGEST),
        ("workers", workers, 1, 1024),
    ):
        if not least <= value <= most:
            raise UsageError(f"{name} is {value}", f"it must lie within {least} … {most}", "change it")
    if defect is not None and kind != "defects":
        raise UsageError(f"a world of {kind} has no defects", "", "leave --defect out")
    if defect is not None and defect not in tuple(Defect):
        raise UsageError(f"there is no defect {defect!r}", f"defects are {', '.join(Defect)}", "choose one")


def world_text(world: World) -> str:
    """What ``world.json`` beside the shards holds."""
    return json.dumps(asdict(world), indent=1, sort_keys=True)


def _enter(folder: Path, world: World) -> None:
    """Write the folder's ``world.json``, or make sure that it is this world's."""
    path = folder / "world.json"
    text = world_text(world)
    if path.exists():
        if path.read_text(encoding="utf-8") != text:
            raise DataError(f"{folder} holds another world", f"{path.name} differs", "give an empty folder")
        return
    if any(folder.glob("*.tar")):
        raise DataError(
            f"{folder} holds shards of an unknown world", "it has no world.json", "give an empty folder"
        )
    write_atomically(path, lambda file: file.write(text.encode()))


def _stays(path: Path, span: tuple[int, int], notify: Callable[[str], None] | None) -> bool:
    """Whether a shard is there and whole."""
    if not path.exists():
        return False
    whole = is_whole(path, [f"{index:08d}" for index in range(*span)])
    if not whole and notify is not None:
        notify(f"{path.name} is damaged; it is rendered again")
    return whole


def _work(
    folder: Path, world: World, photos: tuple[Path, ...], missing: list[tuple[int, int]], workers: int
) -> Iterator[tuple[int, int]]:
    if workers == 1 or len(missing) <= 1:
        for span in missing:
            yield make_shard(folder, world, photos, span)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(missing)), context, _begin_worker) as pool:
        jobs = [pool.submit(make_shard, folder, world, photos, span) for span in missing]
        for job in as_completed(jobs):
            yield job.result()


def _begin_worker() -> None:
    """One thread a worker, and no worker that outlives a parent that was killed."""
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def make_shard(
    folder: Path,
    world: World,
    photos: tuple[Path, ...],
    span: tuple[int, int],
    on_sample: Callable[[], None] = lambda: None,
) -> tuple[int, int]:
    """Write one shard of a world into a folder that is there.

    Args:
        folder: Where.
        world: What it belongs to.
        photos: The photographs that the world names.
        span: First index and one past the last.
        on_sample: Called before each sample.

    Returns:
        ``span``.

    Raises:
        OutputError: It cannot be written.
    """
    make = KINDS[world.kind]

    def samples() -> Iterator[Entry]:
        for index in range(*span):
            on_sample()
            yield make(world, index, photos)

    write_shard(folder / shard_name(world.kind, span), samples())
    return span


def shard_name(kind: str, span: tuple[int, int]) -> str:
    """File name of the shard that holds samples from ``span[0]`` up to, without, ``span[1]``."""
    return f"{kind}-{span[0]:08d}-{span[1] - 1:08d}.tar"


def _hands(world: World, index: int, photos: tuple[Path, ...]) -> Entry:
    from handwright.data.hands import render_hands
    from handwright.data.hands.record import record_of

    picture = render_hands(world.seed, index, world.size, photos)
    return _entry(picture, record_of(picture, world.seed, index), index)


def _defects(world: World, index: int, photos: tuple[Path, ...]) -> Entry:
    from handwright.data.hands import render_defects
    from handwright.data.hands.record import record_of

    seed, size = world.seed, world.size
    from_photo = photos and world.defect is None
    if from_photo and np.random.default_rng([seed, index, 44]).random() < _SHARE_EDITED:
        return _edited_photo(seed, index, size, photos)
    picture = render_defects(seed, index, size, photos, world.defect)
    return _entry(picture, record_of(picture, seed, index, "defects"), index)


def _edited_photo(seed: int, index: int, size: int, photos: tuple[Path, ...]) -> Entry:
    from handwright.data.photo_edits import edit_photo, record_of
    from handwright.hand.depth import depth_control

    picture = edit_photo(seed, index, size, photos)
    hand = picture.crop.scaled_hand(picture.scale)
    pictures = {
        "image": picture.pixels,
        "depth": depth_control([hand], size, size).depth,
        "mask": picture.mask.astype(np.uint8) * 255,
    }
    return Entry(f"{index:08d}", pictures, record_of(picture, seed, index), {"image": picture.encoded})


def _holds(world: World, index: int, photos: tuple[Path, ...]) -> Entry:
    from handwright.data.hands import render_holds
    from handwright.data.hands.record import record_of

    picture = render_holds(world.seed, index, world.size, photos)
    return _entry(picture, record_of(picture, world.seed, index, "holds"), index)


def _people(world: World, index: int, photos: tuple[Path, ...]) -> Entry:
    from handwright.data.people import render_person
    from handwright.data.people.sample import record_of

    picture = render_person(world.seed, index, world.size, photos)
    return _entry(picture, record_of(picture, world.seed, index), index)


def _poses(world: World, index: int, photos: tuple[Path, ...]) -> Entry:
    from handwright.data.people.text_poses import pose_record

    return Entry(f"{index:08d}", {}, pose_record(world.seed, index, world.size))


def _entry(picture: RenderedPicture, record: dict[str, Any], index: int) -> Entry:
    pictures = {
        "image": picture.pixels,
        "depth": picture.depth,
        "scene": picture.scene,
        "mask": picture.mask.astype(np.uint8) * 255,
        "parts": picture.parts,
    }
    encoded = {"image": picture.encoded} if picture.encoded else {}
    return Entry(f"{index:08d}", pictures, record, encoded)


KINDS: dict[str, Callable[[World, int, tuple[Path, ...]], Entry]] = {
    "hands": _hands,
    "defects": _defects,
    "people": _people,
    "poses": _poses,
    "holds": _holds,
}
"""What can be made: (world, index, photographs) → entry."""
