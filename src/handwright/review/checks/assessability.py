"""Whether a hand can be judged at all: what is too small, cut, blurred, gloved or drawn is not."""

from __future__ import annotations

import cv2
import numpy as np

from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.hand.anatomy import FINGERS
from handwright.perception.analysis import HandAnalysis
from handwright.review.checklist import CheckName
from handwright.review.checks.colour import LEAST_COLOUR, colourfulness, is_drawn
from handwright.review.checks.joint_angles import finger_words
from handwright.review.critic.prediction import SMALLEST_PX
from handwright.review.critic.upright_crops import OrientedSquare

MOST_BLUR = 0.02
"""Largest sigma of the edges' blur, in sizes of the hand."""

MOST_MISFIT = 0.035
"""Median distance of the landmarks from the nearest regular hand, in sizes of the hand, that is no hand's."""

MOST_FLAT = 0.45
"""Largest share of a hand without any texture at all; drawings have more."""

SKIN_HUES_DEG = (-22.0, 97.0)
"""Hues of skin in Lab, under bluish light and under yellow; the widest of training photographs."""

_BLUR_HAND_PX = 130.0
"""Blur is measured on hands of at most this size in pixels: beyond a few pixels it cannot be told apart."""

_COLOURED, _COLOURLESS = 8.0, 2.5
_TIPS = (4, 8, 12, 16, 20)

NotAssessable = dict[CheckName, str]


def reasons_not_assessable(analysis: HandAnalysis) -> NotAssessable:
    """Per check that cannot be made the reason in words; empty for a hand that is plain to see."""
    said: NotAssessable = {}
    for checks, reason in _all_doubts(analysis):
        for check in checks:
            said.setdefault(check, reason)
    return said


def unlike_skin(analysis: HandAnalysis) -> bool:
    """Whether the hand's colour is no skin's although the picture has colour."""
    red, yellow = analysis.region.skin_lab[1:] - 128.0
    chroma, hue = float(np.hypot(red, yellow)), float(np.rad2deg(np.arctan2(yellow, red)))
    if chroma < _COLOURLESS:
        return colourfulness(analysis.crop, 90) > LEAST_COLOUR
    return chroma > _COLOURED and not SKIN_HUES_DEG[0] <= hue <= SKIN_HUES_DEG[1]


def flat_share(analysis: HandAnalysis) -> float:
    """Share of the hand whose pixels equal their neighbours: little in photographs and renders."""
    inside = cv2.erode((analysis.region.inside & analysis.silhouette).astype(np.uint8), np.ones((5, 5))) > 0
    if inside.sum() < 50:
        return 0.0
    grey = cv2.cvtColor(analysis.crop, cv2.COLOR_RGB2GRAY)
    box = np.ones((3, 3), np.uint8)
    flat = cv2.dilate(grey, box) - cv2.erode(grey, box) <= 1
    return float(flat[inside].mean())


def edge_blur(analysis: HandAnalysis) -> float:
    """Sigma of the blur of the hand's edges, in sizes of the hand."""
    scale = min(1.0, _BLUR_HAND_PX / analysis.size_px)
    height, width = analysis.region.inside.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    crop = cv2.resize(analysis.crop, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(analysis.region.inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    return edge_blur_sigma(crop, inside) / (analysis.size_px * scale)


def cut_fingers(analysis: HandAnalysis) -> tuple[str, ...]:
    """Names of the fingers whose tip lies outside the picture."""
    width, height = analysis.picture_px
    tips = analysis.observation.landmarks_px[list(_TIPS)]
    outside = (tips < 0).any(1) | (tips[:, 0] > width) | (tips[:, 1] > height)
    return tuple(finger_words(name) for name, out in zip(FINGERS, outside, strict=True) if out)


def _all_doubts(analysis: HandAnalysis) -> list[tuple[tuple[CheckName, ...], str]]:
    shape: tuple[CheckName, ...] = ("finger_count", "joint_bending", "grasp")
    every: tuple[CheckName, ...] = (*shape, "left_right")
    found: list[tuple[tuple[CheckName, ...], str]] = []
    if analysis.size_px < SMALLEST_PX:
        found.append((every, f"The hand is only {analysis.size_px:.0f} px large."))
    if cut := cut_fingers(analysis):
        found.append((every if len(cut) > 2 else shape, f"The picture's border cuts the {_list(cut)} off."))
    if float(np.median(analysis.misfit)) > MOST_MISFIT:
        found.append((every, "What was seen of it fits no hand well enough to be judged."))
    if edge_blur(analysis) > MOST_BLUR:
        found.append((shape, "The hand is too blurred."))
    if unlike_skin(analysis):
        found.append((shape, "Its colour is no skin's: a glove, paint or coloured light."))
    if flat_share(analysis) > MOST_FLAT or is_drawn(analysis.crop, OrientedSquare.of(analysis.landmarks_px)):
        found.append((shape, "It has no texture: a drawing, or overexposed."))
    return found


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
