"""A lit scene: seen points, shadows, highlights, and light that wanders below the skin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from handwright.data.world import _shading as _light
from handwright.data.world._surface import ALBEDO, BLEED, GLOW, METAL
from handwright.data.world.light import Lamp, Surroundings
from handwright.data.world.stage import Stage, look_up
from handwright.hand.raster import rasterize

_SHADOW_PX = 320
_FAR_M = 200.0
"""Distance of the lamps' rasteriser, whose depths are perspective: so far away that they are straight."""

_BLEED_M = (0.0024, 0.0011, 0.0007)
_WIDE_M = 0.05
REACHES: tuple[tuple[float, int], ...] = ((0.012, 10), (_WIDE_M, 14))
"""How far neighbours hide the surroundings, metres, and how many of them are looked at."""


@dataclass(frozen=True, eq=False)
class LitStage:
    """A scene's own light before background and camera."""

    linear: Float[np.ndarray, "h w 3"]  # float32 [h, w, 3] at the supersampled size, 0 where nothing is
    stage: Stage  # What is seen where
    # float32 [h, w] share of the surroundings that is not hidden; 1 where nothing is
    ambient: Float[np.ndarray, "h w"]


def light_stage(
    stage: Stage, light: Surroundings, reaches: tuple[tuple[float, int], ...] = REACHES
) -> LitStage:
    """Shade everything that is seen."""
    height, width = stage.index.shape
    if not len(stage.rows):
        return LitStage(np.zeros((height, width, 3), np.float32), stage, np.ones((height, width), np.float32))
    table, points = look_up(stage), stage.seen_points_m()
    part = stage.face_solid[stage.visible.face[stage.rows, stage.columns]]
    near = float(np.median(points[:, 2]))
    normals = _light.bump(
        table, stage.rows, stage.columns, stage.index, part, stage.visible.depth_m, np.float32(stage.focal_px)
    )
    ambient = _ambient(stage, stage.focal_px / near, reaches)
    frames, shadows = _shadow_maps(stage, points, light.lamps)
    rows = [[*lp.towards, *lp.colour, lp.softness_m, lp.size] for lp in light.lamps]
    lamps = np.array(rows, np.float32).reshape(-1, 8)
    lobes = np.array([[*lb.towards, *lb.colour, lb.width] for lb in light.lobes], np.float32).reshape(-1, 7)
    soft, gleam = _light.shade(
        table,
        normals,
        points,
        ambient[stage.rows, stage.columns],
        lobes,
        lamps,
        shadows,
        frames,
        _disc(12),
    )
    soft = _bleed(stage, soft, table[:, BLEED], stage.focal_px / near)
    albedo = table[:, ALBEDO : ALBEDO + 3]
    diffuse = albedo * soft * (1 - table[:, METAL : METAL + 1])
    colour = diffuse + gleam + albedo * table[:, GLOW : GLOW + 1]
    linear = np.zeros((height, width, 3), np.float32)
    linear[stage.rows, stage.columns] = colour
    return LitStage(linear, stage, ambient)


def _ambient(
    stage: Stage, pixels_per_m: float, reaches: tuple[tuple[float, int], ...]
) -> Float[np.ndarray, "h w"]:
    """Occlusion at several reaches, computed at half size."""
    depth = np.ascontiguousarray(stage.visible.depth_m[::2, ::2])
    total = np.ones(depth.shape, np.float32)
    for reach, count in reaches:
        taps = np.concatenate(
            [_disc(count) * reach * pixels_per_m / 2, np.full((count, 1), 0.45 * reach)], 1
        ).astype(np.float32)
        total *= cv2.blur(_light.occlusion(depth, taps, reach), (5, 5)) ** (0.75 if reach >= _WIDE_M else 1.0)
    return cv2.resize(total, stage.index.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _shadow_maps(
    stage: Stage, points: Float[np.ndarray, "n 3"], lamps: tuple[Lamp, ...]
) -> tuple[Float[np.ndarray, "l 13"], Float[np.ndarray, "l s s"]]:
    """Per lamp its axes (9 numbers), low corner (3) and scale, and the nearest depth along it."""
    frames = np.zeros((len(lamps), 13), np.float32)
    shadows = np.full((len(lamps), _SHADOW_PX, _SHADOW_PX), np.inf, np.float32)
    for j, lamp in enumerate(lamps):
        side = np.cross(lamp.towards, [0.13, 0.97, 0.21])
        side /= np.linalg.norm(side)
        axes = np.stack([side, np.cross(lamp.towards, side), -lamp.towards])
        low, high = np.percentile(points[::13] @ axes.T, [0.5, 99.5], axis=0)
        scale = (_SHADOW_PX - 8) / max(high[0] - low[0], high[1] - low[1], 0.05)
        low = low - 4 / scale
        turned = (stage.points_m @ axes.T - low).astype(np.float64)
        seen = rasterize(
            turned[:, :2] * scale,
            turned[:, 2] + _FAR_M,
            np.ascontiguousarray(stage.faces),
            _SHADOW_PX,
            _SHADOW_PX,
        )
        shadows[j] = seen.depth_m - np.float32(_FAR_M)
        frames[j] = [*axes.ravel(), *low, scale]
    return frames, shadows


def _bleed(
    stage: Stage, soft: Float[np.ndarray, "n 3"], bleed: Float[np.ndarray, " n"], pixels_per_m: float
) -> Float[np.ndarray, "n 3"]:
    """Blur irradiance on skin, red furthest (d'Eon and Luebke 2007, in the picture's plane)."""
    skin = bleed > 0
    if not skin.any():
        return soft
    height, width = stage.index.shape
    flat = np.zeros((height, width, 4), np.float32)
    rows, columns = stage.rows[skin], stage.columns[skin]
    flat[rows, columns, :3], flat[rows, columns, 3] = soft[skin], 1.0
    half = cv2.resize(flat, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    spread = np.empty((*half.shape[:2], 3), np.float32)
    for q, reach in enumerate(_BLEED_M):
        sigma = max(reach * pixels_per_m / 2, 0.3)
        pair = cv2.GaussianBlur(np.ascontiguousarray(half[..., (q, 3)]), (0, 0), sigma)
        spread[..., q] = pair[..., 0] / np.maximum(pair[..., 1], 1e-3)
    wide = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)[rows, columns]
    amount = (0.75 * bleed[skin])[:, None]
    out = soft.copy()
    out[skin] = soft[skin] * (1 - amount) + amount * wide
    return out


def _disc(count: int) -> Float[np.ndarray, "k 2"]:
    """Points spread over the unit disc (Vogel's spiral)."""
    k = np.arange(count) + 0.5
    angle = k * np.pi * (3 - np.sqrt(5))
    return (np.sqrt(k / count) * np.stack([np.cos(angle), np.sin(angle)])).T.astype(np.float32)
