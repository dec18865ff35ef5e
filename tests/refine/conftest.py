"""Scripted models: a test writes what detector and judge answer, and no network looks at a pixel.

Unless a test decides otherwise, hands fail as they are and pass once repainted, and paint fits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.refine import candidates, pipeline, redetection, review_before_after
from handwright.refine.compositing.picture_fit import Aspect, PictureFit
from handwright.refine.hand_task import HandTask, plan_hand
from handwright.refine.painters import PaintJob
from handwright.refine.pipeline import Engine
from handwright.refine.result import Candidate
from handwright.refine.scene import Scene
from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview
from handwright.types import HandObservation, Image
from tests.drawn import Shot, flat_hand, shoot

FITS = PictureFit(*(Aspect(0.0, 1.0) for _ in range(4)))
WORD = {"fail": "fail", "unsure": "cannot tell", "pass": "pass"}


def candidate_of(scores: dict[str, float], **more: Any) -> Candidate:
    """A candidate of four pixels, accepted unless it has reasons not to be."""
    return Candidate(
        seed=0,
        pixels=np.zeros((2, 2, 3), np.uint8),
        inside=np.ones((2, 2), np.bool_),
        origin_xy_px=(0, 0),
        scores=scores,
        accepted=not more.get("rejection_reasons"),
        **more,
    )


def reviewed(number: int, hand: HandObservation, verdict: str, arm: str | None = None) -> HandReview:
    """A review of which only the verdict, and the arm that the hand ends, matter."""
    checks = {name: Check("pass", 1.0, "Sound.") for name in CHECKS}
    side = "pass" if arm in (None, hand.side) else "fail"
    checks["left_right"] = Check(side, 1.0, "By its arm.", value={"side": hand.side, "arm": arm})
    checks["finger_count"] = Check(WORD[verdict], 0.0, f"Said to {verdict}.")
    return HandReview(
        id=number, bbox_xyxy_px=hand.bbox_xyxy_px, side=hand.side, checks=checks, observation=hand
    )


@dataclass
class ScriptedModels:
    """Answers of detector and judge, as a test writes them.

    Attributes:
        found: Hands that a search finds.
        again: The redetection, given the hand that is wanted and the pixels; None: nothing.
        boxes: Answer per box.
        redetections: Hands that were to be detected again.
        before: Verdict on each hand as it is, in turn; all fail by default.
        after: Verdict on a hand in a repainted picture, given its number.
        arm: Side of the arm that every hand ends, or None.
        reviews: Pictures that were reviewed.
        overlooked: Reviews of hands that only the proposal network finds, given the pixels.
    """

    found: list[HandObservation] = field(default_factory=list)
    again: Callable[[HandObservation, np.ndarray], HandObservation | None] = lambda wanted, _: wanted
    boxes: list[HandObservation | None] = field(default_factory=list)
    redetections: list[HandObservation] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    after: Callable[[int, np.ndarray], str] = lambda number, pixels: "pass"
    arm: str | None = None
    reviews: list[np.ndarray] = field(default_factory=list)
    overlooked: Callable[[np.ndarray], list[HandReview]] = lambda pixels: []

    def review(self, image, judge, hands, search, people=None):
        self.reviews.append(image.pixels)
        first = image.pixels is self.reviews[0]
        verdicts = [
            (self.before[k] if k < len(self.before) else "fail") if first else self.after(k + 1, image.pixels)
            for k in range(len(hands))
        ]
        each = [reviewed(k + 1, hand.observation, verdicts[k], self.arm) for k, hand in enumerate(hands)]
        more = [replace(hand, id=0) for hand in self.overlooked(image.pixels)] if search else []
        return PictureReview((*each, *more), image.width, image.height)

    def redetect(self, pixels, wanted, _landmarker):
        self.redetections.append(wanted)
        return self.again(wanted, pixels)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> ScriptedModels:
    scripted = ScriptedModels()
    monkeypatch.setattr(redetection, "redetect_hand", scripted.redetect)
    monkeypatch.setattr(candidates, "failed_checks", lambda analysis, others: ())
    monkeypatch.setattr(candidates, "measure_picture_fit", lambda *_: FITS)
    monkeypatch.setattr(candidates, "lost_share", lambda *_: 0.0)
    monkeypatch.setattr(review_before_after, "review_picture", scripted.review)
    monkeypatch.setattr(pipeline, "find_hands", lambda pixels, **_: list(scripted.found))
    monkeypatch.setattr(pipeline, "find_in_boxes", lambda pixels, boxes, *, landmarker: list(scripted.boxes))
    return scripted


@pytest.fixture
def engine(models: ScriptedModels) -> Engine:
    return Engine(models)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def one() -> Shot:
    """One hand before a wall."""
    return shoot(flat_hand(curl=0.15))


@pytest.fixture(scope="session")
def two() -> Shot:
    """A left and a right hand side by side; the truth is the left hand's."""
    width = 520
    left = shoot(flat_hand(width=width, side="left", at=(-0.13, 0.07)), width=width)
    right = shoot(flat_hand(width=width, side="right", at=(0.13, 0.07)), width=width)
    pixels = np.where(right.silhouette[..., None], right.pixels, left.pixels)
    return replace(left, pixels=pixels)


def observations_of_two(two: Shot) -> list[HandObservation]:
    first = two.observation()
    second = shoot(flat_hand(width=520, side="right", at=(0.13, 0.07)), width=520).observation()
    return [first, second]


def task_of(shot: Shot, settings, **changes) -> HandTask:
    """The task that the pipeline would plan for the only hand of a picture."""
    image, seen = Image(shot.pixels), shot.observation(**changes)
    return plan_hand(1, image, analyse_hand(image, seen), settings)


def job_of(shot: Shot, task: HandTask, seed: int = 0) -> PaintJob:
    """The job that a painter gets for the only hand of a picture."""
    scene = Scene((task,), depth_control([task.fit.hand], *shot.pixels.shape[:2]))
    return scene.job(shot.pixels, [task], scene.depth, seed)


def touching() -> tuple[np.ndarray, list[HandObservation]]:
    """A picture of two hands side by side whose masks meet, and what is seen of them."""
    hands = [
        shoot(flat_hand(width=520, side=side, at=(x, 0.07)), width=520)
        for side, x in (("left", -0.062), ("right", 0.062))
    ]
    pixels = np.where(hands[1].silhouette[..., None], hands[1].pixels, hands[0].pixels)
    return pixels, [shot.observation() for shot in hands]
