"""A rendered picture of a hand whose exact geometry is known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.hands.defects.malformed import Defect, Malformed, malform
from handwright.data.hands.parts import Arm, body_parts
from handwright.data.scenes.lens import Lens, develop
from handwright.data.scenes.poses import CATEGORIES, SHOWING, draw_dofs
from handwright.data.scenes.shade import Lamp, Light, Lit, Matter, light_up, shrink
from handwright.data.world.scenery import draw_backdrop
from handwright.hand.anatomy import FINGER_BONES, SHAPE_NAMES
from handwright.hand.kinematics import hand_landmarks_m, pose_of_dofs, to_camera
from handwright.hand.rig import axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.types import Camera, Hand

MONK_SKIN_TONES = (
    "f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420",
)  # fmt: skip
"""The ten tones of the Monk Skin Tone Scale (Monk 2019, CC BY 4.0), sRGB."""

_BLOOD = np.array([1.06, 0.86, 0.76])


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture with its truth.

    Attributes:
        pixels: uint8 [S, S, 3] sRGB.
        hands: The sound hands (without the defect), in the picture's camera.
        landmarks_px: [H, 21, 2] of the sound hands, MediaPipe order.
        tips_px: [T, 2] of the fingertips that are really there, thumb first, copies last.
        silhouette: bool [S, S] the hand beyond the wrist as drawn, defect included.
        skin: bool [S, S] all skin, forearm included.
        depth_m: float32 [S, S] of the person, +inf elsewhere.
        defect: What is wrong with it, or None.
        category: Name of the pose.
        tone: Index into ``MONK_SKIN_TONES``.
        seed: Of everything.
    """

    pixels: UInt8[np.ndarray, "s s 3"]
    hands: tuple[Hand, ...]
    landmarks_px: Float[np.ndarray, "h 21 2"]
    tips_px: Float[np.ndarray, "t 2"]
    silhouette: Bool[np.ndarray, "s s"]
    skin: Bool[np.ndarray, "s s"]
    depth_m: Float[np.ndarray, "s s"]
    defect: Defect | None
    category: str
    tone: int
    seed: int


