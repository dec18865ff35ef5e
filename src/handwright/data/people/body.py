"""One person as meshes of the render room: skin with both hands, eyes, hair, clothes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from handwright.data.hands.body import FOREARM, HAND_LABEL, LABELS_PER_HAND, SLEEVE, thing_solid
from handwright.data.hands.objects import Thing
from handwright.data.hands.person import Person
from handwright.data.people.clothing.garments import covered, places, wear
from handwright.data.people.clothing.wardrobe import Outfit
from handwright.data.people.figure.hand_graft import (
    SIDES,
    TO_CAMERA,
    arm_share,
    dense_faces,
    give_way,
    handless_faces,
    joint,
    socket_of,
)
from handwright.data.people.figure.makehuman import SKIN_VERTICES, load_figure
from handwright.data.people.figure.mesh_cutting import bone
from handwright.data.people.head.face import Look, canvas_uv, eye_solids, face_paint
from handwright.data.people.head.hair import Hair, hair_solids
from handwright.data.people.posture.stance import Stance
from handwright.data.shapes import CornerUV, Faces, Points, Vector
from handwright.data.world.stage import Paint, Solid, plain_solid
from handwright.hand.dense import WRIST_M, load_dense_rig
from handwright.hand.kinematics import pose_bones, pose_points, to_camera
from handwright.hand.rig import Rig, load_rig
from handwright.types import Hand, Side

SKIN, HAIR, TOP, BOTTOM, SHOES, EYES = 201, 202, 203, 204, 205, 206
"""Values of the parts picture beside those of ``hands.body``: bare skin without hands and forearms, …"""

_UNDER_M, _TORN_UV = 0.018, 0.06
_PIECES = {"torso": TOP, "legs": BOTTOM, "shoes": SHOES}


@dataclass(frozen=True, eq=False)
class Someone:
    """A person ready to be drawn."""

    person: Person  # Age, skin, nails
    stance: Stance  # The posed body
    hands: tuple[Hand, Hand]  # Both, in camera space; those of ``stance.hands``
    place_m: Vector  # [3] of the body's origin in camera space
    outfit: Outfit  # Clothes
    hair: Hair  # What is on the head
    look: Look  # What is painted on the face
    gaze_m: Vector  # [3] what the eyes look at, camera space
    things: Mapping[Side, Thing] = field(default_factory=dict[Side, Thing])  # What the hands hold

    def skin_m(self) -> Points:
        """[19158, 3] skin and helper meshes in camera space."""
        return self.stance.skin_m @ TO_CAMERA + self.place_m


def solids_of(someone: Someone) -> list[Solid]:
    """All meshes of a person, in camera space."""
    skin_m = someone.skin_m()
    head = TO_CAMERA @ someone.stance.bones.turns[bone("head")]
    body = someone.stance.below_head.moved(TO_CAMERA, someone.place_m)
    solids = [_skin(someone, skin_m)]
    solids += eye_solids(skin_m, someone.gaze_m, someone.look, EYES)
    solids += hair_solids(someone.hair, skin_m, head, body, HAIR)
    sides: dict[str, int] = {f"{hand.side} sleeve": k for k, hand in enumerate(someone.hands)}
    for cloth in wear(someone.outfit, skin_m):
        hand = sides.get(cloth.piece)
        label = _PIECES[cloth.piece] if hand is None else hand * LABELS_PER_HAND + SLEEVE
        solids.append(plain_solid(cloth.points_m, cloth.faces, cloth.rest_m, cloth.material, label))
    held = [(someone.things[hand.side], hand) for hand in someone.hands if hand.side in someone.things]
    return [*solids, *(thing_solid(thing, hand) for thing, hand in held)]


def _skin(someone: Someone, skin_m: Points) -> Solid:
    """Bare skin of the body and both of our hands, one mesh."""
    figure, dense = load_figure(), load_dense_rig().rig
    hand_faces, hand_uv, count = dense_faces()
    body_m = skin_m[:SKIN_VERTICES]
    number = np.arange(SKIN_VERTICES)
    labels = [np.full(SKIN_VERTICES, SKIN)]
    points: list[Points] = []
    faces: list[Faces] = []
    uv: list[CornerUV] = []
    for k, hand in enumerate(someone.hands):
        labels[0][arm_share(hand.side) > 0.5] = k * LABELS_PER_HAND + FOREARM
        first = SKIN_VERTICES + k * count
        posed = pose_bones(load_rig(), hand)
        points.append(
            to_camera(pose_points(dense.vertices_m, dense.weight_bones, dense.weights, posed), hand)[:count]
        )
        order = [0, 1, 2] if hand.side == "right" else [2, 1, 0]
        faces.append(hand_faces[:, order] + first)
        uv.append(hand_uv[:, order])
        body_m = give_way(body_m, hand)
        seam = joint(hand.side)
        number[seam.hand] = first + np.arange(len(seam.hand))
        of_hand = k * LABELS_PER_HAND + HAND_LABEL + dense.part_ids[:count]
        labels.append(np.where(dense.vertices_m[:count, 1] < WRIST_M, k * LABELS_PER_HAND + FOREARM, of_hand))
    bare = covered(someone.outfit)[:SKIN_VERTICES] < _UNDER_M
    body = figure.groups["body"]
    kept = np.flatnonzero(handless_faces() & bare[body.faces].any(1))
    skin = someone.person.skin
    material = replace(skin, hair=0.0, roughness=min(skin.roughness + 0.12, 0.8))
    all_faces = np.concatenate([number[body.faces[kept]], *faces])
    on_face = np.concatenate([canvas_uv()[kept], np.zeros((len(all_faces) - len(kept), 3, 2), np.float32)])
    return Solid(
        np.concatenate([body_m, *points]),
        all_faces,
        np.concatenate([_body_uv()[kept], *uv]),
        np.concatenate([_rest()] + [dense.vertices_m[:count]] * 2),
        material,
        -1,
        np.concatenate(labels),
        Paint(face_paint(someone.look, material.albedo), on_face),
    )


@lru_cache(maxsize=1)
def _rest() -> Points:
    """Where the skin's patterns are: in the frame of the right hand, the left arm's in that of the left."""
    vertices = load_figure().vertices_m
    points = vertices[:SKIN_VERTICES]
    local: dict[Side, Points] = {}
    for side in SIDES:
        seat = socket_of(vertices, side)
        local[side] = (points - seat.at_m) @ seat.turn / seat.scale
    share = np.clip(places().arm[:SKIN_VERTICES, None] - 0.3, 0, 1) * (points[:, :1] > 0)
    out = local["right"] * (1 - share) + local["left"] * [-1, 1, 1] * share
    beyond = np.clip((-out[:, 1:2] - 0.03) / 0.1, 0, 1)
    beyond[arm_share("right") + arm_share("left") < 0.3] = 1.0
    back = -np.sqrt(out**2 + [1, 0.06**2, 0.03**2])
    out[:, 1:] = out[:, 1:] * (1 - beyond) + back[:, 1:] * beyond
    return out


@lru_cache(maxsize=1)
def _body_uv() -> CornerUV:
    """Texture coordinates in the hand's atlas of the body's faces: forearms go on with the wrist's columns.

    The rest takes those of the back of the wrist.
    """
    rig = load_rig()
    uv = np.zeros((len(rig.vertices_m), 2))
    uv[rig.faces.ravel()] = rig.corner_uv.reshape(-1, 2)
    loop = joint("right").loop
    ring = rig.vertices_m[loop][:, [2, 0]]
    middle = ring.mean(0)
    around = np.arctan2(*(ring - middle).T)
    out = np.tile(uv[loop[ring[:, 0].argmin()]], (SKIN_VERTICES, 1))
    for side in SIDES:
        seam = joint(side)
        angle = np.arctan2(*(_rest()[seam.arm][:, [2, 0]] - middle).T)
        gap = np.abs(np.angle(np.exp(1j * (angle[:, None] - around[None]))))
        out[seam.arm] = uv[loop[gap.argmin(1)]]
        out[seam.hand] = uv
    corners = out[load_figure().groups["body"].faces]
    torn = np.ptp(corners, axis=1).max(1) > _TORN_UV
    here, there = _seam_uv(rig, loop)
    for one, other in ((here, there), (there, here)):
        on_seam = np.abs(corners - one).max(2) < 1e-6
        beside = np.linalg.norm(corners - other, axis=2) < np.linalg.norm(corners - one, axis=2)
        corners = np.where((torn & beside.any(1))[:, None, None] & on_seam[..., None], other, corners)
    torn = np.ptp(corners, axis=1).max(1) > _TORN_UV
    corners[torn] = corners[torn][:, :1]
    return corners


def _seam_uv(rig: Rig, loop: Int[np.ndarray, " l"]) -> tuple[np.ndarray, np.ndarray]:
    """Both places in the atlas of the wrist's vertex where the atlas is cut open."""
    for vertex in loop:
        places_uv = np.unique(rig.corner_uv[rig.faces == vertex], axis=0)
        if np.ptp(places_uv, axis=0).max() > _TORN_UV:
            return places_uv[0], places_uv[-1]
    raise ValueError("the hand's atlas has no seam at the wrist")
