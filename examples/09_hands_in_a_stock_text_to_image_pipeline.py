"""Text and hands in diffusers' own text-to-image pipelines: a Text+Hand encoder writes their `prompt_embeds`.

python examples/09_hands_in_a_stock_text_to_image_pipeline.py MODEL "a woman waving with her left hand" out

MODEL is a folder in Stable Diffusion 1.5's or SDXL's layout with a Text+Hand encoder beside it, such as
`model/` of `handwright train handiffuser --model BASE`. StableDiffusionPipeline paints with the former,
StableDiffusionXLPipeline with the latter; `out` gets the picture and the person's numbers.
"""

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoPipelineForText2Image

from handwright import HanDiffuserPipeline
from handwright.body import pose_body
from handwright.handiffuser.person_for_text import people_for_text

model, text, out = sys.argv[1], sys.argv[2], Path(sys.argv[3])
out.mkdir(parents=True, exist_ok=True)

# A person who fits the text, and the hands with the text in one embedding.
pipe = HanDiffuserPipeline.from_pretrained(model)
side = pipe.resolution
person = people_for_text(text, pipe.text_to_hand, side, seed=0)[0].parameters
given = pipe.prompt_arguments(text, pose_body(person).hands, side, negative_prompt="blurred")

# diffusers' own pipeline around the same networks.
stock = AutoPipelineForText2Image.from_pipe(pipe.base.pipe, controlnet=None)
seed = torch.Generator().manual_seed(0)
made = stock(**given, height=side, width=side, num_inference_steps=4, generator=seed)

made.images[0].save(out / "picture.png")
(out / "person.json").write_text(json.dumps(person.to_json()))
print(type(stock).__name__, {name: tuple(tensor.shape) for name, tensor in given.items()})
