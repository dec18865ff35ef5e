"""One analysis of a hand: what is detected, fitted and segmented of it, computed once and handed around.

The judge and the painter work on the same value; a painted candidate gets an analysis of its own when it is
redetected, which the final review takes over where the picture around the hand is still the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.depth import render_hand
from handwright.hand.rig import load_rig
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.fit.outline import fit_with_outline, outline_overlap
from handwright.perception.fit.own_fitter import OwnFitter
from handwright.perception.segment import hand_region
from handwright.types import Box, HandFit, HandObservation, HandRegion, Image, Window

MARGIN = 0.55  # Room around a hand in its crop window, in sizes of the hand; chosen by eye

_MARGIN_PX = 8  # Room around a hand in its crop window besides, in pixels; chosen by eye

PALM = 5  # What ``HandAnalysis.finger_at`` holds where the palm or the wrist is visible

T = TypeVar("T")


class computed_once(Generic[T]):
    """A cached property that one thread computes for all: judge and painter ask for it at the same time.

    ``functools.cached_property`` locks all hands until Python 3.11 and none from 3.12 on; this one, one hand.
    """

    def __init__(self, compute: Callable[[HandAnalysis], T]) -> None:
        self._compute, self.__doc__ = compute, compute.__doc__

    def __get__(self, hand: HandAnalysis | None, owner: type | None = None) -> T:
        """Return the value of a hand; a class has none."""
        if hand is None:
            raise AttributeError
        name, values = self._compute.__name__, vars(hand)
        with hand.lock:
            if name not in values:
                values[name] = self._compute(hand)
        return values[name]


@dataclass(frozen=True, eq=False, kw_only=True)
class HandAnalysis:
    """One hand of one picture: its detection, its fit, and what the picture shows around it.

    Everything after the crop is computed when it is first needed, once, whichever threads need it.
    """

    observation: HandObservation  # The detected landmarks, side and score
    # The regular hand nearest to the landmarks alone, with the usual proportions; or the user's own, whose
    # crop this is
    landmark_fit: HandFit
    window: Window  # x0, y0, x1, y1 of its crop in the picture
    crop: UInt8[np.ndarray, "h w 3"]  # the picture there
    picture_px: tuple[int, int]  # Width and height of the picture
    fitter: OwnFitter | None = (
        None  # The user's mesh fitter, which the landmark fit is of; None: the package's
    )
    # Held while something of the hand is computed
    lock: RLock = field(default_factory=RLock, init=False, repr=False)

    @property
    def landmarks_px(self) -> Float[np.ndarray, "21 2"]:
        """Detected landmarks in the crop."""
        return self.observation.landmarks_px - np.array(self.window[:2])

    @property
    def size_px(self) -> float:
        """Hand size in pixels."""
        return self.observation.size_px

    @computed_once
    def region(self) -> HandRegion:
        """The picture's own hand in the crop, malformed as it may be."""
        return hand_region(self.crop, self.landmarks_px)

    @computed_once
    def coarse_region(self) -> HandRegion:
        """The same with a coarser outline, which is enough for the fit and the review."""
        return hand_region(self.crop, self.landmarks_px, coarse=True)

    @computed_once
    def fit(self) -> HandFit:
        """The regular hand nearest to the landmarks, in proportions that agree with the hand's outline.

        The fit of a user's mesh fitter stays as it is.
        """
        if self.fitter is not None:
            return self.landmark_fit
        return fit_with_outline(
            self.observation, self.landmark_fit, self.coarse_region, self.window, self.picture_px
        )

    @computed_once
    def finger_at(self) -> Int[np.ndarray, "h w"]:
        """Visible part of the fitted hand, int8 [h, w]: 0 thumb … 4 pinky, ``PALM``, −1 for none."""
        rig, of_bone = load_rig(), np.full(20, PALM, np.int8)
        for finger, bones in enumerate(FINGER_BONES):
            of_bone[list(bones)] = finger
        face = render_hand(self.fit.hand, self.window[3], self.window[2], window=self.window).face
        return np.where(face >= 0, of_bone[rig.part_ids][rig.faces[:, 0]][face], np.int8(-1))

    @computed_once
    def silhouette(self) -> Bool[np.ndarray, "h w"]:
        """Pixels that the fitted hand covers, bool [h, w]."""
        return self.finger_at >= 0

    @computed_once
    def overlap(self) -> float:
        """Intersection over union of the fitted and the segmented hand distal of the wrist, in [0, 1]."""
        return outline_overlap(self.observation, self.silhouette, self.coarse_region, self.window)

    @computed_once
    def misfit(self) -> Float[np.ndarray, "21"]:
        """Distance of each detected landmark from the fitted one, in hand sizes."""
        miss = np.linalg.norm(self.fit.landmarks_px - self.observation.landmarks_px, axis=1)
        return miss / max(self.size_px, 1.0)

    def box_of(self, inside: Bool[np.ndarray, "h w"]) -> Box:
        """Box, in the picture, of a part of the crop that is not empty."""
        rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
        x0, y0 = self.window[:2]
        return (
            float(x0 + columns[0]),
            float(y0 + rows[0]),
            float(x0 + columns[-1] + 1),
            float(y0 + rows[-1] + 1),
        )

    def in_picture(self, image: Image) -> HandAnalysis:
        """Return the analysis of the same detection in another picture, or this one for the same crop."""
        x0, y0, x1, y1 = self.window
        same_size = (image.width, image.height) == self.picture_px
        if same_size and np.array_equal(image.pixels[y0:y1, x0:x1], self.crop):
            return self
        return analyse_hand(image, self.observation, fitter=self.fitter)


def analyse_hand(
    image: Image,
    observation: HandObservation,
    landmark_fit: HandFit | None = None,
    fitter: OwnFitter | None = None,
) -> HandAnalysis:
    """Fit one hand to its landmarks and cut its crop.

    Args:
        image: The picture.
        observation: The hand as it was detected there.
        landmark_fit: The user's own fit, to cut the crop by; None: fit the landmarks.
        fitter: The user's own mesh fitter, where there is no such fit; None: the package's.

    Raises:
        PlugInError: The fitter failed.
    """
    if landmark_fit is not None:
        fit, fitter = landmark_fit, None
    elif fitter is not None:
        fit = fitter(image.pixels, observation)
    else:
        fit = fit_hand(observation, image.width, image.height)
    x0, y0, x1, y1 = window = crop_window(observation, fit, image.width, image.height)
    return HandAnalysis(
        observation=observation,
        landmark_fit=fit,
        window=window,
        crop=np.ascontiguousarray(image.pixels[y0:y1, x0:x1]),
        picture_px=(image.width, image.height),
        fitter=fitter,
    )


def crop_window(observation: HandObservation, fit: HandFit, width: int, height: int) -> Window:
    """Square-ish box of whole pixels around the detected and the fitted hand, inside the picture.

    Args:
        observation: The hand as it was detected.
        fit: The hand as it was fitted.
        width: Of the picture in pixels.
        height: Of the picture in pixels.

    Returns:
        x0, y0, x1, y1 with ``MARGIN`` room on every side; never empty.
    """
    points = np.concatenate([observation.landmarks_px, fit.landmarks_px])
    low, high = points.min(0), points.max(0)
    centre, reach = (low + high) / 2, float((high - low).max()) * (0.5 + MARGIN) + _MARGIN_PX
    x0, y0 = np.clip(np.floor(centre - reach), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(centre + reach), [x0 + 1, y0 + 1], [width, height]).astype(int)
    return int(x0), int(y0), int(x1), int(y1)
