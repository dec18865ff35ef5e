"""Real hands of test-only photographs, which are good ones, and hands of sets that people have judged."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from find import LIST, match
from handwright.data.labelled_pictures import FILE as LABELS
from handwright.data.labelled_pictures import box_of
from handwright.data.photographs import decode_photo, list_photos, read_photo
from handwright.image.atomic_write import write_atomically
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import Proposer
from handwright.training.streams.photographs import TRAIN_SETS, is_test_only
from handwright.types import Box, HandObservation
from judge_sets import Picture, Pixels, Truth
from judged_sets import JudgedPicture

LEAST_PX = 24

_SHARPNESS_PX = 128


@dataclass(frozen=True)
class Photo:
    """A photograph that no weights were trained on.

    Attributes:
        path: For ``read_photo``.
        folder: Its set.
        unseen: The whole set was kept from training.
        sha256: Of its bytes.
    """

    path: Path
    folder: str
    unseen: bool
    sha256: str

    def read(self) -> Pixels:
        """Its upright pixels."""
        return decode_photo(read_photo(self.path), self.path.name)


@cache
def held_out_photos(root: Path) -> tuple[Photo, ...]:
    """Every test-only photograph below ``root``: whole folders, and the hashed tenth of the others."""
    found: list[Photo] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if (folder / LABELS).exists():  # pictures of image generators
            continue
        unseen = folder.name not in TRAIN_SETS
        for path in list_photos(folder):
            sha256 = hashlib.sha256(read_photo(path)).hexdigest()
            if unseen or is_test_only(sha256):
                found.append(Photo(path, folder.name, unseen, sha256))
    return tuple(found)


def known_boxes(root: Path, photos: Iterable[Photo]) -> dict[str, list[dict[str, Any]]]:
    """By sha256 the hands of photographs of which all are known: of the checked list, or of their set."""
    of_set: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted(root.glob("*/annotations_coco.json")):
        said = json.loads(path.read_text("utf-8"))
        names = {image["id"]: (path.parent.name, image["file_name"]) for image in said["images"]}
        of_set |= {name: [] for name in names.values()}
        for one in said["annotations"]:
            x, y, w, h = one["bbox"]
            of_set[names[one["image_id"]]].append({"bbox_xyxy_px": [x, y, x + w, y + h], "tags": []})
    found = {
        photo.sha256: of_set[key] for photo in photos if (key := (photo.folder, photo.path.name)) in of_set
    }
    checked = json.loads(LIST.read_text("utf-8"))["pictures"]
    return found | {picture["sha256"]: picture["hands"] for picture in checked}


def photographs(root: Path, work: Path, landmarker: Landmarker) -> tuple[list[Picture], int]:
    """Test-only photographs with their hands as the finder sees them, and how many hands it does not find.

    What is found is kept in ``work``. A find that is none of the known hands of a photograph is left out.
    """
    photos = held_out_photos(root)
    store = work / "photographs.json"
    stored = json.loads(store.read_text("utf-8")) if store.exists() else {}
    boxes = known_boxes(root, photos)
    for number, photo in enumerate(photos):
        if photo.sha256 not in stored:
            stored[photo.sha256] = _found(photo.read(), boxes.get(photo.sha256), landmarker)
            if number % 20 == 0:
                _write(store, stored)
    _write(store, stored)
    pictures = [_picture(photo, stored[photo.sha256]["hands"]) for photo in photos]
    return [p for p in pictures if p.truths], sum(stored[photo.sha256]["missed"] for photo in photos)


def _found(pixels: Pixels, known: list[dict[str, Any]] | None, landmarker: Landmarker) -> dict[str, Any]:
    """The hands of a photograph, JSON-ready, and how many of its known ones are not found by any means."""
    seen = find_hands(pixels, landmarker=landmarker, threads=1)
    if known is None:
        return {"hands": [_entry(pixels, hand, ()) for hand in seen], "missed": 0}
    boxes = [hand["bbox_xyxy_px"] for hand in known]
    of_box: list[HandObservation | None] = [None if k is None else seen[k] for k in match(seen, boxes)]
    missed = [k for k, hand in enumerate(of_box) if hand is None]
    again = find_in_boxes(pixels, [box_of(boxes[k]) for k in missed], landmarker=landmarker, threads=1)
    for k, hand in zip(missed, again, strict=True):
        of_box[k] = hand
    hands = [_entry(pixels, hand, known[k]["tags"]) for k, hand in enumerate(of_box) if hand is not None]
    return {"hands": hands, "missed": sum(hand is None for hand in of_box)}


def _entry(pixels: Pixels, hand: HandObservation, tags: Iterable[str]) -> dict[str, Any]:
    points = np.round(hand.landmarks_px, 2).tolist()
    return {"points": points, "tags": list(tags), "sharpness": sharpness(pixels, hand.landmarks_px)}


def sharpness(pixels: Pixels, landmarks_px: Float[np.ndarray, "21 2"]) -> float:
    """Mean size of the Laplacian of a hand's crop at 128 px, in grey levels."""
    low, high = np.floor(landmarks_px.min(0)).astype(int), np.ceil(landmarks_px.max(0)).astype(int)
    x0, y0 = np.maximum(low, 0)
    part = pixels[y0 : max(high[1], y0 + 2), x0 : max(high[0], x0 + 2)]
    if part.size == 0:
        return 0.0
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    scale = _SHARPNESS_PX / max(grey.shape)
    size = max(2, round(grey.shape[1] * scale)), max(2, round(grey.shape[0] * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return float(np.abs(cv2.Laplacian(small.astype(np.float32), cv2.CV_32F)).mean())


def _picture(photo: Photo, hands: Iterable[Mapping[str, Any]]) -> Picture:
    kept = [(np.array(hand["points"], np.float64), hand) for hand in hands]
    kept = [(points, hand) for points, hand in kept if np.ptp(points, axis=0).max() >= LEAST_PX]
    where = {photo.folder, "unseen" if photo.unseen else "tenth"}
    return Picture(
        f"{photo.folder}/{photo.path.name}",
        photo.read,
        tuple(OrientedSquare.of(points) for points, _ in kept),
        tuple(
            Truth(
                "photograph",
                False,
                gloved="gloved" in hand["tags"],
                size_px=float(np.ptp(points, axis=0).max()),
                sharpness=float(hand["sharpness"]),
                tags=frozenset(where | set(hand["tags"])),
            )
            for points, hand in kept
        ),
        tuple(points for points, _ in kept),
    )


def judged(
    records: Iterable[JudgedPicture], landmarker: Landmarker, proposer: Proposer | None
) -> Iterator[Picture]:
    """Pictures whose hands people judged; also hands without a box, where the set says that they are good.

    A box's direction is that of the landmarks found in it, else of the proposal network; else the fingers are
    taken to point up, and the hand is tagged 'direction guessed'.
    """
    for record in records:
        pixels = record.image().pixels
        boxes = [hand.bbox_xyxy_px for hand in record.hands]
        regions: list[OrientedSquare] = []
        truths: list[Truth] = []
        for hand, (region, how) in zip(
            record.hands, regions_of_boxes(pixels, boxes, landmarker, proposer), strict=True
        ):
            regions.append(region)
            truths.append(
                Truth(
                    record.source.dataset,
                    hand.malformed,
                    size_px=region.size_px,
                    tags=frozenset({how}),
                    level=hand.level or "",
                )
            )
        for other in find_hands(pixels, landmarker=landmarker, threads=1) if record.rest_good else ():
            region = OrientedSquare.of(other.landmarks_px)
            x, y = region.center_px
            taken = [*boxes, *record.unclear_xyxy_px]
            if not any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in taken):
                regions.append(region)
                truths.append(
                    Truth(record.source.dataset, False, size_px=region.size_px, tags=frozenset({"no box"}))
                )
        if truths:
            landmarks = (None,) * len(truths)
            yield Picture(record.key, partial(np.copy, pixels), tuple(regions), tuple(truths), landmarks)


def regions_of_boxes(
    pixels: Pixels, boxes: list[Box], landmarker: Landmarker, proposer: Proposer | None
) -> Iterator[tuple[OrientedSquare, str]]:
    """A region for every box, and what its direction comes from."""
    seen = find_in_boxes(pixels, boxes, landmarker=landmarker, threads=1) if boxes else []
    return regions_of_found(pixels, boxes, seen, proposer)


def regions_of_found(
    pixels: Pixels, boxes: list[Box], seen: Sequence[HandObservation | None], proposer: Proposer | None
) -> Iterator[tuple[OrientedSquare, str]]:
    """The same for boxes in which hands were looked for already."""
    if not boxes:
        return
    proposals = [] if proposer is None else proposer.propose(pixels)
    for (x0, y0, x1, y1), hand in zip(boxes, seen, strict=True):
        center, size_px = ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0)
        near = [
            one.region.toward_rad
            for one in proposals
            if x0 <= one.region.center_px[0] < x1 and y0 <= one.region.center_px[1] < y1
        ]
        if hand is not None:
            yield (
                OrientedSquare(center, size_px, OrientedSquare.of(hand.landmarks_px).toward_rad),
                "landmarks",
            )
        elif near:
            yield OrientedSquare(center, size_px, near[0]), "proposal"
        else:
            yield OrientedSquare(center, size_px, -math.pi / 2), "direction guessed"


def _write(path: Path, stored: Mapping[str, Any]) -> None:
    data = json.dumps(stored).encode()
    write_atomically(path, lambda file: file.write(data))
