"""CLIPSIM: how well pictures fit their texts (the two-stage paper, Table I)."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import InvalidValueError
from handwright.metrics.extractors.features import BATCH, TextImageEncoder, extract
from handwright.metrics.statistics.estimate import ROUNDS, Estimate, mean_estimate


def clip_similarity(
    pictures: Iterable[UInt8[np.ndarray, "h w 3"]],
    texts: Sequence[str],
    encoder: TextImageEncoder,
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """100 · cosine between each picture and its text, on average; ``clipsim[encoder]``.

    Raises:
        InvalidValueError: There are not as many texts as pictures.
        NotEnoughDataError: There is none.
    """
    values = similarities(extract(pictures, encoder), text_features(texts, encoder))
    return mean_estimate(f"clipsim[{encoder.name}]", values, rounds=rounds, seed=seed)


def similarities(
    pictures: Float[np.ndarray, "n d"], texts: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, " n"]:
    """100 · cosine of each row with its partner, at least 0 (Hessel et al. 2021).

    Raises:
        InvalidValueError: Shapes differ.
    """
    if pictures.shape != texts.shape:
        raise InvalidValueError(f"pictures {pictures.shape} and texts {texts.shape} must be pairs [N, D]")
    a, b = np.asarray(pictures, np.float64), np.asarray(texts, np.float64)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.maximum(100 * (a * b).sum(-1) / np.maximum(norms, 1e-12), 0.0)


def text_features(texts: Sequence[str], encoder: TextImageEncoder) -> Float[np.ndarray, "n d"]:
    """Features of texts, in batches."""
    parts = [encoder.texts(list(texts[i : i + BATCH])) for i in range(0, len(texts), BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)
