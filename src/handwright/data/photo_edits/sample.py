"""One sample of the world of operated photographs: two thirds with a defect, one third clean controls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.photo_edits.canvas import Canvas, open_canvas, regrained
from handwright.data.photo_edits.makers import MAKERS, wanted_of
from handwright.data.photo_edits.moves import Case
from handwright.data.photo_edits.subject import Patient, admit
from handwright.errors import DataError
from handwright.hand.anatomy import FINGERS
from handwright.types import Box

SHARE_SOUND = 1 / 3
_TRIES, _TRIES_A_WAY = 400, 40
_LENDERS, _LENDERS_ASKED = 64, 10
_NOISE = 1.6
_JPEG = (72, 97)


@dataclass(frozen=True)
class SurgeryLabel:
    """What was done to the hand.

    Attributes:
        name: One of ``MAKERS``.
        generator: Which of its ways.
        fingers: Names of the fingers concerned; empty for the whole hand.
        bbox_xyxy_px: Where it shows.
    """

    name: str
    generator: int
    fingers: tuple[str, ...]
    bbox_xyxy_px: Box


@dataclass(frozen=True, eq=False)
class SurgeryPicture:
    """A finished picture with its truth.

    Attributes:
        pixels: uint8 [S, S, 3] sRGB.
        encoded: The JPEG that the pixels come out of.
        mask: bool [S, S] the hand with its arm as it is now.
        touched: bool [S, S] where pixels were made anew.
        patient: The sound hand, in pixels of its larger crop.
        scale: Size of the picture over that of the crop.
        label: What is wrong; None for a control.
        way: Defect and generator whose pixel processing it went through.
    """

    pixels: UInt8[np.ndarray, "s s 3"]
    encoded: bytes
    mask: Bool[np.ndarray, "s s"]
    touched: Bool[np.ndarray, "s s"]
    patient: Patient
    scale: float
    label: SurgeryLabel | None
    way: tuple[str, int]


def operate(seed: int, index: int, size: int, photos: Sequence[Path]) -> SurgeryPicture:
    """The picture with this number of the world with this seed.

    Photographs are drawn until one shows a hand that the operation can be done on.

    Args:
        seed: Of the world.
        index: Of the picture; same seed, index and photographs, same picture.
        size: Side in pixels.
        photos: Photographs of hands.

    Raises:
        DataError: No photograph will do.
        UnreadableImageError: A photograph cannot be read.
        MissingModelError: The landmarker is missing.
    """
    rng = np.random.default_rng([seed, index, 45])
    sound = bool(rng.random() < SHARE_SOUND)
    name, generator = "", 0
    for turn in range(_TRIES):
        if turn % _TRIES_A_WAY == 0:
            name = str(rng.choice(list(MAKERS)))
            generator = int(rng.integers(len(MAKERS[name])))
        path = photos[int(rng.integers(len(photos)))]
        patient = admit(path, size, rng, wanted_of(name, generator))
        if patient is None:
            continue
        operated = MAKERS[name][generator](Case(patient, sound, rng, _lend(patient, seed, size, photos, rng)))
        if operated is not None:
            fingers = tuple(FINGERS[f] for f in operated.fingers)
            return _finished(operated.canvas, (name, generator), fingers, sound, size, rng)
    raise DataError(
        f"none of {_TRIES} photographs drawn shows a hand that can be operated on",
        "hands must be at least 80 px large, whole and unhidden",
        "give a folder of photographs of hands",
    )


def untouched(picture: SurgeryPicture, rng: np.random.Generator) -> SurgeryPicture:
    """The same crop that nobody operated on, finished in the same way.

    Args:
        picture: Whose patient it is.
        rng: Of its noise and JPEG quality.
    """
    return _finished(open_canvas(picture.patient), picture.way, (), True, len(picture.pixels), rng)


def _finished(
    canvas: Canvas,
    way: tuple[str, int],
    fingers: tuple[str, ...],
    sound: bool,
    size: int,
    rng: np.random.Generator,
) -> SurgeryPicture:
    """Grain, size, a little noise over everything, JPEG."""
    width = canvas.patient.width
    whole = np.clip(regrained(canvas, rng), 0, 255)
    small = cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA)
    small = small + rng.uniform(0, _NOISE) * rng.standard_normal(small.shape, np.float32)
    pixels = np.clip(small + 0.5, 0, 255).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG))]
    data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)[1]
    decoded = np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])
    mask = cv2.resize(canvas.hand, (size, size), interpolation=cv2.INTER_AREA) > 0.5
    touched = cv2.resize(canvas.touched, (size, size), interpolation=cv2.INTER_AREA) > 0.5
    label = None if sound else SurgeryLabel(*way, fingers, _around(canvas.boxes, size / width))
    return SurgeryPicture(decoded, data.tobytes(), mask, touched, canvas.patient, size / width, label, way)


def _around(boxes: Sequence[Box], scale: float) -> Box:
    """One box around all, scaled."""
    edges = np.array(boxes or [(0.0, 0.0, 1.0, 1.0)]) * scale
    return (
        float(edges[:, 0].min()),
        float(edges[:, 1].min()),
        float(edges[:, 2].max()),
        float(edges[:, 3].max()),
    )


def _lend(
    patient: Patient, seed: int, size: int, photos: Sequence[Path], rng: np.random.Generator
) -> Callable[[], Patient | None]:
    """Another patient, from a pool that is the same for the whole world: it stays in memory."""

    def lend() -> Patient | None:
        pool = np.random.default_rng([seed, 46]).integers(len(photos), size=_LENDERS)
        for k in rng.permutation(_LENDERS)[:_LENDERS_ASKED]:
            lender = _lender(photos[int(pool[k])], size, int(k))
            if lender is not None and lender.sha256 != patient.sha256 and patient.is_like(lender):
                return lender
        return None

    return lend


@lru_cache(maxsize=_LENDERS)
def _lender(path: Path, size: int, number: int) -> Patient | None:
    return admit(path, size, np.random.default_rng([number, 47]))
