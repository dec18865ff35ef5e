"""The patient: a square crop of a photograph around a sound hand, with all that an operation needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.photo_edits.fingers import (
    Finger,
    is_stretched,
    look_at_fingers,
    may_be_free,
)
from handwright.data.photo_edits.photo_hands import Seen, flesh_of, see
from handwright.data.photographs import decode_photo, read_photo
from handwright.drawing.fill.background import background_sources
from handwright.drawing.geometry.layer_assignment import smoothstep
from handwright.hand.grammar import orientation_of
from handwright.hand.kinematics import mirror_hand_x
from handwright.hand.skeleton import distance_to_chain, palm_span_px
from handwright.types import Camera, Hand, HandRegion, Side

WORK = 1.5
"""Operations are done at this many times the picture's size and then made smaller."""

_TIGHT, _WIDE = 1.3, 3.0
_MOST_ENLARGED = 2.0
_OUTSIDE = 0.12
_ALIKE_LAB = (55.0, 10.0, 12.0)


@dataclass(frozen=True, eq=False)
class Patient:
    """A sound hand in a square crop.

    Attributes:
        pixels: float32 [W, W, 3] sRGB in 0 … 255.
        points: float64 [21, 2] landmarks in the crop.
        side: Of the hand.
        hand: Fit of the hand, its camera the crop's.
        region: The hand with its arm.
        fingers: Thumb first.
        others: Other hands of the photograph: landmarks in the crop and sides.
        name: Of the photograph.
        sha256: Of its bytes.
    """

    pixels: Float[np.ndarray, "w w 3"]
    points: Float[np.ndarray, "21 2"]
    side: Side
    hand: Hand
    region: HandRegion
    fingers: tuple[Finger, ...]
    others: tuple[tuple[Float[np.ndarray, "21 2"], Side], ...]
    name: str
    sha256: str

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
        """Numbers of the fingers that can be cut out."""
        return tuple(k for k, finger in enumerate(self.fingers) if finger.free)

    def is_like(self, other: Patient) -> bool:
        """Whether another's finger would pass for this hand's: seen from the same side, in similar light."""
        views = [orientation_of(p.hand.wrist)[0] for p in (self, other)]
        colours = [p.region.skin_lab for p in (self, other)]
        apart = np.abs(colours[0] - colours[1])
        sizes = self.span / other.span
        return views[0] == views[1] and bool((apart < _ALIKE_LAB).all()) and 0.55 < sizes < 1.8

    @cached_property
    def soft_hand(self) -> Float[np.ndarray, "w w"]:
        """Share of each pixel that is hand or arm."""
        binary = cv2.GaussianBlur(self.region.inside.astype(np.float32), (0, 0), 1.2)
        reach = max(2, round(0.03 * self.span))
        fine = cv2.ximgproc.guidedFilter(self.pixels / 255, binary, reach, 2e-4)
        return smoothstep(0.25, 0.75, fine)

    @cached_property
    def places(self) -> tuple[Float[np.ndarray, "w w"], Float[np.ndarray, "w w"]]:
        """Horizontal and vertical place of every pixel's centre."""
        y, x = np.mgrid[: self.width, : self.width].astype(np.float32) + np.float32(0.5)
        return x, y

    def reach(self, number: int) -> Float[np.ndarray, "w w"]:
        """Pixels from every place to a finger's bones (beyond the web, so that palms are nobody's)."""
        return self._reaches[number]

    @cached_property
    def _reaches(self) -> tuple[Float[np.ndarray, "w w"], ...]:
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


