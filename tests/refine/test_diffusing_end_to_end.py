"""The command line with the diffusing painters: small random networks in SD's layout, scripted models."""

from __future__ import annotations

import functools
import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import diffusers
import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from handwright.apps.cli.main import main
from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.presets import PRESETS
from handwright.diffusion.loading.stock import PipelineChoice
from handwright.errors import DiffusionError
from handwright.handrefiner import torch_network
from handwright.image import load_image, save_image
from handwright.refine import candidates, pipeline, redetection, review_before_after
from handwright.types import Image
from handwright.workflow.report.document import SCHEMA_FILE
from tests.diffusion.families import WRITERS
from tests.diffusion.models import small_controlnet, small_unet, write_sd
from tests.drawn import flat_hand, shoot
from tests.refine.conftest import FITS, ScriptedModels

SHOT = shoot(flat_hand(curl=0.15))
PAINTERS = ("diffuse", "harmonise")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sd(tmp_path_factory.mktemp("models") / "sd9", 9)


@pytest.fixture
def here(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a picture of a hand; models that detect this hand, again, and pass it."""

    @contextmanager
    def no_landmarker(_path):
        yield None

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDWRIGHT_CACHE", str(tmp_path.parent / f"{tmp_path.name}-cache"))
    monkeypatch.setattr(
        "handwright.perception.models.download.ensure_models",
        lambda **_: SimpleNamespace(hand_landmarker=Path("task")),
    )
    monkeypatch.setattr(pipeline, "HandLandmarker", no_landmarker)
    monkeypatch.setattr(pipeline, "open_critic", lambda: None)
    monkeypatch.setattr(pipeline, "find_hands", lambda pixels, **_: [SHOT.observation()])
    monkeypatch.setattr(redetection, "redetect_hand", lambda pixels, wanted, landmarker: wanted)
    monkeypatch.setattr(review_before_after, "review_picture", ScriptedModels().review)
    monkeypatch.setattr(candidates, "failed_checks", lambda analysis, others: ())
    monkeypatch.setattr(candidates, "measure_picture_fit", lambda *_: FITS)
    monkeypatch.setattr(candidates, "lost_share", lambda *_: 0.0)
    PILImage.fromarray(SHOT.pixels).save("a.png")
    return tmp_path


@pytest.fixture
def cli(here: Path, model: Path, capfd: pytest.CaptureFixture[str]):
    """Run the command line in this process with two steps of the small model: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([*arguments])
        captured = capfd.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


def refine(model: Path, painter: str = "diffuse", *more: str, source: str = "a.png", out: str = "b.png"):
    quick = ("--painter", painter, "--model", str(model), "--steps", "2", "--dtype", "float32")
    which = ("--hand", "1") if source.endswith(".png") else ("--all",)
    return ("refine", source, "-o", out, *quick, *which, *more)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("painter", PAINTERS)
def test_a_hand_is_refined_and_the_report_tells_all_that_decided_it(cli, model, painter):
    options = ("--prompt", "a waving hand", "--strength", "0.8", "--seed", "3", "--candidates", "2")
    options = (*options, "--sampler", "ddim")
    code, out, err = cli(*refine(model, painter, *options, "--report", "r", "--keep-intermediates"))
    assert (code, err) == (0, "")
    assert "hand 1 refined" in out
    report = json.loads(Path("r/report.json").read_text())
    jsonschema.validate(report, json.loads(SCHEMA_FILE.read_text()))
    (picture,) = report["pictures"]
    recorded = picture["settings"]["diffusion"]
    assert (recorded["prompt"], recorded["controlnet_conditioning_scale"], recorded["sampler"]) == (
        "a waving hand",
        0.8,
        "ddim",
    )
    assert recorded["model"]["name"] == str(model)
    assert sorted(file.split("/")[0] for file in recorded["model"]["sha256"]) == [
        "controlnet",
        "model_index.json",
        "scheduler",
        "text_encoder",
        "unet",
        "vae",
    ]
    candidates = picture["hands"][0]["candidates"]
    assert [(c["seed"], c["control_strength"]) for c in candidates] == [(3, 0.8), (3, 1.0)]
    for candidate in candidates:
        with PILImage.open(Path("r", candidate["steps"])) as strip:
            columns = 2 if painter == "harmonise" else 3
            assert strip.size == (columns * 64 + (columns - 1) * 4, 2 * 64 + 4)
        assert candidate["steps"] in Path("r/index.html").read_text()
    made_by = json.loads(load_text("b.png")["handwright"])
    assert str(model) not in json.dumps(made_by)
    assert made_by["settings"]["diffusion"]["model"] == recorded["model"]["sha256"]


def load_text(path: str) -> dict[str, str]:
    with PILImage.open(path) as image:
        image.load()
        return dict(image.text)


@pytest.fixture
def at_64_px(monkeypatch):
    """Networks paint small squares: configs of FLUX and Z-Image name no side, and 1024 px would take long."""
    monkeypatch.setattr(torch_network.TorchNetwork, "resolution", 64)


@pytest.mark.usefixtures("at_64_px")
@pytest.mark.parametrize("painter", PAINTERS)
@pytest.mark.parametrize("family", WRITERS)
def test_every_family_refines_a_picture_from_its_published_layout(cli, tmp_path, family, painter):
    folder = WRITERS[family](tmp_path / "model")
    code, out, err = cli(*refine(folder, painter, "--report", "r"))
    assert (code, err) == (0, "")
    assert "hand 1 refined" in out
    before, after = load_image("a.png").pixels, load_image("b.png").pixels
    (hand,) = json.loads(Path("r/report.json").read_text())["pictures"][0]["hands"]
    mask = load_image(Path("r", hand["mask"])).pixels[..., 0] > 0
    assert np.array_equal(before[~mask], after[~mask])
    assert (before[mask] != after[mask]).any(1).mean() > 0.3


@pytest.mark.usefixtures("at_64_px")
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_runs_with_the_settings_of_its_row_where_none_are_given(cli, tmp_path, monkeypatch, name):
    preset, asked, calls = PRESETS[name], [], []
    folder = WRITERS[name](tmp_path / "model")
    one_file = folder / "controlnet" / "diffusion_pytorch_model.safetensors"

    def fetched(hub_id: str, **options: object) -> str:
        asked.append((hub_id, options.get("revision")))
        return str(folder if hub_id == preset.base.hub_id else folder / "controlnet")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_, **__: str(one_file))
    pipeline_class = getattr(diffusers, next(iter(preset.pipelines.values())))
    run = pipeline_class.__call__

    @functools.wraps(run)
    def noted(self, *positional, **keywords):
        calls.append((keywords, type(self.scheduler).__name__))
        return run(self, *positional, **{**keywords, "num_inference_steps": 2})

    monkeypatch.setattr(pipeline_class, "__call__", noted)
    options = ("--painter", "diffuse", "--model", name, "--dtype", "float32")
    options = (*options, "--hand", "1", "--revision", "v2")
    code, _, err = cli("refine", "a.png", "-o", "b.png", *options, "--strength", "fixed")
    assert (code, err) == (0, "")
    (given, scheduler), *_ = calls
    assert given["num_inference_steps"] == preset.steps
    assert given["guidance_scale"] == preset.guidance
    assert given["controlnet_conditioning_scale"] == preset.strength
    assert given.get("negative_prompt") == (NEGATIVE_PROMPT if preset.negative else None)
    assert scheduler == preset.scheduler
    assert (preset.base.hub_id, "v2") in asked


