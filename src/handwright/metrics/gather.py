"""One pass over a set of pictures that takes everything that the measures need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import HandwrightError
from handwright.image import load_image
from handwright.metrics.crops import foreground_only, hand_crop
from handwright.metrics.features import FeatureExtractor, FeatureStream
from handwright.metrics.pictures import Skipped, read_pictures
from handwright.metrics.truth import TrueHand, truth_beside
from handwright.types import HandObservation

HandFinder = Callable[[UInt8[np.ndarray, "h w 3"]], Sequence[HandObservation]]
"""Hands of a picture, in its own pixels."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What is kept of one picture.

    Attributes:
        path: Its file.
        size_px: Width, height.
        hands: Found in it; empty when nobody looked.
        truth: Its true hands, where a file beside it tells; None where there is none.
        mirrored_px: Landmarks float [21, 2] found in its mirror image and mirrored back, where there is no
            truth to measure the finder's own error with.
    """

    path: Path
    size_px: tuple[int, int]
    hands: tuple[HandObservation, ...] = ()
    truth: tuple[TrueHand, ...] | None = None
    mirrored_px: tuple[Float[np.ndarray, "21 2"], ...] = ()


@dataclass(frozen=True, eq=False)
class Gathered:
    """A set of pictures as the measures see it.

    Attributes:
        pictures: Those that could be read, by name.
        whole: float32 [N, D] features of whole pictures, in that order; [0, 0] when not asked for.
        hands: float32 [M, D] features of all hand crops.
        foreground: float32 [K, D] features of pictures whose mask was there, background black.
        skipped: Files that could not be used.
    """

    pictures: Mapping[str, Picture]
    whole: Float[np.ndarray, "n d"]
    hands: Float[np.ndarray, "m d"]
    foreground: Float[np.ndarray, "k d"]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Wanted:
    """What to take of each picture.

    Attributes:
        whole: Features of the whole picture.
        crops: Features of hand crops.
        hands: Where the hands are.
        compared: Names of pictures whose hands will be compared with those of their partners.
        masks: Folder of masks with the pictures' names, for foreground features.
    """

    whole: bool = True
    crops: bool = False
    hands: bool = False
    compared: frozenset[str] = field(default_factory=frozenset[str])
    masks: Path | None = None


def gather(
    named: Mapping[str, Path],
    wanted: Wanted,
    extractor: FeatureExtractor | None,
    finder: HandFinder | None,
    on_picture: Callable[[], None] = lambda: None,
) -> Gathered:
    """Read every picture once and keep only what is wanted of it.

    Args:
        named: File of each picture by its name.
        wanted: What to take.
        extractor: For features, where they are wanted.
        finder: For hands, where they are wanted.
        on_picture: Called after each file.
    """
    gathering = _Gathering(wanted, extractor, finder)
    names = {path: name for name, path in named.items()}
    for path, pixels in read_pictures(named.values()):
        if isinstance(pixels, Skipped):
            gathering.skipped.append(pixels)
        else:
            gathering.add(names[path], path, pixels)
        on_picture()
    return gathering.result()


class _Gathering:
    """What has been taken so far."""

    def __init__(self, wanted: Wanted, extractor: FeatureExtractor | None, finder: HandFinder | None) -> None:
        self.skipped: list[Skipped] = []
        self._wanted = wanted
        self._finder = finder if wanted.hands or wanted.crops else None
        self._pictures: dict[str, Picture] = {}
        kinds = {"whole": wanted.whole, "hands": wanted.crops, "foreground": wanted.masks is not None}
        self._streams = {
            kind: FeatureStream(extractor) for kind, asked in kinds.items() if asked and extractor is not None
        }

    def add(self, name: str, path: Path, pixels: UInt8[np.ndarray, "h w 3"]) -> None:
        picture = self._look(name, path, pixels)
        self._pictures[name] = picture
        if "whole" in self._streams:
            self._streams["whole"].add(pixels)
        if "hands" in self._streams:
            for hand in picture.hands:
                self._streams["hands"].add(hand_crop(pixels, hand.bbox_xyxy_px))
        if "foreground" in self._streams and self._wanted.masks is not None:
            try:
                self._streams["foreground"].add(_without_background(path, pixels, self._wanted.masks))
            except HandwrightError as error:
                self.skipped.append(Skipped(path, f"no foreground: {error}"))

    def result(self) -> Gathered:
        told = {kind: stream.features() for kind, stream in self._streams.items()}
        nothing = np.empty((0, 0), np.float32)
        whole, hands, foreground = (told.get(kind, nothing) for kind in ("whole", "hands", "foreground"))
        return Gathered(self._pictures, whole, hands, foreground, tuple(self.skipped))

    def _look(self, name: str, path: Path, pixels: UInt8[np.ndarray, "h w 3"]) -> Picture:
        size = (pixels.shape[1], pixels.shape[0])
        if self._finder is None:
            return Picture(path, size)
        hands = tuple(self._finder(pixels))
        if name not in self._wanted.compared:
            return Picture(path, size, hands)
        try:
            truth = truth_beside(path)
        except HandwrightError as error:
            self.skipped.append(Skipped(path, str(error)))
            truth = []
        if truth is not None:
            return Picture(path, size, hands, tuple(truth))
        return Picture(path, size, hands, None, _mirrored_hands(pixels, self._finder))


def _mirrored_hands(
    pixels: UInt8[np.ndarray, "h w 3"], finder: HandFinder
) -> tuple[Float[np.ndarray, "21 2"], ...]:
    """Landmarks found in the mirror image, mirrored back into the picture."""
    found = finder(np.ascontiguousarray(pixels[:, ::-1]))
    back, width = np.array([-1.0, 1.0]), np.array([pixels.shape[1], 0.0])
    return tuple(hand.landmarks_px * back + width for hand in found)


def _without_background(
    path: Path, pixels: UInt8[np.ndarray, "h w 3"], masks: Path
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture on black; its mask is NAME.png in the masks' folder, white inside."""
    inside = load_image(masks / f"{path.stem}.png").pixels.max(2) > np.uint8(127)
    return foreground_only(pixels, inside)
