"""Views: square crops of a picture (all, a tile, turned around a hand); one hand found twice becomes one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.crop_network import INPUT_PX
from handwright.perception.detect.landmarker import Landmarker
from handwright.types import Box, HandObservation, Side


@dataclass(frozen=True, kw_only=True)
class DuplicateParams:
    """When two detections are of one hand. All values were chosen by eye on photographs of clasped hands."""

    # Two detections closer than this ``landmark_distance`` are one hand; clasped hands stay above
    same_distance: float = 0.25
    near_distance: float = 0.35  # The same for a doubtful detection beside confirmed hands
    # Least cosine between wrist-to-knuckle directions of one hand detected at two sizes
    same_direction: float = 0.5
    same_box_iou: float = 0.5  # Least overlap of their boxes, in [0, 1]
    # Largest size of a detection within another hand's fingers, in sizes of that hand
    inner_size: float = 0.7
    inner_slack: float = 0.03  # How far it may reach beyond their outline, in sizes of that hand


PARAMS = DuplicateParams()


def landmark_distance(a: HandObservation, b: HandObservation) -> float:
    """Mean distance between two hands' landmarks as a fraction of the smaller hand's size, in [0, ∞).

    It is 0 for identical observations and about 1 for hands side by side. One hand detected twice is mostly
    below 0.1; clasped hands differ in where each finger is and stay above 0.25 although their boxes coincide.
    """
    gap = float(np.linalg.norm(a.landmarks_px - b.landmarks_px, axis=1).mean())
    return gap / max(min(a.size_px, b.size_px), 1e-9)


def same_hand(a: HandObservation, b: HandObservation) -> bool:
    """Whether two observations are of one hand: landmarks close, or same side, direction and box.

    The second rule finds a hand detected at two sizes, with other fingers, or again within its own fingers.
    It leaves the hands of one person (different sides) and a handshake (opposite directions) apart.
    """
    if landmark_distance(a, b) <= PARAMS.same_distance:
        return True
    if a.side != b.side or float(_direction(a) @ _direction(b)) <= PARAMS.same_direction:
        return False
    overlap = box_iou(a.bbox_xyxy_px, b.bbox_xyxy_px) > PARAMS.same_box_iou
    return overlap or _within_fingers(a, b) or _within_fingers(b, a)


def _within_fingers(small: HandObservation, large: HandObservation) -> bool:
    """Whether all of a hand, its wrist too, lies within the outline of another's joints."""
    if small.size_px >= PARAMS.inner_size * large.size_px:
        return False
    outline = cv2.convexHull(large.landmarks_px.astype(np.float32))
    slack = PARAMS.inner_slack * large.size_px
    return all(
        cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=True) >= -slack
        for x, y in small.landmarks_px
    )


def near_known_hand(hand: HandObservation, others: Iterable[HandObservation]) -> bool:
    """Whether a doubtful detection may be one of ``others``: a wider test than ``same_hand``."""
    return any(
        landmark_distance(hand, other) < PARAMS.near_distance or same_hand(hand, other) for other in others
    )


def merge_hands(hands: Iterable[HandObservation]) -> list[HandObservation]:
    """The hands, best score first, each once: the observation of the higher score, or the first of equals."""
    kept: list[HandObservation] = []
    for hand in sorted(hands, key=lambda h: -h.score):
        if not any(same_hand(hand, other) for other in kept):
            kept.append(hand)
    return kept


def nearest_pairs(gaps: Iterable[tuple[float, int, int]]) -> dict[int, int]:
    """Pairs i → j of (distance, i, j), the nearest first, in which each i and each j stands once."""
    pairs: dict[int, int] = {}
    for _, i, j in sorted(gaps):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def _direction(hand: HandObservation) -> Float[np.ndarray, "2"]:
    """Unit vector from the wrist to the middle knuckle."""
    along = hand.landmarks_px[9] - hand.landmarks_px[0]
    return along / max(float(np.linalg.norm(along)), 1e-9)


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


_PALM_LANDMARKS = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
"""Landmarks up to the first joint of each finger: those that a crop is placed by."""
_CROP_SIDE, _CROP_SHIFT = 2.0, 0.1
"""MediaPipe's crop of a hand: its side, and its shift towards the fingers, in lengths of the palm's box."""
_OTHER_SIDE: dict[Side, Side] = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class DetectionOptions:
    """Thresholds of MediaPipe's hand landmarker."""

    max_hands: int  # Most hands that are returned
    confidence: float  # Least score of the palm detector, in (0, 1)
    presence: float  # Least presence by the landmark network, in (0, 1)


