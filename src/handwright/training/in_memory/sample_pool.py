"""Encoded samples of any recipe in a GPU's memory: drawn anew and noised there at every step.

Pictures are read, augmented and drawn on by other processes; what they make is encoded once and used many
times, each time with other noise, until newer samples take its place.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from handwright.training.recipes.base import FamilyRecipe


class SamplePool:
    """The newest samples of a recipe, at fixed places in a device's memory; fractions are kept as float16.

    Args:
        capacity: Most samples.
        device: Where they are.
    """

    def __init__(self, capacity: int, device: torch.device) -> None:
        self.capacity, self.device = capacity, device
        self.kept: dict[str, Tensor] = {}
        self.added = 0  # Samples in all
        self.filled = torch.zeros((), dtype=torch.float64, device=device)  # Samples that are there

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, samples: Mapping[str, Tensor]) -> None:
        """Add samples in place of the oldest where there is no room; all have the same tensors."""
        count = len(next(iter(samples.values())))
        at = (torch.arange(count, device=self.device) + self.added) % self.capacity
        for name, values in samples.items():
            if name not in self.kept:
                kind = torch.float16 if values.is_floating_point() else values.dtype
                shape = (self.capacity, *values.shape[1:])
                self.kept[name] = torch.zeros(shape, dtype=kind, device=self.device)
            kept = self.kept[name]
            kept[at] = values.to(self.device, kept.dtype)
        self.added += count
        self.filled.fill_(len(self))

    def draw(self, count: int) -> dict[str, Tensor]:
        """Random samples, from the device's default generator."""
        rows = (torch.rand(count, dtype=torch.float64, device=self.device) * self.filled).long()
        drawn = {name: kept[rows] for name, kept in self.kept.items()}
        return {name: v.float() if v.is_floating_point() else v for name, v in drawn.items()}


def pooled_batch(recipe: FamilyRecipe, pool: SamplePool, count: int, snr_gamma: float) -> dict[str, Tensor]:
    """A batch of a recipe from its pool, with fresh noise; everything stays on the device."""
    samples = pool.draw(count)
    total = int(recipe.schedule.config["num_train_timesteps"])
    timesteps = torch.randint(total, (count,), device=pool.device)
    return recipe.noised(samples, torch.randn_like(samples["clean"]), timesteps, snr_gamma)
