"""A refiner that keeps its diffusion model loaded; its names mean what they mean in diffusers.

python examples/07_many_pictures_one_model.py photo.png out
"""

import sys
from pathlib import Path

import handwright

out = Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)

with handwright.HandRefiner.from_pretrained(model="tiny") as refiner:
    for level in (
        None,
        0.4,
    ):  # inpainting from pure noise, then the drawn hand changed from noise level 0.4 on
        repair = refiner(
            sys.argv[1],
            all=True,
            prompt="a photograph of a hand",
            strength=level,
            num_inference_steps=4,
            controlnet_conditioning_scale=0.8,
            seed=1,
        )
        repair.after.save(out / f"strength_{level or 1}.png")
        print(repair)
