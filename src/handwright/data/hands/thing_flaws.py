"""What is wrong with a held thing: parts of it missing or out of line, thing and flesh run into each other.

All amounts are chosen by eye on sheets of rendered holds.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from handwright.data.hands._nearest import nearest_distance
from handwright.data.hands.parts import rim_of
from handwright.data.shapes import Points, Vector
from handwright.data.world.stage import Paint, Solid
from handwright.hand.defects import Hold

EDGE_M = 0.005  # Longest edge of a mesh that is cut or melted
_SPLITS = 14  # How often at most an edge is split
FAR_M = 0.04  # Farther is far
_SHADES = 64  # Columns of the picture that colours a molten surface
_MOST_TINT = 8.0  # Most that a colour is multiplied or divided by: patterns keep their second colour's hue


GROWN_LABEL = 201
"""Value of the parts picture where a thing runs into flesh."""


@dataclass(frozen=True)
class HoldLabel:
    """How a hand holds a thing."""

    state: Hold  # What it is
    generator: int  # Index of the generator that made it


@dataclass(frozen=True)
class ThingFlaw:
    """What is wrong with a thing or with where it touches the hand."""

    kind: str  # 'parted', 'shifted', 'grown', 'turned to thing' or 'melted'
    amount: float  # How much, 0 … 1
    seed: int  # Of its shape


@dataclass(frozen=True, eq=False)
class Held:
    """A hand's skin and its thing in camera space."""

    skin: Solid  # The hand
    thing: Solid  # The thing as it should be
    axis: Vector | None  # Unit vector [3] along a thing that is long and thin, or None
    hollow: bool  # It is a shell


def apply_thing_flaw(held: Held, flaw: ThingFlaw) -> list[Solid]:
    """Hand and thing as the flaw leaves them."""
    rng = np.random.default_rng([flaw.seed, 53])
    held = replace(held, thing=refined(held.thing, held.skin))
    if flaw.kind == "parted":
        return [held.skin, *_parted(held, flaw.amount, rng)]
    if flaw.kind == "shifted":
        return [held.skin, *_shifted(held, flaw.amount, rng)]
    return _grown(held.skin, held.thing, flaw, rng)


def _parted(held: Held, amount: float, rng: np.random.Generator) -> list[Solid]:
    """A long thing is interrupted beside the hand; of another one the part at the fingers is missing."""
    thing, axis, grip = held.thing, held.axis, _grip(held)
    if axis is None:
        across = _towards_fingers(held, rng)
        along = thing.points_m @ across
        low, high = along.min(), along.max()
        height = max(
            min(float(grip @ across) - 0.012 * amount, 0.25 * low + 0.75 * high), 0.7 * low + 0.3 * high
        )
        return [cut_off(thing, across, height, not held.hollow)]
    middle, along = float(grip @ axis), thing.points_m @ axis
    if along.max() - middle < middle - along.min():
        axis, along, middle = -axis, -along, -middle
    long = float(along.max()) - middle
    first, last = (0.1 * long, (0.45 + 0.2 * amount) * long) if long < 0.1 else (0.0, 0.055 + 0.025 * amount)
    near = cut_off(thing, axis, middle + first, closed=True)
    return [near, cut_off(thing, -axis, -middle - last, closed=True)]


def _shifted(held: Held, amount: float, rng: np.random.Generator) -> list[Solid]:
    """What comes out of the hand on one side does not go on on the other."""
    thing, long = held.thing, held.axis is not None
    normal = _towards_fingers(held, rng) if held.axis is None else held.axis
    centre = thing.points_m.mean(0)
    middle = float((_grip(held) if long else centre) @ normal)
    aside = np.cross(normal, centre)
    aside *= rng.choice([-1, 1]) / np.linalg.norm(aside)
    reach = float(np.ptp((thing.points_m - centre) @ aside))
    offset = reach * (0.7 + 0.6 * amount) + 0.004 if long else (0.3 + 0.3 * amount) * reach
    other = cut_off(thing, -normal, -middle, not held.hollow)
    moved = replace(other, points_m=other.points_m + offset * aside)
    return [cut_off(thing, normal, middle, not held.hollow), moved]


