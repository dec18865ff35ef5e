"""What callers may give as a picture: a file, bytes, an array or a Pillow image; all become an ``Image``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from handwright.errors import InvalidValueError
from handwright.types import Image

if TYPE_CHECKING:
    from PIL import Image as PILImage

    Picture = str | Path | bytes | np.ndarray | Image | PILImage.Image

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}  # Pillow modes by the number of channels of an array


def is_several(picture: Picture | Sequence[Picture]) -> bool:
    """Whether a list or tuple of pictures was given rather than one."""
    return isinstance(picture, list | tuple)


def as_image(picture: Picture) -> Image:
    """One picture in any of the forms that callers have.

    Args:
        picture: A file's name; the bytes of a file; a Pillow image; an ``Image``; or an array [H, W] or
            [H, W, C], C = 1 (grey), 2 (grey and alpha), 3 (sRGB) or 4 (sRGB and alpha), of uint8, of bool,
            or of floats in [0, 1].

    Raises:
        UnreadableImageError: The file or the bytes cannot be read as a picture.
        InvalidValueError: It is none of these, or an array of another shape, type or range.
    """
    from handwright.image import decode_image, load_image

    if isinstance(picture, Image):
        return picture
    if isinstance(picture, str | Path):
        return load_image(picture)
    if isinstance(picture, bytes):
        return decode_image(picture)
    if isinstance(picture, np.ndarray):
        return _of_array(picture)
    if hasattr(picture, "getexif") and hasattr(picture, "save"):
        return _of_pillow(picture)
    raise InvalidValueError(
        f"a picture cannot be a {type(picture).__name__}",
        "",
        "give a file's name, bytes, a Pillow image or a NumPy array",
    )


def _of_array(array: np.ndarray) -> Image:
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.ndim != 3 or pixels.shape[2] not in _MODES or 0 in pixels.shape:
        raise InvalidValueError(
            f"the array has the shape {array.shape}", "", "give [H, W] or [H, W, C] with 1 to 4 channels"
        )
    pixels = _as_uint8(pixels)
    mode = _MODES[pixels.shape[2]]
    if mode == "RGB":
        return Image(pixels)
    colours = pixels[..., :3] if mode == "RGBA" else np.repeat(pixels[..., :1], 3, axis=2)
    return Image(np.ascontiguousarray(colours), pixels, mode)


def _as_uint8(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == np.bool_:
        return np.ascontiguousarray(pixels * np.uint8(255))
    if not np.issubdtype(pixels.dtype, np.floating):
        raise InvalidValueError(f"the array is {pixels.dtype}", "", "give uint8, or floats in [0, 1]")
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0.0 and high <= 1.0):  # also false for NaN
        raise InvalidValueError(
            f"the array's floats run from {low:g} to {high:g}", "", "scale them to [0, 1]"
        )
    return np.ascontiguousarray(np.rint(pixels * 255.0).astype(np.uint8))


def _of_pillow(picture: Any) -> Image:  # noqa: ANN401 - Pillow is imported only by those who use it
    """Through the bytes of a file, so that profile, palette and orientation mean what they mean in files."""
    from handwright.image import decode_image

    image = cast("PILImage.Image", picture)
    data = io.BytesIO()
    kept = {"exif": image.getexif(), "icc_profile": image.info.get("icc_profile")}
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F"):
        image = image.convert("RGB") if image.mode != "CMYK" else image
    file_format = "TIFF" if image.mode == "CMYK" else "PNG"
    image.save(data, file_format, **{name: value for name, value in kept.items() if value})
    return decode_image(data.getvalue(), name="the Pillow image")
