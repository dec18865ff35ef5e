"""One hand's share of the work: its crop, the old hand in it, and the mask."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import HandsFileError
from handwright.handrefiner.mask import crop_window, repair_mask
from handwright.handrefiner.settings import RefineSettings
from handwright.perception.fit import fit_given, fit_hand
from handwright.perception.from_depth import with_depth
from handwright.perception.region import hand_region
from handwright.perception.silhouette import fit_with_outline
from handwright.types import Hand, HandFit, HandObservation, HandRegion, Image, Mask

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 of a crop in whole pixels of the picture; x1 and y1 exclusive."""


@dataclass(frozen=True, eq=False)
class HandTask:
    """A hand with everything known about it before painting.

    Attributes:
        id: 1-based number: left to right as found, or in the user's own order.
        observation: What was seen.
        fit: The reconstructed hand.
        window: Its crop.
        region: The old hand in the crop.
        may_change: bool [h, w] the repair mask in the crop.
        reading: How the hand was read, in words.
    """

    id: int
    observation: HandObservation
    fit: HandFit
    window: Window
    region: HandRegion
    may_change: Bool[np.ndarray, "h w"]
    reading: str = "as found"

    @property
    def landmarks_px(self) -> Float[np.ndarray, "21 2"]:
        """Observed landmarks in the crop."""
        return self.observation.landmarks_px - np.array(self.window[:2])

    def full_mask(self, image: Image) -> Mask:
        """The repair mask at the picture's size."""
        x0, y0, x1, y1 = self.window
        inside = np.zeros((image.height, image.width), np.bool_)
        inside[y0:y1, x0:x1] = self.may_change
        return Mask(inside)


def reconstruct(
    image: Image,
    observation: HandObservation,
    given: HandFit | None,
    depth: Image | None = None,
    pose: Hand | None = None,
) -> tuple[HandFit, Window, HandRegion]:
    """Fit one hand (unless the user brought its fit), cut its crop, segment the old hand in it.

    A depth control image of the user's decides what is nearer in the fit, a hand of theirs lends its pose.
    """
    fit = given or fit_hand(observation, image.width, image.height)
    if depth is not None and given is None:
        observation = with_depth(observation, fit, depth.pixels.max(-1))
        fit = fit_hand(observation, image.width, image.height)
    window, region = _cut(image, observation, fit)
    if given is None:
        fit = fit_with_outline(observation, fit, region, window, (image.width, image.height))
    if pose is not None:
        fit = fit_given(observation, replace(fit.hand, pose=pose.pose, palm_arch=pose.palm_arch))
        window, region = _cut(image, observation, fit)
    return fit, window, region


def _cut(image: Image, observation: HandObservation, fit: HandFit) -> tuple[Window, HandRegion]:
    """The crop around the seen and the fitted hand, and the old hand in it."""
    x0, y0, x1, y1 = window = crop_window(observation, fit, image.width, image.height)
    crop = np.ascontiguousarray(image.pixels[y0:y1, x0:x1])
    return window, hand_region(crop, observation.landmarks_px - np.array([x0, y0]))


def plan_hand(
    number: int,
    image: Image,
    observation: HandObservation,
    fit: HandFit,
    window: tuple[int, int, int, int],
    region: HandRegion,
    settings: RefineSettings,
) -> HandTask:
    """Everything known about a hand before painting.

    Raises:
        HandsFileError: The user's mask has another size than the picture.
    """
    given = settings.mask
    if given is not None and given.inside.shape != image.pixels.shape[:2]:
        raise HandsFileError(
            f"the mask is {given.inside.shape[1]} × {given.inside.shape[0]} pixels",
            f"the picture is {image.width} × {image.height}",
            "give a mask of the picture's size",
        )
    x0, y0, x1, y1 = window
    landmarks = observation.landmarks_px - np.array([x0, y0])
    allowed = (
        repair_mask(fit.hand, window, landmarks, region) if given is None else given.inside[y0:y1, x0:x1]
    )
    return HandTask(number, observation, fit, window, region, allowed)
