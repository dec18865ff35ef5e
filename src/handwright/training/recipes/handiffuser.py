"""``handiffuser``: T-H2I, the base fine-tuned on text and hands together (HanDiffuser §3.2–3.3).

UNet and Text+Hand encoder learn, the base's own text encoders do not. It is trained apart from T2H, on the
exact parameters of rendered hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor, nn

from handwright.diffusion.loading.libraries import UNet2DConditionModel
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.handiffuser.pipeline import ENCODER, HanDiffuserPipeline
from handwright.handiffuser.text_hand_encoder import STREAMS, HandFeatures, TextHandEncoder, features_of
from handwright.handrefiner.objective import masked_loss
from handwright.training.frozen_text import FrozenText
from handwright.training.hand_pictures import HandPicture, HandPictureStream
from handwright.training.networks.family import save_family
from handwright.training.recipes.base import FamilyRecipe, unet_input
from handwright.training.samples import family_pipeline, fitting_prompt
from handwright.training.settings import TrainSettings

HAND_DROPOUT = 0.1
"""Share of samples whose hands are hidden, unless settings name another; half of them lose their text."""

_SHOWN = 6  # Pictures in the sample grid
_STEPS, _GUIDANCE = 12, 2.0  # Of the sample grid, and what the saved model recommends; chosen by eye


class TextHandToImageLoss(nn.Module):
    """UNet and Text+Hand encoder; the forward pass is the squared error of all latents."""

    def __init__(self, family: DiffusionModels, encoder: TextHandEncoder) -> None:
        super().__init__()
        self.unet: UNet2DConditionModel = family.unet.requires_grad_(True)
        self.encoder = encoder.requires_grad_(True)
        self._frozen = (FrozenText(family),)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``latents``, ``timesteps``, ``target``, ``tokens`` and the streams of the hands."""
        (encode,) = self._frozen
        text, added = encode(batch["tokens"], batch["latents"].device)
        hands = HandFeatures(*(batch[name] for name in (*STREAMS, "present")))
        embeds = self.encoder(text, hands)
        noisy = unet_input(self.unet.config["in_channels"], batch)
        prediction = self.unet(noisy, batch["timesteps"], embeds, **added).sample.float()
        return masked_loss(prediction, batch["target"], batch["mask"], batch["weight"])


class HanDiffuserRecipe(FamilyRecipe):
    """``handiffuser``; see :class:`handwright.training.loop.Recipe`.

    An inpainting base is given a full mask: everything is to be painted.

    Args:
        pictures: What it learns from.
        family: The base.
        encoder: The Text+Hand encoder.
    """

    def __init__(
        self, pictures: HandPictureStream, family: DiffusionModels, encoder: TextHandEncoder
    ) -> None:
        super().__init__(family, TextHandToImageLoss(family, encoder))
        self.stream, self.encoder, self.shown = pictures, encoder, pictures.shown(_SHOWN)

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """Pictures with the streams of their hands and tokens."""
        pictures = self.stream.draw(rng, count)
        wordless, handless = left_out(rng.random(count), settings)
        hands = self.features(pictures).where(torch.from_numpy(~handless))
        return {
            "pixels": torch.from_numpy(np.stack([picture.pixels for picture in pictures])),
            **{name: getattr(hands, name) for name in (*STREAMS, "present")},
            "tokens": self.tokens([picture.caption for picture in pictures], wordless),
        }

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Latents of the pictures, of which nothing is known."""
        further = dict(drawn)
        return {**self.painted_whole(further.pop("pixels")), **further}

    def features(self, pictures: list[HandPicture]) -> HandFeatures:
        """The numbers of their hands."""
        side = self.stream.resolution
        return features_of([picture.hands for picture in pictures], [(side, side)] * len(pictures))

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Columns of: the picture, painted by text and hands, by the hands alone, by the text alone."""
        pipeline = HanDiffuserPipeline(family_pipeline(self.family), self.encoder)
        side = self.stream.resolution
        columns: list[np.ndarray] = []
        for number, picture in enumerate(self.shown):
            words = fitting_prompt(self.family, picture.caption)
            painted = [
                pipeline(
                    prompt, side, side, hands=hands, seed=number, num_inference_steps=_STEPS,
                    guidance_scale=_GUIDANCE,
                ).image
                for prompt, hands in ((words, picture.hands), ("", picture.hands), (words, {}))
            ]  # fmt: skip
            columns.append(np.concatenate([picture.pixels, *painted]))
        return np.concatenate(columns, 1)

    def save(self, folder: Path) -> None:
        """Write the base as it is now, and the encoder beside it."""
        save_family(self.family, folder, guidance=_GUIDANCE, steps=_STEPS)
        self.encoder.save_pretrained(folder / ENCODER)


def left_out(
    draws: np.ndarray, settings: TrainSettings
) -> tuple[Bool[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Of which samples the text is left out, and of which the hands.

    As in InstructPix2Pix (Brooks et al. 2023, §3.2.1): text, hands, or both, so that a picture can be guided
    away from having neither.

    Args:
        draws: float [N] evenly drawn from 0 to 1, one a sample.
        settings: The shares.
    """
    given = settings.conditioning_dropout_prob
    hidden, edge = HAND_DROPOUT if given is None else given, settings.proportion_empty_prompts
    start = min(max(edge - hidden / 2, 0.0), 1.0 - hidden)
    return draws < edge, (draws >= start) & (draws < start + hidden)
