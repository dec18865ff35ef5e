"""What a critic learns from: hands turned upright in roomy crops, with everything that is wrong with them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int8, UInt8

from handwright.data.hands.defects.malformed import fingers_of
from handwright.data.shards import Entry, read_shards
from handwright.errors import UsageError
from handwright.hand.anatomy import FINGERS
from handwright.hand.defects import Defect
from handwright.hand.grammar import words_of
from handwright.hand.grammar.named import NAMED
from handwright.hand.kinematics import dofs_of_pose
from handwright.review.critic.upright_crops import (
    OrientedSquare,
    crop_transform,
    to_opencv_affine,
    transform_points,
    upright_crop,
)
from handwright.review.proposals.network import Proposer, open_proposer
from handwright.training.networks.critic_classes import DEFECTS_SHOWN, POSE_GROUPS, pose_group
from handwright.training.streams.negatives import handless_regions
from handwright.training.streams.part_maps import UNKNOWN, seen_parts, wrong_places
from handwright.training.streams.whole_pictures import group_of, is_calibration, labelled

SIDE_PX, ROOM = 256, 2.0  # Side of a view in pixels, and in sizes of its hand

MAP_PX = 128  # Side of its maps

_LEAST_PX, _LEAST_SEEN, _ENOUGH_SEEN = 40, 4, 10
_EDGE_SEEN = 0.5  # Cosine between knuckles' row and view from which on fingers are seen to bend

_NEAR_ONES = 0.3  # Weight of the sound twin's landmarks on fingers beside a malformed one

_SHARDS_A_WORKER = 4  # Shards for which another process is worth its start

_SIDES = {"left": 0, "right": 1}
_GENERATED = {"generated": 1, "repainted": 2}
_UNKNOWN_FINGERS = np.full(5, -1, np.int8)


@dataclass(frozen=True, eq=False)
class HandViews:
    """N hands, each with its fingers up in the middle of a square; among them places without a hand."""

    pixels: UInt8[np.ndarray, "n s s 3"]  # sRGB
    parts: UInt8[np.ndarray, "n m m"]  # ``seen_parts.PARTS``; ``UNKNOWN`` throughout where nobody knows
    wrong: Bool[np.ndarray, "n m m"]  # where its defects show
    # in the view, MediaPipe order; of the sound hand that it should be
    landmarks_px: Float[np.ndarray, "n 21 2"]
    trust: Float[np.ndarray, "n 21"]  # how far these are where the seen hand's are, 0 … 1
    visible: Bool[np.ndarray, "n 21"]
    side: Int8[np.ndarray, "n"]  # 0 left, 1 right, −1 unknown
    pose: Int8[np.ndarray, "n"]  # index into ``POSE_GROUPS``, −1 unknown
    defects: Bool[np.ndarray, "n d"]  # in the order of ``DEFECTS_SHOWN``
    way: Int8[np.ndarray, "n"]  # the generator that made the defect, −1 where there is none
    fingers: Int8[np.ndarray, "n"]  # how many it has, −1 where nobody could say
    present: Int8[np.ndarray, "n 5"]  # which of the five it has, −1 where nobody could say
    judged: Bool[np.ndarray, "n"]  # whether this hand alone shows if it is sound or malformed
    gloved: Bool[np.ndarray, "n"]
    rendered: Bool[np.ndarray, "n"]
    # 1 made by an image generator and judged by eye, 2 repainted by our own, else 0
    generated: Int8[np.ndarray, "n"]
    unforeseen: Bool[np.ndarray, "n"]  # malformed in a way that nobody named, and nobody knows where
    seen: Int8[np.ndarray, "n"]  # number of visible landmarks
    hand: Bool[np.ndarray, "n"]  # it is a hand; of anything else nothing is learnt but that

    def __len__(self) -> int:
        """Number of views."""
        return len(self.pixels)

    def where(self, chosen: object) -> HandViews:
        """The chosen ones (indices or a bool array)."""
        return HandViews(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def load_views(folder: Path, *, calibration: bool = False) -> HandViews:
    """The hands of every shard in a folder and below, in the order of paths, and some places without a hand.

    Args:
        folder: With shards of ``handwright synth``, and of photographs from
            ``scripts/make_photograph_pictures.py``.
        calibration: Those that are kept from training instead of those to train on.

    Raises:
        UsageError: There are none.
        DataError: A shard is damaged.
    """
    tars = sorted(folder.rglob("*.tar"))
    read = partial(_of_shard, calibration=calibration)
    workers = min(os.cpu_count() or 1, len(tars) // _SHARDS_A_WORKER)
    if workers > 1:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            parts = [part for part in pool.map(read, tars) if part]
    else:
        parts = [part for part in map(read, tars) if part]
    if not any(part.hand.any() for part in parts):
        raise UsageError(f"{folder} holds no hands", "", "give a folder that `handwright synth` filled")
    return HandViews(
        **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(HandViews)}
    )


def views_of(entry: Entry) -> list[dict[str, Any]]:
    """The hands of a sample that are large enough and seen, as rows of :class:`HandViews`."""
    image, record = entry.pictures["image"], entry.record
    rows: list[dict[str, Any]] = []
    for number, hand in enumerate(record["hands"]):
        points, visible = np.array(hand["keypoints_px"], np.float64), np.array(hand["visible"], np.bool_)
        if float(np.ptp(points, axis=0).max()) < _LEAST_PX or visible.sum() < _LEAST_SEEN:
            continue
        if hand.get("label") == "unclear":
            continue
        malformed = hand.get("label") == "malformed"
        way = crop_transform(OrientedSquare.of(points), SIDE_PX, ROOM)
        parts = seen_parts(entry.pictures, number, hand.get("defects", ()))
        wrong = wrong_places(entry.pictures, number, hand)
        rows.append(
            {
                "pixels": upright_crop(image, way, SIDE_PX),
                "parts": np.full((MAP_PX, MAP_PX), UNKNOWN, np.uint8)
                if parts is None
                else _turned(parts, way),
                "wrong": _turned(wrong.astype(np.uint8), way) > 0,
                "landmarks_px": transform_points(way, points),
                "visible": visible,
                "rendered": record["domain"] != "photograph",
                "generated": _GENERATED.get(record["domain"], 0),
                "unforeseen": malformed,
                "hand": True,
                **_labels(hand, photograph=record["domain"] == "photograph"),
                **({"fingers": -1, "present": _UNKNOWN_FINGERS} if malformed else {}),
                **({"trust": np.zeros(21)} if malformed or not hand.get("found", True) else {}),
            }
        )
    return rows


def elsewhere(entry: Entry, proposer: Proposer | None = None) -> list[dict[str, Any]]:
    """Places of a picture where no hand is, where all of its hands are known; rows of :class:`HandViews`."""
    image, photograph = entry.pictures["image"], entry.record["domain"] == "photograph"
    picture = labelled(image, entry.record)
    return [
        {
            "pixels": upright_crop(image, crop_transform(region, SIDE_PX, ROOM), SIDE_PX),
            "parts": np.full((MAP_PX, MAP_PX), UNKNOWN, np.uint8),
            "wrong": np.zeros((MAP_PX, MAP_PX), np.bool_),
            "landmarks_px": np.zeros((21, 2)),
            "trust": np.zeros(21, np.float32),
            "visible": np.zeros(21, np.bool_),
            "generated": 0,
            "unforeseen": False,
            "defects": np.zeros(len(DEFECTS_SHOWN), np.bool_),
            "present": np.full(5, -1, np.int8),
            "judged": False,
            "gloved": False,
            "rendered": not photograph,
            "seen": 0,
            "hand": False,
            **dict.fromkeys(("side", "pose", "way", "fingers"), -1),
        }
        for region in handless_regions(picture, group_of(entry.record), _LEAST_PX, proposer)
    ]


def _labels(hand: Mapping[str, Any], *, photograph: bool) -> dict[str, Any]:
    """Labels of a hand from its record, by their names in ``HandViews``."""
    defects = list(hand.get("defects", ()))
    names = {defect["name"] for defect in defects}
    visible = np.array(hand["visible"], np.bool_)
    fingers = fingers_of(defects, photograph=photograph)
    return {
        "trust": _trust(defects),
        "side": -1 if Defect.WRONG_HAND in names else _SIDES.get(hand.get("side") or "", -1),
        "pose": -1 if defects else _pose(hand),
        "defects": np.isin(DEFECTS_SHOWN, list(names)),
        "way": defects[0]["generator"] if defects else -1,
        "fingers": -1 if fingers is None else min(max(fingers, 3), 7),
        "judged": Defect.WRONG_HAND not in names and not (Defect.OVERBENT in names and _is_seen_flat(hand)),
        "gloved": bool(hand.get("gloved", False)),
        "seen": _seen(visible, defects),
        "present": _present(defects),
    }


def _is_seen_flat(hand: Mapping[str, Any]) -> bool:
    """Whether the camera looks at its palm or back: there a joint's backward bend does not show."""
    points = np.array(hand.get("landmarks_cam_m", np.zeros((0, 3))), np.float64).reshape(-1, 3)
    if not len(points):
        return False
    across, view = points[5] - points[17], points.mean(0)
    return abs(float(across @ view)) < _EDGE_SEEN * float(np.linalg.norm(across) * np.linalg.norm(view))


