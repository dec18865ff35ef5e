"""Hand crops of real photographs that are licensed for training; test-only pictures never enter."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image as PILImage
from PIL import ImageOps

from handwright.data.hands.defects.generators import DEFECTS
from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.search import find_hands
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.training.streams.crops import CONTEXT, Crops
from handwright.types import HandObservation, Image

TRAIN_SETS = (
    "subhih_handsdataset",
    "roboflow_lebanese_univ_hand_gesture_ccby",
    "roboflow_asl_letters_publicdomain",
    "ardamavi_digits",
    "emrecandir9_gesture",
)
"""Sets whose licence and split allow training."""

TEST_BELOW = "1a"
"""Pictures whose sha256 starts below this are test-only in every set."""

FARTHEST_FIT = 0.02
"""Residual of a fit, in sizes of its hand, up to which its depth is learnt from."""

_CAPTIONS = {"right": "a photograph of a right hand", "left": "a photograph of a left hand"}


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture that may be trained on.

    Attributes:
        source: Set and member name.
        sha256: Of its bytes.
        pixels: uint8 [H, W, 3], upright.
    """

    source: str
    sha256: str
    pixels: UInt8[np.ndarray, "h w 3"]


def is_test_only(sha256: str) -> bool:
    """Whether the split keeps this picture of a training set for tests."""
    return sha256[:2] < TEST_BELOW


def training_photographs(root: Path) -> Iterator[Photograph]:
    """Every picture of the training sets below ``root`` that the split leaves to training."""
    for name in TRAIN_SETS:
        for shard in sorted((root / name).glob("*.tar")):
            with tarfile.open(shard) as tar:
                for member in sorted(m for m in tar.getnames() if m.endswith(".jpg")):
                    file = tar.extractfile(member)
                    data = b"" if file is None else file.read()
                    sha256 = hashlib.sha256(data).hexdigest()
                    if is_test_only(sha256):
                        continue
                    picture = ImageOps.exif_transpose(PILImage.open(io.BytesIO(data))).convert("RGB")
                    yield Photograph(f"{name}/{member}", sha256, np.asarray(picture))


def photograph_crops(
    photograph: Photograph, landmarker: Landmarker, size: int, least_px: float
) -> Crops | None:
    """Crops around the hands of a photograph, or None when no hand of ``least_px`` is seen.

    The mask is the repair mask of a fresh fit, as when refining, and the depth that of the fit; without any
    where the fit is farther than ``FARTHEST_FIT`` from what was seen.
    """
    seen = [h for h in find_hands(photograph.pixels, landmarker=landmarker) if h.size_px >= least_px]
    if not seen:
        return None
    cut = [_cut(photograph.pixels, hand, size) for hand in seen]
    landmarks = np.stack([c[2] for c in cut]).astype(np.float32)
    return Crops(
        pixels=np.stack([c[0] for c in cut]),
        depth=np.stack([c[3] for c in cut]),
        mask=np.stack([c[1] for c in cut]),
        landmarks_px=landmarks,
        visible=np.all((landmarks >= 0) & (landmarks < size), axis=-1),
        side=np.array([int(h.side == "right") for h in seen], np.int8),
        pose=np.full(len(cut), ""),
        defects=np.zeros((len(cut), len(DEFECTS)), np.bool_),
        gloved=np.zeros(len(cut), np.bool_),
        caption=np.array([_CAPTIONS[h.side] for h in seen]),
        rendered=np.zeros(len(cut), np.bool_),
    )


def _cut(
    pixels: UInt8[np.ndarray, "h w 3"], seen: HandObservation, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The square around one hand: pixels, mask, landmarks and depth at ``size``."""
    hand = analyse_hand(Image(np.ascontiguousarray(pixels)), seen)
    fit = hand.fit
    height, width = pixels.shape[:2]
    inside = np.zeros((height, width), np.uint8)
    x0, y0, x1, y1 = hand.window
    inside[y0:y1, x0:x1] = compute_repair_mask(fit.hand, hand.window, hand.landmarks_px, hand.region)
    low, high = seen.landmarks_px.min(0), seen.landmarks_px.max(0)
    scale = size / (CONTEXT * seen.size_px)
    move = size / 2 - scale * (low + high) / 2
    to_crop = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    shrunk = pixels if scale >= 0.9 else cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
    colour = cv2.warpAffine(
        shrunk, to_crop, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpAffine(inside, to_crop, (size, size), flags=cv2.INTER_NEAREST)
    depth = np.zeros((height, width), np.uint8)
    if fit.residual <= FARTHEST_FIT:
        depth = depth_control([fit.hand], height, width).depth
    depth = cv2.warpAffine(depth, to_crop, (size, size), flags=cv2.INTER_LINEAR)
    return colour, mask > 0, seen.landmarks_px * scale + move, depth
