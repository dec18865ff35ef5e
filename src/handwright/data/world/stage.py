"""Meshes of one material each, joined and rasterised; maps of skin from the drawn hand's own atlas."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.data.shapes import CornerUV, Faces, Linear, Points
from handwright.data.world._noise import draw_detail
from handwright.data.world._surface import ALBEDO, see_points, vertex_normals
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.dense import load_dense_rig
from handwright.hand.raster import Visible, rasterize

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


_DETAIL_PX = 512
_SPAN_M = 0.32

_VEINS_CM = np.array(
    [
        (0.9, 8.2, 0.7, 5.6), (0.7, 5.6, 1.5, 3.4), (1.5, 3.4, 1.9, 0.4), (1.9, 0.4, 2.0, -5.0),
        (-0.8, 8.0, -0.6, 5.9), (-0.6, 5.9, 0.7, 5.6), (-0.6, 5.9, -1.3, 3.0), (-1.3, 3.0, -1.2, -0.6),
        (-2.2, 7.2, -2.0, 5.0), (-2.0, 5.0, -1.3, 3.0), (-2.0, 5.0, -2.4, 2.0), (-1.2, -0.6, -0.6, -5.0),
        (2.1, 7.6, 1.5, 5.4), (1.5, 5.4, 0.7, 5.6),
    ],
    np.float32,
)  # fmt: skip
"""The dorsal venous network of the resting hand as line pieces x0, y0, x1, y1 in cm (Gray's Anatomy)."""


@lru_cache(maxsize=1)
def skin_levels() -> tuple[Float[np.ndarray, "s s 6"], ...]:
    """The drawn hand's atlas and its halvings: albedo 3 (128 = mean), height, nail, palmar; 0 … 255."""
    with files("handwright.drawing.skin").joinpath("skin.npz").open("rb") as stream, np.load(stream) as data:
        full = np.dstack([data["albedo"], data["height"], data["nail"], data["palmar"]]).astype(np.float32)
    return _halvings(full)


@lru_cache(maxsize=1)
def detail_levels() -> tuple[Float[np.ndarray, "s s 4"], ...]:
    """Veins, tendons, creases and where hair grows, each 0 … 1, on the back of the hand; and halvings."""
    dense = load_dense_rig()
    rig = dense.rig
    corners = rig.corner_uv.reshape(-1, 2)
    faces = np.arange(len(corners)).reshape(-1, 3)
    seen = rasterize(corners * _DETAIL_PX, np.ones(len(corners)), faces, _DETAIL_PX, _DETAIL_PX)
    flat = rig.faces.ravel()
    points = (100 * seen.interpolate(rig.vertices_m[flat], faces)).astype(np.float32)
    normals = seen.interpolate(dense.normals[flat], faces).astype(np.float32)
    fingers = np.isin(rig.weight_bones, [b for chain in FINGER_BONES for b in chain])
    share = seen.interpolate((rig.weights * fingers).sum(1)[flat][:, None], faces)[:, 0].astype(np.float32)
    knuckles = (100 * rig.joints_m[[1, 4, 10, 7]]).astype(np.float32)
    values = draw_detail(points, normals, share, _VEINS_CM, knuckles)
    full = np.zeros((_DETAIL_PX, _DETAIL_PX, 4), np.float32)
    full[seen.face >= 0] = values
    return _halvings(full)


def pick_level(levels: tuple[Float[np.ndarray, "s s c"], ...], pixels_per_m: float) -> np.ndarray:
    """The level whose texels are about as fine as the picture's pixels (no aliasing)."""
    finer = levels[0].shape[0] / _SPAN_M / pixels_per_m
    return levels[int(np.clip(np.floor(np.log2(max(finer, 1.0))), 0, len(levels) - 1))]


def _halvings(full: Float[np.ndarray, "s s c"]) -> tuple[Float[np.ndarray, "s s c"], ...]:
    levels = [np.ascontiguousarray(full)]
    while levels[-1].shape[0] > 128:
        half = levels[-1].shape[0] // 2
        smaller = cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA)
        levels.append(np.ascontiguousarray(smaller, np.float32))
    return tuple(levels)


