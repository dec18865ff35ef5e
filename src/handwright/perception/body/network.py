"""MediaPipe's pose network with what hands need not know: depth of the joints, and a mask of each person.

It finds people by their faces and upper bodies, at most ``MAX_PEOPLE`` in a view: a person who is small, in a
crowd, or seen without head and shoulders is missed. Its network of masks was made for one person in view.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.detect.arms import same_person, views_of_people
from handwright.perception.detect.landmarker import MAX_PEOPLE, Person
from handwright.perception.detect.views import View
from handwright.perception.models.mediapipe_tasks import (
    TaskPool,
    as_mediapipe,
    import_mediapipe,
    silenced_stderr,
)


@dataclass(frozen=True, kw_only=True)
class BodyNetworkParams:
    """Thresholds of the pose network; chosen by eye."""

    min_detection: float = 0.3  # Least confidence of the person detector, in [0, 1]
    min_presence: float = 0.3  # Least confidence of the pose network, in [0, 1]


PARAMS = BodyNetworkParams()


@dataclass(frozen=True, eq=False)
class FoundBody:
    """What the pose network estimates of one person."""

    person: Person  # The 33 joints in the picture
    # float64 [33] depth in pixels of the picture, + away from the camera, from the middle of the hips
    depth_px: Float[np.ndarray, "33"]
    mask: Float[np.ndarray, "h w"]  # float32 in [0, 1]: how surely a pixel of the picture is of this person


class BodyNetwork:
    """The pose network with masks; it loads on first use and stays open until ``close``."""

    def __init__(self, model: Path) -> None:
        self._tasks, self._model = TaskPool(_open), model

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"]) -> list[FoundBody]:
        """Find the people of a picture (sRGB), each once, in its pixels.

        Raises:
            MissingModelError: The model file does not load.
        """
        height, width = pixels.shape[:2]
        found: list[FoundBody] = []
        for view in views_of_people(width, height):
            with self._tasks.borrowed(self._model) as task:
                result = task.detect(as_mediapipe(view.sample(pixels)))
            for joints, mask in zip(result.pose_landmarks, result.segmentation_masks or (), strict=True):
                body = _in_picture(joints, mask.numpy_view().squeeze(), view, width, height)
                if not any(same_person(body.person, other.person) for other in found):
                    found.append(body)
        return found

    def close(self) -> None:
        """Close the networks."""
        self._tasks.close()


class _Task:
    """An open task, its stderr silenced until the first person is found: then MediaPipe prints a warning."""

    def __init__(self, task: Any) -> None:  # noqa: ANN401
        self._task, self._has_warned = task, False

    def detect(self, picture: Any) -> Any:  # noqa: ANN401
        with nullcontext() if self._has_warned else silenced_stderr():
            result = self._task.detect(picture)
        self._has_warned = self._has_warned or bool(result.pose_landmarks)
        return result

    def close(self) -> None:
        self._task.close()


def _in_picture(
    joints: Any,  # noqa: ANN401
    mask: Float[np.ndarray, "n n"],
    view: View,
    width: int,
    height: int,
) -> FoundBody:
    seen = np.array([(joint.x, joint.y, joint.z) for joint in joints], float) * view.size_px
    visible = np.array([min(joint.visibility, joint.presence) for joint in joints], float)
    scale = view.side_px / view.size_px
    shift = np.asarray(view.center_px) - view.side_px / 2 + 0.5 * scale - 0.5
    matrix = np.column_stack([scale * np.eye(2), shift])
    there = cv2.warpAffine(np.ascontiguousarray(mask, np.float32), matrix, (width, height))
    return FoundBody(Person(view.to_picture(seen[:, :2]), visible), seen[:, 2] * scale, np.asarray(there))


def _open(model: Path) -> _Task:
    _, base_options, vision = import_mediapipe()

    options = vision.PoseLandmarkerOptions(
        base_options=base_options(model_asset_path=str(model)),
        num_poses=MAX_PEOPLE,
        min_pose_detection_confidence=PARAMS.min_detection,
        min_pose_presence_confidence=PARAMS.min_presence,
        output_segmentation_masks=True,
    )
    try:
        with silenced_stderr():
            task = vision.PoseLandmarker.create_from_options(options)
            task.detect(as_mediapipe(np.zeros((64, 64, 3), np.uint8)))
    except (RuntimeError, ValueError, OSError) as error:
        raise MissingModelError(f"{model} does not load", str(error), "run `handwright setup`") from error
    return _Task(task)
