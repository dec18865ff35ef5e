"""``base``: the UNet with its text encoder, on renders and photographs captioned as such.

It inpaints, or paints from text alone to be inflated to its inpainting sibling (``inflation``).

A general depth ControlNet learns beside it, as HandRefiner too starts from one: from the depth of renders,
and of photographs as far as it could be fitted. Part of the samples go uncontrolled, so the UNet paints
without it as well.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from handwright.diffusion.known_region import latent_mask
from handwright.diffusion.latents import control_tensor, encode, picture_tensor, pixels_per_latent
from handwright.diffusion.loading.devices import choose_device
from handwright.diffusion.loading.libraries import CLIPTextModel, ControlNetModel, UNet2DConditionModel
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.handrefiner.objective import masked_loss
from handwright.training.networks.family import save_family, schedule_of, token_ids
from handwright.training.noising import noise_to
from handwright.training.samples import control_pictures, sample_grid
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import CropStream, repair_masks
from handwright.training.streams.crops import Crops

CONTROL_DROPOUT = 0.3  # Share of depths that the base does not see, unless settings say so

_SHOWN = 12  # Crops in the sample grid

KNOWN_SHARE = 0.1
"""Weight of latents outside the mask, which an inpainting network sees clean: it need hardly learn them."""


class InpaintingLoss(nn.Module):
    """Text encoder, UNet and ControlNet; the forward pass is the loss of a batch."""

    def __init__(
        self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel, controlnet: ControlNetModel
    ) -> None:
        super().__init__()
        self.text_encoder, self.unet, self.controlnet = text_encoder, unet, controlnet
        self.requires_grad_(True)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weighted squared error of the prediction."""
        return masked_loss(self.predicted(batch), batch["target"], self.region(batch), batch["weight"])

    def region(self, batch: Mapping[str, Tensor]) -> Tensor:
        """What each latent's error weighs: to an inpainting UNet mostly those inside the mask count."""
        known = KNOWN_SHARE if _inpaints(self.unet, batch["latents"]) else 1.0
        return batch["mask"] + known * (1 - batch["mask"])

    def predicted(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The UNet's prediction for a batch, under its depth where that is shown."""
        latents, timesteps = batch["latents"], batch["timesteps"]
        text = self.text_encoder(batch["tokens"]).last_hidden_state
        rows = torch.nonzero(batch["controlled"])[:, 0]
        residuals: list[Tensor] = []
        if len(rows):
            down, mid = self.controlnet(
                latents[rows], timesteps[rows], text[rows], batch["control"][rows], return_dict=False
            )
            residuals = [_placed(part, rows, len(latents)) for part in (*down, mid)]
        return self.unet(
            unet_input(self.unet.config["in_channels"], batch),
            timesteps,
            text,
            down_block_additional_residuals=residuals[:-1] or None,
            mid_block_additional_residual=residuals[-1] if residuals else None,
        ).sample.float()


def unet_input(channels: int, batch: Mapping[str, Tensor]) -> Tensor:
    """Noisy latents, with mask and masked picture where a UNet that reads ``channels`` was made for them."""
    if channels == batch["latents"].shape[1]:
        return batch["latents"]
    return torch.cat([batch["latents"], batch["mask"], batch["masked_latents"]], 1)


@torch.no_grad()
def unknown_picture(vae: Any, side: int) -> dict[str, Tensor]:  # noqa: ANN401
    """``mask`` (ones) and ``masked_latents`` (grey) of a picture of ``side`` px of which nothing is known."""
    grey = encode(vae, torch.zeros(1, 3, side, side, device=vae.device))
    return {"mask": torch.ones_like(grey[:, :1]), "masked_latents": grey}


def repeated(one: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """A batch of ``count`` samples that are all the same as one."""
    return {name: values.expand(count, -1, -1, -1) for name, values in one.items()}


@torch.no_grad()
def loss_of(trained: nn.Module, batch: Mapping[str, Tensor], device: torch.device) -> float:
    """Loss of a fixed batch, which stays where it is."""
    return float(trained({name: values.to(device) for name, values in batch.items()}))


def _inpaints(unet: UNet2DConditionModel, latents: Tensor) -> bool:
    return unet.config["in_channels"] != latents.shape[1]


def _placed(part: Tensor, rows: Tensor, count: int) -> Tensor:
    """Residuals of some samples among zeros for the others."""
    return part.new_zeros(count, *part.shape[1:]).index_copy(0, rows, part)


class FamilyRecipe(ABC):
    """What the recipes on the family's networks share; see :class:`handwright.training.loop.Recipe`.

    A batch is drawn (pictures and what is known of them), encoded (latents in their place) and noised; the
    three may happen in different places, as in ``in_memory``.

    Args:
        family: The family so far.
        trained: The module that learns; its forward pass is the loss of a batch.
    """

    def __init__(self, family: DiffusionModels, trained: nn.Module) -> None:
        self.family, self.trained, self.schedule = family, trained, schedule_of(family)
        self.codec = family.vae.to(choose_device("auto"))
        self.trained.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def encoded(self, *pictures: Tensor) -> tuple[Tensor, ...]:
        """Latents of pictures [b, 3, h, w] in [-1, 1], several at once, on the CPU."""
        with torch.no_grad():
            return encode(self.codec, torch.cat(pictures).to(self.codec.device)).cpu().chunk(len(pictures))

    def timesteps(self, rng: np.random.Generator, count: int) -> Tensor:
        """Noise levels drawn evenly from the whole schedule."""
        return torch.from_numpy(rng.integers(0, self.schedule.config["num_train_timesteps"], count))

    @cached_property
    def unknown(self) -> dict[str, Tensor]:
        """``unknown_picture`` of the family's codec and size, on the CPU."""
        found = unknown_picture(self.codec, self.family.resolution)
        return {name: values.cpu() for name, values in found.items()}

    def painted_whole(self, pixels: Tensor) -> dict[str, Tensor]:
        """``clean``, ``mask`` and ``masked_latents`` of unknown pictures, uint8 [n, h, w, 3]."""
        (clean,) = self.encoded(picture_tensor(pixels.numpy()))
        return {"clean": clean, **repeated(self.unknown, len(clean))}

    @abstractmethod
    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """``count`` samples on the CPU: pictures, uint8 [n, h, w, 3], and what is known of them."""

    @abstractmethod
    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What was drawn with latents in place of pictures: ``clean`` those that noise is added to."""

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        return self.encoded_batch(self.drawn_batch(step, part, settings), settings)

    def drawn_batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Any]:
        """``drawn`` samples, their ``noise`` and ``timesteps``; nothing of it needs the codec's device."""
        rng = np.random.default_rng([settings.seed, step, part])
        drawn = self.drawn(rng, settings.train_batch_size, settings)
        count, height, width = drawn["pixels"].shape[:3]
        scale, channels = pixels_per_latent(self.codec), int(self.codec.config["latent_channels"])
        noise = rng.standard_normal((count, channels, height // scale, width // scale), np.float32)
        timesteps = self.timesteps(rng, count)
        return {"drawn": drawn, "noise": torch.from_numpy(noise), "timesteps": timesteps}

    def encoded_batch(self, drawn: Mapping[str, Any], settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of ``drawn_batch`` as latents on their way to noise."""
        samples = self.samples(drawn["drawn"])
        return self.noised(samples, drawn["noise"], drawn["timesteps"], settings.snr_gamma)

    def noised(
        self, samples: Mapping[str, Tensor], noise: Tensor, timesteps: Tensor, snr_gamma: float
    ) -> dict[str, Tensor]:
        """Samples with ``latents``, ``timesteps``, ``target`` and ``weight`` in place of ``clean``."""
        further = dict(samples)
        noised = noise_to(self.schedule, further.pop("clean"), noise, timesteps, snr_gamma)
        return {
            **further,
            "latents": noised.latents,
            "timesteps": noised.timesteps,
            "target": noised.target,
            "weight": noised.weight,
        }

    def tokens(self, captions: Iterable[object], left_out: Iterable[object]) -> Tensor:
        """Token ids [b, t] of captions, those that are left out empty; of two tokenizers (SDXL) [b, 2, t]."""
        kept = ["" if empty else str(text) for empty, text in zip(left_out, captions, strict=True)]
        first, second = token_ids(self.family.tokenizer, kept), self.family.tokenizer_2
        return first if second is None else torch.stack([first, token_ids(second, kept)], 1)


class CropRecipe(FamilyRecipe):
    """A recipe on hand crops.

    Args:
        crops: What to learn from; a few of them are shown in grids.
        family: The family so far.
        trained: The module that learns.
        photograph_share: Share of samples that are photographs, where there are any.
    """

    dropout: ClassVar[float]  # Share of controls that are left out unless settings say otherwise

    def __init__(
        self, crops: Crops, family: DiffusionModels, trained: nn.Module, photograph_share: float
    ) -> None:
        super().__init__(family, trained)
        self.stream = CropStream(crops, family.resolution, photograph_share)
        self.shown = crops.where(np.unique(np.linspace(0, len(crops) - 1, _SHOWN).astype(int)))

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """Random crops with repair masks, control images and tokens."""
        crops = self.stream.draw(rng, count)
        empty = rng.random(count) < settings.proportion_empty_prompts
        mask = repair_masks(rng, crops.mask)[:, None]
        given = settings.conditioning_dropout_prob
        shown = rng.random(count) >= (self.dropout if given is None else given)
        return {
            "pixels": torch.from_numpy(crops.pixels),
            "hole": torch.from_numpy(mask),
            "control": control_tensor(control_pictures(settings.control, crops)),
            "controlled": torch.from_numpy(crops.depth.any((1, 2)) & shown),
            "tokens": self.tokens(crops.caption, empty),
        }

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Latents of the crops, and of the crops without what is to be repaired."""
        further = dict(drawn)
        picture, hole = picture_tensor(further.pop("pixels").numpy()), further.pop("hole").float()
        clean, masked = self.encoded(picture, picture * (1 - hole))
        mask = latent_mask(hole, pixels_per_latent(self.codec))
        return {**further, "clean": clean, "mask": mask, "masked_latents": masked}


class BaseRecipe(CropRecipe):
    """``base``; the ControlNet learns with the UNet."""

    dropout = CONTROL_DROPOUT

    def __init__(
        self, crops: Crops, family: DiffusionModels, controlnet: ControlNetModel, photograph_share: float
    ) -> None:
        self.controlnet = controlnet
        trained = InpaintingLoss(family.text_encoder, family.unet, controlnet)
        super().__init__(crops, family, trained, photograph_share)

    def grid(self) -> np.ndarray:
        """Crops repainted without control, and below with the general ControlNet."""
        free, controlled = (sample_grid(self.shown, self.family, c) for c in (None, self.controlnet))
        return np.concatenate([free, controlled[-self.family.resolution :]], 0)

    def save(self, folder: Path) -> None:
        """Write the whole family so far."""
        save_family(self.family, folder)
