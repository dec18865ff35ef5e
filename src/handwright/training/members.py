"""Members by name: from crops (and the members trained before) to a recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.latents import pixels_per_latent
from handwright.errors import UsageError
from handwright.training.crops import Crops
from handwright.training.family import (
    LATENT_CHANNELS,
    controlnet_from,
    fresh_family,
    general_controlnet,
    open_family,
)
from handwright.training.gather import load_crops
from handwright.training.loop import Recipe
from handwright.training.recipes.base import BaseRecipe, Batches
from handwright.training.recipes.handrefiner import HandRefinerRecipe
from handwright.training.recipes.vae import fit_codec
from handwright.training.settings import TrainSettings
from handwright.training.tokenizer import learn_tokenizer

PHOTOGRAPH_SHARE = 0.3
_SHOWN = 12
_MARGIN = 9 / 8
"""Crops are kept this much larger than samples, to cut windows from."""


def open_member(member: str, data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    """The recipe of a member.

    Args:
        member: A name of ``MEMBERS``.
        data: Folder of shards and lots.
        model: Folder of the family so far, for members that build on others.
        settings: Of the run; its seed makes the initial weights.

    Raises:
        UsageError: No such member, no crops, or the family so far is missing.
        DiffusionError: The family so far cannot be loaded.
    """
    if member not in MEMBERS:
        raise UsageError(f"there is no member {member!r}", "", f"choose one of: {', '.join(MEMBERS)}")
    torch.manual_seed(settings.seed)
    return MEMBERS[member](data, model, settings)


def _base(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    if model is None:
        crops = _sound(data, settings.resolution)
        words = [line for caption in crops.caption for line in str(caption).splitlines()]
        tokenizer = learn_tokenizer([*words, NEGATIVE_PROMPT])
        codec = fit_codec(crops.pixels, LATENT_CHANNELS, settings.seed)
        family = fresh_family(tokenizer, codec, settings.resolution)
    else:
        family = open_family(model)
        crops = _sound(data, family.resolution)
    controlnet = family.controlnet or general_controlnet(family.unet, pixels_per_latent(family.vae))
    family = replace(family, controlnet=controlnet)
    return BaseRecipe(Batches(crops, family, PHOTOGRAPH_SHARE), family, controlnet, _shown(crops))


def _handrefiner(data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    if model is None:
        raise UsageError(
            "the ControlNet is trained on a finished base", "", "give the base's folder with --model"
        )
    family = open_family(model)
    crops = _sound(data, family.resolution)
    renders = crops.where(crops.rendered)
    if not len(renders):
        raise UsageError(f"{data} holds no renders", "eq. 4 wants exact depth", "use `handwright synth`")
    controlnet = family.controlnet or controlnet_from(family.unet, pixels_per_latent(family.vae))
    return HandRefinerRecipe(Batches(renders, family, 0.0), family, controlnet, _shown(renders))


def _sound(data: Path, resolution: int) -> Crops:
    """The crops of hands without defects."""
    crops = _crops(data, resolution)
    return crops.where(~crops.defects.any(1))


def _crops(data: Path, resolution: int) -> Crops:
    return load_crops(data, round(_MARGIN * resolution))


def _shown(crops: Crops) -> Crops:
    """Crops for the grid, spread over all of them."""
    return crops.where(np.unique(np.linspace(0, len(crops) - 1, _SHOWN).astype(int)))


MEMBERS: dict[str, Callable[[Path, Path | None, TrainSettings], Recipe]] = {
    "base": _base,
    "handrefiner": _handrefiner,
}
"""What can be trained; a ``base`` from nothing brings a linear ``vae`` and ``text`` with it."""
