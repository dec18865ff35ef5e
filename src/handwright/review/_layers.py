"""The critic's layers in NumPy; each keeps torch's names and meaning."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

Maps = Float[np.ndarray, "c h w"]
Weights = Mapping[str, np.ndarray]
"""float32 arrays by torch's names."""

_GROUPS, _EPS = 8, 1e-5


def conv(weights: Weights, name: str, maps: Maps, stride: int = 1) -> Maps:
    """Convolution with zero padding that keeps the size (at stride 1), as one matrix product."""
    kernel = weights[f"{name}.weight"]
    reach = kernel.shape[-1] // 2
    channels, height, width = maps.shape
    if reach == 0:
        columns = maps.reshape(channels, -1)
    else:
        padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[2:], (1, 2))
        windows = windows[:, ::stride, ::stride]
        height, width = windows.shape[1:3]
        columns = windows.transpose(0, 3, 4, 1, 2).reshape(-1, height * width)
    out = kernel.reshape(len(kernel), -1) @ columns + weights[f"{name}.bias"][:, None]
    return out.reshape(-1, height, width)


def residual(weights: Weights, name: str, maps: Maps) -> Maps:
    """Normalise, SiLU, convolve, twice; added to what came in."""
    inner = conv(weights, f"{name}.body.2", silu(norm(weights, f"{name}.body.0", maps)))
    return maps + conv(weights, f"{name}.body.5", silu(norm(weights, f"{name}.body.3", inner)))


def head(weights: Weights, name: str, maps: Maps) -> Maps:
    """Normalise, SiLU, 1 × 1 convolution."""
    return conv(weights, f"{name}.2", silu(norm(weights, f"{name}.0", maps)))


def norm(weights: Weights, name: str, maps: Maps) -> Maps:
    """Group normalisation (Wu & He 2018)."""
    grouped = maps.reshape(_GROUPS, -1)
    centred = grouped - grouped.mean(1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(1, keepdims=True) + _EPS)
    shape = (-1, 1, 1)
    return scaled.reshape(maps.shape) * weights[f"{name}.weight"].reshape(shape) + weights[
        f"{name}.bias"
    ].reshape(shape)


def linear(weights: Weights, name: str, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
    """A matrix and a bias."""
    return weights[f"{name}.weight"] @ values + weights[f"{name}.bias"]


def pooled(maps: Maps) -> tuple[np.ndarray, np.ndarray]:
    """Mean and maximum of each map."""
    return maps.mean((1, 2)), maps.max((1, 2))


def doubled(maps: Maps) -> Maps:
    """Each cell as two by two."""
    return maps.repeat(2, 1).repeat(2, 2)


def silu(values: np.ndarray) -> np.ndarray:
    """Its own share: x · sigmoid(x)."""
    return values * sigmoid(values)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))


def softmax(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Shares that sum to one."""
    powers = np.exp(values - values.max())
    return powers / powers.sum()
