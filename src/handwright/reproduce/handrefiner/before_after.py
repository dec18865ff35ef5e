"""Table 1's question: hands with a defect before, repainted as published, and as ``refine`` delivers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from handwright.image import with_patch
from handwright.metrics.crops import hand_crop
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import box_iou
from handwright.refine.acceptance import CriticScore, order
from handwright.refine.pipeline import refine_picture
from handwright.refine.result import HandRepair
from handwright.refine.settings import RefineSettings
from handwright.reproduce.handrefiner.paint_all import NONE, Bench
from handwright.reproduce.handrefiner.study import SPOILED_FROM
from handwright.reproduce.store import Record
from handwright.reproduce.subjects import (
    TO_REPAINT,
    Landmarks,
    Picture,
    Pixels,
    largest_hand,
    of_folder,
    spoiled,
)
from handwright.review.critic.onnx_critic import PACKAGED, open_critic
from handwright.review.critic.prediction import Critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Box, Image

GROUP = "before-after"
STATES = ("before", "repainted", "refined")
"""The picture as it came; with the best repaint whatever the judge decides; as it leaves."""

_MIN_OVERLAP = 0.2  # Intersection over union of boxes from which they are one hand; chosen by eye


Read = Callable[[], tuple[Pixels, Landmarks] | None]
"""Reads a picture and its hand's landmarks, of a render those that it should have; None without a hand."""


def paint_before_after(bench: Bench) -> tuple[str, ...]:
    """Refine hands with a defect by the diffusing painter; names of the pictures with a hand."""
    pictures, second = _pictures(bench), open_critic(PACKAGED.with_name("referee"))
    for number, (name, read) in enumerate(pictures.items()):
        bench.study.progress(f"painting: {GROUP}", number, len(pictures))
        if not all(bench.store.has(GROUP, f"{name}/{state}") for state in STATES):
            _make(bench, second, name, read())
    return tuple(name for name in pictures if not bench.store.has(GROUP, f"{name}/{NONE}"))


def _pictures(bench: Bench) -> dict[str, Read]:
    study = bench.study
    if study.data is None:
        seeds = range(SPOILED_FROM, SPOILED_FROM + study.scale.spoiled)
        return {f"{seed}": partial(spoiled, seed, study.scale.size_px) for seed in seeds}

    def read(picture: Picture) -> tuple[Pixels, Landmarks] | None:
        seen = largest_hand(picture, bench.engine.landmarker)
        return None if seen is None else (seen[0], seen[1].landmarks_px)

    pictures = of_folder(study.data, TO_REPAINT)[: study.scale.spoiled]
    return {picture.name: partial(read, picture) for picture in pictures}


def _make(bench: Bench, second: Critic | None, name: str, read: tuple[Pixels, Landmarks] | None) -> None:
    """All three states of a picture, painted in one go; ``second`` is a critic that takes no part in it."""
    if read is None:
        bench.store.unit(GROUP, f"{name}/{NONE}", lambda: ({}, None))
        return
    pixels, landmarks = read
    low, high = landmarks.min(0), landmarks.max(0)
    box = float(low[0]), float(low[1]), float(high[0]), float(high[1])
    image = Image(pixels)
    diffusion = replace(bench.study.diffusion, strength="auto")
    settings = RefineSettings(painter="diffuse", all_hands=True, seed=bench.study.seed, diffusion=diffusion)
    repair = refine_picture(image, settings, bench.engine)
    hand = nearest(repair.hands, box)
    common = {
        "attempted": hand is not None and bool(hand.candidates),
        "replaced": hand is not None and hand.action == "refined",
    }
    shown = image, image if hand is None else _repainted(image, hand), repair.after
    for state, version in zip(STATES, shown, strict=True):
        found = find_hands(version.pixels, landmarker=bench.engine.landmarker)
        here = [one.score for one in found if box_iou(one.bbox_xyxy_px, box) > _MIN_OVERLAP]
        record: Record = {**common, "found": bool(here), "score": max(here, default=0.0)}
        if second is not None:
            score = CriticScore.of(second.judge(version.pixels, [OrientedSquare.of(landmarks)])[0])
            record["sound"] = score is not None and not score.failed
        crop = hand_crop(version.pixels, box)
        bench.store.unit(GROUP, f"{name}/{state}", lambda unit=(record, crop): unit)


def nearest(hands: Iterable[HandRepair], box: Box) -> HandRepair | None:
    """The hand that overlaps a box most, if any does plainly."""
    best = max(hands, key=lambda hand: box_iou(hand.observation.bbox_xyxy_px, box), default=None)
    return best if best and box_iou(best.observation.bbox_xyxy_px, box) > _MIN_OVERLAP else None


def _repainted(image: Image, hand: HandRepair) -> Image:
    """The picture with the hand's best candidate, accepted or not."""
    if not hand.candidates:
        return image
    best = min(hand.candidates, key=lambda c: (len(c.rejection_reasons), order([c.scores])))
    return with_patch(image, best) if np.any(best.inside) else image
