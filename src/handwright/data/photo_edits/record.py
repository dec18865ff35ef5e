"""The truth of an edited photograph as plain numbers, for JSON."""

from dataclasses import replace
from typing import Any

import numpy as np

from handwright.data.captions import PHOTOGRAPH, Scene
from handwright.data.hands.record import record_head
from handwright.data.photo_edits.sample import EditedPhoto
from handwright.hand.grammar import PoseWords, orientation_of, words_of
from handwright.hand.kinematics import dofs_of_pose
from handwright.types import Side


def record_of(picture: EditedPhoto, seed: int, index: int) -> dict[str, Any]:
    """Everything known of a picture, JSON-ready; keypoints are the sound hand's, as MediaPipe detects it."""
    crop, label, size = picture.crop, picture.label, picture.pixels.shape[0]
    defects = [] if label is None else [label.name]
    scene = Scene((_words(picture),), domain=PHOTOGRAPH, defects=tuple(defects))
    hands = [_hand(crop.points * picture.scale, crop.side, size)]
    hands[0]["words"] = str(scene.hands[0])
    if label is not None:
        box = [round(v, 1) for v in label.bbox_xyxy_px]
        hands[0]["defects"].append(
            {
                "name": label.name,
                "generator": label.generator,
                "fingers": list(label.fingers),
                "bbox_xyxy_px": box,
            }
        )
    hands += [_hand(points * picture.scale, side, size) for points, side in crop.others]
    return {
        **record_head(scene, "defects", seed, index, picture.pixels),
        "hands": hands,
        "keypoints_source": "mediapipe",
        "photograph": {"name": crop.name, "sha256": crop.sha256},
        "processing": {"name": picture.processing[0], "generator": picture.processing[1]},
        "defects": defects,
    }


def _hand(points: np.ndarray, side: Side, size: int) -> dict[str, Any]:
    return {
        "side": side,
        "keypoints_px": np.round(points, 3).tolist(),
        "visible": ((points >= 0) & (points < size)).all(axis=1).tolist(),
        "keypoints_source": "mediapipe",
        "defects": list[dict[str, Any]](),
    }


def _words(picture: EditedPhoto) -> PoseWords:
    hand = picture.crop.hand
    palm, points = orientation_of(hand.wrist)
    return replace(
        words_of(dofs_of_pose(hand.pose, hand.palm_arch)), palm=palm, points=points, side=hand.side
    )
