"""One edited photograph: two thirds have a defect, one third are controls with the same pixel processing.

``EDITS`` has at least three edits for every defect that make it in different ways.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.record import record_head
from handwright.data.photo_edits import bends, counts, fans, joins, whole
from handwright.data.photo_edits.canvas import Canvas, with_matched_grain
from handwright.data.photo_edits.hand_crop import HandCrop, crop_hand
from handwright.data.photo_edits.moves import Edit, EditedHand, EditTask, NotEditable
from handwright.errors import DataError
from handwright.hand.anatomy import FINGERS
from handwright.hand.defects import Defect
from handwright.hand.grammar import words_of_hand
from handwright.prompts.captions import PHOTOGRAPH, Scene
from handwright.types import Box, Side


def _of(kind: str, *ways: Callable[..., EditedHand]) -> tuple[Edit, ...]:
    return tuple(partial(way, kind=kind) for way in ways)


EDITS: dict[str, tuple[Edit, ...]] = {
    Defect.EXTRA: (counts.extra_copied, counts.extra_lent, partial(fans.sector, twice=True)),
    Defect.MISSING: (counts.missing_erased, counts.missing_stump, partial(fans.sector, twice=False)),
    Defect.FUSED: (joins.fused_pressed, joins.fused_webbed, fans.fused_closed),
    Defect.SPLIT: (partial(joins.fork, lent=False), partial(joins.fork, lent=True), joins.split_unfolded),
    Defect.OVERBENT: _of(Defect.OVERBENT, bends.lifted, bends.warped, bends.lent),
    Defect.SIDEWAYS: _of(Defect.SIDEWAYS, bends.lifted, bends.warped, bends.lent),
    Defect.TOO_LONG: _of(Defect.TOO_LONG, bends.lifted, bends.warped, bends.respaced),
    Defect.TOO_SHORT: _of(Defect.TOO_SHORT, bends.lifted, bends.warped, bends.respaced),
    Defect.TWO_THUMBS: (counts.thumb_mirrored, counts.thumb_lent, counts.thumb_twin),
    Defect.WRONG_HAND: (whole.wrong_mirrored, whole.wrong_other, whole.wrong_lent),
    Defect.DETACHED: tuple(partial(whole.detached, variant=k) for k in range(3)),
    Defect.MELTED: (whole.melted_waves, whole.melted_smeared, whole.melted_swirled),
}
"""In the order of ``Defect``."""

_WANTED: dict[str, tuple[str, str, str]] = {
    Defect.EXTRA: ("open", "open", "fan"), Defect.MISSING: ("open", "open", "fan"),
    Defect.FUSED: ("pair", "pair", "fan"), Defect.TOO_SHORT: ("open", "open", "open"),
    Defect.TWO_THUMBS: ("thumb", "thumb", "thumb"), Defect.WRONG_HAND: ("two", "two", "two"),
    Defect.DETACHED: ("hand", "hand", "hand"), Defect.MELTED: ("hand", "hand", "hand"),
}  # fmt: skip


def needed_hand(name: str, generator: int) -> str:
    """What an edit needs of a hand: ``wanted`` of ``hand_crop.crop_hand``."""
    return _WANTED.get(name, ("any", "any", "any"))[generator]


SHARE_SOUND = 1 / 3
_TRIES, _TRIES_AN_EDIT = 400, 40
_LENDERS, _LENDERS_TRIED = 64, 10
_NOISE = 1.6  # Most noise over a finished picture, levels of 255; with JPEG it covers traces of the edit
_JPEG = (72, 97)  # Least and most quality


@dataclass(frozen=True)
class EditLabel:
    """The defect that an edit made."""

    name: str  # One of ``EDITS``
    generator: int  # Index into ``EDITS[name]``
    fingers: tuple[str, ...]  # Names of the fingers concerned; empty for the whole hand
    bbox_xyxy_px: Box  # Where it shows


@dataclass(frozen=True, eq=False)
class EditedPhoto:
    """A finished picture with its truth."""

    pixels: UInt8[np.ndarray, "s s 3"]  # sRGB
    encoded: bytes  # The JPEG that the pixels come out of
    mask: Bool[np.ndarray, "s s"]  # the hand with its arm as it is now
    crop: HandCrop  # The sound hand, in pixels of its larger crop
    scale: float  # Size of the picture over that of the crop
    label: EditLabel | None  # What is wrong; None for a control
    processing: tuple[str, int]  # Defect and generator of its edit, of a control, too


def edit_photo(seed: int, index: int, size: int, photos: Sequence[Path]) -> EditedPhoto:
    """The picture with this number of the world with this seed: same photographs, same picture.

    Photographs are drawn until one shows a hand that the edit can be made on.

    Raises:
        DataError: No photograph serves.
        UnreadableImageError: A photograph cannot be read.
        MissingModelError: The landmarker is missing.
    """
    rng = np.random.default_rng([seed, index, 45])
    sound = bool(rng.random() < SHARE_SOUND)
    name, generator = "", 0
    for turn in range(_TRIES):
        if turn % _TRIES_AN_EDIT == 0:
            name = str(rng.choice(list(EDITS)))
            generator = int(rng.integers(len(EDITS[name])))
        path = photos[int(rng.integers(len(photos)))]
        crop = crop_hand(path, size, rng, needed_hand(name, generator))
        if crop is None:
            continue
        with suppress(NotEditable):
            edited = EDITS[name][generator](EditTask(crop, sound, rng, _lend(crop, seed, size, photos, rng)))
            fingers = tuple(FINGERS[f] for f in edited.fingers)
            return _finished(edited.canvas, (name, generator), fingers, sound, size, rng)
    raise DataError(
        f"none of {_TRIES} photographs drawn shows a hand that can be edited",
        "hands must be at least 80 px large, whole and unhidden",
        "give a folder of photographs of hands",
    )


def _finished(
    canvas: Canvas,
    processing: tuple[str, int],
    fingers: tuple[str, ...],
    sound: bool,
    size: int,
    rng: np.random.Generator,
) -> EditedPhoto:
    """Grain, size, a little noise over everything, JPEG."""
    width = canvas.crop.width
    whole = np.clip(with_matched_grain(canvas, rng), 0, 255)
    small = cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA)
    small = small + rng.uniform(0, _NOISE) * rng.standard_normal(small.shape, np.float32)
    pixels = np.clip(small + 0.5, 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG))]
    data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)[1]
    decoded = np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])
    mask = cv2.resize(canvas.hand, (size, size), interpolation=cv2.INTER_AREA) > 0.5
    label = None if sound else EditLabel(*processing, fingers, _around(canvas.boxes, size / width))
    return EditedPhoto(decoded, data.tobytes(), mask, canvas.crop, size / width, label, processing)


def _around(boxes: Sequence[Box], scale: float) -> Box:
    """One box around all, scaled."""
    edges = np.array(boxes or [(0.0, 0.0, 1.0, 1.0)]) * scale
    (x0, y0), (x1, y1) = edges[:, :2].min(0).tolist(), edges[:, 2:].max(0).tolist()
    return x0, y0, x1, y1


def _lend(
    crop: HandCrop, seed: int, size: int, photos: Sequence[Path], rng: np.random.Generator
) -> Callable[[], HandCrop | None]:
    """A function that draws a hand to lend fingers, from a small pool that is the same for every picture."""

    def lend() -> HandCrop | None:
        pool = np.random.default_rng([seed, 46]).integers(len(photos), size=_LENDERS)
        for k in rng.permutation(_LENDERS)[:_LENDERS_TRIED]:
            lender = _lender(photos[int(pool[k])], size, int(k))
            if lender is not None and lender.sha256 != crop.sha256 and crop.matches(lender):
                return lender
        return None

    return lend


@lru_cache(maxsize=_LENDERS)
def _lender(path: Path, size: int, number: int) -> HandCrop | None:
    return crop_hand(path, size, np.random.default_rng([number, 47]))


def record_of(picture: EditedPhoto, seed: int, index: int) -> dict[str, Any]:
    """Everything known of a picture, JSON-ready; keypoints are the sound hand's, as MediaPipe detects it."""
    crop, label, size = picture.crop, picture.label, picture.pixels.shape[0]
    defects = [] if label is None else [label.name]
    scene = Scene((words_of_hand(picture.crop.hand),), domain=PHOTOGRAPH, defects=tuple(defects))
    hands = [_hand(crop.points * picture.scale, crop.side, size)]
    hands[0]["words"] = str(scene.hands[0])
    if label is not None:
        box = [round(v, 1) for v in label.bbox_xyxy_px]
        hands[0]["defects"].append({**vars(label), "fingers": list(label.fingers), "bbox_xyxy_px": box})
    hands += [_hand(points * picture.scale, side, size) for points, side in crop.others]
    return {
        **record_head(scene, "defects", seed, index, picture.pixels),
        "hands": hands,
        "keypoints_source": "mediapipe",
        "photograph": {"name": crop.name, "sha256": crop.sha256},
        "processing": {"name": picture.processing[0], "generator": picture.processing[1]},
        "defects": defects,
    }


def _hand(points: np.ndarray, side: Side, size: int) -> dict[str, Any]:
    return {
        "side": side,
        "keypoints_px": np.round(points, 3).tolist(),
        "visible": ((points >= 0) & (points < size)).all(axis=1).tolist(),
        "keypoints_source": "mediapipe",
        "defects": list[dict[str, Any]](),
    }
