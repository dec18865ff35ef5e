"""Members by name: from crops (and the members trained before) to a recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from handwright.diffusion.codec import PatchCodec
from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.libraries import CLIPTextModel, CLIPTokenizer, ControlNetModel, UNet2DConditionModel
from handwright.errors import UsageError
from handwright.training.crops import Crops, load_crops
from handwright.training.family import (
    LATENT_CHANNELS,
    RESOLUTION,
    controlnet_from,
    fresh_text_encoder,
    fresh_unet,
    general_controlnet,
)
from handwright.training.loop import Recipe
from handwright.training.recipes.base import BaseRecipe, Batches
from handwright.training.recipes.handrefiner import HandRefinerRecipe
from handwright.training.recipes.vae import fit_codec
from handwright.training.settings import TrainSettings
from handwright.training.tokenizer import learn_tokenizer

PHOTOGRAPH_SHARE = 0.3
_SHOWN = 12


def open_member(member: str, data: Path, model: Path | None, settings: TrainSettings) -> Recipe:
    """The recipe of a member.

    Args:
        member: A name of ``MEMBERS``.
        data: Folder of crops.
        model: Folder of the family so far, for members that build on others.
        settings: Of the run; its seed makes the initial weights.

    Raises:
        UsageError: No such member, no crops, or the family so far is missing.
    """
    if member not in MEMBERS:
        raise UsageError(f"there is no member {member!r}", "", f"choose one of: {', '.join(MEMBERS)}")
    torch.manual_seed(settings.seed)
    return MEMBERS[member](load_crops(data), model, settings)


def _base(crops: Crops, model: Path | None, settings: TrainSettings) -> Recipe:
    if model is None:
        tokenizer = learn_tokenizer([*map(str, crops.caption), NEGATIVE_PROMPT])
        codec = fit_codec(crops.pixels, LATENT_CHANNELS, settings.seed)
        text_encoder, unet = fresh_text_encoder(tokenizer), fresh_unet()
    else:
        codec, tokenizer, text_encoder, unet = _family(model)
    batches = Batches(crops, codec, tokenizer, RESOLUTION, PHOTOGRAPH_SHARE)
    controlnet = _controlnet(model) or general_controlnet(unet)
    return BaseRecipe(batches, text_encoder, unet, controlnet, _shown(crops))


def _handrefiner(crops: Crops, model: Path | None, settings: TrainSettings) -> Recipe:
    if model is None:
        raise UsageError(
            "the ControlNet is trained on a finished base", "", "give the base's folder with --model"
        )
    codec, tokenizer, text_encoder, unet = _family(model)
    renders = crops.where(crops.rendered)
    batches = Batches(renders, codec, tokenizer, RESOLUTION, 0.0)
    controlnet = _controlnet(model) or controlnet_from(unet)
    return HandRefinerRecipe(batches, text_encoder, unet, controlnet, _shown(renders))


def _controlnet(model: Path | None) -> ControlNetModel | None:
    """The family's general ControlNet, if it has one."""
    if model is None or not (model / "controlnet").is_dir():
        return None
    return ControlNetModel.from_pretrained(model / "controlnet", local_files_only=True)


def _family(folder: Path) -> tuple[PatchCodec, CLIPTokenizer, CLIPTextModel, UNet2DConditionModel]:
    try:
        return (
            PatchCodec.from_pretrained(folder / "vae", local_files_only=True),
            CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
            CLIPTextModel.from_pretrained(folder / "text_encoder", local_files_only=True),
            UNet2DConditionModel.from_pretrained(folder / "unet", local_files_only=True),
        )
    except OSError as error:
        raise UsageError(f"{folder} holds no trained base", str(error), "train base first") from error


def _shown(crops: Crops) -> Crops:
    """Crops for the grid, spread over all of them."""
    return crops.where(np.linspace(0, len(crops) - 1, _SHOWN).astype(int))


MEMBERS: dict[str, Callable[[Crops, Path | None, TrainSettings], Recipe]] = {
    "base": _base,
    "handrefiner": _handrefiner,
}
"""What can be trained; ``base`` brings ``vae`` and ``text`` (tokenizer and encoder) with it."""
