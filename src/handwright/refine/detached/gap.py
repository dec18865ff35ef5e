"""A hand that has come off its arm: where both end."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import dilated, opened
from handwright.hand.skin_colour import SAME_SKIN, skin_distance
from handwright.refine.hand_task import HandTask


@dataclass(frozen=True, kw_only=True)
class GapParams:
    """When a hand has come off its arm, and where both are cut; chosen by eye.

    Lengths are in spans from wrist to knuckles, areas in squared spans.
    """

    min_arm: float = 0.15  # Area of an arm's end
    min_arm_at_border: float = 0.015  # The same where the picture cuts it
    max_gap: float = 1.0  # Distance of the arm, or of the picture's border, from the wrist
    max_wrist: float = 0.9  # How far proximal of the wrist a hand without its arm reaches
    inset: float = 0.09  # How far from its end a part is cut through: its own cut face lies beyond
    section: float = 0.03  # Half the thickness of a cut
    columns: int = 48  # Colours that a cut has
    width_ratio: tuple[float, float] = (0.45, 2.2)  # Width of the arm's cut over that of the hand's
    sleeve_run: float = 0.06  # Length over which colours beyond the gap are compared
    sleeve_lab: float = 24.0  # Lab distance of a sleeve from the gap
    sleeve_inset: float = 0.2  # How far the arm goes into a sleeve
    max_covered: float = 0.3  # Share of the arm's width that a sleeve hides before it begins …
    min_covered: float = 0.7  # … and behind that
    # Half the width of what does not join two pieces of skin; all but the first only where both pieces are
    # ``min_waist`` times as wide
    necks: tuple[float, ...] = (0.05, 0.1, 0.15)
    min_waist: float = 1.5
    shaded_distance: float = 2 * SAME_SKIN  # Colour distance (``skin_distance``) of a limb's shaded side


PARAMS = GapParams()


@dataclass(frozen=True)
class Section:
    """A cut through a limb."""

    # float [2, 2] its edges in the crop, the second to the right of the way from hand to arm
    ends: Float[np.ndarray, "2 2"]
    colours: Float[np.ndarray, "n 3"]  # float32 [n, 3] across it

    @property
    def width(self) -> float:
        """Of the limb there, in pixels."""
        return float(np.linalg.norm(self.ends[1] - self.ends[0]))

    @property
    def across(self) -> Float[np.ndarray, "2"]:
        """Unit vector from its first end to its second."""
        return _unit(self.ends[1] - self.ends[0])

    @property
    def axis(self) -> Float[np.ndarray, "2"]:
        """Unit vector along the limb, from the hand to the arm."""
        x, y = self.across
        return np.array([y, -x])

    def shifted(self, by: Float[np.ndarray, "2"]) -> Section:
        """The same, so far away."""
        return Section(self.ends + by, self.colours)


@dataclass(frozen=True, eq=False)
class Gap:
    """Where a hand has come off its arm, in the hand's crop."""

    start: Section  # Cut through the hand
    end: Section  # Cut through the arm, or where an unseen one would be
    hand: Bool[np.ndarray, "h w"]  # the hand's skin
    arm: Bool[np.ndarray, "h w"] | None  # the arm's; None where it is not seen
    sleeve: Bool[np.ndarray, "h w"] | None = None  # what an unseen arm comes out of and lies behind

    @property
    def skin(self) -> Bool[np.ndarray, "h w"]:
        """Of the hand, and of the arm where that is seen."""
        return self.hand if self.arm is None else self.hand | self.arm


def gap_to_arm(pixels: UInt8[np.ndarray, "H W 3"], task: HandTask) -> Gap | None:
    """Both ends of a hand's missing wrist, cut through near the gap; None where no such gap is plain."""
    x0, y0, x1, y1 = task.window
    crop = task.cut(pixels)
    span, marks = task.region.span_px, task.landmarks_px
    axis = _unit(marks[0] - marks[9])
    unlike = skin_distance(crop, task.region)
    borders = np.array([x0 == 0, y0 == 0, x1 == pixels.shape[1], y1 == pixels.shape[0]])
    for neck in PARAMS.necks:
        skin = opened(unlike < SAME_SKIN, max(1, round(neck * span)))
        _, pieces = cv2.connectedComponents(skin.astype(np.uint8))
        hand = _piece_at(pieces, (marks[0] + marks[9]) / 2)
        if hand is None:
            return None
        if not _has_arm(hand, marks[0], axis, span, borders):
            gap = _gap(crop, task, hand, pieces, unlike, borders)
            return gap if neck == PARAMS.necks[0] or _is_waist(gap, 2 * neck * span) else None
    return None


def _is_waist(gap: Gap | None, width_px: float) -> bool:
    """Whether what joins hand and arm is too narrow beside both for a wrist."""
    return (
        gap is not None
        and gap.arm is not None
        and min(gap.start.width, gap.end.width) > PARAMS.min_waist * width_px
    )


