"""A fixed grid of samples: what the network makes now, beside what it was given."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from handwright.diffusion.denoiser import NEGATIVE_PROMPT
from handwright.diffusion.latents import control_tensor, picture_array, picture_tensor
from handwright.diffusion.loading.libraries import ControlNetModel
from handwright.diffusion.pipeline import HandInpaintPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.handrefiner.controls import control_picture
from handwright.training.networks.family import Family
from handwright.training.streams.crops import Crops

_STEPS, _GUIDANCE = 12, 2.0


def family_pipeline(family: Family, controlnet: ControlNetModel | None = None) -> HandInpaintPipeline:
    """The inpainting pipeline of a family in training, with the sampler that its schedule names."""
    return HandInpaintPipeline(
        family.vae,
        family.text_encoder,
        family.tokenizer,
        family.unet,
        open_sampler("auto", family.schedule_config),
        controlnet,
    )


def sample_grid(
    shown: Crops, family: Family, controlnet: ControlNetModel | None, control: str = "depth"
) -> UInt8[np.ndarray, "h w 3"]:
    """Rows of: the crop, the crop with its mask, its control image, repainted from pure noise."""
    pipeline = family_pipeline(family, controlnet)
    side, rows = family.resolution, []
    edge = (shown.pixels.shape[1] - side) // 2
    middle = np.s_[edge : edge + side, edge : edge + side]
    device = family.unet.device
    steering = control_pictures(control, shown)
    for k in range(len(shown)):
        pixels, steered, inside = (a[k][middle] for a in (shown.pixels, steering, shown.mask))
        mask = torch.from_numpy(inside)[None, None].float()
        painted = pipeline(
            picture_tensor(pixels[None]),
            mask,
            control_tensor(steered[None]),
            fitting_prompt(family, str(shown.caption[k]).split("\n")[0]),
            NEGATIVE_PROMPT,
            steps=_STEPS,
            guidance=_GUIDANCE,
            control_strength=0.0 if controlnet is None else 1.0,
            generator=torch.Generator(device).manual_seed(k),
        ).pictures
        masked, repainted = np.where(inside[..., None], 127, pixels), np.rint(picture_array(painted)[0])
        rows.append(np.concatenate([pixels, masked, steered, repainted], 0))
    return np.concatenate(rows, 1).astype(np.uint8)


def control_pictures(kind: str, crops: Crops) -> UInt8[np.ndarray, "n s s 3"]:
    """The control image of every crop."""
    return np.stack(
        [
            control_picture(kind, depth, points[None])
            for depth, points in zip(crops.depth, crops.landmarks_px, strict=True)
        ]
    )


def fitting_prompt(family: Family, caption: str) -> str:
    """As many words of a caption as the text encoder reads."""
    words = caption.split()
    while len(family.tokenizer(" ".join(words)).input_ids) > family.tokenizer.model_max_length:
        words.pop()
    return " ".join(words)
