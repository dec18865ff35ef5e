"""HandRefiner's equations 1 and 2 as a callback of diffusers' own ControlNet pipeline.

python examples/08_blend_in_a_stock_pipeline.py MODEL CONTROLNET photo.png mask.png depth.png out.png

MODEL is a folder in Stable Diffusion 1.5's layout, CONTROLNET one of a depth ControlNet. The three pictures
have one size, a multiple of 64. The mask is white where pixels may change; elsewhere the latents follow
the photograph.
"""

import sys

import numpy as np
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image

from handwright.diffusion.known_region import KnownRegionBlend, latent_mask

model, controlnet, photo, mask, depth, out = sys.argv[1:]
pipe = StableDiffusionControlNetPipeline.from_pretrained(
    model, controlnet=ControlNetModel.from_pretrained(controlnet), safety_checker=None
)
with Image.open(photo) as opened:
    picture = pipe.image_processor.preprocess(opened.convert("RGB"))
with Image.open(mask) as opened:
    white = torch.from_numpy(np.asarray(opened.convert("L")) / 255.0)[None, None]
with Image.open(depth) as opened:
    control = opened.convert("RGB")
with torch.no_grad():
    known = pipe.vae.encode(picture).latent_dist.mode() * pipe.vae.config.scaling_factor

generator = torch.Generator().manual_seed(0)
blend = KnownRegionBlend(known, latent_mask(white, pipe.vae_scale_factor), generator)
result = pipe(
    "a photograph of a hand",
    image=control,
    num_inference_steps=4,
    generator=generator,
    controlnet_conditioning_scale=0.55,
    callback_on_step_end=blend,
    callback_on_step_end_tensor_inputs=list(blend.tensor_inputs),
)
result.images[0].save(out)