def _gap(
    crop: UInt8[np.ndarray, "h w 3"],
    task: HandTask,
    hand: Bool[np.ndarray, "h w"],
    pieces: np.ndarray,
    unlike: Float[np.ndarray, "h w"],
    borders: Bool[np.ndarray, "4"],
) -> Gap | None:
    """The gap beyond a hand, a piece of skin without an arm."""
    span, marks = task.region.span_px, task.landmarks_px
    axis = _unit(marks[0] - marks[9])
    shaded = hand | (
        task.region.inside
        & (unlike < PARAMS.shaded_distance)
        & dilated(hand, round(2 * PARAMS.necks[0] * span))
    )
    start = _section(crop, hand, marks[0], axis, -1, span, shaded)
    if start is None:
        return None
    arm = _arm(pieces, hand, marks[0], axis, span, borders)
    sleeve = None
    if arm is not None:
        end = _section(crop, arm, marks[0], _direction(arm, axis), 1, span)
    else:
        inner, sleeve = _in_sleeve(crop, start, axis, span) or (None, None)
        end = inner if sleeve is not None else _at_border(start, axis, crop.shape[:2], borders, span) or inner
    if end is None or not PARAMS.width_ratio[0] < end.width / max(start.width, 1e-6) < PARAMS.width_ratio[1]:
        return None
    return Gap(start, end, hand, arm, sleeve)


