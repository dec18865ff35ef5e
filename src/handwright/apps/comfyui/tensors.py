"""ComfyUI's IMAGE and MASK tensors and the library's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import InvalidValueError
from handwright.types import Image

Tensor = Any
"""A ``torch.Tensor``: torch is ComfyUI's own and imported only where a tensor is made."""


def pictures_of(images: Tensor, name: str = "image") -> list[Image]:
    """The pictures of an IMAGE batch: float [B, H, W, C] in 0 … 1, C = 1, 3 or 4; alpha is left out.

    Raises:
        InvalidValueError: It is no such tensor.
    """
    pixels = _array(images, name, 4, "an IMAGE: [batch, height, width, channels]")
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    if pixels.shape[-1] not in (3, 4) or 0 in pixels.shape:
        raise InvalidValueError(
            f"`{name}` has the shape {list(pixels.shape)}", "", "connect an IMAGE with 3 or 4 channels"
        )
    return [Image(as_uint8(one[..., :3])) for one in pixels]


def floats_of(images: Tensor, name: str = "image") -> Float[np.ndarray, "b h w c"]:
    """An IMAGE batch as float32 [B, H, W, C] in 0 … 255.

    Raises:
        InvalidValueError: It is no IMAGE.
    """
    return _array(images, name, 4, "an IMAGE: [batch, height, width, channels]")[..., :3] * np.float32(255.0)


def masks_of(masks: Tensor, count: int, name: str = "mask") -> list[Bool[np.ndarray, "h w"]]:
    """The masks of a MASK [B, H, W] or [H, W], white from .5 on; a single one serves all pictures.

    Raises:
        InvalidValueError: It is no such tensor, or there are neither one nor ``count``.
    """
    ndim = getattr(masks, "ndim", 3)
    values = _array(masks, name, ndim, "a MASK: [batch, height, width]")
    if values.ndim == 4 and 1 in (values.shape[1], values.shape[-1]):  # as some preprocessors return it
        values = values[:, 0] if values.shape[1] == 1 else values[..., 0]
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or len(values) not in (1, count):
        raise InvalidValueError(
            f"`{name}` has the shape {list(values.shape)}",
            f"there are {count} pictures",
            "give one MASK, or one each",
        )
    inside = [np.ascontiguousarray(one >= np.float32(0.5)) for one in values]
    return inside * count if len(inside) == 1 else inside


def image_batch(pictures: Sequence[UInt8[np.ndarray, "h w *c"]]) -> Tensor:
    """Pictures of one size, grey or sRGB, as an IMAGE: float32 [B, H, W, 3]."""
    import torch

    colour = [np.repeat(one[..., None], 3, axis=2) if one.ndim == 2 else one for one in pictures]
    return torch.from_numpy(np.stack(colour)).float() / 255.0


def mask_batch(masks: Sequence[Bool[np.ndarray, "h w"]]) -> Tensor:
    """Masks of one size as a MASK: float32 [B, H, W], 1 inside."""
    import torch

    return torch.from_numpy(np.stack(masks).astype(np.float32))


def with_new_pixels(
    images: Tensor, pictures: Sequence[UInt8[np.ndarray, "h w 3"]], changed: Sequence[Bool[np.ndarray, "h w"]]
) -> Tensor:
    """The batch with new colours where it changed; everything else stays bit for bit, alpha too."""
    import torch

    result = images.clone()
    for index, (picture, inside) in enumerate(zip(pictures, changed, strict=True)):
        new = torch.from_numpy(picture.astype(np.float32) / np.float32(255.0)).to(result)
        where = torch.from_numpy(inside).to(result.device)
        result[index, ..., :3] = torch.where(where[..., None], new, result[index, ..., :3])
    return result


def as_uint8(pixels: Float[np.ndarray, "*s"]) -> UInt8[np.ndarray, "*s"]:
    """Floats in 0 … 1 as bytes, rounded; what lies outside is clipped, NaN is black."""
    return np.ascontiguousarray(np.rint(np.clip(np.nan_to_num(pixels), 0.0, 1.0) * 255.0).astype(np.uint8))


def _array(tensor: Tensor, name: str, ndim: int, wanted: str) -> np.ndarray:
    if not hasattr(tensor, "detach"):
        raise InvalidValueError(f"`{name}` is a {type(tensor).__name__}", "", f"connect {wanted}")
    values = tensor.detach().cpu().float().numpy()
    if values.ndim != ndim:
        raise InvalidValueError(f"`{name}` has the shape {list(values.shape)}", "", f"connect {wanted}")
    return values
