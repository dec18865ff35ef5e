"""Drawn hands to review, one judge that only sees people, and second fingers to find."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS
from handwright.hand.kinematics import hand_landmarks_m
from handwright.perception.analysis import analyse_hand
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.judge import Judge
from handwright.types import HandObservation, Image
from tests.drawn import flat_hand, shoot


def seen(hand) -> HandObservation:
    """The true landmarks of a hand, depth included, as an observation."""
    points = hand_landmarks_m(hand)
    depth = points[:, 2] * hand.camera.focal_px / points[:, 2].mean()
    return HandObservation(
        landmarks_px=hand.camera.project(points),
        depth_px=depth,
        side=hand.side,
        score=0.99,
        found_by="picture",
    )


def evidence_of(shot, pixels=None, **changes):
    from dataclasses import replace

    return analyse_hand(Image(shot.pixels if pixels is None else pixels), replace(seen(shot.hand), **changes))


def grainy(**options):
    return shoot(flat_hand(side=options.pop("side", "right")), grain=2.5, **options)


def with_finger(shot, start, end, width=0.3):
    """The picture with one more finger: a rounded bar of the hand's own colour between two points."""
    pixels = shot.pixels.copy()
    colour = np.median(shot.pixels[shot.silhouette], 0)
    span = np.linalg.norm(shot.landmarks_px[9] - shot.landmarks_px[0])
    drawn = np.zeros(pixels.shape[:2], np.uint8)
    ends = [tuple(int(v) for v in point) for point in (start, end)]
    cv2.line(drawn, *ends, 1, int(width * span), cv2.LINE_8)
    noise = np.random.default_rng(3).normal(0, 2.5, pixels.shape)
    return np.where(drawn[..., None] > 0, np.clip(colour + noise, 0, 255), pixels).astype(np.uint8)


@dataclass
class PeopleLandmarker:
    """Sees no hand, and always the same people."""

    persons: list = field(default_factory=list)

    def detect(self, pixels, *, max_hands, confidence, presence):
        return []

    def landmarks_in_crop(self, crop):
        return 0.0, seen(flat_hand())

    def people(self, pixels):
        return self.persons


class Content:
    """A critic that finds every hand sound, and a right one."""

    def judge(self, pixels, regions):
        names = (*COUNT_DEFECTS, *SHAPE_DEFECTS)
        sound, thresholds = dict.fromkeys(names, 0.01), dict.fromkeys((*names, "malformed"), 0.5)
        five = {5: 1.0}
        prediction = CriticPrediction(
            malformed=0.01,
            defects=sound,
            where_px={},
            thresholds=thresholds,
            fingers=five,
            landmarks_px=np.zeros((21, 2)),
            visible=np.ones(21),
            right=0.99,
            poses={},
            gloved=0.01,
            assessable=0.99,
        )
        return [prediction] * len(regions)


def judge(*persons, critic=None) -> Judge:
    return Judge(PeopleLandmarker(list(persons)), critic)
