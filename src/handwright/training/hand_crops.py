"""Hands of pictures, detected by us or labelled by a data set, as crops to train on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.loaders import Broken
from handwright.data.sample import HandLabel, Sample
from handwright.errors import UnreadableImageError
from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.perception.body.body_pose import boxes_meet
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.training.streams.crops import CONTEXT, Crops
from handwright.types import HandObservation, Image

LEAST_PX = 64
"""Size in pixels, of a hand's landmarks, from which it is learnt from."""

FARTHEST_FIT = 0.02
"""Residual of a fit, in sizes of its hand, up to which its depth is learnt from."""

_BEYOND = 0.5  # How far a labelled point may lie beyond the box of those that are seen, in its longer side


def crops_of_hands(
    pixels: UInt8[np.ndarray, "h w 3"],
    hands: Sequence[HandObservation | tuple[HandObservation, HandObservation]],
    captions: Sequence[str],
    size: int,
    *,
    rendered: bool = False,
) -> Crops:
    """Squares around hands, at least one, of a picture; side ``size``.

    The mask is the repair mask of a fresh fit, as when refining, and the depth that of the fit; without any
    where a fit is farther than ``FARTHEST_FIT`` from the landmarks.

    Args:
        pixels: The picture.
        hands: What each crop holds: a hand, or two that share it, the left one first.
        captions: Of each crop.
        size: Side of the crops in pixels.
        rendered: Whether the picture is a render.
    """
    groups = [(one,) if isinstance(one, HandObservation) else one for one in hands]
    cut = [_cut(pixels, group, size) for group in groups]
    landmarks = np.stack([c[2][0] for c in cut]).astype(np.float32)
    nobody = np.full((21, 2), np.nan)
    return Crops(
        pixels=np.stack([c[0] for c in cut]),
        depth=np.stack([c[3] for c in cut]),
        mask=np.stack([c[1] for c in cut]),
        landmarks_px=landmarks,
        visible=np.all((landmarks >= 0) & (landmarks < size), axis=-1),
        side=np.array([int(group[0].side == "right") for group in groups], np.int8),
        defects=np.zeros((len(cut), len(DEFECTS)), np.bool_),
        caption=np.array(captions),
        rendered=np.full(len(cut), rendered, np.bool_),
        other_px=np.stack([c[2][1] if len(c[2]) > 1 else nobody for c in cut]).astype(np.float32),
    )


def crops_of_sample(sample: Sample, size: int, *, together: bool = False) -> Crops | Broken:
    """The labelled hands of a data set's picture, or why there is none.

    Renders, from whose depth a ControlNet learns (HandRefiner §3.3), are kept where there is a depth alone.

    Args:
        sample: The picture and its labels.
        size: Side of the crops in pixels.
        together: A left and a right hand whose boxes meet share one crop, as stage I of the two-stage system
            has them (Pelykh et al. 2024, §IV-A); False: each hand has one of its own.
    """
    found = list(labelled_hands(sample))
    if not found:
        return Broken(sample.source, f"no hand of {LEAST_PX} pixels has a side and 21 points")
    try:
        pixels = sample.image().pixels
    except UnreadableImageError as error:
        return Broken(sample.source, error.why or error.what)
    rendered = sample.domain == "3D rendered image"
    single = [hand for hand, _ in found]
    hands: Sequence[HandObservation | tuple[HandObservation, HandObservation]] = single
    words = [f"{hand.side} hand{gesture}" for hand, gesture in found]
    if together and (pair := _meeting(single)) is not None:
        hands, words = [pair], ["pair of hands"]
    captions = [sample.caption or f"a {sample.domain} of a {each}" for each in words]
    crops = crops_of_hands(pixels, hands, captions, size, rendered=rendered)
    if rendered:
        crops = crops.where(crops.depth.any(axis=(1, 2)))
    return crops if len(crops) else Broken(sample.source, "no regular hand is near its points")


