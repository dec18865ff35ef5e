"""Painters of backgrounds: rooms, desks, countryside, walls, and somebody out of focus; linear light."""

import cv2
import numpy as np

from handwright.data.shapes import Linear
from handwright.data.world.scenery import Canvas, draw_wood, noise, rect, touched_box


def defocused(picture: Canvas, radius_px: float) -> Canvas:
    """Blur by a disc, as apertures do; bright spots become discs."""
    if radius_px < 0.6:
        return picture
    reach = int(np.ceil(radius_px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return cv2.filter2D(picture, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101)


def _colour(rng: np.random.Generator, low: float = 0.06, high: float = 0.7, tint: float = 0.16) -> np.ndarray:
    value = np.exp(rng.uniform(np.log(low), np.log(high)))
    return np.clip(value * np.exp(rng.normal(0, tint, 3)), 0.008, 0.9)


def _fill(picture: Canvas, corners: np.ndarray, colour: np.ndarray, shade: float = 0.0) -> None:
    """A polygon, darker towards its lower end by ``shade``."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    touched = touched_box(corners, picture.shape[0])
    share = (mask[touched].astype(np.float32) / 255)[..., None]
    y = np.linspace(0, 1, picture.shape[0], dtype=np.float32)[touched[0], None, None]
    picture[touched] = picture[touched] * (1 - share) + colour.astype(np.float32) * (1 - shade * y) * share


def draw_room(rng: np.random.Generator, side: int) -> Canvas:
    """Two walls, a floor, a window, furniture with lit tops, a lamp, a plant."""
    s, wall = float(side), _colour(rng, 0.25, 0.8, 0.09)
    picture = np.ones((side, side, 3), np.float32) * wall.astype(np.float32)
    corner, floor = rng.uniform(-0.4, 1.4) * s, rng.uniform(0.6, 0.92) * s
    side_wall = np.array([(corner, -9), (corner, floor), (-9, floor + 0.5 * corner), (-9, -9)])
    _fill(picture, side_wall, 0.8 * wall)
    ground = _colour(rng, 0.06, 0.4, 0.15)
    edge = [(-9, floor + 0.5 * max(corner, 0)), (corner, floor), (s + 9, floor + 0.1 * s)]
    _fill(picture, np.array([(-9, s + 9), *edge, (s + 9, s + 9)]), ground, 0.2)
    if rng.random() < 0.5:
        _window(picture, rng, s)
    for _ in range(int(rng.integers(1, 5))):
        _furniture(picture, rng, s, floor)
    if rng.random() < 0.35:
        x, y = rng.uniform(0, s), rng.uniform(0.1, 0.6) * s
        yy, xx = np.mgrid[:side, :side]
        glow = np.exp(-np.hypot(xx - x, yy - y) / (0.12 * s))[..., None]
        picture += (glow * np.array([1.0, 0.75, 0.45]) * rng.uniform(0.2, 0.8)).astype(np.float32)
        lamp = rect(x - 0.05 * s, y - 0.05 * s, x + 0.05 * s, y + 0.04 * s)
        _fill(picture, lamp, np.array([1.3, 1.1, 0.8]))
    if rng.random() < 0.35:
        _plant(picture, rng, np.array([rng.uniform(0, s), floor]), rng.uniform(0.15, 0.4) * s)
    return picture


def _window(picture: Canvas, rng: np.random.Generator, s: float) -> None:
    x, y, w, h = (rng.uniform(*span) * s for span in ((-0.2, 0.8), (-0.1, 0.25), (0.2, 0.5), (0.3, 0.6)))
    bright = np.array([0.9, 0.97, 1.05]) * rng.uniform(1.0, 2.2)
    frame = rect(x - 0.02 * s, y - 0.02 * s, x + w + 0.02 * s, y + h + 0.02 * s)
    _fill(picture, frame, np.full(3, rng.uniform(0.3, 0.8)))
    _fill(picture, rect(x, y, x + w, y + h), bright)
    if rng.random() < 0.6:
        _fill(picture, rect(x, y + 0.6 * h, x + w, y + h), bright * np.array([0.35, 0.5, 0.25]))
    for k in range(1, int(rng.integers(2, 4))):
        at = x + w * k / 3
        _fill(picture, rect(at - 0.008 * s, y, at + 0.008 * s, y + h), np.full(3, 0.5))
    if rng.random() < 0.5:
        curtain = _colour(rng, 0.2, 0.8, 0.15)
        for k in range(6):
            fold = rect(x - 0.12 * s + 0.02 * s * k, y - 0.03 * s, x - 0.1 * s + 0.02 * s * k, s)
            _fill(picture, fold, curtain * rng.uniform(0.7, 1.1))


def _furniture(picture: Canvas, rng: np.random.Generator, s: float, floor: float) -> None:
    x, w, h = rng.uniform(-0.2, 0.95) * s, rng.uniform(0.12, 0.5) * s, rng.uniform(0.08, 0.45) * s
    base, colour = floor + rng.uniform(-0.02, 0.2) * s, _colour(rng, 0.03, 0.6, 0.25)
    top = rng.uniform(0.01, 0.05) * s
    shadow = rect(x - 0.02 * s, base - 0.01 * s, x + w + 0.03 * s, base + 0.03 * s)
    _fill(picture, shadow, 0.4 * _colour(rng, 0.05, 0.2))
    _fill(picture, rect(x, base - h, x + w, base), colour, 0.35)
    lid = np.array(
        [(x, base - h), (x + w, base - h), (x + w - 0.04 * s, base - h - top), (x + 0.04 * s, base - h - top)]
    )
    _fill(picture, lid, np.minimum(1.6 * colour + 0.02, 0.9))
    for k in range(1, int(rng.integers(1, 5))):
        y = base - h * k / 4
        _fill(picture, rect(x, y - 0.004 * s, x + w, y + 0.004 * s), 0.5 * colour)


def _plant(picture: Canvas, rng: np.random.Generator, foot: np.ndarray, size: float) -> None:
    for _ in range(26):
        angle, length = rng.normal(-np.pi / 2, 0.6), size * rng.uniform(0.5, 1.1)
        tip = foot + length * np.array([np.cos(angle), np.sin(angle)])
        across = 0.06 * size * np.array([-np.sin(angle), np.cos(angle)])
        green = np.array([0.09, 0.2, 0.05]) * np.exp(rng.normal(0, 0.35))
        _fill(picture, np.array([foot, (foot + tip) / 2 + across, tip, (foot + tip) / 2 - across]), green)


def draw_desk(rng: np.random.Generator, side: int) -> Canvas:
    """A table from above with paper, notebook, keyboard, mug, pens."""
    s = float(side)
    if rng.random() < 0.45:
        picture = draw_wood(rng, side)
    else:
        picture = np.ones((side, side, 3), np.float32) * _colour(rng, 0.15, 0.8, 0.06).astype(np.float32)
        picture *= (1 + 0.03 * noise(rng, side, 60, 4))[..., None]
    for _ in range(int(rng.integers(1, 6))):
        centre, turn = rng.uniform(0, s, 2), rng.uniform(0, np.pi)
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        half = s * np.array([rng.uniform(0.08, 0.3), rng.uniform(0.06, 0.4)])
        sheet = rng.random() < 0.5
        colour = (
            np.array([0.78, 0.77, 0.74]) * rng.uniform(0.8, 1.1) if sheet else _colour(rng, 0.02, 0.6, 0.35)
        )
        box = (rect(-1, -1, 1, 1) * half) @ matrix.T + centre
        _fill(picture, box + 0.012 * s, 0.35 * picture.mean((0, 1)))
        _fill(picture, box, colour)
        for k in range(int(rng.integers(3, 14)) if sheet else 0):
            line = rect(-0.8, -0.85 + 0.12 * k, rng.uniform(0.2, 0.8), -0.83 + 0.12 * k)
            _fill(picture, (line * half) @ matrix.T + centre, 0.35 * colour)
    if rng.random() < 0.4:
        x, y, key = rng.uniform(-0.2, 0.5) * s, rng.uniform(0, 0.8) * s, 0.055 * s
        dark = _colour(rng, 0.02, 0.7, 0.03)
        _fill(picture, rect(x, y, x + 11.5 * key, y + 4.6 * key), 0.5 * dark)
        for row in range(4):
            for column in range(10):
                at = np.array([x + (0.5 + column + 0.25 * row) * key, y + (0.3 + row) * key])
                _fill(picture, rect(at[0], at[1], at[0] + 0.85 * key, at[1] + 0.85 * key), dark)
    return np.asarray(picture, np.float32)


def draw_landscape(rng: np.random.Generator, side: int) -> Canvas:
    """Sky with clouds, hills that fade with distance, trees, grass or sand."""
    y = np.linspace(0, 1, side, dtype=np.float32)[:, None]
    clouds = np.clip(noise(rng, side, 3, 5, stretch=0.5) * 0.5 + rng.uniform(-0.4, 0.5), 0, 1)[..., None]
    sky = np.array([0.22, 0.42, 0.85]) * (1 - y[..., None]) + np.array([0.75, 0.85, 0.95]) * y[..., None]
    picture = (sky * (1 - clouds) + clouds * 0.95).astype(np.float32)
    horizon = rng.uniform(0.3, 0.75) * side
    columns = np.arange(side)
    for layer in range(3):
        bumps = 0.06 * side * noise(rng, side, 2 + 2 * layer, 3)[side // 2]
        crest = horizon + side * (0.05 * layer - 0.08) + bumps
        haze = np.array([0.55, 0.65, 0.75]) * (0.55 - 0.22 * layer)
        green = np.array([0.08, 0.14, 0.05]) * np.exp(rng.normal(0, 0.2, 3))
        outline = np.concatenate([np.stack([columns, crest], 1), [(side + 9, side + 9), (-9, side + 9)]])
        _fill(picture, outline, haze + green)
    ground = np.array([0.16, 0.22, 0.07]) if rng.random() < 0.7 else np.array([0.5, 0.42, 0.3])
    rough = np.clip(1 + 0.35 * noise(rng, side, 30, 5, stretch=2.5), 0.2, 2)[..., None]
    below = np.clip((y - (horizon + 0.06 * side) / side) * 40, 0, 1)[..., None]
    picture = picture * (1 - below) + ground * rng.uniform(0.6, 1.3) * rough * below
    canvas = np.ascontiguousarray(picture, np.float32)
    for _ in range(int(rng.integers(0, 6))):
        foot = np.array([rng.uniform(0, side), horizon + rng.uniform(0.02, 0.12) * side])
        size = rng.uniform(0.06, 0.25) * side
        for _ in range(14):
            centre = foot - [0, size] + rng.normal(0, 0.3, 2) * size
            leaf = np.array([0.05, 0.10, 0.03]) * np.exp(rng.normal(0, 0.4))
            around = np.linspace(0, 2 * np.pi, 12)
            _fill(canvas, centre + 0.3 * size * np.stack([np.cos(around), np.sin(around)], 1), leaf)
    return canvas


def draw_bricks(rng: np.random.Generator, side: int, tiled: bool = False) -> Canvas:
    """A wall of bricks, or of glazed tiles."""
    height = side / int(rng.integers(4, 12) if tiled else rng.integers(8, 20))
    width = height * (rng.choice([1.0, 2.0]) if tiled else 2.6)
    clay = np.array([0.32, 0.13, 0.08])
    base = _colour(rng, 0.3, 0.85, 0.1) if tiled else clay * np.exp(rng.normal(0, 0.25, 3))
    y, x = np.mgrid[:side, :side].astype(np.float32)
    row = np.floor(y / height)
    shift = (row % 2) * 0.5 * width * (not tiled)
    column = np.floor((x + shift) / width)
    tone = rng.normal(0, 0.18 if not tiled else 0.03, 4096)[((row * 57 + column * 131) % 4096).astype(int)]
    up, along = y % height, (x + shift) % width
    joint = np.minimum(np.minimum(up, height - up), np.minimum(along, width - along))
    mortar = np.clip(1.6 - joint / (0.07 * height), 0, 1)[..., None]
    rough = (1 + (0.12 if not tiled else 0.015) * noise(rng, side, 40, 5))[..., None]
    brick = base * np.exp(tone)[..., None] * rough
    return (brick * (1 - mortar) + mortar * rng.uniform(0.25, 0.6) * rough).astype(np.float32)


def add_person(picture: Canvas, rng: np.random.Generator, side: int) -> Linear:
    """Somebody out of focus: shoulders, neck, head, hair."""
    s = float(side)
    layer, covered = np.zeros_like(picture), np.zeros_like(picture)
    centre, top, size = rng.uniform(0.1, 0.9) * s, rng.uniform(-0.35, 0.25) * s, rng.uniform(0.13, 0.27) * s
    skin = np.array([0.5, 0.33, 0.25]) * np.exp(rng.uniform(-1.6, 0.25))
    shirt, hair = _colour(rng, 0.02, 0.7, 0.4), np.array([0.06, 0.035, 0.02]) * np.exp(rng.normal(0, 0.8))
    around = np.linspace(0, 2 * np.pi, 40)
    oval = np.stack([np.cos(around), np.sin(around)], 1)
    neck = top + 1.5 * size
    body = [
        (-2.3, 6), (-2.2, 1.0), (-1.7, 0.55), (-0.5, 0.25), (0.5, 0.25), (1.7, 0.55), (2.2, 1.0), (2.3, 6),
    ]  # fmt: skip
    shapes = [
        (oval * size * [0.92, 1.2] + [centre, top + 0.32 * size], hair),
        (np.array(body) * 0.62 * size + [centre, neck], shirt),
        (rect(centre - 0.32 * size, top + 0.8 * size, centre + 0.32 * size, neck + 0.28 * size), 0.8 * skin),
        (oval * size * [0.72, 0.98] + [centre, top + 0.5 * size], skin),
        (oval[20:] * size * [0.8, 0.75] + [centre, top + 0.12 * size], hair),
    ]
    for corners, colour in shapes:
        _fill(layer, corners, colour, 0.25)
        _fill(covered, corners, np.ones(3))
    x = np.mgrid[:side, :side][1].astype(np.float32)
    lit = np.tanh((x - centre) / size * rng.choice([-1.0, 1.0]))
    shade = 0.75 + 0.35 * lit + 0.05 * noise(rng, side, 6, 3)
    blur = rng.uniform(0.022, 0.05) * s
    soft = defocused(covered, blur)
    return picture * (1 - soft) + defocused(layer * shade[..., None].astype(np.float32), blur)
