"""Features of the second critic, the referee: they follow anatomy and hardly depend on sharpness or grain.

KID on them grows with malformed and warped hands, which features of pictures at large ignore, and not with
noise; measure both. The referee has chosen no picture (``weights/referee``).
"""

import math
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.metrics.crops import MARGIN
from handwright.perception.models.onnx_session import open_session

FOLDER = Path(__file__).parents[2] / "weights" / "referee"

TURNS = 12  # Directions in which a crop is looked at; the referee knows hands that point up

_COARSEST = 1.5


class RefereeExtractor:
    """Features of hand crops (``metrics.crops.hand_crop``), as the referee sees them the right way up.

    Of ``TURNS`` directions it takes the one in which the referee is surest to see a hand.

    Raises:
        MissingModelError: It is missing, damaged, or has no features.
    """

    name = "referee-v1"

    def __init__(self, folder: Path = FOLDER) -> None:
        self._session, metadata = open_session(folder / "critic.onnx")
        if "features" not in {output.name for output in self._session.get_outputs()}:
            raise MissingModelError(
                f"the critic in {folder} tells no features", "", "run scripts/referee_features.py on it"
            )
        self._size_px, self._context = int(metadata["size_px"]), float(metadata["context"])

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """float32 [N, 192] of square crops of any size."""
        return np.stack([self._features(picture) for picture in pictures]).astype(np.float32)

    def _features(self, picture: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "d"]:
        views = np.stack([self._turned(picture, 2 * math.pi * k / TURNS) for k in range(TURNS)])
        crops = np.ascontiguousarray(views.transpose(0, 3, 1, 2), np.float32) / np.float32(127.5) - 1
        hand, features = self._session.run(["hand", "features"], {"crops": crops})
        return features[int(np.argmax(hand))]

    def _turned(self, picture: UInt8[np.ndarray, "h w 3"], turn: float) -> UInt8[np.ndarray, "s s 3"]:
        """The middle of the crop, as wide as the referee is used to, turned about its centre."""
        size, height = self._size_px, picture.shape[0]
        scale = size * MARGIN / (self._context * height)
        if scale * _COARSEST < 1:
            side = math.ceil(_COARSEST * scale * height)
            picture = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
            scale *= height / side
        c, s = scale * math.cos(turn), scale * math.sin(turn)
        linear = np.array([[c, -s], [s, c]])
        middle = np.array([picture.shape[1] - 1, picture.shape[0] - 1]) / 2
        to_view = np.column_stack([linear, np.full(2, (size - 1) / 2) - linear @ middle])
        view = cv2.warpAffine(
            picture, to_view, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(view, np.uint8)
