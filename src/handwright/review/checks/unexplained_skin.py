"""Skin that the fitted hand does not explain, fitted fingers without skin, and things across the hand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import eroded, opened
from handwright.hand.skeleton import distal_of_wrist
from handwright.hand.skin_colour import not_skin, skin_distance
from handwright.perception.analysis import HandAnalysis


@dataclass(frozen=True, kw_only=True)
class UnexplainedSkinParams:
    """Lengths in wrist-to-knuckles spans; chosen by eye on rendered hands."""

    working_span_px: float = 90.0  # Span at which skin is analysis; larger hands are shrunk to it
    outline_slack: float = 0.07  # How far the fitted outline may be off
    from_wrist: float = 0.35  # Share of the way from wrist to knuckles below which skin is the arm's
    min_side: float = 0.05  # Side of a square of the least area that counts
    min_line_points: int = 6  # Fewest visible points of a finger's twelve from which its bare share is taken
    covered_from_wrist: float = 0.2  # As ``from_wrist``, of the part that something may cover
    # Radius by which the silhouette is eroded, and thinner coverings are dropped
    covered_radius: float = 0.03


PARAMS = UnexplainedSkinParams()


@dataclass(frozen=True, eq=False, kw_only=True)
class Outgrowth:
    """One piece of skin outside the fitted hand."""

    inside: Bool[np.ndarray, "h w"]  # in the crop
    length: float  # How far it reaches from the fitted outline, in wrist-to-knuckles spans
    width: float  # Its greatest width in spans
    root: float  # Length of its border with the fitted hand, in spans
    solidity: float  # Its area over that of its convex hull
    # Distance of its root from the nearest fingertip that was seen, in spans: small where a finger is only
    # longer than its fit
    tip_gap: float
    unlike_skin: float  # Median squared distance of its colour from the hand's skin, in standard deviations
    at_border: bool  # It runs out of the crop


def outgrowths(analysis: HandAnalysis) -> list[Outgrowth]:
    """Pieces of the segmented hand outside the fitted one beyond the wrist, longest first."""
    small = _small(analysis)
    away = cv2.distanceTransform((~small.drawn).astype(np.uint8), cv2.DIST_L2, 3)
    spare = small.own & small.beyond & (away > PARAMS.outline_slack * small.span)
    count, parts = cv2.connectedComponents(spare.astype(np.uint8))
    pieces = [parts == part for part in range(1, count)]
    found = [
        _measure(mine, away, small, analysis)
        for mine in pieces
        if mine.sum() >= (PARAMS.min_side * small.span) ** 2
    ]
    return sorted(found, key=lambda piece: -piece.length)


def _measure(
    mine: Bool[np.ndarray, "h w"], away: Float[np.ndarray, "h w"], small: _Small, analysis: HandAnalysis
) -> Outgrowth:
    span = small.span
    half = cv2.distanceTransform(np.pad(mine, 1).astype(np.uint8), cv2.DIST_L2, 3).max()
    root = mine & (away < PARAMS.outline_slack * span + 2)
    spots = np.argwhere(root if root.any() else mine)[:, ::-1].mean(0)
    outline = np.argwhere(mine)[:, ::-1].astype(np.int32)
    hull = cv2.fillConvexPoly(np.zeros(mine.shape, np.uint8), cv2.convexHull(outline), 1)
    size = analysis.crop.shape[1], analysis.crop.shape[0]
    return Outgrowth(
        inside=cv2.resize(mine.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0,
        length=float(away[mine].max() / span),
        width=float(2 * half / span),
        root=float(root.sum() / 2 / span),
        solidity=float(mine.sum() / max(int(hull.sum()), 1)),
        tip_gap=float(np.linalg.norm(small.tips - spots, axis=1).min() / span),
        unlike_skin=float(np.median(skin_distance(small.crop, analysis.coarse_region)[mine])),
        at_border=bool(mine[0].any() or mine[-1].any() or mine[:, 0].any() or mine[:, -1].any()),
    )


def bare_share(analysis: HandAnalysis) -> Float[np.ndarray, "5"]:
    """Per fitted finger the share of its visible middle line under which there is no hand; NaN if unseen."""
    x, y = np.rint(_along(analysis.fit.landmarks_px - np.array(analysis.window[:2]))).astype(int).T
    height, width = analysis.finger_at.shape
    valid = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    finger = np.repeat(np.arange(5), len(x) // 5)
    shown = valid & (analysis.finger_at[y, x] == finger)
    bare = shown & ~analysis.coarse_region.inside[y, x]
    counts = shown.reshape(5, -1).sum(1)
    share = bare.reshape(5, -1).sum(1) / np.maximum(counts, 1)
    return np.where(counts >= PARAMS.min_line_points, share, np.nan)


def covered_share(analysis: HandAnalysis) -> float:
    """Share of the fitted hand distal of its wrist where the picture cannot show its skin, in [0, 1]."""
    height, width = analysis.coarse_region.inside.shape
    own = analysis.silhouette & distal_of_wrist(
        analysis.landmarks_px, height, width, PARAMS.covered_from_wrist
    )
    radius = max(1, round(PARAMS.covered_radius * analysis.coarse_region.span_px))
    own = eroded(own, radius)
    broad = opened(own & not_skin(analysis.crop, analysis.coarse_region), radius)
    return float(broad.sum() / max(own.sum(), 1))


def _along(points: Float[np.ndarray, "21 2"]) -> Float[np.ndarray, "n 2"]:
    """Twelve points a finger, from its second joint to just before its tip."""
    steps = np.linspace(0, 1, 7)[:-1, None]
    lines: list[np.ndarray] = []
    for finger in range(5):
        a, b, c = points[2 + 4 * finger : 5 + 4 * finger]
        lines += [a + steps * (b - a), b + steps * (c - b)]
    return np.concatenate(lines)


@dataclass(frozen=True, eq=False)
class _Small:
    """A hand at working size: the segmented and the fitted one, what lies beyond the wrist, the tips."""

    own: Bool[np.ndarray, "h w"]
    drawn: Bool[np.ndarray, "h w"]
    beyond: Bool[np.ndarray, "h w"]
    crop: UInt8[np.ndarray, "h w 3"]
    tips: Float[np.ndarray, "5 2"]
    span: float


def _small(analysis: HandAnalysis) -> _Small:
    scale = min(1.0, PARAMS.working_span_px / analysis.coarse_region.span_px)
    height, width = analysis.coarse_region.inside.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    own, drawn = (
        cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
        for mask in (analysis.coarse_region.inside, analysis.silhouette)
    )
    points = analysis.landmarks_px * np.array([size[0] / width, size[1] / height])
    beyond = distal_of_wrist(points, size[1], size[0], PARAMS.from_wrist)
    crop = cv2.resize(analysis.crop, size, interpolation=cv2.INTER_AREA)
    return _Small(
        own, drawn, beyond, crop, points[[4, 8, 12, 16, 20]], analysis.coarse_region.span_px * scale
    )