def test_every_option_of_loading_reaches_the_loader(cli, model, monkeypatch):
    given = {
        "controlnet": "depth/", "revision": "v2", "variant": "fp16", "dtype": "bfloat16", "device": "cpu",
        "lora": ("a.safetensors:0.5", "b.safetensors"), "textual_inversion": ("c.safetensors",),
        "ip_adapter": "d.safetensors",
    }  # fmt: skip
    choices = []

    def refused(choice):
        choices.append(choice)
        raise DiffusionError("it was asked for", "", "")

    monkeypatch.setattr(torch_network, "open_stock", refused)
    Path("depth").mkdir()
    options = [
        word
        for name, value in given.items()
        for one in (value if isinstance(value, tuple) else (value,))
        for word in (f"--{name.replace('_', '-')}", one)
    ]
    code, _, err = cli(*refine(model, "diffuse", *options, "--offload"))
    assert (code, "it was asked for" in err) == (2, True), err
    assert choices[0] == PipelineChoice(model=str(model), offload=True, **given)


def in_mode(mode: str) -> Image:
    """The picture of the hand in another sample mode, with alpha that varies and colours that it holds."""
    rgb = SHOT.pixels
    height, width = rgb.shape[:2]
    alpha = np.random.default_rng(1).integers(1, 256, (height, width, 1), np.uint8)
    if mode == "P":
        quantised = PILImage.fromarray(rgb).quantize(200)
        quantised.save("p.png")
        return load_image("p.png")
    low = np.random.default_rng(2).integers(0, 257, (height, width, 3), np.uint16)
    native = {
        "L": rgb[..., :1],
        "RGBA": np.concatenate([rgb, alpha], 2),
        "RGB;16": np.minimum(rgb.astype(np.uint32) * 257 + low, 65535).astype(np.uint16),
    }[mode]
    shown = rgb if mode != "L" else rgb[..., :1].repeat(3, 2)
    return Image(shown, np.ascontiguousarray(native), mode)


