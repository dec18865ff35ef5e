"""Pasted hands in the tones of their person's face, and of their arms where they meet.

Each stage draws a tone of skin of its own. A hand is brought as near to the face as hands are; at the wrist
it takes its arm's tone, and as far as its knuckles its own comes back, so that no seam parts hand and arm.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.spatial.distance import cdist

from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.hand.anatomy import KNUCKLES
from handwright.image.compositing import lab_of, rgb_of, smoothstep
from handwright.perception.body.body_pose import ELBOWS, FACE, HANDS, BodyPose
from handwright.two_stage.canvas import paste_hand
from handwright.types import Side

LIKE_FACES = np.array([[-12.2, -3.1, -3.8], [13.8, 3.7, 6.0]], np.float32)
"""Least and most that a hand's median L, a, b lie above its face's: 5th and 95th percentile of 107 hands of
rendered people (seed 2060, 384 px)."""

_NOSE, _JAW, _NOSE_TIP = slice(27, 36), (2, 14), 30  # Of the face's 68 points
_LEAST_FACE_PX = 30  # Pixels of a face that must be seen; by eye
_CHEEK = 0.4  # How far from the nose's tip to the jaw the part of a face reaches whose tone counts; by eye

# All lengths are in those from wrist to knuckles; all of this was chosen by eye on training texts and poses
REACH = 1.0  # How far up the hand its arm's tone fades
_BELOW = 0.1  # Where it begins to fade, below the wrist
_ARM_FROM, _ARM_TO, _ARM_HALF_WIDTH = 0.1, 0.6, 0.2  # Part of the forearm whose tone counts
_HAND_NEAR = 0.55  # Part of the hand whose tone counts: so near the wrist
_BARE, _COVERED = 0.02, 0.95  # The arm's pixels are covered less by hands, the hand's more
_LEAST_PX = 60  # Pixels that either must have; fewer were no arm in two of 15 pairs, and stained the hand

_MOST_GAIN = 2.0  # By which factor a channel changes at most, in linear light
_HUE_DEGREES, _CHROMA = (25.0, 90.0), (5.0, 55.0)  # Of skin in CIELAB; sleeves lie elsewhere
_MOST_APART = 45.0  # ΔE of hand and arm; farther apart, the arm is no skin
_MOST_UNEVEN = 12.0  # Mean deviation of the arm's L from its median; more is no skin
_ARMS_LIKE_FACES = np.array([[-6.3, -6.0], [7.0, 11.3]], np.float32)
"""Least and most that a bare arm's median a, b lie above its face's: of 69 bare forearms of rendered people
(seed 2060, 384 px). Red, brown and olive sleeves lie beyond."""


def in_skin_tones(
    canvas: UInt8[np.ndarray, "h w 3"],
    picture: UInt8[np.ndarray, "h w 3"],
    skin: Float[np.ndarray, "h w"],
    pose: BodyPose,
) -> UInt8[np.ndarray, "h w 3"]:
    """The canvas with its hands in the tones of face and arms.

    Channels are multiplied in linear light, so that shading stays. A hand keeps its tone where no skin of the
    face is in view, and at its wrist where wrist, knuckles or elbow are not known, or its forearm is not in
    view or not bare.

    Args:
        canvas: Hands at their places.
        picture: The person as painted around them, with face and arms.
        skin: How far hands' own skin covers each pixel of the canvas, from 0 to 1.
        pose: The pose, in pixels of the picture.
    """
    rows, columns = np.indices(skin.shape, np.float64) + 0.5
    at = np.stack((columns, rows), -1)
    face = _face_lab(picture, skin, pose)
    toned = canvas.copy()
    for side, part in HANDS.items():
        if not pose.has_hand(side):
            continue
        own = _own(at, skin, pose, side)
        if face is not None:
            toned = _toned(toned, own, skin, _gain_towards(face, canvas[own & (skin > _COVERED)]))
        if not (pose.known[part][[0, *KNUCKLES]].all() and pose.known[ELBOWS[side]]):
            continue
        wrist, knuckles = pose.points_px[part][0], pose.points_px[part][list(KNUCKLES)].mean(0)
        length = float(np.linalg.norm(knuckles - wrist))
        gain = _gain_at_wrist(toned, picture, skin, at, pose, side, length, face)
        if gain is not None:
            up = (at[own] - wrist) @ (knuckles - wrist) / length**2
            share = 1 - smoothstep(-_BELOW, REACH - _BELOW, up)
            toned = _toned(toned, own, skin, gain ** share[:, None])
    return toned


def _own(
    at: Float[np.ndarray, "h w 2"], skin: Float[np.ndarray, "h w"], pose: BodyPose, side: Side
) -> Bool[np.ndarray, "h w"]:
    """Where one hand's skin covers the canvas."""
    points = pose.points_px[HANDS[side]][pose.known[HANDS[side]]]
    low, high = points.min(0), points.max(0)
    reach = (high - low).max() / 2
    own = ((at > low - reach) & (at < high + reach)).all(-1) & (skin > 0)
    own[own] = _nearest_side(at[own], pose) == side
    return own


