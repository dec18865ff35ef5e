"""The inpainting network of one run: ε_θ(x, x_mask, D) under guidance with the negative prompt (§3.3)."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from handwright.diffusion.loading.libraries import ControlNetModel, UNet2DConditionModel

SYNTHETIC_NEGATIVE = "fake 3D rendered image"
"""c_n0 of eq. 3: names what a ControlNet learnt on renders must not bring along."""

STANDARD_NEGATIVE = (
    "long body, low resolution, bad anatomy, bad hands, missing fingers, extra digit, fewer digits, "
    "cropped, worst quality, low quality"
)
"""c_n of eq. 3: the usual negative words."""

GUIDANCE = 9.0  # w of eq. 3 in the published inference.

NEGATIVE_PROMPT = f"{SYNTHETIC_NEGATIVE}, {STANDARD_NEGATIVE}"


def negative_prompt(words: str = "", synthetic: bool = True) -> str:
    """The unconditional branch's prompt c_n0 + c_n (HandRefiner eq. 3).

    ``words`` stand in place of the standard ones; without ``synthetic`` it is the paper's ablation without
    c_n0.
    """
    words = words.strip() or STANDARD_NEGATIVE
    return f"{SYNTHETIC_NEGATIVE}, {words}" if synthetic else words


def guided(
    conditional: Float[Tensor, "b c h w"], unconditional: Float[Tensor, "b c h w"], weight: float
) -> Float[Tensor, "b c h w"]:
    """ε = ε(x, n) + w · (ε(x, p) − ε(x, n)), HandRefiner eq. 3."""
    return unconditional + weight * (conditional - unconditional)  # eq. 3


@dataclass(frozen=True, eq=False)
class Denoiser:
    """UNet and ControlNet with all that stays the same over the steps of one run."""

    unet: UNet2DConditionModel  # The UNet
    controlnet: ControlNetModel | None  # The ControlNet; None: no control
    # [1, t, c] of the prompt, or [2, t, c] of the negative prompt and the prompt
    embeddings: Float[Tensor, "b t c"]
    # [1, L + 1, h, w] mask and masked picture's latents for an inpainting UNet, else None
    beside: Float[Tensor, "1 k h w"] | None
    control: Float[Tensor, "1 3 H W"]  # [1, 3, H, W] the control image D in [0, 1]
    guidance: float  # w of eq. 3; used with two embeddings.
    # The same between without control and with it; 1 runs the UNet with it alone
    control_guidance: float = 1.0

    def __call__(
        self, latents: Float[Tensor, "1 c h w"], timestep: Tensor, strength: float
    ) -> Float[Tensor, "1 c h w"]:
        """The guided prediction, float32; ``strength`` multiplies ControlNet residuals on both branches."""
        branches = len(self.embeddings)
        bare = latents.to(self.unet.dtype).expand(branches, -1, -1, -1)
        unet_input = bare
        if self.beside is not None:
            beside = self.beside.to(bare).expand(branches, -1, -1, -1)
            unet_input = torch.cat([bare, beside], dim=1)  # x_τ(i) with x_mask
        residuals = self._residuals(bare, unet_input, timestep, strength)
        prediction = self._predicted(unet_input, timestep, residuals)
        if residuals and self.control_guidance != 1:
            prediction = guided(prediction, self._predicted(unet_input, timestep, {}), self.control_guidance)
        if branches == 1:
            return prediction
        unconditional, conditional = prediction.chunk(2)
        return guided(conditional, unconditional, self.guidance)

    def _predicted(self, unet_input: Tensor, timestep: Tensor, residuals: dict[str, Any]) -> Tensor:
        options = {"encoder_hidden_states": self.embeddings, "return_dict": False, **residuals}
        return self.unet(unet_input, timestep, **options)[0].float()

    def _residuals(
        self, bare: Tensor, unet_input: Tensor, timestep: Tensor, strength: float
    ) -> dict[str, Any]:
        """The ControlNet's residuals times the control strength; nothing at strength 0."""
        if self.controlnet is None or strength == 0:
            return {}
        reads_all = self.controlnet.config["in_channels"] == unet_input.shape[1]
        down, mid = self.controlnet(
            unet_input if reads_all else bare,
            timestep,
            encoder_hidden_states=self.embeddings,
            controlnet_cond=self.control.to(bare).expand(len(bare), -1, -1, -1),
            conditioning_scale=strength,
            return_dict=False,
        )
        return {"down_block_additional_residuals": down, "mid_block_additional_residual": mid}
