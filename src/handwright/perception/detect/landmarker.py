"""MediaPipe's hand landmarker: pixels in, observations out.

Since mediapipe 1.x the label 'Right' means the anatomical right hand of a picture that is *not* mirrored
(older versions assumed a selfie), which is the meaning of ``HandObservation.side``.
"""

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.crop_network import LandmarkNetwork
from handwright.perception.models.download import POSE_NAME, ensure_models
from handwright.perception.models.mediapipe_tasks import (
    TaskPool,
    as_mediapipe,
    open_task,
)
from handwright.stderr import silenced_stderr
from handwright.types import HandObservation, Side

MAX_PEOPLE = 6  # Most people that are found in one view (chosen by eye)
_CONFIDENCE = 0.3
"""Least confidence of the person detector and of the pose network, in [0, 1] (chosen by eye)."""
_FIX = "run `handwright setup`, or `handwright setup --landmarker FILE`"
_WITHOUT_PEOPLE = ", or remove that file: hands are then found without people"


@dataclass(frozen=True, eq=False)
class Person:
    """A body's joints in a picture."""

    # float64 [33, 2] in MediaPipe's order, the person's left first (11, 12 shoulders; 13, 14 elbows; 15, 16
    # wrists; 17, 18 pinky knuckles; 19, 20 index knuckles); also outside the picture
    points_px: Float[np.ndarray, "33 2"]
    # float64 [33] in [0, 1]: how likely the joint is in the picture and unobstructed
    visibility: Float[np.ndarray, "33"]


class PoseNetwork:
    """MediaPipe's pose landmarker; it loads on first use and stays open until ``close``."""

    def __init__(self, model: Path, *, masks: bool = False) -> None:
        self._model, self._tasks = model, TaskPool(lambda model: _open_pose_task(model, masks))

    def __call__(self, pixels: UInt8[np.ndarray, "n n 3"]) -> list[Person]:
        """Find at most ``MAX_PEOPLE`` people, in pixels of ``pixels`` (sRGB, square).

        Raises:
            MissingModelError: the model file does not load.
        """
        return [person_of(joints, len(pixels)) for joints in self.detect(pixels).pose_landmarks]

    def detect(self, pixels: UInt8[np.ndarray, "n n 3"]) -> Any:  # noqa: ANN401
        """The same as MediaPipe's own result, with a mask of everybody where the network makes them."""
        with self._tasks.borrowed(self._model) as task:
            return task.detect(as_mediapipe(pixels))

    def close(self) -> None:
        """Close the networks."""
        self._tasks.close()


class _PoseTask:
    """An open task, its stderr silenced until the first person is found: then MediaPipe prints a warning."""

    def __init__(self, task: Any) -> None:  # noqa: ANN401
        self._task, self._has_warned, self.close = task, False, task.close

    def detect(self, picture: Any) -> Any:  # noqa: ANN401
        with nullcontext() if self._has_warned else silenced_stderr():
            result = self._task.detect(picture)
        self._has_warned = self._has_warned or bool(result.pose_landmarks)
        return result


def person_of(joints: Any, side_px: int) -> Person:  # noqa: ANN401
    """A person by MediaPipe's joints in a square of so many pixels."""
    points = np.array([(joint.x, joint.y) for joint in joints], float) * side_px
    return Person(points, np.array([min(joint.visibility, joint.presence) for joint in joints], float))


def _open_pose_task(model: Path, masks: bool) -> _PoseTask:
    task = open_task(
        "PoseLandmarker",
        model,
        "run `handwright setup`" + (_WITHOUT_PEOPLE if not masks else ""),
        num_poses=MAX_PEOPLE,
        min_pose_detection_confidence=_CONFIDENCE,
        min_pose_presence_confidence=_CONFIDENCE,
        output_segmentation_masks=masks,
    )
    return _PoseTask(task)


WORLD_DEPTH_SCALE = 0.9
"""Factor that corrects the depth of MediaPipe's world landmarks against their x and y (measured on rendered
hands)."""


class Landmarker(Protocol):
    """A hand detector for square pictures; several threads may call it at once."""

    def detect(
        self, pixels: UInt8[np.ndarray, "n n 3"], *, max_hands: int, confidence: float, presence: float
    ) -> list[HandObservation]:
        """Detect hands in ``pixels``, in its own pixel coordinates."""
        ...

    def landmarks_in_crop(self, crop: UInt8[np.ndarray, "224 224 3"]) -> tuple[float, HandObservation]:
        """Return the presence of a hand in an upright crop, in [0, 1], and its landmarks if it is one."""
        ...

    def people(self, pixels: UInt8[np.ndarray, "n n 3"]) -> list[Person]:
        """Find people in ``pixels``, in its own pixel coordinates; none where there is no model of people."""
        ...


