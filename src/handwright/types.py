"""The values that travel between rooms. Each validates itself once, on construction.

Conventions (stated here and nowhere else): pixel centres lie at integers + 0.5, y points down; the camera
looks along +z, lengths are metres; colours are sRGB uint8; landmarks are in MediaPipe order (wrist, thumb
CMC → tip, index MCP → tip, middle, ring, pinky); joints are in MANO order (wrist, index 1–3, middle, pinky,
ring, thumb).
A left hand is the mirror image (x → −x) of a right hand's rest shape: pose and shape are always given in
right-hand space, wrist rotation and translation always in the real camera's frame.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.errors import InvalidValueError

if TYPE_CHECKING:
    from PIL import Image as PILImage

Side = Literal["left", "right"]
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels; x1 and y1 exclusive."""
Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 of a crop in whole pixels of a picture; x1 and y1 exclusive."""


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    """A picture: upright sRGB pixels to work on, and what is needed to write it back unharmed.

    Attributes:
        pixels: uint8 [H, W, 3] sRGB, EXIF orientation already applied. What every network and painter sees.
        native: The picture's own samples, upright: uint8 or uint16 [H, W, C] in ``mode``; None when
            ``pixels`` is all there is.
        mode: Pillow mode of ``native`` ('RGB', 'RGBA', 'L', 'LA', 'P', 'CMYK', 'I;16', …).
        meta: What to write back: format, EXIF, ICC profile, PNG text, quality. Owned by ``handwright.image``.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    native: np.ndarray | None = None
    mode: str = "RGB"
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        expect_array(self.pixels, "Image.pixels", (None, None, 3), np.uint8)
        if min(self.pixels.shape[:2]) < 1:
            raise InvalidValueError(f"Image.pixels is empty: shape {self.pixels.shape}")

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.pixels.shape[1])

    def to_pil(self) -> PILImage.Image:
        """The picture for Pillow in 8-bit sRGB: 'RGB', or 'RGBA' where it has transparency."""
        from PIL import Image as PILImage

        picture = PILImage.fromarray(self.pixels)
        if self.mode == "RGBA" and self.native is not None and self.native.dtype == np.uint8:
            picture.putalpha(PILImage.fromarray(np.ascontiguousarray(self.native[..., 3])))
        return picture

    def save(self, path: str | Path, *, overwrite: bool = True) -> tuple[str, ...]:
        """Write the picture with its own samples, profile and metadata.

        Args:
            path: The file; its suffix names the format.
            overwrite: Replace a file that is there.

        Returns:
            Sentences about what the format could not hold, such as 16-bit samples in a JPEG.

        Raises:
            OutputError: The format is not known, or the file cannot be written.
        """
        # The room above this one writes files; imported by name so that no value depends on it.
        return tuple(import_module("handwright.image").save_image(self, Path(path), overwrite=overwrite))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: ANN401
        """``np.asarray(image)``: uint8 [H, W, 3] sRGB."""
        return np.array(self.pixels, dtype=dtype) if copy or dtype is not None else self.pixels

    def __repr__(self) -> str:
        return f"<Image {self.width}×{self.height} {self.mode}>"

    def png(self) -> bytes:
        """``to_pil`` as the bytes of a PNG file."""
        data = io.BytesIO()
        self.to_pil().save(data, "PNG")
        return data.getvalue()

    _repr_png_ = png  # notebooks show the picture


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HandObservation:
    """A detected hand: what a detector observed of one hand in a picture.

    Attributes:
        landmarks_px: float64 [21, 2] in the picture, MediaPipe order.
        depth_px: float64 [21] relative depth in pixels of the picture, + away from the camera, any offset.
        side: The hand's anatomical side in the picture as shown.
        score: Detector confidence in [0, 1].
        found_by: The pass that found it ('picture', 'tile', 'low_threshold', 'box', 'body', 'file', …).
    """

    landmarks_px: Float[np.ndarray, "21 2"]
    depth_px: Float[np.ndarray, "21"]
    side: Side
    score: float
    found_by: str

    def __post_init__(self) -> None:
        expect_array(self.landmarks_px, "HandObservation.landmarks_px", (21, 2))
        expect_array(self.depth_px, "HandObservation.depth_px", (21,))
        _side(self.side)
        if not 0.0 <= self.score <= 1.0:
            raise InvalidValueError(f"HandObservation.score must lie in [0, 1], got {self.score}")

    @property
    def size_px(self) -> float:
        """Hand size: the longer side of the landmarks' box, in pixels (SPEC §1)."""
        return float(np.ptp(self.landmarks_px, axis=0).max())

    @property
    def bbox_xyxy_px(self) -> Box:
        """Tight box of the landmarks."""
        lo, hi = self.landmarks_px.min(0), self.landmarks_px.max(0)
        return float(lo[0]), float(lo[1]), float(hi[0]), float(hi[1])

    def __repr__(self) -> str:
        box = ", ".join(f"{value:.0f}" for value in self.bbox_xyxy_px)
        return f"<HandObservation {self.side}, score {self.score:.2f}, box ({box}), found by {self.found_by}>"


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion: px = focal_px · x / z + center_px.

    Attributes:
        focal_px: Focal length in pixels, > 0.
        center_px: Principal point (x, y) in pixels.
    """

    focal_px: float
    center_px: tuple[float, float]

    def __post_init__(self) -> None:
        if not (np.isfinite(self.focal_px) and self.focal_px > 0):
            raise InvalidValueError(f"Camera.focal_px must be a positive number, got {self.focal_px}")

    def project(self, points_cam_m: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 2"]:
        """Pixels of points [..., 3] in camera space (metres, z > 0)."""
        return self.focal_px * points_cam_m[..., :2] / points_cam_m[..., 2:] + np.asarray(self.center_px)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Hand:
    """One posed and shaped hand in front of a camera.

    Attributes:
        pose: float64 [15, 3] axis-angle in radians of MANO's 15 finger joints, right-hand space, rest = flat.
        palm_arch: float64 [2] flexion in radians of the ring and pinky metacarpals.
        wrist: float64 [3] axis-angle, rotation hand → camera.
        translation_m: float64 [3] of the wrist-centred model in camera space.
        shape: float64 [S] shape numbers, named in ``hand.anatomy.SHAPE_NAMES``; zeros are the mean hand.
        side: 'left' or 'right'.
        camera: The pinhole camera of the whole picture.
        betas: MANO betas [10] that came with the hand, if any; passed through untouched.
    """

    pose: Float[np.ndarray, "15 3"]
    palm_arch: Float[np.ndarray, "2"]
    wrist: Float[np.ndarray, "3"]
    translation_m: Float[np.ndarray, "3"]
    shape: Float[np.ndarray, " s"]
    side: Side
    camera: Camera
    betas: Float[np.ndarray, "10"] | None = None

    def __post_init__(self) -> None:
        expect_array(self.pose, "Hand.pose", (15, 3))
        expect_array(self.palm_arch, "Hand.palm_arch", (2,))
        expect_array(self.wrist, "Hand.wrist", (3,))
        expect_array(self.translation_m, "Hand.translation_m", (3,))
        expect_array(self.shape, "Hand.shape", (None,))
        if self.betas is not None:
            expect_array(self.betas, "Hand.betas", (10,))
        _side(self.side)

    def __repr__(self) -> str:
        return f"<Hand {self.side}, {float(self.translation_m[2]):.2f} m away>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HandMesh:
    """A hand's surface in camera space.

    Attributes:
        vertices_cam_m: float64 [V, 3], metres.
        faces: int32 [F, 3], counter-clockwise seen from outside.
        landmarks_cam_m: float64 [21, 3], MediaPipe order.
        joints_cam_m: float64 [16, 3], MANO order.
        side: 'left' or 'right'.
    """

    vertices_cam_m: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    landmarks_cam_m: Float[np.ndarray, "21 3"]
    joints_cam_m: Float[np.ndarray, "16 3"]
    side: Side

    def __post_init__(self) -> None:
        expect_array(self.vertices_cam_m, "HandMesh.vertices_cam_m", (None, 3))
        expect_array(self.landmarks_cam_m, "HandMesh.landmarks_cam_m", (21, 3))
        expect_array(self.joints_cam_m, "HandMesh.joints_cam_m", (16, 3))

    def __repr__(self) -> str:
        return f"<HandMesh {self.side}, {len(self.vertices_cam_m)} vertices, {len(self.faces)} faces>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HandFit:
    """A hand fitted to an observation, with the evidence of how well it fits.

    Attributes:
        hand: The fitted hand; its camera is the whole picture's.
        landmarks_px: float64 [21, 2] of the fitted mesh, in the picture.
        residual: Mean 2-D distance to the observed landmarks as a fraction of hand size.
        landmark_weights: float64 [21] in [0, 1]: how much each observed landmark counted in the fit.
    """

    hand: Hand
    landmarks_px: Float[np.ndarray, "21 2"]
    residual: float
    landmark_weights: Float[np.ndarray, "21"]

    def __post_init__(self) -> None:
        expect_array(self.landmarks_px, "HandFit.landmarks_px", (21, 2))
        expect_array(self.landmark_weights, "HandFit.landmark_weights", (21,))

    def __repr__(self) -> str:
        return f"<HandFit {self.hand.side}, residual {100 * self.residual:.1f} % of the hand's size>"


@dataclass(frozen=True, eq=False, repr=False)
class DepthControl:
    """The depth control image of HandRefiner §3.1 and the hand at each of its pixels.

    Attributes:
        depth: uint8 [H, W]: nearest 255, farthest 51, background 0.
        hand_id: int16 [H, W]: index of the visible hand at the pixel, −1 for none.
    """

    depth: UInt8[np.ndarray, "h w"]
    hand_id: Int[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        expect_array(self.depth, "DepthControl.depth", (None, None), np.uint8)
        expect_array(self.hand_id, "DepthControl.hand_id", self.depth.shape)

    def __repr__(self) -> str:
        height, width = self.depth.shape
        return f"<DepthControl {width}×{height}, {len(np.unique(self.hand_id[self.hand_id >= 0]))} hands>"


@dataclass(frozen=True, eq=False, repr=False)
class Mask:
    """Which pixels of a picture may change.

    Attributes:
        inside: bool [H, W], True inside the hand region.
    """

    inside: Bool[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        expect_array(self.inside, "Mask.inside", (None, None), np.bool_)

    def __repr__(self) -> str:
        height, width = self.inside.shape
        return f"<Mask {width}×{height}, {100 * self.inside.mean():.1f} % inside>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HandRegion:
    """Where the picture's own (perhaps malformed) hand is in a crop."""

    inside: Bool[np.ndarray, "h w"]  # the hand with its wrist and what shows of the arm
    skin_lab: Float[np.ndarray, "3"]  # typical skin colour, float64, OpenCV's 8-bit Lab
    skin_covariance: Float[np.ndarray, "3 3"]  # float64, of that colour
    span_px: float  # Wrist-to-knuckles length in pixels (about 9 cm), robust to foreshortening
    # pixels that certainly belong to this hand and to no other skin; None if unknown
    certain: Bool[np.ndarray, "h w"] | None = None
    # float32 probability that a pixel shows this hand, by the critic; None if unknown
    probability: Float[np.ndarray, "h w"] | None = None

    def __post_init__(self) -> None:
        expect_array(self.inside, "HandRegion.inside", (None, None), np.bool_)
        expect_array(self.skin_lab, "HandRegion.skin_lab", (3,))
        expect_array(self.skin_covariance, "HandRegion.skin_covariance", (3, 3))
        if self.certain is not None:
            expect_array(self.certain, "HandRegion.certain", self.inside.shape, np.bool_)
        if self.probability is not None:
            expect_array(self.probability, "HandRegion.probability", self.inside.shape)

    def __repr__(self) -> str:
        height, width = self.inside.shape
        return f"<HandRegion {width}×{height}, {100 * self.inside.mean():.1f} % inside>"


def _side(side: str) -> None:
    if side not in ("left", "right"):
        raise InvalidValueError(f"side must be 'left' or 'right', got {side!r}")


def expect_array(value: Any, name: str, shape: tuple[int | None, ...], dtype: Any = None) -> None:  # noqa: ANN401
    """Raise unless ``value`` is a finite array of this shape (None: any length) and dtype.

    Raises:
        InvalidValueError: It is not, with what was expected and what came.
    """
    if not isinstance(value, np.ndarray):
        raise InvalidValueError(f"{name} must be a NumPy array, got {type(value).__name__}")
    fits = value.ndim == len(shape) and all(
        w is None or w == n for w, n in zip(shape, value.shape, strict=True)
    )
    if not fits:
        wanted = "[" + ", ".join("*" if w is None else str(w) for w in shape) + "]"
        raise InvalidValueError(f"{name} must have shape {wanted}, got {list(value.shape)}")
    if dtype is not None and value.dtype != dtype:
        raise InvalidValueError(f"{name} must be {np.dtype(dtype).name}, got {value.dtype.name}")
    if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
        raise InvalidValueError(f"{name} holds numbers that are not finite")
