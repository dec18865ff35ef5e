"""Whether a model's components fit each other, checked before the first step; errors quote their configs."""

from __future__ import annotations

from typing import Any

from handwright.diffusion.latents import pixels_per_latent
from handwright.errors import DiffusionError


def check_family(vae: Any, text_encoder: Any, unet: Any) -> None:  # noqa: ANN401
    """Raise unless UNet, VAE and text encoder fit each other.

    Raises:
        DiffusionError: The UNet reads other latents or other embeddings than the partners make.
    """
    channels = int(vae.config["latent_channels"])
    takes = int(unet.config["in_channels"])
    if takes not in (channels, 2 * channels + 1):
        raise DiffusionError(
            f"the UNet reads {takes} channels",
            f"this VAE makes {channels}: a plain UNet reads {channels}, an inpainting one {2 * channels + 1}",
            "choose a text-to-image or inpainting model",
        )
    if unet.config.get("addition_embed_type") is not None:
        raise DiffusionError(
            "the UNet wants more than one text embedding",
            "it is not of the Stable Diffusion 1.5 layout",
            "choose a model of that layout",
        )
    _same("text encoder", "width", text_encoder.config.hidden_size, unet.config["cross_attention_dim"])


def check_controlnet(controlnet: Any, unet: Any, vae: Any) -> None:  # noqa: ANN401
    """Raise unless the ControlNet fits the UNet and the VAE's scale.

    Raises:
        DiffusionError: It is of another width, depth, input or scale.
    """
    for name, words in (
        ("cross_attention_dim", "text width"),
        ("block_out_channels", "block widths"),
        ("layers_per_block", "depth"),
    ):
        _same("ControlNet", words, _plain(controlnet.config[name]), _plain(unet.config[name]))
    takes = int(controlnet.config["in_channels"])
    allowed = (int(vae.config["latent_channels"]), int(unet.config["in_channels"]))
    if takes not in allowed:
        _same("ControlNet", "input channels", takes, allowed[0])
    scale = 2 ** (len(controlnet.config["conditioning_embedding_out_channels"]) - 1)
    _same("ControlNet", "pixels per latent", scale, pixels_per_latent(vae))


def _same(part: str, what: str, has: object, wanted: object) -> None:
    if has != wanted:
        raise DiffusionError(
            f"the {part} does not fit the model",
            f"its {what} is {has}, the model's {wanted}",
            f"choose a {part} made for this model",
        )


def _plain(value: Any) -> Any:  # noqa: ANN401 - configs hold lists or tuples
    return list(value) if isinstance(value, tuple) else value
