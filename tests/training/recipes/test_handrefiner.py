"""``handrefiner`` on SDXL: the ControlNet learns, saves, and paints in the pipeline that loads it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.training import members
from handwright.training.loop import train
from handwright.training.settings import TrainSettings
from tests.diffusion.families import write_sdxl
from tests.training.rendered_crops import crops

SETTINGS = TrainSettings(train_batch_size=2, max_train_steps=2, mixed_precision="no", learning_rate=1e-2)


@pytest.mark.parametrize("channels", [4, 9])
def test_sdxl_learns_and_paints_with_what_it_learnt(tmp_path, monkeypatch, channels):
    monkeypatch.setattr(members, "load_crops", lambda *_, **__: crops(size=72))
    model = write_sdxl(tmp_path / "xl", channels)
    recipe = members.open_member("handrefiner", tmp_path, model, SETTINGS)
    unet = [value.clone() for value in recipe.family.unet.parameters()]
    before = recipe.controlnet.add_embedding.linear_1.weight.clone()
    assert train(recipe, SETTINGS, tmp_path / "run").done
    assert not torch.equal(before, recipe.controlnet.add_embedding.linear_1.weight)
    assert all(map(torch.equal, unet, recipe.family.unet.parameters()))  # only the ControlNet learns

    def painted(folder):
        pipe = HandRefinerPipeline.from_pretrained(model, controlnet=folder, dtype="float32")
        picture, mask, depth = (PILImage.fromarray(np.full((64, 64, 3), v, np.uint8)) for v in (90, 255, 200))
        options = {"num_inference_steps": 2, "controlnet_conditioning_scale": 1.0}
        made = pipe("a hand", picture, mask, depth, generator=torch.Generator().manual_seed(0), **options)
        return np.asarray(made.images[0])

    learnt, own = painted(tmp_path / "run" / "model" / "controlnet"), painted(model / "controlnet")
    assert learnt.shape == own.shape == (64, 64, 3)
    assert not np.array_equal(learnt, own)
