"""Bytes to tensors, pictures to latents and back, scaled and shifted as every VAE's own config demands."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def picture_tensor(pictures: UInt8[np.ndarray, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
    """SRGB bytes as float32 [b, 3, h, w] in [-1, 1]."""
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


def _shift(vae: Any) -> float:  # noqa: ANN401
    return vae.config.get("shift_factor") or 0.0
