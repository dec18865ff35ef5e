"""Measures of generated hand and body poses (Guo et al. 2022 for text-to-motion, here for still poses).

Poses are compared in the 6-D form of their rotations (Zhou et al. 2019), in which equal rotations have equal
numbers, or in any embedding that is handed in; files of arrays are evaluated as a whole.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np
from jaxtyping import Float

from handwright.errors import DataError, InvalidValueError, NotEnoughDataError, UsageError, need
from handwright.hand.rig import axis_angle_matrix
from handwright.metrics.estimate import Estimate, mean_estimate, statistic_estimate
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.results import Evaluation, Failed

POOL = 32  # R-precision ranks a text among the texts of this many poses, its own included (Guo et al. 2022).

_DIGITS = 9


def rotations_6d(axis_angle: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 6"]:
    """First two columns of the rotation matrix of each axis-angle vector, radians; 2π turns are none."""
    matrix = axis_angle_matrix(axis_angle)
    return np.concatenate([matrix[..., 0], matrix[..., 1]], -1)


def pose_distance(
    reference: Float[np.ndarray, "n j 3"],
    generated: Float[np.ndarray, "m j 3"],
    *,
    seed: int = 0,
) -> Estimate:
    """Fréchet distance of two sets of poses, each the axis-angle [J, 3] of its joints, in 6-D rotations.

    Raises:
        NotEnoughDataError: A set has no more poses than 6 J numbers.
        InvalidValueError: Shapes do not fit.
    """
    flat = [rotations_6d(poses).reshape(len(poses), -1) for poses in (reference, generated)]
    return frechet_distance(flat[0], flat[1], name="pose-fid[rot6d]", seed=seed)


def r_precision(
    texts: Float[np.ndarray, "n d"],
    poses: Float[np.ndarray, "n d"],
    top: int = 1,
    *,
    embedding: str,
    pool: int = POOL,
    seed: int = 0,
) -> Estimate:
    """Share of poses whose own text is among the ``top`` nearest of a random pool of ``pool`` texts.

    Nearness is the cosine of embeddings [N, D]; what does not fill a pool is left out. Texts that are equally
    near (the same caption twice, embeddings that say nothing) come in random order: each counts with the
    chance that it gets a place.

    Raises:
        NotEnoughDataError: There are fewer than ``pool`` pairs.
        InvalidValueError: Shapes do not fit, or numbers are not finite.
    """
    if texts.shape != poses.shape or texts.ndim != 2:
        raise InvalidValueError(f"texts {texts.shape} and poses {poses.shape} must be pairs [N, D]")
    if not (np.isfinite(texts).all() and np.isfinite(poses).all()):
        raise InvalidValueError("embeddings of texts or poses are not finite")
    if len(texts) < pool:
        raise NotEnoughDataError(f"R-precision needs at least {pool} pairs", f"got {len(texts)}")
    order = np.random.default_rng(seed).permutation(len(texts))[: len(texts) // pool * pool]
    chances: list[Float[np.ndarray, " pool"]] = []
    for chosen in order.reshape(-1, pool):
        similar = np.round(_unit(poses[chosen]) @ _unit(texts[chosen]).T, _DIGITS)
        own = np.diag(similar)[:, None]
        nearer, equal = (similar > own).sum(1), (similar == own).sum(1)
        chances.append(np.clip((top - nearer) / equal, 0, 1))
    return mean_estimate(f"r-precision@{top}[{embedding}, pool {pool}]", np.concatenate(chances), seed=seed)


def diversity(
    features: Float[np.ndarray, "n d"], *, name: str = "diversity[rot6d]", seed: int = 0
) -> Estimate:
    """Mean distance of the members of random disjoint pairs; compare it with the real set's own.

    Raises:
        NotEnoughDataError: There are fewer than 4 rows.
    """
    if len(features) < 4:
        raise NotEnoughDataError(f"{name} needs at least 4 poses", f"got {len(features)}")
    order = np.random.default_rng(seed).permutation(len(features))
    half = len(order) // 2
    apart = np.linalg.norm(features[order[:half]] - features[order[half : 2 * half]], axis=1)
    return mean_estimate(name, apart, seed=seed)


def multimodality(
    features: Float[np.ndarray, "texts k d"],
    *,
    name: str = "multimodality[rot6d]",
    seed: int = 0,
) -> Estimate:
    """Mean distance between the K poses made for one text, over texts; the interval redraws texts.

    Raises:
        NotEnoughDataError: There are fewer than 2 poses a text, or no text.
    """
    if features.ndim != 3 or features.shape[1] < 2:
        raise NotEnoughDataError(f"{name} needs [texts, at least 2 poses, D]", f"got {features.shape}")
    first, second = np.triu_indices(features.shape[1], 1)
    apart = np.linalg.norm(features[:, first] - features[:, second], axis=-1).mean(1)
    return statistic_estimate(name, apart, lambda rows: float(rows.mean()), seed=seed)


def _unit(rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


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


def _called(estimate: Estimate, label: str) -> Estimate:
    return replace(estimate, name=f"{estimate.name} {label}")


_MEASURES: dict[str, Callable[[Arrays, Arrays, int], list[Estimate]]] = {
    "pose-fid": lambda real, fake, seed: pose_measures(_flat(real), _flat(fake), "pose-fid", seed),
    "diversity": lambda real, fake, seed: pose_measures(_flat(real), _flat(fake), "diversity", seed),
    "r-precision": _precision,
    "multimodality": _several,
}

PARAMETERS = tuple(_MEASURES)  # Names of the measures of files of parameters
