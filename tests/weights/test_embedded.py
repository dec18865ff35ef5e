"""What the package ships: small files, a card each, loaded as any model is."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

import handwright
from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.diffusion.loading.zoo import load_models

WEIGHTS = Path(handwright.__file__).parent / "weights"
TINY = WEIGHTS / "tiny"


@pytest.fixture(scope="module")
def models():
    return load_models("tiny", dtype="float32", device="cpu")


def test_files_are_small_enough_for_a_wheel():
    files = [p.read_bytes() for p in WEIGHTS.rglob("*") if p.is_file()]
    assert max(map(len, files)) <= 15_000_000
    assert sum(len(zlib.compress(data)) for data in files) <= 95_000_000  # as a wheel compresses them


def test_only_safetensors_and_onnx_hold_weights_in_half_precision():
    assert {p.suffix for p in WEIGHTS.rglob("*") if p.is_file()} <= {
        ".json",
        ".md",
        ".onnx",
        ".safetensors",
        ".py",
    }
    for path in TINY.rglob("*.safetensors"):
        with safe_open(path, "pt") as file:
            assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_the_card_names_data_command_steps_and_limits():
    card = (TINY / "README.md").read_text("utf-8")
    for word in ("Data", "Command", "Measured", "Limits", "seed", "steps"):
        assert word in card


def test_the_family_is_an_inpainting_model_with_its_depth_controlnet(models):
    assert models.inpainting
    assert models.controlnet is not None
    latents = json.loads((TINY / "unet" / "config.json").read_text())["sample_size"]
    assert models.resolution == latents * pixels_per_latent(models.vae)


def psnr_db(vae, side):
    """Of three rendered hands, encoded and decoded."""
    from handwright.data.hands import render_one_hand

    pixels = np.stack([render_one_hand(seed, side).pixels for seed in (300, 301, 302)])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        again = decode(vae, encode(vae, x))
    return float(10 * torch.log10(4 / ((again - x) ** 2).mean()))


def test_the_codec_gives_rendered_hands_back_at_33_db(models):
    assert (pixels_per_latent(models.vae), models.vae.config["latent_channels"]) == (8, 16)
    assert psnr_db(models.vae, models.resolution) >= 33


def test_depth_moves_what_is_painted(models):
    """The ControlNet learnt something: with and without it the network's prediction differs."""
    from handwright.diffusion.refiner_pipeline import HandRefinerPipeline

    pipeline = HandRefinerPipeline.from_pretrained("tiny", dtype="float32", device="cpu")
    side = models.resolution
    picture, mask, control = (torch.full((1, n, side, side), v) for n, v in ((3, 0.5), (1, 0.0), (3, 0.0)))
    mask[..., side // 6 : -side // 6, side // 6 : -side // 6] = 1
    control[..., side // 3 : -side // 3, 2 * side // 5 : 3 * side // 5] = 0.8

    def painted(strength):
        generator = torch.Generator().manual_seed(0)
        options = {
            "num_inference_steps": 3,
            "controlnet_conditioning_scale": strength,
            "output_type": "tensor",
        }
        return pipeline(
            "a photograph of a hand", picture, mask, control, generator=generator, **options
        ).images

    assert float((painted(1.0) - painted(0.0)).abs().max()) > 0.05


def test_no_config_names_a_folder_of_the_machine_it_was_trained_on():
    for path in WEIGHTS.rglob("*.json"):
        assert "_name_or_path" not in path.read_text("utf-8"), path