@dataclass(frozen=True)
class View:
    """A square window of a picture, resampled to ``size_px`` × ``size_px``."""

    center_px: tuple[float, float]  # Middle of the window in the picture
    side_px: float  # Side of the window in pixels of the picture, > 0
    size_px: int  # Side of the resampled window in pixels
    turn_rad: float = 0.0  # Rotation of the window in the picture in radians, clockwise as displayed (y down)
    mirrored: bool = False  # Whether the window is flipped left to right

    def to_picture(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        """Map points of the window [n, 2] to pixels of the picture."""
        matrix = self._picture_from_view()
        return points @ matrix[:, :2].T + matrix[:, 2]

    def within(self, width: int, height: int) -> tuple[slice, slice]:
        """Return the rows and columns of a picture that the window, as long as it is not turned, shows."""
        (x, y), half = self.center_px, self.side_px / 2
        rows, columns = (
            slice(max(0, math.floor(at - half)), min(length, math.ceil(at + half)))
            for at, length in ((y, height), (x, width))
        )
        return rows, columns

    def sample(self, pixels: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "n n 3"]:
        """Return the window's pixels, black outside the picture; shrinking averages areas."""
        scale = self.side_px / self.size_px
        shrink = max(1, round(scale)) if scale >= 1.5 else 1
        matrix = self._picture_from_view()
        corners = self.to_picture(
            np.array([[0, 0], [self.size_px, 0], [0, self.size_px], [self.size_px] * 2], float)
        )
        height, width = pixels.shape[:2]
        x0, y0 = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, (width - 1, height - 1))
        x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int) + 2, (x0 + 1, y0 + 1), (width, height))
        part = pixels[y0:y1, x0:x1]
        if shrink > 1:
            columns, rows = max(1, -(-part.shape[1] // shrink)), max(1, -(-part.shape[0] // shrink))
            factors = np.array([columns / part.shape[1], rows / part.shape[0]])
            part = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
        else:
            factors = np.ones(2)
        matrix = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        matrix = matrix * factors[:, None]
        # cv2 puts pixel centres at whole numbers, we put them at halves.
        matrix[:, 2] += matrix[:, :2].sum(1) * 0.5 - 0.5
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(part, matrix, (self.size_px, self.size_px), flags=flags), np.uint8)

    def detect(
        self,
        pixels: UInt8[np.ndarray, "h w 3"],
        landmarker: Landmarker,
        options: DetectionOptions,
        found_by: str,
    ) -> list[HandObservation]:
        """Detect hands in this window; they come in pixels of the picture, best score first."""
        found = landmarker.detect(
            self.sample(pixels),
            max_hands=options.max_hands,
            confidence=options.confidence,
            presence=options.presence,
        )
        return [self._in_picture(hand, found_by) for hand in found]

    def landmarks_in_crop(
        self, pixels: UInt8[np.ndarray, "h w 3"], landmarker: Landmarker
    ) -> tuple[float, HandObservation]:
        """Return the landmark network's presence in [0, 1] and its landmarks in pixels of the picture."""
        presence, hand = landmarker.landmarks_in_crop(self.sample(pixels))
        return presence, self._in_picture(hand, hand.found_by)

    def _in_picture(self, hand: HandObservation, found_by: str) -> HandObservation:
        return replace(
            hand,
            landmarks_px=self.to_picture(hand.landmarks_px),
            depth_px=hand.depth_px * (self.side_px / self.size_px),
            side=_OTHER_SIDE[hand.side] if self.mirrored else hand.side,
            found_by=found_by,
        )

    def _picture_from_view(self) -> Float[np.ndarray, "2 3"]:
        scale = self.side_px / self.size_px
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        turn = scale * np.array([[cos, -sin], [sin, cos]])
        if self.mirrored:
            turn = turn * np.array([-1.0, 1.0])
        middle = np.full(2, self.size_px / 2)
        return np.column_stack([turn, np.asarray(self.center_px) - turn @ middle])


def whole(width: int, height: int, *, margin: float, size_px: int) -> View:
    """Return a square of ``margin`` × the picture's longer side around the whole picture."""
    return View((width / 2, height / 2), margin * max(width, height), size_px)


def to_greyscale(pixels: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """Return luminance in all three channels: painted and gloved hands are detected better without colour."""
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def around(hand: HandObservation, *, margin: float, size_px: int) -> View:
    """Return a square of ``margin`` × the hand's size, centred on its box."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    return View(((x0 + x1) / 2, (y0 + y1) / 2), margin * max(hand.size_px, 1.0), size_px)


def upright(hand: HandObservation) -> View:
    """Return the crop that MediaPipe's landmark network takes: fingers up, the palm at half its side."""
    points = hand.landmarks_px
    along = ((points[6] + points[14]) / 2 + points[10]) / 2 - points[0]
    turn = float(np.arctan2(along[0], -along[1]))
    view_from_picture = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    palm = points[_PALM_LANDMARKS] @ view_from_picture.T
    low, high = palm.min(0), palm.max(0)
    middle = (low + high) / 2 - (0.0, _CROP_SHIFT * (high[1] - low[1]))
    center = middle @ view_from_picture
    side = _CROP_SIDE * max(float((high - low).max()), 1.0)
    return View((float(center[0]), float(center[1])), side, INPUT_PX, turn)


def tiles(width: int, height: int, *, side_px: float, hand_px: float, size_px: int) -> list[View]:
    """Return overlapping square windows; every ``hand_px``² box of the picture lies whole in one of them.

    They come in rows from the top left and stay inside the picture as long as it is larger than they are.
    """
    columns = _centers(width, side_px, hand_px)
    return [View((x, y), side_px, size_px) for y in _centers(height, side_px, hand_px) for x in columns]


def _centers(length: float, side: float, overlap: float) -> list[float]:
    if length <= side:
        return [length / 2]
    steps = int(np.ceil((length - side) / (side - overlap)))
    return [float(c) for c in np.linspace(side / 2, length - side / 2, steps + 1)]
