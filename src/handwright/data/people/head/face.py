"""What makes a face of a head: lips, brows, lids, cheeks and stubble painted on, and eyes."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float

from handwright.data.hands.person import tube_faces
from handwright.data.people.figure.makehuman import SKIN_VERTICES, load_figure, texture
from handwright.data.people.figure.mesh_cutting import FACE
from handwright.data.shapes import CornerUV, Faces, Linear, Points, Vector
from handwright.data.world.stage import Material, Paint, Solid, plain_solid

_LOW_M, _SPAN_M, _SIDE_PX = np.array([-0.1, 0.605]), 0.2, 480
"""The canvas: the neutral head seen from the front, x to the body's left, y up."""

_FRONT_M = 0.045
_IRIS_DEG, _PUPIL_DEG = 32.0, 12.0
Colour = tuple[float, float, float]
EYES: dict[str, Colour] = {
    "brown": (0.09, 0.04, 0.015), "dark brown": (0.035, 0.016, 0.008), "hazel": (0.14, 0.09, 0.03),
    "green": (0.11, 0.15, 0.07), "blue": (0.10, 0.18, 0.30), "grey": (0.17, 0.20, 0.22),
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What is painted on a face."""

    brows: Colour  # Colour of the brows
    brow_weight: float  # Their strength, 0 … 1
    lips: Colour  # Factors of the skin's colour
    liner: float  # Darkness of the lids' edges, 0 … 1
    stubble: float  # Darkness of the beard's shadow, 0 … 1
    blush: float  # Redness of cheeks and nose, 0 … 1
    eyes: str  # Key of ``EYES``
    seed: int  # Of the brows' hairs


def face_paint(look: Look, skin: Colour) -> Linear:
    """Factors of the skin's colour on the canvas."""
    rng = np.random.default_rng(look.seed)
    lips, lids, beard, cheeks = _masks()
    canvas = np.ones((_SIDE_PX, _SIDE_PX, 3), np.float32)

    def lay(mask: Float[np.ndarray, "s s"], factor: Vector) -> None:
        canvas[:] *= 1 + mask[..., None] * (factor.astype(np.float32) - 1)

    base = np.array(skin)
    hair = np.array(look.brows) / base
    lay(np.ones_like(cheeks), np.array([1.04, 0.955, 0.92]))
    lay(cheeks * look.blush, np.array([1.06, 0.84, 0.82]))
    grain = cv2.GaussianBlur(rng.standard_normal((_SIDE_PX, _SIDE_PX)).astype(np.float32), (0, 0), 0.7)
    lay(beard * look.stubble * np.clip(0.75 + 0.9 * grain, 0.2, 1.2), np.minimum(hair, 0.8) * 0.5 + 0.2)
    lay(lips, np.array(look.lips))
    lay(lids * look.liner, np.minimum(hair, 0.5))
    lay(_brows(look, rng), np.clip(hair, 0.02, 0.95))
    return canvas


@lru_cache(maxsize=1)
def canvas_uv() -> CornerUV:
    """Where on the canvas the corners of the body's faces are; all but the face lie on its blank edge."""
    figure = load_figure()
    points = figure.vertices_m[:SKIN_VERTICES]
    uv = _on_canvas(points[:, :2]) / _SIDE_PX
    faces = figure.groups["body"].faces
    corners = uv[faces]
    front = (points[faces][..., 2] > _FRONT_M).all(1) & (points[faces][..., 1] > _LOW_M[1]).all(1)
    corners[~front] = 0.0
    return corners.astype(np.float32)


def eye_solids(skin_m: Points, towards: Vector, look: Look, label: int) -> list[Solid]:
    """Both eyeballs of a posed body in camera space, which look at a point there (metres)."""
    solids: list[Solid] = []
    for name in ("helper-l-eye", "helper-r-eye"):
        points = skin_m[np.unique(load_figure().groups[name].faces)]
        centre = (points.min(0) + points.max(0)) / 2
        radius = float(np.linalg.norm(points - centre, axis=1).mean())
        gaze = towards - centre
        gaze /= np.linalg.norm(gaze)
        vertices, faces, uv = _ball(centre, radius, gaze)
        white = Material("solid", (1.0, 1.0, 1.0), 0.12, 0.05)
        iris = Paint(_iris(look), uv[faces].astype(np.float32))
        solids.append(plain_solid(vertices, faces, vertices * 0, white, label, paint=iris))
    return solids


def _ball(centre: Vector, radius: float, gaze: Vector) -> tuple[Points, Faces, Float[np.ndarray, "v 2"]]:
    """The front of a sphere in rings around the gaze; u = angle from it over 90°."""
    across = np.cross(gaze, [0.1, 0.95, 0.2])
    across /= np.linalg.norm(across)
    other = np.cross(gaze, across)
    angles = np.deg2rad(np.array([0.5, 6, 11, 16, 22, 28, 34, 44, 56, 70, 85]))
    around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    spokes = np.cos(around)[:, None] * across + np.sin(around)[:, None] * other
    rings = np.cos(angles)[:, None, None] * gaze + np.sin(angles)[:, None, None] * spokes
    uv = np.stack(np.broadcast_arrays((angles / (np.pi / 2))[:, None], (around / 2 / np.pi)[None]), -1)
    return centre + radius * rings.reshape(-1, 3), tube_faces(len(angles), 20), uv.reshape(-1, 2)


def _iris(look: Look) -> Linear:
    angle = np.linspace(0, 90, 360)[None, :, None]
    spoke = np.linspace(0, 1, 32)[:, None, None]
    white = np.array([0.35, 0.315, 0.29]) * (1 - 0.45 * np.clip((angle - 34) / 30, 0, 1))
    colour = (
        np.array(EYES[look.eyes])
        * (1 + 0.35 * np.sin(40 * np.pi * spoke))
        * (0.7 + 0.6 * (angle - _PUPIL_DEG) / 20)
    )
    ring = np.clip((angle - _IRIS_DEG + 5) / 5, 0, 1)
    colour = colour * (1 - 0.75 * ring)
    shade = np.where(angle < _PUPIL_DEG, 0.006, np.where(angle < _IRIS_DEG, colour, white))
    return cv2.GaussianBlur(np.broadcast_to(shade, (32, 360, 3)).astype(np.float32), (5, 1), 1.0)


def _on_canvas(points_m: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    place = (points_m - _LOW_M) / _SPAN_M * _SIDE_PX
    return np.stack([place[..., 0], _SIDE_PX - place[..., 1]], -1)


@lru_cache(maxsize=1)
def _masks() -> tuple[Float[np.ndarray, "s s"], ...]:
    """Lips, lids' edges, beard, cheeks: 0 … 1 on the canvas."""
    figure = load_figure()
    lips = np.zeros((_SIDE_PX, _SIDE_PX), np.float32)
    body = figure.groups["body"]
    mask = texture("lips")
    centre = (body.corner_uv.mean(1) * mask.shape[0]).astype(int)
    red = mask[centre[:, 1].clip(0, 2047), centre[:, 0].clip(0, 2047)] > 0.5
    for corners in _on_canvas(figure.vertices_m[body.faces[red]][..., :2]):
        cv2.fillConvexPoly(lips, np.round(corners * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    lips = cv2.GaussianBlur(lips, (0, 0), 1.2)
    face = _on_canvas(figure.vertices_m[FACE][:, :2])
    lids = np.zeros_like(lips)
    for chain in ((36, 37, 38, 39), (42, 43, 44, 45)):
        _stroke(lids, _curve(face[list(chain)]), 3.2)
    lids = cv2.GaussianBlur(lids, (0, 0), 1.0)
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX].astype(np.float32)
    jaw = np.zeros_like(lips)
    outline = np.concatenate(
        [
            face[1:16],
            face[[15]] - [26, 0],
            face[[54]] + [16, -22],
            face[[35]] + [2, 12],
            face[[31]] + [-2, 12],
            face[[48]] + [-16, -22],
            face[[1]] + [26, 0],
        ]
    )
    outline[:15] += [0, 30]
    cv2.fillPoly(jaw, [np.round(outline).astype(np.int32)], 1.0)
    beard = cv2.GaussianBlur(jaw, (0, 0), 8) * (1 - lips)
    cheeks = np.zeros_like(lips)
    for at in (
        face[[36, 39, 31]].mean(0) + np.array((-14, 26)),
        face[[45, 42, 35]].mean(0) + np.array((14, 26)),
    ):
        cheeks += np.exp(-(((x - at[0]) / 34) ** 2 + ((y - at[1]) / 26) ** 2))
    cheeks += 0.8 * np.exp(-(((x - face[30, 0]) / 22) ** 2 + ((y - face[30, 1]) / 16) ** 2))
    return lips, lids, beard, cheeks


def _brows(look: Look, rng: np.random.Generator) -> Float[np.ndarray, "s s"]:
    """Two soft bands of short hairs."""
    canvas = np.zeros((_SIDE_PX, _SIDE_PX), np.float32)
    face = _on_canvas(load_figure().vertices_m[FACE][:, :2])
    thick = 6.0 + 7.0 * look.brow_weight
    for chain, sign in (((21, 20, 19, 18, 17), -1.0), ((22, 23, 24, 25, 26), 1.0)):
        spine = _curve(face[list(chain)], 60)
        for _ in range(int(190 + 220 * look.brow_weight)):
            share = rng.random() ** 0.85
            at = spine[int(share * 59)] + [0, thick * (rng.random() - 0.5) * (1 - 0.75 * share**2)]
            lean = np.array([sign * (2 + 6 * share), -5.5 * (1 - share) ** 1.5 + 2 * share])
            ends = [tuple(int(v) for v in np.round(16 * p)) for p in (at, at + lean * rng.uniform(0.6, 1.2))]
            cv2.line(canvas, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return np.clip(cv2.GaussianBlur(canvas, (0, 0), 0.9) * (0.55 + 0.5 * look.brow_weight), 0, 0.95)


def _curve(points: Float[np.ndarray, "n 2"], count: int = 30) -> Float[np.ndarray, "c 2"]:
    """A smooth curve through points (Catmull–Rom)."""
    padded = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    t = np.linspace(0, len(points) - 1 - 1e-6, count)
    k, f = t.astype(int), (t - t.astype(int))[:, None]
    a, b, c, d = (padded[k + j] for j in range(4))
    return 0.5 * (2 * b + (c - a) * f + (2 * a - 5 * b + 4 * c - d) * f**2 + (3 * b - a - 3 * c + d) * f**3)


def _stroke(canvas: Float[np.ndarray, "s s"], line: Float[np.ndarray, "n 2"], width: float) -> None:
    cv2.polylines(canvas, [np.round(line * 16).astype(np.int32)], False, 1.0, round(width), cv2.LINE_AA, 4)
