"""What several recipes' objectives are made of."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as f

_SPREAD_CELLS = 1.0


def mean_where(values: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean; 0 where nothing counts."""
    return (values * weight).sum() / weight.sum().clamp(min=1)


def cell_gaussians(landmarks: Float[Tensor, "b 21 2"], side: int) -> Float[Tensor, "b 21 cells"]:
    """The distribution over a heatmap's cells that stands for each landmark: a Gaussian, one cell wide."""
    centres = (torch.arange(side, device=landmarks.device) + 0.5) / side
    away = ((centres - landmarks[..., None]) * side / _SPREAD_CELLS) ** 2  # [B, 21, 2, side]
    along = (-away / 2).softmax(3)
    return (along[:, :, 1, :, None] * along[:, :, 0, None, :]).flatten(2)


def heatmap_error(
    logits: Float[Tensor, "b 21 h h"], landmarks: Float[Tensor, "b 21 2"]
) -> Float[Tensor, "b 21"]:
    """Kullback–Leibler divergence of each landmark's distribution from its heatmap."""
    wanted = cell_gaussians(landmarks, logits.shape[-1])
    return f.kl_div(logits.flatten(2).log_softmax(2), wanted, reduction="none").sum(2)
