"""The visible surface of the fitted hand at each sub-pixel: normals, skin coordinates, occlusion."""
# pyright: reportMissingParameterType=false

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numba as nb
import numpy as np
from jaxtyping import Bool, Float

from handwright.drawing.geometry.wrist_alignment import WristParams, align_wrist
from handwright.hand.dense import load_dense_rig, vertex_normals
from handwright.hand.kinematics import mesh_of
from handwright.hand.raster import rasterize, silhouette_coverage
from handwright.types import Hand


@dataclass(frozen=True, kw_only=True)
class AmbientOcclusionParams:
    """Numbers of ``ambient_occlusion``; chosen by eye."""

    reach_m: float = 0.015  # Radius around a point within which others hide sky from it, metres
    taps: int = 28  # Points that are compared
    full_m: float = 0.008  # Step in depth that counts as 1, metres
    least: float = 0.12  # Step in depth from which sky is hidden at all, in ``full_m``
    slope: float = 1.2  # Share of a tap's sky that is hidden per step
    # Step from which a tap hides less, in ``full_m``: what is far in front lets light in behind it
    far: float = 3.0
    strength: float = 0.85  # Share of light that goes where all taps are hidden


@dataclass(frozen=True, kw_only=True)
class SurfaceParams:
    """Numbers of ``render_surface``."""

    # The wrist's alignment with the arm; None: it stays as it was fitted
    wrist: WristParams | None = field(default_factory=WristParams)
    occlusion: AmbientOcclusionParams = field(default_factory=AmbientOcclusionParams)  # Ambient occlusion
    # Hand size in sub-pixels that smaller hands are supersampled to, at most four times
    supersampled_px: float = 330.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Surface:
    """The hand's visible surface in a window of the picture, supersampled."""

    # bool [h·s, w·s] covered sub-pixels; the [N, …] arrays follow its row-major order
    visible: Bool[np.ndarray, "hs ws"]
    coverage: Float[np.ndarray, "h w"]  # float32 [h, w] share of each pixel that the silhouette covers
    normals: Float[np.ndarray, "n 3"]  # float32 [N, 3] unit, camera space, facing the camera (z ≤ 0)
    rest_m: Float[np.ndarray, "n 3"]  # float32 [N, 3] where on the mean resting hand each point lies
    uv: Float[np.ndarray, "n 2"]  # float32 [N, 2] texture coordinates
    occlusion: Float[np.ndarray, " n"]  # float32 [N] share of light that reaches the point, 0…1
    depth_m: Float[np.ndarray, "hs ws"]  # float32 [h·s, w·s], +inf outside
    scale: int  # Sub-pixels per pixel, s
    pixels_per_m: float  # Sub-pixels per metre at the hand's distance
    wrist_aligned: bool = False  # Whether its wrist was moved onto the picture's arm

    def place(self, values: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "hs ws c"]:
        """Scatter per-point values into a picture of zeros."""
        out = np.zeros((*self.visible.shape, values.shape[1]), np.float32)
        out[self.visible] = values
        return out

    def shrink(self, picture: Float[np.ndarray, "hs ws c"]) -> Float[np.ndarray, "h w c"]:
        """Average sub-pixels into pixels."""
        if self.scale == 1:
            return picture
        height, width = picture.shape[0] // self.scale, picture.shape[1] // self.scale
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return small.reshape(height, width, -1)


