"""A user's hand detector in the landmarker's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from handwright.perception.detect.landmarker import Landmarker, Person
from handwright.plug_ins import PlugIn
from handwright.types import HandObservation


class HandDetector(Protocol):
    """A landmarker of the user's own: anything that finds hands in pixels."""

    def detect(self, pixels: UInt8[np.ndarray, "h w 3"]) -> Sequence[HandObservation]:
        """Find the hands in pixels, in their own coordinates.

        Args:
            pixels: sRGB: a view of a picture (all of it, an overlapping tile, or the surroundings of one
                hand, also turned or mirrored), with black beyond the picture's border.

        Returns:
            Every hand with its 21 landmarks, its side as shown, and how sure it is a hand, in any order.
        """
        ...


class OwnLandmarker:
    """A user's detector as a ``Landmarker``: the search asks it of every view; people stay the package's."""

    def __init__(self, plug_in: PlugIn, people: Landmarker) -> None:
        """Put a detector in the landmarker's place.

        Args:
            plug_in: The detector.
            people: Finds people, whose arms confirm hands and tell left from right.
        """
        self._plug_in, self._people = plug_in, people

    def detect(
        self, pixels: UInt8[np.ndarray, "n n 3"], *, max_hands: int, confidence: float, presence: float
    ) -> list[HandObservation]:
        """The surest hands of the detector whose score reaches both thresholds.

        Raises:
            PlugInError: The detector failed, or returned something else than hands.
        """
        least = max(confidence, presence)
        sure = (hand for hand in self._found(pixels) if hand.score >= least)
        return sorted(sure, key=lambda hand: -hand.score)[:max_hands]

    def landmarks_in_crop(self, crop: UInt8[np.ndarray, "224 224 3"]) -> tuple[float, HandObservation]:
        """Score and landmarks of the hand nearest to the crop's middle; 0 where it finds none.

        Raises:
            PlugInError: As ``detect``.
        """
        middle = np.array(crop.shape[1::-1]) / 2
        found = self._found(crop)
        if not found:
            return 0.0, HandObservation(
                landmarks_px=np.tile(middle, (21, 1)),
                depth_px=np.zeros(21),
                side="right",
                score=0.0,
                found_by="picture",
            )
        nearest = min(found, key=lambda hand: float(np.linalg.norm(hand.landmarks_px.mean(0) - middle)))
        return nearest.score, nearest

    def people(self, pixels: UInt8[np.ndarray, "n n 3"]) -> list[Person]:
        """People, by the package's own network."""
        return self._people.people(pixels)

    def _found(self, pixels: UInt8[np.ndarray, "h w 3"]) -> list[HandObservation]:
        found = self._plug_in(pixels)
        if not isinstance(found, list | tuple):
            self._plug_in.refuse(f"a {type(found).__name__}", "a list of HandObservation")
        for hand in found:
            if not isinstance(hand, HandObservation):
                self._plug_in.refuse(f"a list with a {type(hand).__name__}", "a list of HandObservation")
        return list(found)
