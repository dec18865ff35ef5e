"""Whether a hand can be judged at all: one that is too small, cut, blurred, gloved or drawn cannot."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.hand.anatomy import FINGERS
from handwright.hand.grammar.phrases import listed
from handwright.perception.analysis import HandAnalysis
from handwright.review.checklist import CheckName
from handwright.review.checks.joint_bending import finger_words
from handwright.review.critic.prediction import SMALLEST_PX
from handwright.review.critic.upright_crops import OrientedSquare


@dataclass(frozen=True, kw_only=True)
class AssessabilityParams:
    """When a hand is not assessable; set on rendered hands and training photographs."""

    max_blur: float = 0.02  # Sigma of the edges' blur in hand sizes …
    # … and in pixels, up to which no hand counts as blurred: of 21 hands of 32 to 58 px that only the first
    # bound calls blurred, 18 could be read by eye
    sharp_px: float = 1.3
    # Hand size in pixels at which blur is measured on larger hands: blurs beyond a few pixels are not
    # distinguished
    blur_hand_px: float = 130.0
    max_misfit: float = 0.035  # Median distance of the landmarks from the nearest regular hand, in hand sizes
    max_flat: float = 0.45  # Share of the hand's pixels that equal their neighbours; drawings have more
    # Hues of skin in Lab, under bluish and under yellow light; the widest of the training photographs
    skin_hues_deg: tuple[float, float] = (-22.0, 97.0)
    min_chroma: float = 8.0  # Chroma in Lab from which on a hue counts
    # Chroma in Lab below which a hand is grey in a picture with colour. Both by eye.
    max_grey_chroma: float = 2.5
    min_colour: float = 8.0  # Spread of the three channels, of 255, that skin of any tone exceeds
    # Share of the hand's middle that has one of ``few_colours`` colours exactly; flat fills have more
    max_few_colours: float = 0.6
    few_colours: int = 4  # How many colours that are
    middle: float = 0.35  # Half side of a hand's middle in hand sizes, by eye
    sampled: int = 128  # Most rows and columns of the middle whose colours are counted, for speed


PARAMS = AssessabilityParams()

_TIPS = (4, 8, 12, 16, 20)
_SHAPE_CHECKS: tuple[CheckName, ...] = ("finger_count", "joint_bending", "grasp")
_ALL_CHECKS: tuple[CheckName, ...] = (*_SHAPE_CHECKS, "left_right")


def reasons_not_assessable(analysis: HandAnalysis) -> dict[CheckName, str]:
    """By check that cannot be made, the reason in words; empty for a hand in plain view."""
    reasons: dict[CheckName, str] = {}
    for checks, reason in _all_reasons(analysis):
        for check in checks:
            reasons.setdefault(check, reason)
    return reasons


def unlike_skin(analysis: HandAnalysis) -> bool:
    """Whether the hand's colour is no skin's although the picture has colour."""
    red, yellow = analysis.coarse_region.skin_lab[1:] - 128.0
    chroma, hue = float(np.hypot(red, yellow)), float(np.rad2deg(np.arctan2(yellow, red)))
    if chroma < PARAMS.max_grey_chroma:
        return colourfulness(analysis.crop, 90) > PARAMS.min_colour
    return chroma > PARAMS.min_chroma and not PARAMS.skin_hues_deg[0] <= hue <= PARAMS.skin_hues_deg[1]


def flat_share(analysis: HandAnalysis) -> float:
    """Share of the hand whose pixels equal their neighbours, in [0, 1]; small in photographs and renders."""
    inside = (
        cv2.erode((analysis.coarse_region.inside & analysis.silhouette).astype(np.uint8), np.ones((5, 5))) > 0
    )
    if inside.sum() < 50:
        return 0.0
    grey = cv2.cvtColor(analysis.crop, cv2.COLOR_RGB2GRAY)
    box = np.ones((3, 3), np.uint8)
    flat = cv2.dilate(grey, box) - cv2.erode(grey, box) <= 1
    return float(flat[inside].mean())


def edge_blur(analysis: HandAnalysis) -> float:
    """Sigma of the blur of the hand's edges, in hand sizes."""
    scale = min(1.0, PARAMS.blur_hand_px / analysis.size_px)
    height, width = analysis.coarse_region.inside.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    crop = cv2.resize(analysis.crop, size, interpolation=cv2.INTER_AREA)
    inside = (
        cv2.resize(analysis.coarse_region.inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    )
    return edge_blur_sigma(crop, inside) / (analysis.size_px * scale)


def cut_fingers(analysis: HandAnalysis) -> tuple[str, ...]:
    """Names of the fingers whose tip lies outside the picture."""
    width, height = analysis.picture_px
    tips = analysis.observation.landmarks_px[list(_TIPS)]
    outside = (tips < 0).any(1) | (tips[:, 0] > width) | (tips[:, 1] > height)
    return tuple(finger_words(name) for name, out in zip(FINGERS, outside, strict=True) if out)


def colourfulness(pixels: UInt8[np.ndarray, "*n 3"], percent: float = 50.0) -> float:
    """A percentile of the pixels' spread of their three channels, in [0, 255]; 255 of no pixels."""
    if not pixels.size:
        return 255.0
    return float(np.percentile(np.ptp(pixels.reshape(-1, 3), axis=1), percent))


def is_colourless(pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> bool:
    """Whether the middle of a hand has no colour: stone, or a picture in black and white."""
    return colourfulness(_middle(pixels, region)) < PARAMS.min_colour


def is_drawn(pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> bool:
    """Whether the middle of a hand is filled with a few colours: a drawing, or overexposed.

    Lossy compression spreads flat colours: it does not recognise a drawing that went through JPEG.
    """
    middle = _middle(pixels, region)
    if not middle.size:
        return False
    step = -(-max(middle.shape[:2]) // PARAMS.sampled)
    red, green, blue = middle[::step, ::step].reshape(-1, 3).astype(np.int64).T
    counts = np.sort(np.unique(red << 16 | green << 8 | blue, return_counts=True)[1])
    return float(counts[-PARAMS.few_colours :].sum() / counts.sum()) > PARAMS.max_few_colours


def _middle(pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> UInt8[np.ndarray, "m n 3"]:
    (x, y), reach = region.center_px, PARAMS.middle * region.size_px
    rows, columns = (slice(max(0, round(at - reach)), max(1, round(at + reach))) for at in (y, x))
    return pixels[rows, columns]


def _all_reasons(analysis: HandAnalysis) -> list[tuple[tuple[CheckName, ...], str]]:
    found: list[tuple[tuple[CheckName, ...], str]] = []
    if analysis.size_px < SMALLEST_PX:
        found.append((_ALL_CHECKS, f"The hand is only {analysis.size_px:.0f} px large."))
    if cut := cut_fingers(analysis):
        reason = f"The picture's border cuts the {listed(cut)} off."
        found.append((_ALL_CHECKS if len(cut) > 2 else _SHAPE_CHECKS, reason))
    if float(np.median(analysis.misfit)) > PARAMS.max_misfit:
        found.append((_ALL_CHECKS, "Its landmarks fit no hand well enough to be judged."))
    if edge_blur(analysis) > max(PARAMS.max_blur, PARAMS.sharp_px / analysis.size_px):
        found.append((_SHAPE_CHECKS, "The hand is too blurred."))
    if unlike_skin(analysis):
        found.append((_SHAPE_CHECKS, "Its colour is no skin's: a glove, paint or coloured light."))
    if flat_share(analysis) > PARAMS.max_flat or is_drawn(
        analysis.crop, OrientedSquare.of(analysis.landmarks_px)
    ):
        found.append((_SHAPE_CHECKS, "It has no texture: a drawing, or overexposed."))
    return found
