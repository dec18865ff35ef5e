"""HandRefiner's equations 1 and 2 as a callback of diffusers' own ControlNet pipeline.

python examples/08_blend_in_a_stock_pipeline.py MODEL CONTROLNET photo.png mask.png depth.png out.png

MODEL is a folder in Stable Diffusion 1.5's layout, CONTROLNET one of a depth ControlNet. The three pictures
have one size, a multiple of 64. The mask is white where pixels may change; elsewhere the latents follow
the photograph. Pipelines of SDXL, SD 3, FLUX and Z-Image take the same callback.
"""

import sys

import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image

from handwright.diffusion import KnownRegionBlend

model, controlnet, photo, mask, depth, out = sys.argv[1:]
photo, mask, depth = (Image.open(photo).convert("RGB"), Image.open(mask).convert("L"), Image.open(depth))

# Five lines: a stock pipeline and our callback.
control = ControlNetModel.from_pretrained(controlnet)
pipe = StableDiffusionControlNetPipeline.from_pretrained(model, controlnet=control, safety_checker=None)
seed = torch.Generator().manual_seed(0)
blend = KnownRegionBlend.from_pipe(pipe, photo, mask, generator=seed)
made = pipe("a hand", depth.convert("RGB"), num_inference_steps=4, generator=seed, callback_on_step_end=blend)

made.images[0].save(out)
