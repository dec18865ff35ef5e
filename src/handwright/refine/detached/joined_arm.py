"""A hand that has come off its arm: skin across the gap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.fill.background import background_sources, fill_uncovered_background
from handwright.hand.rig import dilated
from handwright.refine.detached.gap import PARAMS as GAP
from handwright.refine.detached.gap import Gap, Section
from handwright.refine.hand_task import HandTask, Underlay
from handwright.types import HandRegion


@dataclass(frozen=True, kw_only=True)
class JoinParams:
    """Skin across a gap; chosen by eye."""

    rows: int = 32  # Cells of skin along the gap
    overlap: float = 0.04  # How far the skin goes beyond both edges of the limb, in its widths
    stiffness: float = 0.5  # How far it goes on along the limb on either side, in lengths of the gap
    min_width: float = 0.6  # Of it where it is narrowest, over that of the narrower cut
    kept_px: int = 2  # What stays of the ends beyond their cuts, beneath the new skin
    rim: float = 0.08  # Width of what goes with a part around its skin, in spans from wrist to knuckles


PARAMS = JoinParams()


def between(gap: Gap, region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Where both ends of a gap reach into it beyond their cuts, and their rims: nothing of these stays."""
    rows, columns = np.indices(gap.hand.shape)
    place = np.stack([columns, rows], -1) + 0.5
    beyond = (place - gap.start.ends.mean(0)) @ gap.start.axis
    before = (place - gap.end.ends.mean(0)) @ gap.end.axis
    zone = (beyond > PARAMS.kept_px) & (before < -PARAMS.kept_px) & (beyond < GAP.max_gap * region.span_px)
    if gap.sleeve is not None:
        zone &= ~gap.sleeve
    skin = gap.skin | region.inside
    if region.certain is not None:
        skin |= region.certain
    return dilated(skin & zone, max(2, round(PARAMS.rim * region.span_px))) & zone


def joined_to_arm(
    pixels: UInt8[np.ndarray, "H W 3"], task: HandTask, gap: Gap, seed: int = 0
) -> HandTask | None:
    """The hand with its gap closed by skin, and nothing beside that of the ends that reached into it.

    None where the way from one to the other is so askew that the skin would be a mere strip.
    """
    if _slimmest(gap.start, gap.end) < PARAMS.min_width:
        return None
    crop, region = task.cut(pixels), task.region
    ends = between(gap, region)
    limb = ends | gap.skin | region.inside
    clean = fill_uncovered_background(crop, ends, background_sources(crop, limb, region), seed)
    laid, skin = with_skin(clean, gap.start, gap.end, gap.sleeve, seed=seed)
    changed = (laid != crop).any(-1)
    return replace(
        task,
        region=replace(region, inside=(region.inside & ~ends) | skin),
        repair_mask=task.repair_mask | changed,
        underlay=Underlay(laid, changed),
        pose_hypothesis="with its arm joined to it",
    )


def with_skin(
    crop: UInt8[np.ndarray, "h w 3"],
    start: Section,
    end: Section,
    sleeve: Bool[np.ndarray, "h w"] | None = None,
    seed: int = 0,
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """The crop with skin between two cuts, from the colours of the one to those of the other; where it is.

    Behind a sleeve there is none.
    """
    share = ((np.arange(PARAMS.rows) + 0.5) / PARAMS.rows)[:, None, None].astype(np.float32)
    filled = (1 - share) * start.colours + share * end.colours
    sides = _sides(start, end)
    steps = np.linspace(-PARAMS.overlap, 1 + PARAMS.overlap, GAP.columns + 1)[:, None]
    grid = np.round(((1 - steps) * sides[:, :1] + steps * sides[:, 1:]) * 16).astype(np.int32)
    laid, plane = crop.astype(np.float32), np.zeros(crop.shape[:2], np.uint8)
    for row in range(PARAMS.rows):
        for column in range(GAP.columns):
            corners = grid[[row, row, row + 1, row + 1], [column, column + 1, column + 1, column]]
            cv2.fillConvexPoly(laid, corners, filled[row, column].tolist(), cv2.LINE_8, 4)
    outline = np.round(np.concatenate([sides[:, 0], sides[::-1, 1]]) * 16).astype(np.int32)
    cv2.fillPoly(plane, [outline], 255, cv2.LINE_AA, 4)
    if sleeve is not None:
        plane[sleeve] = 0
    alpha = cv2.GaussianBlur(plane, (0, 0), 0.8).astype(np.float32)[..., None] / 255
    detail = crop.astype(np.float32) - cv2.GaussianBlur(crop, (0, 0), 1.5)
    on_skin = cv2.erode(plane, np.ones((3, 3), np.uint8)) > 0
    grain = float(detail[on_skin].std()) * 0.5 if on_skin.any() else 0.0
    noise = np.random.default_rng(seed).normal(0, min(grain, 2.0), (*plane.shape, 1))
    mixed = crop + alpha * (laid + noise - crop)
    inside = alpha[..., 0] > 1 / 255
    return np.where(inside[..., None], np.clip(mixed + 0.5, 0, 255), crop).astype(np.uint8), plane > 127


def _slimmest(start: Section, end: Section) -> float:
    """Width of skin across a gap where it is narrowest, beside the narrower of its cuts."""
    one, other = _sides(start, end).transpose(1, 0, 2)
    apart = np.linalg.norm(one[:, None] - other[None], axis=-1).min(1)
    return float(apart.min()) / max(min(start.width, end.width), 1e-6)


def _sides(start: Section, end: Section) -> Float[np.ndarray, "r 2 2"]:
    """Points down both edges between two cuts, which they leave along the limb: nothing has a corner."""
    t = np.linspace(0, 1, PARAMS.rows + 1)[:, None, None]
    way = PARAMS.stiffness * float(np.linalg.norm((end.ends - start.ends).mean(0)))
    return (
        (2 * t**3 - 3 * t**2 + 1) * start.ends
        + (t**3 - 2 * t**2 + t) * way * start.axis
        + (3 * t**2 - 2 * t**3) * end.ends
        + (t**3 - t**2) * way * end.axis
    )
