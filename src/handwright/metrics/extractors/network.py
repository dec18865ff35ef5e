"""The network behind our own features: small, convolutional, the same for any batch; networks as folders."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from handwright.errors import MissingModelError

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
N = TypeVar("N", bound=nn.Module)


def save_network(network: nn.Module, config: Any, folder: Path) -> None:  # noqa: ANN401 - any dataclass
    """Write config.json and model.safetensors, the layout that :func:`load_network` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / _WEIGHTS)
    (folder / _CONFIG).write_text(json.dumps(asdict(config), indent=1) + "\n", "utf-8")


def load_network(
    folder: Path, what: str, make: Callable[[dict[str, Any]], N], fix: str = "train or fetch one"
) -> N:
    """A network from the folder that :func:`save_network` wrote, float32, ready to look.

    Args:
        folder: Where it is.
        what: What errors call it.
        make: From the fields of its config to the network, untrained.
        fix: What to do where there is none.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    for file in (_CONFIG, _WEIGHTS):
        if not (folder / file).is_file():
            raise MissingModelError(f"there is no {what}", f"{folder / file} is missing", fix)
    try:
        config: dict[str, Any] = json.loads((folder / _CONFIG).read_text("utf-8"))
        network = make({k: tuple(v) if isinstance(v, list) else v for k, v in config.items()})
        network.load_state_dict(load_file(folder / _WEIGHTS))
    except (AttributeError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise MissingModelError(
            f"the {what} in {folder} does not load", str(error), "fetch or train it again"
        ) from error
    return network.eval()


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
