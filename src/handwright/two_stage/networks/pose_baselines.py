"""Other ways to tell a base of a pose: its drawing beside the latents, or through a light adapter.

The paper is held against both. They read the skeleton picture, and nothing of hands that were made before.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import torch
from diffusers.models.adapter import T2IAdapter
from jaxtyping import Float, UInt8
from torch import Tensor

from handwright.diffusion.inflation import NewWeights
from handwright.diffusion.latents import control_tensor, encode, exact, picture_tensor
from handwright.diffusion.loading.libraries import UNet2DConditionModel
from handwright.two_stage.networks.hand_generator import HandGenerator


class PoseConcatenation(HandGenerator):
    """Native concatenation, as HumanSD (Ju et al. 2023): latents of the drawing beside the noisy ones.

    The condition is laid in as a hand generator's is, and there is no mask head. HumanSD's weights on the
    loss around joints are not part of it.
    """

    @classmethod
    def begin(
        cls, unet: UNet2DConditionModel, latent_channels: int, new_weights: NewWeights = "zero"
    ) -> Self:
        """Begin from a trained base of SD 1.x's or SDXL's layout, all of which learns.

        Args:
            unet: The base, plain or inpainting; its weights are kept.
            latent_channels: Of its VAE, which encodes the drawing.
            new_weights: Of the further channels of ``conv_in``.
        """
        return cls.from_unet(
            unet, new_weights=new_weights, condition_channels=latent_channels, with_mask_head=False
        )


PoseNetwork = PoseConcatenation | T2IAdapter


def begin_adapter(unet: UNet2DConditionModel, pixels_per_latent: int) -> T2IAdapter:
    """A fresh T2I-Adapter (Mou et al. 2023) for a frozen base: one feature map a level of its encoder.

    Args:
        unet: The base. Where its first level has no attention (SDXL) the features are added behind that
            level's halving, so the adapter begins there.
        pixels_per_latent: 4 or 8.
    """
    widths = list(unet.config["block_out_channels"])
    if unet.config["down_block_types"][0] == "DownBlock2D":
        return T2IAdapter(3, widths, 2, 2 * pixels_per_latent, "full_adapter_xl")
    return T2IAdapter(3, widths, 2, pixels_per_latent, "full_adapter")


def drawing_for(
    network: PoseNetwork,
    vae: Any,  # noqa: ANN401 - any autoencoder with diffusers' interface
    skeletons: UInt8[np.ndarray, "b h w 3"],
) -> Float[Tensor, "b c h w"]:
    """Skeleton pictures as a network reads them: their latents, or their colours from 0 to 1; on the CPU."""
    if isinstance(network, T2IAdapter):
        return control_tensor(skeletons)
    with torch.no_grad(), exact(vae):
        return encode(vae, picture_tensor(skeletons).to(vae.device)).cpu()


@contextmanager
def steered(
    pipe: Any,  # noqa: ANN401 - any diffusers pipeline with a UNet
    network: PoseNetwork,
    skeleton: UInt8[np.ndarray, "h w 3"],
) -> Generator[None]:
    """Let one of diffusers' pipelines, built around the base, paint a pose with this network for a while."""
    drawing = drawing_for(network, pipe.vae, skeleton[None])
    if isinstance(network, PoseConcatenation):
        own, pipe.unet = pipe.unet, network.under(drawing)
        try:
            yield
        finally:
            pipe.unet = own
        return
    with torch.no_grad():
        features = network(drawing.to(network.device, network.dtype))

    def added(_unet: Any, args: Any, given: dict[str, Any]) -> Any:  # noqa: ANN401
        """The features beside what the UNet is called with, in a list that it may use up."""
        return args, {**given, "down_intrablock_additional_residuals": list(features)}

    hook = pipe.unet.register_forward_pre_hook(added, with_kwargs=True)
    try:
        yield
    finally:
        hook.remove()
