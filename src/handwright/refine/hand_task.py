"""One hand's share of the work: its crop, the old hand in it, and the mask."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import HandsFileError
from handwright.hand.morphology import eroded, opened
from handwright.hand.skin_colour import SAME_SKIN, skin_distance
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.fit.edited_depth import with_depth
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.refine.settings import RefineSettings
from handwright.review.critic.output_maps import PartMaps
from handwright.types import HandFit, HandObservation, HandRegion, Image, Mask, Window

_FARTHEST = 1.5
"""How many cells a hand may go beyond a critic's."""

_OTHER, _SPECK = 40.0, 0.2
"""How far from skin a colour is (``skin_distance``) that is none in any light; its least radius in cells."""


@dataclass(frozen=True, eq=False)
class Underlay:
    """What is laid into a picture before a hand is painted over it.

    Attributes:
        pixels: uint8 [h, w, 3] the hand's whole crop.
        inside: bool [h, w] where it may differ from the picture's.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    inside: Bool[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class HandTask:
    """A hand with everything known about it before painting.

    Attributes:
        id: 1-based number: left to right as found, or in the user's own order.
        observation: What was seen.
        fit: The reconstructed hand.
        window: Its crop.
        region: The old hand in the crop.
        repair_mask: bool [h, w] the repair mask in the crop.
        surplus: bool [h, w] skin that no regular hand has, which may go; None: not known.
        reading: How the hand was read, in words.
        underlay: What is laid into the picture first; a part of ``repair_mask``.
    """

    id: int
    observation: HandObservation
    fit: HandFit
    window: Window
    region: HandRegion
    repair_mask: Bool[np.ndarray, "h w"]
    surplus: Bool[np.ndarray, "h w"] | None = None
    pose_hypothesis: str = "as found"
    underlay: Underlay | None = None

    @property
    def landmarks_px(self) -> Float[np.ndarray, "21 2"]:
        """Observed landmarks in the crop."""
        return self.observation.landmarks_px - np.array(self.window[:2])

    def cut(self, pixels: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Its crop of a picture, a copy where need be."""
        x0, y0, x1, y1 = self.window
        return np.ascontiguousarray(pixels[y0:y1, x0:x1])

    def full_mask(self, image: Image) -> Mask:
        """The repair mask at the picture's size."""
        x0, y0, x1, y1 = self.window
        inside = np.zeros((image.height, image.width), np.bool_)
        inside[y0:y1, x0:x1] = self.repair_mask
        return Mask(inside)


def with_part_maps(
    pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, flesh: PartMaps, mask: Mask | None
) -> HandTask:
    """A task that knows which flesh is the old hand's by a critic: fingers too many, or too long.

    Args:
        pixels: The picture.
        task: As planned from colours and landmarks.
        flesh: What the critic sees.
        mask: The user's mask, which stays.
    """
    hand, surplus = flesh.masks_in(task.window)
    distance = skin_distance(task.cut(pixels), task.region)
    region = replace(task.region, certain=_edged(hand, distance, flesh.cell_px))
    allowed = task.repair_mask
    if mask is None:
        allowed = compute_repair_mask(task.fit.hand, task.window, task.landmarks_px, region)
    return replace(task, region=region, repair_mask=allowed, surplus=surplus)


def _edged(
    part: Bool[np.ndarray, "h w"], distance: Float[np.ndarray, "h w"], cell_px: float
) -> Bool[np.ndarray, "h w"]:
    """A part known by coarse cells, half a cell farther, and a whole one over skin that it runs into.

    Where colour tells what its outermost cell holds it ends with the skin.
    """
    if not part.any():
        return part
    skin = distance < SAME_SKIN
    away = cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 3)
    near = (away <= cell_px / 2) | (skin & (away <= _FARTHEST * cell_px))
    other = opened(distance > _OTHER, max(1.0, _SPECK * cell_px))
    near &= ~other | eroded(part, cell_px)
    _, pieces = cv2.connectedComponents(near.astype(np.uint8))
    return np.isin(pieces, np.unique(pieces[part & near]))


def plan_hand(
    number: int,
    image: Image,
    analysis: HandAnalysis,
    settings: RefineSettings,
    given: HandFit | None = None,
) -> HandTask:
    """Everything known about a hand before painting.

    A depth control image of the user's decides what is nearer in the fit, a hand of theirs lends its pose.

    Args:
        number: 1-based number of the hand.
        image: The picture.
        analysis: The hand in it.
        settings: With what the user brought.
        given: The fit, where the user brought it.

    Raises:
        HandsFileError: The user's mask has another size than the picture.
    """
    mask = settings.mask
    if mask is not None and mask.inside.shape != image.pixels.shape[:2]:
        raise HandsFileError(
            f"the mask is {mask.inside.shape[1]} × {mask.inside.shape[0]} pixels",
            f"the picture is {image.width} × {image.height}",
            "give a mask of the picture's size",
        )
    fit, analysis = _as_given(image, analysis, settings, given)
    x0, y0, x1, y1 = window = analysis.window
    allowed = (
        compute_repair_mask(fit.hand, window, analysis.landmarks_px, analysis.region)
        if mask is None
        else mask.inside[y0:y1, x0:x1]
    )
    return HandTask(
        id=number,
        observation=analysis.observation,
        fit=fit,
        window=window,
        region=analysis.region,
        repair_mask=allowed,
    )


def _as_given(
    image: Image, analysis: HandAnalysis, settings: RefineSettings, given: HandFit | None
) -> tuple[HandFit, HandAnalysis]:
    """The fit to paint and the analysis of its crop: another one where the user brought fit, depth or pose."""
    if given is not None:
        fit, analysis = given, analyse_hand(image, analysis.observation, given)
    else:
        if settings.depth is not None:
            depth = settings.depth.pixels.max(-1)
            analysis = analyse_hand(image, with_depth(analysis.observation, analysis.landmark_fit, depth))
        fit = analysis.fit
    pose = settings.hand_pose
    if pose is None:
        return fit, analysis
    posed = replace(fit.hand, pose=pose.pose, palm_arch=pose.palm_arch)
    fit = fit_of_given_hand(analysis.observation, posed)
    return fit, analyse_hand(image, analysis.observation, fit)
