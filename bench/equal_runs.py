"""Short equal trainings held against each other: what benches of a network's parts share."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from handwright.training.noising import Noised, noise_to
from measures import mean, row

LEVELS = (250, 500, 750)  # Noise levels, of 1000
BATCH = 16  # Pictures at once
ENLARGED = 2  # Hands are looked for in pictures so many times as large
LEAST_SHARE = 0.4  # Of the picture's side that a hand has which is painted
FOUND_IN_RENDER = 0.2  # Error that it has at most in the picture itself: held things hide others

Values = dict[str, list[np.ndarray]]
"""By the name of runs, what was measured of each of its seeds; rows are pictures."""


def models_in(runs: Path) -> list[Path]:
    """The weights of every run, RUNS/NAME-SEED/model, by name."""
    return sorted(runs.glob("*/model"))


def by_name(
    models: Sequence[Path], kind: str, asked: object, measure: Callable[[Path], np.ndarray]
) -> Values:
    """What is measured of each run; kept beside it, so that nothing is measured twice.

    Args:
        models: As of ``models_in``.
        kind: Name of what is measured, for files.
        asked: All that decides the result beside the run.
        measure: Float array of a run, rows are pictures.
    """
    values: Values = defaultdict(list)
    for model in models:
        key = hashlib.sha256(f"{model.stat().st_mtime_ns} {asked}".encode()).hexdigest()[:12]
        stored = model.parent / f"{kind}-{key}.npy"
        if not stored.exists():
            np.save(stored, measure(model))
        values[model.parent.name.rsplit("-", 1)[0]].append(np.load(stored))
    return values


def report(values: Values, columns: Sequence[str], against: str, *, seeds: bool = False) -> Iterator[str]:
    """Lines: of each name every column's mean over seeds, and less that of ``against``, paired by picture.

    A column that a name has nothing of is left out of it.

    Args:
        values: As of ``by_name``.
        columns: What each column is.
        against: Name of the runs that the others are held against.
        seeds: Each seed has a line of its own, too.
    """
    if against not in values:
        raise SystemExit(f"there are no runs {against}-1, …; --against one of: {', '.join(values)}")
    first = np.mean(values[against], 0)
    for name, runs in values.items():
        here = np.mean(runs, 0)
        yield f"— {name}: {len(runs)} seeds, {len(here)} pictures"
        for k, what in enumerate(columns):
            if not np.isfinite(here[:, k]).any():
                continue
            yield row(f"   {what}", here[:, k], mean)
            apart = here[:, k] - first[:, k]
            if name != against and np.isfinite(apart).any():
                yield row(f"      less {against}'s", apart, mean)
            for seed, run in enumerate(runs if seeds and len(runs) > 1 else ()):
                yield row(f"      run {seed + 1}", run[:, k], mean)


def noised(schedule: Any, clean: Float[Tensor, "b c h w"], start: int) -> Iterator[Noised]:
    """Latents at each of ``LEVELS``; their first picture's number, ``start``, decides the noise for all."""
    for level in LEVELS:
        generator = torch.Generator().manual_seed(1000 * level + start)
        noise = torch.randn(clean.shape, generator=generator)
        yield noise_to(schedule, clean, noise, torch.full((len(clean),), level))


def mean_where(error: Float[Tensor, "b h w"], inside: Float[Tensor, "b h w"]) -> Float[Tensor, "b"]:
    """Of each picture the mean within ``inside``, NaN where nothing is."""
    cells = inside.sum((1, 2))
    return torch.where(cells > 0, (error * inside).sum((1, 2)) / cells, torch.nan)


def fills(landmarks_px: Float[np.ndarray, "21 2"], side: int) -> bool:
    """Whether a hand is so large in a picture of this side that it is painted."""
    return float(np.ptp(landmarks_px, axis=0).max()) > LEAST_SHARE * side


def hand_errors(
    images: Sequence[UInt8[np.ndarray, "s s 3"]], wanted: Sequence[Float[np.ndarray, "21 2"]]
) -> Float[np.ndarray, "n"]:
    """Errors of the hands found in pictures against their landmarks; 1 where none is found."""
    from handwright.perception.detect.landmarker import HandLandmarker
    from handwright.perception.detect.search import find_hands
    from handwright.reproduce.handiffuser.measure import hand_error

    errors = list[float]()
    with HandLandmarker() as landmarker:
        for image, points in zip(images, wanted, strict=True):
            large = cv2.resize(image, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
            found = find_hands(large, landmarker=landmarker, threads=1)
            errors.append(hand_error(points, [one.landmarks_px / ENLARGED for one in found]))
    return np.array(errors)
