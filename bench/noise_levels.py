"""Where a caption and a hand's numbers count: python bench/noise_levels.py DATA [--model tiny] [--n N].

DATA is a folder of `handwright synth --kind people` (or hands) that nothing was trained on. At each noise
level σ, the mean squared error of the velocity that an inpainting UNet of a flow predicts of whole pictures:
with the right caption; how much more with another picture's and with none; and, of a model with a Text+Hand
encoder, the same with the exact numbers of the hands beside the right caption, and with those of other hands.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from handwright.diffusion.latents import encode
from handwright.diffusion.loading.places import model_place, own_part
from handwright.handiffuser.pipeline import ENCODER
from handwright.training.in_memory.packs import features_of_rows, pictures_of_shard
from handwright.training.in_memory.picture_store import unit_range
from handwright.training.networks.family import open_family, token_ids
from handwright.training.networks.own_networks import text_hand_encoder_of
from handwright.training.settings import TrainSettings

LEVELS = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 1.0)

_BATCH = 16


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--n", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1, help="of the noise, the same for all")
    args = parser.parse_args()
    place = model_place(args.model)
    family = open_family(place)
    shards = sorted(args.data.rglob("*.tar"))
    pictures = list(islice((one for shard in shards for one in pictures_of_shard(shard)), args.n))
    with torch.no_grad():
        pixels = torch.from_numpy(np.stack([one.pixels.transpose(2, 0, 1) for one in pictures]))
        clean = torch.cat([encode(family.vae, unit_range(part)) for part in pixels.split(_BATCH)])
        blank = encode(family.vae, torch.zeros(1, 3, *pixels.shape[2:]))
        words = [one.captions[min(1, len(one.captions) - 1)] for one in pictures]
        assert family.text_encoder is not None
        text = family.text_encoder(token_ids(family.tokenizer, words)).last_hidden_state
        none = family.text_encoder(token_ids(family.tokenizer, [""])).last_hidden_state.expand_as(text)
        given = {"right caption": text, "another": text.roll(1, 0), "none": none}
        hands = [one.hands for one in pictures]
        if own_part(place, ENCODER) is not None and all(own is not None for own in hands):
            encoder = text_hand_encoder_of(place, family, TrainSettings()).eval()
            rows = torch.from_numpy(np.stack([own[0] for own in hands if own is not None])).float()
            for name, shown in (("its hands", rows), ("other hands", rows.roll(1, 0))):
                given[name] = encoder(text, features_of_rows(shown))
        report(clean, given, lambda *at: family.unet(*at).sample, blank, args.seed)


def report(
    clean: Float[Tensor, "n c h w"],
    given: dict[str, Tensor],
    predict: Callable[..., Tensor],
    blank: Float[Tensor, "1 c h w"],
    seed: int,
) -> None:
    """Print a row for each level; differences are those to the right caption."""
    generator = torch.Generator().manual_seed(seed)
    everything = torch.ones_like(clean[:, :1])
    print("|  σ | " + " | ".join(given) + " |\n" + "|---" * (len(given) + 1) + "|")
    for level in LEVELS:
        noise = torch.randn(clean.shape, generator=generator)
        noisy = torch.cat([(1 - level) * clean + level * noise, everything, blank.expand_as(clean)], 1)
        errors: list[float] = []
        for condition in given.values():
            found = [
                (predict(part, torch.full((len(part),), 1000 * level), read) - wanted).square().flatten(1)
                for part, read, wanted in zip(
                    noisy.split(_BATCH), condition.split(_BATCH), (noise - clean).split(_BATCH), strict=True
                )
            ]
            errors.append(float(torch.cat(found).mean()))
        first, *others = errors
        print(f"| {level} | {first:.3f} | " + " | ".join(f"{other - first:+.3f}" for other in others) + " |")


if __name__ == "__main__":
    main()
