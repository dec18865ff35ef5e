"""A lit scene, light below the skin included, and what a camera and a file do to it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.shapes import Linear, Points, Vector
from handwright.data.world import _shading as _light
from handwright.data.world._surface import ALBEDO, BLEED, GLOW, METAL
from handwright.data.world.light import Lamp, Surroundings
from handwright.data.world.places import Place
from handwright.data.world.stage import Solid, Stage, look_up, set_stage
from handwright.hand.raster import rasterize
from handwright.types import Camera

_WIDE_M = 0.05
REACHES: tuple[tuple[float, int], ...] = ((0.012, 10), (_WIDE_M, 14))
"""How far neighbours hide the surroundings, metres, and how many of them are looked at."""


@dataclass(frozen=True)
class Shot:
    """How a picture was taken."""

    motion_px: float  # Length of the streak that moving hands leave
    motion_angle: float  # Its direction, radians
    defocus_px: float  # Radius of the blur over the hands
    softness_px: float  # Sigma of the lens's own blur
    noise: float  # Deviation at mid grey in levels of 0 … 255
    sharpen: float  # Strength of the camera's unsharp mask
    contrast: float  # 0 plain sRGB, 1 filmic
    saturation: float  # 1 leaves colours alone
    balance: tuple[float, float, float]  # [3] colour cast that white balance left
    vignette: float  # Darkening of the corners
    jpeg: int  # Quality; 0 for none
    seed: int  # Of the noise


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenery:
    """Where, in which light and how a picture is taken."""

    place: Place  # The background
    light: Surroundings  # All light
    shot: Shot  # The camera


@dataclass(frozen=True, eq=False, kw_only=True)
class Photo:
    """A finished picture, and what is seen in it."""

    pixels: UInt8[np.ndarray, "s s 3"]  # sRGB
    encoded: bytes  # The JPEG that the pixels come out of
    # ``Stage.nearness`` of everything that is in the picture, malformed as it may be
    scene: UInt8[np.ndarray, "s s"]
    parts: UInt8[np.ndarray, "s s"]  # labels of ``hands.body`` and, of a person, ``people.body``


def take_photo(
    solids: tuple[Solid, ...],
    camera: Camera,
    scenery: Scenery,
    rng: np.random.Generator,
    size: int,
    metered: Callable[[np.random.Generator, Linear, UInt8[np.ndarray, "s s"]], float],
    reaches: tuple[tuple[float, int], ...] = REACHES,
) -> tuple[Photo, Stage]:
    """Rasterise, light, expose as ``metered`` (rng, linear light, parts) tells, and develop."""
    scale = 2 if size >= 160 else 4
    center = (camera.center_px[0] * scale, camera.center_px[1] * scale)
    stage = set_stage(solids, camera.focal_px * scale, center, size * scale, size * scale)
    linear = _composite(light_stage(stage, scenery.light, reaches), stage.seen, scenery, rng, size)
    linear = linear * _white_balance(scenery.light, float(rng.uniform(0.55, 1.0)))
    metered_on = slice(scale // 2, None, scale)  # Sub-pixels beside the centres, which an even number has not
    exposed = linear * metered(rng, linear, stage.labels()[metered_on, metered_on])
    pixels, encoded = develop(exposed, scenery.shot)
    centres = set_stage(solids, camera.focal_px, camera.center_px, size, size)
    return Photo(pixels=pixels, encoded=encoded, scene=centres.nearness(), parts=centres.labels()), stage


def _composite(
    lit: Linear, seen: Bool[np.ndarray, "h w"], setup: Scenery, rng: np.random.Generator, size: int
) -> Linear:
    """What is lit over the place, with the shadow that falls on it when it is near."""
    layer = np.concatenate([lit, seen.astype(np.float32)[..., None]], 2)
    small = cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA)
    small = smear(small, setup.shot)
    behind = setup.place.linear
    if setup.place.name != "photograph":
        behind = behind * setup.light.on_background.astype(np.float32)
    else:
        behind = behind * np.float32(rng.uniform(0.7, 1.2))
    if setup.place.near:
        behind = behind * _cast_shadow(small[..., 3], setup.light, rng, size)[..., None]
    return behind * (1 - small[..., 3:]) + small[..., :3]


def _cast_shadow(
    alpha: Float[np.ndarray, "s s"], light: Surroundings, rng: np.random.Generator, size: int
) -> Float[np.ndarray, "s s"]:
    """How much light is left on a plane just behind the hands."""
    gap_px = rng.uniform(0.02, 0.1) * size
    left = 1 - 0.45 * cv2.GaussianBlur(alpha, (0, 0), 0.9 * gap_px + 1)
    for lamp in light.lamps:
        if lamp.towards[2] > -0.15:
            continue
        shift = -lamp.towards[:2] / -lamp.towards[2] * gap_px
        shift *= min(1.0, 0.22 * size / (np.hypot(*shift) + 1e-6))
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        moved = cv2.warpAffine(alpha, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.GaussianBlur(moved, (0, 0), max(0.6, 10 * lamp.softness_m * gap_px))
        share = float(lamp.colour.sum() / (light.on_background.sum() + 1e-6)) * max(0.25, -lamp.towards[2])
        left = left * (1 - min(share, 0.85) * soft)
    return left.astype(np.float32)


def _white_balance(light: Surroundings, share: float) -> Vector:
    """Gains of a white balance that takes away this share of the light's colour."""
    colour = light.on_background / light.on_background.mean()
    gains = colour**-share
    return (gains / gains.mean()).astype(np.float32)


