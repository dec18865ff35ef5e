"""What turns pictures into the numbers that distributions are compared by."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import InvalidValueError

BATCH = 32  # Pictures that an extractor is given at once

BATCH_PX = 8_000_000
"""Pixels after which fewer pictures make a batch: large photographs must not fill the memory."""


class FeatureExtractor(Protocol):
    """One picture in, one vector out; batches change nothing."""

    @property
    def name(self) -> str:
        """What measures carry in brackets: weights, layer and version, unmistakable."""
        ...

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """float32 [N, D] of pictures uint8 [N, H, W, 3], sRGB, of any size: it brings them to its own."""
        ...


class TextImageEncoder(FeatureExtractor, Protocol):
    """Pictures and texts in one space, where a picture is near the text that describes it."""

    def texts(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Features, float32 [N, D], of texts."""
        ...


class FeatureStream:
    """Collects features of pictures that come one by one; never holds more than a batch of pictures.

    Neighbours of one size share a batch; sizes may differ.
    """

    def __init__(self, extractor: FeatureExtractor, batch: int = BATCH) -> None:
        self._extractor, self._batch = extractor, batch
        self._done: list[Float[np.ndarray, "b d"]] = []
        self._waiting: list[UInt8[np.ndarray, "h w 3"]] = []

    def add(self, picture: UInt8[np.ndarray, "h w 3"]) -> None:
        """Take the next picture.

        Raises:
            InvalidValueError: It is no uint8 [H, W, 3].
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise InvalidValueError(f"a picture is uint8 [H, W, 3], got {picture.dtype} {picture.shape}")
        if self._waiting and self._waiting[0].shape != picture.shape:
            self._flush()
        self._waiting.append(picture)
        held_px = len(self._waiting) * picture.shape[0] * picture.shape[1]
        if len(self._waiting) == self._batch or held_px >= BATCH_PX:
            self._flush()

    def features(self) -> Float[np.ndarray, "n d"]:
        """float32 [N, D] of all pictures so far, in the order they came; [0, 0] when there is none."""
        self._flush()
        return np.concatenate(self._done) if self._done else np.empty((0, 0), np.float32)

    def _flush(self) -> None:
        if self._waiting:
            self._done.append(self._extractor(np.stack(self._waiting)))
            self._waiting = []


def extract(
    pictures: Iterable[UInt8[np.ndarray, "h w 3"]], extractor: FeatureExtractor, *, batch: int = BATCH
) -> Float[np.ndarray, "n d"]:
    """float32 [N, D] of pictures, read as they come and never held all at once; [0, 0] of none.

    Raises:
        InvalidValueError: Something is not a picture.
    """
    stream = FeatureStream(extractor, batch)
    for picture in pictures:
        stream.add(picture)
    return stream.features()


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
