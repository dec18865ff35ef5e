"""Table 1's question: hands with a defect before, repainted as published, and as ``refine`` delivers them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
from handwright.reproduce.subjects import TO_REPAINT, Suspect, of_folder, spoiled, suspects_of
from handwright.review.critic.onnx_critic import PACKAGED, open_critic
from handwright.review.critic.prediction import Critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Box, Image

GROUP = "before-after"
STATES = ("before", "repainted", "refined")
"""The picture as it came; with the best repaint whatever the judge decides; as it leaves."""

_MIN_OVERLAP = 0.2  # Intersection over union of boxes from which they are one hand; chosen by eye


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """Hands with a defect, refined by the diffusing painter."""

    bench: Bench  # What all paintings share
    second: Critic | None  # A critic that took no part, or None

    @classmethod
    def open(cls, bench: Bench) -> BeforeAfter:
        """With the packaged second critic."""
        return cls(bench, open_critic(PACKAGED.with_name("referee")))

    def run(self) -> tuple[str, ...]:
        """Make what is missing; names of the pictures with a hand."""
        store, names = self.bench.store, list[str]()
        pictures = tuple(self._pictures())
        for number, picture in enumerate(pictures):
            self.bench.study.progress(f"painting: {GROUP}", number, len(pictures))
            if not all(store.has(GROUP, f"{picture.name}/{state}") for state in STATES):
                self._make(picture)
            if not store.has(GROUP, f"{picture.name}/{NONE}"):
                names.append(picture.name)
        return tuple(names)

    def _pictures(self) -> Iterable[Suspect]:
        study = self.bench.study
        if study.data is None:
            return spoiled(SPOILED_FROM, study.scale.spoiled, study.scale.size_px)
        pictures = of_folder(study.data, TO_REPAINT)[: study.scale.spoiled]
        return suspects_of(pictures, self.bench.engine.landmarker)

    def _make(self, picture: Suspect) -> None:
        """All three states of a picture, painted in one go."""
        store, read = self.bench.store, picture.read()
        if read is None:
            store.unit(GROUP, f"{picture.name}/{NONE}", lambda: ({}, None))
            return
        pixels, landmarks = read
        low, high = landmarks.min(0), landmarks.max(0)
        box = float(low[0]), float(low[1]), float(high[0]), float(high[1])
        image = Image(pixels)
        diffusion = replace(self.bench.study.diffusion, strength="auto")
        settings = RefineSettings(
            painter="diffuse", all_hands=True, seed=self.bench.study.seed, diffusion=diffusion
        )
        repair = refine_picture(image, settings, self.bench.engine)
        hand = nearest(repair.hands, box)
        common = {
            "attempted": hand is not None and bool(hand.candidates),
            "replaced": hand is not None and hand.action == "refined",
        }
        shown = image, image if hand is None else _repainted(image, hand), repair.after
        for state, version in zip(STATES, shown, strict=True):
            record = {**common, **self._measured(version, box, OrientedSquare.of(landmarks))}
            crop = hand_crop(version.pixels, box)
            store.unit(GROUP, f"{picture.name}/{state}", lambda unit=(record, crop): unit)

    def _measured(self, image: Image, box: Box, region: OrientedSquare) -> Record:
        found = find_hands(image.pixels, landmarker=self.bench.engine.landmarker)
        here = [hand.score for hand in found if box_iou(hand.bbox_xyxy_px, box) > _MIN_OVERLAP]
        record: Record = {"found": bool(here), "score": max(here, default=0.0)}
        if self.second is not None:
            score = CriticScore.of(self.second.judge(image.pixels, [region])[0])
            record["sound"] = score is not None and not score.failed
        return record


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
