"""Bake the procedural skin of the rest hand into src/handwright/drawing/skin/skin.npz.

Everything is drawn from formulas on rest positions (centimetres): no photograph is involved.
Channels of the atlas, uint8 [S, S] each, addressed by the rig's ``corner_uv``: ``albedo`` [S, S, 3]
relative to the hand's mean (128 = 1, linear light), ``height`` (128 = 0, 1/127 = full relief),
``nail`` (255 = nail plate), ``palmar`` (255 = palm side).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.dense import load_dense_rig
from handwright.hand.raster import rasterize
from handwright.image.compositing import smoothstep

SIZE = 1024


def value_noise(points: np.ndarray, frequency: float, seed: int) -> np.ndarray:
    """Smooth noise in −.5 … .5 at [N, 3] points, ``frequency`` cells per centimetre."""
    table = np.random.default_rng(seed).random((64, 64, 64))
    scaled = points * frequency
    cell = np.floor(scaled).astype(int)
    f = scaled - cell
    f = f * f * (3 - 2 * f)
    out = np.zeros(len(points))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod([f[:, k] if corner[k] else 1 - f[:, k] for k in range(3)], axis=0)
        index = tuple((cell[:, k] + corner[k]) % 64 for k in range(3))
        out += weight * table[index]
    return out - 0.5


class Canvas:
    """Texels of the atlas with their rest position, normal, bone weights and running albedo and height."""

    def __init__(self) -> None:
        dense = load_dense_rig()
        rig, size = dense.rig, SIZE
        corners = rig.corner_uv.reshape(-1, 2)
        faces = np.arange(len(corners)).reshape(-1, 3)
        seen = rasterize(corners * size, np.ones(len(corners)), faces, size, size)
        flat = rig.faces.ravel()
        self.covered = seen.face >= 0
        self.p = 100 * seen.interpolate(rig.vertices_m[flat], faces)
        self.n = seen.interpolate(dense.normals[flat], faces)
        self.n /= np.linalg.norm(self.n, axis=1, keepdims=True)
        full = np.zeros((len(rig.vertices_m), 20))
        np.put_along_axis(full, rig.weight_bones, rig.weights, 1)
        self.w = seen.interpolate(full[flat], faces)
        self.joints, self.tips, self.axes = rig.joints_m * 100, rig.tips_m * 100, rig.finger_axes
        self.albedo = np.ones((len(self.p), 3))
        self.height = np.zeros(len(self.p))
        self.nail = np.zeros(len(self.p))
        dorsal = np.zeros((len(self.p), 3))
        for f, chain in enumerate(FINGER_BONES):
            dorsal += self.w[:, list(chain)].sum(1, keepdims=True) * self.dorsal(f)
        fingers = self.w[:, [b for chain in FINGER_BONES for b in chain]].sum(1, keepdims=True)
        dorsal += (1 - fingers) * np.array([0, 0, -1.0])
        self.palmar = smoothstep(0.2, -0.4, (self.n * dorsal).sum(1))

    def dorsal(self, finger: int) -> np.ndarray:
        """Unit vector out of the back of a finger: away from where flexion moves its tip."""
        along = self.tips[finger] - self.joints[FINGER_BONES[finger][0]]
        return -np.cross(self.axes[finger, 0], along / np.linalg.norm(along))

    def tint(self, amount: np.ndarray, rgb: tuple[float, float, float]) -> None:
        """Multiply albedo by 1 + amount · rgb."""
        self.albedo *= 1 + amount[:, None] * np.array(rgb)

    def line(self, amount: np.ndarray, depth: float) -> None:
        """A crease: darker, redder, and a groove."""
        self.tint(-depth * amount, (0.75, 1.0, 1.05))
        self.height -= 1.2 * depth * amount


def mottling(c: Canvas) -> None:
    """Uneven pigmentation and blood, at three scales; lighter palm."""
    c.tint(c.palmar, (0.09, 0.10, 0.12))
    c.tint(value_noise(c.p, 1.1, 1) * 0.6 + value_noise(c.p, 2.7, 2) * 0.4, (0.09, 0.10, 0.11))
    c.tint(value_noise(c.p, 0.45, 3), (0.09, -0.05, -0.07))
    blotch = smoothstep(0.08, 0.3, value_noise(c.p, 2.2, 4)) * c.palmar
    c.tint(blotch, (-0.01, -0.05, -0.05))
    c.height += 0.10 * value_noise(c.p, 5.0, 5) + 0.10 * value_noise(c.p, 11.0, 6)


def palm_lines(c: Canvas) -> None:
    """Thenar, proximal and distal palmar creases, wrist crease, and faint secondary lines."""
    x, y = c.p[:, 0], c.p[:, 1]
    palm = c.palmar * smoothstep(2.0, 3.0, y) * smoothstep(10.4, 9.6, y)
    wobble = 0.12 * value_noise(c.p, 1.3, 7) + 0.05 * value_noise(c.p, 3.1, 8)

    def crease(path: np.ndarray, width: float, depth: float) -> None:
        gap = np.full(len(x), 9.0)
        where = np.zeros(len(x))
        for k in range(len(path) - 1):
            a, b = path[k], path[k + 1]
            t = np.clip(((x - a[0]) * (b - a)[0] + (y - a[1]) * (b - a)[1]) / ((b - a) @ (b - a)), 0, 1)
            d = np.hypot(x - a[0] - t * (b - a)[0] + wobble, y - a[1] - t * (b - a)[1] + wobble)
            near = d < gap
            gap = np.where(near, d, gap)
            where = np.where(near, (k + t) / (len(path) - 1), where)
        fade = smoothstep(0.0, 0.12, where) * smoothstep(1.0, 0.8, where)
        c.line(np.exp(-((gap / width) ** 2)) * fade * palm, depth)
        c.tint(np.exp(-((gap / (4 * width)) ** 2)) * fade * palm, (0.01, -0.04, -0.04))

    arc = np.linspace(0, 1, 12)
    thenar = np.stack([2.6 - 2.6 * np.sin(arc * 1.7) ** 0.9, 7.4 - 4.9 * arc], 1)
    crease(thenar, 0.055, 0.12)
    crease(np.stack([2.5 - 5.4 * arc, 7.3 - 0.6 * arc - 1.5 * arc**2], 1), 0.05, 0.10)
    crease(np.stack([-3.6 + 4.6 * arc, 7.1 + 0.5 * arc + 1.4 * arc**2], 1), 0.05, 0.11)
    rng = np.random.default_rng(9)
    for _ in range(9):
        start, angle = rng.uniform((-3, 3), (2.4, 8.4)), rng.uniform(0, np.pi)
        crease(
            start + np.outer(arc - 0.5, [np.cos(angle), np.sin(angle)]) * rng.uniform(0.8, 2.0), 0.035, 0.025
        )
    c.line(np.exp(-(((y - 0.7 + wobble) / 0.06) ** 2)) * c.palmar * (np.abs(x) < 2.8), 0.08)


def finger_skin(c: Canvas) -> None:
    """Joint creases in front, wrinkled knuckles behind, pink fingertips, nails."""
    rng = np.random.default_rng(11)
    for f, chain in enumerate(FINGER_BONES):
        points = [*c.joints[list(chain)], c.tips[f]]
        back = c.dorsal(f)
        mine = smoothstep(0.3, 0.7, c.w[:, list(chain)].sum(1))
        for q in range(3):
            axis = points[q + 1] - points[q]
            length = np.linalg.norm(axis)
            axis = axis / length
            up = back - axis * (axis @ back)
            up /= np.linalg.norm(up)
            side = np.cross(up, axis)
            offset = c.p - points[q]
            z, lateral = offset @ axis, offset @ side
            near = mine * (np.linalg.norm(offset, axis=1) < length + 1.2)
            bend = 0.10 * value_noise(c.p, 1.6, 20 + 3 * f + q) + 0.03 * value_noise(c.p, 5.0, 40 + 3 * f + q)
            if q > 0:
                knuckle(c, z, lateral, near * (1 - c.palmar), wide=0.62 if q == 1 else 0.42)
                joint_creases(
                    c, z + bend + (0.15 if q == 1 else 0.0), lateral, near * c.palmar, rng, strong=q == 1
                )
            elif f > 0:
                gap = z - 2.0 + 0.18 * f + bend
                c.line(np.exp(-((gap / 0.06) ** 2)) * near * c.palmar, 0.11)
                rise = np.exp(-((z / 0.8) ** 2) - (lateral / 0.8) ** 2) * (1 - c.palmar)
                c.tint(rise, (0.03, -0.05, -0.07))
            if q == 2:
                pad = smoothstep(0.45 * length, length, z) * near
                c.tint(pad * c.palmar, (0.05, -0.03, -0.02))
                c.tint(pad * (1 - c.palmar), (0.02, -0.01, -0.01))
                nail(c, f, z / length, lateral, c.n @ up, near)


def knuckle(c: Canvas, z: np.ndarray, lateral: np.ndarray, where: np.ndarray, wide: float) -> None:
    """Redder, darker skin with curved wrinkles over a finger joint."""
    blob = np.exp(-((z / wide) ** 2)) * where
    c.tint(blob, (0.01, -0.07, -0.09))
    curve = z - 0.22 * np.sign(z) * (lateral / 0.7) ** 2 * np.exp(-np.abs(z))
    phase = curve * 2 * np.pi / 0.20 + 1.5 * value_noise(c.p, 2.4, 60)
    ridges = np.maximum(np.sin(phase), 0) ** 2 * np.exp(-((z / (0.62 * wide)) ** 2)) * where
    ridges *= np.exp(-((lateral / 0.75) ** 4)) * (0.6 + 0.8 * (value_noise(c.p, 4.0, 61) + 0.5))
    c.line(ridges, 0.11)


def joint_creases(
    c: Canvas, z: np.ndarray, lateral: np.ndarray, where: np.ndarray, rng: np.random.Generator, strong: bool
) -> None:
    """One deep and two or three faint lines across the front of a finger joint."""
    spots = [
        (0.0, 0.05, 0.15 if strong else 0.11),
        (0.17, 0.04, 0.06),
        (-0.16, 0.035, 0.05),
        (0.34, 0.03, 0.04),
    ]
    for at, width, depth in spots:
        tilt = rng.normal() * 0.06
        c.line(np.exp(-(((z - at - tilt * lateral) / width) ** 2)) * where, depth)


def nail(
    c: Canvas, finger: int, along: np.ndarray, lateral: np.ndarray, facing: np.ndarray, near: np.ndarray
) -> None:
    """Plate, lunula, free edge and the fold around it."""
    half_width = (0.60, 0.48, 0.50, 0.48, 0.40)[finger]
    u, v = (along - 0.70) / 0.34, lateral / half_width
    radius = (np.abs(u) ** 2.6 + np.abs(v) ** 2.6) ** (1 / 2.6)
    top = near * smoothstep(0.25, 0.55, facing)
    plate = top * smoothstep(1.05, 0.95, radius)
    fold = top * np.exp(-(((radius - 1.06) / 0.07) ** 2))
    shade = np.stack([1.06 + 0.10 * (u > 0.80), 1.0 + 0.16 * (u > 0.80), 1.02 + 0.14 * (u > 0.80)], 1)
    lunula = smoothstep(-0.60, -0.80, u + 0.25 * v * v) * 0.07
    shade = shade * (1 + lunula[:, None]) * (1 - 0.05 * (v * v))[:, None]
    c.albedo = c.albedo * (1 - plate[:, None]) + plate[:, None] * shade
    c.tint(-0.13 * fold, (0.8, 1.0, 1.0))
    c.height = c.height * (1 - plate) + plate * 0.15 * (1 - v * v) - 0.35 * fold
    c.nail = np.maximum(c.nail, plate)


def veins_and_tendons(c: Canvas) -> None:
    """Faint bluish veins and the tendons' low ridges on the back of the hand."""
    x, y = c.p[:, 0], c.p[:, 1]
    back = (1 - c.palmar) * smoothstep(0.5, 2.0, y) * smoothstep(9.5, 8.0, y)
    wander = 0.9 * value_noise(c.p, 0.35, 70) + 0.3 * value_noise(c.p, 0.9, 71)
    for x0, slope in ((-2.3, -0.06), (-0.6, 0.02), (1.1, 0.10)):
        gap = x - x0 - slope * (y - 4) + wander * 1.6
        c.tint(np.exp(-((gap / 0.16) ** 2)) * back, (-0.045, -0.015, 0.01))
        c.height += 0.35 * np.exp(-((gap / 0.22) ** 2)) * back
    for f in range(1, 5):
        knuckle_x = c.joints[FINGER_BONES[f][0], 0]
        gap = x - knuckle_x * (0.35 + 0.65 * np.clip(y / 8.5, 0, 1))
        c.height += 0.25 * np.exp(-((gap / 0.22) ** 2)) * back * smoothstep(2.5, 6.5, y)