def _unit(vector: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    return vector / max(float(np.hypot(*vector)), 1e-6)


def _in_sleeve(
    crop: UInt8[np.ndarray, "h w 3"], start: Section, axis: Float[np.ndarray, "2"], span: float
) -> tuple[Section, Bool[np.ndarray, "h w"] | None] | None:
    """The hand's own cut, moved on into the first thing beyond the gap; None where there is nothing.

    And that thing, where it covers the arm as a sleeve does: all of its width, from where it begins.
    """
    height, width = crop.shape[:2]
    lab = cv2.GaussianBlur(cv2.cvtColor(crop, cv2.COLOR_RGB2LAB), (0, 0), 1.5).astype(np.float32)
    beyond = np.arange((PARAMS.inset + PARAMS.sleeve_run) * span, PARAMS.max_gap * span)
    across = (start.ends[1] - start.ends[0]) * np.array([-0.2, 0.0, 0.2])[:, None]
    spots = start.ends.mean(0) + across[:, None] + beyond[None, :, None] * axis
    within = ((spots >= 0) & (spots < [width, height])).all((0, 2))
    spots, beyond = spots[:, within].astype(int), beyond[within]
    there = max(3, round(PARAMS.sleeve_run * span))
    if len(beyond) < 3 * there:
        return None
    colours = lab[spots[..., 1], spots[..., 0]]
    gap = np.median(colours[:, :there], 1, keepdims=True)
    other = (np.linalg.norm(colours - gap, axis=-1) > PARAMS.sleeve_lab).mean(0) > 0.5
    lasting = np.convolve(other, np.ones(there), "valid") >= there
    if not lasting.any():
        return None
    first = int(np.argmax(lasting))
    cloth = np.median(colours[:, first : first + there], 1)
    alike = (np.linalg.norm(lab[:, :, None] - cloth, axis=-1) < PARAMS.sleeve_lab).any(-1)
    _, pieces = cv2.connectedComponents(alike.astype(np.uint8))
    columns, rows = spots[:, first + there // 2].T
    sleeve = np.isin(pieces, np.setdiff1d(pieces[rows, columns], 0))
    end = Section(start.ends + (beyond[first] + PARAMS.sleeve_inset * span) * axis, start.colours)
    way = np.arange(PARAMS.inset * span, beyond[-1])
    return end, sleeve if _covers(sleeve, start, axis, way, beyond[first], span) else None


def _covers(
    thing: Bool[np.ndarray, "h w"],
    start: Section,
    axis: Float[np.ndarray, "2"],
    way: Float[np.ndarray, " n"],
    first: float,
    span: float,
) -> bool:
    """Whether a thing hides an arm from ``first`` pixels beyond its cut on, all its width, and not before."""
    height, width = thing.shape
    lines = start.ends.mean(0) + (start.ends[1] - start.ends[0]) * np.linspace(-0.45, 0.45, 9)[:, None]
    place = np.clip((lines[:, None] + way[:, None] * axis).astype(int), 0, [width - 1, height - 1])
    covered = thing[place[..., 1], place[..., 0]].mean(0)
    before, behind = (
        way < first - 0.5 * PARAMS.sleeve_inset * span,
        way > first + 0.75 * PARAMS.sleeve_inset * span,
    )
    if not (before.any() and behind.any()):
        return False
    return bool(covered[before].max() < PARAMS.max_covered and covered[behind].min() > PARAMS.min_covered)


def _at_border(
    start: Section,
    axis: Float[np.ndarray, "2"],
    size: tuple[int, int],
    borders: Bool[np.ndarray, "4"],
    span: float,
) -> Section | None:
    """The hand's own cut, moved on to where an unseen arm would leave the picture; None if too far."""
    height, width = size
    middle = start.ends.mean(0)
    ways = [
        ((limit - middle[side]) / axis[side])
        for side, limit, there in zip((0, 1, 0, 1), (0, 0, width, height), borders, strict=True)
        if there and abs(axis[side]) > 1e-3 and (limit - middle[side]) / axis[side] > 0
    ]
    if not ways or min(ways) > PARAMS.max_gap * span:
        return None
    return Section(start.ends + (min(ways) + start.width) * axis, start.colours)


def _piece_at(pieces: np.ndarray, place: Float[np.ndarray, "2"]) -> Bool[np.ndarray, "h w"] | None:
    """The piece of skin at a place of the crop."""
    height, width = pieces.shape
    column, row = np.clip(place.round().astype(int), 0, [width - 1, height - 1])
    number = int(pieces[row, column])
    return pieces == number if number else None


def _points(part: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "n 2"]:
    rows, columns = np.nonzero(part)
    return np.stack([columns, rows], 1) + 0.5


def _has_arm(
    hand: Bool[np.ndarray, "h w"],
    wrist: Float[np.ndarray, "2"],
    axis: Float[np.ndarray, "2"],
    span: float,
    borders: Bool[np.ndarray, "4"],
) -> bool:
    """Whether a hand goes on beyond its wrist, far or out of the picture."""
    beyond = (_points(hand) - wrist) @ axis
    ahead = hand.copy()
    ahead[hand] = beyond > 0
    return bool(beyond.max() > PARAMS.max_wrist * span) or _leaves(ahead, borders)


def _leaves(part: Bool[np.ndarray, "h w"], borders: Bool[np.ndarray, "4"]) -> bool:
    """Whether a part is cut by a border of the crop that is one of the picture: left, top, right, bottom."""
    edges = np.array([part[:, 0].any(), part[0].any(), part[:, -1].any(), part[-1].any()])
    return bool((edges & borders).any())


def _arm(
    pieces: np.ndarray,
    hand: Bool[np.ndarray, "h w"],
    wrist: Float[np.ndarray, "2"],
    axis: Float[np.ndarray, "2"],
    span: float,
    borders: Bool[np.ndarray, "4"],
) -> Bool[np.ndarray, "h w"] | None:
    """The nearest large piece of skin beyond the wrist that is not the hand's."""
    best: tuple[float, Bool[np.ndarray, "h w"]] | None = None
    areas = np.bincount(pieces.ravel())[1:]
    for number in 1 + np.nonzero(areas >= PARAMS.min_arm_at_border * span**2)[0]:
        part = pieces == number
        least = PARAMS.min_arm_at_border if _leaves(part, borders) else PARAMS.min_arm
        if areas[number - 1] < least * span**2 or (part & hand).any():
            continue
        away = _points(part) - wrist
        if float(np.median(away @ axis)) < 0:
            continue
        near = float(np.hypot(*away.T).min())
        if near < PARAMS.max_gap * span and (best is None or near < best[0]):
            best = near, part
    return None if best is None else best[1]


def _direction(arm: Bool[np.ndarray, "h w"], axis: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """The arm's own way, away from the hand; the hand's where it is hardly longer than broad."""
    points = _points(arm)
    values, vectors = np.linalg.eigh(np.cov((points - points.mean(0)).T))
    own = vectors[:, 1] * np.sign(vectors[:, 1] @ axis or 1.0)
    return own if values[1] > 1.5 * values[0] and own @ axis > 0.5 else axis


def _section(
    crop: UInt8[np.ndarray, "h w 3"],
    part: Bool[np.ndarray, "h w"],
    origin: Float[np.ndarray, "2"],
    axis: Float[np.ndarray, "2"],
    inward: int,
    span: float,
    shaded: Bool[np.ndarray, "h w"] | None = None,
) -> Section | None:
    """The cut through a part near its end: the far one of a hand (inward −1), the near one of an arm (1).

    Its width is that of ``shaded``, the part with its shaded side, where that is given.
    """
    points = _points(part)
    along = (points - origin) @ axis
    at = float(np.quantile(along, 0.003 if inward > 0 else 0.997))
    at += inward * min(PARAMS.inset * span, 0.4 * float(np.ptp(along)))
    if shaded is not None:
        points = _points(shaded)
        along = (points - origin) @ axis
    cut = np.abs(along - at) <= max(1.0, PARAMS.section * span)
    across = np.array([-axis[1], axis[0]])
    if cut.sum() < 8:
        return None
    sideways = (points[cut] - origin) @ across
    low, high = float(sideways.min()), float(sideways.max())
    ends = np.stack([origin + at * axis + side * across for side in (low, high)])
    share = (np.arange(PARAMS.columns) + 0.5) / PARAMS.columns
    place = (low + 0.04 * (high - low)) + share * 0.92 * (high - low)
    smooth = cv2.GaussianBlur(crop, (0, 0), 0.8).astype(np.float32)
    spots = (origin + at * axis + place[:, None] * across - 0.5).astype(np.float32)
    colours = cv2.remap(smooth, spots[None, :, 0], spots[None, :, 1], cv2.INTER_LINEAR)
    return Section(ends, colours[0])