def _toned(
    canvas: UInt8[np.ndarray, "h w 3"],
    own: Bool[np.ndarray, "h w"],
    skin: Float[np.ndarray, "h w"],
    gain: Float[np.ndarray, "*n 3"],
) -> UInt8[np.ndarray, "h w 3"]:
    """The canvas with a hand's channels multiplied in linear light, as far as its skin covers it."""
    toned = canvas.astype(np.float64)
    toned[own] = to_srgb(to_linear(canvas[own]) * gain)
    return paste_hand(canvas, toned, np.where(own, skin, 0.0))


def _face_lab(
    picture: UInt8[np.ndarray, "h w 3"], skin: Float[np.ndarray, "h w"], pose: BodyPose
) -> Float[np.ndarray, "3"] | None:
    """Median CIELAB of nose and cheeks; None where they are not known, hidden, or have no skin's colour."""
    if not pose.known[FACE].all():
        return None
    points = pose.points_px[FACE]
    cheeks = points[_NOSE_TIP] + _CHEEK * (points[list(_JAW)] - points[_NOSE_TIP])
    outline = cv2.convexHull(np.concatenate([points[_NOSE], cheeks]).astype(np.float32))
    seen = np.zeros(skin.shape, np.uint8)
    cv2.fillConvexPoly(seen, np.rint(outline).astype(np.int32), 1)
    inside = (seen > 0) & (skin < _BARE)
    if inside.sum() < _LEAST_FACE_PX:
        return None
    middle = np.median(lab_of(picture[inside][None])[0], 0)
    return middle if _is_skin(middle) else None


def _gain_towards(face: Float[np.ndarray, "3"], hand: UInt8[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    """What brings a hand as near to its face as hands are, by channel in linear light; ones where it is."""
    if len(hand) < _LEAST_PX:
        return np.ones(3)
    own = np.median(hand, 0)
    lab = lab_of(own[None, None])[0, 0]
    wanted = face + np.clip(lab - face, *LIKE_FACES)
    theirs, ours = (
        to_linear(np.rint(one).astype(np.uint8)) for one in (rgb_of(wanted[None, None])[0, 0], own)
    )
    return _gain(theirs, ours)


def _gain(theirs: Float[np.ndarray, "3"], ours: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    """One colour over another by channel, both in linear light, within ``_MOST_GAIN``."""
    return np.clip(theirs / np.maximum(ours, 1e-4), 1 / _MOST_GAIN, _MOST_GAIN)


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
    face: Float[np.ndarray, "3"] | None,
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
    if not _is_bare(picture, arm, lab_of(to_srgb(ours)[None, None])[0, 0], face):
        return None
    return _gain(theirs, ours)


def _is_bare(
    picture: UInt8[np.ndarray, "h w 3"],
    arm: Bool[np.ndarray, "h w"],
    hand_lab: Float[np.ndarray, "3"],
    face: Float[np.ndarray, "3"] | None,
) -> bool:
    """Whether a forearm has the colour of skin, about its hand's and its face's, and evenly so."""
    lab = lab_of(picture[arm][None])[0]
    middle = np.median(lab, 0)
    least, most = _ARMS_LIKE_FACES
    off = np.zeros(2) if face is None else (middle - face)[1:]
    return (
        _is_skin(middle)
        and bool(((off >= least) & (off <= most)).all())
        and float(np.linalg.norm(middle - hand_lab)) < _MOST_APART
        and float(np.abs(lab[:, 0] - middle[0]).mean()) < _MOST_UNEVEN
    )


def _is_skin(lab: Float[np.ndarray, "3"]) -> bool:
    """Whether a colour is one of skin."""
    hue, chroma = float(np.degrees(np.arctan2(lab[2], lab[1]))), float(np.hypot(*lab[1:]))
    return _HUE_DEGREES[0] < hue < _HUE_DEGREES[1] and _CHROMA[0] < chroma < _CHROMA[1]
