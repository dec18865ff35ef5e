"""A stand-in for find, fit and paint: a 'hand' is a magenta rectangle, refined to seeded noise.

``install()`` puts it in the pipeline's place; a worker process does so by importing this module.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image as PILImage

from handwright.image import with_patch
from handwright.refine.result import Candidate, HandRepair, Repair
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview
from handwright.review.review_json import picture_json
from handwright.types import Camera, DepthControl, Hand, HandFit, HandObservation, Image, Mask

MAGENTA = np.array([255, 0, 255], np.uint8)
BREAKS = (13, 17, 19)
"""Colour of the top-left pixel that makes the fake engine fail with a bug."""
KILLS = (23, 29, 31)
"""Colour of the top-left pixel that ends a worker process on the spot."""
HOLDS = (67, 71, 73)
"""Colour of the top-left pixel at which an engine that holds stays for ever, until its process is killed."""
PUZZLES = (41, 43, 47)
"""Colour of the top-left pixel of which the review cannot tell; hands of all other pictures fail it."""

MANGLED = (53, 59, 61)
"""Colour of the top-left pixel of a picture with one more hand, of which nobody reads a joint; it fails."""


@dataclass
class FakeEngine:
    holds: bool = False
    opened: list[str] = field(default_factory=list)
    on_stage: Callable[[str], None] = lambda _: None


@contextmanager
def open_fake_engine(holds: bool = False) -> Iterator[FakeEngine]:
    yield FakeEngine(holds)


@contextmanager
def open_engine(landmarker: object = None, on_stage=lambda _: None) -> Iterator[FakeEngine]:
    yield FakeEngine(on_stage=on_stage)


def install() -> ModuleType:
    module = ModuleType("handwright.refine.pipeline")
    module.Engine = FakeEngine
    module.open_engine = open_engine
    module.refine_picture = refine_picture
    module.inspect_picture = inspect_picture
    sys.modules[module.__name__] = module
    return module


def refine_picture(image: Image, settings: RefineSettings, engine: FakeEngine) -> Repair:
    if tuple(image.pixels[0, 0]) == BREAKS:
        raise ZeroDivisionError("a bug\nwith two lines")
    if tuple(image.pixels[0, 0]) == KILLS and multiprocessing.parent_process() is not None:
        os._exit(9)
    while engine.holds and tuple(image.pixels[0, 0]) == HOLDS:
        time.sleep(1)
    engine.on_stage("find")
    hands = tuple(
        _hand(image, number, box, settings) for number, box in enumerate(_boxes(image, settings), start=1)
    )
    after = image
    for hand in hands:
        if hand.picked is not None:
            after = with_patch(after, hand.candidates[hand.picked])
    return _repair(image, after, hands)


def inspect_picture(image: Image, settings: RefineSettings, engine: FakeEngine) -> Repair:
    still = RefineSettings(boxes=settings.boxes, hand_ids=(999,))
    hands = tuple(
        _hand(image, number, box, still) for number, box in enumerate(_boxes(image, settings), start=1)
    )
    return _repair(image, image, hands)


def _repair(image: Image, after: Image, hands: tuple[HandRepair, ...]) -> Repair:
    depth = np.zeros(image.pixels.shape[:2], np.uint8)
    for hand in hands:
        depth |= hand.depth.depth
    both = DepthControl(depth, np.where(depth > 0, 0, -1).astype(np.int16))
    seconds = {"find": 0.01, "fit": 0.02, "depth": 0.0, "paint": 0.03, "check": 0.0}
    mangled = HandObservation(
        landmarks_px=np.linspace((5, 5), (25, 15), 21),
        depth_px=np.zeros(21),
        side="left",
        score=0.9,
        found_by="picture",
    )
    undetected = (review_of(len(hands) + 1, mangled, "fail"),) if tuple(image.pixels[0, 0]) == MANGLED else ()
    return Repair(
        before=image,
        after=after,
        hands=hands,
        depth=both,
        seconds=seconds,
        judged_by=("geometry",),
        undetected=undetected,
    )


def _boxes(image: Image, settings: RefineSettings) -> list[tuple[int, int, int, int]]:
    """Columns that hold magenta, as runs; each run is a hand."""
    if settings.boxes:
        return [tuple(int(v) for v in box) for box in settings.boxes]
    magenta = (image.pixels == MAGENTA).all(2)
    columns = np.flatnonzero(np.diff(np.concatenate([[0], magenta.any(0).astype(int), [0]])))
    rows = np.flatnonzero(magenta.any(1))
    return [
        (int(a), int(rows[0]), int(b), int(rows[-1]) + 1)
        for a, b in zip(columns[::2], columns[1::2], strict=True)
    ]


def _hand(image: Image, number: int, box: tuple[int, int, int, int], settings: RefineSettings) -> HandRepair:
    x0, y0, x1, y1 = box
    spread = np.linspace(0, 1, 21)
    points = np.stack([x0 + spread * (x1 - x0), y0 + (spread**2) * (y1 - y0)], 1)
    inside = np.zeros(image.pixels.shape[:2], bool)
    inside[y0:y1, x0:x1] = True
    depth = DepthControl(inside * np.uint8(255), np.where(inside, 0, -1).astype(np.int16))
    detected = HandObservation(
        landmarks_px=points, depth_px=np.zeros(21), side="right", score=0.9, found_by="picture"
    )
    fit = HandFit(
        hand=_rest_hand(image), landmarks_px=points + 0.5, residual=0.0123, landmark_weights=np.ones(21)
    )
    hand = partial(HandRepair, id=number, observation=detected, fit=fit, mask=Mask(inside), depth=depth)
    verdict = "unsure" if tuple(image.pixels[0, 0]) == PUZZLES else "fail"
    before, after = (review_of(number, detected, word) for word in (verdict, "pass"))
    if not settings.attempts(number, verdict):
        return hand(action="skipped", reason="Not named.", review_before=before)
    tries = tuple(_candidate(box, settings.seed + k, number) for k in range(settings.candidates))
    picked = next((k for k, candidate in enumerate(tries) if candidate.accepted), None)
    action = "kept" if picked is None else "refined"
    reason = "No candidate <b>was</b> found again." if picked is None else "Painted & found again."
    if picked is None:
        return hand(action=action, reason=reason, candidates=tries, best_rejected=0, review_before=before)
    return hand(
        action=action,
        reason=reason,
        candidates=tries,
        picked=picked,
        review_before=before,
        review_after=after,
    )


def review_of(number: int, detected: HandObservation, verdict: str) -> dict[str, Any]:
    """A hand's entry in a review, as the published schema has it."""
    word = "cannot tell" if verdict == "unsure" else verdict
    checks = {name: Check(word, 0.0, f"Said to {verdict} <i>here</i>.") for name in CHECKS}
    hand = HandReview(
        id=number, bbox_xyxy_px=detected.bbox_xyxy_px, side=detected.side, checks=checks, observation=detected
    )
    return picture_json("", PictureReview((hand,), 64, 64))["hands"][0]


