"""Which constants of the painter the golden pictures catch: python -m tests.golden.sensitivity [NAME ...].

Every number of ``CONSTANTS`` (or those whose dotted names contain a NAME) is multiplied by 1.3 and by 0.7 and
the cases of ``PROBES`` are refined. A line a number: how many cases fail each way, with the largest mean ΔE
and the least IoU of the masks. A number that no picture catches is one to delete, or lacks a picture.

With ``--jitter``, all cases are refined with landmarks that are moved by 0.0002 px, as a network's rounding
on another processor moves them: those that fail belong to ``UNSTEADY``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from handwright import HandRefiner
from handwright.drawing import painter
from handwright.drawing.params import DrawParams
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.refine.compositing import repair_mask
from handwright.types import HandObservation
from tests.golden.cases import CASES, Case
from tests.golden.compare import Difference, difference

CONSTANTS = {"draw": DrawParams(), "mask": repair_mask.PARAMS}
"""The painter's parameters, by the first part of their dotted names."""

PROBES = (
    "defects_02-all",
    "defects_04-all",
    "defects_07-all",
    "defects_15-all",
    "noisy_00-all",
)
FACTORS = (1.3, 0.7)
JITTER_PX = 2e-4


def numbers(params: Any, prefix: str) -> Iterator[str]:
    """Dotted names of all numbers of a value of parameters, tuples as a whole."""
    for field in fields(params):
        value, name = getattr(params, field.name), f"{prefix}.{field.name}"
        if is_dataclass(value):
            yield from numbers(value, name)
        elif isinstance(value, int | float | tuple) and not isinstance(value, bool):
            yield name


def scaled(params: Any, name: str, factor: float) -> Any:
    """The parameters with one number multiplied; whole numbers change by one at least."""
    first, _, rest = name.partition(".")
    value = getattr(params, first)
    if rest:
        return replace(params, **{first: scaled(value, rest, factor)})
    if isinstance(value, tuple):
        return replace(params, **{first: tuple(factor * each for each in value)})
    if isinstance(value, int):
        changed = round(factor * value)
        return replace(params, **{first: changed if changed != value else value + (1 if factor > 1 else -1)})
    return replace(params, **{first: factor * value})


@contextmanager
def constant_off(name: str, factor: float) -> Iterator[None]:
    """Every hand is repaired with one constant multiplied."""
    home, _, rest = name.partition(".")
    params = scaled(CONSTANTS[home], rest, factor)
    where, attribute, value = {
        "draw": (painter, "DrawParams", lambda: params),
        "mask": (repair_mask, "PARAMS", params),
    }[home]
    with patch.object(where, attribute, value):
        yield


def differences(name: str, factor: float, cases: Sequence[Case], refiner: HandRefiner) -> list[Difference]:
    """What the cases come out as with a constant multiplied."""
    with constant_off(name, factor):
        return [difference(case.refine(refiner)) for case in cases]


@contextmanager
def jittered_landmarks(seed: int = 0) -> Iterator[None]:
    """Every detected landmark is moved a little."""
    rng, detect = np.random.default_rng(seed), HandLandmarker.detect

    def moved(seen: HandObservation) -> HandObservation:
        noise = rng.normal(0, JITTER_PX, seen.landmarks_px.shape)
        return replace(seen, landmarks_px=seen.landmarks_px + noise)

    def detect_moved(*given: Any, **options: Any) -> list[HandObservation]:
        return [moved(seen) for seen in detect(*given, **options)]

    with patch.object(HandLandmarker, "detect", detect_moved):
        yield


def print_unsteady() -> None:
    """A line a case: what jitter makes of it."""
    with HandRefiner() as refiner, jittered_landmarks():
        for case in CASES:
            apart = difference(case.refine(refiner))
            wide = "; ".join(replace(apart, slack=1.0, pixel_slack=1.0).complaints)
            print(f"{case.name:28} mean ΔE {apart.mean_delta_e:.2f}  {wide}", flush=True)


def main() -> None:
    wanted = sys.argv[1:]
    if wanted == ["--jitter"]:
        print_unsteady()
        return
    cases = [case for case in CASES if case.name in PROBES]
    missed = []
    print(f"{'constant':40} {'fail of':>7} {'x 1.3':>6} {'x 0.7':>6} {'most mean dE':>13} {'least IoU':>10}")
    with HandRefiner() as refiner:
        for name in (name for home, params in CONSTANTS.items() for name in numbers(params, home)):
            if wanted and not any(part in name for part in wanted):
                continue
            apart = [differences(name, factor, cases, refiner) for factor in FACTORS]
            failed = [sum(bool(d.complaints) for d in side) for side in apart]
            most = max(d.mean_delta_e for side in apart for d in side)
            least = min(d.mask_iou for side in apart for d in side)
            row = f"{name:40} {len(cases):>7} {failed[0]:>6} {failed[1]:>6} {most:13.2f} {least:10.3f}"
            print(row, flush=True)
            missed += [] if any(failed) else [name]
    print(f"caught by no picture: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main()
