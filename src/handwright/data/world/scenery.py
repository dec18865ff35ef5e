"""Procedural surroundings: rooms, shelves, tables, gardens, streets, cloth. No photograph is involved."""

import cv2
import numpy as np

from handwright.data.shapes import Linear

Canvas = Linear


def noise(
    rng: np.random.Generator, side_px: int, cells: float, octaves: int = 4, stretch: float = 1.0
) -> np.ndarray:
    """Fractal noise [S, S] of about unit deviation; ``stretch`` > 1 draws it out along the rows."""
    total, weight = np.zeros((side_px, side_px), np.float32), 1.0
    for _ in range(octaves):
        across = max(2, round(cells / stretch))
        grid = rng.standard_normal((max(2, round(cells)) + 3, across + 3)).astype(np.float32)
        big = cv2.resize(grid, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        total += weight * big
        weight, cells = weight * 0.55, cells * 2
        if cells > side_px / 2:
            break
    return total / (total.std() + 1e-6)


def _muted(rng: np.random.Generator, low: float = 0.08, high: float = 0.7) -> np.ndarray:
    """A colour as rooms have them: mostly grey, a little tinted."""
    value = np.exp(rng.uniform(np.log(low), np.log(high)))
    tint = np.exp(rng.normal(0, 0.16, 3) + rng.choice([0, 1]) * np.array([0.08, 0.0, -0.12]))
    return np.clip(value * tint, 0.01, 0.9)


def _vivid(rng: np.random.Generator) -> np.ndarray:
    hsv = np.array([[[rng.integers(180), rng.integers(60, 200), rng.integers(50, 230)]]], np.uint8)
    return (cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0] / 255.0) ** 2.2


def _fill(rng: np.random.Generator, side: int, colour: np.ndarray, rough: float) -> Canvas:
    texture = 1 + rough * noise(rng, side, rng.uniform(3, 9), 6)
    return (np.ones((side, side, 1)) * colour * np.clip(texture, 0.3, 1.7)[..., None]).astype(np.float32)


def _quad(picture: Canvas, corners: np.ndarray, colour: np.ndarray) -> None:
    layer = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(layer, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    touched = touched_box(corners, picture.shape[0])
    share = (layer[touched] / 255.0)[..., None]
    picture[touched] = picture[touched] * (1 - share) + np.asarray(colour) * share


def touched_box(corners: np.ndarray, side: int) -> tuple[slice, slice]:
    """Rows and columns of a picture that an anti-aliased polygon can reach."""
    low = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, side)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 3, 0, side)
    return slice(low[1], high[1]), slice(low[0], high[0])


def rect(x0: float, y0: float, x1: float, y1: float, lean: float = 0.0) -> np.ndarray:
    """Corners [4, 2] of a box whose lower end leans to the right by so many pixels."""
    return np.array([(x0, y0), (x1, y0), (x1 + lean, y1), (x0 + lean, y1)], float)


def draw_wall(rng: np.random.Generator, side: int) -> Canvas:
    """A wall with pictures, a door or a window, perhaps a skirting board."""
    picture = _fill(rng, side, _muted(rng, 0.2, 0.75), 0.02)
    for _ in range(rng.integers(0, 3)):
        w, h = rng.uniform(0.15, 0.45, 2) * side
        x, y = rng.uniform(-0.1, 0.8, 2) * side
        shade = rect(x + 0.01 * side, y + 0.015 * side, x + w + 0.012 * side, y + h + 0.018 * side)
        _quad(picture, shade, picture.mean((0, 1)) * 0.6)
        _quad(picture, rect(x, y, x + w, y + h), _muted(rng, 0.02, 0.4))
        rim = rng.uniform(0.008, 0.03) * side
        inner = _fill(rng, side, _muted(rng, 0.1, 0.7), 0.25)
        mask = np.zeros((side, side), np.uint8)
        cv2.rectangle(mask, (int(x + rim), int(y + rim)), (int(x + w - rim), int(y + h - rim)), 1, -1)
        picture[mask > 0] = inner[mask > 0]
    if rng.random() < 0.45:
        x = rng.uniform(0.05, 0.9) * side
        _quad(picture, rect(x, -2, x + rng.uniform(0.2, 0.6) * side, side + 2), _muted(rng, 0.15, 0.8))
        _quad(picture, rect(x, -2, x + 0.02 * side, side + 2), _muted(rng, 0.05, 0.5))
    if rng.random() < 0.4:
        y = rng.uniform(0.6, 0.95) * side
        _quad(picture, rect(-2, y, side + 2, side + 2), _muted(rng, 0.05, 0.4))
        _quad(picture, rect(-2, y - 0.03 * side, side + 2, y), _muted(rng, 0.4, 0.85))
    return picture


