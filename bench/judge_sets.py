"""Hands that no critic was trained on, rendered or operated on, with everything that is known of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.data.hands.defects.malformed import fingers_of
from handwright.data.photographs import decode_photo, read_photo
from handwright.data.shards import Entry, Labelled, is_whole, list_shards, read_records, write_shard
from handwright.data.synthesise import synthesise
from handwright.hand.defects import Defect
from handwright.hand.grammar.named import NAMED
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.training.networks.critic_classes import pose_group
from handwright.types import Side

SIZE = 256
LEAST_SEEN, ENOUGH_SEEN, LEAST_PX = 4, 10, 32
SHIFT, GROWTH, TURN_RAD = 0.04, 0.06, 0.1
"""Spread of a finder's error: place in hand sizes, logarithm of the size, direction."""

EDGE_ON = 0.35
PER_SHARD = 100

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Truth:
    """What is known of a hand.

    Attributes:
        source: 'rendered', 'surgery' or 'photograph', or the name of a judged set.
        malformed: Something is wrong with its form; None where this hand alone cannot tell (a wrong side).
        defect: Name of the defect, '' without one.
        way: Generator of the defect, −1 without one.
        fingers: How many it has, None where nobody could say.
        side: Its side, None where it is not known.
        pose: Group of its pose, None where its pose has no name.
        gloved: It wears a glove.
        size_px: Longer side of its box.
        seen: How many of its landmarks are seen.
        tone: Skin on the Monk scale, 0 lightest; None where it is not known.
        tags: What else it is: 'fist', 'edge on', 'two hands', 'holding', 'motion blur', 'out of focus'; of a
            photograph its folder and whether that is 'unseen' as a whole or the 'tenth' of one.
        level: How wrong, in the words of a judged set.
        sharpness: Of a photograph's hand; see ``judge_real.sharpness``.
    """

    source: str
    malformed: bool | None
    defect: str = ""
    way: int = -1
    fingers: int | None = 5
    side: Side | None = None
    pose: str | None = None
    gloved: bool = False
    size_px: float = 0.0
    seen: int = 21
    tone: int | None = None
    tags: frozenset[str] = frozenset()
    level: str = ""
    sharpness: float = float("nan")

    @property
    def clear(self) -> bool:
        """Bare, sharp, large enough, and most of it seen."""
        blurred = self.tags & {"motion blur", "out of focus"}
        return not self.gloved and not blurred and self.size_px >= LEAST_PX * 1.5 and self.seen >= ENOUGH_SEEN


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture with its hands.

    Attributes:
        key: Its name.
        read: Its pixels.
        regions: Where a finder would put its hands.
        truths: What is known of them.
        landmarks_px: float [21, 2] of each; None where only a box is known.
    """

    key: str
    read: Callable[[], Pixels]
    regions: tuple[OrientedSquare, ...]
    truths: tuple[Truth, ...]
    landmarks_px: tuple[Float[np.ndarray, "21 2"] | None, ...]


def rendered(work: Path, kind: str, count: int, seed: int) -> list[Picture]:
    """Rendered pictures of a world without photographs, made where they are missing.

    Args:
        work: Folder in which shards are kept.
        kind: 'hands' (sound ones) or 'defects' (a third sound).
        count: Pictures.
        seed: Of the world; 900000 or more, no weights were trained on those.
    """
    folder = work / f"{kind}-{seed}-{SIZE}"
    synthesise(folder, kind, count=count, seed=seed, size=SIZE)
    return list(of_shards(list_shards(folder)))


def operated(work: Path, count: int, seed: int, photos: Sequence[Path], name: str) -> list[Picture]:
    """Surgery on photographs, made where it is missing; a third are controls.

    Args:
        work: Folder in which shards are kept.
        count: Pictures.
        seed: Of the world.
        photos: Of test-only hands.
        name: What the set is called.
    """
    from handwright.data.photo_edits import edit_photo, record_of

    folder = work / f"surgery-{name}-{seed}-{SIZE}"
    folder.mkdir(parents=True, exist_ok=True)

    def entry(index: int) -> Entry:
        made = edit_photo(seed, index, SIZE, photos)
        return Entry(
            f"{index:08d}", {"image": made.pixels}, record_of(made, seed, index), {"image": made.encoded}
        )

    spans = [(start, min(start + PER_SHARD, count)) for start in range(0, count, PER_SHARD)]
    paths = [folder / f"surgery-{start:05d}-{stop:05d}.tar" for start, stop in spans]
    for path, (start, stop) in zip(paths, spans, strict=True):
        if not (path.exists() and is_whole(path, [f"{index:08d}" for index in range(start, stop)])):
            write_shard(path, map(entry, range(start, stop)))
    return list(of_shards(paths))


def of_shards(paths: Iterable[Path]) -> Iterator[Picture]:
    """The pictures of shards, with the hands of which something is seen."""
    for found in read_records(paths):
        if not isinstance(found, Labelled):
            raise found
        picture = of_record(found)
        if picture.truths:
            yield picture


def of_record(found: Labelled) -> Picture:
    """A picture by its record; of surgery the hand operated on alone, the others are as they were."""
    record = found.record
    path = found.shard / found.image
    photograph = record["domain"] == "photograph"
    hands = record["hands"][:1] if photograph else record["hands"]
    rng = np.random.default_rng([int(record["seed"]), int(record["index"]), 71])
    kept: list[tuple[OrientedSquare, Truth, np.ndarray]] = []
    for hand in hands:
        points = np.array(hand["keypoints_px"], np.float64)
        region = as_found(rng, OrientedSquare.of(points))
        truth = of_hand(record, hand, points, photograph=photograph)
        x, y = region.center_px
        inside = 0 <= x < record["width"] and 0 <= y < record["height"]
        unseen = any(defect.get("bbox_xyxy_px", True) is None for defect in hand.get("defects", ()))
        if inside and truth.seen >= LEAST_SEEN and truth.size_px >= LEAST_PX and not unseen:
            kept.append((region, truth, points))
    regions, truths, landmarks = zip(*kept, strict=True) if kept else ((), (), ())
    return Picture(
        f"{found.shard.stem}/{found.key}",
        lambda: decode_photo(read_photo(path), found.image),
        regions,
        truths,
        landmarks,
    )


def of_hand(
    record: Mapping[str, Any], hand: Mapping[str, Any], points: Float[np.ndarray, "21 2"], *, photograph: bool
) -> Truth:
    """What a record says of a hand."""
    defects = list(hand.get("defects", ()))
    name = defects[0]["name"] if defects else ""
    said = NAMED.get(hand.get("name") or "")
    pose = None if defects or said is None else pose_group(said)
    tags = {
        "fist": pose == "fist",
        "edge on": not defects and is_edge_on(hand.get("landmarks_cam_m"), points),
        "two hands": len(record["hands"]) > 1,
        "hands that meet": bool(record.get("meeting"))
        and record["meeting"] not in ("side by side", "counting"),
        "holding": bool(record.get("thing")),
        "motion blur": bool(record.get("motion_blur")),
        "out of focus": bool(record.get("defocused")),
    }
    return Truth(
        source="surgery" if photograph else "rendered",
        malformed=None if name == Defect.WRONG_HAND else bool(defects),
        defect=name,
        way=defects[0]["generator"] if defects else -1,
        fingers=fingers_of(defects, photograph=photograph),
        side=None if name == Defect.WRONG_HAND else hand.get("side"),
        pose=pose,
        gloved=bool(hand.get("gloved", False)),
        size_px=float(np.ptp(points, axis=0).max()),
        seen=int(np.sum(hand["visible"])),
        tone=record.get("skin_tone"),
        tags=frozenset(tag for tag, there in tags.items() if there),
    )


def is_edge_on(landmarks_cam_m: object, points: Float[np.ndarray, "21 2"]) -> bool:
    """Whether the palm is seen from the side: its plane lies within some 20° of the line of sight."""
    if landmarks_cam_m is None:
        return False
    space = np.array(landmarks_cam_m, np.float64)
    normal = np.cross(space[5] - space[0], space[17] - space[0])
    sight = space[[0, 5, 17]].mean(0)
    return abs(float(normal @ sight)) < EDGE_ON * float(np.linalg.norm(normal) * np.linalg.norm(sight))


def as_found(rng: np.random.Generator, region: OrientedSquare) -> OrientedSquare:
    """A region as a finder would give it: a little off in place, size and direction."""
    dx, dy = SHIFT * region.size_px * rng.standard_normal(2)
    x, y = region.center_px
    size_px = region.size_px * math.exp(GROWTH * rng.standard_normal())
    return OrientedSquare(
        (x + float(dx), y + float(dy)), size_px, region.toward_rad + TURN_RAD * float(rng.standard_normal())
    )


def blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture out of focus: σ of 4 … 7 % of its first hand's size."""
    sigma = picture.truths[0].size_px * rng.uniform(0.04, 0.07)
    return replace(
        picture, key=f"{picture.key}/blurred", read=lambda: cv2.GaussianBlur(picture.read(), (0, 0), sigma)
    )


def tiny(picture: Picture, rng: np.random.Generator) -> Picture:
    """The picture so small that its first hand is 14 … 30 px large."""
    scale = rng.uniform(14, 30) / picture.truths[0].size_px

    def read() -> Pixels:
        pixels = picture.read()
        height, width = pixels.shape[:2]
        size = max(8, round(width * scale)), max(8, round(height * scale))
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

    def smaller(region: OrientedSquare) -> OrientedSquare:
        x, y = region.center_px
        return OrientedSquare((x * scale, y * scale), region.size_px * scale, region.toward_rad)

    return Picture(
        f"{picture.key}/tiny",
        read,
        tuple(map(smaller, picture.regions)),
        tuple(replace(truth, size_px=truth.size_px * scale) for truth in picture.truths),
        tuple(None if points is None else points * scale for points in picture.landmarks_px),
    )
