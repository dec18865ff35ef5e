"""The embedded model is a diffusers pipeline: diffusers' own loader reads it."""

from __future__ import annotations

from diffusers import DiffusionPipeline

from handwright import HandRefinerPipeline
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.places import model_folder


def test_the_embedded_model_loads_by_diffusers_and_is_taken_over():
    with quiet():
        loaded = DiffusionPipeline.from_pretrained(str(model_folder("tiny")))
    assert type(loaded).__name__ == "StableDiffusionControlNetInpaintPipeline"
    assert type(loaded.vae).__name__ == "PatchCodec"
    assert HandRefinerPipeline.from_pipe(loaded).pipe.unet is loaded.unet
