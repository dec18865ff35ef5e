"""Pictures to repaint: rendered hands by seed, or the pictures of a folder; each with its hand read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from handwright.data.hands import render_one_hand
from handwright.data.hands.defects.generators import ONE_HAND_DEFECTS
from handwright.data.photographs import decode_photo, list_photos, read_photo
from handwright.errors import UsageError
from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.search import find_hands
from handwright.refine.hand_task import HandTask, plan_hand
from handwright.refine.scene import Scene
from handwright.refine.settings import RefineSettings
from handwright.types import Box, HandObservation, Image

Pixels = UInt8[np.ndarray, "h w 3"]
Landmarks = Float[np.ndarray, "21 2"]

REAL, TO_REPAINT = "real", "made"  # Folders below ``--data``: the reference, and the pictures to repaint


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that is read when it is needed."""

    name: str  # Unmistakable within a study, fit for a file name
    read: Callable[[], Pixels]  # Its pixels


@dataclass(frozen=True, eq=False)
class Subject:
    """The largest hand of a picture, found and fitted as ``refine`` does it."""

    name: str  # Of the picture
    pixels: Pixels  # uint8 [H, W, 3]
    scene: Scene  # All its hands
    task: HandTask  # The hand

    def boxed(self) -> Subject:
        """The same with all of its mask's box free to change, as the published code has it.

        A mask that follows the hand tells the network its outline, whatever the control is.
        """
        repair_mask = np.zeros_like(self.task.repair_mask)
        rows, columns = (
            np.flatnonzero(self.task.repair_mask.any(1)),
            np.flatnonzero(self.task.repair_mask.any(0)),
        )
        repair_mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        task = replace(self.task, repair_mask=repair_mask)
        tasks = tuple(task if other is self.task else other for other in self.scene.tasks)
        return replace(self, task=task, scene=replace(self.scene, tasks=tasks))

    @property
    def box(self) -> Box:
        """Of the hand as it was found."""
        return self.task.observation.bbox_xyxy_px


def read_subject(picture: Picture, landmarker: Landmarker) -> Subject | None:
    """Find and fit the hands of a picture; None where there is none."""
    pixels = picture.read()
    image, settings = Image(pixels), RefineSettings()
    found = find_hands(pixels, landmarker=landmarker)
    if not found:
        return None
    tasks = tuple(
        plan_hand(k, image, analyse_hand(image, hand), settings) for k, hand in enumerate(found, start=1)
    )
    depth = depth_control([task.fit.hand for task in tasks], image.height, image.width)
    largest = max(tasks, key=lambda task: task.observation.size_px)
    return Subject(picture.name, pixels, Scene(tasks, depth), largest)


def rendered(first_seed: int, count: int, size_px: int) -> Iterator[Picture]:
    """Sound rendered hands of consecutive seeds."""
    for seed in range(first_seed, first_seed + count):
        yield Picture(f"{seed}", lambda seed=seed: render_one_hand(seed, size_px).pixels)


def spoiled(seed: int, size_px: int) -> tuple[Pixels, Landmarks]:
    """A rendered hand with a defect, the kinds in turn; and the landmarks that it should have."""
    picture = render_one_hand(seed, size_px, ONE_HAND_DEFECTS[seed % len(ONE_HAND_DEFECTS)])
    return picture.pixels, picture.hands[0].keypoints_px


def largest_hand(picture: Picture, landmarker: Landmarker) -> tuple[Pixels, HandObservation] | None:
    """The pixels of a picture and its largest hand; None where there is none."""
    pixels = picture.read()
    found = find_hands(pixels, landmarker=landmarker)
    return (pixels, max(found, key=lambda hand: hand.size_px)) if found else None


def of_folder(folder: Path, part: str) -> tuple[Picture, ...]:
    """The pictures of a folder of the user's.

    Raises:
        UsageError: There is no such folder.
        UnreadableImageError: It holds no pictures, or a tar in it is damaged.
    """
    if not folder.is_dir():
        raise UsageError(f"--data {folder} is not there", "", "give a folder of pictures")
    split = all((folder / name).is_dir() for name in (REAL, TO_REPAINT))
    paths = list_photos(folder / part) if split else list_photos(folder)[part == TO_REPAINT :: 2]
    return tuple(
        Picture(f"{number:06d}-{path.stem}", lambda path=path: decode_photo(read_photo(path), path.name))
        for number, path in enumerate(paths)
    )
