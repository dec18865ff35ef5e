"""Where a picture is taken: procedural places with a depth of field, or somebody's photographs."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.data.photographs import decode_photo, read_photo
from handwright.data.world import backdrops, scenery
from handwright.data.world.scenery import Canvas, noise


@dataclass(frozen=True)
class Kind:
    """A sort of place."""

    words: str  # For captions
    share: float  # How often
    outdoor: bool  # Sky and sun, or rooms
    near: float  # Chance that the background is right behind the hand and catches its shadow
    blur: float  # Typical defocus as a share of the picture's side
    paint: Callable[[np.random.Generator, int], Canvas]  # Painter (rng, side) → linear [S, S, 3], sharp


@dataclass(frozen=True, eq=False)
class Place:
    """A background."""

    linear: Canvas  # float32 [S, S, 3] reflectance, or light for photographs
    name: str  # Key of ``KINDS``, or 'photograph'
    near: bool  # It is right behind the hand
    someone: bool  # A person stands there
    photograph: Mapping[str, str] | None = None  # ``name`` and ``sha256`` of one that it is cut from

    @property
    def words(self) -> str:
        """For captions; empty for a photograph."""
        return KINDS[self.name].words if self.name in KINDS else ""

    def outdoor(self, rng: np.random.Generator) -> bool:
        """Whether sky and sun light it; of a photograph nobody knows."""
        return KINDS[self.name].outdoor if self.name in KINDS else bool(rng.random() < 0.4)


KINDS: dict[str, Kind] = {
    "room": Kind("in a room", 0.2, False, 0.0, 0.014, backdrops.draw_room),
    "desk": Kind("over a desk", 0.1, False, 0.9, 0.003, backdrops.draw_desk),
    "landscape": Kind("in the countryside", 0.09, True, 0.0, 0.012, backdrops.draw_landscape),
    "brick": Kind("in front of a brick wall", 0.05, True, 0.4, 0.006, backdrops.draw_bricks),
    "tiles": Kind(
        "in front of a tiled wall", 0.05, False, 0.4, 0.006, partial(backdrops.draw_bricks, tiled=True)
    ),
    "wall": Kind("in front of a wall with pictures", 0.1, False, 0.25, 0.009, scenery.draw_wall),
    "shelf": Kind("in front of a bookshelf", 0.05, False, 0.0, 0.012, scenery.draw_shelf),
    "wood": Kind("over a wooden table", 0.07, False, 0.9, 0.003, scenery.draw_wood),
    "garden": Kind("in a garden", 0.07, True, 0.0, 0.012, scenery.draw_garden),
    "lights": Kind("in front of city lights", 0.04, False, 0.0, 0.008, scenery.draw_lights),
    "street": Kind("on a street", 0.05, True, 0.0, 0.014, scenery.draw_street),
    "cloth": Kind("on a blanket", 0.05, False, 0.8, 0.003, scenery.draw_cloth),
    "plain": Kind("in front of a plain backdrop", 0.08, False, 0.3, 0.004, scenery.draw_plain),
}


def draw_place(rng: np.random.Generator, side_px: int, photos: Sequence[Path] = ()) -> Place:
    """A background, defocused as a camera would; in half of the pictures a crop of one of ``photos``.

    Raises:
        UnreadableImageError: A photograph cannot be read.
    """
    if photos and rng.random() < 0.5:
        path = photos[int(rng.integers(len(photos)))]
        data = read_photo(path)
        picture = _cut_from(decode_photo(data, path.name), rng, side_px)
        linear = backdrops.defocused(picture, rng.exponential(0.004) * side_px)
        known = {"name": path.name, "sha256": hashlib.sha256(data).hexdigest()}
        return Place(linear, "photograph", near=False, someone=False, photograph=known)
    names = list(KINDS)
    name = str(
        rng.choice(names, p=np.array([KINDS[n].share for n in names]) / sum(k.share for k in KINDS.values()))
    )
    kind, near = KINDS[name], bool(rng.random() < KINDS[name].near)
    sharp = kind.paint(rng, side_px)
    defocus = kind.blur * rng.uniform(0.1, 0.6) if near else kind.blur * rng.uniform(0.3, 2.2)
    someone = not near and name not in ("desk", "wood", "cloth") and rng.random() < 0.3
    picture = backdrops.defocused(np.clip(sharp, 0.001, 3).astype(np.float32), defocus * side_px)
    if someone:
        picture = backdrops.add_person(picture, rng, side_px)
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32) / side_px - 0.5
    slope = rng.normal(0, 0.3, 2)
    falloff = np.exp(slope[0] * x + slope[1] * y)[..., None]
    return Place((picture * falloff).astype(np.float32), name, near, someone)


def _cut_from(pixels: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator, side: int) -> Canvas:
    height, width = pixels.shape[:2]
    cut = int(min(height, width) * rng.uniform(0.5, 1.0))
    top, left = int(rng.integers(height - cut + 1)), int(rng.integers(width - cut + 1))
    square = pixels[top : top + cut, left : left + cut]
    small = cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA if cut > side else cv2.INTER_LINEAR)
    if rng.random() < 0.5:
        small = small[:, ::-1]
    return ((small.astype(np.float32) / 255) ** 2.2 * 1.1).astype(np.float32)


_OWN_GROUND = ("landscape", "garden", "street")


def on_floor(rng: np.random.Generator, place: Place, soles_px: Float[np.ndarray, "2 2"]) -> Place:
    """The place with a floor that meets the wall behind the feet [2, 2] px, and their shadows on it."""
    linear = place.linear.copy()
    side = linear.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32) + 0.5
    edge = float(soles_px[:, 1].min() - rng.uniform(0.03, 0.16) * side)
    below = np.clip((y - edge) / (0.006 * side) + 0.5, 0, 1)[..., None]
    if place.name in KINDS and place.name not in _OWN_GROUND:
        colour = np.exp(rng.uniform(np.log(0.07), np.log(0.4))) * np.exp(rng.normal(0, 0.14, 3))
        grain = 1 + 0.07 * noise(rng, side, 24, 4, stretch=float(rng.uniform(1, 4)))
        far = np.clip((y - edge) / (side - edge + 1), 0, 1)
        floor = colour * (grain * (0.85 + 0.3 * far))[..., None]
        seam = np.exp(-(((y - edge) / (0.008 * side)) ** 2))[..., None]
        linear = linear * (1 - below) + floor * below
        linear *= 1 - 0.45 * seam
    else:
        blurred = cv2.GaussianBlur(linear, (0, 0), 0.02 * side)
        linear = linear * (1 - below) + (0.5 * blurred.mean((0, 1)) + 0.5 * blurred) * below * 0.9
    left = np.ones((side, side), np.float32)
    for at in (*soles_px, soles_px.mean(0)):
        reach = np.hypot((x - at[0]) / (0.075 * side), (y - at[1]) / (0.022 * side))
        left *= 1 - 0.5 * np.exp(-(reach**2))
    linear *= np.where(below[..., 0] > 0, left, 1)[..., None]
    return replace(place, linear=linear.astype(np.float32), near=False)
