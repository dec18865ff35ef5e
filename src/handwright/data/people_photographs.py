"""Photographs of one person with their 133 points and the hands' pixels, as stage II is trained on (§IV-A).

Pelykh et al. take pictures and captions from LAION-Human, points from MediaPipe and masks from SAM, and keep
those with a single person and enough of a hand. Here masks are the segmented hand within the outline of the
hand that is fitted to its landmarks.
"""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.body import HAND_LABEL, LABELS_PER_HAND
from handwright.data.loaders.records import Broken
from handwright.data.sample import Sample
from handwright.data.shards import Entry
from handwright.errors import UnreadableImageError
from handwright.hand.depth import depth_control
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.perception.body.estimate import PeopleIn
from handwright.perception.body.pose_hands import fit_hand_of_pose
from handwright.perception.segment import hand_region
from handwright.types import Side

LARGEST_PX = 768  # Longer side of the pictures that are kept: a window of .75 of it is at least 512

_BEYOND = 0.08  # How far a hand may reach beyond the fitted outline, in its size; chosen by eye

Pixels = UInt8[np.ndarray, "h w 3"]


def person_entry(sample: Sample, key: str, people_in: PeopleIn) -> Entry | Broken:
    """A picture as a sample of a shard, or why it is none.

    Args:
        sample: The picture with its caption; labels of hands and people are not looked at.
        key: Its name in the shard.
        people_in: Finds everybody, such as a ``BodyEstimator``.
    """
    try:
        whole = sample.image().pixels
    except UnreadableImageError as error:
        return Broken(sample.source, error.why or error.what)
    scale = min(1.0, LARGEST_PX / max(whole.shape[:2]))
    size = round(whole.shape[1] * scale), round(whole.shape[0] * scale)
    pixels = whole if scale == 1 else np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA))
    people = people_in(pixels)
    if len(people) != 1:
        return Broken(sample.source, "nobody is found" if not people else "several people are found")
    pose = people[0].pose
    parts = hand_parts(pixels, pose)
    if not parts.any():
        return Broken(sample.source, "no hand is found")
    record = {
        "kind": "people",
        "source": f"{sample.source.dataset}/{sample.source.record}",
        "sha256": hashlib.sha256(np.ascontiguousarray(whole).tobytes()).hexdigest(),
        "domain": sample.domain,
        "caption": sample.caption or "",
        "hands": [
            {"side": side, "keypoints_px": np.round(pose.points_px[HANDS[side]], 2).tolist(),
             "visible": (pose.visibility[HANDS[side]] >= 0.5).tolist()}
            for side in HANDS if pose.has_hand(side)
        ],
        "people": [{"wholebody": np.round(pose.wholebody, 3).tolist()}],
    }  # fmt: skip
    coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return Entry(key, {"parts": parts}, record, {"image": coded})


def hand_parts(pixels: Pixels, pose: BodyPose) -> UInt8[np.ndarray, "h w"]:
    """The hands of a pose as a picture of parts: ``data.hands.body``'s label of the palm, left hand first."""
    parts = np.zeros(pixels.shape[:2], np.uint8)
    for number, side in enumerate(HANDS):
        if pose.has_hand(side):
            parts[_hand(pixels, pose, side)] = number * LABELS_PER_HAND + HAND_LABEL
    return parts


def _hand(pixels: Pixels, pose: BodyPose, side: Side) -> Bool[np.ndarray, "h w"]:
    height, width = pixels.shape[:2]
    points = pose.points_px[HANDS[side]]
    hand = fit_hand_of_pose(pose, side, width, height).hand
    fitted = depth_control([hand], height, width).hand_id >= 0
    reach = _BEYOND * float(np.ptp(points, axis=0).max())
    near = cv2.distanceTransform((~fitted).astype(np.uint8), cv2.DIST_L2, 3) <= reach
    return near & hand_region(pixels, points).inside
