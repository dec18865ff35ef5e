"""Whether the old hand casts a shadow on its background, and which: found from the picture alone.

A shadow's steps of log brightness lie where a shifted, blurred copy of the silhouette has its own; edges of
the background are few, large and elsewhere, and a robust fit steps over them. In doubt there is no shadow:
what is found must explain far more than the best *brightening* in a hand's shape does (texture and gradients
favour neither), take all colours alike, and show on most sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.drawing.shadow import CastShadow, shrunk_to_grid
from handwright.drawing.shadow_steps import Steps, background_steps, shadow_templates

_SOFTNESSES = (0.025, 0.05, 0.09)
_RINGS = ((0.0, 1), (0.05, 8), (0.10, 12), (0.16, 14), (0.22, 16), (0.29, 18))
"""Shifts that are tried: radius in hand sizes, number of directions."""

_FARTHEST = 0.31
_FINER, _SOFTER = range(-2, 3), (0.65, 0.8, 1.0, 1.25, 1.5)
_QUIET, _LOUD = 0.02, 0.05
_GUESS = 0.3
_TRIED = 6
_ROUNDS = 4

_SURE, _OVER_BRIGHTENING = 18.0, 6.0
_WEAKEST, _STRONGEST = 0.06, 0.6
_SECTORS, _AGREEING, _ALIKE = 12, 0.85, (0.5, 2.0)
_TINT = 0.3


@dataclass(frozen=True, eq=False)
class _Fit:
    """A shadow fitted to steps: its depth in log light, weights, residuals and template [N], its cost."""

    depth: float
    weight: Float[np.ndarray, " n"]
    rest: Float[np.ndarray, " n"]
    template: Float[np.ndarray, " n"]
    cost: float


def find_shadow(
    crop: UInt8[np.ndarray, "h w 3"],
    caster: Bool[np.ndarray, "h w"],
    receiver: Bool[np.ndarray, "h w"],
    hand_px: float,
) -> CastShadow | None:
    """The shadow that the old hand casts on the background, or None where none is seen for sure.

    Args:
        crop: uint8 [h, w, 3] sRGB.
        caster: bool [h, w] the old hand and arm.
        receiver: bool [h, w] background, clear of the hand's blurred edge.
        hand_px: Hand size in pixels.
    """
    grid = shrunk_to_grid(caster.astype(np.float32), hand_px)
    size = grid.shape[::-1]
    small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    clear = cv2.resize(receiver.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.98
    steps = background_steps(small, grid, clear, hand_px * size[0] / crop.shape[1])
    if steps is None:
        return None
    weight = _first_weights(steps)
    templates, shifts = shadow_templates(grid, steps, _SOFTNESSES, _GUESS), _shifts(steps.unit)
    gains = templates.gains(shifts, weight)
    if gains.max() < _OVER_BRIGHTENING * max(-float(gains.min()), 1e-9):
        return None
    noise = _deviation(steps.without_smooth(steps.light[None], weight)[0], _QUIET)
    best = np.argsort(-gains, axis=None, kind="stable")[:_TRIED]
    places = [divmod(int(k), len(shifts)) for k in best]
    fits = [_fitted(steps, templates.one(soft, shifts[k]), weight, noise) for soft, k in places]
    first = min(range(len(fits)), key=lambda k: fits[k].cost)
    if not _is_shadow(steps, fits[first], grid, noise):
        return None
    soft, place = places[first]
    shadow, fit = _refined(grid, steps, fits[first], _SOFTNESSES[soft], shifts[place], noise)
    within = np.hypot(*shadow.offset) < _FARTHEST
    return shadow if within and _is_shadow(steps, fit, grid, noise) else None


def _refined(
    grid: Float[np.ndarray, "h w"],
    steps: Steps,
    fit: _Fit,
    softness: float,
    shift: Int[np.ndarray, "2"],
    noise: float,
) -> tuple[CastShadow, _Fit]:
    """The best of finer shifts and softnesses around a coarse one."""
    softnesses = tuple(softness * factor for factor in _SOFTER)
    templates = shadow_templates(grid, steps, softnesses, 1 - float(np.exp(-fit.depth)))
    shifts = shift + np.array([(x, y) for y in _FINER for x in _FINER])
    soft, place = divmod(int(np.argmax(templates.gains(shifts, fit.weight))), len(shifts))
    final = _fitted(steps, templates.one(soft, shifts[place]), fit.weight, noise)
    x, y = shifts[place] / steps.unit
    return CastShadow(1 - float(np.exp(-final.depth)), (float(x), float(y)), softnesses[soft]), final


def _shifts(unit: float) -> Int[np.ndarray, "m 2"]:
    turns = [(r, 2 * np.pi * k / n) for r, n in _RINGS for k in range(n)]
    points = np.array([(r * np.cos(a), r * np.sin(a)) for r, a in turns])
    return np.unique(np.round(points * unit).astype(np.int64), axis=0)


def _first_weights(steps: Steps) -> Float[np.ndarray, " n"]:
    """Weights that hold edges down but leave steps of a shadow's size alone."""
    off = np.abs(steps.light - np.median(steps.light))
    return (1 / np.maximum(1, off / _deviation(steps.light, _LOUD))).astype(np.float32)


def _deviation(values: Float[np.ndarray, " n"], least: float) -> float:
    return max(1.48 * float(np.median(np.abs(values - np.median(values)))), least)


def _fitted(
    steps: Steps, template: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"], noise: float
) -> _Fit:
    """Depth of one shadow beside smooth terms, by reweighted least squares (Huber's cost)."""
    basis = np.concatenate([steps.smooth, template[:, None]], 1)
    ridge = 1e-6 * len(weight) * np.eye(6)
    solution, rest = np.zeros(6), steps.light
    for _ in range(_ROUNDS):
        weighted = basis.T * weight
        solution = np.linalg.solve(weighted @ basis + ridge, weighted @ steps.light)
        rest = steps.light - basis @ solution
        weight = (1 / np.maximum(1, np.abs(rest) / noise)).astype(np.float32)
    far = np.abs(rest) / noise
    cost = float(np.where(far < 1, far * far / 2, far - 0.5).mean())
    return _Fit(float(solution[5]), weight, rest, template, cost)


def _is_shadow(steps: Steps, fit: _Fit, grid: Float[np.ndarray, "h w"], noise: float) -> bool:
    """Of a shadow's depth, beyond doubt, without a tint of its own, and seen on most sides of the hand."""
    if not -np.log1p(-_WEAKEST) < fit.depth < -np.log1p(-_STRONGEST):
        return False
    template = steps.without_smooth(fit.template[None], fit.weight)[0]
    power = fit.weight * template * template
    if fit.depth * np.sqrt(power.sum()) < _SURE * noise:
        return False
    tint = steps.without_smooth(steps.tint.T, fit.weight) @ (fit.weight * template) / power.sum()
    if np.abs(tint).max() > _TINT * fit.depth:
        return False
    y, x = (steps.middles - np.argwhere(grid > 0.5).mean(0)).T
    sector = ((np.arctan2(y, x) / (2 * np.pi) + 0.5) * _SECTORS).astype(int) % _SECTORS
    explained = steps.without_smooth(fit.rest[None], fit.weight)[0] + fit.depth * template
    powers = np.bincount(sector, power, _SECTORS)
    depths = np.bincount(sector, fit.weight * template * explained, _SECTORS) / (powers + 1e-6)
    low, high = _ALIKE
    agree = (depths > low * fit.depth) & (depths < high * fit.depth)
    return bool(powers[agree].sum() > _AGREEING * powers.sum())
