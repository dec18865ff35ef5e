"""A picture of someone in a given pose, with given hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.hands.body import FOREARM, HAND_LABEL, LABELS_PER_HAND, THING_LABEL
from handwright.data.hands.objects import Thing
from handwright.data.people.body import Someone
from handwright.data.people.figure.hand_graft import SIDES, TO_CAMERA, Socket, rest_vertices_m, socket_of
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import BODY_BONES, bone, rest_heads_m, skin
from handwright.data.people.in_pose.appearance import Appearance, draw_appearance
from handwright.data.people.in_pose.limbs import fit_limbs
from handwright.data.people.in_pose.trunk import fit_trunk
from handwright.data.people.posture.reach import below_head, capsules_of
from handwright.data.people.posture.stance import Stance
from handwright.data.people.sample import photograph
from handwright.data.people.setup import PersonSetup, gaze_of, soles_of
from handwright.data.world.places import on_floor
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.fit.hand_fit import picture_camera
from handwright.types import Camera, Hand, Side


@dataclass(frozen=True, eq=False)
class PosedPicture:
    """Someone in a pose."""

    pixels: UInt8[np.ndarray, "h w 3"]  # sRGB
    person: Bool[np.ndarray, "h w"]  # What shows the person
    hands: Mapping[Side, Bool[np.ndarray, "h w"]]  # What shows each given hand, without the arm
    things: Bool[np.ndarray, "h w"]  # What shows things that hands hold
    joints_px: Float[np.ndarray, "12 2"]  # Where shoulders, elbows, wrists, hips, knees and ankles went
    words: str  # Who is shown, in words


def picture_in_pose(
    pose: BodyPose,
    hands: Mapping[Side, Hand],
    width: int,
    height: int,
    prompt: str,
    rng: np.random.Generator,
    things: Mapping[Side, Thing] | None = None,
) -> PosedPicture:
    """Render someone in a pose; given hands are seen exactly as they were fitted.

    Args:
        pose: The 133 points, in pixels of the picture; at least one shoulder is known.
        hands: Fitted hands, all in one camera.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
        prompt: What the picture shows; chooses among people, clothes and places that can be drawn.
        rng: Same state, same picture.
        things: What given hands hold.

    Raises:
        MissingPackageError: ``handwright[synth]``, which brings the body, is not installed.
    """
    side = max(width, height)
    appearance = draw_appearance(prompt, rng, side)
    camera = next((hand.camera for hand in hands.values()), picture_camera(width, height))
    setup = _setup(pose, hands, camera, height, appearance, rng, things or {})
    photo, _ = photograph(setup, rng, side)
    shown: dict[Side, Bool[np.ndarray, "h w"]] = {}
    for number, hand in enumerate(setup.someone.hands):
        if hand.side in hands:
            shown[hand.side] = _hand_mask(photo.parts, number)[:height, :width]
    joints = setup.someone.stance.bones.heads_m[[bone(name) for name in BODY_BONES]]
    camera = setup.someone.hands[0].camera
    return PosedPicture(
        pixels=np.ascontiguousarray(photo.pixels[:height, :width]),
        person=np.ascontiguousarray(photo.parts[:height, :width] > 0),
        hands=shown,
        things=np.ascontiguousarray(photo.parts[:height, :width] == THING_LABEL),
        joints_px=camera.project(joints @ TO_CAMERA + setup.someone.place_m),
        words=", ".join([appearance.words, *(thing.words for thing in setup.someone.things.values())]),
    )


def _hand_mask(parts: UInt8[np.ndarray, "s s"], number: int) -> Bool[np.ndarray, "h w"]:
    of_hand = parts.astype(int) - number * LABELS_PER_HAND
    return (of_hand >= HAND_LABEL) & (of_hand < FOREARM)


def _setup(
    pose: BodyPose,
    hands: Mapping[Side, Hand],
    camera: Camera,
    height: int,
    appearance: Appearance,
    rng: np.random.Generator,
    things: Mapping[Side, Thing],
) -> PersonSetup:
    vertices = rest_vertices_m(appearance.build)
    heads = rest_heads_m(vertices)
    trunk = fit_trunk(pose, vertices, heads, camera)
    body = capsules_of(vertices, trunk.posed)
    sockets: dict[Side, Socket] = {side: socket_of(vertices, side) for side in SIDES}
    tall = float(np.ptp(vertices[:SKIN_VERTICES, 1]))
    shared = any(thing.in_both_hands for thing in things.values())
    limbs = fit_limbs(pose, trunk, hands, sockets, body, np.zeros(9), camera, tall, rng, together=shared)
    posed = skin(vertices, limbs.bones)
    stance = Stance(limbs.bones, posed, limbs.held, below_head(body, limbs.bones, vertices))
    gaze = gaze_of(rng, stance, trunk.place_m)
    someone = Someone(
        appearance.person,
        stance,
        limbs.hands,
        trunk.place_m,
        appearance.outfit,
        appearance.hair,
        appearance.look,
        gaze,
        things,
    )
    place = appearance.place
    soles = camera.project(soles_of(stance) @ TO_CAMERA + trunk.place_m)
    if soles[:, 1].max() < height:
        place = on_floor(rng, place, soles)
    return PersonSetup(
        someone=someone,
        build=appearance.build,
        rest_m=vertices,
        framing="full",
        place=place,
        light=appearance.light,
        shot=appearance.shot,
    )
