"""A square crop of a photograph around a sound hand, with the masks that an edit needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.photo_edits.photo_hands import (
    Finger,
    PhotoHands,
    find_photo_hands,
    is_stretched,
    may_be_free,
    measure_fingers,
    segment_photo_hand,
)
from handwright.data.photographs import decode_photo, read_photo
from handwright.data.shapes import Colours, Landmarks, Share
from handwright.drawing.fill.background import background_sources
from handwright.hand.grammar import orientation_of
from handwright.hand.kinematics import mirror_hand_x
from handwright.hand.skeleton import distance_to_chain, palm_span_px
from handwright.image.compositing import smoothstep
from handwright.types import Camera, Hand, HandRegion, Side

WORK = 1.5
"""Size of the crop in which edits are made over that of the finished picture: shrinking hides seams."""

_TIGHT, _WIDE = 1.3, 3.0
"""Least and most side of the square, in extents of the hand's landmarks; chosen by eye."""
_MOST_ENLARGED = 2.0  # A photograph is never enlarged more than this
_OUTSIDE = 0.12  # Room between fingertips and border, in hand sizes
_ALIKE_LAB = (55.0, 10.0, 12.0)
"""Most by which the mean skin colours of two hands differ for one to lend the other a finger, CIELAB."""

FROM_WEB = (0.12, 0.5)
"""A pasted finger fades in from the palm over this part of its first bone, in its lengths; chosen by eye."""
FROM_PALM = (-0.3, -0.15)
"""A cut-out finger brings this much of the palm along, for places where there is none; chosen by eye."""
STUMP = (0.16, 0.27)
"""An erased finger ends here at its sides, in its middle farther out by ``_CAP``: a round end; by eye."""
_CAP = 0.14
_TUBE = 1.75  # How far from its bones a finger's own skin reaches, in its radii


@dataclass(frozen=True, eq=False)
class HandCrop:
    """A sound hand in a square crop."""

    pixels: Colours  # float32 [W, W, 3] sRGB in 0 … 255
    points: Landmarks  # float64 [21, 2] landmarks in the crop
    side: Side  # Of the hand
    hand: Hand  # Fit of the hand, its camera the crop's
    region: HandRegion  # The hand with its arm
    fingers: tuple[Finger, ...]  # Thumb first
    # Other hands of the photograph: landmarks in the crop and sides
    others: tuple[tuple[Landmarks, Side], ...]
    name: str  # Of the photograph
    sha256: str  # Of its bytes

    @property
    def width(self) -> int:
        """Side of the crop in pixels."""
        return self.pixels.shape[0]

    @property
    def span(self) -> float:
        """Wrist to knuckles in pixels."""
        return self.region.span_px

    def scaled_hand(self, scale: float) -> Hand:
        """The fitted hand in a picture this many times as large as the crop."""
        camera = self.hand.camera
        center = (scale * camera.center_px[0], scale * camera.center_px[1])
        return replace(self.hand, camera=Camera(scale * camera.focal_px, center))

    @property
    def free(self) -> tuple[int, ...]:
        """Numbers of the fingers that stand free, so that they can be cut out."""
        return tuple(k for k, finger in enumerate(self.fingers) if finger.free)

    def matches(self, other: HandCrop) -> bool:
        """Whether another hand can lend this one a finger: same view, similar skin colour and size."""
        views = [orientation_of(p.hand.wrist)[0] for p in (self, other)]
        colours = [p.region.skin_lab for p in (self, other)]
        apart = np.abs(colours[0] - colours[1])
        sizes = self.span / other.span
        return views[0] == views[1] and bool((apart < _ALIKE_LAB).all()) and 0.55 < sizes < 1.8

    @cached_property
    def soft_hand(self) -> Share:
        """Share of each pixel that is hand or arm."""
        binary = cv2.GaussianBlur(self.region.inside.astype(np.float32), (0, 0), 1.2)
        reach = max(2, round(0.03 * self.span))
        fine = cv2.ximgproc.guidedFilter(self.pixels / 255, binary, reach, 2e-4)
        return smoothstep(0.25, 0.75, fine)

    @cached_property
    def places(self) -> tuple[Share, Share]:
        """Horizontal and vertical position of every pixel's centre."""
        y, x = np.mgrid[: self.width, : self.width].astype(np.float32) + np.float32(0.5)
        return x, y

    def reach(self, number: int) -> Share:
        """Distance of every pixel from a finger's bones distal of its web; the palm is no finger's."""
        return self._reaches[number]

    @cached_property
    def _reaches(self) -> tuple[Share, ...]:
        return tuple(distance_to_chain(finger.chain, *self.places) for finger in self.fingers)

    @cached_property
    def bytes(self) -> UInt8[np.ndarray, "w w 3"]:
        """The crop as uint8."""
        return np.clip(self.pixels + 0.5, 0, 255).astype(np.uint8)

    @cached_property
    def sources(self) -> Bool[np.ndarray, "w w"]:
        """Pixels that background may be copied from."""
        reach = max(3, round(0.05 * self.span))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        grown = cv2.dilate(self.region.inside.astype(np.uint8), disc) > 0
        return background_sources(self.bytes, grown, self.region)


