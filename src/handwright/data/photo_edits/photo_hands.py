"""The hands of a photograph, found once a process; their fingers as chains, and which stand free."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.photographs import decode_photo, read_photo
from handwright.data.shapes import Landmarks, Matrix, Vector, Vector2
from handwright.hand.skeleton import distance_to_chain, palm_span_px
from handwright.perception.detect.confirm import classify_candidate
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.views import DetectionOptions, whole
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.segment import hand_region
from handwright.types import Hand, HandObservation

_THUMB_ROOT = 0.45
_USUAL_LENGTH = np.array([0.90, 0.90, 1.0, 0.92, 0.72])
"""Length of the chains of a hand that faces the camera, in spans from wrist to knuckles."""
_LEAST_LENGTH, _LEAST_STRAIGHT = 0.62, 0.86
"""Of a free finger: length over the usual one, and distance of its ends over its length; chosen by eye."""
_LEAST_RADIUS, _MOST_RADIUS = 0.06, 0.185
"""Of a free finger, in spans; thicker is two fingers in one; chosen by eye."""
_STATIONS = np.array([0.45, 0.55, 0.65, 0.75, 0.85, 0.95])
_THIN = 0.09
_CLEAR = 1.7  # The outer half of a free finger stays so many of its radii away from the bones of others


@dataclass(frozen=True, eq=False)
class Finger:
    """One finger in the picture."""

    # float64 [4, 2] knuckle, middle joint, end joint, tip (thumb: half the metacarpal, then its joints)
    chain: Float[np.ndarray, "4 2"]
    radius: float  # Half its thickness in pixels
    free: bool  # It is straight, long and alone enough to be cut out

    @property
    def length(self) -> float:
        """Along the chain, pixels."""
        return float(np.linalg.norm(np.diff(self.chain, axis=0), axis=1).sum())

    @property
    def direction(self) -> Vector2:
        """Unit vector from knuckle to tip."""
        direction = self.chain[3] - self.chain[0]
        return direction / max(float(np.linalg.norm(direction)), 1e-6)


def chains_of(points: Landmarks) -> Float[np.ndarray, "5 4 2"]:
    """The five chains of 21 landmarks, thumb first."""
    chains = points[1:].reshape(5, 4, 2).copy()
    chains[0, 0] += _THUMB_ROOT * (chains[0, 1] - chains[0, 0])
    return chains


def measure_fingers(points: Landmarks, region: Bool[np.ndarray, "h w"], span: float) -> tuple[Finger, ...]:
    """The five fingers of a hand, thumb first."""
    padded = np.pad(region.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    chains = chains_of(points)
    measured = [_finger(k, chain, depth, span) for k, chain in enumerate(chains)]
    return tuple(
        Finger(f.chain, f.radius, f.free and _is_clear(k, f.radius, chains)) for k, f in enumerate(measured)
    )


def is_stretched(points: Landmarks, span: float) -> Bool[np.ndarray, "5"]:
    """Which fingers are stretched out in the picture's plane, by their landmarks alone."""
    chains = chains_of(points)
    lengths = np.linalg.norm(np.diff(chains, axis=1), axis=2).sum(1)
    straight = np.linalg.norm(chains[:, 3] - chains[:, 0], axis=1) / np.maximum(lengths, 1e-6)
    away = np.linalg.norm(chains[:, 3] - points[0], axis=1) > np.linalg.norm(chains[:, 1] - points[0], axis=1)
    return (lengths > _LEAST_LENGTH * _USUAL_LENGTH * span) & (straight > _LEAST_STRAIGHT) & away


def may_be_free(points: Landmarks, span: float) -> Bool[np.ndarray, "5"]:
    """Which fingers are stretched out and away from the others, by their landmarks alone."""
    chains = chains_of(points)
    clear = [_is_clear(k, _THIN * span, chains) for k in range(5)]
    return is_stretched(points, span) & np.array(clear)


def _finger(number: int, chain: Float[np.ndarray, "4 2"], depth: np.ndarray, span: float) -> Finger:
    bones = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    length = float(bones.sum())
    straight = float(np.linalg.norm(chain[3] - chain[0])) / max(length, 1e-6)
    column, row = np.floor(along(chain, _STATIONS)).astype(int).T
    height, width = depth.shape
    rim = min(column.min(), row.min(), width - 1 - column.max(), height - 1 - row.max())
    if rim < 0.1 * span:
        return Finger(chain, 0.1 * span, False)
    # the largest depth near each point: landmarks lie a little beside the axis
    radii = cv2.dilate(depth, np.ones((5, 5), np.uint8))[row, column] / span
    middle = float(np.median(radii))
    even = radii.max() < 1.4 * middle and radii.min() > 0.5 * middle
    most = _MOST_RADIUS * (1.15 if number == 0 else 1)
    fits = bool(radii.min() > _LEAST_RADIUS and radii.max() < most)
    long = length > _LEAST_LENGTH * _USUAL_LENGTH[number] * span
    usual = float(np.clip(middle * span, 0.07 * span, most * span))
    return Finger(chain, usual, bool(fits and even and long and straight > _LEAST_STRAIGHT))


