from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.samplers import open_sampler
from tests.diffusion.models import RESOLUTION, write_sd

torch.set_num_threads(1)  # these networks are too small to share out


@pytest.fixture(scope="session")
def sd9_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layout of SD 1.5-inpainting with a depth ControlNet; read only."""
    return write_sd(tmp_path_factory.mktemp("models") / "sd9", 9)


@pytest.fixture(scope="session")
def sd4_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layout of SD 1.5 with a depth ControlNet; read only."""
    return write_sd(tmp_path_factory.mktemp("models") / "sd4", 4, seed=1)


@pytest.fixture(scope="session")
def sd9(sd9_folder: Path) -> HandRefinerPipeline:
    return HandRefinerPipeline.from_pretrained(sd9_folder, dtype="float32", device="cpu")


@pytest.fixture(scope="session")
def sd4(sd4_folder: Path) -> HandRefinerPipeline:
    return HandRefinerPipeline.from_pretrained(sd4_folder, dtype="float32", device="cpu")


@pytest.fixture(scope="session")
def scene() -> dict[str, torch.Tensor]:
    """Picture, mask and control image of one run, in [0, 1]."""
    generator = torch.Generator().manual_seed(7)
    image = torch.rand(1, 3, RESOLUTION, RESOLUTION, generator=generator)
    mask = torch.zeros(1, 1, RESOLUTION, RESOLUTION)
    mask[..., 16:40, 19:45] = 1
    control = torch.rand(1, 1, RESOLUTION, RESOLUTION, generator=generator).repeat(1, 3, 1, 1)
    return {"image": image, "mask_image": mask, "control_image": control}


@pytest.fixture
def paint(scene: dict[str, torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Run a pipeline on the scene: 3 steps of DDIM from seed 0 unless told otherwise."""

    def run(pipe: HandRefinerPipeline, sampler: str = "ddim", seed: int = 0, **options: Any) -> torch.Tensor:
        own = pipe.pipe.scheduler
        pipe.pipe.scheduler = open_sampler(sampler, {**own.config, "_class_name": type(own).__name__})
        arguments = {
            **scene, "prompt": "a hand", "num_inference_steps": 3, "controlnet_conditioning_scale": 0.55,
            "output_type": "tensor", **options,
        }  # fmt: skip
        try:
            return pipe(generator=torch.Generator().manual_seed(seed), **arguments).images
        finally:
            pipe.pipe.scheduler = own

    return run
