"""From lit meshes to a picture: compositing, exposure, white balance, visible landmarks."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.data.hands.body import FOREARM, HAND_LABEL, LABELS_PER_HAND
from handwright.data.world.lens import Shot, smear
from handwright.data.world.light import Surroundings
from handwright.data.world.picture import LitStage
from handwright.data.world.places import Place
from handwright.data.world.stage import Stage
from handwright.hand.anatomy import FINGER_BONES, PALM_BONES
from handwright.hand.rig import load_rig
from handwright.types import Hand

_FINGER_M, _PALM_M = 0.017, 0.030
"""A landmark deeper below what is seen than this is hidden: more than fingers, than the palm are thick."""
_IN_PALM = np.isin(np.arange(21), (0, 1, 2, 5, 9, 13, 17))


class Scenery(Protocol):
    """Where, in which light and how a picture is taken."""

    @property
    def place(self) -> Place:
        """The background."""
        ...

    @property
    def light(self) -> Surroundings:
        """All light."""
        ...

    @property
    def shot(self) -> Shot:
        """The camera."""
        ...


def composite(
    lit: LitStage, setup: Scenery, rng: np.random.Generator, size: int
) -> Float[np.ndarray, "s s 3"]:
    """Hands over the place, with the shadow that falls on it when it is near."""
    alpha = lit.stage.seen.astype(np.float32)[..., None]
    layer = np.concatenate([lit.linear, alpha], 2)
    small = cv2.resize(layer, (size, size), interpolation=cv2.INTER_AREA)
    small = smear(small, setup.shot)
    behind = setup.place.linear
    if setup.place.name != "photograph":
        behind = behind * setup.light.on_background.astype(np.float32)
    else:
        behind = behind * np.float32(rng.uniform(0.7, 1.2))
    if setup.place.near:
        behind = behind * _cast_shadow(small[..., 3], setup.light, rng, size)[..., None]
    return behind * (1 - small[..., 3:]) + small[..., :3]


def _cast_shadow(
    alpha: Float[np.ndarray, "s s"], light: Surroundings, rng: np.random.Generator, size: int
) -> Float[np.ndarray, "s s"]:
    """How much light is left on a plane just behind the hands."""
    gap_px = rng.uniform(0.02, 0.1) * size
    left = 1 - 0.45 * cv2.GaussianBlur(alpha, (0, 0), 0.9 * gap_px + 1)
    for lamp in light.lamps:
        if lamp.towards[2] > -0.15:
            continue
        shift = -lamp.towards[:2] / -lamp.towards[2] * gap_px
        shift *= min(1.0, 0.22 * size / (np.hypot(*shift) + 1e-6))
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        moved = cv2.warpAffine(alpha, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.GaussianBlur(moved, (0, 0), max(0.6, 10 * lamp.softness_m * gap_px))
        share = float(lamp.colour.sum() / (light.on_background.sum() + 1e-6)) * max(0.25, -lamp.towards[2])
        left = left * (1 - min(share, 0.85) * soft)
    return left.astype(np.float32)


def white_balance(light: Surroundings, share: float) -> Float[np.ndarray, "3"]:
    """Gains of a white balance that takes away this share of the light's colour."""
    colour = light.on_background / light.on_background.mean()
    gains = colour**-share
    return (gains / gains.mean()).astype(np.float32)


def exposure(
    rng: np.random.Generator, linear: Float[np.ndarray, "s s 3"], hand: Bool[np.ndarray, "s s"]
) -> float:
    """Metered on the whole picture, mostly on the hands, which do not clip."""
    luma = linear @ np.array([0.3, 0.59, 0.11], np.float32)
    weights = 1 + 3 * hand
    metered = float(np.exp((np.log(np.maximum(luma + 2e-3, 1e-4)) * weights).sum() / weights.sum()))
    wanted = float((0.19 / metered) ** 0.75 * np.exp(rng.normal(0, 0.2)))
    brightest = float(np.percentile(linear[hand].max(-1), 97)) if hand.any() else 1.0
    return min(float(np.clip(wanted, 0.3, 5.0)), 0.85 / max(brightest, 1e-3))


def _same_part(labels: Int[np.ndarray, "21"]) -> Bool[np.ndarray, "21"]:
    """Whether each landmark's pixel shows its own finger, or palm and wrist where it belongs there."""
    bone = labels.astype(int) % LABELS_PER_HAND - HAND_LABEL
    own = load_rig().landmark_bones
    near = (bone[:, None] == own).any(1)
    for finger, chain in enumerate(FINGER_BONES):
        near[1 + 4 * finger : 5 + 4 * finger] |= np.isin(bone[1 + 4 * finger : 5 + 4 * finger], chain)
    palm = np.isin(bone, PALM_BONES) | (labels % LABELS_PER_HAND == FOREARM)
    return near | (_IN_PALM & (palm | np.isin(bone, FINGER_BONES[0][:1])))


def seen_landmarks(
    hand: Hand,
    landmarks_cam_m: Float[np.ndarray, "21 3"],
    owned: Bool[np.ndarray, "h w"],
    stage: Stage,
    scale: int,
    size: int,
) -> tuple[Float[np.ndarray, "21 2"], Bool[np.ndarray, "21"]]:
    """Where landmarks are in the picture, and whether they are inside it and not hidden."""
    pixels = hand.camera.project(landmarks_cam_m)
    column, row = np.clip(np.floor(pixels * scale).astype(int), 0, size * scale - 1).T
    inside = ((pixels >= 0) & (pixels < size)).all(1)
    seen_m = stage.visible.depth_m[row, column]
    deep = landmarks_cam_m[:, 2] - np.where(np.isfinite(seen_m), seen_m, 0.0)
    near = deep < np.where(_IN_PALM, _PALM_M, _FINGER_M) * float(np.exp(hand.shape[0]))
    return pixels, inside & owned[row, column] & near & _same_part(stage.labels()[row, column])
