"""What a user can get wrong in one run: one line with what, why and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from handwright.diffusion.loading.devices import choose_device, choose_dtype, enough_memory
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.diffusion.pipeline import HandInpaintPipeline
from handwright.errors import DiffusionError, HandwrightError, InvalidValueError, UsageError

Paint = Callable[..., torch.Tensor]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "the number of steps is 0: at least one step is needed; give 1 or more."),
        ({"steps": -3}, "the number of steps is -3"),
        ({"steps": 1001}, "give 1 to 1000 steps"),
        ({"control_strength": math.nan}, "the control strength is nan"),
        ({"control_strength": -0.1}, "the control strength is -0.1: it must be a number from 0 up"),
        ({"control_strength": math.inf}, "the control strength is inf"),
        ({"guidance": math.nan}, "the guidance is nan"),
        ({"guidance": -1.0}, "the guidance is -1"),
        ({"start_level": 0.0}, "the start level is 0"),
        ({"start_level": 1.5}, "the start level is 1.5"),
        ({"start_level": math.nan}, "the start level is nan"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(
    options: dict, words: str, sd9: DiffusionModels, paint: Paint
) -> None:
    with pytest.raises(UsageError) as refused:
        paint(sd9, **options)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("which", ["prompt", "negative"])
def test_a_prompt_beyond_the_tokenizers_length_is_refused_with_how_many_fit(
    which: str, sd9: DiffusionModels, paint: Paint
) -> None:
    paint(sd9, steps=1, **{which: "x " * 75})
    with pytest.raises(UsageError, match="76 tokens long: this model reads 75; shorten it to 75 tokens"):
        paint(sd9, **{which: "x " * 76})


def test_control_without_a_controlnet_is_refused(sd9: DiffusionModels, paint: Paint) -> None:
    bare = DiffusionModels(**{**vars(sd9), "controlnet": None})
    with pytest.raises(UsageError, match="no ControlNet; give `controlnet`, or a control strength of 0"):
        paint(bare)


@pytest.mark.parametrize(
    ("name", "tensor", "words"),
    [
        ("picture", torch.zeros(1, 3, 60, 60), "divisible by 8 pixels, got 60"),
        ("picture", torch.zeros(1, 3, 0, 0), "divisible by 8 pixels, got 0"),
        ("picture", torch.full((1, 3, 64, 64), math.nan), "picture holds numbers outside"),
        ("mask", torch.zeros(1, 1, 32, 32), "mask must have shape"),
        ("control", torch.full((1, 3, 64, 64), 255.0), r"control holds numbers outside \[0, 1\]"),
        ("start", torch.zeros(1, 1, 64, 64), "start must have shape"),
    ],
)
def test_tensors_of_the_wrong_kind_are_refused(
    name: str, tensor: torch.Tensor, words: str, sd9: DiffusionModels, paint: Paint
) -> None:
    with pytest.raises(InvalidValueError, match=words):
        paint(sd9, **{name: tensor})


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
    error: Exception, sd9: DiffusionModels, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(sd9.unet, "forward", full)
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
    sd9: DiffusionModels, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sd9.vae, "decode", lambda z: type("Decoded", (), {"sample": z * math.nan}))
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


def test_an_unknown_sampler_is_refused_before_anything_runs(sd9: DiffusionModels) -> None:
    with pytest.raises(HandwrightError, match="no sampler 'ddimm'"):
        HandInpaintPipeline.from_models(sd9, "ddimm")