def crop_hand(path: Path, size: int, rng: np.random.Generator, wanted: str = "any") -> HandCrop | None:
    """A crop around a hand of a photograph, or None when no hand of it serves.

    Args:
        path: Of the photograph.
        size: Side of the finished picture; the crop's is ``WORK`` times that.
        rng: Which hand, how much around it, mirrored or not.
        wanted: What the edit needs, judged by the landmarks alone: 'hand' (no finger), 'two' editable hands,
            'any' finger that may stand free, the 'thumb', a 'pair' of neighbours, an 'open' hand, or a 'fan'
            of four free fingers.
    """
    found = find_photo_hands(path)
    if len(found.editable) < (2 if wanted == "two" else 1):
        return None
    chosen = found.editable[int(rng.integers(len(found.editable)))]
    points = found.hands[chosen].landmarks_px
    if not _suits(points, wanted):
        return None
    square = _square(found, chosen, size, rng, wanted == "two")
    if square is None:
        return None
    return _cut(found, path, chosen, square, round(WORK * size), bool(rng.random() < 0.5))


def finger_mask(crop: HandCrop, number: int, hand: Share, start: tuple[float, float] = FROM_PALM) -> Share:
    """The soft mask [W, W] of one finger from where it leaves the palm (``start``, in first bones)."""
    own = crop.fingers[number]
    away = crop.reach(number) / own.radius
    others = [crop.reach(k) / f.radius for k, f in enumerate(crop.fingers) if k != number]
    nearest = smoothstep(-0.25, 0.25, np.minimum.reduce(others) - away)
    tube = 1 - smoothstep(_TUBE, _TUBE + 0.3, away)
    return (hand * nearest * tube * smoothstep(*start, first_bone_position(crop, own.chain))).astype(
        np.float32
    )


def erased_mask(crop: HandCrop, number: int, hand: Share) -> Share:
    """The soft mask of what is erased when a finger is taken away: all but a round end at its web."""
    own = crop.fingers[number]
    away = crop.reach(number) / own.radius
    cap = _CAP * np.sqrt(np.clip(1 - away**2, 0, 1))
    whole = finger_mask(crop, number, hand, (-0.2, -0.1))
    return (whole * smoothstep(*STUMP, first_bone_position(crop, own.chain) - cap)).astype(np.float32)


def first_bone_position(crop: HandCrop, chain: Float[np.ndarray, "4 2"]) -> Share:
    """Position of each pixel along a chain's first bone, in its lengths; float32 [W, W]."""
    x, y = crop.places
    direction = chain[1] - chain[0]
    at = ((x - chain[0, 0]) * direction[0] + (y - chain[0, 1]) * direction[1]) / max(
        float(direction @ direction), 1e-6
    )
    return at.astype(np.float32)


