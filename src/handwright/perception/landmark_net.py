"""The landmark network without the palm detector: is this crop a hand, and where are its landmarks?

Inside MediaPipe the palm detector decides alone which crops the landmark network ever sees, and the network's
own verdict on them is thrown away. Asked directly it tells hands from faces and lamps better than the
detector, and it knows hands that hold something. OpenCV runs it, slower than MediaPipe: for cases of doubt.
"""

from __future__ import annotations

import tempfile
import threading
import zipfile
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError

INPUT_PX = 224
_Z_SCALE = 2.5
"""MediaPipe stores depth at 0.4 of the crop's scale."""


class LandmarkNet:
    """The landmark network of a hand_landmarker.task; loads on first use.

    Args:
        model: The task file.
    """

    def __init__(self, model: Path) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._net: cv2.dnn.Net | None = None

    def __call__(
        self, crop: UInt8[np.ndarray, "224 224 3"]
    ) -> tuple[float, float, Float[np.ndarray, "21 3"], Float[np.ndarray, "21 3"]]:
        """What the network says of an upright crop, fingers up, about twice the palm's size.

        Returns:
            Presence in [0, 1]; how sure it is of a right hand in [0, 1]; landmarks in crop pixels with depth;
            the same in metres.

        Raises:
            MissingModelError: the task file does not hold a network that loads.
        """
        blob = np.ascontiguousarray(crop.astype(np.float32).transpose(2, 0, 1)[None] / 255)
        with self._lock:
            if self._net is None:
                self._net = _load(self._model)
            self._net.setInput(blob)
            outputs = self._net.forward(("Identity", "Identity_1", "Identity_2", "Identity_3"))
        image, presence, right, world = (np.asarray(output, float) for output in outputs)
        landmarks = image.reshape(21, 3) * (1.0, 1.0, _Z_SCALE)
        return float(presence.item()), float(right.item()), landmarks, world.reshape(21, 3)


def _load(model: Path) -> cv2.dnn.Net:
    name = "hand_landmarks_detector.tflite"
    try:
        with zipfile.ZipFile(model) as task, tempfile.TemporaryDirectory(prefix="handwright-") as scratch:
            # From memory OpenCV 5 always takes its new engine, which gives one of the four outputs.
            return cv2.dnn.readNetFromTFLite(task.extract(name, scratch), cv2.dnn.ENGINE_CLASSIC)
    except (OSError, KeyError, zipfile.BadZipFile, cv2.error) as error:
        fix = "run `handwright setup`, or `handwright setup --model FILE`"
        raise MissingModelError(f"{model} does not load", str(error), fix) from error
