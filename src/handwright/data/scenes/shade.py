"""Light on skin and cloth: sky, ground, lamps with soft shadows, ambient occlusion, red terminators."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.data.hands.parts import Part
from handwright.drawing.geometry.surface import Surface, ambient_occlusion
from handwright.drawing.skin.atlas import bumped_normals, skin_at
from handwright.hand.dense import vertex_normals
from handwright.hand.raster import Visible, rasterize

_MERGE_M = 0.0022
_WRAP = np.array([0.34, 0.16, 0.10])
_SHADOW_PX = 420
_TAPS = tuple((dx, dy) for dx in (-1, -0.35, 0.35, 1) for dy in (-1, -0.35, 0.35, 1))


@dataclass(frozen=True, eq=False)
class Lamp:
    """A distant lamp.

    Attributes:
        towards: Unit vector to the lamp, camera space.
        colour: [3] linear light.
        softness_m: Blur of its shadows.
    """

    towards: Float[np.ndarray, "3"]
    colour: Float[np.ndarray, "3"]
    softness_m: float


@dataclass(frozen=True, eq=False)
class Light:
    """What shines on a scene.

    Attributes:
        sky: [3] linear light from above.
        ground: [3] from below.
        lamps: Directional lamps.
    """

    sky: Float[np.ndarray, "3"]
    ground: Float[np.ndarray, "3"]
    lamps: tuple[Lamp, ...]

    @property
    def mean(self) -> Float[np.ndarray, "3"]:
        """What reaches a surface that faces the camera, about."""
        lit = (self.sky + self.ground) / 2
        return lit + sum((lamp.colour * max(0.0, -lamp.towards[2]) for lamp in self.lamps), np.zeros(3))


@dataclass(frozen=True, eq=False)
class Matter:
    """What the person is made of.

    Attributes:
        skin: [3] linear albedo.
        palm_lightening: How much lighter the palm is than the atlas says; large for dark skin.
        gloss: Strength of highlights, 1 is usual.
        cloth: [3] linear albedo of the sleeve.
        stripes: Period of a knitted pattern on the sleeve in metres; 0 for none.
        seed: Of blotches on skin and weave.
    """

    skin: Float[np.ndarray, "3"]
    palm_lightening: float
    gloss: float
    cloth: Float[np.ndarray, "3"]
    stripes: float
    seed: int


@dataclass(frozen=True, eq=False)
class Lit:
    """A lit person before the background.

    Attributes:
        linear: float32 [hs, ws, 3] linear light, 0 outside.
        alpha: bool [hs, ws] covered.
        skin: bool [hs, ws] seen skin.
        rest_m: float32 [hs, ws, 3] rest position of seen skin.
        depth_m: float32 [hs, ws], +inf outside.
    """

    linear: Float[np.ndarray, "hs ws 3"]
    alpha: Bool[np.ndarray, "hs ws"]
    skin: Bool[np.ndarray, "hs ws"]
    rest_m: Float[np.ndarray, "hs ws 3"]
    depth_m: Float[np.ndarray, "hs ws"]


def light_up(
    parts: list[tuple[Part, Float[np.ndarray, "v 3"]]],
    focal_px: float,
    center_px: tuple[float, float],
    side_px: int,
    mirrored: bool,
    light: Light,
    matter: Matter,
) -> Lit:
    """Rasterise and shade.

    Args:
        parts: Each with its vertices in camera space.
        focal_px: At the supersampled size.
        center_px: Likewise.
        side_px: Side of the supersampled picture.
        mirrored: A left hand: faces turn round.
        light: The light.
        matter: The materials.
    """
    scene = _merge([_see(part, points, focal_px, center_px, side_px, mirrored) for part, points in parts])
    near = float(np.median(scene.depth[scene.seen]))
    occlusion = ambient_occlusion(scene.depth, focal_px / near)[scene.seen]
    surface = Surface(
        seen=scene.seen,
        coverage=scene.seen.astype(np.float32),
        normals=scene.normals,
        rest_m=scene.rest,
        uv=scene.uv,
        occlusion=occlusion,
        depth_m=scene.depth,
        scale=1,
        pixels_per_m=focal_px / near,
    )
    points = _points_of(scene, focal_px, center_px)
    shadows = [_shadow(parts, points, lamp, mirrored) for lamp in light.lamps]
    colour = _skin_colour(surface, points, shadows, light, matter)
    cloth = scene.cloth
    colour[cloth] = _cloth_colour(surface, shadows, light, matter)[cloth]
    linear = surface.place(colour)
    rest = surface.place(scene.rest)
    skin = scene.seen.copy()
    skin[scene.seen] = ~cloth
    return Lit(linear, scene.seen, skin, rest, scene.depth)


@dataclass(frozen=True, eq=False)
class _Seen:
    seen: np.ndarray
    normals: np.ndarray
    rest: np.ndarray
    uv: np.ndarray
    cloth: np.ndarray
    depth: np.ndarray


def _see(
    part: Part, points: np.ndarray, focal: float, center: tuple[float, float], side: int, mirrored: bool
) -> _Seen:
    faces = part.faces[:, ::-1] if mirrored else part.faces
    corner_uv = part.corner_uv[:, ::-1] if mirrored else part.corner_uv
    z = points[:, 2]
    flat = focal * points[:, :2] / np.maximum(z, 1e-3)[:, None] + np.asarray(center)
    visible = rasterize(flat, z, np.ascontiguousarray(faces), side, side)
    values = np.concatenate([vertex_normals(points, faces), part.rest], 1)
    inside = visible.interpolate(values, faces)
    normals = inside[:, :3] * np.where(inside[:, 2:3] > 0, [1, 1, -1], 1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    seen = visible.face >= 0
    uv = (corner_uv[visible.face[seen]] * visible.bary[seen][..., None]).sum(1)
    return _Seen(
        seen,
        normals.astype(np.float32),
        inside[:, 3:6].astype(np.float32),
        uv.astype(np.float32),
        np.full(len(uv), part.cloth),
        visible.depth_m,
    )


def _merge(layers: list[_Seen]) -> _Seen:
    """Nearest wins; skin grows into skin: normals run smoothly where two layers of it meet."""
    out = layers[0]
    for other in layers[1:]:
        both = out.seen & other.seen
        seen = out.seen | other.seen
        smooth = 0.25 if other.cloth.any() else 1.0
        with np.errstate(invalid="ignore"):
            ahead = np.where(both, (out.depth - other.depth) / (2 * _MERGE_M * smooth) + 0.5, 0.0)
        share = np.clip(np.nan_to_num(ahead), 0, 1)
        share = np.where(both, share, other.seen.astype(float)).astype(np.float32)
        full = [np.zeros((*seen.shape, 9), np.float32) for _ in range(2)]
        for canvas, layer in zip(full, (out, other), strict=True):
            canvas[layer.seen] = np.concatenate(
                [layer.normals, layer.rest, layer.uv, layer.cloth[:, None]], 1
            )
        front = (share > 0.5)[..., None]
        mixed = np.where(front, full[1], full[0])
        mixed[..., :3] = full[0][..., :3] * (1 - share[..., None]) + full[1][..., :3] * share[..., None]
        kept = mixed[seen]
        normals = kept[:, :3] / np.maximum(np.linalg.norm(kept[:, :3], axis=1, keepdims=True), 1e-6)
        depth = np.minimum(out.depth, other.depth)
        out = _Seen(seen, normals, kept[:, 3:6], kept[:, 6:8], kept[:, 8] > 0.5, depth)
    return out


def _points_of(scene: _Seen, focal: float, center: tuple[float, float]) -> np.ndarray:
    rows, columns = np.nonzero(scene.seen)
    z = scene.depth[scene.seen]
    x, y = (columns + 0.5 - center[0]) / focal * z, (rows + 0.5 - center[1]) / focal * z
    return np.stack([x, y, z], 1).astype(np.float32)


def _shadow(
    parts: list[tuple[Part, Float[np.ndarray, "v 3"]]], points: np.ndarray, lamp: Lamp, mirrored: bool
) -> Float[np.ndarray, " n"]:
    """Share of the lamp that reaches each point: a shadow map, blurred."""
    side = np.cross(lamp.towards, [0.13, 0.97, 0.21])
    side /= np.linalg.norm(side)
    up = np.cross(lamp.towards, side)
    frame = np.stack([side, up, -lamp.towards])
    low, high = np.percentile(points[::7] @ frame.T, [0.5, 99.5], axis=0)
    scale = _SHADOW_PX / max(high[0] - low[0], high[1] - low[1], 0.05)
    nearest = np.full((_SHADOW_PX, _SHADOW_PX), np.inf, np.float32)
    for part, vertices in parts:
        turned = (vertices @ frame.T - [low[0], low[1], low[2] - 2.0]) * [scale, scale, 1]
        faces = np.ascontiguousarray(part.faces[:, ::-1] if mirrored else part.faces)
        visible: Visible = rasterize(turned[:, :2], turned[:, 2], faces, _SHADOW_PX, _SHADOW_PX)
        nearest = np.minimum(nearest, visible.depth_m)
    at = _f32((points @ _f32(frame.T) - _f32([low[0], low[1], low[2] - 2.0])) * _f32([scale, scale, 1]))
    reach = max(1.0, lamp.softness_m * scale)
    lit = np.zeros(len(points), np.float32)
    for dx, dy in _TAPS:
        c = np.clip((at[:, 0] + np.float32(dx * reach)).astype(np.int32), 0, _SHADOW_PX - 1)
        r = np.clip((at[:, 1] + np.float32(dy * reach)).astype(np.int32), 0, _SHADOW_PX - 1)
        lit += np.clip(2 - (at[:, 2] - nearest[r, c]) / np.float32(0.004), 0, 1)
    return lit / len(_TAPS)


def _irradiance(
    normals: np.ndarray, surface: Surface, shadows: list[np.ndarray], light: Light, wrap: np.ndarray
) -> np.ndarray:
    up = 0.5 - 0.5 * normals[:, 1:2]
    total = (_f32(light.ground) + _f32(light.sky - light.ground) * up) * surface.occlusion[:, None] ** 1.3
    wrap = _f32(wrap)
    for lamp, lit in zip(light.lamps, shadows, strict=True):
        facing = normals @ _f32(lamp.towards)
        wrapped = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, None)
        veil = lit[:, None] + wrap * (lit * (1 - lit))[:, None]
        total = total + _f32(lamp.colour) * wrapped * veil * (0.35 + 0.65 * surface.occlusion[:, None])
    return total


def _skin_colour(
    surface: Surface, points: np.ndarray, shadows: list[np.ndarray], light: Light, matter: Matter
) -> np.ndarray:
    skin = skin_at(surface)
    normals = bumped_normals(surface, skin.height, 1.5)
    albedo = _f32(matter.skin) * skin.albedo
    albedo = albedo * (1 + matter.palm_lightening * skin.palmar[:, None] * _f32([1.0, 0.85, 0.75]))
    albedo = albedo * (1 + _blotches(points, matter.seed)[:, None] * _f32([0.05, 0.08, 0.08]))
    irradiance = _irradiance(normals, surface, shadows, light, _WRAP)
    colour = albedo * irradiance
    for lamp, lit in zip(light.lamps, shadows, strict=True):
        half = lamp.towards + np.array([0.0, 0.0, -1.0])
        half /= np.linalg.norm(half)
        facing = np.clip(normals @ _f32(half), 0, 1)
        shine = 0.035 * facing**18 + 0.025 * facing**60
        shine = matter.gloss * (shine * (1 - skin.nail) + 0.16 * skin.nail * facing**70)
        colour = colour + (shine * lit * surface.occlusion)[:, None] * _f32(lamp.colour)
    return colour.astype(np.float32)


def _cloth_colour(surface: Surface, shadows: list[np.ndarray], light: Light, matter: Matter) -> np.ndarray:
    around, along = surface.rest_m[:, 0], surface.rest_m[:, 1]
    weave = 1 + 0.05 * np.sin(2 * np.pi * along / 0.0016) * np.sin(2 * np.pi * around / 0.0016)
    if matter.stripes > 0:
        weave = weave * (1 - 0.35 * (np.sin(2 * np.pi * along / matter.stripes) > 0.3))
    hem = 1 - 0.25 * np.exp(-(((along - np.nanmin(along) - 0.018) / 0.0012) ** 2))
    irradiance = _irradiance(surface.normals, surface, shadows, light, np.full(3, 0.1))
    return (matter.cloth * (weave * hem)[:, None] * irradiance).astype(np.float32)


def _blotches(points: np.ndarray, seed: int) -> np.ndarray:
    """Smooth unevenness of skin over centimetres, −1…1."""
    rng = np.random.default_rng(seed)
    total = np.zeros(len(points), np.float32)
    for _ in range(8):
        wave = rng.normal(size=3) * rng.uniform(60, 260)
        total += np.sin(points @ _f32(wave) + np.float32(rng.uniform(0, 2 * np.pi)))
    return total / 5


def _f32(values: np.ndarray | list[float]) -> Float[np.ndarray, " c"]:
    return np.asarray(values, np.float32)


def shrink(picture: Float[np.ndarray, "hs ws c"], side_px: int) -> Float[np.ndarray, "h w c"]:
    """Average sub-pixels into pixels."""
    small = cv2.resize(picture.astype(np.float32), (side_px, side_px), interpolation=cv2.INTER_AREA)
    return small.reshape(side_px, side_px, -1)
