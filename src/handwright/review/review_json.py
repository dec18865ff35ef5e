"""A review as JSON by the published schema ``handwright/review-1``."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview

SCHEMA_NAME = "handwright/review-1"
SCHEMA_FILE = Path(__file__).with_name("review-1.schema.json")  # JSON Schema of a review

_PX_DECIMALS, _DECIMALS = 2, 4
VERDICTS = ("fail", "unsure", "pass", "no_hands")


def review_json(
    pictures: Sequence[Mapping[str, Any]],
    unreadable: Sequence[Mapping[str, Any]],
    prompt: str | None,
    version: str,
    plug_ins: Mapping[str, Any] | None = None,
    *,
    generated: bool = False,
) -> dict[str, Any]:
    """The whole review; ``plug_ins`` are the user's own models by kind, as ``plug_ins.describe`` has them."""
    verdicts = Counter(str(picture["verdict"]) for picture in pictures)
    hands = [hand for picture in pictures for hand in picture["hands"]]
    summary = {"pictures": len(pictures), **{name: verdicts[name] for name in VERDICTS}, "hands": len(hands)}
    return {
        "schema": SCHEMA_NAME,
        "handwright": version,
        "prompt": prompt,
        **({"generated": True} if generated else {}),
        **({"plug_ins": dict(plug_ins)} if plug_ins else {}),
        "summary": {**summary, "unreadable": len(unreadable)},
        "pictures": list(pictures),
        "unreadable": list(unreadable),
    }


def picture_json(path: str, review: PictureReview) -> dict[str, Any]:
    """One picture's entry."""
    return {
        "path": path,
        "width": review.width,
        "height": review.height,
        "verdict": review.verdict,
        "notes": list(review.notes),
        "hands": [_hand(hand) for hand in review.hands],
    }


def _hand(hand: HandReview) -> dict[str, Any]:
    return {
        "id": hand.id,
        "found": hand.observation is not None,
        "bbox_xyxy_px": _rounded(hand.bbox_xyxy_px, _PX_DECIMALS),
        "side": hand.side,
        "verdict": hand.verdict,
        "checks": {name: _check(hand.checks[name]) for name in CHECKS},
    }


def _check(check: Check) -> dict[str, Any]:
    region = check.where.region_xyxy_px
    return {
        "verdict": check.verdict,
        "confidence": round(check.confidence, _DECIMALS),
        "reason": check.reason,
        "where": {
            "points_px": [_rounded(point, _PX_DECIMALS) for point in check.where.points_px],
            "region_xyxy_px": None if region is None else _rounded(region, _PX_DECIMALS),
        },
        "value": _plain(check.value),
    }


def _rounded(values: Sequence[float], decimals: int) -> list[float]:
    return [round(float(value), decimals) for value in values]


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Numbers that JSON knows; None for those that it does not."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return round(value, _DECIMALS) if math.isfinite(value) else None
    return value
