"""The tables of bench/painters.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from handwright.errors import NotEnoughDataError
from handwright.metrics.estimate import Estimate
from handwright.metrics.kernel import kernel_distance, kernel_distance_difference
from measures import bootstrap, mean, median

Values = dict[str, Any]
Features = dict[str, list[float]]
"""By the extractor's name."""

Measured = dict[str, dict[str, Any]]
UNTOUCHED = "untouched"
_NEAR = 0.25


def table(
    kind: str, measured: Measured, extractors: Sequence[str], sound: list[Features] | None
) -> list[str]:
    """Markdown: what every row reaches, and every row less every other, of the pictures that both have.

    Args:
        kind: Of pictures.
        measured: unit and rows of every hand, by its number.
        extractors: Names of what KID-H is measured with.
        sound: Features that KID-H measures against; None: those of the untouched pictures.
    """
    names = list(dict.fromkeys(name for m in measured.values() for name in m["rows"] if name != UNTOUCHED))
    if not names:
        return [f"{kind}: nothing measured"]
    head = [
        "row",
        "N hands",
        "found again, %",
        "untouched, %",
        "ratio",
        "joint error, median %",
        "mean %",
        "floor, median %",
        "mean %",
        "mean over floor's",
        "ΔE00",
        "sharpness off by",
        "grain off by",
        "both within 25 %, %",
        *(f"KID-H[{extractor}]" for extractor in extractors),
        "s a hand",
    ]
    lines = [f"### {kind}", "", _line(head), _line(["---"] * len(head))]
    against = {e: _features(_of(measured, UNTOUCHED), e) for e in extractors}
    if sound is not None:
        against = {e: np.array([told[e] for told in sound]) for e in extractors}
    lines += [_row(name, _of(measured, name), against) for name in names]
    head = ["less", "N", "Δ found again, points", "Δ joint error, points"]
    head += [f"Δ KID-H[{extractor}]" for extractor in extractors]
    lines += ["", _line(head), _line(["---"] * len(head))]
    for k, name in enumerate(names):
        lines += [_pair(measured, name, other, against) for other in names[:k]]
    leaks = sum(int(v.get("leaked", 0)) for m in measured.values() for v in m["rows"].values())
    return [*lines, "", f"samples changed outside the mask: {leaks}"]


def _of(measured: Measured, name: str) -> dict[str, list[Values]]:
    """What a row has of every picture that it was run on."""
    units: dict[str, list[Values]] = defaultdict(list)
    for entry in measured.values():
        if name in entry["rows"]:
            units[entry["unit"]].append(entry["rows"][name])
    return units


def _column(units: dict[str, list[Values]], key: str) -> np.ndarray:
    """A number per picture: the mean of its hands, NaN where none has it."""
    held = [[v[key] for v in values if v.get(key) is not None] for values in units.values()]
    return np.array([np.mean(h) if h else np.nan for h in held])


def _features(units: dict[str, list[Values]], extractor: str) -> np.ndarray:
    held = [v["features"][extractor] for values in units.values() for v in values if "features" in v]
    return np.array(held)


def _row(name: str, units: dict[str, list[Values]], against: Mapping[str, np.ndarray]) -> str:
    found = np.stack([_column(units, "found_again"), _column(units, "found_before")], 1)
    errors = np.stack([_column(units, "error"), _column(units, "floor")], 1)
    off = {key: np.abs(_column(units, key) - 1) for key in ("sharpness", "grain")}
    both = np.where(np.isnan(off["grain"]), np.nan, (off["grain"] <= _NEAR) & (off["sharpness"] <= _NEAR))
    return _line(
        [
            name,
            str(sum(map(len, units.values()))),
            _told(found[:, :1], mean, 100),
            _told(found[:, 1:], mean, 100),
            _told(found, _ratio, 1, 2),
            _told(errors[:, :1], median, 100),
            _told(errors[:, :1], mean, 100),
            _told(errors[:, 1:], median, 100),
            _told(errors[:, 1:], mean, 100),
            _told(errors, _ratio, 1, 2),
            _told(_column(units, "delta_e")[:, None], median, 1, 2),
            _told(off["sharpness"][:, None], median, 1, 2),
            _told(off["grain"][:, None], median, 1, 2),
            _told(both[:, None], mean, 100),
            *(_kid(_features(units, e), sound) for e, sound in against.items()),
            _told(_column(units, "seconds")[:, None], median, 1, 2),
        ]
    )


def _pair(measured: Measured, of: str, less: str, against: Mapping[str, np.ndarray]) -> str:
    both = {k: m for k, m in measured.items() if of in m["rows"] and less in m["rows"]}
    a, b = _of(both, of), _of(both, less)
    keys = ("found_again", "error")
    apart = [_told((_column(a, key) - _column(b, key))[:, None], mean, 100) for key in keys]
    kids: list[str] = []
    for extractor, sound in against.items():
        ours, theirs = _features(a, extractor), _features(b, extractor)
        kids.append(_estimate(kernel_distance_difference(sound, ours, theirs)) if len(ours) else "–")
    return _line([f"{of} − {less}", str(len(both)), *apart, *kids])


def _kid(features: np.ndarray, against: np.ndarray) -> str:
    try:
        return _estimate(kernel_distance(against, features))
    except NotEnoughDataError:
        return "–"


def _estimate(told: Estimate) -> str:
    return f"{told.value:.4f} [{told.low:.4f}, {told.high:.4f}]"


def _ratio(rows: np.ndarray) -> float:
    return float(np.nanmean(rows[:, 0]) / np.nanmean(rows[:, 1]))


def _told(values: np.ndarray, statistic: Any, scale: float = 1, digits: int = 1) -> str:
    value, low, high = (scale * v for v in bootstrap(np.asarray(values, float), statistic))
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
