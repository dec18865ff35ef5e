"""The photographs of Tables 1 and 2, from folders in HaGRID's and FreiHAND's layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from handwright.data.loaders import Tally, read_freihand, read_hagrid
from handwright.data.sample import Sample
from handwright.errors import DataError, UnreadableImageError, UsageError

HAGRID_SPLITS = ("train", "val", "test")
"""The first that has annotations is taken; the paper names none."""

FREE = "no_gesture"
"""HaGRID's label of a hand that shows none."""


@dataclass(frozen=True, eq=False)
class Photographs:
    """A labelled set of photographs, none of them decoded yet."""

    name: str  # Data set and split
    samples: Sequence[Sample]  # Those whose labels and file are there
    tally: Tally  # Of records that are not

    def gestures(self) -> Mapping[str, int]:
        """Number of hands by the gesture that they show; empty where the set names none."""
        hands = (hand.gesture for sample in self.samples for hand in sample.hands)
        return dict(sorted(Counter(gesture for gesture in hands if gesture not in (None, FREE)).items()))  # type: ignore[arg-type]

    def chosen(self, count: int, seed: int) -> Generator[UInt8[np.ndarray, "h w 3"]]:
        """Pixels of at most ``count`` of them, drawn by chance; those that cannot be decoded are passed over.

        Raises:
            DataError: None can be decoded.
        """
        read = 0
        for index in np.random.default_rng(seed).permutation(len(self.samples)):
            if read == count:
                return
            try:
                pixels = self.samples[index].image().pixels
            except UnreadableImageError:
                continue
            read += 1
            yield pixels
        if not read:
            raise DataError(
                f"{self.name}: none of {len(self.samples)} pictures can be decoded", "", "fetch them again"
            )


def open_hagrid(folder: Path) -> Photographs:
    """Photographs of people who show a gesture.

    Raises:
        UsageError: The folder is not there.
        DataError: It is not in HaGRID's layout, or none of its records can be used.
    """
    _check("--hagrid", folder)
    annotated = [split for split in HAGRID_SPLITS if any((folder / "annotations" / split).glob("*.json"))]
    split = annotated[0] if annotated else HAGRID_SPLITS[0]
    tally = Tally()
    found = tuple(tally.samples(read_hagrid(folder, split)))
    photographs = Photographs(f"HaGRID {split}", found, tally)
    _check_usable(folder, photographs)
    if not photographs.gestures():
        raise DataError(f"HaGRID: no hand in {folder} shows a gesture", "all labels are no_gesture", "")
    return photographs


def open_freihand(folder: Path) -> Photographs:
    """Photographs of one hand each, which fills the picture.

    Raises:
        UsageError: The folder is not there.
        DataError: It is not in FreiHAND's layout, or none of its records can be used.
    """
    _check("--freihand", folder)
    split = "training" if (folder / "training_K.json").is_file() else "evaluation"
    if not (folder / f"{split}_K.json").is_file():
        split = "training"  # whose absence the loader reports
    tally = Tally()
    found = tuple(tally.samples(read_freihand(folder, split)))
    photographs = Photographs(f"FreiHAND {split}", found, tally)
    _check_usable(folder, photographs)
    return photographs


def _check(option: str, folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(f"{option} {folder} is not there", "", "give a folder")


def _check_usable(folder: Path, photographs: Photographs) -> None:
    if photographs.samples:
        return
    reasons = "; ".join(photographs.tally.lines()[1:]) or "its label files list none"
    name = photographs.name.split()[0]
    raise DataError(
        f"{name}: no picture in {folder} can be used",
        reasons,
        "name the folder that holds labels and pictures",
    )
