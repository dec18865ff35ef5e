"""MediaPipe's landmark network without the palm detector: whether a crop is a hand, and its landmarks.

Inside MediaPipe the palm detector alone decides which crops reach the landmark network, whose own presence
output is discarded. Run directly, the network separates hands from faces and lamps better than the palm
detector, and it recognises hands that hold something. MediaPipe has no task for that, but its image embedder
runs any network and returns its outputs; a crop takes milliseconds.
"""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.perception.models.mediapipe_tasks import (
    TaskPool,
    as_mediapipe,
    import_mediapipe,
)
from handwright.stderr import silenced_stderr

INPUT_PX = 224  # Side of the network's input in pixels
_Z_SCALE = 2.5  # MediaPipe stores depth at 0.4 of the crop's scale


class LandmarkNetwork:
    """The landmark network of a hand_landmarker.task; loads on first use."""

    def __init__(self, model: Path) -> None:
        self._tasks = TaskPool(_load)
        self._model = model

    def close(self) -> None:
        """Close the network."""
        self._tasks.close()

    def __call__(
        self, crop: UInt8[np.ndarray, "224 224 3"]
    ) -> tuple[float, float, Float[np.ndarray, "21 3"], Float[np.ndarray, "21 3"]]:
        """Run the network on an upright crop, fingers up, about twice the palm's size.

        Returns:
            Presence in [0, 1]; probability of a right hand in [0, 1]; landmarks [21, 3] in crop pixels with
            depth; the same in metres.

        Raises:
            MissingModelError: the task file does not hold a network that loads.
        """
        with self._tasks.borrowed(self._model) as task:
            outputs = task.embed(as_mediapipe(crop)).embeddings
        # By index: the network's own names of its outputs are interchanged.
        image, presence, right, world = (np.asarray(output.embedding, float) for output in outputs)
        landmarks = image.reshape(21, 3) * (1.0, 1.0, _Z_SCALE)
        return float(presence.item()), float(right.item()), landmarks, world.reshape(21, 3)


def _load(model: Path) -> Any:  # noqa: ANN401
    _, base_options, vision = import_mediapipe()

    blank = np.zeros((INPUT_PX, INPUT_PX, 3), np.uint8)
    try:
        with zipfile.ZipFile(model) as members:
            network = members.read("hand_landmarks_detector.tflite")
        options = vision.ImageEmbedderOptions(base_options=base_options(model_asset_buffer=network))
        with silenced_stderr():
            task = vision.ImageEmbedder.create_from_options(options)
            task.embed(as_mediapipe(blank))
    except (OSError, KeyError, zipfile.BadZipFile, RuntimeError, ValueError) as error:
        fix = "run `handwright setup`, or `handwright setup --landmarker FILE`"
        raise MissingModelError(f"{model} does not load", str(error), fix) from error
    return task
