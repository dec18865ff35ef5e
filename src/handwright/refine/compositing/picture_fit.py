"""Fit to the picture: is a repainted hand as sharp, as grainy and of the colour that was there, and no seam?

The original fits its picture by being part of it, so candidates are not compared with each other: each aspect
is a distance from the picture, limited by an allowance and by how much the picture itself varies.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.drawing.geometry.working_resolution import mask_box
from handwright.drawing.photo.grain import measure_grain
from handwright.drawing.photo.sharpness import edge_blur_sigma


@dataclass(frozen=True, kw_only=True)
class PictureFitParams:
    """Allowances of the four aspects, and how they are measured; chosen by eye."""

    sharpness: float = 1.0  # How much blurrier or crisper than the old hand, in octaves
    grain: float = 1.0  # How much cleaner or noisier than the old skin, in octaves
    colour: float = 6.0  # Lab distance of the skins' median colours
    seam: float = 5.0  # Lab distance of what meets at the rim
    min_blur_px: float = 0.6  # Edges sharper than this look alike
    min_grain: float = 0.8  # Grain finer than this looks alike, in levels of 255
    rim: float = 0.025  # Width of the rim whose inside and outside are compared, in hand sizes …
    min_rim_px: int = 2  # … and its least
    cell: int = 6  # Side of the squares in which steps across the rim are averaged, in rims
    min_pixels: int = 40  # Fewest pixels that are compared
    # Least new skin whose grain and colour are compared, as a share of the old: less is the shaded rim of a
    # finger that was removed
    min_skin_share: float = 0.04
    near: float = 0.02  # Width of the strip beside the new hand that is not counted as lost, in hand sizes
    other_lab: float = 15.0  # Lab distance from which a repainted pixel is plainly of another colour


PARAMS = PictureFitParams()

Pixels = UInt8[np.ndarray, "h w 3"]
Region = Bool[np.ndarray, "h w"]
Lab = Float[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Aspect:
    """One way in which paint may stand out."""

    value: float  # How far it is from the picture, ≥ 0; 0 where there is too little to compare
    limit: float  # From here on it stands out

    @property
    def share(self) -> float:
        """The value in limits."""
        return self.value / self.limit


@dataclass(frozen=True)
class PictureFit:
    """How well paint fits into its picture."""

    sharpness: Aspect  # Blur of the hand's edges beside that of the old hand's, in octaves
    grain: Aspect  # Grain on its skin beside that on the old skin, in octaves
    colour: Aspect  # Between the middle colours of its skin and of the old skin, in Lab
    # Mean step across the rim of what was repainted, arm to arm or background to background, in Lab; the
    # larger of the two
    seam: Aspect

    @property
    def share(self) -> float:
        """The worst aspect in its limits; more than 1 stands out."""
        return max(aspect.share for aspect in self.aspects.values())

    @property
    def aspects(self) -> dict[str, Aspect]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def measure_picture_fit(
    before: Pixels,
    after: Pixels,
    changed: Region,
    old: Region,
    new: Region,
    hand_px: float,
) -> PictureFit:
    """Measure one repainted hand.

    Args:
        before: uint8 [h, w, 3] the crop as it was.
        after: uint8 [h, w, 3] the same as repainted.
        changed: bool [h, w] what was repainted.
        old: bool [h, w] skin in ``before``.
        new: bool [h, w] skin in ``after``.
        hand_px: Size of the hand in pixels.
    """
    fresh = new & changed
    rim_px = max(PARAMS.min_rim_px, round(PARAMS.rim * hand_px))
    was, became = _lab(before), _lab(after)
    return PictureFit(
        _sharpness(before, after, old, new),
        _grain(before, after, old, fresh),
        _colour(was, became, old, fresh),
        _seam(was, became, changed, old, new, rim_px),
    )


def lost_share(
    before: Pixels,
    after: Pixels,
    changed: Region,
    old: Region,
    new: Region,
    hand_px: float,
) -> float:
    """Share of the old hand that is gone: repainted in plainly another colour, beside the new hand.

    A surplus finger is a small part of a hand; a hand that was interpreted wrongly loses more. The arguments
    are those of ``measure_picture_fit``.
    """
    gone = old & changed
    if not gone.any():
        return 0.0
    radius = max(1, round(PARAMS.near * hand_px))
    near = cv2.dilate(new.astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8)) > 0
    gone &= ~near
    box = mask_box(gone, None)
    apart = np.linalg.norm(_lab(after[box]) - _lab(before[box]), axis=2) > PARAMS.other_lab
    return float((gone[box] & apart).sum() / old.sum())


def _sharpness(before: Pixels, after: Pixels, old: Region, new: Region) -> Aspect:
    if not (old.any() and new.any()):
        return Aspect(0.0, PARAMS.sharpness)
    had, has = (
        max(edge_blur_sigma(picture, mask), PARAMS.min_blur_px)
        for picture, mask in ((before, old), (after, new))
    )
    return Aspect(_octaves(had, has), PARAMS.sharpness)


def _grain(before: Pixels, after: Pixels, old: Region, fresh: Region) -> Aspect:
    if _too_little(old, fresh):
        return Aspect(0.0, PARAMS.grain)
    first, second = (_grain_level(before, half) for half in _halves(old))
    value = _octaves(_grain_level(before, old), _grain_level(after, fresh))
    return _allowing(value, PARAMS.grain, _octaves(first, second))


def _colour(had: Lab, has: Lab, old: Region, fresh: Region) -> Aspect:
    if _too_little(old, fresh):
        return Aspect(0.0, PARAMS.colour)
    first, second = (np.median(had[half], axis=0) for half in _halves(old))
    own = float(np.linalg.norm(first - second))
    value = float(np.linalg.norm(np.median(had[old], axis=0) - np.median(has[fresh], axis=0)))
    return _allowing(value, PARAMS.colour, own)


def _too_little(old: Region, fresh: Region) -> bool:
    """Whether old or new skin is too small to be compared."""
    least = max(PARAMS.min_pixels, PARAMS.min_skin_share * old.sum())
    return bool(old.sum() < PARAMS.min_pixels or fresh.sum() < least)


def _allowing(value: float, allowance: float, halves_apart: float) -> Aspect:
    """An aspect in which a hand whose halves differ may differ more, up to twice the allowance."""
    return Aspect(value, allowance + min(halves_apart / 2, allowance))


def _seam(had: Lab, has: Lab, changed: Region, old: Region, new: Region, rim_px: int) -> Aspect:
    """The worse of skin against skin and background against background, each less the picture's own steps."""
    pairs = _across_rim(changed, rim_px)
    if pairs is None:
        return Aspect(0.0, PARAMS.seam)
    inner, outer = pairs
    skin_outside = old[outer]
    cells = _cells(inner, PARAMS.cell * rim_px)
    was, became = (lab[inner] - lab[outer] for lab in (had, has))
    found = [Aspect(0.0, PARAMS.seam)]
    for material in (True, False):
        now = (skin_outside == material) & (new[inner] == material)
        then = (skin_outside == material) & (old[inner] == material)
        if now.sum() >= PARAMS.min_pixels:
            own = _mean_step(was[then], cells[then]) if then.sum() >= PARAMS.min_pixels else 0.0
            found.append(Aspect(_mean_step(became[now], cells[now]), PARAMS.seam + own))
    return max(found, key=lambda aspect: aspect.share)


