"""Measures of generated poses against real ones, from files of arrays."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np
from jaxtyping import Float

from handwright.errors import DataError, InvalidValueError, NotEnoughDataError, UsageError
from handwright.metrics.packages import need
from handwright.metrics.parameters.measures import (
    diversity,
    multimodality,
    pose_distance,
    r_precision,
    rotations_6d,
)
from handwright.metrics.results import Evaluation, Failed
from handwright.metrics.statistics.estimate import Estimate

SUFFIXES = (".npz", ".safetensors")  # Files that hold parameters

Arrays = Mapping[str, Float[np.ndarray, "n *d"]]

_TOPS = (1, 2, 3)
_KEYS = "poses [N, J, 3] (or [N, K, J, 3], K for each text), texts [N, D] and embedded [N, D]"


def is_parameter_file(given: object) -> bool:
    """Whether that is the name of a file of arrays."""
    return isinstance(given, str | Path) and Path(given).suffix.lower() in SUFFIXES


def read_parameters(path: Path) -> Arrays:
    """Arrays of a .npz or .safetensors file.

    ``poses`` is float [N, J, 3], axis-angle in radians of each joint, or [N, K, J, 3] with K poses for each
    of N texts; ``texts`` and ``embedded`` [N, D] are the N texts and their poses in one space.

    Raises:
        DataError: It cannot be read, holds no ``poses``, other shapes, or numbers that are not finite.
    """
    try:
        arrays = _load(path)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot read {path}", why, "give a .npz or .safetensors file of arrays") from error
    if "poses" not in arrays:
        raise DataError(
            f"{path} holds no poses", f"it holds {', '.join(arrays) or 'nothing'}", f"save {_KEYS}"
        )
    for key, rank in (("poses", (3, 4)), ("texts", (2,)), ("embedded", (2,))):
        values = arrays.get(key)
        if values is None:
            continue
        if (
            values.ndim not in rank
            or values.dtype.kind not in "fiu"
            or (key == "poses" and values.shape[-1] != 3)
        ):
            raise DataError(f"{path}: {key} is {values.dtype} {list(values.shape)}", "", f"save {_KEYS}")
        bad = int((~np.isfinite(values)).any(axis=tuple(range(1, values.ndim))).sum())
        if bad:
            raise DataError(
                f"{path}: {bad} of {len(values)} rows of {key} are not finite",
                "",
                "leave them out or mend them",
            )
    return arrays


def evaluate_parameters(real: Arrays, fake: Arrays, metrics: Sequence[str] = (), seed: int = 0) -> Evaluation:
    """Measure poses against real ones.

    Raises:
        NotEnoughDataError: Nothing at all could be measured.
        UsageError: A metric is not one of parameters.
    """
    unknown = [metric for metric in metrics if metric not in PARAMETERS]
    if unknown:
        raise UsageError(
            f"{unknown[0]} is no measure of parameters", "", f"choose among {', '.join(PARAMETERS)}"
        )
    estimates: list[Estimate] = []
    failed: list[Failed] = []
    for metric in metrics or PARAMETERS:
        try:
            estimates += _MEASURES[metric](real, fake, seed)
        except (NotEnoughDataError, InvalidValueError) as error:
            failed.append(Failed(metric, str(error).rstrip(".")))
    if not estimates:
        raise NotEnoughDataError("nothing could be measured", failed[0].reason)
    notes = () if metrics else tuple(f"{f.metric} was left out: {f.reason}." for f in failed)
    return Evaluation(
        estimates=tuple(estimates),
        n_real=len(_flat(real)),
        n_fake=len(_flat(fake)),
        failed=tuple(failed) if metrics else (),
        notes=notes,
        counted="poses",
    )


def pose_measures(
    real: Float[np.ndarray, "n j 3"], fake: Float[np.ndarray, "m j 3"], kind: str, seed: int
) -> list[Estimate]:
    """'pose-fid', or 'diversity' of both sets.

    Raises:
        NotEnoughDataError: There are too few poses.
        InvalidValueError: They are not of the same joints.
    """
    if real.shape[1:] != fake.shape[1:]:
        joints = f"{real.shape[1]} joints and {fake.shape[1]}"
        raise InvalidValueError(f"{kind} compares poses of the same joints, got {joints}")
    if kind == "pose-fid":
        return [pose_distance(real, fake, seed=seed)]
    return [
        diversity(rotations_6d(poses).reshape(len(poses), -1), name=f"diversity[rot6d] {label}", seed=seed)
        for label, poses in (("real", real), ("fake", fake))
    ]


def _load(path: Path) -> Arrays:
    if path.suffix.lower() == ".npz":
        with path.open("rb") as file:
            if not is_zipfile(file):
                raise ValueError("it is no .npz archive, or cut off")
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    need("safetensors")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _flat(arrays: Arrays) -> Float[np.ndarray, "n j 3"]:
    poses = np.asarray(arrays["poses"], np.float64)
    return poses.reshape(-1, *poses.shape[-2:])


def _poses(kind: str) -> Callable[[Arrays, Arrays, int], list[Estimate]]:
    return lambda real, fake, seed: pose_measures(_flat(real), _flat(fake), kind, seed)


def _precision(real: Arrays, fake: Arrays, seed: int) -> list[Estimate]:
    given = [(label, a) for label, a in (("real", real), ("fake", fake)) if {"texts", "embedded"} <= set(a)]
    if not any(label == "fake" for label, _ in given):
        raise NotEnoughDataError("R-precision has nothing to measure", "FAKE holds no texts and embedded")
    return [
        _called(r_precision(a["texts"], a["embedded"], top, embedding="given", seed=seed), label)
        for label, a in given
        for top in _TOPS
    ]


def _several(real: Arrays, fake: Arrays, seed: int) -> list[Estimate]:
    estimates: list[Estimate] = []
    for label, arrays in (("real", real), ("fake", fake)):
        poses = arrays["poses"]
        if poses.ndim == 4:
            features = rotations_6d(poses).reshape(*poses.shape[:2], -1)
            estimates.append(_called(multimodality(features, seed=seed), label))
    if not estimates:
        raise NotEnoughDataError("multimodality needs several poses a text", "poses are no [N, K, J, 3]")
    return estimates


def _called(e: Estimate, label: str) -> Estimate:
    return Estimate(f"{e.name} {label}", e.value, e.low, e.high, e.n)


_MEASURES: dict[str, Callable[[Arrays, Arrays, int], list[Estimate]]] = {
    "pose-fid": _poses("pose-fid"),
    "diversity": _poses("diversity"),
    "r-precision": _precision,
    "multimodality": _several,
}

PARAMETERS = tuple(_MEASURES)  # Names of the measures of files of parameters