def draw_shelf(rng: np.random.Generator, side: int) -> Canvas:
    """Rows of books and boxes."""
    picture = _fill(rng, side, _muted(rng, 0.03, 0.25), 0.08)
    y, height = -rng.uniform(0, 0.2) * side, rng.uniform(0.22, 0.4) * side
    board = _muted(rng, 0.1, 0.6)
    while y < side:
        x = -rng.uniform(0, 0.05) * side
        while x < side:
            w = rng.uniform(0.02, 0.07) * side
            top = y + rng.uniform(0.1, 0.4) * height
            if rng.random() < 0.88:
                colour = _vivid(rng) if rng.random() < 0.5 else _muted(rng)
                _quad(picture, rect(x, top, x + w, y + height, rng.normal(0, 0.03) * w), colour)
                if rng.random() < 0.5:
                    stripe = top + rng.uniform(0.1, 0.6) * (y + height - top)
                    _quad(picture, rect(x, stripe, x + w, stripe + 0.1 * height), _muted(rng, 0.3, 0.8))
            x += w * rng.uniform(1.0, 1.1)
        _quad(picture, rect(-2, y + height, side + 2, y + height + 0.03 * side), board)
        y += height + 0.03 * side
    return picture


def draw_wood(rng: np.random.Generator, side: int) -> Canvas:
    """A table top of planks."""
    base = np.array([0.32, 0.19, 0.10]) * rng.uniform(0.35, 1.7) * np.exp(rng.normal(0, 0.1, 3))
    grain = noise(rng, side, 26, 5, stretch=14) + 0.5 * noise(rng, side, 7, 3, stretch=5)
    y, x = np.mgrid[:side, :side] / side
    rings = np.sin(18 * (y + 0.05 * noise(rng, side, 3, 2, stretch=3)))
    tone = 1 + 0.13 * grain + 0.06 * rings
    plank = rng.uniform(0.14, 0.4)
    number = np.floor(y / plank + 0.07 * x).astype(int)
    tone = tone * (1 + 0.16 * rng.standard_normal(64)[number % 64])
    gap = np.abs((y / plank + 0.07 * x) % 1 - 0.5) > 0.49
    tone = np.where(gap, 0.35 * tone, tone)
    flat = (base * np.clip(tone, 0.1, 2)[..., None]).astype(np.float32)
    return _turned(flat, rng.uniform(0, 360))


def draw_garden(rng: np.random.Generator, side: int) -> Canvas:
    """Leaves in layers, from dark and far to light and near."""
    picture = _fill(rng, side, np.array([0.05, 0.09, 0.03]) * rng.uniform(0.5, 3), 0.4)
    for layer in range(4):
        light = 0.35 + 0.3 * layer
        for _ in range(70):
            centre = rng.uniform(-0.05, 1.05, 2) * side
            axes = np.array([rng.uniform(0.02, 0.08), rng.uniform(0.008, 0.03)]) * side
            green = np.array([0.16, 0.26, 0.06]) * light * np.exp(rng.normal(0, [0.4, 0.25, 0.4]))
            outline = np.array(cv2.ellipse2Poly((0, 0), (1000, 1000), 0, 0, 360, 20)) / 1000 * axes
            angle = rng.uniform(0, np.pi)
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            _quad(picture, outline @ turn.T + centre, green)
        if layer < 3:
            picture = cv2.GaussianBlur(picture, (0, 0), (3 - layer) * side / 380)
    return picture


