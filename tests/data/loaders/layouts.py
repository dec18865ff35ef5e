"""Small data sets on disk, in the layout of their publishers, made of hands whose truth is known."""

from __future__ import annotations

import json
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
