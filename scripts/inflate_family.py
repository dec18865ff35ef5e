"""Inflate a text-to-image family to its inpainting sibling: scripts/inflate_family.py MODEL -o OUT.

MODEL is model/ of a `handwright train text_to_image`, or a folder in Stable Diffusion 1.5's layout. OUT/model
paints as MODEL does, and is what `handwright train base --model` goes on from.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from handwright.diffusion.inflation import inflate
from handwright.diffusion.loading.libraries import UNet2DConditionModel
from handwright.diffusion.loading.places import model_folder
from handwright.training.networks.family import open_family, save_family


def inflated(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy that also reads a mask and the masked picture's latents, as SD's did (Rombach et al. 2022).

    Its input channels are 2 L + 1 in place of L; of the new ones it takes no notice yet.
    """
    latents, reads = int(unet.config["out_channels"]), int(unet.config["in_channels"])
    if reads != latents:
        raise SystemExit(f"this UNet reads {reads} channels, its latents have {latents}: give a plain one")
    return inflate(unet, latents + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    family = open_family(model_folder(args.model))
    save_family(replace(family, unet=inflated(family.unet)), args.output / "model")
    print(args.output / "model")


if __name__ == "__main__":
    main()