def _grown(skin: Solid, thing: Solid, flaw: ThingFlaw, rng: np.random.Generator) -> list[Solid]:
    """Thing and flesh take each other's colour and shape where they are near.

    'grown': flesh creeps over the thing; 'turned to thing': fingers end in what the thing is made of;
    'melted': both.
    """
    reach = 0.007 + 0.009 * flaw.amount
    near_skin = distance_m(thing.points_m, skin.points_m) - 0.002
    near_thing = distance_m(skin.points_m, thing.points_m) - 0.002
    skin_colour, thing_colour = np.array(skin.material.albedo), np.array(thing.material.albedo)
    if thing.material.pattern in ("stripes", "checks", "panels", "grain", "screen"):
        thing_colour = (thing_colour + np.array(thing.material.second)) / 2
    share = _fading(near_skin, thing.points_m, reach, rng)
    thing = replace(thing, labels=np.where(share > 0.5, GROWN_LABEL, thing.labels))
    solids = [skin, thing]
    if flaw.kind in ("grown", "melted"):
        swollen = thing.points_m + (0.0045 * flaw.amount + 0.0015) * share[:, None] * _normals(thing)
        solids[1] = _tinted(replace(thing, points_m=swollen), share, skin_colour / thing_colour)
    if flaw.kind in ("turned to thing", "melted"):
        share = _fading(near_thing, skin.points_m, 0.8 * reach, rng)
        swollen = skin.points_m + (0.003 * flaw.amount + 0.001) * share[:, None] * _normals(skin)
        solids[0] = _tinted(replace(skin, points_m=swollen), share, thing_colour / skin_colour)
    return solids


def _fading(
    distance: Float[np.ndarray, " n"], points: Points, reach: float, rng: np.random.Generator
) -> Float[np.ndarray, " n"]:
    """1 where two surfaces touch, 0 beyond a wavy line about ``reach`` away."""
    wave = np.zeros(len(points))
    for _ in range(5):
        direction = rng.normal(size=3)
        pitch = 2 * np.pi / rng.uniform(0.012, 0.04) * direction / np.linalg.norm(direction)
        wave += np.sin(points @ pitch + rng.uniform(0, 2 * np.pi))
    ends = reach * (1 + 0.28 * np.clip(wave, -2.3, 1.5))
    t = np.clip(1.35 - distance / ends, 0, 1)
    return t * t * (3 - 2 * t)


def _tinted(solid: Solid, share: Float[np.ndarray, " v"], factor: Vector) -> Solid:
    """A mesh whose colour is multiplied by ``factor`` where a vertex's ``share`` is 1, by 1 where it is 0."""
    ramp = np.linspace(0, 1, _SHADES)[None, :, None]
    factor = np.clip(factor, 1 / _MOST_TINT, _MOST_TINT)
    picture = np.repeat((1 - ramp) + ramp * factor, 2, 0).astype(np.float32)
    u = (0.5 + share[solid.faces] * (_SHADES - 1)) / _SHADES
    return replace(solid, paint=Paint(picture, np.stack([u, np.full_like(u, 0.5)], -1)))


def _grip(held: Held) -> Vector:
    """The middle of the twentieth of a thing that is nearest to the hand."""
    distance = distance_m(held.thing.points_m, held.skin.points_m)
    return held.thing.points_m[distance <= np.quantile(distance, 0.05)].mean(0)


def _towards_fingers(held: Held, rng: np.random.Generator) -> Vector:
    """Unit vector [3] in the picture's plane from a thing's middle to where the hand touches it."""
    centre = held.thing.points_m.mean(0)
    towards = _grip(held) - centre
    towards[2] = 0.0
    towards += rng.normal(0, 0.25 * np.linalg.norm(towards) + 1e-3, 3) * [1, 1, 0]
    return towards / np.linalg.norm(towards)


def distance_m(points: Points, others: Points) -> Float[np.ndarray, " n"]:
    """Distance of each point from the nearest of others, metres, at most ``FAR_M``."""
    found = np.full(len(points), FAR_M)
    mine, near = (
        np.flatnonzero(((a > b.min(0) - FAR_M) & (a < b.max(0) + FAR_M)).all(1))
        for a, b in ((points, others), (others, points))
    )
    if len(mine) and len(near):
        found[mine] = nearest_distance(np.ascontiguousarray(points[mine]), np.ascontiguousarray(others[near]))
    return np.minimum(found, FAR_M)


