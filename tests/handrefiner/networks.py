"""Networks made of rules: they answer at once, and with pictures that a test can predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from handwright.handrefiner.network import DenoisingStep, InpaintRequest, InpaintResult

Rule = Callable[[InpaintRequest], np.ndarray]


def skin_by_depth(request: InpaintRequest) -> np.ndarray:
    """Skin where the control image is, shaded by it; what was there elsewhere."""
    skin = np.array([205, 150, 125], np.float32) * (0.6 + 0.4 * request.control[..., None] / 255)
    return np.where(request.control[..., None] > 0, skin, request.picture.astype(np.float32))


def as_started(request: InpaintRequest) -> np.ndarray:
    """What it set out from, through its own encoder and decoder."""
    return coded(request.picture if request.start is None else request.start)


def noise(request: InpaintRequest) -> np.ndarray:
    return np.random.default_rng(request.seed).uniform(0, 255, request.picture.shape).astype(np.float32)


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
    surroundings: str = "drawn"
    guidance: float = 9.0
    default_steps: int = 10
    requests: list[InpaintRequest] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        self.requests.append(request)
        grey = np.full(request.picture.shape, 128, np.uint8)
        steps = tuple(DenoisingStep(float(999 - k), grey, request.picture) for k in range(self.steps))
        return InpaintResult(self.rule(request).astype(np.float32), steps if request.keep_steps else ())

    def inpaint_batch(self, requests: Sequence[InpaintRequest]) -> list[InpaintResult]:
        self.batches.append(len(requests))
        return [self.inpaint(request) for request in requests]

    def autoencode(self, picture: np.ndarray) -> np.ndarray:
        return coded(picture)
