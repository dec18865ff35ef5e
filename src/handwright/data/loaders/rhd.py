"""Rendered Hand Pose (Zimmermann and Brox 2017): rendered people, both hands labelled.

    ROOT/training/color/00000.png …
    ROOT/training/anno_training.npz      ids [N], uv_vis [N, 42, 3], xyz [N, 42, 3] metres

The published labels are a pickle, which runs whatever code it holds when it is read; so it is never read
here. Whoever trusts the file converts it once (:data:`CONVERT`). Its order is 21 points of the left hand,
then the right: the wrist, then each finger from the tip down. Pixel 0 is centred at 0.
"""

import zipfile
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float

from handwright.data.loaders.records import Record, Unusable, from_pixel_index, picture_at, reader, record_of
from handwright.data.sample import HandLabel, Sample, Source, box_around
from handwright.errors import DataError
from handwright.types import Side

CONVERT = (
    "import pickle, numpy as np; a = pickle.load(open('anno_training.pickle', 'rb')); "
    "np.savez('anno_training.npz', ids=np.array(list(a)), "
    "uv_vis=np.stack([a[i]['uv_vis'] for i in a]), xyz=np.stack([a[i]['xyz'] for i in a]))"
)
"""Python that turns the published pickle into what is read here; run it only on a file that you trust."""

_NAME = "RHD"
_TO_MEDIAPIPE = [0, *(4 * finger + joint for finger in range(5) for joint in (4, 3, 2, 1))]
_HALVES: tuple[tuple[Side, slice], ...] = (("left", slice(0, 21)), ("right", slice(21, 42)))
_LEAST_VISIBLE = 4


def read_rhd(root: Path, split: Literal["training", "evaluation"] = "training") -> Generator[Record]:
    """Every picture of a split; a hand with fewer than 4 visible points is not there.

    Raises:
        DataError: The converted labels are missing or malformed.
    """
    ids, uv_vis, xyz = _labels(root / split / f"anno_{split}.npz", split)
    for number, uv_visible, points in zip(ids, uv_vis, xyz, strict=True):
        file = root / split / "color" / f"{int(number):05d}.png"
        source = Source(_NAME, f"{split}/{int(number):05d}")
        yield record_of(source, partial(_sample, file, source, uv_visible, points))


def _labels(path: Path, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    convert = f'convert the pickle once, if you trust it: python -c "{CONVERT.replace("training", split)}"'
    try:
        with np.load(path, allow_pickle=False) as stored:
            ids, uv_vis, xyz = (stored[name] for name in ("ids", "uv_vis", "xyz"))
    except OSError as error:
        raise DataError(f"{_NAME}: cannot read {path}", error.strerror or str(error), convert) from error
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{_NAME}: {path} is malformed", str(error), convert) from error
    if uv_vis.shape != (len(ids), 42, 3) or xyz.shape != uv_vis.shape:
        raise DataError(f"{_NAME}: {path} is malformed", f"shapes {uv_vis.shape}, {xyz.shape}", convert)
    return ids, uv_vis, xyz


def _sample(
    file: Path, source: Source, uv_vis: Float[np.ndarray, "42 3"], xyz: Float[np.ndarray, "42 3"]
) -> Sample:
    picture_at(file)
    hands: list[HandLabel] = []
    for side, half in _HALVES:
        uv_visible = np.asarray(uv_vis[half], np.float64)[_TO_MEDIAPIPE]
        visible = uv_visible[:, 2] == 1
        if visible.sum() >= _LEAST_VISIBLE:
            points = from_pixel_index(uv_visible[:, :2])
            joints_cam_m = np.asarray(xyz[half], np.float64)[_TO_MEDIAPIPE]
            hands.append(HandLabel(box_around(points[visible]), side, points, visible, joints_cam_m))
    if not hands:
        raise Unusable("no hand has 4 visible points")
    key = f"rhd-{source.record.replace('/', '-')}"
    return Sample(key, reader(file), tuple(hands), (), None, "3D rendered image", source)
