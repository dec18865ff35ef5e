"""Whether the networks of a pipeline belong together, from their configs alone."""

from typing import Any

from handwright.diffusion.latents import pixels_per_latent
from handwright.errors import DiffusionError

_SHARED = {
    "cross_attention_dim": "text width", "joint_attention_dim": "text width", "num_attention_heads": "heads",
    "block_out_channels": "block widths", "layers_per_block": "depth", "dim": "width", "n_heads": "heads",
    "projection_class_embeddings_input_dim": "micro-conditioning",
}  # fmt: skip
"""What a ControlNet has in common with the network that it steers, and what to call it."""


def check_fit(parts: dict[str, Any]) -> None:
    """Raise unless denoiser, VAE, text encoder and ControlNet, if any, fit each other.

    Raises:
        DiffusionError: In one line, what differs.
    """
    vae, unet = parts["vae"], parts.get("unet")
    if unet is not None:
        one_encoder = parts.get("text_encoder_2") is None
        check_unet(vae, parts["text_encoder"] if one_encoder else None, unet)
    if parts.get("controlnet") is not None:
        check_controlnet(parts["controlnet"], parts["transformer"] if unet is None else unet, vae)


def check_unet(vae: Any, text_encoder: Any, unet: Any) -> None:  # noqa: ANN401
    """Raise unless UNet, VAE and text encoder fit each other.

    Args:
        vae: The autoencoder.
        text_encoder: The only text encoder, or None where there are several.
        unet: The denoiser.

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
    if text_encoder is not None:
        width = text_encoder.config.hidden_size
        _same("text encoder", "width", width, unet.config["cross_attention_dim"])


def check_controlnet(controlnet: Any, denoiser: Any, vae: Any) -> None:  # noqa: ANN401
    """Raise unless the ControlNet fits the denoiser and the VAE's scale.

    Raises:
        DiffusionError: It is of another width, depth, input or scale.
    """
    for name, words in _SHARED.items():
        has, wanted = _plain(controlnet.config.get(name)), _plain(denoiser.config.get(name))
        if has is not None and wanted is not None:
            _same("ControlNet", words, has, wanted)
    takes, channels = controlnet.config.get("in_channels"), vae.config["latent_channels"]
    if takes is not None and takes not in (channels, denoiser.config["in_channels"]):
        _same("ControlNet", "input channels", takes, channels)
    widths = controlnet.config.get("conditioning_embedding_out_channels")
    if widths:
        _same("ControlNet", "pixels per latent", 2 ** (len(widths) - 1), pixels_per_latent(vae))


def _same(part: str, what: str, has: object, wanted: object) -> None:
    if has != wanted:
        raise DiffusionError(
            f"the {part} does not fit the model",
            f"its {what} is {has}, the model's {wanted}",
            f"choose a {part} made for this model",
        )


def _plain(value: Any) -> Any:  # noqa: ANN401 - configs hold lists or tuples
    return list(value) if isinstance(value, tuple) else value
