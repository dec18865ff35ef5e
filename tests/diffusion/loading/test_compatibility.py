"""Models that are not what they should be: one line with what, why and what to do."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file

from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import DiffusionError
from tests.diffusion.models import TEXT_WIDTH, small_controlnet, small_unet


@pytest.fixture
def folder(sd9_folder: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(sd9_folder, tmp_path / "spoilt")


def refused(words: str, model: Path | str, controlnet: Path | None = None) -> str:
    with pytest.raises(DiffusionError, match=words) as refusal:
        HandRefinerPipeline.from_pretrained(model, controlnet=controlnet, dtype="float32", device="cpu")
    assert "\n" not in str(refusal.value)
    assert refusal.value.fix
    assert refusal.value.exit_code == 2
    return str(refusal.value)


def test_an_unknown_model_is_refused_with_what_there_is() -> None:
    refused("no model 'huge'.*choose tiny, a directory or OWNER/NAME", "huge")


def test_a_model_that_the_hub_does_not_give_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> str:
        raise OSError("no connection\nsecond line")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    refused("hub did not give 'someone/something': no connection;", "someone/something")


def test_a_hub_model_is_fetched_without_pickles_or_code(
    sd9_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict = {}

    def fetch(name: str, **options: object) -> str:
        given.update(options, name=name)
        return str(sd9_folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    HandRefinerPipeline.from_pretrained("someone/something", dtype="float32", device="cpu")
    assert given["name"] == "someone/something"
    assert "unet/*.safetensors" in given["allow_patterns"]
    assert not any(p.endswith((".bin", ".py", ".ckpt", "/*")) for p in given["allow_patterns"])


def test_a_directory_that_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    refused("not a diffusers pipeline: .* has no model_index.json", tmp_path)


@pytest.mark.parametrize("name", ["model.ckpt", "model.bin", "model.pt", "MODEL.PTH"])
def test_a_pickle_is_refused_wherever_it_is_given_and_never_opened(
    name: str, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(pickle.dumps({"w": 1}))
    refused("is a pickle checkpoint.*convert it to safetensors", file)
    refused("is a pickle checkpoint.*convert it to safetensors", folder, file)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "controlnet"])
def test_a_component_with_a_pickle_alone_is_refused(part: str, folder: Path) -> None:
    for file in (folder / part).glob("*.safetensors"):
        file.rename(file.with_suffix(".bin"))
    refused(f"{part}.*is a pickle checkpoint", folder)


@pytest.mark.parametrize("part", ["vae", "unet", "text_encoder"])
def test_a_component_without_a_config_is_refused(part: str, folder: Path) -> None:
    (folder / part / "config.json").unlink()
    refused(f"{part} is incomplete: it has no config.json", folder)


@pytest.mark.parametrize("part", ["scheduler", "tokenizer", "unet"])
def test_a_missing_component_is_refused(part: str, folder: Path) -> None:
    shutil.rmtree(folder / part)
    refused(f"is incomplete: it has no {part} folder", folder)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_config_is_refused(text: str, folder: Path) -> None:
    (folder / "unet" / "config.json").write_text(text)
    refused("config.json is damaged", folder)


@pytest.mark.parametrize("part", ["unet", "text_encoder", "vae"])
def test_damaged_weights_are_refused(part: str, folder: Path) -> None:
    file = next((folder / part).glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-100])
    refused(f"{part} could not be loaded", folder)


def test_missing_weights_are_refused_and_not_made_up(folder: Path) -> None:
    file = next((folder / "unet").glob("*.safetensors"))
    weights = load_file(file)
    del weights["conv_out.bias"]
    save_file(weights, file, metadata={"format": "pt"})
    refused("unet is incomplete: its weights lack 1 tensor.*conv_out.bias", folder)


def test_an_unknown_vae_is_refused(folder: Path) -> None:
    path = folder / "vae" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "_class_name": "VQModel"}))
    refused("is a VQModel: the model names AutoencoderKL", folder)


def test_a_unet_of_other_channels_than_the_vae_is_refused(folder: Path) -> None:
    small_unet(8).save_pretrained(folder / "unet")
    refused("UNet reads 8 channels: this VAE makes 4: a plain UNet reads 4, an inpainting one 9", folder)


def test_a_text_encoder_of_another_width_is_refused(folder: Path) -> None:
    small_unet(9, cross_attention_dim=TEXT_WIDTH * 2).save_pretrained(folder / "unet")
    refused("text encoder does not fit the model: its width is 32, the model's 64", folder)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cross_attention_dim": 64}, "its text width is 64, the model's 32"),
        ({"block_out_channels": (16, 16)}, r"its block widths is \[16, 16\], the model's \[16, 32\]"),
        ({"layers_per_block": 2}, "its depth is 2, the model's 1"),
        ({"in_channels": 16}, "its input channels is 16, the model's 4"),
        ({"conditioning_embedding_out_channels": (8, 16, 16)}, "its pixels per latent is 4, the model's 8"),
    ],
)
def test_a_controlnet_of_another_width_is_refused(
    settings: dict, words: str, sd9: HandRefinerPipeline, folder: Path, tmp_path: Path
) -> None:
    small_controlnet(sd9.pipe.unet, **settings).save_pretrained(tmp_path / "other")
    refused(f"ControlNet does not fit the model: {words}", folder, tmp_path / "other")


def test_a_single_file_controlnet_of_another_width_is_refused(
    sd9: HandRefinerPipeline, folder: Path, tmp_path: Path
) -> None:
    other = small_controlnet(sd9.pipe.unet, cross_attention_dim=64)
    save_file(dict(other.state_dict()), tmp_path / "other.safetensors", metadata={"format": "pt"})
    refused(
        "other.safetensors does not fit the model: it is of another width",
        folder,
        tmp_path / "other.safetensors",
    )


def test_a_single_file_that_is_no_controlnet_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, file)
    refused("is no ControlNet: it has no ControlNet's tensors", folder, file)
    (tmp_path / "other.txt").write_text("hello")
    refused("is no ControlNet: it is not a .safetensors file", folder, tmp_path / "other.txt")
    (tmp_path / "empty").mkdir()
    refused("is no ControlNet: it has no config.json and no .safetensors", folder, tmp_path / "empty")
    refused("no ControlNet 'nowhere'", folder, Path("nowhere"))


def test_without_the_extra_the_package_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['diffusers'] = None\n"
        "from handwright.errors import DiffusionError\n"
        "try:\n    import handwright.diffusion.refiner_pipeline\n"
        "except DiffusionError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "diffusion painting is not installed: diffusers missing; pip install 'handwright[diffusion]'."
    )


def test_finding_a_models_files_imports_no_torch() -> None:
    places = "handwright.diffusion.loading.places"
    code = f"import sys, {places}; print('torch' in sys.modules, 'diffusers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
