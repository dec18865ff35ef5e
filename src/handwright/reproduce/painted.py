"""One subject painted one way, with everything that is measured on it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.handrefiner.network import InpaintNetwork, InpaintRequest, InpaintResult
from handwright.metrics.crops import hand_crop
from handwright.progress import Stopwatch
from handwright.refine.candidates import paint, score_originals
from handwright.refine.painters import Painter, PaintJob, PaintResult, painter_on_network
from handwright.refine.painting import PaintTrial, RefineContext, paint_trial, redetect_hands
from handwright.refine.settings import RefineSettings
from handwright.reproduce.subjects import Subject
from handwright.review.judge import Judge

Pixels = UInt8[np.ndarray, "h w 3"]
Record = dict[str, Any]

_FINE_PX, _EDGE_PX, _STEP = 1.5, 3, 30
"""σ that parts fine from coarse; distance from outline and folds, and what depth step is a fold: of 255."""


@dataclass
class Listener:
    """A network that remembers what it made last."""

    network: InpaintNetwork  # The network
    last: tuple[InpaintRequest, InpaintResult] | None = None  # Its last answer, or None

    @property
    def resolution(self) -> int:
        """Of the network."""
        return self.network.resolution

    @property
    def fixed_strength(self) -> float:
        """Of the network."""
        return self.network.fixed_strength

    @property
    def guidance(self) -> float:
        """Of the network."""
        return self.network.guidance

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        """As the network does."""
        result = self.network.inpaint(request)
        self.last = request, result
        return result

    def autoencode(self, picture: UInt8[np.ndarray, "r r 3"]) -> Float[np.ndarray, "r r 3"]:
        """As the network does."""
        return self.network.autoencode(picture)


@dataclass(frozen=True)
class Bare:
    """A painter whose colours are laid back as they are.

    The usual way back gives what the mesh covers the old hand's skin colour, and so an outline that the
    network may not have painted.
    """

    painter: Painter  # The painter

    @property
    def together(self) -> bool:
        """As the painter."""
        return self.painter.together

    @property
    def side_by_side(self) -> bool:
        """As the painter."""
        return self.painter.side_by_side

    def paint(self, job: PaintJob) -> PaintResult:
        """As the painter, not to be matched."""
        return replace(self.painter.paint(job), toned=True)


def paint_subject(
    subject: Subject,
    settings: RefineSettings,
    seed: int,
    network: InpaintNetwork,
    judge: Judge,
    *,
    bare: bool = False,
) -> tuple[Record, Pixels]:
    """Paint a hand once and look at it again.

    Returns:
        The record, and the picture that came out.
    """
    listener = Listener(network)
    painter = painter_on_network(settings, lambda: listener)
    subject, painter = (subject.boxed(), Bare(painter)) if bare else (subject, painter)
    context = RefineContext(painter, settings, judge, Stopwatch())
    strength = None if settings.diffusion is None else settings.diffusion.strength
    started = time.perf_counter()
    painting = paint_trial(subject.pixels, [subject.task], subject.scene, seed, strength, context)
    record = {
        **seen(painting),
        "seconds": time.perf_counter() - started,
        "strength": painting.strength,
        **_textures(listener),
    }
    return record, painting.pixels


def _textures(listener: Listener) -> Record:
    """Fine detail of what was painted, and, on the same skin, of the picture before."""
    if listener.last is None:
        return {"texture": None, "texture_before": None}
    request, made = listener.last
    before = texture_energy(request, InpaintResult(listener.autoencode(request.picture)))
    return {"texture": texture_energy(request, made), "texture_before": before}


def judge_subject(
    subject: Subject, settings: RefineSettings, seed: int, network: InpaintNetwork, judge: Judge
) -> tuple[Record, Pixels]:
    """Paint a hand with one strength and let the judge of ``refine`` score it; as ``paint_subject``."""
    assert settings.diffusion is not None
    listener = Listener(network)
    context = RefineContext(painter_on_network(settings, lambda: listener), settings, judge, Stopwatch())
    originals = score_originals(subject.pixels, [subject.task], context)
    strength = settings.diffusion.strength
    (made,) = paint(subject.pixels, [subject.task], subject.scene, seed, strength, context, originals)
    candidate = made.candidate
    x0, y0, x1, y1 = subject.task.window
    picture = subject.pixels.copy()
    picture[y0:y1, x0:x1] = candidate.pixels
    texture = None if listener.last is None else texture_energy(*listener.last)
    record = {
        "scores": dict(candidate.scores),
        "objections": len(candidate.rejection_reasons),
        "strength": candidate.strength,
        "texture": texture,
    }
    return record, picture


def untouched(subject: Subject, judge: Judge) -> tuple[Record, Pixels]:
    """The same measures of the picture as it is: their floor."""
    context = RefineContext(painter_on_network(RefineSettings()), RefineSettings(), judge, Stopwatch())
    (look,) = redetect_hands(subject.pixels, [subject.task], context)
    score = 0.0 if look.analysis is None else look.analysis.observation.score
    return {"error": look.joint_error, "found": look.analysis is not None, "score": score}, subject.pixels


def seen(painting: PaintTrial) -> Record:
    """Measures of the only hand of a painting, detected again."""
    (look,) = painting.redetections
    score = 0.0 if look.analysis is None else look.analysis.observation.score
    return {"error": look.joint_error, "found": look.analysis is not None, "score": score}


def crop_of(pixels: Pixels, subject: Subject) -> Pixels:
    """The square around the hand as it was before, the same for all that is made of it."""
    return hand_crop(pixels, subject.box)


def texture_energy(request: InpaintRequest, made: InpaintResult) -> float | None:
    """How much fine detail a network paints on skin: RMS of what σ = 1.5 px takes from luminance, of 255.

    Measured at the network's resolution, before its result is enlarged or grain is added, where the control
    image is a smooth surface: away from outlines, and from folds where fingers meet.

    Returns:
        None where too little of the hand is smooth.
    """
    inside = (request.control > 0) & request.mask
    depth = request.control.astype(np.float32)
    steep = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > _STEP
    smooth = cv2.distanceTransform((inside & ~steep).astype(np.uint8), cv2.DIST_L2, 3) > _EDGE_PX
    if smooth.sum() < 2 * _FINE_PX * request.picture.shape[0]:
        return None
    light = made.picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    fine = light - cv2.GaussianBlur(light, (0, 0), _FINE_PX)
    return float(np.sqrt((fine[smooth] ** 2).mean()))
