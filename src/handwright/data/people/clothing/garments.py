"""What people wear: cut from MakeHuman's tights and skirt, loosened, folded, hemmed."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.data.hands.parts import rim_of
from handwright.data.people.clothing.wardrobe import Garment, Outfit
from handwright.data.people.figure.makehuman import SKIN_VERTICES, load_figure
from handwright.data.people.figure.mesh_cutting import (
    Refined,
    bone,
    cut_mesh,
    neighbours,
    refine,
    smoothed,
)
from handwright.data.shapes import Faces, PerVertex, Points
from handwright.data.world.stage import Material
from handwright.hand.dense import vertex_normals

_TUCK_M, _UNDER_M, _AT_HEM_M = 0.012, 0.03, 1e-6
_SMOOTH_ROUNDS = 6
NEUTRAL_TALL_M = 1.6659


@dataclass(frozen=True, eq=False)
class Places:
    """Where vertices of the neutral body are, as tailors see it."""

    height: PerVertex  # [V] above the ground, 1 = the neutral body's crown
    arm: PerVertex  # [V] along the arm: 0 shoulder, 1 elbow, 2 wrist; negative on the torso
    side: PerVertex  # [V] +1 left, −1 right
    on_body_m: Float[np.ndarray, "v 2"]  # [V, 2] around and along torso or leg
    on_arm_m: Float[np.ndarray, "v 2"]  # [V, 2] around and along the arm
    sleeves: Float[np.ndarray, "v 2"]  # [V, 2] share of the right and the left sleeve, 0 … 1
    position_m: Points  # [V, 3] neutral


@dataclass(frozen=True, eq=False)
class Cloth:
    """A piece of a garment as a mesh."""

    points_m: Points  # [V, 3] in the space of the posed skin
    faces: Faces  # [F, 3]
    rest_m: Points  # [V, 3] around, along, 0
    material: Material  # What it is made of
    piece: str  # 'torso', 'right sleeve', 'left sleeve', 'legs' or 'shoes'


@lru_cache(maxsize=1)
def places() -> Places:
    """Of all vertices of the neutral body."""
    figure = load_figure()
    points = figure.vertices_m
    height = (points[:, 1] - points[:SKIN_VERTICES, 1].min()) / NEUTRAL_TALL_M
    heads = np.stack([points[chosen].mean(0) for chosen in figure.head_vertices])
    side = np.where(points[:, 0] >= 0, 1.0, -1.0)
    folded = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], 1)
    shoulder, elbow, wrist = (heads[bone(f"{name}.L")] for name in ("upperarm01", "lowerarm01", "wrist"))
    upper, fore = elbow - shoulder, wrist - elbow
    first = (folded - shoulder) @ upper / (upper @ upper)
    second = (folded - elbow) @ fore / (fore @ fore)
    arm_bones = [
        b
        for b, name in enumerate(figure.bones)
        if name.startswith(("upperarm", "lowerarm", "wrist", "finger", "metacarpal"))
    ]
    hangs = (figure.weights * np.isin(figure.weight_bones, arm_bones)).sum(1)
    arm = np.where(first > 1, 1 + np.maximum(second, 0), np.minimum(first, 1))
    on_arm = (hangs > 0.5) & (arm > 0.02)
    arm = np.where((hangs > 0.02) & (first > -0.4), arm, -1.0)
    arm = np.where(on_arm, arm, np.minimum(arm, 0.0))
    axis = np.where((arm > 1)[:, None], fore / np.linalg.norm(fore), upper / np.linalg.norm(upper))
    foot = np.where((arm > 1)[:, None], elbow, shoulder)
    offset = folded - foot
    offset = offset - (offset * axis).sum(1, keepdims=True) * axis
    level = np.array([0.0, 0.0, 1.0]) - axis * axis[:, 2:]
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    other = np.cross(axis, level)
    arm_around = 0.05 * np.arctan2((offset * other).sum(1), (offset * level).sum(1))
    leg = height < 0.47
    centre = np.where(leg, np.sign(points[:, 0]) * 0.115, 0.0)
    body_around = np.where(leg, 0.075, 0.15) * np.arctan2(points[:, 0] - centre, points[:, 2] - 0.02)
    reach = np.linalg.norm(upper)
    return Places(
        height,
        arm,
        side,
        np.stack([body_around, points[:, 1]], 1),
        np.stack([arm_around, arm * reach], 1),
        np.stack([on_arm & (side < 0), on_arm & (side > 0)], 1).astype(np.float64),
        points,
    )


def _fields(garment: Garment, at: Places) -> tuple[PerVertex, PerVertex]:
    """How far from a garment's hems and cuffs, and from its neckline, each vertex is; metres."""
    tall = NEUTRAL_TALL_M
    hem = (at.height - garment.low) * tall
    if garment.high is not None:
        hem = np.minimum(hem, (garment.high - at.height) * tall)
    if garment.sleeve is not None:
        hem = np.minimum(hem, (garment.sleeve - at.arm) * 0.25)
    if garment.neck is None:
        return hem, np.ones_like(hem)
    x, y, z = at.position_m.T
    drop, width = garment.neck
    collar = 0.592 - y - 0.55 * (z - 0.02) + 2 * np.maximum(np.abs(x) - 0.1, 0)
    notch = np.hypot(np.maximum(np.abs(x) - 0.02, 0) / width, (y - 0.60) / drop) - 1
    return hem, np.minimum(collar, np.where(z > 0.0, notch * min(drop, width), 1.0))


def field_of(garment: Garment, at: Places) -> PerVertex:
    """How far inside a garment each vertex is, metres; negative outside."""
    return np.minimum(*_fields(garment, at))


