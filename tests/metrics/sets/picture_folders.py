"""Sets of small pictures on disk, and a finder that sees a hand where a picture is told to hold one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from handwright.metrics.sets.items import Item, file_item
from handwright.types import HandObservation


def blots(n: int, side: int = 40, seed: int = 0, noise: float = 0.0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (n, 5, 5, 3)).astype(float)
    large = coarse.repeat(side // 5, 1).repeat(side // 5, 2)
    return list(np.clip(large + noise * rng.normal(size=large.shape), 0, 255).astype(np.uint8))


def write(folder: Path, pictures: list[np.ndarray], suffix: str = ".png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(pictures):
        PILImage.fromarray(pixels).save(folder / f"{i:04d}{suffix}")
    return folder


def named(folder: Path, masks: Path | None = None) -> dict[str, Item]:
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")]
    return {path.stem: file_item(path, masks) for path in files}


def hand_points(x: float, y: float, size: float = 20.0) -> np.ndarray:
    """21 points in a square: their corner at x, y."""
    grid = np.stack(np.meshgrid(np.arange(5), np.arange(5)), -1).reshape(-1, 2)[[*range(20), 24]]
    return np.array([x, y]) + size * grid / 4


def hand(x: float, y: float, score: float = 0.9) -> HandObservation:
    return HandObservation(
        landmarks_px=hand_points(x, y), depth_px=np.zeros(21), side="right", score=score, found_by="picture"
    )


class MarkFinder:
    """Sees a hand whose corner is at each pure red pixel; score 0.9."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, pixels):
        self.looks += 1
        red = (pixels == [255, 0, 0]).all(-1)
        return [hand(float(x), float(y)) for y, x in np.argwhere(red)]


def mark(pixels: np.ndarray, x: int, y: int) -> np.ndarray:
    marked = pixels.copy()
    marked[y, x] = (255, 0, 0)
    return marked
