"""Real photographs that are licensed for training; test-only pictures never enter."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PILImage
from PIL import ImageOps

TRAIN_SETS = (
    "subhih_handsdataset",
    "roboflow_lebanese_univ_hand_gesture_ccby",
    "roboflow_asl_letters_publicdomain",
    "ardamavi_digits",
    "emrecandir9_gesture",
)
"""Sets whose licence and split allow training."""

TEST_BELOW = "1a"  # Pictures whose sha256 starts below this are test-only in every set


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture that may be trained on."""

    source: str  # Set and member name
    sha256: str  # Of its bytes
    pixels: UInt8[np.ndarray, "h w 3"]  # , upright


def is_test_only(sha256: str) -> bool:
    """Whether the split keeps this picture of a training set for tests."""
    return sha256[:2] < TEST_BELOW


def training_photographs(root: Path) -> Iterator[Photograph]:
    """Every picture of the training sets below ``root`` that the split leaves to training."""
    for name in TRAIN_SETS:
        yield from photographs_of(root / name, test_only=False)


def photographs_of(folder: Path, *, test_only: bool) -> Iterator[Photograph]:
    """The pictures of one set's shards that the split keeps for tests, or those it leaves to training."""
    for shard in sorted(folder.glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in sorted(m for m in tar.getnames() if m.endswith(".jpg")):
                file = tar.extractfile(member)
                data = b"" if file is None else file.read()
                sha256 = hashlib.sha256(data).hexdigest()
                if is_test_only(sha256) != test_only:
                    continue
                picture = ImageOps.exif_transpose(PILImage.open(io.BytesIO(data))).convert("RGB")
                yield Photograph(f"{folder.name}/{member}", sha256, np.asarray(picture))