def render_scene(seed: int, *, defect: Defect | None = None, mended: bool = False, size: int = 512) -> Scene:
    """Render a hand.

    Args:
        seed: Same seed, same picture.
        defect: Fault to build in; hands with a fault are open or spread, so that it shows.
        mended: Render the scene of this defect without the defect: what it should have been.
        size: Side in pixels.
    """
    rng = np.random.default_rng([seed, 20])
    category = _category(rng, defect)
    dofs = draw_dofs(rng, category)
    sound = _placed_hand(rng, dofs, size, showing=defect is not None)
    arm, light, tone, matter, lens = _arm(rng), _light(rng), int(rng.integers(10)), None, _lens(rng, size)
    matter = _matter(rng, tone)
    made = malform(sound, dofs, None if mended else defect, np.random.default_rng([seed, 21]))
    scale = 2 if size >= 384 else 3 if size >= 200 else 4
    lit = _lit(made, arm, light, matter, size, scale)
    picture = _composite(lit, light, np.random.default_rng([seed, 22]), size)
    exposure = _exposure(rng, picture, shrink(lit.alpha[..., None], size)[..., 0])
    landmarks = sound.camera.project(hand_landmarks_m(sound))
    covered = shrink((lit.skin & (lit.rest_m[..., 1] > 0.0))[..., None], size)[..., 0] > 0.5
    return Scene(
        develop(picture * exposure, lens),
        (sound,),
        landmarks[None],
        _tips(made),
        covered,
        shrink(lit.skin[..., None], size)[..., 0] > 0.5,
        np.ascontiguousarray(lit.depth_m[scale // 2 :: scale, scale // 2 :: scale]),
        None if mended else defect,
        category,
        tone,
        seed,
    )


def _category(rng: np.random.Generator, defect: Defect | None) -> str:
    names = list(CATEGORIES)
    shares = np.array([CATEGORIES[n][0] * (defect is None or n in SHOWING) for n in names])
    return str(rng.choice(names, p=shares / shares.sum()))


def _placed_hand(rng: np.random.Generator, dofs: np.ndarray, size: int, *, showing: bool) -> Hand:
    """A hand in view, its arm towards the picture's edge."""
    pose, arch = pose_of_dofs(dofs)
    shape = np.zeros(len(SHAPE_NAMES))
    shape[:] = rng.normal(0, [0.05, 0.05, 0.07, 0.03, 0.05, 0.04, 0.03, 0.04, 0.05])
    facing = rng.choice([0.0, 180.0]) if showing or rng.random() < 0.72 else rng.choice([-90.0, 90.0])
    yaw = np.deg2rad(facing + rng.normal(0, 16 if showing else 24))
    tilt = np.deg2rad(np.clip(rng.normal(0, 12 if showing else 16), -32, 32))
    roll = np.deg2rad(rng.normal(0, 28) if rng.random() < 0.7 else rng.uniform(-180, 180))
    turn = axis_angle_matrix(np.array([0, 0, roll])) @ axis_angle_matrix(np.array([tilt, 0, 0]))
    wrist = turn @ np.diag([1.0, -1.0, -1.0]) @ axis_angle_matrix(np.array([0, yaw, 0]))
    side = "right" if rng.random() < 0.5 else "left"
    focal = size * rng.uniform(1.05, 1.7)
    share = rng.uniform(0.42, 0.66)
    camera = Camera(focal, (size / 2, size / 2))
    distance = focal * 0.19 / (share * size)
    hand = Hand(
        pose=pose,
        palm_arch=arch,
        wrist=matrix_axis_angle(wrist),
        translation_m=np.array([0, 0, distance]),
        shape=shape,
        side=side,
        camera=camera,
    )
    for _ in range(3):
        points = camera.project(hand_landmarks_m(hand))
        low, high = points.min(0), points.max(0)
        distance = max(
            distance * np.ptp(points, axis=0).max() / (share * size), focal * 0.15 / (share * size)
        )
        upwards = points[9] - points[0]
        aim = size / 2 + 0.10 * size * upwards / (np.linalg.norm(upwards) + 1e-6)
        move = (aim - (low + high) / 2) / focal * hand.translation_m[2]
        at = np.array([*(hand.translation_m[:2] + move), distance])
        hand = Hand(
            pose=pose,
            palm_arch=arch,
            wrist=hand.wrist,
            translation_m=at,
            shape=shape,
            side=side,
            camera=camera,
        )
    return hand


def _arm(rng: np.random.Generator) -> Arm:
    sleeve = rng.uniform(0.03, 0.12) if rng.random() < 0.5 else None
    flexion, deviation = np.deg2rad(rng.normal(0, [16, 9]))
    return Arm(
        flexion,
        deviation,
        rng.uniform(0.95, 1.12),
        sleeve,
        rng.uniform(1.2, 1.45),
        int(rng.integers(1 << 30)),
    )


def _light(rng: np.random.Generator) -> Light:
    """Mostly from above and from the camera's side; warm, neutral or cool."""
    warm = rng.normal(0, 0.10)
    tint = np.exp(warm * np.array([1.0, 0.1, -1.2]))
    ambient = rng.uniform(0.3, 0.75)
    lamps = []
    for strength in (1 - ambient, rng.uniform(0, 0.35) * (rng.random() < 0.5)):
        if strength <= 0:
            continue
        towards = rng.normal(size=3) * [1.0, 0.6, 0.5] + [0, -0.7, -0.8]
        towards[2] = min(towards[2], -0.15)
        colour = strength * 1.35 * tint * np.exp(rng.normal(0, 0.05, 3))
        lamps.append(Lamp(towards / np.linalg.norm(towards), colour, rng.uniform(0.002, 0.02)))
    sky = ambient * 1.1 * np.exp(-0.5 * warm * np.array([1.0, 0.0, -1.0]))
    return Light(sky, sky * rng.uniform(0.45, 0.8) * np.array([1.03, 1.0, 0.95]), tuple(lamps))


def _matter(rng: np.random.Generator, tone: int) -> Matter:
    srgb = np.array(list(bytes.fromhex(MONK_SKIN_TONES[tone]))) / 255
    linear = ((srgb + 0.055) / 1.055) ** 2.4
    blood = _BLOOD ** rng.uniform(0.5, 1.2)
    skin = (0.8 * linear + 0.012) * blood * np.exp(rng.normal(0, 0.05))
    cloth = np.exp(rng.uniform(np.log(0.02), np.log(0.7))) * np.exp(rng.normal(0, 0.45, 3))
    dark = max(0.0, (tone - 4) / 5)
    return Matter(
        skin,
        palm_lightening=0.9 * dark * rng.uniform(0.6, 1.2),
        gloss=rng.uniform(0.4, 1.6),
        cloth=np.clip(cloth, 0.01, 0.8),
        stripes=float(rng.choice([0, 0, 0, 0.012, 0.03])),
        seed=int(rng.integers(1 << 30)),
    )


def _lens(rng: np.random.Generator, size: int) -> Lens:
    return Lens(
        blur_px=rng.uniform(0.35, 0.75) + (rng.random() < 0.2) * rng.uniform(0.3, 0.9) * size / 512,
        grain=rng.uniform(0.6, 3.5),
        grain_px=rng.choice([0.0, 0.5, 0.8]),
        vignette=rng.uniform(0, 0.3),
        contrast=rng.uniform(1.0, 1.35),
        jpeg=int(rng.integers(85, 96)),
        seed=int(rng.integers(1 << 30)),
    )


def _lit(made: Malformed, arm: Arm, light: Light, matter: Matter, size: int, scale: int) -> Lit:
    hand = made.hand
    parts = [(part, to_camera(part.vertices, hand)) for part in body_parts(made, arm)]
    center = (hand.camera.center_px[0] * scale, hand.camera.center_px[1] * scale)
    focal = hand.camera.focal_px * scale
    return light_up(parts, focal, center, size * scale, hand.side == "left", light, matter)


def _composite(lit: Lit, light: Light, rng: np.random.Generator, size: int) -> Float[np.ndarray, "s s 3"]:
    """Person over backdrop, with the shadow that falls on it."""
    backdrop = draw_backdrop(rng, size) * light.mean
    alpha = shrink(lit.alpha[..., None], size)
    if rng.random() < 0.5 and light.lamps:
        away = -light.lamps[0].towards[:2] * rng.uniform(0.03, 0.16) * size
        shift = np.array([[1, 0, away[0]], [0, 1, away[1]]])
        cast = cv2.warpAffine(alpha, shift, (size, size), borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.GaussianBlur(cast, (0, 0), rng.uniform(0.012, 0.05) * size)
        backdrop = backdrop * (1 - rng.uniform(0.1, 0.5) * soft[..., None])
    return backdrop * (1 - alpha) + shrink(lit.linear, size)


def _exposure(rng: np.random.Generator, picture: np.ndarray, alpha: np.ndarray) -> float:
    """Metered on the whole picture, most on the person, whose skin does not clip."""
    brightness = np.log(picture.mean(-1) + 1e-3)
    weights = 1 + 4 * alpha
    metered = float(np.exp((brightness * weights).sum() / weights.sum()))
    wanted = float(np.clip(0.26 / metered, 0.6, 3.0) ** 0.7 * np.exp(rng.normal(0, 0.15)))
    brightest = float(np.percentile(picture.max(-1)[alpha > 0.9], 97)) if (alpha > 0.9).any() else 1.0
    return min(wanted, 0.85 / brightest)


def _tips(made: Malformed) -> Float[np.ndarray, "t 2"]:
    rig, hand = load_rig(), made.hand
    tips = []
    sources = [(f, made.posed) for f in range(5) if f not in made.lost] + [
        (c.finger, c.posed) for c in made.copies
    ]
    for finger, posed in sources:
        bone = FINGER_BONES[finger][2]
        tips.append(
            posed.linear[bone] @ (rig.tips_m[finger] - posed.joints_rest_m[bone]) + posed.joints_m[bone]
        )
    return hand.camera.project(to_camera(np.stack(tips), hand))
