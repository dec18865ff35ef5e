"""Pasted hands in their arms' tone where they meet.

Each stage draws a tone of skin of its own. At the wrist a hand takes its arm's, and as far as its knuckles
its own comes back, so that no seam parts hand and arm, and fingers stay as stage I made them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.spatial.distance import cdist

from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.hand.anatomy import KNUCKLES
from handwright.image.compositing import lab_of, smoothstep
from handwright.perception.body.body_pose import ELBOWS, HANDS, BodyPose
from handwright.types import Side

# All lengths are in those from wrist to knuckles; all of this was chosen by eye on training texts and poses
REACH = 1.0  # How far up the hand its arm's tone fades
_BELOW = 0.1  # Where it begins to fade, below the wrist
_ARM_FROM, _ARM_TO, _ARM_HALF_WIDTH = 0.1, 0.6, 0.2  # Part of the forearm whose tone counts
_HAND_NEAR = 0.55  # Part of the hand whose tone counts: so near the wrist
_BARE, _COVERED = 0.02, 0.95  # The arm's pixels are covered less by hands, the hand's more
_LEAST_PX = 60  # Pixels that either must have; fewer were no arm in two of 15 pairs, and stained the hand

_MOST_GAIN = 2.0  # By which factor a channel changes at most, in linear light
_HUE_DEGREES, _CHROMA = (25.0, 90.0), (5.0, 55.0)  # Of a bare forearm in CIELAB; sleeves lie elsewhere
_MOST_APART = 45.0  # ΔE of hand and arm; farther apart, the arm is no skin
_MOST_UNEVEN = 12.0  # Mean deviation of the arm's L from its median; more is no skin


def in_tone_of_arms(
    canvas: UInt8[np.ndarray, "h w 3"],
    picture: UInt8[np.ndarray, "h w 3"],
    skin: Float[np.ndarray, "h w"],
    pose: BodyPose,
) -> UInt8[np.ndarray, "h w 3"]:
    """The canvas with its hands' tone brought to that of their arms at the wrist.

    Channels are multiplied in linear light, so that shading stays. A hand stays as it is whose wrist,
    knuckles or elbow are not known, or whose forearm is not in view or not bare.

    Args:
        canvas: Hands at their places.
        picture: The person as painted around them, with the arms.
        skin: How far hands' own skin covers each pixel of the canvas, from 0 to 1.
        pose: The pose, in pixels of the picture.
    """
    rows, columns = np.indices(skin.shape, np.float64) + 0.5
    at = np.stack((columns, rows), -1)
    toned = canvas.copy()
    for side, part in HANDS.items():
        if not (pose.known[part][[0, *KNUCKLES]].all() and pose.known[ELBOWS[side]]):
            continue
        wrist, knuckles = pose.points_px[part][0], pose.points_px[part][list(KNUCKLES)].mean(0)
        length = float(np.linalg.norm(knuckles - wrist))
        gain = _gain_at_wrist(canvas, picture, skin, at, pose, side, length)
        if gain is None:
            continue
        up = (at - wrist) @ (knuckles - wrist) / length**2
        low, high = (f(pose.points_px[part], 0) for f in (np.min, np.max))
        own = ((at > low - length / 2) & (at < high + length / 2)).all(-1) & (skin > 0)
        own[own] = _nearest_side(at[own], pose) == side
        share = 1 - smoothstep(-_BELOW, REACH - _BELOW, up[own])
        changed = to_srgb(to_linear(canvas[own]) * gain ** share[:, None])
        mixed = skin[own][:, None] * changed + (1 - skin[own][:, None]) * toned[own]
        toned[own] = np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)
    return toned


def _nearest_side(at: Float[np.ndarray, "n 2"], pose: BodyPose) -> np.ndarray:
    """Whose hand's points each place is nearest to."""
    sides: list[Side] = [side for side in HANDS if pose.has_hand(side)]
    away = [cdist(at, pose.points_px[HANDS[side]][pose.known[HANDS[side]]]).min(1) for side in sides]
    return np.array(sides)[np.argmin(away, 0)]


def _gain_at_wrist(
    canvas: UInt8[np.ndarray, "h w 3"],
    picture: UInt8[np.ndarray, "h w 3"],
    skin: Float[np.ndarray, "h w"],
    at: Float[np.ndarray, "h w 2"],
    pose: BodyPose,
    side: Side,
    length: float,
) -> Float[np.ndarray, "3"] | None:
    """The arm's tone over the hand's, by channel in linear light; None where the arm shows no skin."""
    wrist = pose.points_px[HANDS[side]][0]
    way = pose.points_px[ELBOWS[side]] - wrist
    far = float(np.linalg.norm(way))
    if far < length / 2:
        return None
    along, across = way / far, np.array([-way[1], way[0]]) / far
    down, aside = (at - wrist) @ along / length, np.abs((at - wrist) @ across) / length
    arm = (down > _ARM_FROM) & (down < _ARM_TO) & (aside < _ARM_HALF_WIDTH) & (skin < _BARE)
    hand = (np.linalg.norm(at - wrist, axis=-1) < _HAND_NEAR * length) & (skin > _COVERED)
    if min(arm.sum(), hand.sum()) < _LEAST_PX:
        return None
    theirs, ours = (np.median(to_linear(part), 0) for part in (picture[arm], canvas[hand]))
    if not _is_bare(picture, arm, lab_of(to_srgb(ours)[None, None])[0, 0]):
        return None
    return np.clip(theirs / np.maximum(ours, 1e-4), 1 / _MOST_GAIN, _MOST_GAIN)


def _is_bare(
    picture: UInt8[np.ndarray, "h w 3"], arm: Bool[np.ndarray, "h w"], hand_lab: Float[np.ndarray, "3"]
) -> bool:
    """Whether a forearm has the colour of skin, about its hand's, and evenly so."""
    lab = lab_of(picture[arm][None])[0]
    middle = np.median(lab, 0)
    hue, chroma = np.degrees(np.arctan2(middle[2], middle[1])), float(np.hypot(*middle[1:]))
    return (
        _HUE_DEGREES[0] < hue < _HUE_DEGREES[1]
        and _CHROMA[0] < chroma < _CHROMA[1]
        and float(np.linalg.norm(middle - hand_lab)) < _MOST_APART
        and float(np.abs(lab[:, 0] - middle[0]).mean()) < _MOST_UNEVEN
    )
