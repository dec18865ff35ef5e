"""Half precision where the device computes in it."""

from __future__ import annotations

import pytest
import torch

from handwright.diffusion.loading.devices import choose_dtype, laid_out, training_precision


@pytest.mark.parametrize(
    ("can", "dtype", "precision"),
    [
        ({"avx512_bf16": True, "amx_bf16": True}, torch.bfloat16, "bf16"),
        ({"avx512_bf16": True, "amx_bf16": False}, torch.float32, "no"),
        ({}, torch.float32, "no"),
    ],
)
def test_auto_is_bfloat16_on_a_processor_with_matrices_of_it_alone(monkeypatch, can, dtype, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_dtype("auto", torch.device("cpu")) == dtype
    assert training_precision("auto") == precision
    assert training_precision("bf16") == "bf16"


def test_kernels_on_a_cpu_lie_with_channels_last_and_give_the_same():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.GroupNorm(2, 8))
    picture = torch.rand(1, 3, 16, 16)
    before = network(picture)
    assert laid_out(network, torch.device("cpu")) is network
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert not network[0].weight.is_contiguous()
    assert torch.allclose(network(picture), before, atol=1e-5)


def test_kernels_elsewhere_lie_as_they_were():
    network = torch.nn.Conv2d(3, 8, 3)
    assert laid_out(network, torch.device("cuda")).weight.is_contiguous()