def dilate(image: np.ndarray, covered: np.ndarray, rounds: int = 12) -> np.ndarray:
    """Grow the covered texels outwards so that bilinear look-ups never meet the void."""
    image, covered = image.astype(np.float64), covered.copy()
    for _ in range(rounds):
        total, count = np.zeros_like(image), np.zeros(covered.shape)
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            shifted = np.roll(covered, (dy, dx), (0, 1))
            total += np.roll(image, (dy, dx), (0, 1)) * shifted[..., None]
            count += shifted
        new = ~covered & (count > 0)
        image[new] = total[new] / count[new][:, None]
        covered |= new
    return image


def main() -> None:
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=root / "src/handwright/drawing/skin/skin.npz")
    args = parser.parse_args()
    c = Canvas()
    for layer in (mottling, palm_lines, finger_skin, veins_and_tendons):
        layer(c)
    c.albedo /= np.median(c.albedo, 0)
    atlas = np.zeros((SIZE, SIZE, 6))
    atlas[c.covered] = np.column_stack(
        [128 * c.albedo, 128 + 127 * np.clip(c.height, -1, 1), 255 * c.nail, 255 * c.palmar]
    )
    atlas = np.clip(np.round(dilate(atlas, c.covered)), 0, 255).astype(np.uint8)
    np.savez_compressed(
        args.output, albedo=atlas[..., :3], height=atlas[..., 3], nail=atlas[..., 4], palmar=atlas[..., 5]
    )
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
