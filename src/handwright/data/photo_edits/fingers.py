"""Fingers in a picture: chains of four joints, their thickness, and which of them stand free."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.hand.skeleton import distance_to_chain

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
    def direction(self) -> Float[np.ndarray, "2"]:
        """Unit vector from knuckle to tip."""
        direction = self.chain[3] - self.chain[0]
        return direction / max(float(np.linalg.norm(direction)), 1e-6)


def chains_of(points: Float[np.ndarray, "21 2"]) -> Float[np.ndarray, "5 4 2"]:
    """The five chains of 21 landmarks, thumb first."""
    chains = points[1:].reshape(5, 4, 2).copy()
    chains[0, 0] += _THUMB_ROOT * (chains[0, 1] - chains[0, 0])
    return chains


def measure_fingers(
    points: Float[np.ndarray, "21 2"], region: Bool[np.ndarray, "h w"], span: float
) -> tuple[Finger, ...]:
    """The five fingers of a hand, thumb first."""
    padded = np.pad(region.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    chains = chains_of(points)
    measured = [_finger(k, chain, depth, span) for k, chain in enumerate(chains)]
    return tuple(
        Finger(f.chain, f.radius, f.free and _is_clear(k, f.radius, chains)) for k, f in enumerate(measured)
    )


def is_stretched(points: Float[np.ndarray, "21 2"], span: float) -> Bool[np.ndarray, "5"]:
    """Which fingers are stretched out in the picture's plane, by their landmarks alone."""
    chains = chains_of(points)
    lengths = np.linalg.norm(np.diff(chains, axis=1), axis=2).sum(1)
    straight = np.linalg.norm(chains[:, 3] - chains[:, 0], axis=1) / np.maximum(lengths, 1e-6)
    away = np.linalg.norm(chains[:, 3] - points[0], axis=1) > np.linalg.norm(chains[:, 1] - points[0], axis=1)
    return (lengths > _LEAST_LENGTH * _USUAL_LENGTH * span) & (straight > _LEAST_STRAIGHT) & away


def may_be_free(points: Float[np.ndarray, "21 2"], span: float) -> Bool[np.ndarray, "5"]:
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
    radii = _widest(depth, row, column) / span
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


def _widest(depth: np.ndarray, row: Int[np.ndarray, " n"], column: Int[np.ndarray, " n"]) -> np.ndarray:
    """The largest depth near each point: landmarks lie a little beside the axis."""
    grown = cv2.dilate(depth, np.ones((5, 5), np.uint8))
    return grown[row, column]


def along(chain: Float[np.ndarray, "4 2"], shares: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
    """Points at shares of a chain's length."""
    bones = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    passed = np.concatenate([[0.0], np.cumsum(bones)]) / max(float(bones.sum()), 1e-6)
    return np.stack([np.interp(shares, passed, chain[:, k]) for k in range(2)], 1)