def _suits(points: Landmarks, wanted: str) -> bool:
    span = palm_span_px(points)
    free = may_be_free(points, span)
    pairs = free[1:-1] & free[2:]
    return {
        "hand": True,
        "two": True,
        "any": bool(free.any()),
        "thumb": bool(free[0]),
        "pair": bool(pairs.any()),
        "open": bool(free[1:].any() and is_stretched(points, span)[1:].all()),
        "fan": bool(free[1:].all()),
    }[wanted]


def _square(
    found: PhotoHands, chosen: int, size: int, rng: np.random.Generator, two: bool
) -> tuple[float, float, float] | None:
    """Left, top and side of a square around the hand (or both), inside the photograph."""
    wanted = [found.hands[k].landmarks_px for k in (found.editable if two else (chosen,))]
    points = np.concatenate(wanted)
    low, high = points.min(0), points.max(0)
    margin = _OUTSIDE * found.hands[chosen].size_px
    extent = float((high - low).max())
    largest = float(min(found.height, found.width))
    least = max(_TIGHT * extent, size / _MOST_ENLARGED)
    if extent + 1.2 * margin > largest:
        return None
    side = min(float(np.exp(rng.uniform(np.log(_TIGHT), np.log(_WIDE)))) * extent, largest)
    side = min(max(side, least), largest)
    corner: list[float] = []
    for k, whole_px in enumerate((found.width, found.height)):
        first, last = high[k] + margin - side, low[k] - margin
        if first > last:
            first = last = (first + last) / 2
        corner.append(float(np.clip(rng.uniform(first, last), 0, whole_px - side)))
    return corner[0], corner[1], side


def _cut(
    found: PhotoHands, path: Path, chosen: int, square: tuple[float, float, float], width: int, mirrored: bool
) -> HandCrop:
    left, top, side = square
    scale = width / side
    hand_pixels = segment_photo_hand(path, chosen)
    pixels = decode_photo(read_photo(path), path.name).astype(np.float32)
    if scale < 0.9:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
    inside = hand_pixels.inside(found.height, found.width).astype(np.float32)
    corner = 0.5 * scale - 0.5 - scale * np.array([left, top])
    to_crop = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    crop, share = (
        cv2.warpAffine(a, to_crop, (width, width), flags=how, borderMode=cv2.BORDER_REFLECT_101)
        for a, how in ((pixels, cv2.INTER_CUBIC), (inside, cv2.INTER_LINEAR))
    )
    camera = hand_pixels.fit.camera
    center = (scale * (camera.center_px[0] - left), scale * (camera.center_px[1] - top))
    hand = replace(hand_pixels.fit, camera=Camera(scale * camera.focal_px, center))
    placed: list[tuple[np.ndarray, Side]] = [
        (scale * (h.landmarks_px - np.array([left, top])), h.side) for h in found.hands
    ]
    if mirrored:
        crop, share = crop[:, ::-1], share[:, ::-1]
        hand = mirror_hand_x(hand, width)
        placed = [(p * np.array([-1, 1]) + np.array([width, 0]), _other(s)) for p, s in placed]
    points, which = placed[chosen]
    span = palm_span_px(points)
    region = HandRegion(
        inside=share > 0.5,
        skin_lab=hand_pixels.skin_lab,
        skin_covariance=hand_pixels.skin_covariance,
        span_px=span,
    )
    fingers = measure_fingers(points, region.inside, span)
    others = tuple(other for k, other in enumerate(placed) if k != chosen and _is_in(other[0], width))
    crop = np.ascontiguousarray(np.clip(crop, 0, 255))
    return HandCrop(crop, points, which, hand, region, fingers, others, found.name, found.sha256)


def _other(side: Side) -> Side:
    return "left" if side == "right" else "right"


def _is_in(points: Landmarks, width: int) -> bool:
    return bool(((points > 0) & (points < width)).all(1).mean() >= 0.5)
