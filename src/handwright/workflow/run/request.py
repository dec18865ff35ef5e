"""The options that a user gave a run: values by name, picklable, in every report; what a run shares."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from handwright import __version__
from handwright.errors import HandsFileError, UsageError
from handwright.options import DIFFUSING, DIFFUSION_OPTIONS, OPTIONS, nearest
from handwright.plug_ins import chosen, describe, name_of
from handwright.workflow.files import fingerprint, sha256_of_file
from handwright.workflow.run.ledger import Ledger

HANDS_SUFFIXES = frozenset((".json", ".npz"))


class Request:
    """A refinement in the user's words: numbers and file names, nothing loaded yet.

    Args:
        given: Options by the names of ``handwright.options``; None or left out: not given.

    Raises:
        UsageError: There is no such option.

    >>> Request(seed=7, hand=(2,))["seed"]
    7
    """

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - every option has its own type
        for name in given:
            if name not in OPTIONS:
                raise UsageError(f"there is no option `{name}`", "", nearest(name, OPTIONS))
        self.given: Mapping[str, Any] = {name: value for name, value in given.items() if value is not None}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        """The value of an option, or its default."""
        return self.given.get(name, OPTIONS[name].default)

    def __repr__(self) -> str:
        return f"Request({', '.join(f'{name}={value!r}' for name, value in self.given.items())})"

    @property
    def files(self) -> dict[str, Path]:
        """The files that were given, by option."""
        return {
            name: self.given[name]
            for name, option in OPTIONS.items()
            if option.kind == "file" and isinstance(self.given.get(name), Path)
        }

    @property
    def plug_ins(self) -> dict[str, Any]:
        """The user's own models, by kind: names or objects (``handwright.plug_ins``)."""
        return chosen(self.given)

    def check(self, pictures: int) -> None:
        """Refuse early what can be known to be wrong before any picture is opened.

        Args:
            pictures: How many pictures the run has.

        Raises:
            UsageError: A number out of range, an unknown painter, or a file of one picture given for several.
            PlugInError: A plug-in cannot be imported, is no class, or lacks its method.
            HandsFileError: A file that is named does not exist.
            DiffusionError: What a diffusing painter needs is not installed, or there is no such model.
        """
        from handwright.refine.settings import refine_settings

        refine_settings({name: value for name, value in self.given.items() if name not in self.files})
        describe(self.plug_ins)
        self._diffusion_entry()
        for name, path in self.files.items():
            if OPTIONS[name].one_picture and pictures > 1:
                raise UsageError(
                    f"`{name}` belongs to one picture, but there are {pictures}",
                    "",
                    "refine that picture alone",
                )
            if not path.is_file():
                raise HandsFileError(f"`{name}` {path} is not there", "", "check the name")

    def as_json(self) -> dict[str, Any]:
        """The settings as the report holds them; files appear with the sha256 of their bytes.

        ``plug_ins`` is there where any was given: name, version and sha256 of the source file of each.
        """
        own = self.plug_ins
        named = [name for name in OPTIONS if name not in DIFFUSION_OPTIONS and name not in own]
        named = [name for name in named if not OPTIONS[name].if_given or name in self.given]
        plain = {name: self[name] for name in named}
        files = {name: _file_entry(value) for name, value in plain.items() if OPTIONS[name].kind == "file"}
        lists = {name: _as_list(value) for name, value in plain.items() if OPTIONS[name].repeat}
        entry = {**plain, **files, **lists, "diffusion": self._diffusion_entry()}
        if "painter" in own:
            entry["painter"] = name_of(own["painter"])
        return {**entry, "plug_ins": describe(own)} if own else entry

    def fingerprint(self, command: str) -> str:
        """Sha256 over everything that decides a result, apart from the picture itself."""
        from handwright.workflow.weights import judge_digests

        about = {"command": command, "handwright": __version__, "judge": judge_digests()}
        return fingerprint({**about, "settings": without_paths(self.as_json())})

    def _diffusion_entry(self) -> dict[str, Any] | None:
        if self["painter"] not in DIFFUSING:
            return None
        from handwright.workflow.weights import weights_entries

        named = [name for name in DIFFUSION_OPTIONS if not OPTIONS[name].if_given or name in self.given]
        plain = {name: _as_list(self[name]) if OPTIONS[name].repeat else self[name] for name in named}
        return {**plain, **weights_entries(self["model"], self["controlnet"])}


def without_paths(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from ``Request.as_json`` with the sha256 of files and models in place of their names."""
    return {name: _without_path(value) for name, value in settings.items()}


def _without_path(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict):
        return value
    entry = cast("dict[str, Any]", value)
    return entry["sha256"] if "sha256" in entry else without_paths(entry)


def _file_entry(path: Path | None) -> dict[str, str] | None:
    return None if path is None else {"file": path.as_posix(), "sha256": sha256_of_file(path)}


def _as_list(values: Any) -> list[Any]:  # noqa: ANN401
    return [list(value) if isinstance(value, tuple) else value for value in values]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The user's settings and where results go; travels to the workers."""

    request: Request  # The user's settings
    settings: dict[str, Any]  # ``request.as_json()``, made once
    ledger: Ledger  # Where records are kept
    patches: bool = False  # Write one transparent PNG per refined hand beside the output
    keep_intermediates: bool = False  # Keep the steps of diffusing painters beside the report
    force: bool = False  # Overwrite files that are not ours, the input included