def exposure(rng: np.random.Generator, linear: Linear, hand: Bool[np.ndarray, "s s"]) -> float:
    """Metered on the whole picture, mostly on the hands, which do not clip."""
    luma = linear @ np.array([0.3, 0.59, 0.11], np.float32)
    weights = 1 + 3 * hand
    metered = float(np.exp((np.log(np.maximum(luma + 2e-3, 1e-4)) * weights).sum() / weights.sum()))
    wanted = float((0.19 / metered) ** 0.75 * np.exp(rng.normal(0, 0.2)))
    brightest = float(np.percentile(linear[hand].max(-1), 97)) if hand.any() else 1.0
    return min(float(np.clip(wanted, 0.3, 5.0)), 0.85 / max(brightest, 1e-3))


def draw_shot(rng: np.random.Generator, side_px: int) -> Shot:
    """Mostly phones in fair light; one in ten moved, one in eight out of focus."""
    cast = np.exp(rng.normal(0, 0.03, 3))
    return Shot(
        motion_px=float(rng.uniform(0.012, 0.05) * side_px) if rng.random() < 0.09 else 0.0,
        motion_angle=float(rng.uniform(0, np.pi)),
        defocus_px=float(rng.uniform(0.003, 0.010) * side_px) if rng.random() < 0.12 else 0.0,
        softness_px=float(rng.uniform(0.3, 0.65)),
        noise=float(rng.gamma(2.0, 1.3)),
        sharpen=float(rng.choice([0.0, rng.uniform(0.1, 0.7)])),
        contrast=float(rng.uniform(0.1, 0.95)),
        saturation=float(np.clip(rng.normal(1.02, 0.12), 0.65, 1.35)),
        balance=(float(cast[0]), float(cast[1]), float(cast[2])),
        vignette=float(rng.uniform(0, 0.25)),
        jpeg=int(rng.integers(72, 97)),
        seed=int(rng.integers(1 << 30)),
    )


