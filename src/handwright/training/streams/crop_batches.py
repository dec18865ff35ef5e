"""Batches of augmented crops and random repair masks; everything random comes from the generator given."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.training.streams.crops import Crops, joined, sized

_SMALLEST_WINDOW = 0.72
Pictures = UInt8[np.ndarray, "n r r 3"]

_MOST_SHIFT, _MOST_CHANGE = 20, 0.2
"""Of ``shifted_colours``: levels of 255 of each channel, and share of brightness and contrast; those that
augmentation libraries take by default, as the paper names the kinds alone."""

_OTHER = {"left": "right", "right": "left"}


class CropStream:
    """Draws training samples from crops.

    Args:
        crops: Where to draw from.
        resolution: Side of a sample.
        photograph_share: Share of samples that are photographs, where there are any.
        colours: Changes the colours of a sample at random.
    """

    def __init__(
        self,
        crops: Crops,
        resolution: int,
        photograph_share: float,
        colours: Callable[[np.random.Generator, Pictures], Pictures] | None = None,
    ) -> None:
        self.crops, self.resolution, self.colours = crops, resolution, colours or relit
        self.renders, self.photographs = np.nonzero(crops.rendered)[0], np.nonzero(~crops.rendered)[0]
        self.photograph_share = photograph_share if len(self.photographs) else 0.0
        if not len(self.renders):
            self.photograph_share = 1.0

    def draw(self, rng: np.random.Generator, count: int) -> Crops:
        """Augmented samples at ``resolution``, one wording of each caption."""
        return joined([self._sample(rng) for _ in range(count)])

    def _sample(self, rng: np.random.Generator) -> Crops:
        pool = self.photographs if rng.random() < self.photograph_share else self.renders
        k = int(pool[rng.integers(len(pool))])
        whole, stored, resolution = self.crops.where([k]), self.crops.pixels.shape[1], self.resolution
        side = round(stored * float(rng.uniform(_SMALLEST_WINDOW, 1.0)))
        y, x = (int(rng.integers(stored - side + 1)) for _ in range(2))
        wordings = str(whole.caption[0]).split("\n")
        named = replace(whole, caption=np.array([wordings[int(rng.integers(len(wordings)))]]))
        sample = sized(_window(named, x, y, side), resolution)
        if rng.random() < 0.5:
            sample = mirrored(sample)
        return replace(sample, pixels=self.colours(rng, sample.pixels))


def middles(crops: Crops, side: int) -> Crops:
    """Crops without their margin: the ``side`` pixels in the middle, nothing of them changed."""
    edge = (crops.pixels.shape[1] - side) // 2
    return _window(crops, edge, edge, side)


def _window(crops: Crops, x: int, y: int, side: int) -> Crops:
    """The same square of every crop, ``x`` and ``y`` its corner in pixels."""
    window, corner = np.s_[:, y : y + side, x : x + side], np.array([x, y], np.float32)
    points = crops.landmarks_px - corner
    return replace(
        crops,
        pixels=crops.pixels[window],
        depth=np.ascontiguousarray(crops.depth[window]),
        mask=crops.mask[window],
        landmarks_px=points,
        other_px=crops.other_px - corner,
        visible=crops.visible & ((points >= 0) & (points < side)).all(-1),
    )


def mirrored(crops: Crops) -> Crops:
    """The mirror images, with all that is known of them."""
    size = crops.pixels.shape[1]
    points, others = crops.landmarks_px.copy(), crops.other_px.copy()
    for turned in (points, others):
        turned[..., 0] = size - turned[..., 0]
    return replace(
        crops,
        pixels=np.ascontiguousarray(crops.pixels[:, :, ::-1]),
        depth=np.ascontiguousarray(crops.depth[:, :, ::-1]),
        mask=np.ascontiguousarray(crops.mask[:, :, ::-1]),
        landmarks_px=points,
        other_px=others,
        side=np.where(crops.side < 0, crops.side, 1 - crops.side).astype(np.int8),
        caption=np.array([other_side(str(words)) for words in crops.caption]),
    )


def other_side(caption: str) -> str:
    """The caption of the mirrored picture."""
    return re.sub(r"\b(left|right)\b", lambda side: _OTHER[side[1]], caption)


def relit(rng: np.random.Generator, pixels: UInt8[np.ndarray, "n r r 3"]) -> UInt8[np.ndarray, "n r r 3"]:
    """Another exposure and white balance, slightly."""
    gain = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.03, 3))
    return np.clip(pixels * gain.astype(np.float32) + 0.5, 0, 255).astype(np.uint8)


def shifted_colours(rng: np.random.Generator, pixels: Pictures) -> Pictures:
    """RGB shift, brightness and contrast (Pelykh et al. 2024, §IV-A)."""
    shift = rng.uniform(-_MOST_SHIFT, _MOST_SHIFT, 3)
    brightness, contrast = (
        255 * rng.uniform(-_MOST_CHANGE, _MOST_CHANGE),
        1 + rng.uniform(-_MOST_CHANGE, _MOST_CHANGE),
    )
    changed = (pixels - 127.5) * contrast + 127.5 + brightness + shift
    return np.clip(changed + 0.5, 0, 255).astype(np.uint8)


def repair_masks(rng: np.random.Generator, hands: Bool[np.ndarray, "b r r"]) -> Bool[np.ndarray, "b r r"]:
    """Masks as a repair may have them: the hand grown a little or a lot, a box, a blob, now and then all."""
    return np.stack([_repair_mask(rng, hand) for hand in hands])


def _repair_mask(rng: np.random.Generator, hand: Bool[np.ndarray, "r r"]) -> Bool[np.ndarray, "r r"]:
    side, kind = hand.shape[0], rng.random()
    if kind > 0.95 or not hand.any():
        return np.ones_like(hand)
    away = cv2.distanceTransform((~hand).astype(np.uint8), cv2.DIST_L2, 3)
    grown = away <= side * rng.uniform(0.01, 0.10)
    if kind < 0.6:
        return grown
    rows, columns = np.nonzero(grown.any(1))[0], np.nonzero(grown.any(0))[0]
    box = np.zeros_like(hand)
    box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    if kind < 0.75:
        return box
    noise = cv2.GaussianBlur(rng.normal(size=hand.shape), (0, 0), side / 12)
    blob = noise > np.quantile(noise, rng.uniform(0.3, 0.7))
    return (grown | (blob & box)) if kind < 0.9 else (blob if blob.any() else grown)
