"""Where a picture's hands truly are: a JSON file beside it, as the synthesis writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import HandsFileError


@dataclass(frozen=True, eq=False)
class TrueHand:
    """A hand's exact keypoints.

    Attributes:
        points_px: float64 [21, 2] in the picture.
        visible: bool [21].
    """

    points_px: Float[np.ndarray, "21 2"]
    visible: Bool[np.ndarray, "21"]


def truth_beside(picture: Path) -> list[TrueHand] | None:
    """The hands that NAME.json beside NAME.png tells of, or None where there is no such file.

    Raises:
        HandsFileError: The file tells of no ``hands`` with ``keypoints_px`` [21][2] and ``visible`` [21].
    """
    file = picture.with_suffix(".json")
    if not file.is_file():
        return None
    try:
        told = cast("dict[str, Any]", json.loads(file.read_text("utf-8")))
        return [_hand(hand) for hand in told["hands"]]
    except (ValueError, KeyError, TypeError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise HandsFileError(
            f"{file} tells of no keypoints", detail, "write it again or remove it"
        ) from error


def _hand(told: dict[str, Any]) -> TrueHand:
    points = np.array(told["keypoints_px"], float)
    visible = np.array(told.get("visible", [True] * 21), float) > 0
    if points.shape != (21, 2) or visible.shape != (21,) or not np.isfinite(points).all():
        raise ValueError(f"keypoints_px must be 21 finite points, got shape {points.shape}")
    return TrueHand(points, visible)
