"""Drawn hands as entries of shards and as views: palms, fingers and defects that are known to the pixel."""

from __future__ import annotations

import cv2
import numpy as np

from handwright.data.hands.body import FOREARM, HAND_LABEL
from handwright.data.shards import Entry
from handwright.hand.anatomy import FINGER_BONES, FINGERS
from handwright.training.streams.critic_samples import (
    HandViews,
    _stacked,  # pyright: ignore[reportPrivateUsage]
    elsewhere,
    views_of,
)

SIZE = 200


def hand_points(turn=0.0, middle=(100.0, 100.0), reach=100.0):
    """[21, 2] of an open hand, its middle finger up where ``turn`` is 0."""
    points = np.zeros((21, 2))
    for finger, angle in enumerate([-1.0, -0.35, 0.0, 0.3, 0.6]):
        length = reach * np.array([0.45, 0.65, 0.85, 1.0])[:, None] * (0.7 if finger == 0 else 1)
        points[1 + 4 * finger : 5 + 4 * finger] = length * [np.sin(angle), -np.cos(angle)]
    points -= (points.min(0) + points.max(0)) / 2
    c, s = np.cos(turn), np.sin(turn)
    return points @ np.array([[c, s], [-s, c]]) + np.array(middle)


def entry(index=0, defects=(), turn=0.0, domain="3D rendered image", parts=True, **said):
    """A hand of thick skin-coloured lines, its parts and depth drawn alike; a missing finger is not drawn."""
    points = hand_points(turn)
    image = np.full((SIZE, SIZE, 3), 60, np.uint8)
    labels, depth = np.zeros((SIZE, SIZE), np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    gone = {name for defect in defects if defect["name"] == "missing" for name in defect["fingers"]}
    for finger, name in enumerate(FINGERS):
        chain = np.rint(np.concatenate([points[:1], points[1 + 4 * finger : 5 + 4 * finger]])).astype(
            np.int32
        )
        cv2.polylines(depth, [chain.reshape(-1, 1, 2)], False, 200, 9)
        if name not in gone:
            cv2.polylines(image, [chain.reshape(-1, 1, 2)], False, (210, 160, 130), 9)
            cv2.polylines(labels, [chain.reshape(-1, 1, 2)], False, HAND_LABEL + FINGER_BONES[finger][0], 9)
    cv2.circle(image, tuple(int(v) for v in points[0]), 14, (210, 160, 130), -1)
    cv2.circle(labels, tuple(int(v) for v in points[0]), 14, HAND_LABEL, -1)
    cv2.circle(labels, tuple(int(v) for v in points[0] + [0, 30]), 8, FOREARM, -1)
    hand = {
        "side": "right",
        "keypoints_px": points.tolist(),
        "visible": [True] * 21,
        "defects": [{"bbox_xyxy_px": [90.0, 40.0, 120.0, 80.0], **defect} for defect in defects],
        **said,
    }
    record = {"kind": "defects", "seed": 1, "index": index, "domain": domain, "hands": [hand]}
    pictures = {"image": image} | ({"depth": depth, "parts": labels} if parts else {})
    return Entry(f"{index:08d}", pictures, record)


def missing(finger="middle", generator=0):
    return {"name": "missing", "generator": generator, "fingers": [finger]}


def views(count=8, *, defective=True, handless=False) -> HandViews:
    """Sound hands and, every second one, hands without a middle finger; after them, places without a hand."""
    gone = [[missing()] if defective and k % 2 else [] for k in range(count)]
    made = [entry(k, defects, turn=0.4 * k, name="palm") for k, defects in enumerate(gone)]
    rows = [row for one in made for row in views_of(one)]
    return _stacked(rows + [row for one in made if handless for row in elsewhere(one)])
