"""MediaPipe's hand landmarker: pixels in, observations out. The only file that touches mediapipe.

A label's meaning, stated once: since mediapipe 1.x 'Right' is the anatomical right hand of a picture that is *not*
mirrored; older versions assumed a selfie. So the label is our ``side`` as it stands.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.models import ensure_models
from handwright.types import HandObservation

DEPTH_OF_WORLD = 0.9
"""World z comes out this much too deep against x and y (probe on rendered hands)."""


class Landmarker(Protocol):
    """Anything that sees hands in a square picture."""

    def detect(
        self, pixels: UInt8[np.ndarray, "n n 3"], *, max_hands: int, confidence: float
    ) -> list[HandObservation]:
        """Hands in ``pixels``, in its own pixel coordinates."""
        ...


class HandLandmarker:
    """MediaPipe's hand landmarker, one network instance per (max_hands, confidence), all kept until closed.

    Use as a context manager. Not safe to share between threads.

    Args:
        model: A hand_landmarker.task; by default what ``ensure_models()`` has or fetches.

    Raises:
        MissingModelError: there is no such file, or it does not load.
    """

    def __init__(self, model: Path | None = None) -> None:
        self._model = model or ensure_models(say=lambda line: print(line, file=sys.stderr)).hand_landmarker  # noqa: T201
        self._tasks: dict[tuple[int, float], Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of every network; mediapipe complains at exit about those left open."""
        while self._tasks:
            self._tasks.popitem()[1].close()

    def detect(
        self, pixels: UInt8[np.ndarray, "n n 3"], *, max_hands: int = 4, confidence: float = 0.5
    ) -> list[HandObservation]:
        """Hands in a picture, best score first.

        Args:
            pixels: sRGB. Square: mediapipe skews the landmarks of turned hands in any other shape.
            max_hands: At most so many hands.
            confidence: Least palm score and least hand presence, in (0, 1).

        Returns:
            Observations in pixels of ``pixels``; ``score`` is mediapipe's handedness confidence, ``found_by`` 'picture'.
        """
        import mediapipe as mp

        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))
        fresh = (max_hands, confidence) not in self._tasks
        with _quiet() if fresh else contextlib.nullcontext():
            result = self._task(max_hands, confidence).detect(image)
        size = np.array([pixels.shape[1], pixels.shape[0], pixels.shape[1]], float)
        seen = [
            _observation(_xyz(image_points) * size, _xyz(world_points), labels[0])
            for image_points, world_points, labels in zip(
                result.hand_landmarks, result.hand_world_landmarks, result.handedness, strict=True
            )
        ]
        return sorted(seen, key=lambda hand: -hand.score)

    def _task(self, max_hands: int, confidence: float) -> Any:  # noqa: ANN401
        key = (max_hands, confidence)
        if key not in self._tasks:
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.HandLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(self._model)),
                num_hands=max_hands,
                min_hand_detection_confidence=confidence,
                min_hand_presence_confidence=confidence,
            )
            try:
                self._tasks[key] = vision.HandLandmarker.create_from_options(options)
            except (RuntimeError, ValueError, OSError) as error:
                fix = "run `handwright setup`, or `handwright setup --model FILE`"
                raise MissingModelError(f"{self._model} does not load", str(error), fix) from error
        return self._tasks[key]


def _observation(
    image_px: Float[np.ndarray, "21 3"], world: Float[np.ndarray, "21 3"], label: Any
) -> HandObservation:  # noqa: ANN401
    """Depth is the mean of the two that mediapipe gives: image z, and world z at the scale of the landmarks."""
    flat, world_flat = image_px[:, :2] - image_px[:, :2].mean(0), world[:, :2] - world[:, :2].mean(0)
    scale = np.sqrt((flat**2).sum() / max((world_flat**2).sum(), 1e-12))
    world_depth = (world[:, 2] - world[:, 2].mean()) * scale * DEPTH_OF_WORLD
    depth = 0.5 * world_depth + 0.5 * (image_px[:, 2] - image_px[:, 2].mean())
    return HandObservation(
        landmarks_px=np.ascontiguousarray(image_px[:, :2]),
        depth_px=depth,
        side="right" if label.category_name == "Right" else "left",
        score=float(np.clip(label.score, 0.0, 1.0)),
        found_by="picture",
    )


def _xyz(points: Any) -> Float[np.ndarray, "21 3"]:  # noqa: ANN401
    return np.array([(point.x, point.y, point.z) for point in points], float)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send what C++ writes to file descriptor 2 nowhere; mediapipe's start-up notes ignore every log level."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
