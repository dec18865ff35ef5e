"""Ship the features of EfficientNet-Lite2 with its ImageNet weights: scripts/release_image_features.py.

Means over the crop of the outputs of blocks 15 and 18 (32 px a cell, 208 channels each), the standard
deviation over the crop of the output of block 14 (16 px a cell, 120 channels), and the outputs of
``MAP_BLOCKS`` themselves. Nothing is trained here;
classifiers that read them come from scripts/fit_appearance.py, fit_comparison.py and fit_holding.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from handwright.perception.models.image_features import MAP_BLOCKS, MAPS, PACKAGED
from handwright.training.networks.perceptual import imagenet_network
from release_packaging import export_onnx

BLOCKS, SPREAD_BLOCK, SIZE_PX = (15, 18), 14, 224


class Features(nn.Module):
    """Crops [B, 3, S, S] in [-1, 1] to features [B, 416], spreads [B, 120] and maps [B, C, S', S']."""

    def __init__(self) -> None:
        super().__init__()
        self.network = imagenet_network("efficientnet-lite2").eval()

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """The features, spreads and maps of crops."""
        network = self.network
        x, found = network._swish(network._bn0(network._conv_stem(crops))), list[Tensor]()
        maps = list[Tensor]()
        spreads = x
        for number, block in enumerate(network._blocks[: BLOCKS[-1] + 1]):
            x = block(x)
            if number in BLOCKS:
                found.append(x.mean((2, 3)))
            if number in MAP_BLOCKS:
                maps.append(x)
            if number == SPREAD_BLOCK:
                spreads = (x - x.mean((2, 3), keepdim=True)).square().mean((2, 3)).sqrt()
        return torch.cat(found, 1), spreads, *maps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    metadata = {
        "size_px": str(SIZE_PX),
        "blocks": str(BLOCKS),
        "spread": str(SPREAD_BLOCK),
        "weights": "EfficientNet-Lite2, ImageNet",
    }
    path = args.output / "features.onnx"
    outputs = ["features", "spreads", *MAPS]
    export_onnx(Features(), torch.zeros(2, 3, SIZE_PX, SIZE_PX), outputs, metadata, path)
    print(f"{path.stat().st_size:10d}  {path}")


if __name__ == "__main__":
    main()
