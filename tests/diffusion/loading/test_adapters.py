"""What is loaded beside a model: one line where something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from handwright.diffusion.loading import adapters
from handwright.errors import DiffusionError


class Pipe:
    """A pipeline that takes LoRAs."""

    def load_lora_weights(self) -> None:
        raise AssertionError("nothing is loaded")


def test_a_lora_without_its_library_is_one_line_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "style.safetensors"
    save_file({"a": torch.zeros(1)}, file)
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)  # pyright: ignore[reportUnknownLambdaType]
    with pytest.raises(DiffusionError, match=r"peft is not installed; pip install 'handwright\[lora\]'") as e:
        adapters.load_adapters(Pipe(), (str(file),), (), None)
    assert "\n" not in str(e.value)