@pytest.mark.parametrize("mode", ["RGBA", "P", "RGB;16", "L"])
@pytest.mark.parametrize("painter", PAINTERS)
def test_outside_the_mask_every_sample_of_every_mode_stays(cli, model, painter, mode):
    save_image(in_mode(mode), "in.png")
    code, _, err = cli(*refine(model, painter, "--report", "r", source="in.png"))
    assert (code, err) == (0, "")
    before, after = load_image("in.png"), load_image("b.png")
    (hand,) = json.loads(Path("r/report.json").read_text())["pictures"][0]["hands"]
    mask = load_image(Path("r", hand["mask"])).pixels[..., 0] > 0
    assert hand["action"] == "refined"
    assert (before.pixels[mask] != after.pixels[mask]).any(1).mean() > 0.3
    assert np.array_equal(before.pixels[~mask], after.pixels[~mask])
    if mode != "P":
        assert after.mode == before.mode == mode
        assert np.array_equal(before.native[~mask], after.native[~mask])
    if mode == "RGBA":
        assert np.array_equal(before.native[..., 3], after.native[..., 3])


@pytest.mark.parametrize("painter", PAINTERS)
def test_the_same_seed_gives_the_same_bytes_and_every_option_counts(cli, model, painter):
    cli(*refine(model, painter, "--seed", "1"))
    cli(*refine(model, painter, "--seed", "1", out="c.png"))
    assert Path("b.png").read_bytes() == Path("c.png").read_bytes()
    cli(*refine(model, painter, "--seed", "2", out="d.png"))
    assert (load_image("d.png").pixels != load_image("b.png").pixels).any()
    assert "done before" in cli(*refine(model, painter, "--seed", "1"))[1]
    assert "done before" not in cli(*refine(model, painter, "--seed", "1", "--strength", "0.4"))[1]
    assert "done before" not in cli(*refine(model, painter, "--seed", "1", "--guidance", "2"))[1]


def test_models_are_loaded_once_for_many_pictures_and_not_at_all_without_a_hand(cli, model, monkeypatch):
    loaded: list[str] = []
    load = torch_network.open_stock

    def counted(choice):
        loaded.append(choice.model)
        return load(choice)

    monkeypatch.setattr(torch_network, "open_stock", counted)
    Path("in").mkdir()
    for name in ("1.png", "2.png"):
        shutil.copy("a.png", f"in/{name}")
    assert cli(*refine(model, source="in", out="out"))[0] == 0
    assert loaded == [str(model)]
    monkeypatch.setattr(pipeline, "find_hands", lambda pixels, **_: [])
    assert cli(*refine(model, source="in", out="none"))[0] == 0
    assert loaded == [str(model)]


