"""One pass over a set of pictures that takes everything that the measures need of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import HandwrightError
from handwright.metrics.crops import foreground_only, hand_crop
from handwright.metrics.features import FeatureExtractor, FeatureStream
from handwright.metrics.items import Item
from handwright.metrics.pictures import Skipped, read_pictures
from handwright.metrics.truth import LabelledPerson, TrueHand, people, poses, true_hands
from handwright.types import HandObservation, Image

HandFinder = Callable[[UInt8[np.ndarray, "h w 3"]], Sequence[HandObservation]]
"""Hands of a picture, in its own pixels."""

Told = TypeVar("Told")


@dataclass(frozen=True, eq=False)
class Picture:
    """What is kept of one picture.

    Attributes:
        path: Where it is.
        kind: Its file format.
        mode: How its samples are stored: 'RGB', 'RGBA', 'CMYK', 'I;16', …
        size_px: Width, height.
        hands: Found in it; empty when nobody looked.
        truth: Its true hands, where labels tell; None where they do not.
        mirrored_px: Landmarks float [21, 2] found in its mirror image and mirrored back, where there is no
            truth to measure the finder's own error with.
        people: Its labelled people; None where labels tell of none.
        people_found: What a pose estimator saw in it, where labels tell that beside ``people``.
        poses: float [J, 3] of each labelled hand.
        caption: What it shall show.
        broken: Some of its labels could not be read.
    """

    path: Path
    kind: str
    mode: str
    size_px: tuple[int, int]
    hands: tuple[HandObservation, ...] = ()
    truth: tuple[TrueHand, ...] | None = None
    mirrored_px: tuple[Float[np.ndarray, "21 2"], ...] = ()
    people: tuple[LabelledPerson, ...] | None = None
    people_found: tuple[LabelledPerson, ...] | None = None
    poses: tuple[Float[np.ndarray, "j 3"], ...] = ()
    caption: str | None = None
    broken: bool = False


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
        foreground: Features of the picture without its background.
        hands: Where the hands are.
        compared: Names of pictures whose hands will be compared with those of their partners.
        people: Labelled people.
        poses: Labelled poses of hands.
        captions: What the picture shall show.
    """

    whole: bool = True
    crops: bool = False
    foreground: bool = False
    hands: bool = False
    compared: frozenset[str] = field(default_factory=frozenset[str])
    people: bool = False
    poses: bool = False
    captions: bool = False


def gather(
    named: Mapping[str, Item],
    wanted: Wanted,
    extractor: FeatureExtractor | None,
    finder: HandFinder | None,
    on_picture: Callable[[], None] = lambda: None,
) -> Gathered:
    """Read every picture once and keep only what is wanted of it.

    Args:
        named: Each picture by its name.
        wanted: What to take.
        extractor: For features, where they are wanted.
        finder: For hands, where they are wanted.
        on_picture: Called after each picture.
    """
    gathering = _Gathering(wanted, extractor, finder)
    names = {id(item): name for name, item in named.items()}
    for item, image in read_pictures(named.values()):
        if isinstance(image, Skipped):
            gathering.skipped.append(image)
        else:
            gathering.add(names[id(item)], item, image)
        on_picture()
    return gathering.result()


class _Gathering:
    """What has been taken so far."""

    def __init__(self, wanted: Wanted, extractor: FeatureExtractor | None, finder: HandFinder | None) -> None:
        self.skipped: list[Skipped] = []
        self._wanted = wanted
        self._finder = finder if wanted.hands or wanted.crops else None
        self._pictures: dict[str, Picture] = {}
        kinds = {"whole": wanted.whole, "hands": wanted.crops, "foreground": wanted.foreground}
        self._streams = {
            kind: FeatureStream(extractor) for kind, asked in kinds.items() if asked and extractor is not None
        }

    def add(self, name: str, item: Item, image: Image) -> None:
        picture = self._look(name, item, image)
        self._pictures[name] = picture
        if "whole" in self._streams:
            self._streams["whole"].add(image.pixels)
        if "hands" in self._streams:
            for hand in picture.hands:
                self._streams["hands"].add(hand_crop(image.pixels, hand.bbox_xyxy_px))
        inside = item.inside
        if "foreground" in self._streams and inside is not None:
            alone = self._told(item, lambda: foreground_only(image.pixels, inside()))
            if alone is not None:
                self._streams["foreground"].add(alone)

    def result(self) -> Gathered:
        told = {kind: stream.features() for kind, stream in self._streams.items()}
        nothing = np.empty((0, 0), np.float32)
        whole, hands, foreground = (told.get(kind, nothing) for kind in ("whole", "hands", "foreground"))
        return Gathered(self._pictures, whole, hands, foreground, tuple(self.skipped))

    def _look(self, name: str, item: Item, image: Image) -> Picture:
        wanted, finder, compared = self._wanted, self._finder, name in self._wanted.compared
        before = len(self.skipped)
        needs_labels = wanted.people or wanted.poses or (compared and finder is not None)
        labels = self._told(item, item.labels) if needs_labels else None
        known = labels or {}
        truth = people_seen = people_found = hand_poses = None
        if finder is not None and compared and labels is not None:
            truth = self._told(item, lambda: true_hands(known, item.path)) or []
        if wanted.people and "people" in known:
            people_seen = self._told(item, lambda: people(known, item.path))
        if people_seen is not None and "people_found" in known:
            people_found = self._told(item, lambda: people(known, item.path, "people_found"))
        if wanted.poses and "hands" in known:
            hand_poses = self._told(item, lambda: poses(known, item.path))
        broken = len(self.skipped) > before
        mirrored = finder is not None and compared and truth is None
        return Picture(
            item.path,
            item.kind,
            image.mode,
            (image.width, image.height),
            () if finder is None else tuple(finder(image.pixels)),
            None if truth is None else tuple(truth),
            _mirrored_hands(image.pixels, finder) if mirrored and finder is not None else (),
            None if people_seen is None else tuple(people_seen),
            None if people_found is None else tuple(people_found),
            tuple(hand_poses or ()),
            self._told(item, item.caption) if wanted.captions else None,
            broken,
        )

    def _told(self, item: Item, read: Callable[[], Told]) -> Told | None:
        """What ``read`` gives, or None and a counted skip."""
        try:
            return read()
        except HandwrightError as error:
            self.skipped.append(Skipped.because(item.path, error))
            return None


def _mirrored_hands(
    pixels: UInt8[np.ndarray, "h w 3"], finder: HandFinder
) -> tuple[Float[np.ndarray, "21 2"], ...]:
    """Landmarks found in the mirror image, mirrored back into the picture."""
    found = finder(np.ascontiguousarray(pixels[:, ::-1]))
    back, width = np.array([-1.0, 1.0]), np.array([pixels.shape[1], 0.0])
    return tuple(hand.landmarks_px * back + width for hand in found)
