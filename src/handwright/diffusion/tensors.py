"""Bytes to the tensors that networks read, and back."""

from __future__ import annotations

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
