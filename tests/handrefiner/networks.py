"""Networks made of rules: they answer at once, and with pictures that a test can predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from handwright.handrefiner.network import Inpainted, Inpainting, Step

Rule = Callable[[Inpainting], np.ndarray]


def skin_by_depth(asked: Inpainting) -> np.ndarray:
    """Skin where the control image is, shaded by it; what was there elsewhere."""
    skin = np.array([205, 150, 125], np.float32) * (0.6 + 0.4 * asked.control[..., None] / 255)
    return np.where(asked.control[..., None] > 0, skin, asked.picture.astype(np.float32))


def as_started(asked: Inpainting) -> np.ndarray:
    """What it set out from, through its own encoder and decoder."""
    return coded(asked.picture if asked.start is None else asked.start)


def noise(asked: Inpainting) -> np.ndarray:
    return np.random.default_rng(asked.seed).uniform(0, 255, asked.picture.shape).astype(np.float32)


def coded(picture: np.ndarray) -> np.ndarray:
    """A lossy codec: colours in steps of four."""
    return np.round(picture.astype(np.float32) / 4) * 4


@dataclass
class Network:
    """Remembers what it was asked."""

    rule: Rule = skin_by_depth
    resolution: int = 64
    steps: int = 3
    fixed_strength: float = 0.55
    guidance: float = 9.0
    asked: list[Inpainting] = field(default_factory=list)

    def inpaint(self, asked: Inpainting) -> Inpainted:
        self.asked.append(asked)
        grey = np.full(asked.picture.shape, 128, np.uint8)
        steps = tuple(Step(float(999 - k), grey, asked.picture) for k in range(self.steps))
        return Inpainted(self.rule(asked).astype(np.float32), steps if asked.keep else ())

    def as_coded(self, picture: np.ndarray) -> np.ndarray:
        return coded(picture)