def smear(layer: Float[np.ndarray, "h w c"], shot: Shot) -> Float[np.ndarray, "h w c"]:
    """Motion and defocus of premultiplied light, so that edges mix with what is behind."""
    if shot.motion_px > 1:
        reach = int(np.ceil(shot.motion_px / 2))
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        step = shot.motion_px / 2 * np.array([np.cos(shot.motion_angle), np.sin(shot.motion_angle)])
        ends = [tuple(int(v) for v in np.round((reach + sign * step) * 16)) for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
        layer = cv2.filter2D(layer, -1, kernel / kernel.sum())
    if shot.defocus_px > 0.5:
        layer = cv2.GaussianBlur(layer, (0, 0), 0.6 * shot.defocus_px)
    return layer


def develop(linear: Linear, shot: Shot) -> tuple[UInt8[np.ndarray, "h w 3"], bytes]:
    """Linear light, exposed so that 0.18 is mid grey, → sRGB pixels, and the JPEG that they come out of.

    The second value is empty for ``jpeg`` 0.
    """
    height, width = linear.shape[:2]
    light = cv2.GaussianBlur(linear.astype(np.float32), (0, 0), shot.softness_px)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    far = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)[..., None]
    light = np.maximum(light * np.array(shot.balance, np.float32) * (1 - 1.6 * shot.vignette * far), 0)
    light = np.maximum(light + _noise(light, shot), 0)
    tone = _tone(light, shot.contrast)
    grey = tone @ np.array([0.3, 0.59, 0.11], np.float32)
    tone = grey[..., None] + shot.saturation * (tone - grey[..., None])
    if shot.sharpen > 0:
        tone = tone + shot.sharpen * (tone - cv2.GaussianBlur(tone, (0, 0), 1.1))
    pixels = np.clip(np.round(255 * tone), 0, 255).astype(np.uint8)
    if not shot.jpeg:
        return pixels, b""
    options = [cv2.IMWRITE_JPEG_QUALITY, shot.jpeg]
    data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)[1]
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1]), data.tobytes()


def _tone(light: Linear, contrast: float) -> Linear:
    """Between sRGB with a soft shoulder and a filmic curve (Narkowicz's fit of ACES), both in 0 … 1."""
    over = np.maximum(light - 0.7, 0)
    rolled = np.minimum(light, 0.7) + over / (1 + 2.2 * over)
    plain = np.clip(rolled, 0, 1) ** np.float32(1 / 2.2)
    x = 0.72 * light
    filmic = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1) ** np.float32(1 / 2.2)
    return (plain * (1 - contrast) + filmic * contrast).astype(np.float32)


def _noise(light: Linear, shot: Shot) -> Linear:
    """Shot noise that grows with the root of light, mostly luminance, slightly blotched by the demosaic."""
    rng = np.random.default_rng(shot.seed)
    shape = light.shape
    grain = 0.8 * rng.standard_normal((*shape[:2], 1), np.float32) + 0.6 * rng.standard_normal(
        shape, np.float32
    )
    grain = 1.25 * cv2.GaussianBlur(grain, (0, 0), 0.55)
    return shot.noise / 255 * 1.1 * np.sqrt(0.35 * light + 0.006) * grain


_SHADOW_PX = 320
_FAR_M = 200.0
"""Distance of the lamps' rasteriser, whose depths are perspective: so far away that they are straight."""

_BLEED_M = (0.0024, 0.0011, 0.0007)


def light_stage(
    stage: Stage, light: Surroundings, reaches: tuple[tuple[float, int], ...] = REACHES
) -> Linear:
    """The light that everything seen sends out, float32 at the supersampled size, 0 where nothing is."""
    linear = np.zeros((*stage.index.shape, 3), np.float32)
    if not len(stage.rows):
        return linear
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
        table, normals, points, ambient[stage.rows, stage.columns], lobes, lamps, shadows, frames, _disc(12)
    )
    soft = _bleed(stage, soft, table[:, BLEED], stage.focal_px / near)
    albedo = table[:, ALBEDO : ALBEDO + 3]
    diffuse = albedo * soft * (1 - table[:, METAL : METAL + 1])
    linear[stage.rows, stage.columns] = diffuse + gleam + albedo * table[:, GLOW : GLOW + 1]
    return linear


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
    stage: Stage, points: Points, lamps: tuple[Lamp, ...]
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


def _bleed(stage: Stage, soft: Points, bleed: Float[np.ndarray, " n"], pixels_per_m: float) -> Points:
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
