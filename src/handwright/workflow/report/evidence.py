"""The pictures beside a report: mask, depth, candidates, small views, and what was found, drawn over."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image as PILImage

from handwright.image import with_patch, write_atomically, write_png
from handwright.refine.result import Candidate, HandRepair, Repair
from handwright.review.overlay import SUBPIXEL_BITS, draw_bones, fixed_points
from handwright.types import Image
from handwright.workflow.files import make_folder

DETECTED_RGB = (255, 176, 0)
FITTED_RGB = (0, 190, 255)


def draw_overlay(image: Image, hands: Sequence[HandRepair]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with each hand's mask outline, detected points (orange), fitted bones (blue), number."""
    canvas = np.ascontiguousarray(image.pixels.copy())
    for hand in hands:
        thick = max(1, round(hand.observation.size_px / 120))
        outline, _ = cv2.findContours(
            hand.mask.inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        for color, extra in (((0, 0, 0), 2), ((255, 255, 255), 0)):
            cv2.drawContours(canvas, outline, -1, color, max(1, thick // 2) + extra, cv2.LINE_AA)
        draw_bones(canvas, hand.fit.landmarks_px, FITTED_RGB, thick)
        _points(canvas, hand.observation.landmarks_px, thick)
        _label(canvas, hand)
    return canvas


def _points(canvas: UInt8[np.ndarray, "h w 3"], points_px: Float[np.ndarray, "21 2"], thick: int) -> None:
    for center in fixed_points(points_px):
        radius = int((thick + 1.5) * (1 << SUBPIXEL_BITS))
        cv2.circle(canvas, center, radius, (0, 0, 0), -1, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.circle(
            canvas, center, radius - (1 << SUBPIXEL_BITS), DETECTED_RGB, -1, cv2.LINE_AA, SUBPIXEL_BITS
        )


def _label(canvas: UInt8[np.ndarray, "h w 3"], hand: HandRepair) -> None:
    """Number and side, beside the wrist and inside the picture."""
    text = f"{hand.id} {hand.observation.side}"
    scale = float(np.clip(hand.observation.size_px / 400, 0.4, 2.0))
    thick = max(1, round(1.5 * scale))
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    x, y = hand.fit.landmarks_px[0] + 8 * scale
    left = int(np.clip(x, 0, max(canvas.shape[1] - width, 0)))
    base = int(np.clip(y + height, height, max(canvas.shape[0] - below, height)))
    for color, extra in (((0, 0, 0), 3), ((255, 255, 255), 0)):
        cv2.putText(
            canvas, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, color, thick + extra, cv2.LINE_AA
        )


Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, kw_only=True)
class EvidenceParams:
    """Sizes of the report's pictures; chosen by eye for a page of 1,280 px."""

    view_px: int = 1280  # Longer side of a whole picture
    crop_px: int = 768  # Longer side of a hand's crop
    thumbnail_px: int = 240  # Longer side of a candidate's view
    margin: float = 0.15  # Room around a hand, in its sizes …
    min_half_px: float = 16.0  # … and half the least side of its crop
    jpeg_quality: int = 88


PARAMS = EvidenceParams()


@dataclass(frozen=True)
class Evidence:
    """Writes the files of one picture into the report folder and remembers their names."""

    report: Path  # The report folder
    folder: str  # This picture's folder below it, as it appears in the report

    def write(self, repair: Repair) -> dict[str, Any]:
        """Write all files of a picture.

        Returns:
            Names relative to the report folder: ``{"files": {"before", "after", "depth"}, "hands": [{"mask",
            "depth", "files", "candidates": [file], "views": [file],
            "steps": [file or None]}]}``.

        Raises:
            OutputError: A file cannot be written.
        """
        make_folder(self.report / self.folder)
        files = {
            "before": self._view("before.jpg", repair.before.pixels),
            "after": self._view("after.jpg", repair.after.pixels),
            "depth": self._png("depth.png", repair.depth.depth),
        }
        return {"files": files, "hands": [self._hand(repair, hand) for hand in repair.hands]}

    def _hand(self, repair: Repair, hand: HandRepair) -> dict[str, Any]:
        x0, y0, x1, y1 = crop_box(repair.before, hand)
        stem, window = f"hand-{hand.id}", np.s_[y0:y1, x0:x1]
        would_be = [with_patch(repair.after, candidate).pixels[window] for candidate in hand.candidates]
        rejected = hand.best_rejected
        return {
            "mask": self._png(f"{stem}-mask.png", hand.mask.inside.astype(np.uint8) * 255),
            "depth": self._png(f"{stem}-depth.png", hand.depth.depth),
            "files": {
                "before": self._crop(f"{stem}-before.png", repair.before.pixels[window]),
                "after": self._crop(f"{stem}-after.png", repair.after.pixels[window]),
                # The picture as it would be with the best rejected candidate, where the original stays
                "rejected": None
                if rejected is None
                else self._crop(f"{stem}-rejected.png", would_be[rejected]),
                "depth": self._crop(f"{stem}-depth-view.png", hand.depth.depth[window]),
                "crop_xyxy_px": [x0, y0, x1, y1],
            },
            "candidates": [
                self._png(f"{stem}-candidate-{number}.png", candidate_rgba(candidate))
                for number, candidate in enumerate(hand.candidates, start=1)
            ],
            "views": [
                self._view(f"{stem}-candidate-{number}.jpg", pixels, PARAMS.thumbnail_px)
                for number, pixels in enumerate(would_be, start=1)
            ],
            "steps": [
                None
                if candidate.strip is None
                else self._png(f"{stem}-candidate-{number}-steps.png", candidate.strip)
                for number, candidate in enumerate(hand.candidates, start=1)
            ],
        }

    def _view(self, name: str, pixels: Pixels, side_px: int = PARAMS.view_px) -> str:
        view = _shrunk(pixels, side_px)
        data = BytesIO()  # Pillow writes a JPEG past Python and does not see that a disk took half of it
        view.save(data, "JPEG", quality=PARAMS.jpeg_quality)
        write_atomically(self._path(name), lambda file: file.write(data.getbuffer()))
        return f"{self.folder}/{name}"

    def _crop(self, name: str, pixels: np.ndarray) -> str:
        return self._png(name, np.asarray(_shrunk(pixels, PARAMS.crop_px)))

    def _png(self, name: str, pixels: np.ndarray) -> str:
        write_png(self._path(name), pixels)
        return f"{self.folder}/{name}"

    def _path(self, name: str) -> Path:
        return self.report / self.folder / name


def candidate_rgba(candidate: Candidate) -> UInt8[np.ndarray, "h w 4"]:
    """A candidate as a transparent patch: its pixels where it changes the picture, nothing elsewhere."""
    rgba = np.zeros((*candidate.inside.shape, 4), np.uint8)
    rgba[..., :3][candidate.inside] = candidate.pixels[candidate.inside]
    rgba[..., 3] = candidate.inside * np.uint8(255)
    return rgba


def crop_box(image: Image, hand: HandRepair) -> tuple[int, int, int, int]:
    """A square around a hand and its mask with room to see the wrist, cut to the picture: x0, y0, x1, y1."""
    points = [hand.fit.landmarks_px, hand.observation.landmarks_px]
    rows, columns = np.nonzero(hand.mask.inside)
    if rows.size:
        points.append(np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]], float))
    size = np.array([image.width, image.height], float)
    inside = np.clip(np.concatenate(points), 0, size)
    low, high = inside.min(0), inside.max(0)
    half = max(float((high - low).max()) * (0.5 + PARAMS.margin), PARAMS.min_half_px)
    center = (low + high) / 2
    x0, y0 = np.floor(np.clip(center - half, 0, size - 1)).astype(int)
    x1, y1 = np.ceil(np.clip(center + half, [x0 + 1, y0 + 1], size)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _shrunk(pixels: np.ndarray, side_px: int) -> PILImage.Image:
    picture = PILImage.fromarray(pixels)
    picture.thumbnail((side_px, side_px))
    return picture
