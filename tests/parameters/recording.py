"""Calls of functions, recorded while hands are repaired, to be made again with other numbers."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a function.

    Attributes:
        function: The function, as it is defined.
        args: Its positional arguments; random generators in the state before the call.
        options: Its keyword arguments.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]

    def again(self) -> np.ndarray:
        """What the function returns now, as one row of numbers, float64 [n]."""
        args, options = _with_own_generators((self.args, self.options))
        try:
            returned = self.function(*args, **options)
        except Exception as refused:  # noqa: BLE001  whatever a changed number breaks is a difference
            returned = repr(refused)
        return np.concatenate([np.zeros(0), *flat(returned)])


@dataclass(eq=False)
class Recording:
    """Calls by module, in the order in which they were made.

    Attributes:
        most: How many calls of one function are kept.
        calls: The calls of each module.
    """

    most: int
    calls: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def of(self, modules: Iterable[str]) -> Iterator[None]:
        """Record what the public functions of the modules are called with."""
        wrapped: dict[Callable[..., Any], Callable[..., Any]] = {}
        for name in modules:
            for function in _public_functions(sys.modules[name]):
                wrapped[function] = self._recorded(function)
        replaced = [
            (module, name, value)
            for key, module in list(sys.modules.items())
            if key.startswith(("handwright", "tests."))
            for name, value in list(vars(module).items())
            if inspect.isfunction(value) and value in wrapped
        ]
        for module, name, value in replaced:
            setattr(module, name, wrapped[value])
        try:
            yield
        finally:
            for module, name, value in replaced:
                setattr(module, name, value)

    def _recorded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        kept = 0

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Any:
            nonlocal kept
            args = tuple(list(each) if isinstance(each, Iterator) else each for each in args)
            if kept < self.most:
                kept += 1
                given = _with_own_generators((args, options))
                self.calls[function.__module__].append(Call(function, *given))
            return function(*args, **options)

        return call


def _public_functions(module: Any) -> list[Callable[..., Any]]:
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


def _with_own_generators(value: Any) -> Any:
    """The same values, with copies of the random generators among them."""
    if isinstance(value, np.random.Generator):
        return copy.deepcopy(value)
    if type(value) in (tuple, list):
        return type(value)(_with_own_generators(each) for each in value)
    if type(value) is dict:
        return {key: _with_own_generators(each) for key, each in value.items()}
    return value


def flat(value: Any) -> Generator[np.ndarray]:
    """All numbers within a value, in a fixed order; text counts as its letters, other objects not."""
    if value is None:
        yield np.array([np.nan])
    elif isinstance(value, Enum | str | bytes | Path):
        yield np.frombuffer(str(value).encode(), np.uint8).astype(float)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "biufc":
            yield np.asarray(value, float).ravel()
        else:
            yield from flat([str(each) for each in value.ravel()])
    elif isinstance(value, int | float | np.number | np.bool_):
        yield np.array([float(value)])
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from flat(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key in value:
            yield from flat((key, value[key]))
    elif isinstance(value, Iterable):
        for each in value:
            yield from flat(each)


def differs(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two rows of numbers differ by more than rounding."""
    return one.shape != other.shape or not np.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)
