"""Everything that is decided before a picture of someone is made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from handwright.data.hands.person import draw_person
from handwright.data.people.body import Someone
from handwright.data.people.clothing.wardrobe import draw_outfit
from handwright.data.people.figure.hand_graft import TO_CAMERA, Build, draw_build, hand_on, rest_vertices_m
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import bone
from handwright.data.people.head.appearance import draw_head
from handwright.data.people.posture.stance import Stance, draw_stance
from handwright.data.shapes import Points, Vector
from handwright.data.world.light import draw_surroundings
from handwright.data.world.picture import Scenery, draw_shot
from handwright.data.world.places import KINDS, Place, draw_place, on_floor
from handwright.hand.kinematics import pose_of_dofs
from handwright.types import Camera, Hand

FRAMINGS = ("head and hand", "waist-up", "full")
_FRAMING_SHARES = (0.26, 0.58, 0.16)
STANDING_PLACES = (
    "room",
    "landscape",
    "brick",
    "tiles",
    "wall",
    "shelf",
    "garden",
    "lights",
    "street",
    "plain",
)
"""Where people stand; desks and blankets are seen from above."""

_EYES_TURN = 0.36  # How far eyes turn from straight ahead, as a tangent


@dataclass(frozen=True, eq=False, kw_only=True)
class PersonSetup(Scenery):
    """A picture of someone before it is rendered."""

    someone: Someone  # Who, how they stand, what they wear
    build: Build  # Their body
    rest_m: Points  # [19158, 3] that body at rest, as ``rest_vertices_m`` gives it
    framing: str  # One of ``FRAMINGS``


def draw_setup(rng: np.random.Generator, side_px: int, photos: Sequence[Path] = ()) -> PersonSetup:
    """Decide everything; half of the pictures take their backgrounds from ``photos``."""
    person = draw_person(rng)
    build = draw_build(rng, person.age)
    shape = person.shape - np.eye(9)[0] * (person.shape[0] - rng.normal(0, 0.03))
    if build.feminine < 0.5:
        person = replace(person, skin=replace(person.skin, nail=None), nails=None)
    rest_m = rest_vertices_m(build)
    stance = draw_stance(rng, rest_m)
    outfit = draw_outfit(rng, build.feminine > 0.5)
    hair, look = draw_head(rng, person, build)
    framing = FRAMINGS[int(rng.choice(3, p=_FRAMING_SHARES))]
    camera, place_m = _frame(rng, stance, framing, side_px)
    hands: list[Hand] = []
    for held in stance.hands:
        pose, arch = pose_of_dofs(held.posed.dofs_rad)
        hands.append(hand_on(stance.bones, held.socket, held.side, pose, arch, shape, camera, place_m))
    gaze = gaze_of(rng, stance, place_m)
    someone = Someone(person, stance, (hands[0], hands[1]), place_m, outfit, hair, look, gaze)
    place = draw_stand(rng, side_px, photos)
    outdoor = place.outdoor(rng)
    if framing == "full":
        place = on_floor(rng, place, camera.project(soles_of(stance) @ TO_CAMERA + place_m))
    light, shot = draw_surroundings(rng, outdoor), draw_shot(rng, side_px)
    calm = replace(shot, motion_px=0.4 * shot.motion_px, defocus_px=0.5 * shot.defocus_px)
    return PersonSetup(
        someone=someone, build=build, rest_m=rest_m, framing=framing, place=place, light=light, shot=calm
    )


def draw_stand(rng: np.random.Generator, side_px: int, photos: Sequence[Path] = ()) -> Place:
    """A place where someone can stand, with nobody in it."""
    while True:
        place = draw_place(rng, side_px, photos)
        if not place.someone and (place.name in STANDING_PLACES or place.name not in KINDS):
            return place


def gaze_of(rng: np.random.Generator, stance: Stance, place_m: Vector) -> Vector:
    """A point that the eyes look at: the camera, as far as they turn that way, or a little beside it."""
    b = bone("head")
    eyes = stance.bones.heads_m[bone("eye.L")] / 2 + stance.bones.heads_m[bone("eye.R")] / 2
    eyes = eyes @ TO_CAMERA + place_m
    ahead = TO_CAMERA @ stance.bones.turns[b] @ np.array([0.0, 0.0, 1.0])
    wanted = -eyes / np.linalg.norm(eyes) + rng.normal(0, 0.06 if rng.random() < 0.75 else 0.2, 3)
    side = wanted - (wanted @ ahead) * ahead
    far = float(np.linalg.norm(side))
    side *= min(1.0, _EYES_TURN / max(far, 1e-9))
    return eyes + 3.0 * (ahead + side)


def soles_of(stance: Stance) -> Float[np.ndarray, "2 3"]:
    """Where both feet stand."""
    heads = stance.bones.heads_m
    low = float(stance.skin_m[:SKIN_VERTICES, 1].min())
    return np.array(
        [[*heads[bone(f"foot.{tag}")][[0]], low, heads[bone(f"foot.{tag}")][2] + 0.06] for tag in "LR"]
    )


def _frame(rng: np.random.Generator, stance: Stance, framing: str, side_px: int) -> tuple[Camera, Vector]:
    """Focal length, and where the body stands so that what is to be seen fills the picture."""
    focal = side_px * float(rng.uniform(1.1, 2.2))
    camera = Camera(focal, (side_px / 2, side_px / 2))
    wanted = _wanted(stance, framing) @ TO_CAMERA
    share = float(rng.uniform(0.8, 0.94)) * side_px
    offset = np.array([0.0, 0.0, 3.0])
    aim = side_px / 2 + side_px * np.clip(rng.normal(0, [0.03, 0.015]), -0.06, 0.06)
    for _ in range(6):
        points = camera.project(wanted + offset)
        low, high = points.min(0), points.max(0)
        offset[2] = max(offset[2] * float((high - low).max()) / share, 0.45 - float(wanted[:, 2].min()))
        offset[:2] += (aim - (low + high) / 2) / focal * offset[2]
    return camera, offset


def _wanted(stance: Stance, framing: str) -> Points:
    """Points that must be in the picture, in the body's axes."""
    skin, heads = stance.skin_m[:SKIN_VERTICES], stance.bones.heads_m
    crown = skin[skin[:, 1].argmax()] + [0.0, 0.05, 0.0]
    points = [crown, heads[bone("neck01")]]
    for held in stance.hands:
        if held.doing == "raised" or framing == "full":
            wrist = bone(f"wrist.{'R' if held.side == 'right' else 'L'}")
            turn = stance.bones.turns[wrist] @ held.socket.turn
            tip = 0.2 * held.socket.scale
            points += [heads[wrist], heads[wrist] + turn @ [0, tip, 0]]
            points += [heads[wrist] + turn @ [0.5 * s * tip, 0.6 * tip, 0] for s in (-1, 1)]
    if framing == "full":
        points += [skin[skin[:, 1].argmin()], skin[skin[:, 1].argmin()] - [0, 0.04, 0]]
    elif framing == "waist-up":
        points += [heads[bone("spine04")], *(heads[bone(f"upperarm01.{tag}")] for tag in "LR")]
    else:
        points += [heads[bone(f"upperarm01.{tag}")] for tag in "LR"]
    return np.array(points)
