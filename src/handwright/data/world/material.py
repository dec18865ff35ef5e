"""What surfaces are made of: a row of numbers per material that the kernels read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

SKIN, CLOTH, SOLID = 0, 1, 2
PATTERNS = (
    "plain", "hoops", "ribs", "checks", "twill", "heather", "stripes", "panels", "grain", "leather", "screen",
    "knit", "brushed",
)  # fmt: skip
COLUMNS = 26


@dataclass(frozen=True)
class Material:
    """One surface.

    Attributes:
        kind: 'skin', 'cloth' or 'solid'.
        albedo: Linear reflectance.
        roughness: Of the highlight, 0.05 … 1.
        shine: Reflectance at right angles: skin 0.028, plastic 0.04, metals 0.5 and more.
        metal: 1 tints the highlight with the albedo and drops the diffuse part.
        pattern: One of ``PATTERNS``.
        scale_m: Its period.
        second: Its other colour.
        relief_m: Height of the skin's or pattern's relief.
        age: Wrinkles and spots, 0 … 1; skin.
        hair: On back and forearm, 0 … 1; skin.
        veins: On the back, 0 … 1; skin.
        palm_light: How much lighter the palm is; skin.
        redness: Of knuckles, fingertips and palm; skin.
        nail: Colour of painted nails, or None for bare ones; skin.
        glow: Emission as a multiple of the albedo.
        bleed: How far light wanders below the surface, 1 for skin, 0 for none.
        seed: Shifts all noise.
    """

    kind: str
    albedo: tuple[float, float, float]
    roughness: float = 0.6
    shine: float = 0.03
    metal: float = 0.0
    pattern: str = "plain"
    scale_m: float = 0.01
    second: tuple[float, float, float] = (0.5, 0.5, 0.5)
    relief_m: float = 0.0
    age: float = 0.3
    hair: float = 0.0
    veins: float = 0.3
    palm_light: float = 0.0
    redness: float = 0.5
    nail: tuple[float, float, float] | None = None
    glow: float = 0.0
    bleed: float = 0.0
    seed: float = 0.0

    def row(self) -> Float[np.ndarray, " 26"]:
        """The numbers in the kernels' order."""
        kind = ("skin", "cloth", "solid").index(self.kind)
        nail = self.nail or (0.0, 0.0, 0.0)
        return np.array(
            [
                kind, *self.albedo, self.roughness, self.shine, self.metal, PATTERNS.index(self.pattern),
                self.scale_m, *self.second, self.relief_m, self.age, self.hair, self.veins, self.palm_light,
                self.redness, float(self.nail is not None), *nail, self.glow, self.bleed, self.seed, 0.0,
            ],
            np.float32,
        )  # fmt: skip
