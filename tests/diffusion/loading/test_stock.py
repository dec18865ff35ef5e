"""The zoo from disk: folders, single files, presets that are not there, files with something wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from handwright.diffusion.loading import stock
from handwright.diffusion.loading.adapters import lora_file_and_weight
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.presets import PRESETS, preset_of
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import DiffusionError, UsageError
from tests.diffusion.families import WRITERS, awake

Make = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The folder of a family; read only."""
    made: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = WRITERS[name](tmp_path_factory.mktemp("zoo") / name.replace(" ", "_"))
        return made[name]

    return of


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Offline, with an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", str(tmp_path / "hub"), raising=False)


def load(model: Path | str, **options: object) -> HandRefinerPipeline:
    return HandRefinerPipeline.from_pretrained(model, dtype="float32", device="cpu", **options)


def one_line(error: pytest.ExceptionInfo[DiffusionError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_that_is_not_there_says_what_how_large_which_licence_and_where_it_goes(
    name: str, no_hub: None
) -> None:
    with pytest.raises(DiffusionError) as error:
        load(name)
    text, base = one_line(error), PRESETS[name].base
    for word in (base.hub_id, f"{base.gigabytes:g} GB", base.licence, "hf download", "`model`"):
        assert word in text


def test_a_presets_controlnet_that_is_not_there_is_named_likewise(no_hub: None, folder_of: Make) -> None:
    from handwright.diffusion.loading.places import preset_place

    with pytest.raises(DiffusionError) as error:
        preset_place(PRESETS["sd15"].controlnet, "sd15")
    text = one_line(error)
    assert "control_sd15_inpaint_depth_hand_fp16.safetensors" in text
    assert "`controlnet`" in text


@pytest.mark.parametrize("name", WRITERS)
def test_the_row_of_a_folder_is_found_from_its_networks(name: str, folder_of: Make) -> None:
    index = json.loads((folder_of(name) / "model_index.json").read_text())
    encoders = sum(key.startswith("text_encoder") for key in index)
    denoiser = (index.get("unet") or index.get("transformer"))[1]
    assert preset_of(denoiser, encoders, "it").name == name.split()[0]


def test_a_family_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(DiffusionError, match="sd15, sdxl, sd3, flux, z-image"):
        preset_of("SanaTransformer2DModel", 1, "it")


def spoilt(folder: Path, kind: str, into: Path) -> Path:
    """A copy of an SDXL folder with something wrong."""
    shutil.copytree(folder, into)
    unet = into / "unet" / "diffusion_pytorch_model.safetensors"
    if kind == "truncated":
        unet.write_bytes(unet.read_bytes()[: unet.stat().st_size // 2])
    elif kind == "pickled":
        unet.rename(unet.with_suffix(".bin"))
    elif kind == "incomplete":
        save_file(dict(list(load_file(unet).items())[:-3]), unet)
    elif kind == "no second text encoder":
        shutil.rmtree(into / "text_encoder_2")
    elif kind == "code of its own":
        index = into / "model_index.json"
        index.write_text(index.read_text().replace('"UNet2DConditionModel"', '"MyUNet"'))
    elif kind == "no ControlNet":
        shutil.rmtree(into / "controlnet")
    elif kind == "damaged index":
        (into / "model_index.json").write_text("{")
    return into


SPOILT = {
    "truncated": "could not be loaded",
    "pickled": "pickle",
    "incomplete": "its weights lack 3 tensors",
    "no second text encoder": "it has no text_encoder_2 folder",
    "code of its own": "no code of models is run",
    "no ControlNet": "comes without a ControlNet",
    "damaged index": "is damaged",
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_folder_with_something_wrong_is_one_line(kind: str, folder_of: Make, tmp_path: Path) -> None:
    with pytest.raises(DiffusionError) as error:
        load(spoilt(folder_of("sdxl"), kind, tmp_path / "model"))
    assert SPOILT[kind] in one_line(error)


@pytest.mark.parametrize(
    ("model", "controlnet"), [("flux", "sd3"), ("sdxl", "sd15"), ("sd3", "sdxl"), ("z-image", "flux")]
)
def test_a_controlnet_of_another_family_is_one_line(model: str, controlnet: str, folder_of: Make) -> None:
    with pytest.raises(DiffusionError, match="ControlNet does not fit") as error:
        load(folder_of(model), controlnet=folder_of(controlnet) / "controlnet")
    one_line(error)


def test_single_files_that_are_no_model_are_one_line_each(tmp_path: Path, folder_of: Make) -> None:
    pickled, odd, text = tmp_path / "old.ckpt", tmp_path / "odd.safetensors", tmp_path / "model.txt"
    torch.save({"weight": torch.zeros(1)}, pickled)
    save_file({"weight": torch.zeros(1)}, odd)
    text.write_text("no model")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(odd.read_bytes()[:20])
    for file, words in (
        (pickled, "pickle"), (odd, "is no diffusion model"), (text, "not a .safetensors file"),
        (broken, "could not be loaded"), (tmp_path / "nowhere.safetensors", "there is no model"),
    ):  # fmt: skip
        with pytest.raises(DiffusionError) as error:
            load(file)
        assert words in one_line(error)


def test_a_single_file_without_its_configs_says_where_to_put_them(no_hub: None, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(320, 9, 3, 3)}, file)
    with pytest.raises(DiffusionError) as error:
        load(file)
    assert f"{tmp_path / 'model'}/" in one_line(error)


def test_adapters_that_are_missing_pickled_or_not_taken_are_one_line(folder_of: Make, tmp_path: Path) -> None:
    pickled = tmp_path / "style.pt"
    torch.save({"weight": torch.zeros(1)}, pickled)
    odd = tmp_path / "odd.safetensors"
    save_file({"weight": torch.zeros(1)}, odd)
    for options, words in (
        ({"lora": [str(tmp_path / "none.safetensors")]}, "there is no file"),
        ({"lora": [str(pickled)]}, "pickle"),
        ({"textual_inversion": [pickled]}, "pickle"),
        ({"textual_inversion": [odd]}, "could not be loaded"),
        ({"ip_adapter": pickled}, "pickle"),
    ):
        with pytest.raises(DiffusionError) as error:
            load(folder_of("sd15"), **options)
        assert words in one_line(error)
    with pytest.raises(DiffusionError, match="does not take textual inversion"):
        load(folder_of("z-image"), textual_inversion=[odd])


def test_a_lora_is_a_file_with_or_without_a_weight() -> None:
    assert lora_file_and_weight("a.safetensors") == (Path("a.safetensors"), 1.0)
    assert lora_file_and_weight("a.safetensors:0.8") == (Path("a.safetensors"), 0.8)
    assert lora_file_and_weight("C:/x/a.safetensors") == (Path("C:/x/a.safetensors"), 1.0)
    with pytest.raises(UsageError, match="names no weight"):
        lora_file_and_weight("a.safetensors:much")


def test_a_learnt_word_is_loaded_by_diffusers_own_loader(folder_of: Make, tmp_path: Path) -> None:
    file = tmp_path / "wave.safetensors"
    save_file({"emb_params": torch.ones(1, 32)}, file)
    pipe = load(folder_of("sd15"), textual_inversion=[file]).pipe
    number = pipe.tokenizer.convert_tokens_to_ids("<wave>")
    assert torch.equal(pipe.text_encoder.get_input_embeddings().weight[number], torch.ones(32))


def test_a_lora_changes_the_networks_by_its_weight(folder_of: Make, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    torch.manual_seed(0)
    file = tmp_path / "style.safetensors"
    save_file(
        {f"{name}.lora_A.weight": torch.randn(4, 16), f"{name}.lora_B.weight": torch.randn(16, 4)}, file
    )
    pipe = load(folder_of("sd15"), lora=[f"{file}:0.5"]).pipe
    layer = pipe.unet.down_blocks[0].attentions[0].transformer_blocks[0].attn1.to_q
    tensors, x = load_file(file), torch.randn(1, 16)
    wanted = (
        layer.base_layer(x)
        + 0.5 * x @ tensors[f"{name}.lora_A.weight"].T @ tensors[f"{name}.lora_B.weight"].T
    )
    torch.testing.assert_close(layer(x), wanted)


def ip_adapter(unet: torch.nn.Module, folder: Path) -> Path:
    """An IP adapter of random weights for a UNet, its image encoder beside it, in the published layout."""
    torch.manual_seed(2)
    config = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=32,
        patch_size=16, projection_dim=8,
    )  # fmt: skip
    CLIPVisionModelWithProjection(config).save_pretrained(folder / "image_encoder")
    width = unet.config.cross_attention_dim
    tensors = {
        "image_proj.proj.weight": torch.randn(4 * width, 8), "image_proj.proj.bias": torch.zeros(4 * width),
        "image_proj.norm.weight": torch.ones(width), "image_proj.norm.bias": torch.zeros(width),
    }  # fmt: skip
    layers = [name.removesuffix(".processor") for name in unet.attn_processors if "attn2" in name]
    for number, name in enumerate(layers):
        own = unet.get_submodule(name).to_k.weight.shape
        for part in ("to_k_ip", "to_v_ip"):
            tensors[f"ip_adapter.{2 * number + 1}.{part}.weight"] = torch.randn(own)
    save_file(tensors, folder / "ip-adapter.safetensors")
    return folder / "ip-adapter.safetensors"


@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_an_ip_adapter_lets_the_picture_be_the_prompt(
    name: str, folder_of: Make, scene: dict, tmp_path: Path
) -> None:
    plain = load(folder_of(name))
    file = ip_adapter(plain.pipe.unet, tmp_path)
    pipe = load(folder_of(name), ip_adapter=file)

    def latents(shown: str) -> torch.Tensor:
        return pipe(
            "a hand", **scene, num_inference_steps=2, output_type="latent", control_guidance=1.5,
            generator=torch.Generator().manual_seed(0), ip_adapter_image=Image.new("RGB", (64, 64), shown),
        ).images  # fmt: skip

    assert torch.equal(latents("red"), latents("red"))
    assert not torch.allclose(latents("red"), latents("blue"))
    shutil.rmtree(tmp_path / "image_encoder")
    with pytest.raises(DiffusionError, match="needs its image encoder"):
        load(folder_of(name), ip_adapter=file)


def test_a_union_controlnet_of_sdxl_reads_the_control_image_as_depth(
    folder_of: Make, scene: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load(folder_of("sdxl plain"))
    shared = {
        key: plain.pipe.controlnet.config[key]
        for key in (
            "block_out_channels", "down_block_types", "layers_per_block", "cross_attention_dim",
            "attention_head_dim", "norm_num_groups", "addition_embed_type", "addition_time_embed_dim",
            "projection_class_embeddings_input_dim", "transformer_layers_per_block",
        )
    }  # fmt: skip
    torch.manual_seed(3)
    with quiet():
        union = diffusers.ControlNetUnionModel(
            **shared,
            in_channels=4,
            num_control_type=6,
            num_trans_channel=16,
            num_trans_head=2,
            num_proj_channel=16,
        )
        awake(
            union.controlnet_down_blocks, union.controlnet_mid_block, union.spatial_ch_projs,
            union.controlnet_cond_embedding.conv_out,
        )  # fmt: skip
        union.save_pretrained(tmp_path / "union")
    with pytest.raises(DiffusionError, match="under a plain base alone"):
        load(folder_of("sdxl"), controlnet=tmp_path / "union")
    pipe = load(folder_of("sdxl plain"), controlnet=tmp_path / "union")
    assert type(pipe.pipe).__name__ == "StableDiffusionXLControlNetUnionInpaintPipeline"
    kinds: list[torch.Tensor] = []
    forward = pipe.pipe.controlnet.forward

    def noted(*args: object, **kwargs: object) -> object:
        kinds.append(kwargs["control_type"])
        return forward(*args, **kwargs)

    monkeypatch.setattr(pipe.pipe.controlnet, "forward", noted)

    def latents(control: torch.Tensor) -> torch.Tensor:
        return pipe(
            "a hand", **{**scene, "control_image": control}, num_inference_steps=2, output_type="latent",
            controlnet_conditioning_scale=[1.0, 0.5], generator=torch.Generator().manual_seed(0),
        ).images  # fmt: skip

    assert not torch.allclose(latents(scene["control_image"]), latents(scene["control_image"].flip(-1)))
    assert kinds[0][0].tolist() == [0, 1, 0, 0, 0, 0]  # openpose, depth, …


def test_a_variant_is_taken_where_it_is_asked_for(folder_of: Make, tmp_path: Path) -> None:
    folder = shutil.copytree(folder_of("sdxl"), tmp_path / "model")
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        (file,) = (folder / part).glob("*.safetensors")
        twice = {name: 2 * value for name, value in load_file(file).items()}
        save_file(twice, file.with_suffix(".fp16.safetensors"), metadata={"format": "pt"})
    plain, variant = load(folder), load(folder, variant="fp16")
    assert torch.equal(variant.pipe.unet.conv_in.weight, 2 * plain.pipe.unet.conv_in.weight)


@pytest.mark.parametrize("offload", [True, False])
def test_with_offload_networks_wait_in_main_memory(
    offload: bool, folder_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There need be no GPU here: only what diffusers is asked for is looked at."""
    asked: list[tuple[str, torch.device]] = []
    kind = diffusers.DiffusionPipeline
    monkeypatch.setattr(stock, "choose_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr(kind, "enable_model_cpu_offload", lambda _, device: asked.append(("offload", device)))
    monkeypatch.setattr(kind, "to", lambda _, device: asked.append(("to", device)))
    HandRefinerPipeline.from_pretrained(folder_of("sd15"), dtype="float32", offload=offload)
    assert asked == [("offload" if offload else "to", torch.device("cuda"))]


def test_on_a_cpu_every_network_lies_with_channels_last(folder_of: Make) -> None:
    pipe = HandRefinerPipeline.from_pretrained(folder_of("sd15"), dtype="float32", device="cpu").pipe
    for network in (pipe.unet, pipe.vae, pipe.controlnet):
        kernels = [weight for weight in network.parameters() if weight.ndim == 4]
        assert kernels
        assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
