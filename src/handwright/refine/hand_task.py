"""One hand's share of the work: its crop, the old hand in it, and the mask."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import eroded, opened
from handwright.hand.skin_colour import SAME_SKIN, skin_distance
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.perception.fit.landmark_weights import with_depth
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.refine.settings import RefineSettings
from handwright.review.critic.output_maps import LIKELY, PartMaps
from handwright.types import HandFit, HandObservation, HandRegion, Image, Mask, Window


@dataclass(frozen=True, kw_only=True)
class PartMapParams:
    """How the critic's coarse map of a hand is brought to the picture's edges; chosen by eye."""

    margin: float = 0.5  # How far the hand goes beyond its cells whatever the colour, in cells
    skin_margin: float = 1.5  # How far it goes beyond them over skin, in cells
    other_distance: float = 40.0  # Colour distance (``skin_distance``) of what is no skin in any light
    speck_radius: float = 0.2  # Radius of the smallest thing of such a colour that is left out, in cells


PARAMS = PartMapParams()


@dataclass(frozen=True, eq=False)
class Underlay:
    """What is laid into a picture before a hand is painted over it."""

    pixels: UInt8[np.ndarray, "h w 3"]  # the hand's whole crop
    inside: Bool[np.ndarray, "h w"]  # where it may differ from the picture's


@dataclass(frozen=True, eq=False, kw_only=True)
class HandTask:
    """A hand with everything known about it before painting."""

    id: int  # 1-based number: left to right as found, or in the user's own order
    observation: HandObservation  # The detection, or what a pose hypothesis takes it for
    fit: HandFit  # The regular hand to paint
    window: Window  # Its crop
    region: HandRegion  # The old hand in the crop
    repair_mask: Bool[np.ndarray, "h w"]  # the repair mask in the crop
    # skin that no regular hand has, which may go; None: not known
    surplus: Bool[np.ndarray, "h w"] | None = None
    pose_hypothesis: str = "as found"  # How the malformed hand was interpreted, in words
    underlay: Underlay | None = None  # What is laid into the picture first; a part of ``repair_mask``
    size: str = "hand"  # How much is repaired, one of ``result.SIZES``
    # How much of the painting counts, float32 in 0 … 1; None: all of it inside ``repair_mask``
    share: Float[np.ndarray, "h w"] | None = None

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


def with_box_mask(task: HandTask) -> HandTask:
    """A task whose mask is the upright box around it, as HandRefiner published it."""
    x, y, width, height = cv2.boundingRect(task.repair_mask.astype(np.uint8))
    box = np.zeros_like(task.repair_mask)
    box[y : y + height, x : x + width] = True
    return replace(task, repair_mask=box)


def with_part_maps(
    pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, maps: PartMaps, mask: Mask | None
) -> HandTask:
    """A task with the critic's maps of the old hand: with fingers that are too many, or too long."""
    hand, surplus = maps.in_window(task.window)
    distance = skin_distance(task.cut(pixels), task.region)
    certain = _edged(hand > LIKELY, distance, maps.cell_px)
    region = replace(task.region, certain=certain, probability=hand)
    allowed = task.repair_mask
    if mask is None:
        allowed = compute_repair_mask(task.fit.hand, task.window, task.landmarks_px, region)
    return replace(task, region=region, repair_mask=allowed, surplus=surplus > LIKELY)


def _edged(
    part: Bool[np.ndarray, "h w"], distance: Float[np.ndarray, "h w"], cell_px: float
) -> Bool[np.ndarray, "h w"]:
    """A part known by coarse cells, widened by ``PartMapParams``, without what is plainly no skin there."""
    if not part.any():
        return part
    skin = distance < SAME_SKIN
    away = cv2.distanceTransform((~part).astype(np.uint8), cv2.DIST_L2, 3)
    near = (away <= PARAMS.margin * cell_px) | (skin & (away <= PARAMS.skin_margin * cell_px))
    other = opened(distance > PARAMS.other_distance, max(1.0, PARAMS.speck_radius * cell_px))
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
    """
    mask = settings.mask
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
    """The fit to paint, and the analysis of its crop: cut anew where the user brought a fit or a pose."""
    if given is not None:
        fit, analysis = given, analyse_hand(image, analysis.observation, given)
    else:
        if settings.depth is not None:
            depth = settings.depth.pixels.max(-1)
            seen = with_depth(analysis.observation, analysis.landmark_fit, depth)
            analysis = analyse_hand(image, seen, fitter=analysis.fitter)
        fit = analysis.fit
    pose = settings.hand_pose
    if pose is None:
        return fit, analysis
    posed = replace(fit.hand, pose=pose.pose, palm_arch=pose.palm_arch)
    fit = fit_of_given_hand(analysis.observation, posed)
    return fit, analyse_hand(image, analysis.observation, fit)
