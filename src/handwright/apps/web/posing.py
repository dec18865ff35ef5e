"""What an edit does to a hand: a joint is dragged, the hand moved, its side flipped, its pose taken over.

The fit is the engine's own (``perception.fit``), so that what the page shows is what a hands file holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.errors import UsageError
from handwright.hand.anatomy import SHAPE_NAMES
from handwright.hand.kinematics import hand_landmarks_m, hand_landmarks_px, mesh_of
from handwright.perception.detect.landmarker import of_side
from handwright.perception.fit.hand_fit import fit_hand, picture_camera
from handwright.perception.fit.landmark_weights import bunched_finger_weights
from handwright.types import Box, Hand, HandObservation, Side

Size = tuple[int, int]
"""Width and height of a picture in pixels."""

_OTHER: Mapping[Side, Side] = {"left": "right", "right": "left"}
_PROPORTIONS = SHAPE_NAMES.index("palm_width"), SHAPE_NAMES.index("thickness")
_BOX_SHARE = 0.8  # Of a drawn box that a plain hand fills
_LEAST_BOX_PX = 8.0  # Shorter side of a box that can hold a hand
_PLAIN_DISTANCE = 0.8  # Metres that a plain hand is away before its size is fitted to the box


@dataclass(frozen=True, eq=False, kw_only=True)
class PosedHand:
    """A hand as the page knows it.

    Attributes:
        observation: Its landmarks: as detected, or where the user put them.
        hand: The regular hand that is fitted to them.
        review: Its review as ``review-1.schema.json`` has it; None: it was not reviewed.
        moved: Numbers of the landmarks that the user put somewhere.
        edited: Whether it differs from what was found.
        wanted: Whether it is to be repaired.
    """

    observation: HandObservation
    hand: Hand
    review: Mapping[str, Any] | None = None
    moved: frozenset[int] = field(default_factory=frozenset[int])
    edited: bool = False
    wanted: bool = False


def with_joint_at(hand: PosedHand, joint: int, x: float, y: float, size: Size) -> PosedHand:
    """Put one landmark somewhere; the regular hand follows as far as joints bend.

    Landmarks that the user has put somewhere count in full, the others as in any fit; proportions of the
    palm stay.

    Raises:
        UsageError: There is no such landmark, or the place is not a number.
    """
    if not (0 <= joint < len(hand.observation.landmarks_px) and np.isfinite((x, y)).all()):
        raise UsageError(f"joint {joint} cannot be put at {x:g}, {y:g}", "", "choose a joint from 0 to 20")
    landmarks = hand.observation.landmarks_px.copy()
    landmarks[joint] = np.clip((x, y), 0, size)
    observation = replace(hand.observation, landmarks_px=landmarks)
    moved = hand.moved | {joint}
    weights = bunched_finger_weights(observation)
    weights[list(moved)] = 1.0
    width, thickness = (float(hand.hand.shape[k]) for k in _PROPORTIONS)
    fit = fit_hand(
        observation, *size, landmark_weights=weights, proportions=(width, thickness), start=hand.hand
    )
    return replace(hand, observation=observation, hand=fit.hand, moved=moved, edited=True, wanted=True)


def moved_by(hand: PosedHand, dx: float, dy: float, size: Size) -> PosedHand:
    """Move a whole hand by so many pixels; its middle stays inside the picture.

    Raises:
        UsageError: The distance is not a number.
    """
    if not np.isfinite((dx, dy)).all():
        raise UsageError(f"a hand cannot be moved by {dx:g}, {dy:g}", "", "drag its box")
    middle = hand.observation.landmarks_px.mean(0)
    step = np.clip(middle + np.array([dx, dy]), 0, size) - middle
    observation = replace(hand.observation, landmarks_px=hand.observation.landmarks_px + step)
    camera = hand.hand.camera
    metres = step * hand_landmarks_m(hand.hand)[:, 2].mean() / camera.focal_px
    at = hand.hand.translation_m + np.array([*metres, 0.0])
    return replace(
        hand, observation=observation, hand=replace(hand.hand, translation_m=at), edited=True, wanted=True
    )


def flipped(hand: PosedHand, size: Size) -> PosedHand:
    """Take a hand for one of the other side; the landmarks stay and the regular hand is fitted anew."""
    observation = of_side(hand.observation, _OTHER[hand.observation.side])
    return replace(
        hand, observation=observation, hand=fit_hand(observation, *size).hand, edited=True, wanted=True
    )


def with_pose(
    hand: PosedHand, pose: Float[np.ndarray, "15 3"], palm_arch: Float[np.ndarray, "2"]
) -> PosedHand:
    """Give a hand the articulation of another one; wrist and size stay, as ``--hand-pose`` has it."""
    posed = replace(hand.hand, pose=pose, palm_arch=palm_arch)
    landmarks = hand_landmarks_px(posed)
    observation = replace(hand.observation, landmarks_px=landmarks)
    return replace(hand, observation=observation, hand=posed, moved=frozenset(), edited=True, wanted=True)


def plain_hand(box: Box, side: Side, size: Size) -> PosedHand:
    """A flat hand, seen from its palm, fingers up, that fills most of a box: for joints to be dragged.

    Raises:
        UsageError: The box is too small.
    """
    x0, y0, x1, y1 = box
    if not min(x1 - x0, y1 - y0) >= _LEAST_BOX_PX:
        raise UsageError(
            "the box is too small for a hand", "", f"draw one of {_LEAST_BOX_PX:g} pixels or more"
        )
    camera = picture_camera(*size)
    hand = Hand(
        pose=np.zeros((15, 3)),
        palm_arch=np.zeros(2),
        wrist=np.array([np.pi, 0.0, 0.0]),  # turned about x: fingers up in the picture, palm to the camera
        translation_m=np.array([0.0, 0.0, _PLAIN_DISTANCE]),
        shape=np.zeros(len(SHAPE_NAMES)),
        side=side,
        camera=camera,
    )
    points_m = hand_landmarks_m(hand)
    middle, extent = (points_m.min(0) + points_m.max(0)) / 2, np.ptp(points_m, axis=0)
    px_per_m = _BOX_SHARE * min((x1 - x0) / extent[0], (y1 - y0) / extent[1])
    depth = camera.focal_px / px_per_m
    at = (np.array([(x0 + x1) / 2, (y0 + y1) / 2]) - camera.center_px) / px_per_m
    moved = hand.translation_m - middle + np.array([*at, depth])
    hand = replace(hand, translation_m=moved)
    points_m = hand_landmarks_m(hand)
    observation = HandObservation(
        landmarks_px=camera.project(points_m),
        depth_px=(points_m[:, 2] - points_m[:, 2].mean()) * px_per_m,
        side=side,
        score=1.0,
        found_by="box",
    )
    return PosedHand(observation=observation, hand=hand, edited=True, wanted=True)


def mesh_px(hand: Hand) -> Float[np.ndarray, "v 3"]:
    """Vertices of a hand's surface as x, y in pixels of the picture and depth in pixels, to a tenth."""
    vertices = mesh_of(hand).vertices_cam_m
    depth = vertices[:, 2:] * (hand.camera.focal_px / hand.translation_m[2])
    return np.concatenate([hand.camera.project(vertices), depth], 1).round(1)
