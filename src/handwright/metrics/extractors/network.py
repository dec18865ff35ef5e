"""The network behind our own features: small, convolutional, the same for any batch."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class FeatureConfig:
    """What defines a feature network; its ``config.json``."""

    name: str = "hw-v2"  # What measures carry in brackets; a new training gets a new name
    size_px: int = 256  # Side of the square pictures that it sees; a multiple of 2^len(widths)
    # Channels of each stage; each stage halves the picture. The last is the feature's width.
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)
    blocks: int = 2  # Residual blocks per stage


class FeatureNetwork(nn.Module):
    """Pictures [N, 3, S, S] in [-1, 1] → features [N, D]: residual stages, then the mean over places."""

    def __init__(self, config: FeatureConfig) -> None:
        super().__init__()
        self.config = config
        stages: list[nn.Module] = []
        before = 3
        for width in config.widths:
            stages.append(nn.Conv2d(before, width, 3, stride=2, padding=1))
            stages.extend(_Residual(width) for _ in range(config.blocks))
            before = width
        self.stages = nn.Sequential(*stages)
        self.norm = nn.GroupNorm(min(8, before), before)

    def forward(self, pictures: Tensor) -> Tensor:
        """Features of pictures."""
        return self.maps(pictures).mean((2, 3))

    def maps(self, pictures: Tensor) -> Tensor:
        """The features [N, D, h, w] of each place, before their mean is taken."""
        return nn.functional.silu(self.norm(self.stages(pictures)))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        groups = min(8, width)
        self.body = nn.Sequential(
            nn.GroupNorm(groups, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.GroupNorm(groups, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        nn.init.zeros_(self.body[-1].weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(self.body[-1].bias)  # pyright: ignore[reportArgumentType]

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.body(maps)


def to_network_input(pictures: Tensor, size_px: int) -> Tensor:
    """uint8 [N, H, W, 3] → float32 [N, 3, S, S] in [-1, 1], stretched with an antialiased bilinear filter."""
    channels_first = pictures.permute(0, 3, 1, 2).float()
    square = nn.functional.interpolate(
        channels_first, (size_px, size_px), mode="bilinear", antialias=True, align_corners=False
    )
    return square / 127.5 - 1.0


def best_device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
