"""A packaged critic goes on learning: nothing but the norms' statistics is lost in its export."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from handwright.errors import MissingModelError
from handwright.training.recipes.critic import fresh_critic, fresh_referee
from handwright.training.release.onnx_export import export_onnx
from handwright.training.release.onnx_import import unfolded


def crops(seed=0):
    return torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def exported(tmp_path):
    torch.manual_seed(1)
    network = fresh_critic(64)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = None  # a plain mean: statistics that fit the crops, as after a long training
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.3, 0.3)
    network.train()
    with torch.no_grad():
        for seed in range(12):
            network(crops(seed))
    network.eval()
    path = tmp_path / "critic.onnx"
    export_onnx(network, crops(), network(crops())._fields, {}, path)
    return network, path


def test_it_says_what_the_export_was_made_of_and_learns_on(tmp_path):
    network, path = exported(tmp_path)
    again = fresh_critic(64)
    unfolded(path, again, [crops(seed) for seed in range(12)])
    with torch.no_grad():
        wanted, told = network(crops(99)), again(crops(99))
    for name, one, other in zip(wanted._fields, wanted, told, strict=True):
        assert float((one - other).abs().max()) < 0.02 * float(one.abs().max()) + 1e-3, name
    with torch.no_grad():
        network.train(), again.train()
        wanted, told = network(crops(3)), again(crops(3))
    off = float((wanted.malformed - told.malformed).abs().mean())
    assert off < 0.1 * float(wanted.malformed.std()) + 0.01
    again(crops()).malformed.sum().backward()
    assert all(p.grad is not None for p in again.stages.parameters())


def test_another_build_is_refused(tmp_path):
    _, path = exported(tmp_path)
    with pytest.raises(MissingModelError, match="no export of this network"):
        unfolded(path, fresh_referee(), [torch.zeros(1, 3, 96, 96)])
