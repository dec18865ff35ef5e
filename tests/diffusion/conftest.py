from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from handwright.diffusion.loading.zoo import DiffusionModels, load_models
from handwright.diffusion.pipeline import HandInpaintPipeline
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
def sd9(sd9_folder: Path) -> DiffusionModels:
    return load_models(str(sd9_folder), dtype="float32", device="cpu")


@pytest.fixture(scope="session")
def sd4(sd4_folder: Path) -> DiffusionModels:
    return load_models(str(sd4_folder), dtype="float32", device="cpu")


@pytest.fixture(scope="session")
def scene() -> dict[str, torch.Tensor]:
    """Picture, mask and control image of one run."""
    generator = torch.Generator().manual_seed(7)
    picture = torch.rand(1, 3, RESOLUTION, RESOLUTION, generator=generator) * 2 - 1
    mask = torch.zeros(1, 1, RESOLUTION, RESOLUTION)
    mask[..., 16:40, 19:45] = 1
    control = torch.rand(1, 1, RESOLUTION, RESOLUTION, generator=generator).repeat(1, 3, 1, 1)
    return {"picture": picture, "mask": mask, "control": control}


@pytest.fixture
def paint(scene: dict[str, torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Run models on the scene: 3 steps of DDIM from seed 0 unless told otherwise."""

    def run(models: DiffusionModels, sampler: str = "ddim", seed: int = 0, **options: object) -> torch.Tensor:
        pipeline = HandInpaintPipeline.from_models(models, sampler)
        arguments = {**scene, "prompt": "a hand", "steps": 3, **options}
        return pipeline(generator=torch.Generator().manual_seed(seed), **arguments).pictures

    return run
