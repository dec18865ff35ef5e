"""InterHand2.6M (Moon et al. 2020): a studio with many cameras, single and interacting hands.

    ROOT/annotations/train/InterHand2.6M_train_data.json       images and annotations, like COCO's
    ROOT/annotations/train/InterHand2.6M_train_camera.json     capture → campos, camrot, focal, princpt
    ROOT/annotations/train/InterHand2.6M_train_joint_3d.json   capture → frame → world_coord [42][3], mm
    ROOT/images/train/Capture0/…/cam400262/image12345.jpg

Its order is 21 points of the right hand, then the left: each finger from the tip down, the wrist last. Camera
space is camrot · (world − campos). Pixel 0 is centred at 0.
"""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from handwright.data.loaders.records import (
    Record,
    Unusable,
    hand_in_view,
    picture_at,
    read_json,
    reader,
    record_of,
)
from handwright.data.sample import HandLabel, Sample, Source
from handwright.errors import DataError
from handwright.types import Side

_NAME = "InterHand2.6M"
_TO_MEDIAPIPE = [20, *(4 * finger + joint for finger in range(5) for joint in (3, 2, 1, 0))]
_FIRST: tuple[tuple[Side, int], ...] = (("right", 0), ("left", 21))


def read_interhand(root: Path, split: Literal["train", "val", "test"] = "train") -> Generator[Record]:
    """Every annotation of a split; a point is visible when its label is valid and it lies in the picture.

    Raises:
        DataError: A label file is missing or malformed.
    """
    files = root / "annotations" / split
    data, cameras, joints = (
        read_json(files / f"{_NAME}_{split}_{what}.json", _NAME) for what in ("data", "camera", "joint_3d")
    )
    try:
        pictures = {picture["id"]: picture for picture in data["images"]}
        annotations = data["annotations"]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"{_NAME}: the {split} labels are malformed", f"{error!r}", "fetch them again"
        ) from error
    for label in annotations:
        number = label.get("id", "?") if isinstance(label, dict) else "?"
        source = Source(_NAME, f"{split}/{number}")
        folder = root / "images" / split
        yield record_of(source, partial(_sample, folder, source, label, pictures, cameras, joints))


def _sample(
    folder: Path,
    source: Source,
    label: dict[str, Any],
    pictures: dict[int, dict[str, Any]],
    cameras: dict[str, Any],
    joints: dict[str, Any],
) -> Sample:
    picture = pictures.get(label["image_id"])
    if picture is None:
        raise Unusable("its image id is in no list")
    file = picture_at(folder / picture["file_name"])
    capture, camera = str(picture["capture"]), str(picture["camera"])
    known = joints[capture].get(str(picture["frame_idx"]))
    if known is None:
        raise Unusable("its frame has no 3-D joints")
    views = cameras[capture]
    rotation, position, focal, center = (
        np.array(views[what][camera], float) for what in ("camrot", "campos", "focal", "princpt")
    )
    points_cam_m = (np.array(known["world_coord"], float) - position) @ rotation.T / 1000
    valid = np.array(label["joint_valid"], float).reshape(42) > 0
    size = (int(picture["width"]), int(picture["height"]))
    hands: list[HandLabel] = []
    for side, first in _FIRST:
        order = first + np.array(_TO_MEDIAPIPE)
        if valid[order].any():
            hand = hand_in_view(side, points_cam_m[order], focal, center, size, valid[order])
            hands += [] if hand is None else [hand]
    if not hands:
        raise Unusable("no joint is valid and in the picture")
    key = f"interhand-{source.record.replace('/', '-')}"
    return Sample(key, reader(file), tuple(hands), (), None, "photograph", source)
