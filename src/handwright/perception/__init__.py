"""Perception: from pixels to the hands in them.

Reading order: ``models`` (where the networks come from), ``detect`` (from a picture to observed hands),
``segment`` (the pixels of a hand), ``fit`` (the nearest regular hand), ``analysis`` (all of that for one
hand) and ``body`` (people's points and masks). The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handwright.perception.body.estimate import BodyEstimator
    from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
    from handwright.perception.detect.search import SearchParams, find_hands
    from handwright.perception.fit.hand_fit import FitParams, fit_hand
    from handwright.perception.models.download import ensure_models
    from handwright.perception.segment import SegmentParams, hand_region

__all__ = [
    "BodyEstimator", "FitParams", "HandLandmarker", "Landmarker", "SearchParams", "SegmentParams",
    "ensure_models", "find_hands", "fit_hand", "hand_region",
]  # fmt: skip

_HOME = {
    "BodyEstimator": "body.estimate",
    "FitParams": "fit.hand_fit", "HandLandmarker": "detect.landmarker", "Landmarker": "detect.landmarker",
    "SearchParams": "detect.search", "SegmentParams": "segment", "ensure_models": "models.download",
    "find_hands": "detect.search", "fit_hand": "fit.hand_fit", "hand_region": "segment",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOME:
        raise AttributeError(f"module 'handwright.perception' has no attribute {name!r}")
    return getattr(import_module(f"handwright.perception.{_HOME[name]}"), name)