def covered(outfit: Outfit) -> PerVertex:
    """How far under clothes each vertex is, metres."""
    at = places()
    return np.max([field_of(garment, at) for garment in outfit.garments], axis=0)


@lru_cache(maxsize=4)
def _mesh(name: str) -> tuple[Refined, Int[np.ndarray, "e 2"], Places]:
    fine = refine(load_figure().groups[name].faces)
    at = places()
    edges = neighbours(fine.faces)
    height, arm, side = fine.carry(np.stack([at.height, at.arm, at.side], 1)).T
    sleeves = smoothed(fine.carry(at.sleeves), edges, 4)
    on_body, on_arm = fine.carry(at.on_body_m), fine.carry(at.on_arm_m)
    return fine, edges, Places(height, arm, side, on_body, on_arm, sleeves, fine.carry(at.position_m))


def wear(outfit: Outfit, skin_m: Points) -> list[Cloth]:
    """All garments over a posed body [19158, 3] with its helper meshes, in any axes."""
    top = outfit.garments[0]
    cloths: list[Cloth] = []
    for garment in outfit.garments:
        cloths += _sew(garment, None if garment is top else top, skin_m)
    return cloths


def _sew(garment: Garment, over: Garment | None, skin_m: Points) -> list[Cloth]:
    """Loosen, fold, cut and hem; what is well under another garment is left out."""
    fine, edges, at = _mesh(garment.mesh)
    points = smoothed(fine.carry(skin_m), edges, _SMOOTH_ROUNDS if garment.piece != "shoes" else 10)
    normals = smoothed(vertex_normals(points, fine.faces), edges, 3)
    hem, neck = _fields(garment, at)
    field = np.minimum(hem, neck)
    if over is not None:
        field = np.minimum(field, _UNDER_M - field_of(over, at))
    rng = np.random.default_rng(garment.seed)
    loose = garment.ease_m * np.clip(0.35 + neck / 0.07, 0.3, 1)
    loose = loose + garment.flare_m * np.clip(1 - np.maximum(hem, 0) / 0.12, 0, 1)
    folds = _folds(rng, at) * garment.folds_m
    points = points + (loose + folds * np.clip(np.maximum(field, 0) / 0.03, 0.25, 1))[:, None] * normals
    pieces: list[Cloth] = []
    for piece, share, where in _pieces(garment, at):
        part = cut_mesh(fine.faces, np.minimum(field, share))
        if len(part.faces):
            at_hem = part.carry(field[:, None])[:, 0] < _AT_HEM_M
            inwards = -_TUCK_M * part.carry(normals)
            vertices, faces, rim = _hemmed(part.carry(points), inwards, part.faces, at_hem)
            rest = part.carry(np.concatenate([where, np.zeros((len(where), 1))], 1))
            pieces.append(Cloth(vertices, faces, np.concatenate([rest, rest[rim]]), garment.material, piece))
    return pieces


def _hemmed(
    points: Points, inwards: Points, faces: Faces, at_hem: Bool[np.ndarray, " v"]
) -> tuple[Float[np.ndarray, "w 3"], Int[np.ndarray, "g 3"], Int[np.ndarray, " r"]]:
    """Smooth hems, not seams, and turn both in; also returns the vertex that each added one comes from."""
    edges = rim_of(faces)
    rim, place = np.unique(edges, return_inverse=True)
    place = place.reshape(-1, 2)
    both = np.concatenate([place, place[:, ::-1]])
    out = points.copy()
    out[rim] = np.where(at_hem[rim][:, None], smoothed(points[rim], both, 3, 0.5), points[rim])
    first, second = (len(points) + place).T
    hem = np.concatenate(
        [np.stack([edges[:, 1], edges[:, 0], first], 1), np.stack([edges[:, 1], first, second], 1)]
    )
    return np.concatenate([out, out[rim] + inwards[rim]]), np.concatenate([faces, hem]), rim


def _pieces(garment: Garment, at: Places) -> list[tuple[str, PerVertex, Float[np.ndarray, "v 2"]]]:
    """Per piece its name, a field that is positive in it, and the pattern's coordinates."""
    if garment.sleeve is None:
        return [(garment.piece, np.ones(len(at.arm)), at.on_body_m)]
    right, left = 0.02 * (at.sleeves.T - 0.5)
    return [
        (garment.piece, -np.maximum(right, left), at.on_body_m),
        ("right sleeve", right, at.on_arm_m),
        ("left sleeve", left, at.on_arm_m),
    ]


def _folds(rng: np.random.Generator, at: Places) -> PerVertex:
    """Waves across limbs, stronger where joints gather the cloth."""
    share = at.sleeves.sum(1)
    total = np.zeros(len(share))
    for _ in range(8):
        across, down, phase = rng.normal(0, 22), rng.uniform(20, 95), rng.uniform(0, 2 * np.pi)
        weight = rng.uniform(0.3, 1)
        for (around, along), part in ((at.on_body_m.T, 1 - share), (at.on_arm_m.T, share)):
            wander = 0.8 * np.sin(30 * around + phase)
            total += weight * part * np.sin(across * around + down * along + phase + wander)
    gather = 0.35 + np.exp(-(((at.arm - 1) / 0.22) ** 2)) + 0.7 * np.exp(-((at.arm / 0.2) ** 2))
    gather += 0.7 * np.exp(-(((at.height - 0.57) / 0.06) ** 2))
    gather += 0.8 * np.exp(-(((at.height - 0.28) / 0.04) ** 2))
    return total / 3 * np.minimum(gather, 1.2)
