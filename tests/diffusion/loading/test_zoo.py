"""Models in the layouts that people have them in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from handwright.diffusion.loading.controlnets import Traits, controlnet_traits
from handwright.diffusion.loading.published_layout import PREFIX, published_layout
from handwright.diffusion.loading.zoo import load_models
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import DiffusionError
from tests.diffusion.models import small_controlnet, small_unet, small_vae, text_parts, write_sd

Paint = Callable[..., torch.Tensor]


def load(folder: Path, controlnet: Path | None = None, dtype: str = "float32") -> HandRefinerPipeline:
    return HandRefinerPipeline.from_pretrained(folder, controlnet=controlnet, dtype=dtype, device="cpu")


@pytest.mark.parametrize(("channels", "inpainting"), [(9, True), (4, False)])
def test_training_takes_both_layouts_of_sd_1_5_and_what_they_are(
    channels: int, inpainting: bool, request: pytest.FixtureRequest
) -> None:
    models = load_models(str(request.getfixturevalue(f"sd{channels}_folder")), dtype="float32", device="cpu")
    assert models.unet.config.in_channels == channels
    assert models.inpainting is inpainting
    assert models.resolution == 64
    assert models.scheduler_config["_class_name"] == "PNDMScheduler"
    assert models.controlnet is not None
    assert models.controlnet.config.in_channels == 4
    assert not any(p.requires_grad for p in models.unet.parameters())
    assert not models.unet.training


def test_the_published_sampler_stands_in_for_pndm_on_the_models_own_schedule(
    sd9: HandRefinerPipeline,
) -> None:
    config = sd9.pipe.scheduler.config
    assert type(sd9.pipe.scheduler).__name__ == "DDIMScheduler"
    assert (config.beta_schedule, config.steps_offset, config.clip_sample) == ("scaled_linear", 1, False)


def test_a_pipeline_that_was_saved_paints_the_same_bytes(
    sd9: HandRefinerPipeline, paint: Paint, tmp_path: Path
) -> None:
    sd9.save_pretrained(tmp_path / "again")
    assert torch.equal(paint(load(tmp_path / "again"), "auto"), paint(sd9))


def test_the_tokenizer_may_be_in_the_two_files_of_the_original_release(
    sd9_folder: Path, sd9: HandRefinerPipeline, paint: Paint, tmp_path: Path
) -> None:
    folder = shutil.copytree(sd9_folder, tmp_path / "sd9")
    model = json.loads((folder / "tokenizer" / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer" / "tokenizer.json").unlink()
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(model["vocab"]))
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "tokenizer" / "merges.txt").write_text("\n".join(["#version: 0.2", *pairs]) + "\n")
    assert torch.equal(paint(load(folder)), paint(sd9))


def test_half_precision_files_are_found_under_their_own_name(
    sd9_folder: Path, sd9: HandRefinerPipeline, tmp_path: Path
) -> None:
    folder = shutil.copytree(sd9_folder, tmp_path / "sd9")
    for file in folder.glob("*/*.safetensors"):
        save_file({k: v.half() for k, v in load_file(file).items()}, file, metadata={"format": "pt"})
        file.rename(file.with_suffix(".fp16.safetensors"))
    models = load(folder)
    assert models.pipe.unet.dtype == torch.float32
    wanted = sd9.pipe.unet.conv_in.weight.half().float()
    assert torch.equal(models.pipe.unet.conv_in.weight, wanted)


def test_in_bfloat16_the_networks_are_narrow_and_pictures_are_not(
    sd9_folder: Path, paint: Paint, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe = load(sd9_folder, dtype="bfloat16")
    for network in (pipe.pipe.unet, pipe.pipe.controlnet, pipe.pipe.text_encoder, pipe.pipe.vae):
        assert network.dtype == torch.bfloat16
    made = paint(pipe)
    assert made.dtype == torch.float32
    assert not torch.equal(made, made.bfloat16().float())
    assert capfd.readouterr() == ("", "")
    assert torch.equal(made, paint(pipe))


@pytest.mark.parametrize("names", ["diffusers", "original"])
@pytest.mark.parametrize("place", ["file", "folder"])
def test_a_controlnet_may_be_a_single_file_without_a_config(
    names: str, place: str, sd9_folder: Path, sd9: HandRefinerPipeline, paint: Paint, tmp_path: Path
) -> None:
    weights = load_file(sd9_folder / "controlnet" / "diffusion_pytorch_model.safetensors")
    if names == "original":
        weights = {PREFIX + name: value for name, value in published_layout(weights, 1).items()}
    file = tmp_path / "control_depth_hand.safetensors"
    save_file(weights, file, metadata={"format": "pt"})
    models = load(sd9_folder, file if place == "file" else tmp_path)
    assert torch.equal(paint(models), paint(sd9))


def test_a_controlnet_folder_or_a_file_beside_its_config_replaces_the_models_own(
    sd9_folder: Path, sd9: HandRefinerPipeline, paint: Paint, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    small_controlnet(sd9.pipe.unet).save_pretrained(tmp_path)
    by_folder = load(sd9_folder, tmp_path)
    by_file = load(sd9_folder, tmp_path / "diffusion_pytorch_model.safetensors")
    assert torch.equal(paint(by_folder), paint(by_file))
    assert not torch.equal(paint(by_folder), paint(sd9))


def test_a_controlnet_that_reads_the_inpainting_channels_gets_them(
    sd9_folder: Path, sd9: HandRefinerPipeline, paint: Paint, scene: dict, tmp_path: Path
) -> None:
    torch.manual_seed(6)
    small_controlnet(sd9.pipe.unet, in_channels=9).save_pretrained(tmp_path)
    assert paint(load(sd9_folder, tmp_path)).isfinite().all()


def test_training_takes_a_model_without_a_controlnet(tmp_path: Path) -> None:
    folder = write_sd(tmp_path / "sd4", 4, controlnet=False)
    assert load_models(str(folder), dtype="float32", device="cpu").controlnet is None


def test_an_autoencoder_of_16_channels_makes_a_33_channel_inpainting_model_of_256_pixels(
    sd9_folder: Path, tmp_path: Path, paint: Paint
) -> None:
    torch.manual_seed(8)
    folder = shutil.copytree(sd9_folder, tmp_path / "wide")
    unet = small_unet(33, out_channels=16, sample_size=32)
    vae = small_vae(latent_channels=16)
    for name, network in (
        ("vae", vae),
        ("unet", unet),
        ("controlnet", small_controlnet(unet, in_channels=16)),
        ("text_encoder", text_parts()[0]),
    ):
        shutil.rmtree(folder / name)
        network.save_pretrained(folder / name)
    models = load_models(str(folder), dtype="float32", device="cpu")
    assert models.inpainting
    assert models.resolution == 256
    pipe = load(folder)
    made = paint(pipe)
    assert made.shape == (1, 3, 64, 64)
    masked = paint(pipe, mask_image=torch.ones(1, 1, 64, 64))
    assert not torch.equal(made, masked)


def test_loading_writes_nothing_to_the_terminal(sd9_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(sd9_folder)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "told",
    [
        '{"strength": "much"}',
        '{"strength": -0.1}',
        '{"strength": true}',
        '{"guidance": null}',
        '{"guidance": -1}',
        '{"surroundings": "sea"}',
        '{"surroundings": ["drawn"]}',
        '{"text_guidance": -1}',
        '{"text_steps": 0}',
        '{"text_steps": 4.5}',
        '{"text_steps": true}',
        "[]",
        "{",
    ],
)
def test_stored_traits_that_make_no_sense_are_refused(tmp_path: Path, told: str) -> None:
    (tmp_path / "handwright.json").write_text(told)
    with pytest.raises(DiffusionError, match=r"handwright\.json"):
        controlnet_traits(tmp_path)


def test_a_controlnet_without_traits_of_its_own_has_the_published_ones(tmp_path: Path) -> None:
    assert controlnet_traits(tmp_path) == Traits(0.55, "depth")
    (tmp_path / "handwright.json").write_text('{"control": "normals", "guidance": 1.5}')
    assert controlnet_traits(tmp_path) == Traits(0.55, "normals", 1.5, "painted")
    (tmp_path / "handwright.json").write_text('{"surroundings": "drawn"}')
    assert controlnet_traits(tmp_path) == Traits(surroundings="drawn")
    (tmp_path / "handwright.json").write_text('{"text_guidance": 1, "text_steps": 4}', "utf-8")
    assert controlnet_traits(tmp_path) == Traits(text_guidance=1.0, text_steps=4)