def admit(path: Path, size: int, rng: np.random.Generator, wanted: str = "any") -> Patient | None:
    """A patient from a photograph, or None when no hand of it will do.

    Args:
        path: Of the photograph.
        size: Side of the finished picture; the crop's is ``WORK`` times that.
        rng: Which hand, how much around it, mirrored or not.
        wanted: What the operation needs, told by the landmarks alone: 'hand' (no finger), 'two' sure hands,
            'any' finger that may stand free, the 'thumb', a 'pair' of neighbours, an 'open' hand, or a 'fan'
            of four free fingers.
    """
    seen = see(path)
    if len(seen.sure) < (2 if wanted == "two" else 1):
        return None
    chosen = seen.sure[int(rng.integers(len(seen.sure)))]
    points = seen.hands[chosen].landmarks_px
    if not _suits(points, wanted):
        return None
    square = _square(seen, chosen, size, rng, wanted == "two")
    if square is None:
        return None
    return _cut(seen, path, chosen, square, round(WORK * size), bool(rng.random() < 0.5))


def _suits(points: Float[np.ndarray, "21 2"], wanted: str) -> bool:
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
    seen: Seen, chosen: int, size: int, rng: np.random.Generator, two: bool
) -> tuple[float, float, float] | None:
    """Left, top and side of a square around the hand (or both), inside the photograph."""
    wanted = [seen.hands[k].landmarks_px for k in (seen.sure if two else (chosen,))]
    points = np.concatenate(wanted)
    low, high = points.min(0), points.max(0)
    margin = _OUTSIDE * seen.hands[chosen].size_px
    extent = float((high - low).max())
    largest = float(min(seen.height, seen.width))
    least = max(_TIGHT * extent, size / _MOST_ENLARGED)
    if extent + 1.2 * margin > largest:
        return None
    side = min(float(np.exp(rng.uniform(np.log(_TIGHT), np.log(_WIDE)))) * extent, largest)
    side = min(max(side, least), largest)
    corner: list[float] = []
    for k, whole_px in enumerate((seen.width, seen.height)):
        first, last = high[k] + margin - side, low[k] - margin
        if first > last:
            first = last = (first + last) / 2
        corner.append(float(np.clip(rng.uniform(first, last), 0, whole_px - side)))
    return corner[0], corner[1], side


def _cut(
    seen: Seen, path: Path, chosen: int, square: tuple[float, float, float], width: int, mirrored: bool
) -> Patient:
    left, top, side = square
    scale = width / side
    flesh = flesh_of(path, chosen)
    pixels = decode_photo(read_photo(path), path.name).astype(np.float32)
    if scale < 0.9:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
    inside = flesh.inside(seen.height, seen.width).astype(np.float32)
    corner = 0.5 * scale - 0.5 - scale * np.array([left, top])
    to_crop = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    crop, share = (
        cv2.warpAffine(a, to_crop, (width, width), flags=how, borderMode=cv2.BORDER_REFLECT_101)
        for a, how in ((pixels, cv2.INTER_CUBIC), (inside, cv2.INTER_LINEAR))
    )
    camera = flesh.fit.camera
    center = (scale * (camera.center_px[0] - left), scale * (camera.center_px[1] - top))
    hand = replace(flesh.fit, camera=Camera(scale * camera.focal_px, center))
    placed: list[tuple[np.ndarray, Side]] = [
        (scale * (h.landmarks_px - np.array([left, top])), h.side) for h in seen.hands
    ]
    if mirrored:
        crop, share = crop[:, ::-1], share[:, ::-1]
        hand = mirror_hand_x(hand, width)
        placed = [(p * np.array([-1, 1]) + np.array([width, 0]), _other(s)) for p, s in placed]
    points, which = placed[chosen]
    span = palm_span_px(points)
    region = HandRegion(
        inside=share > 0.5, skin_lab=flesh.skin_lab, skin_covariance=flesh.skin_covariance, span_px=span
    )
    fingers = look_at_fingers(points, region.inside, span)
    others = tuple(other for k, other in enumerate(placed) if k != chosen and _is_in(other[0], width))
    crop = np.ascontiguousarray(np.clip(crop, 0, 255))
    return Patient(crop, points, which, hand, region, fingers, others, seen.name, seen.sha256)


def _other(side: Side) -> Side:
    return "left" if side == "right" else "right"


def _is_in(points: Float[np.ndarray, "21 2"], width: int) -> bool:
    return bool(((points > 0) & (points < width)).all(1).mean() >= 0.5)
