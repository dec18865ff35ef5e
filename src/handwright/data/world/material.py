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
    """One surface."""

    kind: str  # 'skin', 'cloth' or 'solid'
    albedo: tuple[float, float, float]  # Linear reflectance
    roughness: float = 0.6  # Of the highlight, 0.05 … 1
    shine: float = 0.03  # Reflectance at right angles: skin 0.028, plastic 0.04, metals 0.5 and more
    metal: float = 0.0  # 1 tints the highlight with the albedo and drops the diffuse part
    pattern: str = "plain"  # One of ``PATTERNS``
    scale_m: float = 0.01  # Its period
    second: tuple[float, float, float] = (0.5, 0.5, 0.5)  # Its other colour
    relief_m: float = 0.0  # Height of the skin's or pattern's relief
    age: float = 0.3  # Wrinkles and spots, 0 … 1; skin
    hair: float = 0.0  # On back and forearm, 0 … 1; skin
    veins: float = 0.3  # On the back, 0 … 1; skin
    palm_light: float = 0.0  # How much lighter the palm is; skin
    redness: float = 0.5  # Of knuckles, fingertips and palm; skin
    nail: tuple[float, float, float] | None = None  # Colour of painted nails, or None for bare ones; skin
    glow: float = 0.0  # Emission as a multiple of the albedo
    bleed: float = 0.0  # How far light wanders below the surface, 1 for skin, 0 for none
    seed: float = 0.0  # Shifts all noise

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
