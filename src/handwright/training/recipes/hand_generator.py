"""``hand_generator``: stage I of Giving a Hand to Diffusion Models (Pelykh et al. 2024, §III-B)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from handwright.training.streams.crop_batches import CropStream, middles, shifted_colours
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
        self.text = FrozenText(family)
        loss = HandGeneratorLoss(self.text, self.generator)
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
        shown = ~masks_left_out(rng, count, self.mask_dropout).numpy()
        known = None
        if self.generator.reads_depth:
            known = rng.random(count) >= (settings.conditioning_dropout_prob or 0.0)
        return self.of_crops(crops, shown, known, empty)

    def of_crops(
        self,
        crops: Crops,
        shown: Bool[np.ndarray, "n"],
        known: Bool[np.ndarray, "n"] | None = None,
        empty: Bool[np.ndarray, "n"] | None = None,
    ) -> dict[str, Tensor]:
        """What the network is given of crops, and its target.

        Args:
            crops: Crops with the family's resolution.
            shown: Which masks the network is given.
            known: Which depths a network that reads them is given; None: all.
            empty: Which captions are left out; None: none.
        """
        hand = torch.from_numpy(hand_masks(crops)[:, None])
        maps = torch.from_numpy(np.stack([heatmaps_of(crops, k) for k in range(len(crops))]))
        condition = [maps, hand * torch.from_numpy(shown)[:, None, None, None]]
        if self.generator.reads_depth:
            depth = crops.depth if known is None else crops.depth * known[:, None, None]
            condition.append(torch.from_numpy(depth[:, None].astype(np.float32) / 255))
        cells = self.family.resolution // pixels_per_latent(self.codec)
        return {
            "pixels": torch.from_numpy(crops.pixels),
            "condition": at_latent_size(torch.cat(condition, 1), (cells, cells)),
            "hand": hand,
            "tokens": self.tokens(crops.caption, np.zeros(len(crops), np.bool_) if empty is None else empty),
        }

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Latents of the crops; nothing of them is known."""
        further = dict(drawn)
        return {**self.painted_whole(further.pop("pixels")), **further}

    def painted(
        self, crops: Crops
    ) -> Iterator[tuple[UInt8[np.ndarray, "s s 3"], Float[np.ndarray, "s s"] | None]]:
        """What is painted in place of each crop from noise, by its caption and condition, the mask hidden.

        The number of a crop is the seed of its noise.

        Args:
            crops: Crops with the family's resolution.

        Yields:
            The picture, and where the network sees hands in it, from 0 to 1; None without a mask head.
        """
        pipeline, side = family_pipeline(self.family), self.family.resolution
        blank = np.zeros((side, side, 3), np.uint8)
        for k in range(len(crops)):
            maps = heatmaps_of(crops, k)
            with self.generator.in_place_of_unet(pipeline.pipe, maps, crops.depth[k]) as under:
                painted = pipeline(
                    fitting_prompt(self.family, str(crops.caption[k]).split("\n")[0]),
                    *pictures_for(np.full_like(blank, 127), np.ones((side, side), np.bool_), blank),
                    num_inference_steps=_STEPS,
                    guidance_scale=_GUIDANCE,
                    controlnet_conditioning_scale=0.0,
                    blend=False,
                    output_type="tensor",
                    generator=torch.Generator("cpu").manual_seed(k),
                ).images
            mask = None if under.mask is None else under.mask[-1, 0].float().cpu().numpy()
            yield np.rint(picture_array(painted)[0]).astype(np.uint8), mask

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Rows of: the crop, its finger heatmaps, what is painted from noise without a mask, its mask."""
        shown = middles(self.shown, self.family.resolution)
        columns: list[np.ndarray] = []
        for k, (painted, mask) in enumerate(self.painted(shown)):
            fingers = heatmaps_of(shown, k).max(0)
            planes = (fingers, np.zeros_like(fingers) if mask is None else mask)
            maps, predicted = (np.repeat(plane[..., None] * 255, 3, 2) for plane in planes)
            columns.append(np.concatenate([shown.pixels[k], maps, painted, predicted], 0))
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
