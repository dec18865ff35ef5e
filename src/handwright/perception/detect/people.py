"""People in a picture and their joints: MediaPipe's pose landmarker."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.models.mediapipe_tasks import (
    TaskPool,
    as_mediapipe,
    import_mediapipe,
    silenced_stderr,
)

MAX_PEOPLE = 6  # Most people that are found in one view (chosen by eye)
_CONFIDENCE = 0.3
"""Least confidence of the person detector and of the pose network, in [0, 1] (chosen by eye)."""


@dataclass(frozen=True, eq=False)
class Person:
    """A body's joints in a picture.

    Attributes:
        points_px: float64 [33, 2] in MediaPipe's order, the person's left first (11, 12 shoulders; 13, 14
            elbows; 15, 16 wrists; 17, 18 pinky knuckles; 19, 20 index knuckles); also outside the picture.
        visibility: float64 [33] in [0, 1]: how likely the joint is in the picture and unobstructed.
    """

    points_px: Float[np.ndarray, "33 2"]
    visibility: Float[np.ndarray, "33"]


class PoseNetwork:
    """MediaPipe's pose landmarker; it loads on first use and stays open until ``close``."""

    def __init__(self, model: Path) -> None:
        self._tasks = TaskPool(_open_task)
        self._model = model

    def __call__(self, pixels: UInt8[np.ndarray, "n n 3"]) -> list[Person]:
        """Find at most ``MAX_PEOPLE`` people, in pixels of ``pixels`` (sRGB, square).

        Raises:
            MissingModelError: the model file does not load.
        """
        with self._tasks.borrowed(self._model) as task:
            people = task.people(as_mediapipe(pixels))
        return [_person(joints, len(pixels)) for joints in people]

    def close(self) -> None:
        """Close the networks."""
        self._tasks.close()


class _Task:
    """An open task, its stderr silenced until the first person is found: then MediaPipe prints a warning."""

    def __init__(self, task: Any) -> None:  # noqa: ANN401
        self._task = task
        self._has_warned = False

    def people(self, picture: Any) -> list[Any]:  # noqa: ANN401
        """Return the joints of everybody in MediaPipe's image."""
        with nullcontext() if self._has_warned else silenced_stderr():
            found: list[Any] = self._task.detect(picture).pose_landmarks
        self._has_warned = self._has_warned or bool(found)
        return found

    def close(self) -> None:
        self._task.close()


def _person(joints: Any, side_px: int) -> Person:  # noqa: ANN401
    points = np.array([(joint.x, joint.y) for joint in joints], float) * side_px
    return Person(points, np.array([min(joint.visibility, joint.presence) for joint in joints], float))


def _open_task(model: Path) -> _Task:
    _, base_options, vision = import_mediapipe()

    options = vision.PoseLandmarkerOptions(
        base_options=base_options(model_asset_path=str(model)),
        num_poses=MAX_PEOPLE,
        min_pose_detection_confidence=_CONFIDENCE,
        min_pose_presence_confidence=_CONFIDENCE,
    )
    try:
        with silenced_stderr():
            task = vision.PoseLandmarker.create_from_options(options)
            task.detect(as_mediapipe(np.zeros((64, 64, 3), np.uint8)))
    except (RuntimeError, ValueError, OSError) as error:
        fix = "run `handwright setup`, or remove that file: hands are then found without people"
        raise MissingModelError(f"{model} does not load", str(error), fix) from error
    return _Task(task)
