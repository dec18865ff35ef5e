"""A shard of people made for tests: noise with two bars for hands, as ``handwright synth`` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.hands.body import FOREARM, HAND_LABEL, LABELS_PER_HAND
from handwright.data.shards import Entry, write_shard

SIDE = 96


def record(index: int, people: int = 1, **changes: Any) -> dict[str, Any]:
    points = np.random.default_rng(index).uniform(8, SIDE - 8, (133, 3)).round(1)
    points[:, 2] = 1.0
    return {
        "kind": "people", "seed": 1, "index": index, "domain": "3D rendered image", "hands": [],
        "caption": f"a woman who waves her left hand, {index}",
        "people": [{"wholebody": points.tolist()}] * people, **changes,
    }  # fmt: skip


def parts(width: int = 12) -> np.ndarray:
    """The left hand at (20 …, 30 …), the right one 30 further, an arm below the left one."""
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[30:50, 20 : 20 + width] = HAND_LABEL + 3
    labels[50:70, 20 : 20 + width] = FOREARM
    labels[30:50, 50 : 50 + width] = LABELS_PER_HAND + HAND_LABEL
    return labels


def people_shard(folder: Path, entries: int = 3, more: tuple[Entry, ...] = ()) -> Path:
    rng = np.random.default_rng(5)
    made: list[Entry] = []
    for k in range(entries):
        noise = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        made.append(Entry(f"{k:08d}", {"image": noise, "parts": parts()}, record(k)))
    folder.mkdir(parents=True, exist_ok=True)
    write_shard(folder / "people-00000000.tar", [*made, *more])
    return folder