@dataclass(frozen=True, eq=False)
class Paint:
    """A picture on a mesh; the material's own colour is multiplied by it."""

    picture: Linear  # float32 [H, W, 3] factors
    # [F, 3, 2] where in it each corner of each face is, 0 … 1; edges go on beyond
    corner_uv: CornerUV


@dataclass(frozen=True, eq=False)
class Solid:
    """A mesh of one material."""

    points_m: Points  # [V, 3] camera space
    faces: Faces  # [F, 3]; either winding, normals are turned to the camera
    # [F, 3, 2] texture coordinates; zeros where the material needs none
    corner_uv: CornerUV
    rest_m: Points  # [V, 3] coordinates that the material's patterns follow
    material: Material  # What it is made of
    owner: int  # Index of the hand that it belongs to, −1 for things
    labels: Int[np.ndarray, " v"]  # [V] what each vertex is part of, as written into the parts picture
    paint: Paint | None = None  # What is painted on it, or None


def plain_solid(
    points_m: Points,
    faces: Faces,
    rest_m: Points,
    material: Material,
    label: int,
    owner: int = -1,
    paint: Paint | None = None,
) -> Solid:
    """A mesh without texture coordinates, all of it one part."""
    empty, labels = np.zeros((len(faces), 3, 2)), np.full(len(points_m), label)
    return Solid(points_m, faces, empty, rest_m, material, owner, labels, paint)


@dataclass(frozen=True, eq=False)
class Stage:
    """A rasterised scene."""

    points_m: Points  # [V, 3] of all meshes, float32
    faces: Faces  # int64 [F, 3]
    face_solid: Int[np.ndarray, " f"]  # [F] which mesh each face is of
    solids: tuple[Solid, ...]  # The meshes
    visible: Visible  # What is seen at each sub-pixel
    rows: Int[np.ndarray, " n"]  # [N] of seen sub-pixels, row-major
    columns: Int[np.ndarray, " n"]  # [N]
    index: Int[np.ndarray, "h w"]  # int32 [h, w] into the seen points, −1 for none
    focal_px: float  # Of the supersampled picture
    center_px: tuple[float, float]  # Likewise

    @property
    def seen(self) -> Bool[np.ndarray, "h w"]:
        """Sub-pixels that show any mesh."""
        return self.visible.face >= 0

    def seen_points_m(self) -> Points:
        """Camera-space position of every seen sub-pixel, float32."""
        z = self.visible.depth_m[self.rows, self.columns]
        x = (self.columns + 0.5 - self.center_px[0]) / self.focal_px * z
        y = (self.rows + 0.5 - self.center_px[1]) / self.focal_px * z
        return np.stack([x, y, z], 1).astype(np.float32)

    def nearness(self) -> UInt8[np.ndarray, "h w"]:
        """255 · d_min / d of every sub-pixel, 0 for nothing: as estimators of whole scenes tell depth."""
        near = np.zeros(self.index.shape, np.uint8)
        d = self.visible.depth_m[self.rows, self.columns]
        near[self.rows, self.columns] = np.rint(255 * (d.min(initial=np.inf) / d)).astype(np.uint8)
        return near

    def labels(self) -> Int[np.ndarray, "h w"]:
        """What each sub-pixel shows, uint8; 0 for nothing."""
        labels = np.concatenate([solid.labels for solid in self.solids])
        out = np.zeros(self.index.shape, np.uint8)
        face = self.visible.face[self.rows, self.columns]
        nearest = self.visible.bary[self.rows, self.columns].argmax(1)
        out[self.rows, self.columns] = labels[self.faces[face, nearest]]
        return out

    def owners(self) -> Int[np.ndarray, "h w"]:
        """The hand that each sub-pixel shows, int8: −1 for things, −2 for nothing."""
        owner = np.array([solid.owner for solid in self.solids], np.int8)
        out = np.full(self.index.shape, -2, np.int8)
        out[self.rows, self.columns] = owner[self.face_solid[self.visible.face[self.rows, self.columns]]]
        return out


