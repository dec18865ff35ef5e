"""Bytes to tensors, pictures to latents and back, scaled and shifted as every VAE's own config demands."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from handwright.diffusion.loading.libraries import quiet


def picture_tensor(pictures: UInt8[np.ndarray, "b h w c"]) -> Float[Tensor, "b c h w"]:
    """Bytes, usually sRGB, as float32 [b, c, h, w] in [-1, 1]."""
    return torch.from_numpy(pictures.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)


def control_tensor(
    control: UInt8[np.ndarray, "b h w"] | UInt8[np.ndarray, "b h w 3"],
) -> Float[Tensor, "b 3 h w"]:
    """Control images / 255, float32; grey ones the same in the three channels."""
    tensor = torch.from_numpy(control.astype(np.float32) / 255)
    return tensor.permute(0, 3, 1, 2) if control.ndim == 4 else tensor[:, None].repeat(1, 3, 1, 1)


def picture_array(pictures: Float[Tensor, "b 3 h w"]) -> Float[np.ndarray, "b h w 3"]:
    """[-1, 1] as sRGB in 0 … 255, float32, not rounded."""
    return ((pictures.permute(0, 2, 3, 1).float().cpu().numpy() + 1) * 127.5).astype(np.float32)


def pixels_per_latent(vae: Any) -> int:  # noqa: ANN401 - any autoencoder with diffusers' interface
    """Side of a latent in pixels: 2 per level but the first."""
    config = vae.config
    widths = config.get("block_out_channels") or config["encoder_block_out_channels"]
    return 2 ** (len(widths) - 1)


def encode(vae: Any, pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c h/s w/s"]:  # noqa: ANN401
    """float32 latents (z − shift) · scaling of pictures in [-1, 1]; the posterior's mode."""
    encoded = vae.encode(pictures.to(vae.dtype))
    z = encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents
    return (z.float() - _shift(vae)) * vae.config["scaling_factor"]


def decode(vae: Any, latents: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 h*s w*s"]:  # noqa: ANN401
    """Pictures of latents z / scaling + shift: float32 [b, 3, h, w] in [-1, 1]; undoes :func:`encode`."""
    z = latents / vae.config["scaling_factor"] + _shift(vae)
    return vae.decode(z.to(vae.dtype)).sample.float().clamp(-1, 1)


def packed(pipe: Any, latents: Float[Tensor, "b c h w"]) -> Tensor:  # noqa: ANN401 - any diffusers pipeline
    """Latents laid out as a pipeline keeps its own: as they are, or as tokens of 2 × 2 of them."""
    if not hasattr(pipe, "_pack_latents"):
        return latents
    return pipe._pack_latents(latents, *latents.shape)


def unpacked(pipe: Any, latents: Tensor, height: int, width: int) -> Float[Tensor, "b c h w"]:  # noqa: ANN401
    """What :func:`packed` was given, for a picture of ``height`` × ``width`` pixels."""
    if not hasattr(pipe, "_unpack_latents"):
        return latents
    return pipe._unpack_latents(latents, height, width, pipe.vae_scale_factor)


def pixels_per_token(pipe: Any) -> int:  # noqa: ANN401
    """What the sides of a pipeline's pictures must be divisible by: those of its denoiser's tokens."""
    transformer = getattr(pipe, "transformer", None)
    return pixels_per_latent(pipe.vae) * (1 if transformer is None else 2)


@contextmanager
def exact(vae: Any) -> Generator[None]:  # noqa: ANN401
    """The VAE in float32 during the block where its own numbers are too coarse or too small for a picture.

    bfloat16's 8 bits of precision would show; some VAEs overflow in float16 and say so in their config.
    """
    dtype = vae.dtype
    coarse = dtype == torch.bfloat16 or (dtype == torch.float16 and vae.config.get("force_upcast"))
    if coarse:
        _cast(vae, torch.float32)
    try:
        yield
    finally:
        if coarse:
            _cast(vae, dtype)


def _cast(vae: Any, dtype: torch.dtype) -> None:  # noqa: ANN401
    with quiet():  # diffusers remarks on casting
        vae.to(dtype)


def _shift(vae: Any) -> float:  # noqa: ANN401
    return vae.config.get("shift_factor") or 0.0
