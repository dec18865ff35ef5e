"""Half precision where the device computes in it."""

from __future__ import annotations

import pytest
import torch

from handwright.diffusion.loading.devices import choose_dtype, training_precision


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
