"""The values that travel between rooms. Each validates itself once, on construction.

Conventions (stated here and nowhere else): pixel centres lie at integers + 0.5, y points down; the camera
looks along +z, lengths are metres; colours are sRGB uint8; landmarks are in MediaPipe order (wrist, thumb
CMC → tip, index MCP → tip, middle, ring, pinky); joints are in MANO order (wrist, index 1–3, middle, pinky,
ring, thumb).
A left hand is the mirror image (x → −x) of a right hand's rest shape: pose and shape are always given in
right-hand space, wrist rotation and translation always in the real camera's frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.errors import InvalidValueError

Side = Literal["left", "right"]
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels; x1 and y1 exclusive."""


@dataclass(frozen=True, eq=False)
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
        _expect(self.pixels, "Image.pixels", (None, None, 3), np.uint8)
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


@dataclass(frozen=True, eq=False)
class HandObservation:
    """What was seen of one hand in a picture.

    Attributes:
        landmarks_px: float64 [21, 2] in the picture, MediaPipe order.
        depth_px: float64 [21] relative depth in pixels of the picture, + away from the camera, any offset.
        side: The hand's anatomical side in the picture as shown.
        score: Detector confidence in [0, 1].
        found_by: Which pass found it ('picture', 'tile', 'low_threshold', 'box', 'file', …).
    """

    landmarks_px: Float[np.ndarray, "21 2"]
    depth_px: Float[np.ndarray, "21"]
    side: Side
    score: float
    found_by: str

    def __post_init__(self) -> None:
        _expect(self.landmarks_px, "HandObservation.landmarks_px", (21, 2))
        _expect(self.depth_px, "HandObservation.depth_px", (21,))
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


@dataclass(frozen=True, eq=False)
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
        _expect(self.pose, "Hand.pose", (15, 3))
        _expect(self.palm_arch, "Hand.palm_arch", (2,))
        _expect(self.wrist, "Hand.wrist", (3,))
        _expect(self.translation_m, "Hand.translation_m", (3,))
        _expect(self.shape, "Hand.shape", (None,))
        if self.betas is not None:
            _expect(self.betas, "Hand.betas", (10,))
        _side(self.side)


@dataclass(frozen=True, eq=False)
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
        _expect(self.vertices_cam_m, "HandMesh.vertices_cam_m", (None, 3))
        _expect(self.landmarks_cam_m, "HandMesh.landmarks_cam_m", (21, 3))
        _expect(self.joints_cam_m, "HandMesh.joints_cam_m", (16, 3))


@dataclass(frozen=True, eq=False)
class HandFit:
    """A hand fitted to an observation, with the evidence of how well it fits.

    Attributes:
        hand: The fitted hand; its camera is the whole picture's.
        landmarks_px: float64 [21, 2] of the fitted mesh, in the picture.
        residual: Mean 2-D distance to the observed landmarks as a fraction of hand size.
        trust: float64 [21] in [0, 1]: how far each observed landmark was believed.
    """

    hand: Hand
    landmarks_px: Float[np.ndarray, "21 2"]
    residual: float
    trust: Float[np.ndarray, "21"]

    def __post_init__(self) -> None:
        _expect(self.landmarks_px, "HandFit.landmarks_px", (21, 2))
        _expect(self.trust, "HandFit.trust", (21,))