def render_surface(
    hand: Hand,
    window: tuple[int, int, int, int],
    hand_px: float,
    size: tuple[int, int] | None = None,
    arm: Bool[np.ndarray, "h w"] | None = None,
    params: SurfaceParams = SurfaceParams(),
) -> Surface:
    """Render the dense hand's attributes into a window (x0, y0, x1, y1) of its camera's picture.

    Args:
        hand: The fitted hand.
        window: Pixel box of the crop.
        hand_px: Size of the hand in pixels; small hands are supersampled more.
        size: Height and width in pixels to render the window at; its own by default.
        arm: bool of that size, the picture's own hand and arm, which the wrist is to meet.
        params: Numbers of the method.
    """
    scale = int(np.clip(round(params.supersampled_px / max(hand_px, 1.0)), 1, 4))
    dense = load_dense_rig()
    mesh = mesh_of(hand, dense.rig)
    vertices, faces = mesh.vertices_cam_m, mesh.faces
    corner_uv = dense.rig.corner_uv if hand.side == "right" else dense.rig.corner_uv[:, ::-1]
    own = window[3] - window[1], window[2] - window[0]
    height, width = (scale * pixels for pixels in size or own)
    factor = np.array([width / own[1], height / own[0]])
    points = (hand.camera.project(vertices) - np.array(window[:2])) * factor
    moved = None
    if arm is not None and params.wrist is not None:
        moved = align_wrist(points / scale, dense.rig.vertices_m[:, 1], arm, params.wrist)
        points = points if moved is None else scale * moved
    raster = rasterize(points, vertices[:, 2], faces, height, width)
    attributes = np.concatenate([vertex_normals(vertices, faces), dense.rig.vertices_m], 1).astype(np.float32)
    values = _interpolate(
        attributes, np.ascontiguousarray(corner_uv, np.float32), faces, raster.face, raster.bary
    )
    visible = raster.face >= 0
    coverage = silhouette_coverage(points / scale, faces, height // scale, width // scale)
    values = values[: int(visible.sum())]
    normals = values[:, :3]
    normals *= np.where(normals[:, 2:] > 0, np.array([1, 1, -1], np.float32), np.float32(1))
    normals /= np.maximum(np.sqrt(np.einsum("nc,nc->n", normals, normals))[:, None], 1e-6)
    pixels_per_m = hand.camera.focal_px / max(float(np.median(vertices[:, 2])), 1e-3) * float(factor[0])
    occlusion = ambient_occlusion(raster.depth_m, pixels_per_m, params.occlusion)[visible]
    return Surface(
        visible=visible,
        coverage=coverage,
        normals=normals,
        rest_m=values[:, 3:6],
        uv=values[:, 6:8],
        occlusion=occlusion,
        depth_m=raster.depth_m,
        scale=scale,
        pixels_per_m=pixels_per_m,
        wrist_aligned=moved is not None,
    )


def ambient_occlusion(
    depth_m: Float[np.ndarray, "h w"],
    pixels_per_m: float,
    params: AmbientOcclusionParams = AmbientOcclusionParams(),
) -> Float[np.ndarray, "h w"]:
    """Share of the sky that is open to each surface point, 0…1, from the depth image alone.

    Args:
        depth_m: Distance per sub-pixel in metres, +inf where nothing is.
        pixels_per_m: Sub-pixels per metre at the hand's distance.
        params: Numbers of the method.

    Source:
        Screen-space ambient occlusion (Mittring, Finding Next Gen: CryEngine 2, 2007).
    """
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, params.taps)
    radius = np.sqrt(rng.uniform(0.02, 1, params.taps)) * pixels_per_m * params.reach_m
    taps = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.int64)
    steps = params.full_m, params.least, params.slope, params.far, params.strength
    return cv2.blur(_occlusion(depth_m, taps, *steps), (5, 5))


@nb.njit(cache=True, nogil=True)
def _interpolate(attributes, corner_uv, faces, face, bary):  # noqa: ANN001, ANN202
    height, width = face.shape
    out = np.empty((height * width, 8), np.float32)
    n = 0
    for r in range(height):
        for c in range(width):
            t = face[r, c]
            if t < 0:
                continue
            a, b, g = bary[r, c, 0], bary[r, c, 1], bary[r, c, 2]
            i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
            for q in range(6):
                out[n, q] = a * attributes[i, q] + b * attributes[j, q] + g * attributes[k, q]
            for q in range(2):
                out[n, 6 + q] = a * corner_uv[t, 0, q] + b * corner_uv[t, 1, q] + g * corner_uv[t, 2, q]
            n += 1
    return out


@nb.njit(cache=True, nogil=True)
def _occlusion(depth, taps, full_m, least, slope, far, strength):  # noqa: ANN001, ANN202
    """Open share of the sky: a tap in front of a point hides sky, less of it when it is far in front."""
    height, width = depth.shape
    out = np.ones((height, width), np.float32)
    for r in range(height):
        for c in range(width):
            if not np.isfinite(depth[r, c]):
                continue
            hidden = 0.0
            for k in range(taps.shape[0]):
                y, x = r + taps[k, 1], c + taps[k, 0]
                if y < 0 or x < 0 or y >= height or x >= width or not np.isfinite(depth[y, x]):
                    continue
                gap = (depth[r, c] - depth[y, x]) / full_m
                if gap > least:
                    hidden += min((gap - least) * slope, 1.0) / (1.0 + max(0.0, gap - far))
            out[r, c] = 1.0 - strength * hidden / taps.shape[0]
    return out
