"""Samples that are kept, drawn and noised on a device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from handwright.training.in_memory.sample_pool import SamplePool, pooled_batch
from handwright.training.members import open_member
from handwright.training.settings import TrainSettings
from tests.diffusion.models import write_sd
from tests.training.people_shards import people_shard

CPU = torch.device("cpu")


def numbered(first: int, count: int) -> dict[str, torch.Tensor]:
    number = torch.arange(first, first + count)
    return {"number": number, "half": number.float().view(-1, 1) / 2}


def test_the_newest_samples_take_the_place_of_the_oldest():
    pool = SamplePool(8, CPU)
    for first in range(0, 15, 5):
        pool.add(numbered(first, 5))
    drawn = pool.draw(500)
    assert len(pool) == 8
    assert set(drawn["number"].tolist()) == set(range(7, 15))
    assert torch.equal(drawn["half"][:, 0] * 2, drawn["number"].float())
    assert (pool.kept["half"].dtype, drawn["half"].dtype) == (torch.float16, torch.float32)


def test_before_it_is_full_only_what_is_there_is_drawn():
    pool = SamplePool(100, CPU)
    pool.add(numbered(40, 3))
    assert set(pool.draw(200)["number"].tolist()) == {40, 41, 42}


@pytest.mark.parametrize("member", ["outpainter", "pose_adapter"])
def test_a_pooled_batch_is_one_of_the_recipes_own(member: str, tmp_path: Path):
    settings = TrainSettings(train_batch_size=3, snr_gamma=5.0)
    recipe = open_member(member, people_shard(tmp_path / "people"), write_sd(tmp_path / "sd", 9), settings)
    own, pool = recipe.batch(0, 0, settings), SamplePool(6, CPU)
    pool.add(recipe.samples(recipe.drawn(np.random.default_rng(0), 6, settings)))
    batch = pooled_batch(recipe, pool, 3, settings.snr_gamma)
    assert {name: (v.shape, v.dtype) for name, v in batch.items()} == {
        name: (v.shape, v.dtype) for name, v in own.items()
    }
    assert not torch.equal(batch["latents"], pooled_batch(recipe, pool, 3, settings.snr_gamma)["latents"])
    assert recipe.trained(batch).isfinite()
