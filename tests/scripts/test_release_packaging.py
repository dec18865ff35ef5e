"""A released family: half precision, small files, loaded by the code that loads SD's."""

from __future__ import annotations

import pytest
import torch
from diffusers import UNet2DConditionModel

from handwright.diffusion.loading.zoo import load_models
from handwright.errors import UsageError
from handwright.metrics.extractors.embedded import load_features
from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork, save_network
from handwright.training.networks.family import open_family, save_family
from release_packaging import release, release_network
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
    assert torch.equal(ours, theirs.half().float())


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