def _candidate(box: tuple[int, int, int, int], seed: int, number: int) -> Candidate:
    x0, y0, x1, y1 = box
    random = np.random.default_rng([seed, number])
    pixels = random.integers(0, 256, (y1 - y0, x1 - x0, 3), np.uint8)
    inside = np.ones(pixels.shape[:2], bool)
    inside[0, 0] = False
    scores = {"found_again": 1.0, "joint_error": 0.02, "odd": float("nan")}
    rejection_reasons = ("it is the number of the beast",) if seed == 666 else ()
    return Candidate(
        seed=seed,
        pixels=pixels,
        inside=inside,
        origin_xy_px=(x0, y0),
        scores=scores,
        accepted=not rejection_reasons,
        rejection_reasons=rejection_reasons,
    )


def _rest_hand(image: Image) -> Hand:
    camera = Camera(500.0, (image.width / 2, image.height / 2))
    return Hand(
        pose=np.zeros((15, 3)),
        palm_arch=np.zeros(2),
        wrist=np.zeros(3),
        translation_m=np.array([0, 0, 0.5]),
        shape=np.zeros(9),
        side="right",
        camera=camera,
    )


def picture(path: Path, hands: int = 1, corner: tuple[int, int, int] = (10, 20, 30), size: int = 64) -> Path:
    """Write a noisy picture with this many magenta rectangles."""
    pixels = np.random.default_rng(hands).integers(0, 200, (size, size + 16, 3), np.uint8)
    pixels[0, 0] = corner
    for k in range(hands):
        pixels[20:40, 6 + 24 * k : 22 + 24 * k] = MAGENTA
    path.parent.mkdir(parents=True, exist_ok=True)
    PILImage.fromarray(pixels).save(path)
    return path


def heic_picture(path: Path, orientation: int = 6) -> np.ndarray:
    """Write such a picture as a lossless HEIC file that stores it turned; returns its pixels as seen."""
    import pillow_heif

    from handwright.image.modes import as_stored

    pillow_heif.register_heif_opener()
    pixels = np.array(opened(picture(path.with_suffix(".png"))))
    path.with_suffix(".png").unlink()
    exif = PILImage.Exif()
    exif[274] = orientation
    stored = PILImage.fromarray(as_stored(pixels, orientation))
    stored.save(path, "HEIF", quality=-1, chroma=444, matrix_coefficients=0, exif=exif.tobytes())
    return pixels


def opened(path: str | Path) -> PILImage.Image:
    """A picture read and its file closed."""
    with PILImage.open(path) as image:
        image.load()
    return image


if multiprocessing.current_process().name != "MainProcess":
    install()
