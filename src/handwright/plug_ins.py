"""Plug-ins: a user's own landmarker, mesh fitter, critic or painter, each a class with one method.

A plug-in is named ``PKG.MOD:CLASS`` on the command line, or handed over as an object in Python. Code is
imported because the user names it there, never because a file names it. The class is called without
arguments; a class attribute ``version`` goes into the report, and into the picture's own settings.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

from handwright.errors import UsageError

METHODS: Mapping[str, str] = {"landmarker": "detect", "fitter": "fit", "critic": "judge", "painter": "paint"}
"""The method of each kind of plug-in; the kinds are also the options that name them."""

METAVAR = "PKG.MOD:CLASS"
"""How a plug-in is named."""

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


class PlugInError(UsageError):
    """A plug-in cannot be imported, has not the method of its kind, or failed at its work."""


class PlugIn:
    """A user's object behind its one method: calls come one at a time, and every failure is one line."""

    def __init__(self, kind: str, given: Any) -> None:  # noqa: ANN401 - a name, a class or an object
        """Make the object.

        Args:
            kind: One of ``METHODS``.
            given: ``PKG.MOD:CLASS``, a class that is called without arguments, or an object.

        Raises:
            PlugInError: It cannot be imported or made, or lacks the method.
        """
        self.kind, self.name = kind, name_of(given)
        found = find_class(kind, given) if isinstance(given, str | type) else given
        try:
            self.object: Any = found() if isinstance(found, type) else found
        except Exception as error:
            raise self._failed("could not be made", error) from error
        _need_method(kind, self.name, self.object)
        self._lock = Lock()

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 - each kind has its own
        """What the method returns.

        Raises:
            PlugInError: It raised an error.
        """
        with self._lock:
            try:
                return getattr(self.object, METHODS[self.kind])(*arguments)
            except Exception as error:
                raise self._failed("failed", error) from error

    def refuse(self, returned: str, wanted: str) -> NoReturn:
        """Refuse what the method returned.

        Raises:
            PlugInError: Always.
        """
        raise PlugInError(
            f"`{self.kind}` {self.name} returned {returned}",
            "",
            f"{METHODS[self.kind]}() must return {wanted}",
        )

    def _failed(self, what: str, error: Exception) -> PlugInError:
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return PlugInError(f"`{self.kind}` {self.name} {what}", why, f"mend it, or leave `{self.kind}` out")


def is_name(value: object) -> bool:
    """Whether a value is the name of a plug-in, ``PKG.MOD:CLASS``."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_plug_in(kind: str, value: object) -> bool:
    """Whether a value names a plug-in of a kind or is one."""
    return is_name(value) or callable(getattr(value, METHODS[kind], None))


def file_or_plug_in(value: Any) -> Any:  # noqa: ANN401 - a file, a name, an object or None
    """A landmarker as the options have it: a ``Path`` of anything that names a file."""
    return Path(value) if isinstance(value, str) and not is_name(value) else value


def chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """The plug-ins among options: names or objects by kind."""
    return {kind: given[kind] for kind in METHODS if is_plug_in(kind, given.get(kind))}


def name_of(value: object) -> str:
    """``PKG.MOD:CLASS`` of a plug-in that is given by name, as a class or as an object."""
    if isinstance(value, str):
        return value
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}:{kind.__qualname__}"


def find_class(kind: str, given: str | type) -> type:
    """Import a plug-in's class from Python's path, or from the current folder.

    Raises:
        PlugInError: There is no such module or class, or it lacks the method of its kind.
    """
    if isinstance(given, type):
        _need_method(kind, name_of(given), given)
        return given
    module_name, _, class_name = given.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that no file there hides an installed module
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        why = f"{type(error).__name__}: {error}"
        raise PlugInError(
            f"cannot import `{kind}` {given}", why, "check the name, and install what it needs"
        ) from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        what = "there is no such name" if found is None else f"it is a {type(found).__name__}"
        raise PlugInError(f"`{kind}` {given} is no class", what, f"name a class as {METAVAR}")
    _need_method(kind, given, found)
    return found


def describe(given: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """Name, version and sha256 of the source file of each of these plug-ins, by kind.

    Raises:
        PlugInError: One cannot be imported or lacks its method.
    """
    return {kind: _described(kind, value) for kind, value in given.items()}


def _described(kind: str, value: Any) -> dict[str, str | None]:  # noqa: ANN401
    found = find_class(kind, value) if isinstance(value, str | type) else value
    version = getattr(found, "version", None)
    module = (found if isinstance(found, type) else type(found)).__module__
    source = Path(getattr(sys.modules.get(module), "__file__", None) or "")
    return {
        "name": name_of(value),
        "version": str(version) if isinstance(version, str | int | float) else None,
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest() if source.is_file() else None,
    }


def _need_method(kind: str, name: str, found: object) -> None:
    method = METHODS[kind]
    if not callable(getattr(found, method, None)):
        raise PlugInError(
            f"`{kind}` {name} has no method {method}()", "", f"give it one; a {kind} needs no more"
        )
