"""Checked reading of a hands file's fields: every error names the place, the field and what to do."""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, cast

import numpy as np

from handwright.errors import HandsFileError

Record = Mapping[str, Any]


def refuse(where: str, problem: str, why: str = "", fix: str = "") -> NoReturn:
    """Raise the room's error.

    Raises:
        HandsFileError: Always.
    """
    raise HandsFileError(
        f"{where}: {problem}", why, fix or "compare with a file that `handwright hands` wrote"
    )


def record(value: object, where: str) -> Record:
    """Return a JSON object."""
    if not isinstance(value, Mapping):
        refuse(where, f"expected an object, got {_kind(value)}")
    return cast("Record", value)


def items(value: object, where: str) -> list[Any]:
    """Return a JSON array."""
    if not isinstance(value, list):
        refuse(where, f"expected a list, got {_kind(value)}")
    return cast("list[Any]", value)


def known_only(fields: Record, names: Iterable[str], where: str) -> None:
    """Refuse unknown fields, which would be ignored silently."""
    allowed = sorted(names)
    for name in fields:
        if name not in allowed:
            refuse(
                where,
                f"there is no field {name!r}",
                f"known fields are {', '.join(allowed)}",
                "correct its name",
            )


def required(fields: Record, name: str, where: str) -> object:
    """Return the value of a required field."""
    if fields.get(name) is None:
        refuse(where, f"the field {name!r} is missing")
    return fields[name]


def numbers(value: object, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Finite float64 numbers of this shape."""
    size = " × ".join(map(str, shape)) if shape else "one"
    try:
        array = np.asarray(value)
        array = array.astype(np.float64) if array.dtype.kind in "iuf" else None
    except (ValueError, OverflowError):
        array = None
    if array is None or array.shape != shape:
        found = _kind(value) if array is None else " × ".join(map(str, array.shape)) or "one number"
        refuse(where, f"expected {size} numbers, got {found}" if shape else f"expected a number, got {found}")
    if not np.isfinite(array).all():
        refuse(where, "it holds NaN or infinity", "", "give finite numbers")
    return array


def number(value: object, where: str) -> float:
    """Return a finite number."""
    return float(numbers(value, (), where))


def whole(value: object, where: str, least: int) -> int:
    """Return a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        refuse(where, f"expected a whole number from {least}, got {value!r}")
    return value


def text(value: object, where: str) -> str:
    """Return a string."""
    if not isinstance(value, str):
        refuse(where, f"expected text, got {_kind(value)}")
    return value


def _kind(value: object) -> str:
    if isinstance(value, str):
        return f"the text {value!r}"[:60]
    names = {
        "NoneType": "null",
        "dict": "an object",
        "list": "a ragged or non-numeric list",
        "bool": "true or false",
    }
    return names.get(type(value).__name__, type(value).__name__)
