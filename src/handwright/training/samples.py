"""A fixed grid of samples: what the network makes now, beside what it was given."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.libraries import ControlNetModel
from handwright.diffusion.pipeline import HandInpaintPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.diffusion.tensors import control_tensor, picture_array, picture_tensor
from handwright.training.crops import Crops
from handwright.training.family import Family

_STEPS, _GUIDANCE = 12, 2.0


def sample_grid(
    shown: Crops, family: Family, controlnet: ControlNetModel | None
) -> UInt8[np.ndarray, "h w 3"]:
    """Rows of: the crop, the crop with its mask, depth, repainted from pure noise."""
    pipeline = HandInpaintPipeline(
        family.vae,
        family.text_encoder,
        family.tokenizer,
        family.unet,
        open_sampler("ddim", dict(family.schedule.config)),
        controlnet,
    )
    side, rows = family.resolution, []
    edge = (shown.pixels.shape[1] - side) // 2
    middle = np.s_[edge : edge + side, edge : edge + side]
    device = family.unet.device
    for k in range(len(shown)):
        pixels, depth, inside = (a[k][middle] for a in (shown.pixels, shown.depth, shown.mask))
        mask = torch.from_numpy(inside)[None, None].float()
        made = pipeline(
            picture_tensor(pixels[None]),
            mask,
            control_tensor(depth[None]),
            _fitting(family, str(shown.caption[k]).split("\n")[0]),
            NEGATIVE_PROMPT,
            steps=_STEPS,
            guidance=_GUIDANCE,
            control_strength=0.0 if controlnet is None else 1.0,
            generator=torch.Generator(device).manual_seed(k),
        ).pictures
        painted = np.rint(picture_array(made)[0])
        grey = np.repeat(depth[..., None], 3, 2)
        rows.append(np.concatenate([pixels, np.where(inside[..., None], 127, pixels), grey, painted], 0))
    return np.concatenate(rows, 1).astype(np.uint8)


def _fitting(family: Family, caption: str) -> str:
    """As much of a caption as the text encoder reads."""
    ids = family.tokenizer(caption, truncation=True).input_ids
    return str(family.tokenizer.decode(ids, skip_special_tokens=True))
