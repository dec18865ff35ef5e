"""``text_to_image``: a UNet and its text encoder, by flow matching on cached latents.

An inpainting UNet paints the whole of a picture of which nothing is known.

Rectified flow (Liu et al. 2023) along x_σ = (1 − σ) x0 + σ ε, velocity ε − x0 as target. Part of
the noise levels are logit-normal (Esser et al. 2024, §3.1), part evenly drawn (``noising.mixed_places``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from handwright.data.synthesise import tiled
from handwright.diffusion.latents import picture_array
from handwright.diffusion.loading.libraries import CLIPTextModel, UNet2DConditionModel
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.training.networks.family import flow_schedule, save_family, schedule_config, token_ids
from handwright.training.noising import mixed_places, noise_to
from handwright.training.recipes.base import loss_of, repeated, unet_input, unknown_picture
from handwright.training.samples import family_pipeline, fitting_prompt, pictures_for
from handwright.training.settings import TrainSettings
from handwright.training.streams.latent_shards import LatentSamples, LatentStream

PROMPT_SHEET = (
    "a 3D rendered image of the left hand of a person with very dark skin clenched in a fist",
    "a 3D rendered image of the right hand of a child with tan skin with all fingers extended, palm facing "
    "the camera, fingers pointing up",
    "a 3D rendered image of the right hand of a person with light skin making a peace sign",
    "a 3D rendered image of the left hand of an elderly person with dark brown skin giving a thumbs-up",
    "a 3D rendered image of the left hand of a person with light skin pointing, wearing a blue sweater",
    "a 3D rendered image of the right hand of a person with medium brown skin on a blanket",
    "3D rendered image, right hand, all fingers extended",
    "3D rendered image, left hand, clenched in a fist",
    "a photograph of a left hand",
    "a photograph of a right hand",
    "a 3D rendered image of a young man with light skin and short auburn hair, wearing a navy sweater",
    "a 3D rendered image of an elderly woman with dark brown skin and long grey hair, wearing a red shirt",
    "a 3D rendered image of a middle-aged woman with very dark skin and short black hair, the right hand "
    "with all fingers extended, palm facing the camera, fingers pointing up",
    "a 3D rendered image of a young woman with tan skin, the left hand making a peace sign",
    "a 3D rendered image of a man with medium brown skin, the right hand pointing, in front of a brick wall",
    "a 3D rendered image of a child with light skin, wearing a green shirt, in a park",
    "3D rendered image, a young man, right hand, giving a thumbs-up",
    "3D rendered image, an elderly man, left hand, clenched in a fist",
    "a 3D rendered image of a person with dark brown skin, both hands with all fingers extended",
    "a 3D rendered image of a young woman with very dark skin in front of city lights",
)
"""Painted at every checkpoint, each from its own fixed seed."""

_RANDOM_STREAM = 19  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_HELD_OUT_OF_EACH_KIND = 24


@dataclass(frozen=True, kw_only=True)
class TextToImageParams:
    """How noise is drawn, and how the prompt sheet is painted."""

    # Of logit σ before the sigmoid; Esser et al. 2024, §3.1 ('rf/lognorm(0.00,1.00)', table 1).
    noise_mean: float = 0.0
    noise_spread: float = 1.0  # Standard deviation of logit σ; the same source
    # Share of samples whose levels are drawn evenly instead, shifted further by so much: chosen so that at
    # 256 px one in seven lies above σ = .95 (``mixed_places``)
    even_share: float = 0.6
    composition_shift: float = 3.0
    steps: int = 12  # Of the prompt sheet's sampler; chosen by eye
    guidance: float = 2.0  # Classifier-free guidance of the prompt sheet (docs/research/two-stage.md)


class FlowLoss(nn.Module):
    """Text encoder and UNet; the forward pass is the mean squared error of the velocity.

    Args:
        text_encoder: Trained with the UNet.
        unet: On latents alone, or one that inpaints.
    """

    def __init__(self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text_encoder, self.unet = text_encoder, unet
        self.requires_grad_(True)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``latents``, ``timesteps``, ``target`` and ``tokens``, and of what ``unet_input`` reads."""
        text = self.text_encoder(batch["tokens"]).last_hidden_state
        noisy = unet_input(int(self.unet.config["in_channels"]), batch)
        velocity = self.unet(noisy, batch["timesteps"], text).sample.float()
        return (velocity - batch["target"]).square().mean()


