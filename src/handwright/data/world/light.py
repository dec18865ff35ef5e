"""Lamps and surroundings, as rooms, skies and studios have them."""

from dataclasses import dataclass

import numpy as np

from handwright.data.shapes import Vector

Colour = Vector


@dataclass(frozen=True, eq=False)
class Lamp:
    """A distant lamp."""

    towards: Vector  # Unit vector to the lamp, camera space
    colour: Colour  # [3] irradiance at right angles, linear
    softness_m: float  # Half-width of its shadows' edges on a surface 10 cm behind
    size: float  # Least roughness of its highlights: large for windows and softboxes


@dataclass(frozen=True, eq=False)
class Lobe:
    """A broad part of the surroundings: light c · ((1 + n·d)/2)^p."""

    towards: Vector  # Unit vector d
    colour: Colour  # [3] linear c
    width: float  # Exponent p, 0 for all around


@dataclass(frozen=True, eq=False)
class Surroundings:
    """All light of a picture."""

    name: str  # What it is called in captions
    lamps: tuple[Lamp, ...]  # Lamps that cast shadows
    lobes: tuple[Lobe, ...]  # The rest

    @property
    def on_background(self) -> Colour:
        """What reaches a wall that faces the camera, about."""
        flat = np.array([0.0, 0.0, -1.0])
        total = np.zeros(3)
        for lobe in self.lobes:
            total = total + lobe.colour * (0.5 + 0.5 * float(flat @ lobe.towards)) ** lobe.width
        lamps = (lamp.colour * max(0.25, float(flat @ lamp.towards)) for lamp in self.lamps)
        return total + sum(lamps, np.zeros(3))


def _to(x: float, y: float, z: float) -> Vector:
    vector = np.array([x, y, z], float)
    return vector / np.linalg.norm(vector)


def _tint(kelvin: float) -> Colour:
    """Linear colour of light of this temperature, balanced at 5000 K, unit green (fit to Planck's law)."""
    shift = np.log(kelvin / 5000)
    return np.exp(shift * np.array([-0.62, 0.0, 0.95]))


def draw_surroundings(rng: np.random.Generator, outdoor: bool) -> Surroundings:
    """Light of a place: sun and sky outdoors; else windows, ceiling lamps, flash or studio."""
    makers, shares = (
        (_window, _ceiling, _evening, _flash, _studio, _mixed),
        (0.34, 0.24, 0.12, 0.1, 0.12, 0.08),
    )
    if outdoor:
        makers, shares = (_sun, _overcast, _shade, _low_sun), (0.35, 0.3, 0.2, 0.15)
    return makers[int(rng.choice(len(makers), p=shares))](rng)


def _around(colour: Colour) -> Lobe:
    return Lobe(_to(0, 0, -1), colour, 0.0)


def _side(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]))


def _sun(rng: np.random.Generator) -> Surroundings:
    sun = _to(rng.normal(0, 0.7), -rng.uniform(0.5, 1.4), -rng.uniform(-0.15, 1.0))
    sky = rng.uniform(0.28, 0.5)
    ground = np.exp(rng.normal(0, 0.1, 3)) * np.array([1.0, 0.95, 0.82]) * sky * rng.uniform(0.35, 0.8)
    lamp = Lamp(sun, 1.15 * _tint(5200) * rng.uniform(0.8, 1.1), 0.0012, 0.12)
    above, below = sky * np.array([0.75, 0.95, 1.3]), Lobe(_to(0, 1, 0), ground, 1.5)
    lobes = (Lobe(_to(0, -1, 0), above, 1.2), below, _around(np.full(3, 0.06)))
    return Surroundings("in sunlight", (lamp,), lobes)


def _low_sun(rng: np.random.Generator) -> Surroundings:
    sun = _to(_side(rng) * rng.uniform(0.5, 1.2), -rng.uniform(0.15, 0.45), -rng.uniform(-0.6, 0.7))
    lamp = Lamp(sun, _tint(3300) * rng.uniform(0.8, 1.2), 0.0015, 0.14)
    above = Lobe(_to(0, -1, -0.2), rng.uniform(0.25, 0.4) * np.array([0.8, 0.9, 1.2]), 1.0)
    below = Lobe(_to(0, 1, 0), rng.uniform(0.1, 0.2) * np.array([1.1, 0.9, 0.7]), 1.5)
    return Surroundings("in the evening sun", (lamp,), (above, below, _around(np.full(3, 0.08))))


def _overcast(rng: np.random.Generator) -> Surroundings:
    sky = rng.uniform(0.7, 0.95) * _tint(rng.uniform(5400, 6800))
    lamp = Lamp(_to(rng.normal(0, 0.5), -1, -rng.uniform(0, 0.8)), 0.22 * sky, 0.03, 0.7)
    below = Lobe(_to(0, 1, 0), 0.3 * sky * np.array([1.05, 1, 0.9]), 1.2)
    return Surroundings("under an overcast sky", (lamp,), (Lobe(_to(0, -1, -0.15), sky, 1.6), below))