def broken(model: Path, kind: str) -> Path:
    """A copy of the model with something wrong with it, or another file to be given for one."""
    folder = Path(kind)
    if kind == "no pipeline":
        folder.mkdir()
    elif kind == "pickle.ckpt":
        torch.save({"weight": torch.zeros(1)}, folder)
    elif kind == "wide controlnet":
        wide = small_controlnet(small_unet(4, block_out_channels=(32, 64)))
        with quiet():
            wide.save_pretrained(folder)
    else:
        shutil.copytree(model, folder)
    if kind == "no vae config":
        (folder / "vae" / "config.json").unlink()
    if kind == "pickled unet":
        (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(
            folder / "unet" / "diffusion_pytorch_model.bin"
        )
    return folder


BAD = {
    "strength that is no number": (("--strength", "nan"), "--strength is nan"),
    "negative strength": (("--strength", "-0.5"), "--strength is -0.5"),
    "no steps": (("--steps", "0"), "--steps is 0"),
    "guidance without end": (("--guidance", "inf"), "--guidance is inf"),
    "unknown sampler": (("--sampler", "heunish"), "--sampler 'heunish' is not known"),
    "a sampler of another kind of model": (("--sampler", "flow"), "does not go with this model"),
    "unknown dtype": (("--dtype", "int3"), "--dtype 'int3' is not known"),
    "unknown device": (("--device", "abacus"), "--device 'abacus' is not known"),
    "unknown painter": (("--painter", "oils"), "--painter 'oils' is not known"),
    "unknown model": (("--model", "no such model"), "no model 'no such model'"),
    "a folder that is no pipeline": (("--model", "no pipeline"), "is not a diffusers pipeline"),
    "a pickle as ControlNet": (("--controlnet", "pickle.ckpt"), "pickle"),
    "a pickled UNet": (("--model", "pickled unet"), "safetensors"),
    "a ControlNet of another width": (("--controlnet", "wide controlnet"), "ControlNet"),
    "a VAE without config": (("--model", "no vae config"), "vae is incomplete: it has no config.json"),
    "a level for diffuse": (("--start-level", "0.5"), "no use for --start-level"),
    "nowhere to keep the steps": (("--keep-intermediates",), "--report"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_exit_2_and_nothing_is_written(cli, model, name):
    options, message = BAD[name]
    for given in options[1:]:
        if given in ("no pipeline", "pickle.ckpt", "pickled unet", "wide controlnet", "no vae config"):
            broken(model, given)
    before = files(Path())
    code, out, err = cli(*refine(model, "diffuse", *options))
    assert code == 2
    assert out == ""
    assert err.startswith("handwright: ") and err.count("\n") == 1, err
    assert message in err
    assert files(Path()) == before


@pytest.mark.parametrize("option", ["--prompt=x", "--strength=0.5", "--model=tiny", "--keep-intermediates"])
def test_draw_refuses_options_of_the_others(cli, option):
    code, out, err = cli("refine", "a.png", "-o", "b.png", option, "--report", "r")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--painter draw" in err and "harmonise" in err
    assert not Path("b.png").exists() and not Path("r").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_is_not_here_is_one_line(cli, model):
    code, _, err = cli(*refine(model, "diffuse", "--device", "cuda"))
    assert (code, err.count("\n")) == (2, 1)
    assert "--device is cuda" in err
    assert not Path("b.png").exists()


def test_memory_that_runs_out_costs_one_picture_and_leaves_nothing_half_written(cli, model, monkeypatch):
    def burst(*_: object, **__: object):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(diffusers.UNet2DConditionModel, "forward", burst)
    code, _, err = cli(*refine(model, "diffuse", "--report", "r"))
    assert (code, err.count("\n")) == (2, 1)
    assert "memory ran out while painting" in err
    assert not Path("b.png").exists()
    report = json.loads(Path("r/report.json").read_text())
    jsonschema.validate(report, json.loads(SCHEMA_FILE.read_text()))
    assert report["pictures"][0]["error"]["kind"] == "DiffusionError"
    assert sorted(path.name for path in Path("r").iterdir()) == ["index.html", "report.json"]


def test_a_missing_extra_is_one_line(cli, model, monkeypatch):
    monkeypatch.setattr("handwright.handrefiner.network_loader.EXTRA", ("no_such_library",))
    code, out, err = cli(*refine(model))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "pip install 'handwright[diffusion]'" in err
    assert not Path("b.png").exists()
