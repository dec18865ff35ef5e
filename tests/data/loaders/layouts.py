"""Small data sets on disk, in the layout of their publishers, made of hands whose truth is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PILImage

FOCAL, CENTER, SIDE = np.array([300.0, 310.0]), np.array([99.5, 100.5]), 200


def hand_cam_m(seed: int) -> np.ndarray:
    """21 points [21, 3] in MediaPipe order in front of the camera, all inside the picture."""
    rng = np.random.default_rng(seed)
    return rng.uniform([-0.08, -0.08, 0.45], [0.08, 0.08, 0.55], (21, 3))


def pixels_of(points_cam_m: np.ndarray) -> np.ndarray:
    """Where they are seen, pixel centres at + 0.5."""
    return points_cam_m[:, :2] / points_cam_m[:, 2:] * FOCAL + CENTER + 0.5


def picture(path: Path, width: int = SIDE, height: int = SIDE, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PILImage.fromarray(np.full((height, width, 3), 120, np.uint8)).save(path, **options)


def dump(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def tips_first(points: np.ndarray, wrist_last: bool = False) -> np.ndarray:
    """MediaPipe order → each finger from its tip down, the wrist first or last."""
    fingers = [points[1 + 4 * f : 5 + 4 * f][::-1] for f in range(5)]
    return np.concatenate([*fingers, points[:1]] if wrist_last else [points[:1], *fingers])


def turned() -> np.ndarray:
    """A rotation that is none of the easy ones."""
    a, b = 0.7, -0.4
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return about_z @ about_x


def write_interhand(
    root: Path, right: np.ndarray, left: np.ndarray, valid: np.ndarray, more: Sequence[Any] = ()
) -> None:
    """InterHand2.6M with both hands in a picture, its right hand alone once more, and further labels."""
    rotation, position = turned(), np.array([120.0, -340.0, 560.0])
    ordered = np.concatenate([tips_first(right, True), tips_first(left, True)])
    world_mm = 1000 * ordered @ rotation + position
    names = ["Capture0/ROM01/cam40/image1.jpg", "Capture0/ROM01/cam40/image2.jpg"]
    pictures = [
        {"id": i, "file_name": n, "width": SIDE, "height": SIDE, "capture": 0, "camera": "40", "frame_idx": i}
        for i, n in enumerate(names)
    ]
    labels = [
        {"id": 5, "image_id": 0, "joint_valid": valid.tolist(), "hand_type": "interacting"},
        {"id": 6, "image_id": 0, "joint_valid": [1] * 21 + [0] * 21, "hand_type": "right"},
    ]
    files = root / "annotations/train/InterHand2.6M_train_"
    dump(Path(f"{files}data.json"), {"images": pictures, "annotations": [*labels, *more]})
    camera = {
        "campos": {"40": position.tolist()},
        "camrot": {"40": rotation.tolist()},
        "focal": {"40": FOCAL.tolist()},
        "princpt": {"40": CENTER.tolist()},
    }
    dump(Path(f"{files}camera.json"), {"0": camera})
    dump(Path(f"{files}joint_3d.json"), {"0": {"0": {"world_coord": world_mm.tolist()}}})
    for name in names:
        picture(root / "images/train" / name)


def write_reinterhand(root: Path, hands: Mapping[str, np.ndarray]) -> Path:
    """Re:InterHand with one picture of these hands, by side; the folder of its capture."""
    rotation, shift = turned(), np.array([12.0, 34.0, -56.0])
    capture = root / "m--x--two-hands"
    camera = {
        "R": rotation.tolist(),
        "t": shift.tolist(),
        "focal": FOCAL.tolist(),
        "princpt": CENTER.tolist(),
    }
    dump(capture / "Mugsy_cameras/cam_params.json", {"cam40": camera})
    for side, points in hands.items():
        thumb, rest, pinky = points[1:5], points[5:17], points[17:21]
        extra = np.array([[9.0, 9.0, 9.0]])
        ordered = np.concatenate([points[:1], extra, thumb, rest, extra, pinky, extra])
        world_mm = (1000 * ordered - shift) @ rotation
        dump(capture / f"orig_fits/{side}/Keypoints/keypoint-000007.json", world_mm.tolist())
    picture(capture / "Mugsy_cameras/envmap_per_frame/images/cam40/000007.png")
    return capture


def write_hagrid(root: Path, hands: Mapping[str, np.ndarray]) -> None:
    """HaGRID with a picture for each of these hands in pixels, by side."""
    labels: dict[str, Any] = {}
    for side, points in hands.items():
        picture(root / f"call/{side}.jpg")
        low, high = points.min(0) / SIDE, points.max(0) / SIDE
        labels[side] = {
            "bboxes": [[*low.tolist(), *(high - low).tolist()]],
            "labels": ["call"],
            "leading_hand": side,
            "hand_landmarks": [(points / SIDE).tolist()],
        }
    dump(root / "annotations/train/call.json", labels)
