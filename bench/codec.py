"""How much of a hand an autoencoder keeps: python bench/codec.py [--model DIR] [--n N].

PSNR in dB over all pixels of hand crops at the model's own resolution, of rendered hands and, where
$HANDWRIGHT_PHOTOS is set, real test-only ones; mean over pictures, bootstrap 95 % intervals.
"""

from __future__ import annotations

import argparse
import os

import numpy as np
import torch

from handwright.diffusion.latents import decode, encode, picture_array, picture_tensor
from handwright.diffusion.loading.places import model_folder
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.metrics.crops import hand_crop
from handwright.training.networks.family import open_family
from measures import mean, row
from subjects import Subject, subjects

COUNTS = {"rendered": 500, "real": 200}
FIRST = 20_000
"""First seed of the rendered hands."""


def psnr(family: DiffusionModels, subject: Subject) -> float:
    """Of one hand's crop and what decoding its latents makes of it."""
    box = subject.bbox or (0, 0, *subject.pixels.shape[1::-1])
    crop = hand_crop(subject.pixels, box, family.resolution)
    with torch.no_grad():
        back = picture_array(decode(family.vae, encode(family.vae, picture_tensor(crop[None]))))[0]
    error = ((np.clip(np.rint(back), 0, 255) - crop.astype(float)) ** 2).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-12)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--n", type=int, help="hands per set")
    options = parser.parse_args()
    family = open_family(model_folder(options.model))
    for kind, count in COUNTS.items():
        if kind == "real" and "HANDWRIGHT_PHOTOS" not in os.environ:
            continue
        chosen = subjects(kind, options.n or count, FIRST if kind == "rendered" else None)
        told = np.array([psnr(family, subject) for subject in chosen])
        print(row(f"{kind}, {family.resolution}²: PSNR, dB", told, mean))


if __name__ == "__main__":
    main()