Places = tuple[np.ndarray, np.ndarray]


def _across_rim(changed: Region, rim_px: int) -> tuple[Places, Places] | None:
    """Rows and columns of pixels one to two rims inside, and of the picture's own pixel nearest to each."""
    if changed.all() or not changed.any():
        return None
    depth, label = cv2.distanceTransformWithLabels(
        changed.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero((depth > rim_px) & (depth <= 2 * rim_px))
    if rows.size < PARAMS.min_pixels:
        return None
    labels = np.asarray(label, np.int64)
    outer_rows, outer_columns = np.nonzero(~changed)
    nearest = np.zeros(int(labels.max()) + 1, np.int64)
    nearest[labels[outer_rows, outer_columns]] = np.arange(outer_rows.size)
    at = nearest[labels[rows, columns]]
    return (rows, columns), (outer_rows[at], outer_columns[at])


def _mean_step(steps: Float[np.ndarray, "n 3"], cells: Int[np.ndarray, " n"]) -> float:
    """Length of the mean step of each cell, averaged over the pairs: texture cancels out, a seam does not."""
    _, index, counts = np.unique(cells, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(index, steps[:, k]) for k in range(3)], 1) / counts[:, None]
    return float(np.average(np.linalg.norm(means, axis=1), weights=counts))


def _cells(places: Places, side_px: int) -> Int[np.ndarray, " n"]:
    """Number of the square of the crop that each pixel lies in."""
    rows, columns = places
    return (rows // side_px) * (columns.max() // side_px + 1) + columns // side_px


def _halves(region: Region) -> tuple[Region, Region]:
    """The region's parts on either side of its middle, across its longer side."""
    rows, columns = np.nonzero(region)
    if np.ptp(rows) >= np.ptp(columns):
        first = np.arange(region.shape[0])[:, None] < np.median(rows)
    else:
        first = np.arange(region.shape[1])[None, :] < np.median(columns)
    upper, lower = region & first, region & ~first
    return (upper, lower) if upper.any() and lower.any() else (region, region)


def _grain_level(picture: Pixels, region: Region) -> float:
    return max(float(measure_grain(picture, region).sigma_rgb.mean()), PARAMS.min_grain)


def _lab(picture: Pixels) -> Lab:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _octaves(a: float, b: float) -> float:
    return abs(float(np.log2(a / b)))
