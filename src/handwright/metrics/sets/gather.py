"""One pass over a set of pictures that takes everything that the measures need of it."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import HandwrightError
from handwright.metrics.average_precision import FoundPerson
from handwright.metrics.crops import foreground_only, hand_crop
from handwright.metrics.extractors.features import FeatureExtractor, FeatureStream
from handwright.metrics.results import Skipped
from handwright.metrics.sets.items import Item, Labels, TrueHand, people, poses, true_hands
from handwright.types import HandObservation, Image

_AHEAD = 16  # small ones; a batch of features is read while the one before is computed


def read_pictures(items: Iterable[Item]) -> Generator[tuple[Item, Image | Skipped]]:
    """Every picture in order, bare of its native samples, or why it was skipped; 16 are read ahead."""
    waiting: deque[tuple[Item, Future[Image | Skipped]]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for item in items:
            waiting.append((item, pool.submit(_read, item)))
            if len(waiting) > _AHEAD:
                first, result = waiting.popleft()
                yield first, result.result()
        while waiting:
            first, result = waiting.popleft()
            yield first, result.result()


def _read(item: Item) -> Image | Skipped:
    try:
        image = item.image()
        return Image(image.pixels, mode=image.mode)
    except HandwrightError as error:
        return Skipped.because(item.path, error)


HandFinder = Callable[[UInt8[np.ndarray, "h w 3"]], Sequence[HandObservation]]
"""Hands of a picture, in its own pixels."""

One = TypeVar("One")


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureLabels:
    """The labels of one picture, as far as the measures need them."""

    hands: tuple[TrueHand, ...] | None = None  # Its true hands; None where it has no such labels
    people: tuple[FoundPerson, ...] | None = None  # Its people; None where it has no such labels
    # People that a pose estimator found in it, where the labels hold them beside ``people``
    people_found: tuple[FoundPerson, ...] | None = None
    poses: tuple[Float[np.ndarray, "j 3"], ...] = ()  # float [J, 3] of each hand
    broken: bool = False  # Something of it could not be read


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """What is kept of one picture."""

    path: Path  # Where it is
    kind: str  # Its file format
    mode: str  # How its samples are stored: 'RGB', 'RGBA', 'CMYK', 'I;16', …
    size_px: tuple[int, int]  # Width, height
    hands: tuple[HandObservation, ...] = ()  # Hands detected in it; empty without a detector
    # Landmarks float [21, 2] found in its mirror image and mirrored back, where there is no truth to measure
    # the finder's own error with
    mirrored_px: tuple[Float[np.ndarray, "21 2"], ...] = ()
    labels: PictureLabels = field(default_factory=PictureLabels)  # Its labels
    caption: str | None = None  # The text that it should show


@dataclass(frozen=True, eq=False, kw_only=True)
class Gathered:
    """What the measures need of a set of pictures."""

    pictures: Mapping[str, Picture]  # Those that could be read, by name
    # float32 [N, D] features of whole pictures, in that order; [0, 0] when not asked for
    whole: Float[np.ndarray, "n d"]
    hands: Float[np.ndarray, "m d"]  # float32 [M, D] features of all hand crops
    # float32 [K, D] features of pictures whose mask was there, background black
    foreground: Float[np.ndarray, "k d"]
    skipped: tuple[Skipped, ...]  # Files that could not be used


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to take of each picture."""

    whole: bool = True  # Features of the whole picture
    crops: bool = False  # Features of hand crops
    foreground: bool = False  # Features of the picture without its background
    hands: bool = False  # Where the hands are
    # Names of pictures whose hands will be compared with those of their partners
    compared: frozenset[str] = field(default_factory=frozenset[str])
    people: bool = False  # Labelled people
    poses: bool = False  # Labelled poses of hands
    captions: bool = False  # What the picture shall show


def gather(
    named: Mapping[str, Item],
    wanted: Wanted,
    extractor: FeatureExtractor | None,
    finder: HandFinder | None,
    on_picture: Callable[[], None] = lambda: None,
) -> Gathered:
    """Read every picture once and keep only what is wanted of it."""
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
            kind: FeatureStream(extractor)
            for kind, wanted in kinds.items()
            if wanted and extractor is not None
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
            alone = self._read(item, lambda: foreground_only(image.pixels, inside()))
            if alone is not None:
                self._streams["foreground"].add(alone)

    def result(self) -> Gathered:
        features = {kind: stream.features() for kind, stream in self._streams.items()}
        nothing = dict.fromkeys(("whole", "hands", "foreground"), np.empty((0, 0), np.float32))
        return Gathered(pictures=self._pictures, skipped=tuple(self.skipped), **{**nothing, **features})

    def _look(self, name: str, item: Item, image: Image) -> Picture:
        finder, compared = self._finder, name in self._wanted.compared
        labels = self._labelled(item, hands=compared and finder is not None)
        mirrored = compared and labels.hands is None and not labels.broken
        return Picture(
            path=item.path,
            kind=item.kind,
            mode=image.mode,
            size_px=(image.width, image.height),
            hands=() if finder is None else tuple(finder(image.pixels)),
            mirrored_px=_mirrored_hands(image.pixels, finder) if mirrored and finder is not None else (),
            labels=labels,
            caption=self._read(item, item.caption) if self._wanted.captions else None,
        )

    def _labelled(self, item: Item, *, hands: bool) -> PictureLabels:
        wanted, before = self._wanted, len(self.skipped)
        labels = self._read(item, item.labels) if hands or wanted.people or wanted.poses else None

        def read(
            key: str, reader: Callable[[Labels, Path], Sequence[One]], needed: bool
        ) -> tuple[One, ...] | None:
            if not needed or labels is None or key not in labels:
                return None
            values = self._read(item, partial(reader, labels, item.path))
            return None if values is None else tuple(values)

        return PictureLabels(
            hands=read("hands", true_hands, hands),
            people=read("people", people, wanted.people),
            people_found=read("people_found", partial(people, key="people_found"), wanted.people),
            poses=read("hands", poses, wanted.poses) or (),
            broken=len(self.skipped) > before,
        )

    def _read(self, item: Item, read: Callable[[], One]) -> One | None:
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
