"""Photographs made of numbers: a hand of known pose, shape, skin and light before a plain wall."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from handwright.drawing.geometry.surface import Surface, render_surface
from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.hand.anatomy import SHAPE_NAMES
from handwright.hand.kinematics import hand_landmarks_m
from handwright.hand.skeleton import palm_span_px
from handwright.types import Camera, Hand, HandObservation, HandRegion

WALL = (96, 128, 150)
SKIN = (0.50, 0.27, 0.18)
SIZE = 288
LIGHT = (-0.4, -0.5, -0.77)


@dataclass(frozen=True, eq=False)
class Shot:
    """A picture of one hand with its truth."""

    pixels: np.ndarray
    hand: Hand
    landmarks_px: np.ndarray
    silhouette: np.ndarray
    surface: Surface

    @property
    def window(self) -> tuple[int, int, int, int]:
        return 0, 0, self.pixels.shape[1], self.pixels.shape[0]

    @property
    def hand_px(self) -> float:
        return float(np.ptp(self.landmarks_px, axis=0).max())

    @property
    def region(self) -> HandRegion:
        """The true silhouette as the old hand."""
        return region_of(self.pixels, self.silhouette, self.landmarks_px)

    def observation(self, **changes) -> HandObservation:
        seen = HandObservation(
            landmarks_px=self.landmarks_px,
            depth_px=np.zeros(21),
            side=self.hand.side,
            score=0.9,
            found_by="picture",
        )
        return replace(seen, **changes)


def flat_hand(size=SIZE, *, side="right", at=(0.0, 0.07), curl=0.0, width=None, distance_m=0.35) -> Hand:
    """An upright hand, palm towards the camera, its forearm running out below; ``curl`` bends all fingers."""
    pose = np.zeros((15, 3))
    pose[:, 0] = -curl
    wide = width or size
    return Hand(
        pose=pose,
        palm_arch=np.zeros(2),
        wrist=np.array([np.pi, 0.0, 0.0]),
        translation_m=np.array([*at, distance_m]),
        shape=np.zeros(len(SHAPE_NAMES)),
        side=side,
        camera=Camera(1.2 * size, (wide / 2, size / 2)),
    )


def shoot(
    hand: Hand | None = None,
    *,
    size=SIZE,
    width=None,
    wall=WALL,
    skin=SKIN,
    ambient=0.35,
    direct=0.65,
    grain=0.0,
    seed=0,
) -> Shot:
    """Photograph a hand: Lambertian skin of one colour, antialiased, before a wall of one colour."""
    hand = hand or flat_hand(size, width=width)
    width = width or size
    landmarks = hand.camera.project(hand_landmarks_m(hand))
    surface = render_surface(hand, (0, 0, width, size), float(np.ptp(landmarks, axis=0).max()))
    towards = np.array(LIGHT) / np.linalg.norm(LIGHT)
    brightness = ambient + direct * np.clip(surface.normals @ towards, 0, 1)
    colours = brightness[:, None] * np.array(skin)
    share = np.concatenate([colours, np.ones((len(colours), 1))], 1).astype(np.float32)
    drawn = surface.shrink(surface.place(share))
    behind = to_linear(np.array(wall, np.uint8))
    pixels = to_srgb(drawn[..., :3] + (1 - drawn[..., 3:]) * behind)
    if grain:
        pixels = pixels + np.random.default_rng(seed).normal(0, grain, pixels.shape)
    return Shot(
        np.clip(np.round(pixels), 0, 255).astype(np.uint8), hand, landmarks, drawn[..., 3] > 0.5, surface
    )


def region_of(pixels: np.ndarray, inside: np.ndarray, landmarks_px: np.ndarray) -> HandRegion:
    """A region of these pixels with the skin statistics that ``hand_region`` would learn from them."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[inside].astype(np.float64)
    mean, spread = (lab.mean(0), np.cov(lab.T)) if len(lab) > 3 else (np.array([150.0, 145, 150]), np.eye(3))
    return HandRegion(
        inside=inside,
        skin_lab=mean,
        skin_covariance=spread + np.diag([60.0, 6.0, 6.0]),
        span_px=palm_span_px(landmarks_px),
    )
