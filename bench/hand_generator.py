"""What the parts of stage I's network bring: python bench/hand_generator.py RUNS --data HELD_OUT.

RUNS holds short equal trainings, RUNS/NAME-SEED/model each (`handwright train hand_generator --data DATA
--model BASE -o RUNS/NAME-SEED …`; BASE is given here, too), HELD_OUT shards of `handwright synth --kind
hands` that none of them saw. Measured is the loss on held-out crops at fixed noise levels and with the same
noise for every network, of whole crops and of their hands alone, with the mask hidden, as inference has it,
and with the mask given; and the IoU of the mask that the network predicts where none is given with the true
one. Differences are paired by crop, means over seeds; bootstrap 95 %.

With --paint N every network paints N hands that are found in the render, from noise, by their captions and
heatmaps, the mask hidden: error of the landmarks found against the render's in lengths of the hand's box, 1
where no hand is found, and IoU of the last step's mask with the true one.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from equal_runs import (
    BATCH,
    FOUND_IN_RENDER,
    by_name,
    fills,
    hand_errors,
    mean_where,
    models_in,
    noised,
    report,
)
from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.places import EMBEDDED
from handwright.training.networks.family import open_family
from handwright.training.recipes.base import unet_input
from handwright.training.recipes.hand_generator import HandGeneratorRecipe, hand_masks
from handwright.training.streams.crops import Crops, load_crops
from handwright.two_stage.networks.hand_generator import HandGenerator, at_latent_size
from measures import mean, row

LOSSES = (
    "loss, mask hidden", "loss of hands, mask hidden", "loss, mask given", "loss of hands, mask given",
    "IoU of its own mask",
)  # fmt: skip
PAINTED = ("hand error", "found", "IoU of its own mask")


@cache
def held_out(data: Path, side: int, count: int) -> Crops:
    """The first hands without defects whose side is known; two that meet share a crop."""
    crops = load_crops(data, side, together=True)
    sound = np.flatnonzero(~crops.defects.any(1) & (crops.side >= 0))
    chosen = crops.where(sound[:count])
    return replace(chosen, caption=np.array([str(words).split("\n")[0] for words in chosen.caption]))


def opened(model: Path, base: Path, crops: Crops) -> HandGeneratorRecipe:
    """The recipe around a trained network."""
    network = load_network(HandGenerator, model / "hand_generator", torch.float32)
    return HandGeneratorRecipe(crops, open_family(base), 0.0, network)


@torch.no_grad()
def losses(recipe: HandGeneratorRecipe, crops: Crops) -> np.ndarray:
    """``LOSSES`` of each crop, means over the levels, float [N, 5]; NaN without a mask head."""
    recipe.trained.eval()
    found = []
    for start in range(0, len(crops), BATCH):
        part = crops.where(np.arange(start, min(start + BATCH, len(crops))))
        each = []
        for shown in (False, True):
            batch = recipe.samples(recipe.of_crops(part, shown=np.full(len(part), shown)))
            hand = batch["hand"].float()
            inside = at_latent_size(hand, batch["clean"].shape[2:])[:, 0]
            text, added = recipe.text(batch["tokens"], batch["clean"].device)
            of_levels = []
            for noisy in noised(recipe.schedule, batch["clean"], start):
                known = unet_input(recipe.generator.latent_channels, {**batch, "latents": noisy.latents})
                output = recipe.generator(
                    known, noisy.timesteps, text, batch["condition"], hand.shape[2:], **added
                )
                error = (output.sample.float() - noisy.target).square().mean(1)
                of_levels.append(
                    torch.stack(
                        [error.mean((1, 2)), mean_where(error, inside), overlap(output.mask_logits, hand)], 1
                    )
                )
            each.append(torch.stack(of_levels).mean(0))
        hidden, given = each
        found.append(torch.cat([hidden[:, :2], given[:, :2], hidden[:, 2:]], 1).numpy())
    return np.concatenate(found)


def overlap(logits: Tensor | None, hand: Tensor) -> Tensor:
    """IoU of each predicted mask, at a half, with the true one, float [b]; NaN where none is predicted."""
    if logits is None:
        return torch.full((len(hand),), torch.nan)
    predicted, true = logits > 0, hand > 0.5
    return (predicted & true).sum((1, 2, 3)) / (predicted | true).sum((1, 2, 3))


@cache
def single_hands(data: Path, side: int, count: int) -> Crops:
    """Held-out crops of one hand that fills them and is found in them, the same for every network."""
    crops = held_out(data, side, 20 * count)
    alone = np.flatnonzero(np.isnan(crops.other_px).all((1, 2)))
    chosen = [k for k in alone if fills(crops.landmarks_px[k], side)]
    found = list[int]()
    for k in chosen:
        if (
            len(found) < count
            and hand_errors([crops.pixels[k]], [crops.landmarks_px[k]])[0] < FOUND_IN_RENDER
        ):
            found.append(int(k))
    return crops.where(np.array(found, int))


def painted(recipe: HandGeneratorRecipe, crops: Crops) -> np.ndarray:
    """``PAINTED`` of each crop, float [N, 3]."""
    pairs = list(recipe.painted(crops))
    errors = hand_errors([pixels for pixels, _ in pairs], list(crops.landmarks_px))
    true = hand_masks(crops)
    own = [
        np.nan if mask is None else ((mask > 0.5) & one).sum() / ((mask > 0.5) | one).sum()
        for (_, mask), one in zip(pairs, true, strict=True)
    ]
    return np.stack([errors, errors < 1, own], 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="tiny", help="the base that every run began from")
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--paint", type=int, metavar="N", help="paint N hands by every network")
    parser.add_argument(
        "--against", default="published", help="name of the runs that the others are held against"
    )
    options = parser.parse_args()
    base = EMBEDDED.get(options.model, Path(options.model))
    side, models = open_family(base).resolution, models_in(options.runs)
    if options.paint:
        crops = single_hands(options.data, side, options.paint)
        errors = hand_errors(list(crops.pixels), list(crops.landmarks_px))
        print(row("untouched renders: hand error", errors, mean))
        asked, columns = (options.data, options.paint, base), PAINTED
        values = by_name(models, "painted-hands", asked, lambda m: painted(opened(m, base, crops), crops))
    else:
        crops = held_out(options.data, side, options.n)
        asked, columns = (options.data, options.n, base), LOSSES
        values = by_name(models, "losses", asked, lambda m: losses(opened(m, base, crops), crops))
    print(*report(values, columns, options.against, seeds=True), sep="\n")


if __name__ == "__main__":
    main()
