"""What a family's UNet reads of a text where its text encoders do not learn: SD 1.x's one, or SDXL's two."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from handwright.diffusion.loading.zoo import DiffusionModels

Conditioning = tuple[Float[Tensor, "b l d"], dict[str, Any]]
"""``encoder_hidden_states``, and further arguments of UNet and ControlNet."""


class FrozenText:
    """The text encoders of a family; they move to the device of what they are given."""

    def __init__(self, family: DiffusionModels) -> None:
        self.encoders: list[Any] = [
            encoder.requires_grad_(False).eval()
            for encoder in (family.text_encoder, family.text_encoder_2)
            if encoder is not None
        ]
        self.resolution = family.resolution

    @torch.no_grad()
    def __call__(
        self, tokens: Int[Tensor, "b t"] | Int[Tensor, "b 2 t"], device: torch.device
    ) -> Conditioning:
        """Encode a batch, as the stock pipelines of the family do.

        Args:
            tokens: As of ``FamilyRecipe.tokens``.
            device: Where the networks are that read it.
        """
        for encoder in self.encoders:
            encoder.to(device)
        if len(self.encoders) == 1:
            return self.encoders[0](tokens).last_hidden_state, {}
        both = [
            encoder(ids, output_hidden_states=True)
            for encoder, ids in zip(self.encoders, tokens.unbind(1), strict=True)
        ]
        text = torch.cat([output.hidden_states[-2] for output in both], -1)
        side = self.resolution
        # Original size, upper left corner and target size: those that the pipelines tell of a whole picture
        places = text.new_tensor([side, side, 0, 0, side, side]).expand(len(text), -1)
        added = {"text_embeds": both[1].text_embeds, "time_ids": places}
        return text, {"added_cond_kwargs": added}
