"""New colours inside, the file's own samples everywhere else."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image as PILImage

from handwright.errors import InvalidValueError
from handwright.image.facts import facts_of
from handwright.image.modes import from_srgb, mode_for_new_colours, to_srgb, widen
from handwright.results import Candidate
from handwright.types import Image


def with_edits(image: Image, pixels: UInt8[np.ndarray, "h w 3"], inside: Bool[np.ndarray, "h w"]) -> Image:
    """The picture with new colours inside a mask.

    Samples outside the mask, samples inside whose colour is what it was, and alpha everywhere stay as they
    are, bit for bit. A palette picture becomes RGB or RGBA and a bilevel one grey, because new colours are
    needed; nothing of that happens when no colour changes.

    Args:
        image: The picture.
        pixels: uint8 [H, W, 3] sRGB; only what lies inside is looked at.
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


def with_patch(image: Image, candidate: Candidate) -> Image:
    """The picture with one candidate pasted in; exact outside the candidate's mask.

    Raises:
        InvalidValueError: The candidate reaches beyond the picture.
    """
    pixels = image.pixels.copy()
    inside = np.zeros(pixels.shape[:2], np.bool_)
    window = _window(image, candidate)
    pixels[window] = candidate.pixels
    inside[window] = candidate.inside
    return with_edits(image, pixels, inside)


def patch_png(image: Image, candidate: Candidate) -> bytes:
    """A transparent PNG of the picture's size with one candidate on it, to be laid over in any editor.

    Args:
        image: The picture that the candidate was made for.
        candidate: Opaque inside its mask, transparent (and black) outside.

    Returns:
        Bytes of an RGBA PNG, upright, with the picture's ICC profile where that is one for RGB.

    Raises:
        InvalidValueError: The candidate reaches beyond the picture.
    """
    layer = np.zeros((image.height, image.width, 4), np.uint8)
    layer[_window(image, candidate)][candidate.inside] = np.dstack(
        [candidate.pixels, np.full(candidate.inside.shape, 255, np.uint8)]
    )[candidate.inside]
    icc = facts_of(image).icc
    file = BytesIO()
    PILImage.fromarray(layer).save(file, "PNG", icc_profile=icc if icc and icc[16:20] == b"RGB " else None)
    return file.getvalue()


def _window(image: Image, candidate: Candidate) -> tuple[slice, slice]:
    (x, y), (h, w) = candidate.origin_xy_px, candidate.inside.shape
    if x < 0 or y < 0 or x + w > image.width or y + h > image.height:
        raise InvalidValueError(
            f"candidate of {w} x {h} at ({x}, {y}) reaches beyond the {image.width} x {image.height} picture"
        )
    return slice(y, y + h), slice(x, x + w)


def _opaque_samples(samples: np.ndarray, key_colour: tuple[int, ...] | None) -> np.ndarray:
    """Step aside by one level where a painted pixel hits the colour that a PNG calls transparent."""
    if key_colour is not None:
        hit = (samples == np.asarray(key_colour)).all(axis=-1)
        samples[hit, -1] = samples[hit, -1] - 1 if key_colour[-1] else 1
    return samples
