"""Nodes on drawn hands and scripted models, with the little of ComfyUI that they touch."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from handwright.apps.comfyui import loaded
from handwright.refine.exchange import planned
from handwright.review import judge
from handwright.review.checklist import PictureReview
from tests.refine.conftest import engine, models, one, reviewed, two

__all__ = ["engine", "models", "one", "two"]


@pytest.fixture(autouse=True)
def fake_engine():
    """The nodes run on the real pipeline: no stand-in of it here."""


@pytest.fixture
def known(engine, models, monkeypatch):
    """The scripted models behind all nodes; every hand fails its review."""

    def review(image, _judge, expected=None, *, look_limit=None):
        verdict = "fail" if look_limit is None else "unsure"
        hands = [reviewed(k, hand, verdict) for k, hand in enumerate(models.found, start=1)]
        return PictureReview(tuple(hands), image.width, image.height)

    monkeypatch.setattr(loaded, "engine", lambda: engine)
    monkeypatch.setattr(planned, "review_picture", review)
    monkeypatch.setattr(judge, "review_picture", review)
    return models


def image_of(*pictures) -> torch.Tensor:
    return torch.stack([torch.from_numpy(pixels).float() / 255.0 for pixels in pictures])


class SmallVAE:
    """Latents are the picture's means over 8 × 8 pixels."""

    def encode(self, pixels):
        return torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)

    def decode(self, latents):
        return latents.repeat_interleave(8, 2).repeat_interleave(8, 3).movedim(1, -1)


@pytest.fixture
def comfy(monkeypatch) -> SimpleNamespace:
    """ComfyUI's module ``nodes`` with a sampler that paints what the mask frees red."""
    calls = SimpleNamespace(control=[], samples=[], previews=[])

    class ControlNetApplyAdvanced:
        def apply_controlnet(self, positive, negative, control_net, image, strength, start, end, vae=None):
            calls.control.append((image, strength, start, end))
            return f"{positive}+control", f"{negative}+control"

    class InpaintModelConditioning:
        def encode(self, positive, negative, pixels, vae, mask, noise_mask=True):
            assert noise_mask
            return positive, negative, {"samples": vae.encode(pixels), "noise_mask": mask[:, None]}

    class PreviewImage:
        def save_images(self, images):
            calls.previews.append(images)
            return {"ui": {"images": [{"filename": "x.png"}]}}

    def common_ksampler(model, seed, steps, cfg, sampler, scheduler, positive, negative, latent, denoise=1.0):
        assert torch.is_inference_mode_enabled()
        calls.samples.append((model, seed, steps, cfg, sampler, scheduler, positive, negative, denoise))
        free = torch.nn.functional.interpolate(latent["noise_mask"], latent["samples"].shape[-2:])
        red = torch.tensor([0.8, 0.2, 0.2])[None, :, None, None]
        return ({"samples": latent["samples"] * (1 - free) + red * free},)

    nodes = ModuleType("nodes")
    for value in (ControlNetApplyAdvanced, InpaintModelConditioning, PreviewImage, common_ksampler):
        setattr(nodes, value.__name__, value)
    monkeypatch.setitem(sys.modules, "nodes", nodes)
    return calls
