"""A released family: half precision, small files, loaded by the code that loads SD's."""

from __future__ import annotations

import zlib

import pytest
import torch
from diffusers import UNet2DConditionModel

from handwright.diffusion.loading.controlnets import controlnet_traits
from handwright.diffusion.loading.places import own_part
from handwright.diffusion.loading.zoo import load_models
from handwright.errors import UsageError
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.metrics.extractors.embedded import load_features
from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork, save_network
from handwright.training.networks.family import open_family, save_family
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.outpainter import Outpainter
from handwright.two_stage.pipeline import TwoStagePipeline
from release_packaging import STEPS_A_DEVIATION, on_grid, release, release_network, release_part
from tests.diffusion.models import write_sd


@pytest.fixture
def trained(tmp_path):
    folder = tmp_path / "model"
    save_family(open_family(write_sd(tmp_path / "sd", 9)), folder)
    return folder


def test_a_released_family_loads_as_any_model_does(trained, tmp_path):
    sizes = release(trained, trained / "controlnet", tmp_path / "tiny", "# Card\n")
    assert max(sizes.values()) <= 15_000_000
    assert "README.md" in sizes
    configs = [path.read_text() for path in (tmp_path / "tiny").rglob("*.json")]
    assert not any(str(tmp_path) in config for config in configs)
    models = load_models(str(tmp_path / "tiny"), dtype="float32", device="cpu")
    assert models.inpainting
    assert models.resolution == 64
    assert models.controlnet is not None
    original = UNet2DConditionModel.from_pretrained(trained / "unet")
    name = "mid_block.resnets.0.conv1.weight"
    ours, theirs = models.unet.state_dict()[name], original.state_dict()[name]
    assert torch.equal(ours, on_grid(theirs).half().float())


def test_weights_on_a_grid_are_off_by_one_per_cent_and_compress():
    torch.manual_seed(0)
    values = torch.randn(64, 256, 3, 3) * torch.rand(64, 1, 1, 1)
    rounded = on_grid(values)
    error = (rounded - values).flatten(1).square().mean(1).sqrt() / values.flatten(1).square().mean(1).sqrt()
    assert error.max() <= 2**0.5 / STEPS_A_DEVIATION / 12**0.5
    assert torch.equal(rounded.half().float(), rounded)
    sizes = [len(zlib.compress(one.half().numpy().tobytes())) for one in (rounded, values)]
    assert sizes[0] <= 0.7 * sizes[1]
    assert torch.equal(on_grid(values[:, 0, 0, 0]), values[:, 0, 0, 0])


def test_the_family_s_own_members_ship_beside_it(trained, tmp_path):
    family = open_family(trained)
    TextHandEncoder(text_width=32, channels=32, layers=1).save_pretrained(tmp_path / "encoder")
    HandGenerator.from_unet(family.unet).save_pretrained(tmp_path / "generator")
    Outpainter.begin(family.unet, 8, family.controlnet).save_pretrained(tmp_path / "outpainter")
    parts = {
        "text_hand_encoder": tmp_path / "encoder", "hand_generator": tmp_path / "generator",
        "outpainter": tmp_path / "outpainter",
    }  # fmt: skip
    release(trained, trained / "controlnet", tmp_path / "tiny", "# Card\n", parts)
    pipeline = TwoStagePipeline.from_pretrained(tmp_path / "tiny", device="cpu")
    assert pipeline.hand_generator is not None
    assert pipeline.pose_controlled
    assert isinstance(pipeline.body.pipe.controlnet, Outpainter)
    depth = TwoStagePipeline.from_pretrained(
        tmp_path / "tiny", controlnet=tmp_path / "tiny" / "controlnet", device="cpu"
    )
    assert depth.hand_generator is None
    assert own_part(tmp_path / "tiny", "text_hand_encoder") is not None
    assert own_part(trained, "text_hand_encoder") is None


def test_a_missing_member_leaves_what_was_released_before(trained, tmp_path):
    release(trained, trained / "controlnet", tmp_path / "tiny", "# Card\n")
    with pytest.raises(UsageError, match="controlnet is missing"):
        release(trained, trained / "nowhere", tmp_path / "tiny", "# Other\n")
    assert (tmp_path / "tiny" / "README.md").read_text() == "# Card\n"


def test_a_network_that_stands_alone_ships_in_half_precision_and_loads(tmp_path):
    network = FeatureNetwork(FeatureConfig("test-v1", 64, (8, 16), 1))
    save_network(network, network.config, tmp_path / "features")
    sizes = release_network(tmp_path / "features", tmp_path / "shipped", "# Card\n")
    assert set(sizes) == {"README.md", "config.json", "model.safetensors"}
    assert sizes["model.safetensors"] < 0.6 * (tmp_path / "features" / "model.safetensors").stat().st_size
    again = load_features(tmp_path / "shipped").state_dict()
    assert all(torch.equal(value.half().float(), again[name]) for name, value in network.state_dict().items())
    with pytest.raises(UsageError, match="holds no trained member"):
        release_network(tmp_path / "nowhere", tmp_path / "shipped", "")
    assert (tmp_path / "shipped" / "README.md").read_text() == "# Card\n"


def test_one_member_ships_into_a_family_whose_other_files_stay(trained, tmp_path):
    release(trained, trained / "controlnet", tmp_path / "tiny", "# Card\n")
    kept = {path: path.read_bytes() for path in (tmp_path / "tiny").rglob("*") if path.is_file()}
    family = open_family(trained)
    network = Outpainter.begin(family.unet, 8, family.controlnet)
    network.save_pretrained(tmp_path / "run" / "outpainter")
    (tmp_path / "run" / "outpainter" / "handwright.json").write_text('{"text_steps": 4}')
    sizes = release_part("outpainter", tmp_path / "run" / "outpainter", tmp_path / "tiny")
    assert set(sizes) == {"config.json", "diffusion_pytorch_model.safetensors", "handwright.json"}
    assert all(path.read_bytes() == content for path, content in kept.items())
    shipped = Outpainter.from_pretrained(tmp_path / "tiny" / "outpainter")
    name = "mid_block.resnets.0.conv1.weight"
    assert torch.equal(shipped.state_dict()[name].float(), on_grid(network.state_dict()[name]).half().float())
    assert controlnet_traits(tmp_path / "tiny" / "outpainter").text_steps == 4
    with pytest.raises(UsageError, match="outpainter is missing"):
        release_part("outpainter", tmp_path / "nothing", tmp_path / "tiny")
    assert (tmp_path / "tiny" / "outpainter" / "config.json").is_file()
