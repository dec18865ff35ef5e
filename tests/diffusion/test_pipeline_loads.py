"""The pipeline loads as any diffusers pipeline does."""

from __future__ import annotations

from handwright.diffusion.loading.places import model_folder
from handwright.diffusion.pipeline import HandInpaintPipeline


def test_the_embedded_model_loads_by_from_pretrained():
    pipeline = HandInpaintPipeline.from_pretrained(str(model_folder("tiny")))
    assert type(pipeline.vae).__name__ == "PatchCodec"
    assert pipeline.controlnet is not None
