"""Edits of a picture: new colours inside a mask, the file's own samples everywhere else."""

from dataclasses import replace
from io import BytesIO
from typing import Protocol

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image as PILImage

from handwright.errors import InvalidValueError
from handwright.image.facts import facts_of
from handwright.image.modes import from_srgb, mode_for_new_colours, to_srgb, widen
from handwright.types import Image


class Patch(Protocol):
    """Finished pixels for a part of a picture; a refined hand's candidate is one."""

    @property
    def pixels(self) -> UInt8[np.ndarray, "h w 3"]:
        """SRGB pixels of the patch."""
        ...

    @property
    def inside(self) -> Bool[np.ndarray, "h w"]:
        """Where the patch replaces the picture."""
        ...

    @property
    def origin_xy_px(self) -> tuple[int, int]:
        """Column and row of the patch's top-left pixel in the picture."""
        ...


def with_edits(image: Image, pixels: UInt8[np.ndarray, "h w 3"], inside: Bool[np.ndarray, "h w"]) -> Image:
    """Return the picture with new colours inside a mask.

    Samples outside the mask, samples inside whose colour is what it was, and alpha everywhere stay as they
    are, bit for bit. A palette picture becomes RGB or RGBA and a bilevel one grey, because new colours are
    needed; nothing of that happens when no colour changes.

    Args:
        image: The picture.
        pixels: uint8 [H, W, 3] sRGB; values outside the mask are ignored.
        inside: bool [H, W].

    Returns:
        A new picture. Its ``pixels`` are what its file will show: a grey picture stays grey.

    Raises:
        InvalidValueError: Shapes or dtypes do not match the picture.
    """
    if pixels.shape != image.pixels.shape or pixels.dtype != np.uint8:
        raise InvalidValueError(
            f"pixels must be uint8 {image.pixels.shape}, got {pixels.dtype} {pixels.shape}"
        )
    if inside.shape != image.pixels.shape[:2] or inside.dtype != np.bool_:
        raise InvalidValueError(
            f"inside must be bool {image.pixels.shape[:2]}, got {inside.dtype} {inside.shape}"
        )
    changed = inside.copy()
    changed[inside] = (pixels[inside] != image.pixels[inside]).any(axis=-1)
    if not changed.any():
        return image
    facts = facts_of(image)
    mode = mode_for_new_colours(image.mode, facts.palette)
    old = image.pixels if image.native is None else image.native
    native = np.array(widen(old, image.mode, facts.palette, mode))
    native[changed] = _opaque_samples(from_srgb(pixels[changed], native[changed], mode), facts.key_colour)
    shown = image.pixels.copy()
    shown[changed] = to_srgb(native[changed], mode, None)
    if mode != image.mode:
        facts = replace(facts, palette=None, key_colour=None)
    return Image(shown, native, mode, {**image.meta, "file": facts})


def with_patch(image: Image, *patches: Patch) -> Image:
    """Return the picture with patches in it, the last on top, bit-exact outside their masks.

    Raises:
        InvalidValueError: A patch reaches beyond the picture.
    """
    pixels = image.pixels.copy()
    inside = np.zeros(pixels.shape[:2], np.bool_)
    for patch in patches:
        window = _window(image, patch)
        pixels[window][patch.inside] = patch.pixels[patch.inside]
        inside[window] |= patch.inside
    return with_edits(image, pixels, inside)


def patch_png(image: Image, patch: Patch) -> bytes:
    """Return a transparent PNG of the picture's size with one patch on it, a layer for any image editor.

    It is upright RGBA, transparent and black outside the patch, with the picture's ICC profile where that is
    one for RGB.

    Raises:
        InvalidValueError: The patch reaches beyond the picture.
    """
    layer = np.zeros((image.height, image.width, 4), np.uint8)
    layer[_window(image, patch)][patch.inside] = np.dstack(
        [patch.pixels, np.full(patch.inside.shape, 255, np.uint8)]
    )[patch.inside]
    icc = facts_of(image).icc
    file = BytesIO()
    PILImage.fromarray(layer).save(file, "PNG", icc_profile=icc if icc and icc[16:20] == b"RGB " else None)
    return file.getvalue()


def _window(image: Image, patch: Patch) -> tuple[slice, slice]:
    (x, y), (h, w) = patch.origin_xy_px, patch.inside.shape
    if x < 0 or y < 0 or x + w > image.width or y + h > image.height:
        raise InvalidValueError(
            f"patch of {w} x {h} at ({x}, {y}) reaches beyond the {image.width} x {image.height} picture"
        )
    return slice(y, y + h), slice(x, x + w)


def _opaque_samples(samples: np.ndarray, key_colour: tuple[int, ...] | None) -> np.ndarray:
    """Change new samples by one level where they equal the colour that a PNG declares transparent."""
    if key_colour is not None:
        hit = (samples == np.asarray(key_colour)).all(axis=-1)
        samples[hit, -1] = samples[hit, -1] - 1 if key_colour[-1] else 1
    return samples
