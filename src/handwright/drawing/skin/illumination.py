"""The picture's own light: one scalar shading, the old hand's brightness against the mesh's normals.

Brightness = ambient occlusion × (nine spherical harmonics of the normal + a low-order field over the
picture). One scalar for all colours: fitted per channel, harmonics of few pixels go negative and paint red
fingertips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_ROUNDS = 8
_MOST_POINTS = 6000
LUMA = np.array([0.30, 0.55, 0.15], np.float32)
"""Weights of linear red, green and blue in the brightness that shading is fitted to."""


@dataclass(frozen=True, eq=False)
class Shading:
    """A fitted light.

    Attributes:
        harmonics: float64 [9] spherical-harmonic coefficients (constant, x, y, z, xy, yz, xz, x²−y², 3z²−1).
        field: float64 [5] coefficients of x, y, x², xy, y² over the picture, in hand sizes from its middle.
        low: 2nd percentile of the observed brightness.
        high: 98th percentile.
    """

    harmonics: Float[np.ndarray, "9"]
    field: Float[np.ndarray, "5"]
    low: float
    high: float

    @property
    def direction(self) -> tuple[Float[np.ndarray, "3"], float]:
        """Unit vector towards the light and how directional it is, 0…1."""
        linear = self.harmonics[1:4]
        length = float(np.linalg.norm(linear)) + 1e-9
        return linear / length, min(1.0, 1.5 * length / (abs(float(self.harmonics[0])) + 1e-6))

    def brightness(
        self,
        normals: Float[np.ndarray, "n 3"],
        place: Float[np.ndarray, "n 2"],
        occlusion: Float[np.ndarray, " n"],
    ) -> Float[np.ndarray, " n"]:
        """Brightness at surface points, kept within reach of what was observed."""
        raw = (harmonic_basis(normals) @ self.harmonics + field_basis(place) @ self.field) * occlusion
        return np.clip(raw, max(0.6 * self.low, 0.12 * self.high), 1.25 * self.high)


def harmonic_basis(normals: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 9"]:
    """The first nine real spherical harmonics, unnormalised (Ramamoorthi and Hanrahan 2001)."""
    x, y, z = normals.T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1], 1)


def field_basis(place: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 5"]:
    """Low-order polynomial over the picture."""
    x, y = np.clip(place, -0.6, 0.6).T
    return np.stack([x, y, x * x, x * y, y * y], 1)


def fit_shading(
    brightness: Float[np.ndarray, " n"],
    normals: Float[np.ndarray, "n 3"],
    place: Float[np.ndarray, "n 2"],
    occlusion: Float[np.ndarray, " n"],
    stiffness: float = 0.02,
) -> Shading:
    """Fit one light to observed brightness, robustly (iteratively reweighted least squares with a ridge).

    Args:
        brightness: [N] linear-light brightness of old skin.
        normals: [N, 3] of the fitted hand at the same pixels.
        place: [N, 2] position in hand sizes from the hand's middle.
        occlusion: [N] ambient occlusion, 0…1.
        stiffness: Ridge on everything but the constant, relative to the number of points.
    """
    pick = spread_sample(len(brightness))
    basis = (
        np.concatenate([harmonic_basis(normals[pick]), field_basis(place[pick])], 1) * occlusion[pick, None]
    )
    basis, seen = basis.astype(np.float64), brightness[pick].astype(np.float64)
    ridge = np.diag([1e-6] + [stiffness] * 3 + [3 * stiffness] * 5 + [2 * stiffness] * 5) * len(seen)
    weight = np.ones(len(seen))
    solution = np.zeros(14)
    for _ in range(_ROUNDS):
        weighted = basis.T * weight
        solution = np.linalg.solve(weighted @ basis + ridge, weighted @ seen)
        miss = np.abs(basis @ solution - seen)
        weight = 1 / np.maximum(1, miss / (1.5 * (1.48 * np.median(miss) + 1e-5)))
    low, high = np.percentile(seen, [2, 98])
    return Shading(solution[:9], solution[9:], float(low), float(high))


def spread_sample(count: int, most: int = _MOST_POINTS) -> Int[np.ndarray, " m"]:
    """Indices of at most ``most`` of ``count`` points, evenly strided."""
    return np.arange(0, count, max(1, -(-count // most)))


def highlight(
    normals: Float[np.ndarray, "n 3"], shading: Shading, nail: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Specular share to add, relative to the brightest skin: a broad and a tight lobe, sharp on nails."""
    towards, directional = shading.direction
    half = towards + np.array([0.0, 0.0, -1.0])
    half /= np.linalg.norm(half) + 1e-9
    facing = np.clip(normals @ half.astype(normals.dtype), 0, 1)
    skin = 0.05 * facing**14 + 0.03 * facing**45
    return (skin * (1 - nail) + 0.2 * nail * facing**50) * directional
