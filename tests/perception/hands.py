"""Hands of known shape and a landmarker that sees exactly what it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from handwright.perception.detect.landmarker import Person
from handwright.types import HandObservation

FLAT = np.array(
    [
        (0.50, 1.00), (0.30, 0.88), (0.18, 0.74), (0.10, 0.62), (0.03, 0.52),
        (0.34, 0.50), (0.31, 0.30), (0.29, 0.17), (0.27, 0.06),
        (0.48, 0.47), (0.48, 0.25), (0.48, 0.11), (0.48, 0.00),
        (0.61, 0.50), (0.64, 0.29), (0.66, 0.16), (0.68, 0.05),
        (0.73, 0.57), (0.79, 0.42), (0.83, 0.32), (0.87, 0.23),
    ]
)  # fmt: skip
"""An open left hand seen from its back, or a right hand from its palm, in a unit box."""


def hand(x=0.0, y=0.0, size=100.0, *, side="right", score=0.9, turn=0.0, found_by="picture", points=FLAT):
    """A hand whose unit box starts at (x, y), turned about its middle."""
    cos, sin = np.cos(turn), np.sin(turn)
    turned = (points - 0.5) @ np.array([[cos, sin], [-sin, cos]]) + 0.5
    return HandObservation(
        landmarks_px=turned * size + (x, y),
        depth_px=np.linspace(-1, 1, 21) * size,
        side=side,
        score=score,
        found_by=found_by,
    )


def person(*, left=None, right=None, seen=1.0):
    """Someone whose forearms point up at hands of 100 px (``left``, ``right``: top left corners)."""
    points, sure = np.full((33, 2), -500.0), np.zeros(33)
    points[[11, 12]] = (-400, 0), (-500, 0)
    for corner, (elbow, wrist, pinky, index) in ((left, (13, 15, 17, 19)), (right, (14, 16, 18, 20))):
        if corner is None:
            continue
        points[wrist] = np.add(corner, (50, 100))
        points[elbow] = np.add(corner, (50, 220))
        points[index], points[pinky] = np.add(corner, (34, 50)), np.add(corner, (73, 57))
        sure[[elbow, wrist, pinky, index]] = seen
    return Person(points, sure)


@dataclass
class DotLandmarker:
    """Sees a hand where a landmark's own colour stands in the pixels: 21 dots per hand, red = 10 + landmark.

    Attributes:
        least_px: Hands smaller than this in a view are not seen.
        blind: Answers of these calls (by number) are dropped.
        asked: Sizes of the pictures it was shown.
    """

    least_px: float = 20.0
    blind: frozenset[int] = frozenset()
    calls: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, pixels, *, max_hands, confidence, presence):
        self.calls.append(pixels.shape)
        if len(self.calls) - 1 in self.blind:
            return []
        return [h for h in self._read(pixels)[:max_hands] if h.size_px >= self.least_px]

    def landmarks_in_crop(self, crop):
        return (1.0, self._read(crop)[0]) if self._read(crop) else (0.0, hand(60, 60))

    def people(self, pixels):
        return []

    @staticmethod
    def _read(pixels):
        seen = []
        for green in (50, 150):
            points = []
            for landmark in range(21):
                near = np.abs(pixels.astype(int) - (60 + 9 * landmark, green, 255)).max(2) <= 3
                rows, columns = np.nonzero(near)
                if len(rows) == 0:
                    break
                points.append((columns.mean() + 0.5, rows.mean() + 0.5))
            if len(points) == 21:
                seen.append(replace(hand(), landmarks_px=np.array(points), score=0.9 if green == 50 else 0.8))
        return seen


def paint(pixels, observation, green=50):
    """Draw the dots that ``DotLandmarker`` reads: squares of 1/25 hand size."""
    half = max(1.0, observation.size_px / 50)
    for landmark, (x, y) in enumerate(observation.landmarks_px):
        x0, y0 = max(0, round(x - half)), max(0, round(y - half))
        pixels[y0 : round(y + half), x0 : round(x + half)] = (60 + 9 * landmark, green, 255)
    return pixels


def chart(width, height):
    """A picture whose colours tell where one is: red along x, green along y, blue everywhere."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[..., 0] = np.round(np.linspace(0, 255, width))
    pixels[..., 1] = np.round(np.linspace(0, 255, height))[:, None]
    return pixels


@dataclass
class ChartLandmarker:
    """Looks at views of a ``chart`` and sees the given hands, when they lie whole in the view at a fit size.

    Attributes:
        hands: What is there, in pixels of the chart.
        extent: Width and height of the chart.
        least: Smallest share of the view that a hand must fill to be seen.
        wobble: Landmarks are off by up to this share of hand size, differently in every view.
        only_straight: See nothing in mirrored views, as with a false find.
        presence: What the landmark network says when asked directly.
        persons: Who is there, in pixels of the chart.
        palm_blind: The palm detector sees nothing; the landmark network still does.
        asked: Numbers of looks taken.
    """

    hands: list[HandObservation]
    extent: tuple[int, int]
    least: float = 0.15
    wobble: float = 0.0
    only_straight: bool = False
    presence: float = 0.0
    persons: list[Person] = field(default_factory=list)
    palm_blind: bool = False
    calls: int = 0

    def detect(self, pixels, *, max_hands, confidence, presence):
        self.calls += 1
        return [] if self.palm_blind else self._visible_hands(pixels)[:max_hands]

    def landmarks_in_crop(self, crop):
        seen = self._visible_hands(crop)
        return (self.presence, seen[0]) if seen else (0.0, hand(60, 60, found_by="picture"))

    def people(self, pixels):
        picture_from_view = self._place(pixels)
        if picture_from_view is None:
            return []
        matrix, shift = picture_from_view[:, :2], picture_from_view[:, 2]
        return [
            replace(person, points_px=np.linalg.solve(matrix, (person.points_px - shift).T).T)
            for person in self.persons
        ]

    def _place(self, pixels):
        rows, columns = np.nonzero(pixels[::6, ::6, 2] > 254)
        if len(rows) < 10:
            return None
        terms = np.column_stack([columns * 6 + 0.5, rows * 6 + 0.5, np.ones(len(rows))])
        place = pixels[rows * 6, columns * 6, :2] / 255 * (np.array(self.extent) - 1) + 0.5
        return np.linalg.lstsq(terms, place, rcond=None)[0].T

    def _visible_hands(self, pixels):
        picture_from_view = self._place(pixels)
        if picture_from_view is None:
            return []
        mirrored = np.linalg.det(picture_from_view[:, :2]) < 0
        if mirrored and self.only_straight:
            return []
        seen = []
        for there in self.hands:
            shift = picture_from_view[:, 2]
            points = np.linalg.solve(picture_from_view[:, :2], (there.landmarks_px - shift).T).T
            size = np.ptp(points, axis=0).max()
            inside = points.min() >= -3 and points.max() <= len(pixels) + 3
            if inside and self.least <= size / len(pixels) <= 0.9:
                rng = np.random.default_rng(int(abs(picture_from_view).sum() * 1000))
                points = points + rng.uniform(-1, 1, points.shape) * self.wobble * size
                other = "left" if there.side == "right" else "right"
                seen.append(replace(there, landmarks_px=points, side=other if mirrored else there.side))
        return seen
