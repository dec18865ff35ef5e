"""Encode shards once for text-to-image training: scripts/encode_latents.py SHARDS --vae RUN/model/vae -o DIR.

DIR is what `handwright train text_to_image --data DIR` learns from. Shards that are encoded already are kept,
and so is the autoencoder that DIR began with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from handwright.training.streams.latent_shards import encode_shards


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path, help="folder with hands/, people/ and photographs/")
    parser.add_argument("--vae", type=Path, required=True, help="folder of an AutoencoderKL")
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=1, help="processes that read shards")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    encoded = encode_shards(
        args.shards, args.output, args.vae, args.resolution, device=args.device, workers=args.workers
    )
    print(f"{encoded} shards encoded")


if __name__ == "__main__":
    main()
