"""The pictures that drawing is measured on: rendered, real, rendered with a defect, real with one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from find import photograph
from handwright.data.hands import HandPicture, render_defects, render_one_hand
from handwright.hand.defects import Defect
from handwright.hand.kinematics import hand_landmarks_m
from handwright.types import Hand

DATA = Path(__file__).parent / "data"
RENDERED_FROM, DEFECTS_FROM = 1000, 5000
"""First seeds; lower ones were looked at while building."""

MALFORMED_SEED, SURGERY_SEED = 950_000, 950_001
"""Of the worlds of defects and of surgery."""

EVERY_HAND = tuple(range(1, 33))
"""Numbers of all hands of a picture, to point them out: unlike with ``all_hands``, it is not asked whether
their paintings would look worse to viewers."""

_SIZE, _LEAST_PX, _LEAST_SEEN = 320, 80, 12


@dataclass(frozen=True, eq=False)
class Subject:
    """One hand to redraw.

    Attributes:
        name: For captions.
        unit: What the bootstrap draws: the picture.
        pixels: uint8 [H, W, 3].
        bbox: Where the hand is meant to be; None: the largest that is found.
        truth_px: [21, 2] exact landmarks, of rendered hands.
        hand: The exact hand, of rendered sets with one hand a picture.
        sound: Renders the picture as it would be without its defect, if it has one and that is known.
        group: 'free', 'difficult', a category, or a defect.
    """

    name: str
    unit: str
    pixels: UInt8[np.ndarray, "h w 3"]
    bbox: tuple[float, float, float, float] | None
    truth_px: Float[np.ndarray, "21 2"] | None
    hand: Hand | None = field(default=None, kw_only=True)
    sound: Callable[[], UInt8[np.ndarray, "h w 3"]] | None = field(default=None, kw_only=True)
    group: str


def subjects(kind: str, count: int | None, seed: int | None) -> Iterator[Subject]:
    """The subjects of a set.

    Args:
        kind: 'rendered', 'real', 'fresh', 'defects' (a finger too many or missing), 'malformed' (any defect
            of ``handwright synth``) or 'surgery' (defects cut into test-only photographs).
        count: How many; by default 200, 200, 60, 50, 50, 50. Of real sets, evenly spread over the list.
        seed: First seed of rendered sets.
    """
    if kind == "rendered":
        yield from _rendered(count or 200, RENDERED_FROM if seed is None else seed)
    elif kind == "defects":
        yield from _defects(count or 50, DEFECTS_FROM if seed is None else seed)
    elif kind == "malformed":
        yield from _malformed(count or 50, MALFORMED_SEED if seed is None else seed)
    elif kind == "surgery":
        yield from _surgery(count or 50, SURGERY_SEED if seed is None else seed)
    elif kind == "real":
        yield from _real(count or 200)
    else:
        yield from _fresh(count or 60)


def photos_root() -> Path:
    """Folder of the real photographs; ends the program where it is not set."""
    if "HANDWRIGHT_PHOTOS" not in os.environ:
        sys.exit("set HANDWRIGHT_PHOTOS to the folder of real photographs")
    return Path(os.environ["HANDWRIGHT_PHOTOS"])


def _rendered(count: int, first: int) -> Iterator[Subject]:
    for seed in range(first, first + count):
        truth = (picture := render_one_hand(seed)).hands[0]
        group, points = truth.name or "unnamed pose", truth.keypoints_px
        yield Subject(f"{seed}", f"{seed}", picture.pixels, _box(points), points, group, hand=truth.hand)


def _defects(count: int, first: int) -> Iterator[Subject]:
    for seed in range(first, first + count):
        defect = (Defect.EXTRA, Defect.MISSING)[seed % 2]
        truth = (picture := render_one_hand(seed, defect=defect)).hands[0]
        yield Subject(
            f"{seed}",
            f"{seed}",
            picture.pixels,
            _box(truth.keypoints_px),
            truth.keypoints_px,
            defect,
            hand=truth.hand,
            sound=partial(_sound_twin, seed, defect),
        )


def _sound_twin(seed: int, defect: str) -> UInt8[np.ndarray, "h w 3"]:
    return render_one_hand(seed, defect=defect, without_defect=True).pixels


def _malformed(count: int, seed: int) -> Iterator[Subject]:
    made = (render_defects(seed, index, _SIZE) for index in range(100 * count))
    yield from islice((s for index, picture in enumerate(made) if (s := _of_defects(picture, index))), count)


def _of_defects(picture: HandPicture, index: int) -> Subject | None:
    """The malformed hand of a picture, if it is plainly seen and malformed by itself."""
    for hand in picture.hands:
        named = {label.name for label in hand.defects} - {Defect.WRONG_HAND}
        points = hand.keypoints_px
        if named and np.ptp(points, axis=0).max() >= _LEAST_PX and hand.visible.sum() >= _LEAST_SEEN:
            return Subject(f"{index}", f"{index}", picture.pixels, _box(points), points, min(named))
    return None


def _surgery(count: int, seed: int) -> Iterator[Subject]:
    from handwright.data.photo_edits import edit_photo
    from judge_real import held_out_photos

    photos = [photo.path for photo in held_out_photos(photos_root())]
    made = (edit_photo(seed, index, _SIZE, photos) for index in range(100 * count))
    for index, picture in enumerate(islice((p for p in made if p.label is not None), count)):
        assert picture.label is not None
        hand = picture.crop.scaled_hand(picture.scale)
        points = hand.camera.project(hand_landmarks_m(hand))
        yield Subject(f"{index}", f"{index}", picture.pixels, _box(points), None, picture.label.name)


def _box(points: Float[np.ndarray, "21 2"]) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def _real(count: int) -> Iterator[Subject]:
    root, entries = photos_root(), json.loads((DATA / "draw_200.json").read_text("utf-8"))["hands"]
    for k in _spread(len(entries), count):
        entry = entries[k]
        box = tuple(map(float, entry["bbox_xyxy_px"]))
        unit = f"{entry['set']}/{entry['name']}"
        yield Subject(f"{k} {entry['class']}", unit, photograph(root, entry), box, None, entry["class"])


def _fresh(count: int) -> Iterator[Subject]:
    root, entries = photos_root(), json.loads((DATA / "hands_200.json").read_text("utf-8"))["never_viewed"]
    for k in _spread(len(entries), count):
        entry = entries[k]
        unit = f"{entry['set']}/{entry['name']}"
        yield Subject(f"fresh {k}", unit, photograph(root, entry), None, None, "fresh")


def _spread(length: int, count: int) -> list[int]:
    return sorted({int(k) for k in np.linspace(0, length - 1, min(count, length)).round()})
