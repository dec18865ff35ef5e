"""From what the user named (files, folders, patterns) to single pictures and where each one goes."""

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from handwright.errors import OutputError, UsageError

PICTURE_SUFFIXES = frozenset(
    [
        ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".pgm",
        ".avif", ".jp2", ".heic", ".heif",
    ]
)  # fmt: skip
"""What a folder is searched for; a file that is named itself is always tried."""


@dataclass(frozen=True)
class Source:
    """One picture to work on."""

    path: Path  # The file, as the user reaches it
    name: PurePosixPath  # Its place below the folder or pattern it came from; the bare file name for a file


@dataclass(frozen=True)
class Job:
    """One picture, where its result goes, and the name that its evidence carries."""

    source: Path
    name: PurePosixPath
    output: Path


def find_sources(inputs: Sequence[str | Path], leave_out: Iterable[Path] = ()) -> list[Source]:
    """Every picture that the inputs name, each once, in an order that depends on names alone.

    Args:
        inputs: Files, folders (searched through, hidden ones not) or patterns with ``*``, ``?``, ``[``.
        leave_out: Folders whose content is never an input (an output folder inside an input folder).

    Raises:
        UsageError: No input at all, or a folder or pattern that holds no picture.
    """
    if not inputs:
        raise UsageError("no picture was named", "", "give files, folders or patterns")
    barred = [folder.resolve() for folder in leave_out]
    found: dict[Path, Source] = {}
    for given in inputs:
        for source in _sources_of(given, barred):
            found.setdefault(source.path.resolve(), source)
    if not found:
        raise UsageError("the inputs hold no picture", "", "give files, folders or patterns that do")
    return sorted(found.values(), key=lambda source: (source.name.as_posix(), source.path.as_posix()))


def plan_outputs(sources: Sequence[Source], output: str | Path) -> list[Job]:
    """Give each picture its output: the file itself for one picture, otherwise its name below a folder.

    Args:
        sources: Pictures, from ``find_sources``.
        output: A file (one picture) or a folder. It is a folder when it exists as one, ends in a slash, has
            no suffix, or when there are several pictures. A format that can only be read becomes .png there.

    Raises:
        UsageError: A file was given for several pictures, or two pictures would end in the same file.
        OutputError: The file's format cannot be written, or the folder cannot be written to.
    """
    from handwright.image import format_for

    target = Path(output)
    folder = target.is_dir() or str(output).endswith(("/", "\\")) or not target.suffix
    if len(sources) == 1 and not folder:
        format_for(target)
        check_writable(target.parent)
        return [Job(sources[0].path, sources[0].name, target)]
    if not folder and target.suffix.lower() in PICTURE_SUFFIXES:
        raise UsageError(
            f"-o {target} is one file, but there are {len(sources)} pictures",
            "",
            "give a folder, such as -o refined/",
        )
    check_writable(target)
    jobs: dict[PurePosixPath, Job] = {}
    for source in sources:
        name = _writable(source.name)
        if name in jobs:
            raise UsageError(
                f"{jobs[name].source} and {source.path} would both be written to {target / name}",
                "files keep their names",
                "name their common folder instead, or put the pattern in quotes",
            )
        jobs[name] = Job(source.path, source.name, target / name)
    return list(jobs.values())


def check_writable(folder: Path) -> None:
    """Refuse a folder that files cannot be written to, before any work is spent on them.

    Raises:
        OutputError: It is read-only, or a file stands in its way.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise OutputError(f"cannot write into {folder}", f"{there} is a file", "name another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write into {folder}", f"{there} is read-only", "name another folder")


def _writable(name: PurePosixPath) -> PurePosixPath:
    """The name itself, or with .png for a format that is only read."""
    from handwright.image import SUFFIXES

    return name if name.suffix.lower() in SUFFIXES else name.with_suffix(".png")


def _sources_of(given: str | Path, barred: Sequence[Path]) -> list[Source]:
    path = Path(given)
    if path.is_dir():
        return _below(path, path.rglob("*"), barred)
    if path.exists() or not glob.has_magic(str(given)):
        return [Source(path, PurePosixPath(path.name))]
    matches = glob.glob(str(given), recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    sources = _below(Path(*_plain_parts(path)), map(Path, matches), barred)
    if not sources:
        raise UsageError(f"no picture matches {given}", "", "check the pattern and the folder it is used in")
    return sources


def _below(root: Path, paths: Iterable[Path], barred: Sequence[Path]) -> list[Source]:
    """The visible pictures among the paths, named by their way from the root; barred folders left out."""
    top = root.resolve()
    inner = [folder for folder in barred if folder != top and folder.is_relative_to(top)]
    return [
        Source(path, PurePosixPath(path.relative_to(root).as_posix()))
        for path in paths
        if _is_visible_picture(path.relative_to(root))
        and not path.is_dir()
        and not any(path.resolve().is_relative_to(folder) for folder in inner)
    ]


def _plain_parts(pattern: Path) -> list[str]:
    parts: list[str] = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return parts


def _is_visible_picture(relative: Path) -> bool:
    return relative.suffix.lower() in PICTURE_SUFFIXES and not any(
        part.startswith(".") for part in relative.parts
    )
