"""The embedded model is a diffusers pipeline: diffusers' own loader reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline

from handwright import HandRefinerPipeline
from handwright.diffusion import custom_pipeline
from handwright.diffusion.loading.controlnets import load_controlnet
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.places import model_folder
from tests.diffusion.families import WRITERS


def test_the_embedded_model_loads_by_diffusers_and_is_taken_over():
    with quiet():
        loaded = DiffusionPipeline.from_pretrained(str(model_folder("tiny")))
    assert type(loaded).__name__ == "StableDiffusionControlNetInpaintPipeline"
    assert type(loaded.vae).__name__ == "AutoencoderKL"
    assert HandRefinerPipeline.from_pipe(loaded).pipe.unet is loaded.unet


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd3", "flux", "z-image"])
def test_diffusers_own_loader_makes_a_refiner_of_every_family(
    name: str, scene: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = WRITERS[name](tmp_path / "model")
    ours = HandRefinerPipeline.from_pretrained(folder, dtype="float32", device="cpu")
    control = load_controlnet(folder / "controlnet", getattr(ours.pipe, "unet", None), torch.float32)
    with quiet():
        pipe = DiffusionPipeline.from_pretrained(
            folder, controlnet=control, custom_pipeline=custom_pipeline.__file__, trust_remote_code=True
        )
    run = {"num_inference_steps": 2, "controlnet_conditioning_scale": 0.5, "output_type": "latent"}
    made, wanted = (
        refiner("a hand", **scene, **run, generator=torch.Generator().manual_seed(0)).images
        for refiner in (pipe, HandRefinerPipeline.from_pipe(pipe))
    )
    assert torch.equal(made, wanted)
    assert made.isfinite().all()