class HandLandmarker(AbstractContextManager["HandLandmarker"]):
    """MediaPipe's hand landmarker; its networks load on first use and stay loaded until ``close``.

    There is one network instance for each set of options and each thread that calls at the same time. Use it
    as a context manager, or leave closing to the end of the process.

    Args:
        model: A hand_landmarker.task; by default the one that ``ensure_models()`` finds or fetches. People
            are found only when the pose model lies beside it.

    Raises:
        MissingModelError: the model is missing and cannot be fetched.
    """

    def __init__(self, model: Path | None = None) -> None:
        self._model = model or ensure_models(notify=_to_stderr).hand_landmarker
        self._landmark_network = LandmarkNetwork(self._model)
        self._tasks = TaskPool(
            lambda options: open_task("HandLandmarker", self._model, _FIX, **dict(options))
        )
        pose = self._model.with_name(POSE_NAME)
        self._pose_network = PoseNetwork(pose) if pose.is_file() else None

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every network."""
        self._tasks.close()
        self._landmark_network.close()
        if self._pose_network is not None:
            self._pose_network.close()

    def detect(
        self,
        pixels: UInt8[np.ndarray, "n n 3"],
        *,
        max_hands: int = 4,
        confidence: float = 0.5,
        presence: float = 0.5,
    ) -> list[HandObservation]:
        """Detect hands in a picture.

        Args:
            pixels: sRGB, square: MediaPipe skews the landmarks of turned hands in other shapes.
            max_hands: Most hands that are returned.
            confidence: Least score of the palm detector, in (0, 1).
            presence: Least presence by the landmark network, in (0, 1).

        Returns:
            Observations in pixels of ``pixels``, best score first, ``found_by`` 'picture'; ``score`` is the
            confidence of the side.

        Raises:
            MissingModelError: the model file does not load.
        """
        options = {
            "num_hands": max_hands,
            "min_hand_detection_confidence": confidence,
            "min_hand_presence_confidence": presence,
        }
        with self._tasks.borrowed(tuple(options.items())) as task:
            result = task.detect(as_mediapipe(pixels))
        size = np.array([pixels.shape[1], pixels.shape[0], pixels.shape[1]], float)
        hands = zip(result.hand_landmarks, result.hand_world_landmarks, result.handedness, strict=True)
        observations = [
            _observation(
                _xyz(points) * size, _xyz(world), str(labels[0].category_name), float(labels[0].score)
            )
            for points, world, labels in hands
        ]
        return sorted(observations, key=lambda hand: -hand.score)

    def landmarks_in_crop(self, crop: UInt8[np.ndarray, "224 224 3"]) -> tuple[float, HandObservation]:
        """Presence in [0, 1] and the observation in an upright crop, the palm amid it at half its size.

        Raises:
            MissingModelError: the model file does not load.
        """
        presence, right, landmarks, world = self._landmark_network(crop)
        label, score = ("Right", right) if right >= 0.5 else ("Left", 1.0 - right)
        return presence, _observation(landmarks, world, label, score)

    def people(self, pixels: UInt8[np.ndarray, "n n 3"]) -> list[Person]:
        """Find people in a picture; none where the pose model is missing.

        Raises:
            MissingModelError: the pose model does not load.
        """
        return [] if self._pose_network is None else self._pose_network(pixels)


def of_side(hand: HandObservation, side: Side) -> HandObservation:
    """The hand taken for one of a side.

    Depth changes its sign with the side: what bends toward the camera on a palm bends away from it on a back.
    """
    return hand if hand.side == side else replace(hand, side=side, depth_px=-hand.depth_px)


def _observation(
    image_px: Float[np.ndarray, "21 3"], world: Float[np.ndarray, "21 3"], label: str, score: float
) -> HandObservation:
    """Make an observation; its depth is the mean of MediaPipe's image z and of its scaled world z."""
    flat, world_flat = image_px[:, :2] - image_px[:, :2].mean(0), world[:, :2] - world[:, :2].mean(0)
    scale = np.sqrt((flat**2).sum() / max((world_flat**2).sum(), 1e-12))
    world_depth = (world[:, 2] - world[:, 2].mean()) * scale * WORLD_DEPTH_SCALE
    return HandObservation(
        landmarks_px=np.ascontiguousarray(image_px[:, :2]),
        depth_px=0.5 * world_depth + 0.5 * (image_px[:, 2] - image_px[:, 2].mean()),
        side="right" if label == "Right" else "left",
        score=float(np.clip(score, 0.0, 1.0)),
        found_by="picture",
    )


def _xyz(points: Any) -> Float[np.ndarray, "21 3"]:  # noqa: ANN401
    return np.array([(point.x, point.y, point.z) for point in points], float)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201