def _shade(rng: np.random.Generator) -> Surroundings:
    green = rng.random() < 0.5
    sky = rng.uniform(0.45, 0.7) * _tint(rng.uniform(5800, 7500))
    open_side = Lobe(_to(_side(rng), -0.5, -rng.uniform(0.2, 1.0)), rng.uniform(0.4, 0.7) * _tint(5600), 2.5)
    lamp = Lamp(open_side.towards, 0.35 * open_side.colour, 0.025, 0.6)
    bounce = np.array([0.9, 1.05, 0.75]) if green else np.array([1.05, 1.0, 0.9])
    above, below = Lobe(_to(0, -1, 0), 0.6 * sky, 1.0), Lobe(_to(0, 1, 0), 0.22 * bounce, 1.2)
    return Surroundings("in the shade", (lamp,), (above, open_side, below, _around(0.12 * sky)))


def _window(rng: np.random.Generator) -> Surroundings:
    towards = _to(_side(rng) * rng.uniform(0.5, 1.4), -rng.uniform(0.05, 0.7), -rng.uniform(-0.2, 1.1))
    day = _tint(rng.uniform(5200, 6500)) * rng.uniform(0.5, 0.85)
    room = _tint(rng.uniform(3600, 5200)) * rng.uniform(0.16, 0.38)
    lobes = (Lobe(towards, 0.55 * day, 4.0), _around(room), Lobe(_to(0, -1, 0), 0.3 * room, 1.0))
    return Surroundings("by a window", (Lamp(towards, 0.75 * day, rng.uniform(0.008, 0.02), 0.45),), lobes)


def _ceiling(rng: np.random.Generator) -> Surroundings:
    colour = _tint(rng.uniform(3000, 5200))
    first = _to(rng.normal(0, 0.5), -1, -rng.uniform(0.0, 0.9))
    second = _to(rng.normal(0, 0.9), -0.8, -rng.uniform(0.1, 1.0))
    near = Lamp(first, colour * rng.uniform(0.4, 0.65), rng.uniform(0.006, 0.018), 0.4)
    far = Lamp(second, colour * rng.uniform(0.12, 0.35), rng.uniform(0.006, 0.02), 0.4)
    room = _around(colour * rng.uniform(0.2, 0.35))
    above = Lobe(_to(0, -1, 0), colour * rng.uniform(0.1, 0.3), 1.5)
    below = Lobe(_to(0, 1, 0), colour * rng.uniform(0.05, 0.15) * np.array([1.1, 0.95, 0.8]), 1.5)
    return Surroundings("under ceiling lamps", (near, far), (room, above, below))


def _evening(rng: np.random.Generator) -> Surroundings:
    warm = _tint(rng.uniform(2600, 3600))
    towards = _to(_side(rng) * rng.uniform(0.4, 1.2), -rng.uniform(-0.1, 0.8), -rng.uniform(0.0, 1.0))
    lamp = Lamp(towards, warm * rng.uniform(0.6, 0.9), rng.uniform(0.003, 0.01), 0.3)
    lobes = (_around(warm * rng.uniform(0.08, 0.2)), Lobe(towards, 0.15 * warm, 2.0))
    return Surroundings("by lamplight", (lamp,), lobes)


def _flash(rng: np.random.Generator) -> Surroundings:
    towards = _to(rng.normal(0, 0.10), -rng.uniform(0.02, 0.2), -1)
    room = _tint(rng.uniform(3000, 5000)) * rng.uniform(0.06, 0.25)
    lamp = Lamp(towards, 0.85 * _tint(5500), 0.0015, 0.15)
    return Surroundings("in flashlight", (lamp,), (_around(room), Lobe(_to(0, -1, -0.5), 0.1 * room, 1.0)))


def _studio(rng: np.random.Generator) -> Surroundings:
    side = _side(rng)
    key = _to(side * rng.uniform(0.4, 1.0), -rng.uniform(0.3, 0.9), -rng.uniform(0.5, 1.0))
    rim = _to(-side * rng.uniform(0.5, 1.0), -rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.8))
    fill = Lobe(_to(-side, -0.1, -0.9), np.full(3, rng.uniform(0.1, 0.3)), 2.0)
    front = Lamp(key, np.full(3, rng.uniform(0.5, 0.75)), rng.uniform(0.006, 0.016), 0.4)
    back = Lamp(rim, np.full(3, rng.uniform(0.2, 0.7)), 0.006, 0.35)
    lobes = (fill, Lobe(key, np.full(3, 0.25), 3.0), _around(np.full(3, rng.uniform(0.08, 0.2))))
    return Surroundings("in a studio", (front, back), lobes)


def _mixed(rng: np.random.Generator) -> Surroundings:
    day, lamp = _window(rng), _evening(rng)
    first, second = day.lamps[0], lamp.lamps[0]
    dimmed = Lamp(second.towards, 0.6 * second.colour, second.softness_m, second.size)
    return Surroundings("by a window and a lamp", (first, dimmed), day.lobes)