def cut_off(solid: Solid, normal: Vector, height: float, closed: bool) -> Solid:
    """A mesh without its part beyond a plane.

    Args:
        solid: The mesh, its edges short near the plane.
        normal: Unit vector [3] of the plane.
        height: Of the plane over the origin along the normal, metres.
        closed: Close it where it ends.
    """
    above = solid.points_m @ normal - height
    kept = above[solid.faces].min(1) < 0
    faces, uv = solid.faces[kept], solid.corner_uv[kept]
    points = solid.points_m - np.maximum(above, 0)[:, None] * normal
    rim = rim_of(faces)
    rim = rim[(above[rim] >= 0).all(1)]
    if not closed or not len(rim):
        return replace(solid, points_m=points, faces=faces, corner_uv=uv)
    middle = len(points)
    lid = np.column_stack([rim[:, ::-1], np.full(len(rim), middle)])
    return replace(
        solid,
        points_m=np.concatenate([points, points[rim].mean((0, 1))[None]]),
        rest_m=np.concatenate([solid.rest_m, solid.rest_m[rim].mean((0, 1))[None]]),
        labels=np.append(solid.labels, solid.labels[0]),
        faces=np.concatenate([faces, lid]),
        corner_uv=np.concatenate([uv, np.zeros((len(lid), 3, 2))]),
    )


def _normals(solid: Solid) -> Points:
    """Unit normals [V, 3] of the vertices, outwards of a closed mesh."""
    corners = solid.points_m[solid.faces]
    of_face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    volume = float((corners[:, 0] * of_face).sum())
    normals = np.zeros_like(solid.points_m)
    for k in range(3):
        np.add.at(normals, solid.faces[:, k], of_face)
    return np.sign(volume) * normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def refined(solid: Solid, skin: Solid) -> Solid:
    """The same surface with edges of at most ``EDGE_M`` near the hand: each longest one is split."""
    hand = skin.points_m[skin.rest_m[:, 1] > 0]
    low_m, high_m = hand.min(0) - FAR_M, hand.max(0) + FAR_M
    points, rest, labels = solid.points_m, solid.rest_m, solid.labels
    faces, uv = solid.faces, solid.corner_uv
    for _ in range(_SPLITS):
        corners = points[faces]
        lengths = np.linalg.norm(corners - np.roll(corners, -1, 1), axis=2)
        around = ((corners.max(1) > low_m) & (corners.min(1) < high_m)).all(1)
        long: Bool[np.ndarray, " f"] = around & (lengths.max(1) > EDGE_M)
        if not long.any():
            break
        first = lengths[long].argmax(1)
        turn = (first[:, None] + np.arange(3)) % 3
        mine, mine_uv = (
            np.take_along_axis(faces[long], turn, 1),
            np.take_along_axis(uv[long], turn[..., None], 1),
        )
        edges, at = np.unique(np.sort(mine[:, :2], 1), axis=0, return_inverse=True)
        middle = len(points) + at.ravel()
        middle_uv = mine_uv[:, :2].mean(1)
        points = np.concatenate([points, points[edges].mean(1)])
        rest = np.concatenate([rest, rest[edges].mean(1)])
        labels = np.concatenate([labels, labels[edges[:, 0]]])
        first_half = np.stack([mine[:, 0], middle, mine[:, 2]], 1)
        other_half = np.stack([middle, mine[:, 1], mine[:, 2]], 1)
        faces = np.concatenate([faces[~long], first_half, other_half])
        uv = np.concatenate(
            [
                uv[~long],
                np.stack([mine_uv[:, 0], middle_uv, mine_uv[:, 2]], 1),
                np.stack([middle_uv, mine_uv[:, 1], mine_uv[:, 2]], 1),
            ]
        )
    return replace(solid, points_m=points, rest_m=rest, labels=labels, faces=faces, corner_uv=uv)
