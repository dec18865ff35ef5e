"""The patient: a square crop of a photograph around a sound hand, with all that an operation needs to know."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.photographs import decode_photo, read_photo
from handwright.data.surgery.fingers import Finger, distance_to_chain, is_stretched, look_at_fingers
from handwright.drawing.background import background_sources
from handwright.drawing.ownership import smoothstep
from handwright.hand.grammar import orientation_of
from handwright.hand.kinematics import mirror_hand_x
from handwright.hand.skeleton import palm_span_px
from handwright.perception.close import judge
from handwright.perception.fit import fit_hand
from handwright.perception.landmarker import HandLandmarker
from handwright.perception.region import hand_region
from handwright.perception.views import Eyes, whole
from handwright.types import Camera, Hand, HandObservation, HandRegion, Side

LEAST_HAND_PX = 80.0
LEAST_PRESENCE = 0.8
WORK = 1.5
"""Operations are done at this many times the picture's size and then made smaller."""

_SEARCHING = Eyes(max_hands=4, confidence=0.5, presence=0.5)
_TIGHT, _WIDE = 1.3, 3.0
_MOST_ENLARGED = 2.0
_MARGIN = 0.06
_OUTSIDE = 0.12
_ALIKE_LAB = (55.0, 10.0, 12.0)


@dataclass(frozen=True, eq=False)
class Seen:
    """The hands of a photograph.

    Attributes:
        name: Of the photograph.
        sha256: Of its bytes.
        height: Pixels.
        width: Pixels.
        hands: All that were found.
        sure: Indices of those that may be operated on.
    """

    name: str
    sha256: str
    height: int
    width: int
    hands: tuple[HandObservation, ...]
    sure: tuple[int, ...]


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
        """x and y of every pixel's centre."""
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


@lru_cache(maxsize=4096)
def see(path: Path) -> Seen:
    """The hands of a photograph; a hand is sure when it is large, beyond doubt and away from the border.

    Raises:
        UnreadableImageError: It is no picture.
        MissingModelError: The landmarker is missing.
    """
    data = read_photo(path)
    pixels = decode_photo(data, path.name)
    height, width = pixels.shape[:2]
    eyes = _eyes()
    hands: list[HandObservation] = []
    sure: list[int] = []
    for hand in whole(width, height, margin=1.25, size_px=384).look(pixels, eyes, _SEARCHING, "picture"):
        presence, closer = judge(pixels, hand, eyes)
        hands.append(closer or hand)
        if closer is not None and presence >= LEAST_PRESENCE and _lies_well(closer, height, width):
            sure.append(len(hands) - 1)
    name = f"{path.parent.name}/{path.name}"
    return Seen(name, hashlib.sha256(data).hexdigest(), height, width, tuple(hands), tuple(sure))


def admit(
    path: Path, size: int, rng: np.random.Generator, *, two: bool = False, open_hand: bool = False
) -> Patient | None:
    """A patient from a photograph, or None when no hand of it will do.

    Args:
        path: Of the photograph.
        size: Side of the finished picture; the crop's is ``WORK`` times that.
        rng: Which hand, how much around it, mirrored or not.
        two: Two sure hands are wanted, both in the crop.
        open_hand: Its four long fingers must be stretched out.
    """
    seen = see(path)
    if len(seen.sure) < (2 if two else 1):
        return None
    chosen = seen.sure[int(rng.integers(len(seen.sure)))]
    points = seen.hands[chosen].landmarks_px
    stretched = is_stretched(points, palm_span_px(points))
    if not stretched.any() or (open_hand and not stretched[1:].all()):
        return None
    square = _square(seen, chosen, size, rng, two)
    if square is None:
        return None
    pixels = decode_photo(read_photo(path), path.name)
    return _cut(seen, pixels, chosen, square, round(WORK * size), bool(rng.random() < 0.5))


@lru_cache(maxsize=1)
def _eyes() -> HandLandmarker:
    return HandLandmarker()


def _lies_well(hand: HandObservation, height: int, width: int) -> bool:
    """Large enough, and no fingertip near the picture's border."""
    x, y = hand.landmarks_px[1:].T
    margin = _MARGIN * hand.size_px
    inside = x.min() > margin and y.min() > margin and x.max() < width - margin and y.max() < height - margin
    return bool(inside and hand.size_px >= LEAST_HAND_PX)


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
    seen: Seen,
    pixels: UInt8[np.ndarray, "h w 3"],
    chosen: int,
    square: tuple[float, float, float],
    width: int,
    mirrored: bool,
) -> Patient:
    left, top, side = square
    scale = width / side
    to_crop = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    shift = np.array([[1, 0, 0.5 * scale - 0.5], [0, 1, 0.5 * scale - 0.5]])
    centred = to_crop.copy()
    centred[:, 2] += shift[:, 2]
    picture = pixels.astype(np.float32)
    if scale < 0.9:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.45 / scale)
    crop = cv2.warpAffine(
        picture, centred, (width, width), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    crop = np.clip(crop, 0, 255)
    fit = fit_hand(seen.hands[chosen], seen.width, seen.height).hand
    camera = fit.camera
    center = (scale * (camera.center_px[0] - left), scale * (camera.center_px[1] - top))
    hand = replace(fit, camera=Camera(scale * camera.focal_px, center))
    placed = [(scale * (h.landmarks_px - np.array([left, top])), h.side) for h in seen.hands]
    if mirrored:
        crop = np.ascontiguousarray(crop[:, ::-1])
        hand = mirror_hand_x(hand, width)
        placed = [(p * np.array([-1, 1]) + np.array([width, 0]), _other(s)) for p, s in placed]
    points, which = placed[chosen]
    region = hand_region(np.clip(crop + 0.5, 0, 255).astype(np.uint8), points)
    span = palm_span_px(points)
    fingers = look_at_fingers(points, region.inside, span)
    others = tuple(other for k, other in enumerate(placed) if k != chosen and _is_in(other[0], width))
    return Patient(crop, points, which, hand, region, fingers, others, seen.name, seen.sha256)


def _other(side: Side) -> Side:
    return "left" if side == "right" else "right"


def _is_in(points: Float[np.ndarray, "21 2"], width: int) -> bool:
    return bool(((points > 0) & (points < width)).all(1).mean() >= 0.5)
