"""Maps of a sample for one of its hands: which part is seen where, and where its defects show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.body import FOREARM, HAND_LABEL, LABELS_PER_HAND, SLEEVE
from handwright.hand.anatomy import BONES, FINGER_BONES, FINGERS
from handwright.hand.defects import Defect
from handwright.review.critic.output_maps import ARM, OTHER, SURPLUS

PARTS = (OTHER, "palm", *FINGERS, ARM, SURPLUS)
UNKNOWN = 255

_ADDING = (Defect.EXTRA, Defect.TWO_THUMBS, Defect.SPLIT, Defect.FUSED)
_LOSING = (Defect.MISSING, Defect.TOO_SHORT)
_THICK = 0.12

Plane = UInt8[np.ndarray, "h w"]


def seen_parts(
    pictures: Mapping[str, np.ndarray], number: int, defects: Iterable[Mapping[str, Any]]
) -> Plane | None:
    """Indices into ``PARTS`` of what is seen of a hand; None without a picture of parts.

    Args:
        pictures: 'parts' and 'depth' of a sample.
        number: Of the hand.
        defects: Of the hand.
    """
    if "parts" not in pictures:
        return None
    table = np.zeros(256, np.uint8)
    first = number * LABELS_PER_HAND
    table[first + HAND_LABEL : first + HAND_LABEL + len(BONES)] = PARTS.index("palm")
    for finger, bones in enumerate(FINGER_BONES):
        table[[first + HAND_LABEL + bone for bone in bones]] = PARTS.index(FINGERS[finger])
    table[[first + FOREARM, first + SLEEVE]] = PARTS.index(ARM)
    seen = table[pictures["parts"]]
    if any(defect["name"] in _ADDING for defect in defects):
        copied = (pictures["parts"] == first + HAND_LABEL) & (pictures["depth"] == 0)
        seen[copied] = PARTS.index(SURPLUS)
    return seen


def wrong_places(
    pictures: Mapping[str, np.ndarray], number: int, hand: Mapping[str, Any]
) -> Bool[np.ndarray, "h w"]:
    """Where the defects of a hand show.

    On renders: the fingers concerned, skin that a sound hand would not have, and where a finger that is gone
    should be; on photographs the defect's box.
    """
    height, width = pictures["image"].shape[:2]
    wrong = np.zeros((height, width), np.bool_)
    parts = seen_parts(pictures, number, hand.get("defects", ()))
    for defect in hand.get("defects", ()):
        if defect["name"] == Defect.WRONG_HAND:
            continue
        chosen = [FINGERS.index(name) for name in defect["fingers"]]
        if parts is None:
            x0, y0, x1, y1 = np.round(defect["bbox_xyxy_px"]).astype(int)
            wrong[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
            continue
        hand_skin = (parts > 0) & (parts != PARTS.index(ARM))
        wrong |= hand_skin & (pictures["depth"] == 0)
        wrong |= np.isin(parts, [PARTS.index(FINGERS[f]) for f in chosen]) if chosen else hand_skin
        if defect["name"] in _LOSING:
            wrong |= _lines(np.array(hand["keypoints_px"]), chosen, wrong.shape)
    return wrong


def _lines(points: np.ndarray, fingers: list[int], shape: tuple[int, ...]) -> Bool[np.ndarray, "h w"]:
    """Where fingers should be."""
    drawn = np.zeros(shape, np.uint8)
    thick = max(1, round(_THICK * float(np.ptp(points, axis=0).max())))
    for finger in fingers:
        chain = np.round(points[1 + 4 * finger : 5 + 4 * finger]).astype(np.int32)
        cv2.polylines(drawn, [chain.reshape(-1, 1, 2)], isClosed=False, color=1, thickness=thick)
    return drawn > 0
