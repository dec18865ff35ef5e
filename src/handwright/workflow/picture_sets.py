"""Sets of pictures to measure: folders and patterns of files, or folders of shards with their truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool

from handwright.data.shards import Member, index_shard
from handwright.errors import UsageError
from handwright.image import decode_image
from handwright.types import Image
from handwright.workflow.jobs import find_sources

if TYPE_CHECKING:
    from handwright.metrics.sets.items import Item, Labels

Given = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class PictureSet:
    """Pictures by name, and what could not be listed."""

    # Each picture by its name: its place below the folder without suffix, or its key in the shard
    items: Mapping[str, Item]
    problems: tuple[tuple[Path, str], ...] = ()  # Path and reason of each sample or shard that is damaged


def find_pictures(given: Given, called: str, masks: Path | None = None) -> PictureSet:
    """The pictures that the user means.

    Args:
        given: A folder of ``handwright synth`` shards, a .tar, or folders, patterns and files of pictures.
        called: What errors call it: 'REAL'.
        masks: Folder of foreground masks by the pictures' names; shards bring their own.

    Raises:
        UsageError: There is no picture.
    """
    shards = _shards(given)
    if shards:
        return _in_shards(shards, called)
    return PictureSet(_in_files(given, called, masks))


def _shards(given: Given) -> list[Path]:
    if not isinstance(given, str | Path):
        return []
    path = Path(given)
    if path.is_dir():
        return sorted(path.glob("*.tar"))
    return [path] if path.suffix.lower() == ".tar" else []


def _in_files(given: Given, called: str, masks: Path | None) -> Mapping[str, Item]:
    from handwright.metrics.sets.items import file_item

    if masks is not None and not masks.is_dir():
        raise UsageError(
            f"there are no masks of {called}", f"{masks} is no folder", "name the folder of NAME.png"
        )
    try:
        sources = find_sources([given] if isinstance(given, str | Path) else list(given))
    except UsageError as error:
        raise UsageError(f"{called}: {error.what}", error.why, error.fix) from error
    named: dict[str, Item] = {}
    for source in sources:
        short, full = source.name.with_suffix("").as_posix(), source.name.as_posix()
        name = short if short not in named else full
        named[name if name not in named else source.path.as_posix()] = file_item(source.path, masks)
    return named


def _in_shards(shards: Sequence[Path], called: str) -> PictureSet:
    named: dict[str, Item] = {}
    problems: list[tuple[Path, str]] = []
    for shard in shards:
        index = index_shard(shard)
        if index.problem is not None:
            damage = index.problem.what.removeprefix(shard.name)
            problems.append((shard, f"it{damage} ({index.problem.why})"))
        for key, parts in index.samples.items():
            image = next((kind for kind in ("image.jpg", "image.png") if kind in parts), None)
            if image is None:
                problems.append((shard / key, "its picture is missing"))
            else:
                named[key if key not in named else (shard / key).as_posix()] = _item(
                    shard / key, parts, image
                )
    if not named:
        why = problems[0][1] if problems else ""
        raise UsageError(
            f"{called}: the shards hold no picture", why, "make them again with `handwright synth`"
        )
    return PictureSet(named, tuple(problems))


def _item(where: Path, parts: Mapping[str, Member], image: str) -> Item:
    from handwright.metrics.sets.items import Item, format_of

    return Item(
        path=where,
        kind=format_of(Path(image).suffix),
        image=partial(_decoded, parts[image], where),
        labels=partial(_labels, parts.get("json"), where),
        caption=partial(_caption, parts.get("json"), where),
        inside=partial(_mask, parts["mask.png"], where) if "mask.png" in parts else None,
    )


def _decoded(member: Member, where: Path) -> Image:
    return decode_image(member.read(), name=str(where))


def _mask(member: Member, where: Path) -> Bool[np.ndarray, "h w"]:
    return _decoded(member, where).pixels.max(2) > np.uint8(127)


def _labels(member: Member | None, where: Path) -> Labels | None:
    from handwright.metrics.sets.items import labels_of

    return None if member is None else labels_of(member.read(), where)


def _caption(member: Member | None, where: Path) -> str | None:
    from handwright.metrics.sets.items import caption_in

    caption_source = _labels(member, where)
    return None if caption_source is None else caption_in(caption_source)
