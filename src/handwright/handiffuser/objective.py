"""T2H's objective: flow matching on a person's tokens, text and denoiser learnt together."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from handwright.diffusion.loading.libraries import CLIPTextModel
from handwright.handiffuser.text_to_hand import TextToHandModel
from handwright.handiffuser.tokens import USED


class TextToHandLoss(nn.Module):
    """Text encoder and denoiser; the forward pass is the mean squared error of the velocity.

    Along x_t = (1 − t) x + t ε (rectified flow, Liu et al. 2023) the velocity is ε − x. Every text
    is read once for several noise levels: reading costs more than denoising 21 tokens.

    Args:
        text_encoder: Trained with the denoiser.
        denoiser: T2H.
    """

    def __init__(self, text_encoder: CLIPTextModel, denoiser: TextToHandModel) -> None:
        super().__init__()
        self.text_encoder, self.denoiser = text_encoder, denoiser
        self.used: Tensor
        self.register_buffer("used", torch.from_numpy(USED).float(), persistent=False)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``tokens`` [N, T, W], ``ids`` and ``mask`` [N, L], ``times`` [N, K] and their ``noise``."""
        text = read_text(self.text_encoder, batch["ids"], batch["mask"])
        clean = self.denoiser.standardised(batch["tokens"])
        count, levels = batch["times"].shape
        times = batch["times"].reshape(-1)
        repeated = clean.repeat_interleave(levels, 0)
        noise = batch["noise"].reshape(repeated.shape)
        share = times[:, None, None]
        velocity = self.denoiser((1 - share) * repeated + share * noise, 1000 * times, text, batch["mask"])
        error = (velocity.float() - (noise - repeated)).square() * self.used
        return error.sum() / (self.used.sum() * count * levels)


def read_text(text_encoder: CLIPTextModel, ids: Tensor, mask: Tensor) -> Float[Tensor, "n l c"]:
    """Features of every token of texts that are padded behind their end."""
    return text_encoder(input_ids=ids, attention_mask=mask.long()).last_hidden_state