def _is_clear(number: int, radius: float, chains: Float[np.ndarray, "5 4 2"]) -> bool:
    outer = along(chains[number], np.array([0.55, 0.7, 0.85, 1.0]))
    rest = [chain for k, chain in enumerate(chains) if k != number]
    away = [distance_to_chain(chain, outer[None, :, 0], outer[None, :, 1]).min() for chain in rest]
    return bool(min(away) > _CLEAR * radius)


def along(chain: Float[np.ndarray, "4 2"], shares: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
    """Points at shares of a chain's length."""
    bones = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    passed = np.concatenate([[0.0], np.cumsum(bones)]) / max(float(bones.sum()), 1e-6)
    return np.stack([np.interp(shares, passed, chain[:, k]) for k in range(2)], 1)


LEAST_HAND_PX = 80.0  # Hands smaller than this show no fingers to edit; chosen by eye
LEAST_PRESENCE = 0.8
"""Least presence score of the landmark network on a square around the hand; chosen by eye."""

_SEARCHING = DetectionOptions(max_hands=4, confidence=0.5, presence=0.5)
_MARGIN = 0.06  # Least distance of landmarks from the border, in hand sizes
_AROUND = 1.3  # Room around the hand in which it is segmented, in spans from wrist to knuckles
_REMEMBERED = 4096  # Photographs whose hands are kept in memory; a few kilobytes each


@dataclass(frozen=True, eq=False)
class PhotoHands:
    """The hands of a photograph."""

    name: str  # Of the photograph, with its folder or tar
    sha256: str  # Of its bytes
    height: int  # Pixels
    width: int  # Pixels
    hands: tuple[HandObservation, ...]  # All that were detected
    editable: tuple[int, ...]  # Indices of those that may be edited: large, certain, away from the border


@dataclass(frozen=True, eq=False)
class HandPixels:
    """The fit and the mask of one hand of a photograph."""

    fit: Hand  # The fitted hand, in the whole photograph's camera
    window: tuple[int, int, int, int]  # x0, y0, x1, y1 of the part that was segmented
    skin_lab: Vector  # As in ``HandRegion``
    skin_covariance: Matrix  # As in ``HandRegion``
    bits: UInt8[np.ndarray, "h b"]  # The hand's pixels in the window, packed

    def inside(self, height: int, width: int) -> Bool[np.ndarray, "h w"]:
        """The hand's pixels in the whole photograph."""
        x0, y0, x1, y1 = self.window
        out = np.zeros((height, width), np.bool_)
        out[y0:y1, x0:x1] = np.unpackbits(self.bits, axis=1, count=x1 - x0) > 0
        return out


@lru_cache(maxsize=_REMEMBERED)
def find_photo_hands(path: Path) -> PhotoHands:
    """Detect the hands of a photograph.

    Raises:
        UnreadableImageError: It is no picture.
        MissingModelError: The landmarker is missing.
    """
    data = read_photo(path)
    pixels = decode_photo(data, path.name)
    height, width = pixels.shape[:2]
    landmarker = _landmarker()
    hands: list[HandObservation] = []
    editable: list[int] = []
    for hand in whole(width, height, margin=1.25, size_px=384).detect(
        pixels, landmarker, _SEARCHING, "picture"
    ):
        presence, closer = classify_candidate(pixels, hand, landmarker)
        hands.append(closer or hand)
        if closer is not None and presence >= LEAST_PRESENCE and _lies_well(closer, height, width):
            editable.append(len(hands) - 1)
    name = f"{path.parent.name}/{path.name}"
    return PhotoHands(name, hashlib.sha256(data).hexdigest(), height, width, tuple(hands), tuple(editable))


@lru_cache(maxsize=_REMEMBERED)
def segment_photo_hand(path: Path, number: int) -> HandPixels:
    """Fit and segment one hand of a photograph."""
    found = find_photo_hands(path)
    hand = found.hands[number]
    pixels = decode_photo(read_photo(path), path.name)
    reach = _AROUND * palm_span_px(hand.landmarks_px)
    low, high = hand.landmarks_px.min(0) - reach, hand.landmarks_px.max(0) + reach
    x0, y0 = (max(int(v), 0) for v in low)
    x1, y1 = min(int(high[0]) + 1, found.width), min(int(high[1]) + 1, found.height)
    crop = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    region = hand_region(crop, hand.landmarks_px - np.array([x0, y0]))
    fit = fit_hand(hand, found.width, found.height).hand
    bits = np.packbits(region.inside, axis=1)
    return HandPixels(fit, (x0, y0, x1, y1), region.skin_lab, region.skin_covariance, bits)


@lru_cache(maxsize=1)
def _landmarker() -> HandLandmarker:
    return HandLandmarker()


def _lies_well(hand: HandObservation, height: int, width: int) -> bool:
    """Large enough, and no fingertip near the picture's border."""
    x, y = hand.landmarks_px[1:].T
    margin = _MARGIN * hand.size_px
    inside = x.min() > margin and y.min() > margin and x.max() < width - margin and y.max() < height - margin
    return bool(inside and hand.size_px >= LEAST_HAND_PX)
