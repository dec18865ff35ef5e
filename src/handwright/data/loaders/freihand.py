"""FreiHAND (Zimmermann et al. 2019): right hands, four backgrounds a pose.

    ROOT/training/rgb/00000000.jpg …    N poses, then the same poses again with other backgrounds
    ROOT/training_K.json [N][3][3] · training_xyz.json [N][21][3] metres, in MediaPipe's order
    (evaluation likewise, with one background)

Points are projected with K, whose pixel 0 is centred at 0.
"""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from handwright.data.loaders.records import Record, picture_at, project, read_json, reader, record_of
from handwright.data.sample import HandLabel, Sample, Source, box_around
from handwright.errors import DataError

_NAME = "FreiHAND"
_BACKGROUNDS = 4


def read_freihand(root: Path, split: Literal["training", "evaluation"] = "training") -> Generator[Record]:
    """Every picture of a split; ``root`` holds ``training_K.json``.

    Raises:
        DataError: The label files are missing or do not fit each other.
    """
    cameras = read_json(root / f"{split}_K.json", _NAME)
    points = read_json(root / f"{split}_xyz.json", _NAME)
    if len(cameras) != len(points):
        raise DataError(
            f"{_NAME}: {len(cameras)} cameras but {len(points)} hands",
            "files of two versions",
            "fetch both again",
        )
    backgrounds = _BACKGROUNDS if split == "training" else 1
    for index in range(backgrounds * len(points)):
        pose = index % len(points)
        file = root / split / "rgb" / f"{index:08d}.jpg"
        source = Source(_NAME, f"{split}/{index:08d}")
        yield record_of(source, partial(_sample, file, source, cameras[pose], points[pose]))


def _sample(file: Path, source: Source, camera: Any, points: Any) -> Sample:  # noqa: ANN401
    picture_at(file)
    k, joints_cam_m = np.array(camera, float), np.array(points, float)
    points_px = project(joints_cam_m, k[[0, 1], [0, 1]], k[:2, 2])
    hand = HandLabel(box_around(points_px), "right", points_px, np.ones(21, bool), joints_cam_m)
    key = f"freihand-{source.record.replace('/', '-')}"
    return Sample(key, reader(file), (hand,), (), None, "photograph", source)