def _meeting(hands: Sequence[HandObservation]) -> tuple[HandObservation, HandObservation] | None:
    """The left and the right hand of a picture that has these two alone, where their boxes meet."""
    if len(hands) != 2 or {hand.side for hand in hands} != {"left", "right"}:
        return None
    left, right = sorted(hands, key=lambda hand: hand.side)
    return (left, right) if boxes_meet(left.landmarks_px, right.landmarks_px) else None


def labelled_hands(sample: Sample) -> Iterator[tuple[HandObservation, str]]:
    """Each large hand that has a side and all of its points, with the words of its gesture for a caption."""
    for label in sample.hands:
        if label.side is None or label.keypoints_px is None or not _is_whole(label, label.keypoints_px):
            continue
        hand = HandObservation(
            landmarks_px=label.keypoints_px,
            depth_px=_depth_px(label, label.keypoints_px),
            side=label.side,
            score=1.0,
            found_by="file",
        )
        if hand.size_px >= LEAST_PX:
            yield hand, f", {label.gesture.replace('_', ' ')}" if label.gesture else ""


def _is_whole(label: HandLabel, points: Float[np.ndarray, "21 2"]) -> bool:
    """Whether every point is labelled; one that is not stands at the picture's corner, or nowhere."""
    if not (label.visible.any() and np.isfinite(points).all()):
        return False
    low, high = points[label.visible].min(0), points[label.visible].max(0)
    room = _BEYOND * float((high - low).max())
    return bool(((points >= low - room) & (points <= high + room)).all())


def _depth_px(label: HandLabel, points: Float[np.ndarray, "21 2"]) -> Float[np.ndarray, "21"]:
    """Depth from the wrist's, in pixels, + away from the camera; 0 where the data set has none."""
    if label.joints_cam_m is None:
        return np.zeros(21)
    spread_m = float(np.ptp(label.joints_cam_m[:, :2], axis=0).max())
    depth_m = label.joints_cam_m[:, 2] - label.joints_cam_m[0, 2]
    return depth_m * float(np.ptp(points, axis=0).max()) / max(spread_m, 1e-6)


def _cut(
    pixels: UInt8[np.ndarray, "h w 3"], seen: Sequence[HandObservation], size: int
) -> tuple[
    UInt8[np.ndarray, "s s 3"],
    Bool[np.ndarray, "s s"],
    list[Float[np.ndarray, "21 2"]],
    UInt8[np.ndarray, "s s"],
]:
    """The square around one hand, or two: pixels, mask, landmarks of each and depth at ``size``."""
    image = Image(np.ascontiguousarray(pixels))
    found = [analyse_hand(image, hand) for hand in seen]
    height, width = pixels.shape[:2]
    inside = np.zeros((height, width), np.uint8)
    for hand in found:
        x0, y0, x1, y1 = hand.window
        inside[y0:y1, x0:x1] |= compute_repair_mask(
            hand.fit.hand, hand.window, hand.landmarks_px, hand.region
        )
    points = np.concatenate([hand.landmarks_px for hand in seen])
    low, high = points.min(0), points.max(0)
    scale = size / (CONTEXT * float((high - low).max()))
    move = size / 2 - scale * (low + high) / 2
    to_crop = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    shrunk = pixels if scale >= 0.9 else cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
    colour = cv2.warpAffine(
        shrunk, to_crop, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpAffine(inside, to_crop, (size, size), flags=cv2.INTER_NEAREST)
    depth = np.zeros((height, width), np.uint8)
    if all(hand.fit.residual <= FARTHEST_FIT for hand in found):
        depth = depth_control([hand.fit.hand for hand in found], height, width).depth
    depth = cv2.warpAffine(depth, to_crop, (size, size), flags=cv2.INTER_LINEAR)
    return np.asarray(colour), mask > 0, [one.landmarks_px * scale + move for one in seen], np.asarray(depth)
