"""Pictures for Tables 1 and 2: generated or given, then repainted as published and as delivered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from handwright.data.photographs import list_photos
from handwright.errors import UsageError
from handwright.handrefiner.network import InpaintRequest
from handwright.image import load_image, with_patch
from handwright.perception.detect.search import find_hands
from handwright.refine.acceptance import order
from handwright.refine.pipeline import Engine, refine_picture
from handwright.refine.result import Repair
from handwright.refine.settings import RefineSettings
from handwright.reproduce.handrefiner.study import Study
from handwright.reproduce.store import Record, Store
from handwright.types import HandObservation, Image
from handwright.workflow.run.load import own_prompt

Pixels = UInt8[np.ndarray, "h w 3"]

WITH_GESTURE, WITHOUT, GIVEN = "gesture", "free", "given"
"""Kinds of pictures: prompts that name a gesture, prompts that name none, and prompts that are not known."""

FREE_PROMPT = "a person facing the camera, making a hand gesture, indoor"
"""HandRefiner §4.2, 'relaxed prompt'."""

GESTURE_PROMPT = "a person facing the camera, making a {gesture} hand gesture, indoor"
"""Ours, after the relaxed one: the paper does not print those with a gesture."""

GENERATED, PUBLISHED, REFINED = "generated", "published", "refined"
STATES = (GENERATED, PUBLISHED, REFINED)
"""The picture as it came; every hand repainted as published; as ``refine`` delivers it."""

_GREY = 127  # Under a mask that covers all of it, no network sees the picture's own colour


@dataclass(frozen=True, eq=False)
class Prompted:
    """A picture that is generated, or read, when it is needed."""

    name: str  # Unmistakable within its kind, fit for a file name
    read: Callable[[], tuple[Pixels, str]]  # Its pixels and its prompt


@dataclass(frozen=True, eq=False)
class GeneratedPictures:
    """Makes and repaints the pictures; what is in the store already is not made again."""

    study: Study  # Model, settings, seed and numbers
    store: Store  # Where pictures and detections are kept, by kind
    engine: Engine  # Detector and judge

    def kinds(self, gestures: Mapping[str, int] | None) -> dict[str, tuple[Prompted, ...]]:
        """The pictures by kind.

        Args:
            gestures: Number of hands by gesture, by which prompts are drawn; None: without such prompts.

        Raises:
            UsageError: ``--data`` holds no pictures.
        """
        if self.study.data is not None:
            return given_pictures(self.study.data, self.study.scale.generated, self.study.diffusion.prompt)
        count = self.study.scale.generated
        prompts = {WITHOUT: [FREE_PROMPT] * count}
        if gestures:
            prompts = {WITH_GESTURE: gesture_prompts(gestures, count, self.study.seed), **prompts}
        return {
            kind: tuple(
                Prompted(f"{index:06d}", partial(self._generate, index, prompt))
                for index, prompt in enumerate(each)
            )
            for kind, each in prompts.items()
        }

    def make(self, kind: str, pictures: Sequence[Prompted]) -> tuple[str, ...]:
        """Every state of every picture; their names."""
        for number, picture in enumerate(pictures):
            self.study.progress(f"painting: {kind}", number, len(pictures))
            if not all(self.store.has(kind, f"{picture.name}/{state}") for state in STATES):
                self._make(kind, picture)
        return tuple(picture.name for picture in pictures)

    def _generate(self, index: int, prompt: str) -> tuple[Pixels, str]:
        """Text to image: the inpainting network with a mask over all of the picture and no control."""
        settings = replace(self.study.diffusion, prompt=prompt, strength=0.0)
        network = self.engine.inpainters(settings)
        side = network.resolution
        request = InpaintRequest(
            picture=np.full((side, side, 3), _GREY, np.uint8),
            mask=np.ones((side, side), np.bool_),
            control=np.zeros((side, side), np.uint8),
            landmarks_px=np.zeros((0, 21, 2)),
            settings=settings,
            strength=0.0,
            seed=(self.study.seed + index) % 2**32,
        )
        return np.rint(network.inpaint(request).picture).clip(0, 255).astype(np.uint8), prompt

    def _make(self, kind: str, picture: Prompted) -> None:
        pixels, prompt = picture.read()
        versions = {GENERATED: pixels, **self._repainted(pixels, prompt)}
        for state, version in versions.items():
            hands = find_hands(version, landmarker=self.engine.landmarker)
            record: Record = {"prompt": prompt, "hands": [_entry(hand) for hand in hands]}
            self.store.unit(kind, f"{picture.name}/{state}", lambda unit=(record, version): unit)

    def _repainted(self, pixels: Pixels, prompt: str) -> dict[str, Pixels]:
        image, usual = Image(pixels), replace(self.study.diffusion, prompt=prompt)
        as_published = replace(
            usual, strength="fixed", box_mask=True, no_grain=True, no_retoning=True, no_control_guidance=True
        )
        common = partial(RefineSettings, painter="diffuse", all_hands=True, seed=self.study.seed)
        published = refine_picture(image, common(candidates=1, diffusion=as_published), self.engine)
        delivered = refine_picture(image, common(diffusion=replace(usual, strength="auto")), self.engine)
        return {PUBLISHED: _every_hand(image, published), REFINED: delivered.after.pixels}


def gesture_prompts(gestures: Mapping[str, int], count: int, seed: int) -> list[str]:
    """Prompts that name gestures as often as the photographs show them; more of them begin with the same."""
    names, numbers = list(gestures), np.array(list(gestures.values()), float)
    drawn = np.random.default_rng(seed).choice(len(names), count, p=numbers / numbers.sum())
    return [GESTURE_PROMPT.format(gesture=names[k].replace("_", " ")) for k in drawn]


def given_pictures(folder: Path, count: int, prompt: str) -> dict[str, tuple[Prompted, ...]]:
    """Pictures made elsewhere: of folders ``gesture`` and ``free``, or of one folder.

    The prompt of each is what its generator wrote into it, else ``prompt``.

    Raises:
        UnreadableImageError: A folder holds no pictures.
    """
    there = [kind for kind in (WITH_GESTURE, WITHOUT) if (folder / kind).is_dir()]
    folders = {kind: folder / kind for kind in there} or {GIVEN: folder}

    def read(path: Path) -> tuple[Pixels, str]:
        image = load_image(path)
        return image.pixels, own_prompt({"painter": "diffuse"}, image).get("prompt", prompt)

    return {
        kind: tuple(
            Prompted(f"{number:06d}-{path.stem}", partial(read, path))
            for number, path in enumerate(_files(each)[:count])
        )
        for kind, each in folders.items()
    }


def _files(folder: Path) -> tuple[Path, ...]:
    listed = list_photos(folder)
    if any(not path.is_file() for path in listed):
        raise UsageError(f"--data {folder} holds pictures in tar files", "", "unpack them")
    return listed


def _entry(hand: HandObservation) -> list[float]:
    """x0, y0, x1, y1 in pixels and how surely it is a hand."""
    return [*map(float, hand.bbox_xyxy_px), float(hand.score)]


def _every_hand(image: Image, repair: Repair) -> Pixels:
    """The picture with the best candidate of every hand, accepted or not."""
    for hand in repair.hands:
        if hand.candidates:
            best = min(hand.candidates, key=lambda c: (len(c.rejection_reasons), order([c.scores])))
            if np.any(best.inside):
                image = with_patch(image, best)
    return image.pixels