def _seen(visible: Bool[np.ndarray, "21"], defects: list[Mapping[str, Any]]) -> int:
    """How many landmarks are seen; those of malformed fingers count, which are where no landmark is."""
    concerned = {name for defect in defects for name in defect["fingers"]}
    whole = any(not defect["fingers"] for defect in defects)
    return 21 if whole else min(21, int(visible.sum()) + 4 * len(concerned))


def _present(defects: Iterable[Mapping[str, Any]]) -> Int8[np.ndarray, "5"]:
    """Per finger whether the hand has it: 1, 0, or −1 where nobody could say."""
    present = np.ones(5, np.int8)
    for defect in defects:
        concerned = [FINGERS.index(name) for name in defect["fingers"]]
        if defect["name"] == Defect.MISSING:
            present[concerned] = 0
        elif defect["name"] in (Defect.MELTED, Defect.FUSED, Defect.WRONG_HAND, Defect.TWO_THUMBS):
            present[concerned or slice(None)] = -1
    return present


def _trust(defects: Iterable[Mapping[str, Any]]) -> Float[np.ndarray, "21"]:
    trust = np.ones(21, np.float32)
    for defect in defects:
        if defect["name"] in (Defect.WRONG_HAND, Defect.DETACHED, Defect.MELTED):
            return np.zeros(21, np.float32)
        trust = np.minimum(trust, _NEAR_ONES)
        trust[0] = 1
        concerned = [FINGERS.index(name) for name in defect["fingers"]] or range(5)
        for finger in concerned:
            trust[1 + 4 * finger : 5 + 4 * finger] = 0
    return trust