def draw_lights(rng: np.random.Generator, side: int) -> Canvas:
    """Defocused lights at night or in a café."""
    picture = _fill(rng, side, _muted(rng, 0.02, 0.12), 0.35)
    for _ in range(rng.integers(8, 30)):
        radius = rng.uniform(0.015, 0.06) * side
        glow = np.zeros((side, side), np.float32)
        centre = tuple(int(v) for v in rng.uniform(0, side, 2))
        cv2.circle(glow, centre, int(radius), 1.0, -1, cv2.LINE_AA)
        cv2.circle(glow, centre, int(radius), 1.25, max(1, int(radius / 9)), cv2.LINE_AA)
        warm = np.array([1.0, 0.7, 0.35]) if rng.random() < 0.7 else _vivid(rng) + 0.1
        picture += glow[..., None] * warm * rng.uniform(0.1, 0.5)
    return cv2.GaussianBlur(picture, (0, 0), 1.5 * side / 512)


def draw_street(rng: np.random.Generator, side: int) -> Canvas:
    """Sky, houses with windows, a road."""
    y = np.mgrid[:side, :side][0] / side
    sky = np.array([0.35, 0.5, 0.75]) * (1 - y[..., None]) + np.array([0.75, 0.78, 0.8]) * y[..., None]
    picture = (sky * rng.uniform(0.6, 1.1)).astype(np.float32)
    ground = rng.uniform(0.55, 0.9) * side
    x = -rng.uniform(0, 0.2) * side
    while x < side:
        w, top = rng.uniform(0.15, 0.4) * side, rng.uniform(0.0, 0.5) * side
        _quad(picture, rect(x, top, x + w, ground), _muted(rng, 0.08, 0.5))
        pane, step = _muted(rng, 0.02, 0.3), rng.uniform(0.04, 0.09) * side
        for wx in np.arange(x + 0.4 * step, x + w - 0.6 * step, 1.5 * step):
            for wy in np.arange(top + 0.5 * step, ground - step, 1.7 * step):
                _quad(picture, rect(wx, wy, wx + 0.8 * step, wy + 1.1 * step), pane * rng.uniform(0.5, 1.8))
        x += w
    _quad(picture, rect(-2, ground, side + 2, side + 2), _muted(rng, 0.06, 0.25))
    return picture * np.clip(1 + 0.06 * noise(rng, side, 40, 4), 0.5, 1.5)[..., None]


def draw_cloth(rng: np.random.Generator, side: int) -> Canvas:
    """A shirt or a blanket with folds."""
    colour = _vivid(rng) * 0.7 if rng.random() < 0.5 else _muted(rng, 0.03, 0.6)
    height = noise(rng, side, 3, 3, stretch=rng.uniform(1, 3))
    slope = np.gradient(cv2.GaussianBlur(height, (0, 0), side / 90))
    shade = 1 + side / 30 * (slope[0] * rng.normal() + slope[1] * rng.normal())
    yy, xx = np.mgrid[:side, :side] * (512 / side)
    weave = 1 + 0.06 * np.sin(xx * 1.9) * np.sin(yy * 1.7)
    flat = (colour * (np.clip(shade, 0.35, 1.8) * weave)[..., None]).astype(np.float32)
    return _turned(flat, rng.uniform(0, 360))


def draw_plain(rng: np.random.Generator, side: int) -> Canvas:
    """A studio backdrop."""
    y, x = np.mgrid[:side, :side] / side
    spot = np.exp(
        -((x - rng.uniform(0.2, 0.8)) ** 2 + (y - rng.uniform(0.2, 0.8)) ** 2) / rng.uniform(0.2, 0.9)
    )
    return _fill(rng, side, _muted(rng, 0.1, 0.8), 0.012) * (0.5 + 0.6 * spot)[..., None].astype(np.float32)


def _turned(picture: Canvas, degrees: float) -> Canvas:
    side = picture.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.42)
    return cv2.warpAffine(
        picture, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
