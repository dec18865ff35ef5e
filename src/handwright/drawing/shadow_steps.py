"""Steps of log brightness between near pixels of background, and those that a hand's shadow would make there.

A shadow darkens by a factor, so its steps do not depend on what it falls on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.drawing.photo.srgb import to_linear
from handwright.drawing.skin.illumination import LUMA, strided_sample

_AROUND, _REACH = 0.5, 0.36
"""In hand sizes: how far from the hand steps are taken, and how far a shadow may be shifted."""

_LENGTHS = (0.06, 0.12)
_MOST, _FEWEST = 3000, 150
_DARK = 0.004
_AT_ONCE = 24
"""Shifts that are compared at once: they fit the cache, and no linear-algebra thread is worth waking."""

_NO_GAIN = 2e-4
"""Squares per step below which a template is too faint to explain anything."""


@dataclass(frozen=True, eq=False)
class Steps:
    """Steps between N pairs of background pixels.

    Attributes:
        light: [N] of log brightness.
        tint: [N, 2] of log red over green and blue over green.
        smooth: [N, 5] of x, y, x², xy, y²: what an uneven background or lamp may add.
        kind: [N] index into ``lags``.
        at: [N, 2] row and column of the first pixel.
        lags: [K, 2] rows and columns that a kind of step goes.
        unit: Hand size in pixels.
    """

    light: Float[np.ndarray, " n"]
    tint: Float[np.ndarray, "n 2"]
    smooth: Float[np.ndarray, "n 5"]
    kind: Int[np.ndarray, " n"]
    at: Int[np.ndarray, "n 2"]
    lags: Int[np.ndarray, "k 2"]
    unit: float

    @property
    def middles(self) -> Float[np.ndarray, "n 2"]:
        """Row and column half-way along each step."""
        return self.at + self.lags[self.kind] / 2

    def without_smooth(
        self, rows: Float[np.ndarray, "m n"], weight: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "m n"]:
        """What of some steps smooth terms cannot explain (weighted least squares)."""
        weighted = self.smooth.T * weight
        gram = weighted @ self.smooth + 1e-6 * len(weight) * np.eye(5, dtype=np.float32)
        return rows - np.linalg.solve(gram, weighted @ rows.T).T @ self.smooth.T


def background_steps(
    small: UInt8[np.ndarray, "h w 3"],
    caster: Float[np.ndarray, "h w"],
    receiver: Bool[np.ndarray, "h w"],
    unit: float,
) -> Steps | None:
    """Steps near the hand, evenly drawn; None where there is too little background.

    Args:
        small: uint8 [h, w, 3] sRGB.
        caster: float [h, w] 0 … 1, the hand.
        receiver: bool [h, w] background.
        unit: Hand size in pixels.
    """
    linear = to_linear(small)
    light, colours = np.log(linear @ LUMA + _DARK), np.log(linear + _DARK)
    tint = colours[..., [0, 2]] - colours[..., 1:2]
    away = cv2.distanceTransform((caster < 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    usable = receiver & (away < _AROUND * unit)
    lengths = [max(1, round(length * unit)) for length in _LENGTHS]
    lags = np.array([lag for length in lengths for lag in ((0, length), (length, 0))])
    pairs = [np.argwhere(usable & _from_there(usable, dy, dx)) for dy, dx in lags]
    at, kind = np.concatenate(pairs), np.repeat(np.arange(len(lags)), [len(p) for p in pairs])
    if len(at) < _FEWEST:
        return None
    pick = strided_sample(len(at), _MOST)
    at, kind = at[pick], kind[pick]
    to = at + lags[kind]
    (y0, x0), (y1, x1) = ((place - at.mean(0)).T / unit for place in (at, to))
    smooth = np.stack([x1 - x0, y1 - y0, x1 * x1 - x0 * x0, x1 * y1 - x0 * y0, y1 * y1 - y0 * y0], 1)
    a, b = tuple(at.T), tuple(to.T)
    return Steps(light[b] - light[a], tint[b] - tint[a], smooth.astype(np.float32), kind, at, lags, unit)


@dataclass(frozen=True, eq=False)
class Templates:
    """The steps that shadows of one unit of log light would make, for some softnesses and any shift.

    Attributes:
        steps: The steps that are to be explained.
        fields: Per softness, every possible step [K · h · w], flat.
        at: [N] where the steps are in a field.
        width: Columns of a field.
    """

    steps: Steps
    fields: tuple[Float[np.ndarray, " khw"], ...]
    at: Int[np.ndarray, " n"]
    width: int

    def one(self, softness: int, shift: Int[np.ndarray, "2"]) -> Float[np.ndarray, " n"]:
        """The steps of one shadow; ``shift`` is x, y in pixels."""
        return self.fields[softness][self.at - (shift[1] * self.width + shift[0])]

    def gains(
        self, shifts: Int[np.ndarray, "m 2"], weight: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "s m"]:
        """Weighted squares that each shadow explains, negative where it would have to brighten."""
        moves = shifts[:, 1] * self.width + shifts[:, 0]
        wanted = weight * self.steps.without_smooth(self.steps.light[None], weight)[0]
        gains = np.empty((len(self.fields), len(moves)))
        for soft, field in enumerate(self.fields):
            for first in range(0, len(moves), _AT_ONCE):
                part = slice(first, first + _AT_ONCE)
                rows = self.steps.without_smooth(field[self.at[None] - moves[part, None]], weight)
                match, power = rows @ wanted, (rows * rows) @ weight
                gains[soft, part] = np.sign(match) * match**2 / (power + _NO_GAIN * len(weight))
        return gains


def shadow_templates(
    caster: Float[np.ndarray, "h w"], steps: Steps, softnesses: tuple[float, ...], strength: float
) -> Templates:
    """Templates of shadows of a silhouette.

    Args:
        caster: float32 [h, w] 0 … 1; it goes on beyond the picture as it ends there.
        steps: The steps to be explained, on the same grid.
        softnesses: Sigmas in hand sizes.
        strength: Share of light about which log light is taken: it decides how the penumbra falls off.
    """
    pad = int(np.ceil(_REACH * steps.unit)) + 2
    padded = cv2.copyMakeBorder(caster, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    height, width = padded.shape
    fields: list[np.ndarray] = []
    for softness in softnesses:
        soft = cv2.GaussianBlur(padded, (0, 0), softness * steps.unit)
        log_light = np.log1p(-strength * soft) / -np.log1p(-strength)
        fields.append(np.stack([_from_there(log_light, dy, dx) - log_light for dy, dx in steps.lags]).ravel())
    at = (steps.kind * height + steps.at[:, 0] + pad) * width + steps.at[:, 1] + pad
    return Templates(steps, tuple(fields), at, width)


def _from_there(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """What each pixel sees so many rows and columns on; zero beyond the edge."""
    height, width = picture.shape
    seen = np.zeros_like(picture)
    if rows < height and columns < width:
        seen[: height - rows, : width - columns] = picture[rows:, columns:]
    return seen
