"""A picture from the text alone: what the model recommends for that, and what the caller asks for."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from PIL import Image as PILImage

from handwright.diffusion import HandRefinerPipeline
from handwright.diffusion.free_painting import free_settings, paint_freely


class Recorder:
    """A pipeline that keeps what it was called with."""

    resolution = 64
    preset = SimpleNamespace(text_steps=12, text_guidance=3.0)
    traits = SimpleNamespace(text_guidance=1.0, text_steps=4)  # Of its ControlNet

    def __call__(self, *_: object, **given: object) -> SimpleNamespace:
        self.given = given
        return SimpleNamespace(images=[PILImage.new("RGB", (64, 64))])


def painted_with(**further: object) -> dict[str, object]:
    pipeline = Recorder()
    paint_freely(pipeline, "a hand", 64, 48, torch.Generator(), **further)  # pyright: ignore[reportArgumentType]
    return pipeline.given


def test_the_models_steps_and_guidance_for_text_count_unless_others_are_given():
    own, asked = painted_with(), painted_with(num_inference_steps=3, guidance_scale=1.0)
    assert (own["num_inference_steps"], own["guidance_scale"]) == (12, 3.0)
    assert (asked["num_inference_steps"], asked["guidance_scale"]) == (3, 1.0)


def test_what_a_controlnet_needs_to_paint_from_noise_comes_before_the_models():
    assert free_settings(Recorder()) == {"num_inference_steps": 4, "guidance_scale": 1.0}  # pyright: ignore[reportArgumentType]


def test_the_embedded_model_repaints_in_fewer_steps_than_it_paints_a_text():
    preset = HandRefinerPipeline.from_pretrained("tiny").preset
    assert (preset.steps, preset.guidance) == (4, 1.0)
    assert (preset.text_steps, preset.text_guidance) == (10, 2.0)
