"""The ``…Params`` classes of the package, their numbers, and how to change one of them for a while."""

from __future__ import annotations

import gc
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from typing import Any

import handwright

FACTORS = (1.3, 0.7)


@cache
def modules() -> list[Any]:
    """All modules of the package, imported."""
    found = pkgutil.walk_packages(handwright.__path__, "handwright.")
    return [importlib.import_module(each.name) for each in found if not each.name.endswith("__main__")]


def params_classes() -> list[type]:
    """All dataclasses whose names end in 'Params', by module and name."""
    found = {
        value
        for module in modules()
        for value in vars(module).values()
        if inspect.isclass(value)
        and value.__name__.endswith("Params")
        and value.__module__ == module.__name__
    }
    return sorted(found, key=label)


def label(params: type) -> str:
    """The dotted name of a class without that of the package, e.g. 'refine.scene.SceneParams'."""
    return f"{params.__module__.removeprefix('handwright.')}.{params.__name__}"


def numbers(params: type) -> list[str]:
    """Names of the fields that hold numbers: floats, whole numbers, or tuples of them."""
    default = params()
    return [field.name for field in fields(params) if _is_number(getattr(default, field.name))]


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(_is_number(each) for each in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def scaled(value: Any, factor: float) -> Any:
    """A number multiplied, tuples as a whole; whole numbers change by one at least."""
    if isinstance(value, tuple):
        return tuple(scaled(each, factor) for each in value)
    if isinstance(value, int):
        changed = round(factor * value)
        return changed if changed != value else value + (1 if factor > 1 else -1)
    return factor * value


@cache
def _instances(params: type) -> list[Any]:
    """The default values of a class that exist when this is called first."""
    default = params()
    return [each for each in gc.get_objects() if type(each) is params and each == default]


@contextmanager
def multiplied(params: type, name: str, factor: float) -> Iterator[None]:
    """Default values of a class, those made meanwhile too, have one number multiplied."""
    default = params()
    before = getattr(default, name)
    value = scaled(before, factor)
    there = _instances(params)
    initial: Any = params.__init__
    positional, named = initial.__defaults__, initial.__kwdefaults__
    for each in there:
        object.__setattr__(each, name, value)
    if named and name in named:
        initial.__kwdefaults__ = named | {name: value}
    elif positional:
        names = [each.name for each in fields(params) if not each.kw_only][-len(positional) :]
        initial.__defaults__ = tuple(
            value if each == name else kept for each, kept in zip(names, positional, strict=True)
        )
    try:
        yield
    finally:
        initial.__defaults__, initial.__kwdefaults__ = positional, named
        for each in there:
            object.__setattr__(each, name, before)
