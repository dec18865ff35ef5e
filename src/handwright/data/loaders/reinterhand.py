"""Re:InterHand (Moon et al. 2023): tracked hands, rendered under many lights.

    ROOT/CAPTURE/Mugsy_cameras/cam_params.json                      camera → R, t (mm), focal, princpt
    ROOT/CAPTURE/Mugsy_cameras/envmap_per_frame/images/CAMERA/000123.png
    ROOT/CAPTURE/orig_fits/right/Keypoints/keypoint-000123.json     [24][3] world mm (left likewise)

Its order is the wrist, Thumb_0 … 4, Index_1 … 4, Middle, Ring, Pinky_0 … 4, a forearm stub; Thumb_0 and
Pinky_0 lie in the palm and are left out. Camera space is R · world + t. Pixel 0 is centred at 0.
"""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.loaders.records import (
    Record,
    Unusable,
    hand_in_view,
    read_json,
    reader,
    record_of,
    upright_size_px,
)
from handwright.data.sample import HandLabel, Sample, Source
from handwright.errors import DataError
from handwright.types import Side

_NAME = "Re:InterHand"
_TO_MEDIAPIPE = [0, *range(2, 6), *range(6, 10), *range(10, 14), *range(14, 18), *range(19, 23)]
_SIDES: tuple[Side, ...] = ("right", "left")


def read_reinterhand(root: Path, lights: str = "envmap_per_frame") -> Generator[Record]:
    """Every third-person picture of every capture, lit by 'envmap_per_frame' or 'envmap_per_segment'.

    Raises:
        DataError: There is no capture, or its cameras are missing.
    """
    captures = sorted(path for path in root.glob("*") if (path / "Mugsy_cameras").is_dir())
    if not captures:
        raise DataError(
            f"{_NAME}: {root} holds no capture", "no CAPTURE/Mugsy_cameras", "name the folder of captures"
        )
    for capture in captures:
        cameras = read_json(capture / "Mugsy_cameras" / "cam_params.json", _NAME)
        pictures = capture / "Mugsy_cameras" / lights / "images"
        for file in sorted(pictures.glob("*/*.png")):
            camera = file.parent.name
            source = Source(_NAME, f"{capture.name}/{lights}/{camera}/{file.stem}")
            yield record_of(source, partial(_sample, capture, file, source, cameras.get(camera)))


def _sample(capture: Path, file: Path, source: Source, camera: Any) -> Sample:  # noqa: ANN401
    if camera is None:
        raise Unusable("its camera has no parameters")
    size = upright_size_px(file)
    rotation, shift, focal, center = (
        np.array(camera[what], float) for what in ("R", "t", "focal", "princpt")
    )
    hands: list[HandLabel] = []
    for side in _SIDES:
        labels = capture / "orig_fits" / side / "Keypoints" / f"keypoint-{int(file.stem):06d}.json"
        if not labels.is_file():
            continue
        world = np.array(read_json(labels, _NAME), float)
        if world.shape != (24, 3):
            raise Unusable(f"its keypoints have shape {world.shape}, not (24, 3)")
        points_cam_m = (world[_TO_MEDIAPIPE] @ rotation.T + shift) / 1000
        hand = hand_in_view(side, points_cam_m, focal, center, size)
        hands += [] if hand is None else [hand]
    if not hands:
        raise Unusable("no keypoint file puts a hand into the picture")
    key = "reinterhand-" + source.record.replace("/", "-")
    return Sample(key, reader(file), tuple(hands), (), None, "3D rendered image", source)