class TextToImageRecipe:
    """``text_to_image``; see :class:`handwright.training.loop.Recipe`.

    Args:
        unet: On latents alone, or one that inpaints.
        text_encoder: Trained with it; reads the tokens of ``stream.tokenizer``.
        stream: Latents and captions.
        params: Noise levels and prompt sheet.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        stream: LatentStream,
        params: TextToImageParams,
    ) -> None:
        self.stream, self.params = stream, params
        self.schedule = flow_schedule(stream.resolution)
        self.family = DiffusionModels(
            vae=stream.vae,
            text_encoder=text_encoder,
            tokenizer=stream.tokenizer,
            unet=unet,
            controlnet=None,
            scheduler_config=schedule_config(self.schedule),
            resolution=stream.resolution,
            name="text_to_image",
            inpainting=unet.config["in_channels"] != stream.vae.config["latent_channels"],
        )
        self.unknown = unknown_picture(stream.vae, stream.resolution) if self.family.inpainting else {}
        unet.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.trained = FlowLoss(text_encoder, unet)
        rng = np.random.default_rng(_RANDOM_STREAM)
        self.held_out = self._noised(rng, stream.held_out(_HELD_OUT_OF_EACH_KIND), 0.0)

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        drawn = self.stream.draw(rng, settings.train_batch_size)
        return self._noised(rng, drawn, settings.proportion_empty_prompts)

    def _noised(self, rng: np.random.Generator, drawn: LatentSamples, empty: float) -> dict[str, Tensor]:
        """Latents at random noise levels; a share ``empty`` of the captions is left out."""
        left_out = rng.random(len(drawn.captions)) < empty
        captions = ["" if out else text for out, text in zip(left_out, drawn.captions, strict=True)]
        steps = self.timesteps(rng, len(captions))
        clean = torch.from_numpy(drawn.latents)
        noise = torch.from_numpy(rng.standard_normal(drawn.latents.shape, np.float32))
        noised = noise_to(self.schedule, clean, noise, steps)
        return {
            "latents": noised.latents,
            "timesteps": noised.timesteps,
            "target": noised.target,
            "tokens": token_ids(self.stream.tokenizer, captions),
            **repeated(self.unknown, len(captions)),
        }

    def timesteps(self, rng: np.random.Generator, count: int) -> Int[Tensor, "n"]:
        """Places in the schedule (``mixed_places``), int64 [N] within 0 … ``num_train_timesteps`` − 1."""
        params, total = self.params, int(self.schedule.config["num_train_timesteps"])
        logits = rng.normal(params.noise_mean, params.noise_spread, count)
        even, choice = rng.random((2, count))
        places = mixed_places(
            torch.from_numpy(logits), torch.from_numpy(even), torch.from_numpy(choice),
            params.even_share, params.composition_shift,
        )  # fmt: skip
        return (places * total).long().clamp(max=total - 1)

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """The prompt sheet: ten pictures a row, in the order of ``PROMPT_SHEET``."""
        family, side = self.family, self.stream.resolution
        pipeline = family_pipeline(family)
        device, pictures = family.unet.device, list[np.ndarray]()
        family.vae.to(device)
        blank, everywhere = np.zeros((side, side, 3), np.uint8), np.ones((side, side), np.bool_)
        for number, prompt in enumerate(PROMPT_SHEET):
            painted = pipeline(
                fitting_prompt(family, prompt),
                *pictures_for(blank, everywhere, blank),
                negative_prompt="",
                num_inference_steps=self.params.steps,
                guidance_scale=self.params.guidance,
                controlnet_conditioning_scale=0.0,
                output_type="tensor",
                generator=torch.Generator("cpu").manual_seed(number),
            ).images
            pictures.append(np.rint(picture_array(painted)[0]).astype(np.uint8))
        return tiled(pictures, 10)

    def measures(self) -> dict[str, float]:
        """Loss of held-out samples at fixed noise."""
        return {"held_out_loss": loss_of(self.trained, self.held_out, self.family.unet.device)}

    def save(self, folder: Path) -> None:
        """Write autoencoder, text encoder, tokenizer, UNet and scheduler."""
        save_family(self.family, folder)
