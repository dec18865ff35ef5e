"""``hand_generator``: stage I of Giving a Hand to Diffusion Models (Pelykh et al. 2024, §III-B)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn

from handwright.diffusion.latents import picture_array, pixels_per_latent
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.training.frozen_text import FrozenText
from handwright.training.recipes.base import CropRecipe, unet_input
from handwright.training.samples import family_pipeline, fitting_prompt, pictures_for
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import CropStream, shifted_colours
from handwright.training.streams.crops import Crops
from handwright.two_stage.networks.finger_heatmaps import SIDES, finger_heatmaps
from handwright.two_stage.networks.hand_generator import HandGenerator, at_latent_size
from handwright.two_stage.networks.objective import MASK_DROPOUT, hand_generator_loss, masks_left_out
from handwright.types import Side

MASK_DILATION_PX = 5  # 'processed with a 5×5 dilation kernel' (§IV-A)

_STEPS, _GUIDANCE = 12, 2.0  # Of the sample grid; chosen by eye


class HandGeneratorLoss(nn.Module):
    """Hand generator on frozen text encoders; the forward pass is L = L_LDM + λ L_mask."""

    def __init__(self, text: FrozenText, generator: HandGenerator) -> None:
        super().__init__()
        self.generator = generator.requires_grad_(True)
        self._text = text

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``latents``, ``timesteps``, ``target``, ``tokens``, ``condition`` and ``hand``."""
        text, added = self._text(batch["tokens"], batch["latents"].device)
        noisy = unet_input(self.generator.latent_channels, batch)
        hand = batch["hand"].float()
        output = self.generator(noisy, batch["timesteps"], text, batch["condition"], hand.shape[2:], **added)
        logits = None if output.mask_logits is None else output.mask_logits.float()
        return hand_generator_loss(output.sample.float(), batch["target"], logits, hand)


class HandGeneratorRecipe(CropRecipe):
    """``hand_generator``; see :class:`handwright.training.loop.Recipe`.

    An inpainting base is given a full mask: everything is to be painted. Crops of unknown side are left out.
    """

    dropout = 0.0

    def __init__(
        self,
        crops: Crops,
        family: DiffusionModels,
        photograph_share: float,
        generator: HandGenerator | None = None,
        mask_dropout: float = MASK_DROPOUT,
    ) -> None:
        known = crops.where(crops.side >= 0)
        self.mask_dropout = mask_dropout
        self.generator = HandGenerator.from_unet(family.unet) if generator is None else generator
        loss = HandGeneratorLoss(FrozenText(family), self.generator)
        super().__init__(known, family, loss, photograph_share)
        self.stream = CropStream(known, family.resolution, photograph_share, shifted_colours)

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """Finger heatmaps with the hands' mask, which ``mask_dropout`` of samples lack, and that as target.

        They are brought to the latents' size here: the network would do it first thing, and a pool of
        samples in a GPU's memory then is sixty times smaller.

        A network that reads the hands' depth is given it, where it is known; of a share of samples
        (``conditioning_dropout_prob``, none by default) it is hidden, so that heatmaps alone will do, too.
        """
        crops = self.stream.draw(rng, count)
        empty = rng.random(count) < settings.proportion_empty_prompts
        hand = torch.from_numpy(hand_masks(crops)[:, None])
        shown = ~masks_left_out(rng, count, self.mask_dropout)
        maps = torch.from_numpy(np.stack([heatmaps_of(crops, k) for k in range(count)]))
        condition = [maps, hand * shown[:, None, None, None]]
        if self.generator.reads_depth:
            known = rng.random(count) >= (settings.conditioning_dropout_prob or 0.0)
            depth = crops.depth * known[:, None, None]
            condition.append(torch.from_numpy(depth[:, None].astype(np.float32) / 255))
        cells = self.family.resolution // pixels_per_latent(self.codec)
        return {
            "pixels": torch.from_numpy(crops.pixels),
            "condition": at_latent_size(torch.cat(condition, 1), (cells, cells)),
            "hand": hand,
            "tokens": self.tokens(crops.caption, empty),
        }

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Latents of the crops; nothing of them is known."""
        further = dict(drawn)
        return {**self.painted_whole(further.pop("pixels")), **further}

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Rows of: the crop, its finger heatmaps, what is painted from noise without a mask, its mask."""
        pipeline, side = family_pipeline(self.family), self.family.resolution
        columns: list[np.ndarray] = []
        edge = (self.shown.pixels.shape[1] - side) // 2
        blank = np.zeros((side, side, 3), np.uint8)
        for k in range(len(self.shown)):
            middle = np.s_[edge : edge + side, edge : edge + side]
            pixels, maps = self.shown.pixels[k][middle], heatmaps_of(self.shown, k)[:, *middle]
            depth = np.ascontiguousarray(self.shown.depth[k][middle])
            with self.generator.in_place_of_unet(pipeline.pipe, maps, depth) as under:
                painted = pipeline(
                    fitting_prompt(self.family, str(self.shown.caption[k]).split("\n")[0]),
                    *pictures_for(np.full_like(blank, 127), np.ones((side, side), np.bool_), blank),
                    num_inference_steps=_STEPS,
                    guidance_scale=_GUIDANCE,
                    controlnet_conditioning_scale=0.0,
                    blend=False,
                    output_type="tensor",
                    generator=torch.Generator("cpu").manual_seed(k),
                ).images
            mask = under.mask
            predicted = blank if mask is None else np.repeat(mask[-1, 0].cpu().numpy()[..., None], 3, 2) * 255
            fingers = np.repeat(maps.max(0)[..., None] * 255, 3, 2)
            columns.append(
                np.concatenate([pixels, fingers, np.rint(picture_array(painted)[0]), predicted], 0)
            )
        return np.concatenate(columns, 1).astype(np.uint8)

    def save(self, folder: Path) -> None:
        """Write the hand generator."""
        self.generator.save_pretrained(folder / "hand_generator")


def heatmaps_of(crops: Crops, number: int) -> Float[np.ndarray, "10 s s"]:
    """The finger heatmaps of one crop; landmarks that are not seen are drawn, too, and a second hand."""
    own = int(crops.side[number])
    hands: dict[Side, Float[np.ndarray, "21 2"]] = {SIDES[own]: crops.landmarks_px[number]}
    if np.isfinite(crops.other_px[number]).all():
        hands[SIDES[1 - own]] = crops.other_px[number]
    return finger_heatmaps(hands, crops.pixels.shape[1])


def hand_masks(crops: Crops) -> Bool[np.ndarray, "n s s"]:
    """The hand itself where its depth is known, dilated by ``MASK_DILATION_PX``; else the repair mask."""
    kernel = np.ones((MASK_DILATION_PX, MASK_DILATION_PX), np.uint8)
    return np.stack(
        [
            cv2.dilate((depth > 0).astype(np.uint8), kernel) > 0 if depth.any() else mask
            for depth, mask in zip(crops.depth, crops.mask, strict=True)
        ]
    )
