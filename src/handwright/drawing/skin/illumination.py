"""The picture's own light: one scalar shading, fitted to the old hand's brightness by the mesh's normals.

Brightness = ambient occlusion × (nine spherical harmonics of the normal + a low-order field over the
picture). One scalar serves all three channels: fitted per channel to few pixels, harmonics go negative and
paint red fingertips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

LUMA = np.array([0.30, 0.55, 0.15], np.float32)
"""Weights of linear red, green and blue in the brightness that shading is fitted to; by eye, for skin."""

_MOST_POINTS = 6000
"""Statistics are taken over at most this many points; more cost time and change the fit little."""


@dataclass(frozen=True, kw_only=True)
class IlluminationParams:
    """Numbers of ``fit_shading`` and of ``Shading.brightness``; all chosen by eye."""

    # Ridge on the linear harmonics, relative to the number of points; three times as much on the quadratic
    # harmonics and twice as much on the field
    stiffness: float = 0.02
    rounds: int = 8  # Reweighted least-squares steps
    outlier: float = 1.5  # Residual, in robust standard deviations, beyond which a point's weight falls
    darkest: float = 0.6  # Least brightness, as a share of the 2nd percentile that was observed
    # Least brightness, as a share of the 98th percentile; the larger of the two counts
    darkest_of_bright: float = 0.12
    brightest: float = 1.25  # Greatest brightness, as a share of the 98th percentile that was observed


@dataclass(frozen=True, eq=False)
class Shading:
    """A fitted light."""

    # float64 [9] spherical-harmonic coefficients (constant, x, y, z, xy, yz, xz, x²−y², 3z²−1)
    harmonics: Float[np.ndarray, "9"]
    # float64 [5] coefficients of x, y, x², xy, y² over the picture, in hand sizes from its middle
    field: Float[np.ndarray, "5"]
    low: float  # 2nd percentile of the observed brightness, linear light
    high: float  # 98th percentile
    params: IlluminationParams = IlluminationParams()  # Numbers that bound the brightness

    @property
    def direction(self) -> tuple[Float[np.ndarray, "3"], float]:
        """Unit vector towards the light, and how directional the light is, 0…1."""
        linear = self.harmonics[1:4]
        length = float(np.linalg.norm(linear)) + 1e-9
        return linear / length, min(1.0, 1.5 * length / (abs(float(self.harmonics[0])) + 1e-6))

    def brightness(
        self,
        normals: Float[np.ndarray, "n 3"],
        place: Float[np.ndarray, "n 2"],
        occlusion: Float[np.ndarray, " n"],
    ) -> Float[np.ndarray, " n"]:
        """Linear-light brightness of N surface points, kept near the range that was observed.

        Args:
            normals: [N, 3] unit normals, camera space.
            place: [N, 2] position in hand sizes from the hand's middle.
            occlusion: [N] share of light that reaches each point, 0…1.
        """
        raw = (harmonic_basis(normals) @ self.harmonics + field_basis(place) @ self.field) * occlusion
        least = max(self.params.darkest * self.low, self.params.darkest_of_bright * self.high)
        return np.clip(raw, least, self.params.brightest * self.high)


def harmonic_basis(normals: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 9"]:
    """First nine real spherical harmonics of unit normals, unnormalised (Ramamoorthi and Hanrahan 2001)."""
    x, y, z = normals.T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1], 1)


def field_basis(place: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 5"]:
    """Second-order polynomial over the picture, of positions in hand sizes from the hand's middle."""
    x, y = np.clip(place, -0.6, 0.6).T
    return np.stack([x, y, x * x, x * y, y * y], 1)


def fit_shading(
    brightness: Float[np.ndarray, " n"],
    normals: Float[np.ndarray, "n 3"],
    place: Float[np.ndarray, "n 2"],
    occlusion: Float[np.ndarray, " n"],
    params: IlluminationParams = IlluminationParams(),
) -> Shading:
    """Fit one light to observed brightness, robustly (iteratively reweighted least squares with a ridge).

    Args:
        brightness: [N] linear-light brightness of old skin.
        normals: [N, 3] unit normals of the fitted hand at the same pixels.
        place: [N, 2] position in hand sizes from the hand's middle.
        occlusion: [N] ambient occlusion, 0…1.
        params: Numbers of the method.
    """
    pick = strided_sample(len(brightness))
    basis = (
        np.concatenate([harmonic_basis(normals[pick]), field_basis(place[pick])], 1) * occlusion[pick, None]
    )
    basis, observed = basis.astype(np.float64), brightness[pick].astype(np.float64)
    stiffness = params.stiffness
    ridge = np.diag([1e-6] + [stiffness] * 3 + [3 * stiffness] * 5 + [2 * stiffness] * 5) * len(observed)
    weight = np.ones(len(observed))
    solution = np.zeros(14)
    for _ in range(params.rounds):
        weighted = basis.T * weight
        solution = np.linalg.solve(weighted @ basis + ridge, weighted @ observed)
        residual = np.abs(basis @ solution - observed)
        deviation = 1.48 * np.median(residual) + 1e-5
        weight = 1 / np.maximum(1, residual / (params.outlier * deviation))
    low, high = np.percentile(observed, [2, 98])
    return Shading(solution[:9], solution[9:], float(low), float(high), params)


def strided_sample(count: int, most: int = _MOST_POINTS) -> Int[np.ndarray, " m"]:
    """Indices of at most ``most`` of ``count`` points, evenly strided."""
    return np.arange(0, count, max(1, -(-count // most)))