@dataclass(frozen=True, eq=False)
class DepthControl:
    """The depth control image of HandRefiner §3.1 and who is where in it.

    Attributes:
        depth: uint8 [H, W]: nearest 255, farthest 51, background 0.
        hand_id: int16 [H, W]: index of the hand seen at the pixel, −1 for none.
    """

    depth: UInt8[np.ndarray, "h w"]
    hand_id: Int[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        _expect(self.depth, "DepthControl.depth", (None, None), np.uint8)
        _expect(self.hand_id, "DepthControl.hand_id", self.depth.shape)


@dataclass(frozen=True, eq=False)
class Mask:
    """Which pixels of a picture may change.

    Attributes:
        inside: bool [H, W], True inside the hand region.
    """

    inside: Bool[np.ndarray, "h w"]

    def __post_init__(self) -> None:
        _expect(self.inside, "Mask.inside", (None, None), np.bool_)


@dataclass(frozen=True, eq=False)
class HandRegion:
    """Where the picture's own (perhaps malformed) hand is in a crop.

    Attributes:
        inside: bool [h, w] the hand with its wrist and what shows of the arm.
        skin_lab: float64 [3] typical skin colour, OpenCV's 8-bit Lab.
        skin_covariance: float64 [3, 3] its covariance.
        span_px: Wrist-to-knuckles length in pixels (about 9 cm), robust to foreshortening.
        known: bool [h, w] what is beyond doubt this hand and no other skin, wherever it lies; or None.
    """

    inside: Bool[np.ndarray, "h w"]
    skin_lab: Float[np.ndarray, "3"]
    skin_covariance: Float[np.ndarray, "3 3"]
    span_px: float
    known: Bool[np.ndarray, "h w"] | None = None

    def __post_init__(self) -> None:
        _expect(self.inside, "HandRegion.inside", (None, None), np.bool_)
        _expect(self.skin_lab, "HandRegion.skin_lab", (3,))
        _expect(self.skin_covariance, "HandRegion.skin_covariance", (3, 3))
        if self.known is not None:
            _expect(self.known, "HandRegion.known", self.inside.shape, np.bool_)


Strength = float | tuple[float, ...]
"""Control strength: of a whole run, or of every step of the schedule, the noisiest first."""


@dataclass(frozen=True)
class StrengthTry:
    """One painting on the way to a control strength.

    Attributes:
        strength: What it was painted with; None: by a painter without strengths.
        joint_error: Of the painting, as a fraction of hand size; of several hands the mean; 1: missed.
    """

    strength: Strength | None
    joint_error: float


@dataclass(frozen=True)
class StrengthChoice:
    """How the control strength of a candidate came about.

    Attributes:
        strategy: 'given' (a number), 'fixed', 'adaptive' or 'auto'.
        tried: Every painting, in the order made.
        won: Index of the one that was taken.
        why: In words.
    """

    strategy: str
    tried: tuple[StrengthTry, ...]
    won: int
    why: str


@dataclass(frozen=True, eq=False)
class Candidate:
    """One attempt at painting one hand: a patch of the picture and how it was judged.

    Attributes:
        seed: The seed that made it.
        pixels: uint8 [h, w, 3] the finished patch (already blended at its edges).
        inside: bool [h, w]; outside of it the patch is the picture's own pixels, bit for bit.
        origin_xy_px: Column and row of the patch's top-left pixel in the picture.
        scores: Named measures, each a plain float (``found_again`` 0/1, ``joint_error`` in hand sizes, …).
        accepted: Whether it may replace the original.
        strength: Control strength, for painters that have one.
        strip: uint8 [*, *, 3] what the painter saw and made step by step, if that was to be kept.
        reading: How the hand was read: 'as found', 'as a left hand', 'without doubtful fingers', ….
        refused: Why it may not replace the original, in words.
        choice: How the strength came about, for painters that have one.
    """

    seed: int
    pixels: UInt8[np.ndarray, "h w 3"]
    inside: Bool[np.ndarray, "h w"]
    origin_xy_px: tuple[int, int]
    scores: Mapping[str, float]
    accepted: bool
    strength: Strength | None = None
    strip: UInt8[np.ndarray, "_ _ 3"] | None = None
    reading: str = "as found"
    refused: tuple[str, ...] = ()
    choice: StrengthChoice | None = None

    def __post_init__(self) -> None:
        _expect(self.pixels, "Candidate.pixels", (None, None, 3), np.uint8)
        _expect(self.inside, "Candidate.inside", self.pixels.shape[:2], np.bool_)


@dataclass(frozen=True, eq=False)
class HandRepair:
    """What happened to one hand.

    Attributes:
        id: 1-based number of the hand in its picture: left to right as found, or in the user's own order.
        observation: What was seen.
        fit: The hand that was fitted and (perhaps) painted.
        mask: Pixels that may change.
        depth: This hand's part of the depth control image.
        action: 'refined', 'kept' (attempted, the original stays) or 'skipped' (not attempted).
        reason: One sentence for the user.
        candidates: Every attempt, in the order made.
        picked: Index into ``candidates`` of the one that was pasted, or None.
        best_refused: Where none was pasted, index of the one that came nearest to it, or None.
        review_before: What the review says of the hand as it was: an element of ``hands[]`` in
            review-1.schema.json; None where nothing was reviewed.
        review_after: The same of the hand in the finished picture; None where nothing was repainted.
    """

    id: int
    observation: HandObservation
    fit: HandFit
    mask: Mask
    depth: DepthControl
    action: Literal["refined", "kept", "skipped"]
    reason: str
    candidates: tuple[Candidate, ...] = ()
    picked: int | None = None
    best_refused: int | None = None
    review_before: Mapping[str, Any] | None = None
    review_after: Mapping[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class Repair:
    """A refined picture with the evidence of what was done to it.

    Attributes:
        before: The picture as it came.
        after: The picture as it goes; equal to ``before`` outside the masks of refined hands.
        hands: One entry per hand found.
        depth: The depth control image of all hands together.
        seconds: Wall time per stage ('find', 'fit', 'depth', 'review', 'paint', 'check').
        notes: What the user should know besides, one sentence each (a box in which no hand was seen, …).
        judged_by: Who reviewed the hands: 'geometry', and 'critic' where there is one; empty: nobody.
        unread: What the review says in the end of hands whose joints nobody could read, and of arms without
            a hand; none of them was attempted.
    """

    before: Image
    after: Image
    hands: tuple[HandRepair, ...]
    depth: DepthControl
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    judged_by: tuple[str, ...] = ()
    unread: tuple[Mapping[str, Any], ...] = ()


def _side(side: str) -> None:
    if side not in ("left", "right"):
        raise InvalidValueError(f"side must be 'left' or 'right', got {side!r}")


def _expect(value: Any, name: str, shape: tuple[int | None, ...], dtype: Any = None) -> None:  # noqa: ANN401
    """Raise unless ``value`` is a finite array of this shape (None: any length) and dtype."""
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
