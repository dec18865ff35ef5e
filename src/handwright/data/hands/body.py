"""One hand with arm, dress and held thing as meshes of the render room."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8

from handwright.data.hands.defects.malformed import PosedHand
from handwright.data.hands.defects.surface import apply_surface_flaw
from handwright.data.hands.objects import Thing, thing_mesh
from handwright.data.hands.parts import Arm, Part, body_parts
from handwright.data.hands.person import Dress, Mesh, Person, band, disc, metal
from handwright.data.hands.thing_flaws import Held, ThingFlaw, apply_thing_flaw
from handwright.data.shapes import Points, Vector
from handwright.data.world.stage import Material, Solid, plain_solid
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.defects import Defect
from handwright.hand.dense import WRIST_M, load_dense_rig, vertex_normals
from handwright.hand.kinematics import to_camera
from handwright.types import Hand

HAND_LABEL, FOREARM, SLEEVE, JEWELLERY, LABELS_PER_HAND, THING_LABEL = 1, 21, 22, 23, 32, 200
"""Values of the parts picture: 0 nothing; of hand h: 32·h + 1 + index into ``anatomy.BONES``, 32·h + 21
forearm, + 22 sleeve, + 23 rings and watches; 200 a held thing, 201 where it runs into flesh."""

_RING_POINTS = 40
_CLOSING = np.ones((3, 3), np.uint8)  # Of what is seen of a hand: rings lie on it
_CUFF_M, _GLOVE_M = -0.018, 0.0013


@dataclass(frozen=True, eq=False)
class Dressed:
    """One hand ready to be drawn."""

    posed: PosedHand  # The hand as it is rendered, perhaps malformed
    arm: Arm  # How the arm goes on
    person: Person  # Whose hand
    dress: Dress  # What they wear
    thing: Thing | None  # What the hand holds, or None
    index: int  # Number of the hand in the picture, from 0
    sound: Hand  # The hand as it should be; ``posed.hand`` where nothing is wrong with it
    thing_flaw: ThingFlaw | None = None  # What is wrong with the thing that it holds, or None


def solids_of(dressed: Dressed) -> list[Solid]:
    """Skin or glove, sleeve, jewellery and held thing of one hand, in camera space."""
    hand, first = dressed.posed.hand, dressed.index * LABELS_PER_HAND
    parts = body_parts(dressed.posed, dressed.arm)
    flaw = dressed.posed.flaw
    if flaw is not None:
        parts = apply_surface_flaw(parts, flaw)
    skin = parts[0]
    solids = _skin_solids(dressed, skin, first)
    for part in parts[1:]:
        material, label = (dressed.dress.sleeve, SLEEVE) if part.cloth else (dressed.person.skin, HAND_LABEL)
        assert material is not None
        solids.append(_solid(dressed, part, material, np.full(len(part.vertices), first + label)))
    if dressed.dress.glove is None and dressed.dress.ring_side == hand.side:
        solids += [_ring(dressed, skin, finger, name) for finger, name in dressed.dress.rings]
    covered = dressed.dress.sleeve_m is not None and dressed.dress.sleeve_m < 0.05
    loose = flaw is not None and flaw.kind == Defect.DETACHED
    if (
        dressed.dress.watch is not None
        and not loose
        and dressed.dress.watch_side == hand.side
        and not covered
    ):
        solids += _watch(dressed, skin)
    if dressed.thing is not None:
        thing = thing_solid(dressed.thing, dressed.posed.hand)
        if dressed.thing_flaw is None:
            return [*solids, thing]
        held = Held(solids[0], thing, _long_axis(dressed), dressed.thing.name == "cup")
        return [*apply_thing_flaw(held, dressed.thing_flaw), *solids[1:]]
    return solids


def _solid(dressed: Dressed, part: Part, material: Material, labels: Int[np.ndarray, " v"]) -> Solid:
    points = to_camera(part.vertices, dressed.posed.hand)
    return Solid(points, part.faces, part.corner_uv, part.rest, material, dressed.index, labels)


def _worn(dressed: Dressed, mesh: Mesh, material: Material, label: int) -> Solid:
    points, faces, rest = mesh
    label += dressed.index * LABELS_PER_HAND
    return plain_solid(to_camera(points, dressed.posed.hand), faces, rest, material, label, dressed.index)


def _skin_solids(dressed: Dressed, skin: Part, first: int) -> list[Solid]:
    rig = load_dense_rig().rig
    labels = np.full(len(skin.vertices), first + FOREARM)
    labels[: len(rig.vertices_m)] = first + HAND_LABEL + rig.part_ids
    labels[skin.rest[:, 1] < WRIST_M] = first + FOREARM
    glove = dressed.dress.glove
    if glove is None:
        return [_solid(dressed, skin, dressed.person.skin, labels)]
    inside = (skin.rest[skin.faces][..., 1] > _CUFF_M - 0.012).all(1)
    puffed = skin.vertices + _GLOVE_M * vertex_normals(skin.vertices, skin.faces)
    worn = Part(puffed, skin.faces[inside], skin.corner_uv[inside], skin.rest)
    bare = Part(skin.vertices, skin.faces[~inside], skin.corner_uv[~inside], skin.rest)
    limb = _near(skin, _CUFF_M - 0.012, 0.008)
    centre, axis = _along_arm(skin, _CUFF_M - 0.012)
    cuff = band(limb, centre, axis, 0.0035, 0.0016, _GLOVE_M)
    return [
        _solid(dressed, worn, glove, labels),
        _solid(dressed, bare, dressed.person.skin, labels),
        _worn(dressed, cuff, glove, SLEEVE),
    ]


def _ring(dressed: Dressed, skin: Part, finger: int, name: str) -> Solid:
    """A plain band on the first phalanx."""
    posed, bone = dressed.posed.bones, FINGER_BONES[finger][0]
    knuckle, middle = posed.joints_m[bone], posed.joints_m[FINGER_BONES[finger][1]]
    axis = (middle - knuckle) / np.linalg.norm(middle - knuckle)
    rng = np.random.default_rng([dressed.dress.seed, finger])
    at = knuckle + rng.uniform(0.56, 0.68) * (middle - knuckle)
    rig = load_dense_rig().rig
    share = (rig.weights * (rig.weight_bones == bone)).sum(1)
    mine = np.flatnonzero(share > 0.45)
    offset = skin.vertices[mine] - at
    limb = skin.vertices[mine][np.abs(offset @ axis) < 0.005]
    centre = at + (limb - at).mean(0) - ((limb - at).mean(0) @ axis) * axis if len(limb) else at
    size = float(np.exp(dressed.posed.hand.shape[0]))
    ring = band(limb, centre, axis, size * rng.uniform(0.0012, 0.0028), 0.0013 * size, 0.0001)
    return _worn(dressed, ring, metal(name, float(finger)), JEWELLERY)


def _watch(dressed: Dressed, skin: Part) -> list[Solid]:
    """A strap around the wrist, a case and a dial on its back."""
    assert dressed.dress.watch is not None
    strap, case = dressed.dress.watch
    rng = np.random.default_rng([dressed.dress.seed, 9])
    size = float(np.exp(dressed.posed.hand.shape[0]))
    rest_y = -0.038 - rng.uniform(0, 0.012)
    centre, axis = _along_arm(skin, rest_y)
    limb = _near(skin, rest_y, 0.012)
    grey = float(rng.uniform(0.01, 0.1))
    dark: tuple[float, float, float] = (grey, grey, grey)
    leather = (0.16, 0.07, 0.03) if rng.random() < 0.5 else dark
    materials = {
        "leather": Material("solid", leather, 0.6, 0.04, pattern="leather", relief_m=0.0003),
        "steel": metal(case),
        "rubber": Material("solid", dark, 0.6, 0.04),
    }
    back = skin.vertices[(np.abs(skin.rest[:, 1] - rest_y) < 0.012) & (skin.rest[:, 2] < -0.012)]
    out = back.mean(0) - centre if len(back) else np.array([0.0, 0.0, -1.0])
    out -= (out @ axis) * axis
    out /= np.linalg.norm(out)
    reach = float(np.percentile((limb - centre) @ out, 97))
    seat = centre + (reach + 0.0005) * out
    around = band(limb, centre, axis, 0.0085 * size, 0.0022, 0.0006)
    solids = [_worn(dressed, around, materials[strap], JEWELLERY)]
    radius = size * rng.uniform(0.014, 0.019)
    face_colour = (0.75, 0.74, 0.7) if rng.random() < 0.4 else (0.015, 0.016, 0.02)
    dial = Material("solid", face_colour, 0.1, 0.045)
    for r, h, material in ((radius, 0.0075, metal(case)), (0.84 * radius, 0.0082, dial)):
        solids.append(_worn(dressed, disc(seat, out, r, h), material, JEWELLERY))
    return solids


def thing_solid(thing: Thing, hand: Hand) -> Solid:
    """A thing that a hand holds, in camera space; it is as large as the hand."""
    points, faces, own, uv = thing_mesh(thing)
    camera = to_camera(float(np.exp(hand.shape[0])) * points, hand)
    return Solid(camera, faces, uv[faces], own, thing.material, -1, np.full(len(points), THING_LABEL))


def _long_axis(dressed: Dressed) -> Vector | None:
    """Direction in camera space along a thing that is long and thin; None of others."""
    assert dressed.thing is not None
    if dressed.thing.name not in ("pen", "handle"):
        return None
    ends = to_camera(np.stack([np.zeros(3), dressed.thing.axes[2]]), dressed.posed.hand)
    return ends[1] - ends[0]


def _near(skin: Part, rest_y: float, reach: float) -> Points:
    off = np.abs(skin.rest[:, 1] - rest_y)
    return skin.vertices[off < max(reach, float(np.partition(off, _RING_POINTS)[_RING_POINTS]))]


def _along_arm(skin: Part, rest_y: float) -> tuple[Vector, Vector]:
    """Centre and direction (towards the elbow) of the arm at a height of the resting arm."""
    above, below = _near(skin, rest_y + 0.012, 0.008).mean(0), _near(skin, rest_y - 0.012, 0.008).mean(0)
    axis = (below - above) / np.linalg.norm(below - above)
    low, high = np.percentile(_near(skin, rest_y, 0.009), [2, 98], axis=0)
    return (low + high) / 2, axis


def hand_pixels(parts: UInt8[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Where both hands of the only person of a picture of parts are seen, without arms."""
    part = parts % LABELS_PER_HAND
    of_person = parts < 2 * LABELS_PER_HAND
    bare, jewellery = of_person & (part >= HAND_LABEL) & (part < FOREARM), of_person & (part == JEWELLERY)
    closed = cv2.morphologyEx(bare.astype(np.uint8), cv2.MORPH_CLOSE, _CLOSING) > 0
    return bare | (closed & jewellery)  # Gaps between fingers stay
