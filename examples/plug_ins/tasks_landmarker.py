"""A landmarker: any detector of 21 landmarks, here MediaPipe's own task, asked twice, once in a mirror.

    export HAND_TASK=hand_landmarker.task
    handwright hands photo.png -o found --landmarker plug_ins.tasks_landmarker:MirroredLandmarker

Another library takes the place of ``_detected``: landmarks in pixels of the view, in MediaPipe's order.
"""

import os
from dataclasses import replace

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions
from mediapipe.tasks.python.vision import HandLandmarker, HandLandmarkerOptions

from handwright.types import HandObservation

SAME_HAND = 0.25  # Greatest mean distance of two detections of one hand, in hand sizes
OTHER = {"left": "right", "right": "left"}


class MirroredLandmarker:
    """The mean of what is detected in a view and in its mirror image: found in one alone, it is none."""

    version = "1"

    def __init__(self) -> None:
        options = HandLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=os.environ["HAND_TASK"]),
            num_hands=6,
            min_hand_detection_confidence=0.3,
            min_hand_presence_confidence=0.3,
        )
        self._task = HandLandmarker.create_from_options(options)

    def detect(self, pixels: np.ndarray) -> list[HandObservation]:
        """The hands of a view, in its own pixels."""
        mirrored = [_mirrored(hand, pixels.shape[1]) for hand in self._detected(pixels[:, ::-1])]
        pairs = [(hand, _nearest(hand, mirrored)) for hand in self._detected(pixels)]
        return [_mean(hand, other) for hand, other in pairs if other is not None]

    def _detected(self, pixels: np.ndarray) -> list[HandObservation]:
        picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(pixels))
        found, height, width = self._task.detect(picture), *pixels.shape[:2]
        return [
            HandObservation(
                landmarks_px=np.array([(point.x * width, point.y * height) for point in points]),
                depth_px=np.array([point.z * width for point in points]),
                side="right" if labels[0].category_name == "Right" else "left",
                score=float(np.clip(labels[0].score, 0, 1)),
                found_by="picture",
            )
            for points, labels in zip(found.hand_landmarks, found.handedness, strict=True)
        ]


def _mirrored(hand: HandObservation, width: int) -> HandObservation:
    return replace(hand, landmarks_px=hand.landmarks_px * (-1, 1) + (width, 0), side=OTHER[hand.side])


def _nearest(hand: HandObservation, others: list[HandObservation]) -> HandObservation | None:
    def away(other: HandObservation) -> float:
        return float(np.linalg.norm(hand.landmarks_px - other.landmarks_px, axis=1).mean())

    nearest = min(others, key=away, default=None)
    return nearest if nearest is not None and away(nearest) < SAME_HAND * hand.size_px else None


def _mean(hand: HandObservation, other: HandObservation) -> HandObservation:
    return replace(
        hand,
        landmarks_px=(hand.landmarks_px + other.landmarks_px) / 2,
        depth_px=(hand.depth_px + other.depth_px) / 2,
        score=(hand.score + (other.score if other.side == hand.side else 1 - other.score)) / 2,
    )