def _pose(hand: Mapping[str, Any]) -> int:
    """Index of the group of its pose: by name where it has one, else by its angles."""
    name = hand.get("name")
    if name in NAMED:
        words = NAMED[name]
    elif "pose" in hand:
        words = words_of(dofs_of_pose(np.array(hand["pose"]), np.array(hand["palm_arch"])))
    else:
        return -1
    return POSE_GROUPS.index(pose_group(words))


def _turned(plane: UInt8[np.ndarray, "h w"], way: Float[np.ndarray, "2 3"]) -> UInt8[np.ndarray, "m m"]:
    smaller = to_opencv_affine(way * (MAP_PX / SIDE_PX))
    return cv2.warpAffine(plane, smaller, (MAP_PX, MAP_PX), flags=cv2.INTER_NEAREST)


_opened_proposer = lru_cache(1)(open_proposer)  # One a process


def _of_shard(path: Path, *, calibration: bool) -> HandViews | None:
    proposer = _opened_proposer()
    entries = read_shards([path], wanted=lambda record: is_calibration(record) == calibration)
    rows = [row for entry in entries for row in (*views_of(entry), *elsewhere(entry, proposer))]
    return _stacked(rows) if rows else None


def _stacked(rows: list[dict[str, Any]]) -> HandViews:
    kinds: dict[str, Any] = {
        "pixels": np.uint8, "parts": np.uint8, "landmarks_px": np.float32, "trust": np.float32,
        **dict.fromkeys(("wrong", "visible", "defects", "judged", "gloved", "rendered"), np.bool_),
        **dict.fromkeys(("unforeseen", "hand"), np.bool_),
    }  # fmt: skip
    return HandViews(
        **{
            f.name: np.stack([np.asarray(r[f.name], kinds.get(f.name, np.int8)) for r in rows])
            for f in fields(HandViews)
        }
    )


def assessable(views: HandViews, spoilt: Float[np.ndarray, "n"], most: float) -> Bool[np.ndarray, "n"]:
    """Hands of which enough can be seen to judge them.

    Args:
        views: The hands.
        spoilt: How much each was spoilt, 0 … 1.
        most: How much spoils a hand.
    """
    return (views.seen >= _ENOUGH_SEEN) & ~views.gloved & (spoilt < most)