def set_stage(
    solids: tuple[Solid, ...], focal_px: float, center_px: tuple[float, float], height: int, width: int
) -> Stage:
    """Join meshes and rasterise them; all lengths are in sub-pixels."""
    starts = np.cumsum([0, *(len(solid.points_m) for solid in solids)])
    points = np.concatenate([solid.points_m for solid in solids])
    faces = np.concatenate([solid.faces + start for solid, start in zip(solids, starts[:-1], strict=True)])
    face_solid = np.repeat(np.arange(len(solids)), [len(solid.faces) for solid in solids])
    z = points[:, 2]
    flat = focal_px * points[:, :2] / np.maximum(z, 1e-3)[:, None] + np.asarray(center_px)
    visible = rasterize(flat, z, np.ascontiguousarray(faces, np.int64), height, width)
    rows, columns = np.nonzero(visible.face >= 0)
    index = np.full((height, width), -1, np.int32)
    index[rows, columns] = np.arange(len(rows), dtype=np.int32)
    return Stage(
        points.astype(np.float32),
        faces,
        face_solid,
        solids,
        visible,
        rows,
        columns,
        index,
        focal_px,
        center_px,
    )


def look_up(stage: Stage) -> Float[np.ndarray, "n c"]:
    """The table of seen points (columns in ``_surface``): normals, colour, relief, roughness."""
    solids = stage.solids
    near = float(np.median(stage.visible.depth_m[stage.seen])) if len(stage.rows) else 1.0
    per_m = stage.focal_px / near
    normals = np.concatenate([vertex_normals(s.points_m.astype(np.float32), s.faces) for s in solids])
    table = see_points(
        stage.rows,
        stage.columns,
        stage.visible.face,
        stage.visible.bary,
        stage.faces,
        stage.face_solid,
        normals,
        np.concatenate([s.rest_m for s in solids]).astype(np.float32),
        np.concatenate([s.corner_uv for s in solids]).astype(np.float32),
        np.stack([s.material.row() for s in solids]),
        pick_level(skin_levels(), per_m),
        pick_level(detail_levels(), per_m),
    )
    _apply_paint(stage, table)
    return table


def _apply_paint(stage: Stage, table: Float[np.ndarray, "n c"]) -> None:
    """Multiply the colours of painted solids, in place."""
    if not any(solid.paint for solid in stage.solids):
        return
    face = stage.visible.face[stage.rows, stage.columns]
    first = 0
    for solid in stage.solids:
        last = first + len(solid.faces)
        if solid.paint is not None and len(mine := np.flatnonzero((face >= first) & (face < last))):
            bary = stage.visible.bary[stage.rows[mine], stage.columns[mine]]
            uv = np.einsum("nk,nkc->nc", bary, solid.paint.corner_uv[face[mine] - first])
            table[mine, ALBEDO : ALBEDO + 3] *= _look_up_bilinear(solid.paint.picture, uv)
        first = last


def _look_up_bilinear(
    picture: Float[np.ndarray, "h w c"], uv: Float[np.ndarray, "n 2"]
) -> Float[np.ndarray, "n c"]:
    size = np.array(picture.shape[1::-1])
    at = np.clip(uv * size - 0.5, 0, size - 1.001)
    low = at.astype(np.int64)
    fx, fy = (at - low).T[..., None].astype(np.float32)
    x, y = low.T
    top = picture[y, x] * (1 - fx) + picture[y, x + 1] * fx
    return top * (1 - fy) + (picture[y + 1, x] * (1 - fx) + picture[y + 1, x + 1] * fx) * fy
