"""Measures of generated hand and body parameters (Guo et al. 2022 for text-to-motion, here for still poses).

Poses are compared in the 6-D form of their rotations (Zhou et al. 2019), in which equal rotations have equal
numbers, or in any embedding that is handed in.
"""

import numpy as np
from jaxtyping import Float, Int

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.distances.frechet import frechet_distance
from handwright.metrics.statistics.estimate import ROUNDS, Estimate, mean_estimate, statistic_estimate

POOL = 32  # R-precision ranks a text among the texts of this many poses, its own included (Guo et al. 2022).

_DIGITS = 9


def rotations_6d(axis_angle: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 6"]:
    """First two columns of the rotation matrix of each axis-angle vector, radians; 2π turns are none."""
    vectors = np.asarray(axis_angle, np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    axis = vectors / np.maximum(angle[..., 0], 1e-12)
    x, y, z = np.moveaxis(axis, -1, 0)
    none = np.zeros_like(x)
    cross = np.stack([none, -z, y, z, none, -x, -y, x, none], -1).reshape(*x.shape, 3, 3)
    matrix = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return np.concatenate([matrix[..., 0], matrix[..., 1]], -1)


def pose_distance(
    reference: Float[np.ndarray, "n j 3"],
    generated: Float[np.ndarray, "m j 3"],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Fréchet distance of two sets of poses, each the axis-angle [J, 3] of its joints, in 6-D rotations.

    Raises:
        NotEnoughDataError: A set has no more poses than 6 J numbers.
        InvalidValueError: Shapes do not fit.
    """
    flat = [rotations_6d(poses).reshape(len(poses), -1) for poses in (reference, generated)]
    return frechet_distance(flat[0], flat[1], name="pose-fid[rot6d]", rounds=rounds, seed=seed)


def retrieval_ranks(
    texts: Float[np.ndarray, "n d"], poses: Float[np.ndarray, "n d"], *, pool: int = POOL, seed: int = 0
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """How many texts of a random pool are nearer to each pose than its own, and how many equally near.

    Nearness is the cosine of embeddings [N, D]; what does not fill a pool is left out.

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
    nearer: list[Int[np.ndarray, " pool"]] = []
    equal: list[Int[np.ndarray, " pool"]] = []
    for chosen in order.reshape(-1, pool):
        similar = np.round(_unit(poses[chosen]) @ _unit(texts[chosen]).T, _DIGITS)
        own = np.diag(similar)[:, None]
        nearer.append((similar > own).sum(1))
        equal.append((similar == own).sum(1) - 1)
    return np.concatenate(nearer), np.concatenate(equal)


def r_precision(
    texts: Float[np.ndarray, "n d"],
    poses: Float[np.ndarray, "n d"],
    top: int = 1,
    *,
    embedding: str,
    pool: int = POOL,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Share of poses whose own text is among the ``top`` nearest of its pool.

    Texts that are equally near (the same caption twice, embeddings that say nothing) come in random order:
    each counts with the chance that it gets a place.

    Raises:
        NotEnoughDataError: There are fewer than ``pool`` pairs.
        InvalidValueError: Shapes do not fit, or numbers are not finite.
    """
    nearer, equal = retrieval_ranks(texts, poses, pool=pool, seed=seed)
    chance = np.clip((top - nearer) / (equal + 1), 0, 1)
    return mean_estimate(f"r-precision@{top}[{embedding}, pool {pool}]", chance, rounds=rounds, seed=seed)


def diversity(
    features: Float[np.ndarray, "n d"], *, name: str = "diversity[rot6d]", rounds: int = ROUNDS, seed: int = 0
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
    return mean_estimate(name, apart, rounds=rounds, seed=seed)


def multimodality(
    features: Float[np.ndarray, "texts k d"],
    *,
    name: str = "multimodality[rot6d]",
    rounds: int = ROUNDS,
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
    return statistic_estimate(name, apart, lambda rows: float(rows.mean()), rounds=rounds, seed=seed)


def _unit(rows: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
