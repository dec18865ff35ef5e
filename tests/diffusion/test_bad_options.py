"""What a user can get wrong in one run: one line with what, why and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.vae import DecoderOutput

from handwright.diffusion.loading.devices import choose_device, choose_dtype, enough_memory
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import DiffusionError, UsageError

Paint = Callable[..., torch.Tensor]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"num_inference_steps": 0},
            "steps is 0: at least one step is needed; give 1 or more.",
        ),
        ({"num_inference_steps": -3}, "the number of steps is -3"),
        ({"num_inference_steps": 1001}, "give 1 to 1000 steps"),
        ({"controlnet_conditioning_scale": math.nan}, "the control strength is nan"),
        (
            {"controlnet_conditioning_scale": -0.1},
            "strength is -0.1: it must be a number from 0 up",
        ),
        ({"controlnet_conditioning_scale": math.inf}, "the control strength is inf"),
        ({"guidance_scale": math.nan}, "the guidance is nan"),
        ({"guidance_scale": -1.0}, "the guidance is -1"),
        ({"strength": 0.0}, "the start level is 0"),
        ({"strength": 1.5}, "the start level is 1.5"),
        ({"strength": math.nan}, "the start level is nan"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    options: dict, words: str, sd9: HandRefinerPipeline, paint: Paint
) -> None:
    with pytest.raises(UsageError) as refused:
        paint(sd9, **options)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    ],
)
def test_running_out_of_memory_is_told_in_one_line(
    error: Exception, sd9: HandRefinerPipeline, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(sd9.pipe.unet, "forward", full)
    with pytest.raises(DiffusionError, match=r"memory ran out while painting.*use --dtype") as refused:
        paint(sd9)
    assert "\n" not in str(refused.value)


def test_a_real_allocation_beyond_memory_is_recognised() -> None:
    with pytest.raises(DiffusionError, match="memory ran out"), enough_memory("trying"):
        torch.empty(2**50)


def test_other_faults_of_the_library_are_not_called_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"), enough_memory("trying"):
        raise RuntimeError("shapes do not match")


def test_numbers_that_overflow_are_not_returned_as_a_picture(
    sd9: HandRefinerPipeline, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sd9.pipe.vae, "decode", lambda z: DecoderOutput(sample=z * math.nan))
    with pytest.raises(DiffusionError, match=r"overflowed.*--dtype float32"):
        paint(sd9)


def test_unknown_devices_and_number_formats_are_refused() -> None:
    cpu = torch.device("cpu")
    for choose in (lambda: choose_device("tpu"), lambda: choose_dtype("int8", cpu)):
        with pytest.raises(UsageError, match="choose one of: auto"):
            choose()
    assert choose_dtype("bfloat16", cpu) == torch.bfloat16


def test_a_device_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no cuda device on this machine; choose auto"):
        choose_device("cuda")
