"""The pictures that drawing is measured on: rendered, listed real, fresh real, rendered with a defect."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from find import photograph
from handwright.data.scenes import Scene, render_scene

DATA = Path(__file__).parent / "data"
RENDERED_FROM, DEFECTS_FROM = 1000, 5000
"""First seeds; lower ones were looked at while building."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One hand to redraw.

    Attributes:
        name: For captions.
        unit: What the bootstrap draws: the picture.
        pixels: uint8 [H, W, 3].
        bbox: Where the hand is meant to be; None: the largest that is found.
        truth_px: [21, 2] exact landmarks, of rendered hands.
        scene: The rendered scene, if it is one.
        group: 'free', 'difficult', a category, or a defect.
    """

    name: str
    unit: str
    pixels: UInt8[np.ndarray, "h w 3"]
    bbox: tuple[float, float, float, float] | None
    truth_px: Float[np.ndarray, "21 2"] | None
    scene: Scene | None
    group: str


def subjects(kind: str, count: int | None, seed: int | None) -> Iterator[Subject]:
    """The subjects of a set.

    Args:
        kind: 'rendered', 'real', 'fresh' or 'defects'.
        count: How many; by default 200, 200, 60, 50. Of real sets, evenly spread over the list.
        seed: First seed of rendered sets.
    """
    if kind == "rendered":
        yield from _rendered(count or 200, RENDERED_FROM if seed is None else seed)
    elif kind == "defects":
        yield from _defects(count or 50, DEFECTS_FROM if seed is None else seed)
    elif kind == "real":
        yield from _real(count or 200)
    else:
        yield from _fresh(count or 60)


def photos_root() -> Path:
    """Folder of the real photographs; ends the program where it is not set."""
    if "HANDWRIGHT_PHOTOS" not in os.environ:
        sys.exit("set HANDWRIGHT_PHOTOS to the folder of real photographs")
    return Path(os.environ["HANDWRIGHT_PHOTOS"])


def _rendered(count: int, first: int) -> Iterator[Subject]:
    for seed in range(first, first + count):
        scene = render_scene(seed)
        yield _of_scene(scene, scene.category)


def _defects(count: int, first: int) -> Iterator[Subject]:
    for seed in range(first, first + count):
        defect = ("extra_finger", "missing_finger")[seed % 2]
        yield _of_scene(render_scene(seed, defect=defect), defect)


def _of_scene(scene: Scene, group: str) -> Subject:
    truth = scene.landmarks_px[0]
    low, high = truth.min(0), truth.max(0)
    box = float(low[0]), float(low[1]), float(high[0]), float(high[1])
    return Subject(f"{scene.seed}", f"{scene.seed}", scene.pixels, box, truth, scene, group)


def _real(count: int) -> Iterator[Subject]:
    root, entries = photos_root(), json.loads((DATA / "draw_200.json").read_text("utf-8"))["hands"]
    for k in _spread(len(entries), count):
        entry = entries[k]
        box = tuple(map(float, entry["bbox_xyxy_px"]))
        unit = f"{entry['set']}/{entry['name']}"
        yield Subject(f"{k} {entry['class']}", unit, photograph(root, entry), box, None, None, entry["class"])


def _fresh(count: int) -> Iterator[Subject]:
    root, entries = photos_root(), json.loads((DATA / "hands_200.json").read_text("utf-8"))["never_viewed"]
    for k in _spread(len(entries), count):
        entry = entries[k]
        unit = f"{entry['set']}/{entry['name']}"
        yield Subject(f"fresh {k}", unit, photograph(root, entry), None, None, None, "fresh")


def _spread(length: int, count: int) -> list[int]:
    return sorted({int(k) for k in np.linspace(0, length - 1, min(count, length)).round()})
