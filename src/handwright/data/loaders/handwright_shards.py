"""Our own shards, as ``handwright synth`` writes them: hands, people and defects.

    ROOT/hands-00000000-00000249.tar      KEY.json, KEY.image.jpg (or .png), KEY.depth.png, …

A record's ``people`` hold 133 points each; boxes are stored, or else lie around the labelled points.
"""

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.loaders.records import Broken, Record, Unusable, record_of
from handwright.data.photographs import decode_photo, read_photo
from handwright.data.sample import Domain, HandLabel, PersonLabel, Sample, Source, box_around
from handwright.data.shards import Labelled, list_shards, read_records
from handwright.errors import DataError
from handwright.prompts.captions import PHOTOGRAPH, RENDERED
from handwright.types import Box, Image, Side

_NAME = "handwright"
_SIDES: dict[object, Side | None] = {"left": "left", "right": "right", None: None}
_DOMAINS: dict[object, Domain] = {PHOTOGRAPH: "photograph", RENDERED: "3D rendered image"}


def read_handwright(root: Path) -> Generator[Record]:
    """Every sample of a folder of shards; a damaged shard adds one broken record to what it still holds.

    Raises:
        DataError: It holds no shards.
    """
    for found in read_records(list_shards(root)):
        if isinstance(found, DataError):
            place, _, reason = found.what.partition(": ")
            yield Broken(Source(_NAME, place), reason or found.why or found.what)
        else:
            source = Source(_NAME, f"{found.shard.name}/{found.key}")
            yield record_of(source, partial(_sample, found, source))


def _sample(found: Labelled, source: Source) -> Sample:
    record = found.record
    domain = _DOMAINS.get(record.get("domain"))
    if domain is None:
        raise Unusable("its domain is neither photograph nor render")
    key = f"{_NAME}-{record.get('kind', 'sample')}-{found.shard.stem}-{found.key}"
    hands = tuple(_hand(hand) for hand in record["hands"])
    people = tuple(_person(person) for person in record.get("people", ()))
    caption, path = record.get("caption"), found.shard / found.image

    def read() -> Image:
        return Image(decode_photo(read_photo(path), found.image))

    return Sample(key, read, hands, people, caption, domain, source)


def _hand(hand: Mapping[str, Any]) -> HandLabel:
    points = np.asarray(hand["keypoints_px"], np.float64)
    visible = np.asarray(hand["visible"], np.bool_)
    in_space = hand.get("landmarks_cam_m")
    return HandLabel(
        box_around(points[visible] if visible.any() else points),
        _SIDES[hand.get("side")],
        points,
        visible,
        None if in_space is None else np.asarray(in_space, np.float64),
        hand.get("name"),
    )


def _person(person: Mapping[str, Any]) -> PersonLabel:
    points = np.asarray(person["wholebody"], np.float64)
    given = person.get("bbox_xyxy_px")
    return PersonLabel(points, box_around(points[points[:, 2] > 0, :2]) if given is None else _box(given))


def _box(values: list[float]) -> Box:
    x0, y0, x1, y1 = (float(v) for v in values)
    return x0, y0, x1, y1
