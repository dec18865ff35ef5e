"""One latent space for both stages: stage I's latents go into stage II's canvas without decode and encode.

The paper decodes stage I's hands, scales them, and encodes the canvas, which costs detail; it names this as
its own limit. Here stage I's crops lie on stage II's latents (``hand_crops.LatentGrid``), at their scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from handwright.diffusion.free_painting import noise_source
from handwright.diffusion.latents import encode, exact, picture_tensor, pixels_per_latent
from handwright.errors import UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.two_stage.canvas import HALF
from handwright.two_stage.engine import CANVAS_GREY, StageOneHand
from handwright.two_stage.hand_crops import HandCrop, LatentGrid
from handwright.two_stage.hand_stage import StageOneOutput
from handwright.two_stage.mask_expansion import hand_latents


def latent_grid(pipe: Any, square: int, side: int) -> LatentGrid:  # noqa: ANN401 - any diffusers pipeline
    """Stage II's latents: ``square`` pixels of the picture are ``side`` pixels of the network's.

    Raises:
        UsageError: The family's denoiser is no UNet.
    """
    if getattr(pipe, "unet", None) is None:
        raise UsageError(
            "stages share latents only where the denoiser is a UNet", "this family's is a transformer",
            "leave shared latents out",
        )  # fmt: skip
    pixels = pixels_per_latent(pipe.vae)
    halvings = len(pipe.unet.config["block_out_channels"]) - 1
    return LatentGrid(pixels * square / side, pixels, side // pixels, 2**halvings)


def latent_canvas(
    pipe: Any,  # noqa: ANN401 - any diffusers pipeline with a UNet
    crops: Sequence[HandCrop],
    stage_one: Sequence[StageOneHand],
    covers: Sequence[Float[np.ndarray, "r r"]],
    side: int,
) -> Float[Tensor, "1 c n n"]:
    """x_c of equation 11: stage I's latents in the hands' latents (eq. 10), grey's around them.

    Args:
        pipe: Its VAE encodes grey; nothing else is encoded.
        crops: On stage II's latents.
        stage_one: What was made of them, with their latents.
        covers: Per crop how far its hands cover each of its pixels, from 0 to 1.
        side: Of the network's square, pixels.
    """
    scale = pixels_per_latent(pipe.vae)
    canvas = grey_latents(pipe, side)
    for crop, hand, cover in zip(crops, stage_one, covers, strict=True):
        assert crop.corner is not None
        (x, y), cells = crop.corner, crop.resolution // scale
        covered = torch.from_numpy((cover > HALF).astype(np.float32))[None, None]
        kept = hand_latents(covered, scale).bool().to(canvas.device)
        window = np.s_[..., y : y + cells, x : x + cells]
        canvas[window] = torch.where(kept, hand.latents.to(canvas), canvas[window])
    return canvas


def grey_latents(pipe: Any, side: int) -> Float[Tensor, "1 c n n"]:  # noqa: ANN401
    """The latents of a canvas without hands, ``side`` pixels large: those of grey, borders included."""
    grey = picture_tensor(np.full((1, side, side, 3), CANVAS_GREY, np.uint8))
    with torch.no_grad(), exact(pipe.vae):
        return encode(pipe.vae, grey.to(pipe._execution_device))


def closeness_db(
    pixels: UInt8[np.ndarray, "h w 3"], wanted: UInt8[np.ndarray, "h w 3"], inside: Bool[np.ndarray, "h w"]
) -> float:
    """PSNR inside a mask, decibels; infinite where the pixels are the same, NaN where nothing is inside."""
    if not inside.any():
        return float("nan")
    error = np.square(pixels[inside].astype(float) - wanted[inside]).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def outpainted_closeness_db(
    pipeline: Any,  # noqa: ANN401 - a ``TwoStagePipeline``, which this is a part of
    prompt: str,
    pose: BodyPose,
    begun: StageOneOutput,
    seed: int,
    **further: Any,  # noqa: ANN401
) -> tuple[float, float]:
    """How near hands in what stage II paints, before any is pasted, are to stage I's own decode.

    The hands' latents are held to the last step but one, since free steps change hands.

    Args:
        pipeline: Both stages.
        prompt: What the picture shows.
        pose: The pose, in pixels of the picture.
        begun: What stage I made, with its latents.
        seed: Of stage II's noise.
        **further: As of ``TwoStagePipeline``'s call.

    Returns:
        PSNR with shared latents, and through decode and encode as published, each as of
        :func:`closeness_db`, a latent inside of the hands' outline.
    """
    square, side = max(begun.mask.shape), pipeline.resolution
    latent_px = round(pixels_per_latent(pipeline.body.pipe.vae) * square / side)
    inner = cv2.erode(begun.mask.astype(np.uint8), np.ones((2 * latent_px + 1,) * 2, np.uint8)) > 0
    painted = (
        pipeline.outpaint(
            prompt, begun.canvas, begun.mask, pose, noise_source(seed, 2), latents=latents,
            alpha=np.zeros(begun.mask.shape), again_level=0.0, free_steps=1, **further,
        )
        for latents in (begun.latents, None)
    )  # fmt: skip
    shared, encoded = (closeness_db(pixels, begun.canvas, inner) for pixels in painted)
    return shared, encoded
