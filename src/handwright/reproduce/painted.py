"""One subject painted one way, with everything that is measured on it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.drawing.photo.srgb import LUMA
from handwright.handrefiner.network import InpaintNetwork, InpaintRequest, InpaintResult
from handwright.progress import Stopwatch
from handwright.refine.candidates import paint, score_originals
from handwright.refine.painters import DrawPainter, Painter, PaintJob, PaintResult, open_painter
from handwright.refine.painting import RefineContext, paint_trial, redetect_hands
from handwright.refine.redetection import Redetection
from handwright.refine.settings import RefineSettings
from handwright.reproduce.subjects import Subject
from handwright.review.judge import Judge

Pixels = UInt8[np.ndarray, "h w 3"]
Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TextureEnergyParams:
    """Where and at which scale ``texture_energy`` measures; chosen by eye."""

    fine_px: float = 1.5  # Sigma of the Gaussian that takes coarse detail away
    edge_px: int = 3  # Least distance from outline and folds
    fold: int = 30  # Step of the control image, of 255, that is a fold


PARAMS = TextureEnergyParams()


class RecordingNetwork:
    """A network whose last request and result are kept; all else is the network's own."""

    def __init__(self, network: InpaintNetwork) -> None:
        self.network = network
        self.last: tuple[InpaintRequest, InpaintResult] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self.network, name)

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        """As the network does."""
        self.last = request, self.network.inpaint(request)
        return self.last[1]


class UnmatchedPainter:
    """A painter whose colours are not matched to the picture's.

    The match gives what the mesh covers the old hand's skin colour, and so an outline that the network may
    not have painted.
    """

    def __init__(self, painter: Painter) -> None:
        self.painter, self.together = painter, painter.together
        self.side_by_side, self.varied = painter.side_by_side, painter.varied

    def paint(self, job: PaintJob) -> PaintResult:
        """As the painter, marked as matched already."""
        return replace(self.painter.paint(job), toned=True)


def _recorded(settings: RefineSettings, network: InpaintNetwork) -> tuple[RecordingNetwork, Painter]:
    recording = RecordingNetwork(network)
    return recording, open_painter(settings, lambda: cast("InpaintNetwork", recording))


def _context(painter: Painter, settings: RefineSettings, judge: Judge) -> RefineContext:
    return RefineContext(painter=painter, settings=settings, judge=judge, watch=Stopwatch())


def paint_subject(
    subject: Subject,
    settings: RefineSettings,
    seed: int,
    network: InpaintNetwork,
    judge: Judge,
    *,
    bare: bool = False,
) -> tuple[Record, Pixels]:
    """Paint a hand once and detect it again.

    Returns:
        The record, and the picture that came out.
    """
    recording, painter = _recorded(settings, network)
    subject, painter = (subject.boxed(), UnmatchedPainter(painter)) if bare else (subject, painter)
    context = _context(painter, settings, judge)
    strength = None if settings.diffusion is None else settings.diffusion.strength
    started = time.perf_counter()
    painting = paint_trial(subject.pixels, [subject.task], subject.scene, seed, strength, context)
    record = {
        **_measures(painting.redetections),
        "seconds": time.perf_counter() - started,
        "strength": painting.strength,
        **_textures(recording),
    }
    return record, painting.pixels


def _textures(recording: RecordingNetwork) -> Record:
    """Fine detail of what was painted, and, on the same skin, of the picture before."""
    if recording.last is None:
        return {"texture": None, "texture_before": None}
    request, result = recording.last
    before = texture_energy(request, InpaintResult(recording.network.autoencode(request.picture)))
    return {"texture": texture_energy(request, result), "texture_before": before}


def judge_subject(
    subject: Subject, settings: RefineSettings, seed: int, network: InpaintNetwork, judge: Judge
) -> tuple[Record, Pixels]:
    """Paint a hand with one strength and let the judge of ``refine`` score it; as ``paint_subject``."""
    assert settings.diffusion is not None
    recording, painter = _recorded(settings, network)
    context = _context(painter, settings, judge)
    originals = score_originals(subject.pixels, [subject.task], context)
    strength = settings.diffusion.strength
    (judged,) = paint(subject.pixels, [subject.task], subject.scene, seed, strength, context, originals)
    candidate = judged.candidate
    x0, y0, x1, y1 = subject.task.window
    picture = subject.pixels.copy()
    picture[y0:y1, x0:x1] = candidate.pixels
    texture = None if recording.last is None else texture_energy(*recording.last)
    record = {
        "scores": dict(candidate.scores),
        "objections": len(candidate.rejection_reasons),
        "strength": candidate.strength,
        "texture": texture,
    }
    return record, picture


def untouched(subject: Subject, judge: Judge) -> tuple[Record, Pixels]:
    """The same measures of the picture as it is: their floor."""
    settings = RefineSettings()
    context = _context(DrawPainter(), settings, judge)
    return _measures(redetect_hands(subject.pixels, [subject.task], context)), subject.pixels


def _measures(redetections: Sequence[Redetection]) -> Record:
    """Measures of the only hand of a picture, detected again."""
    (hand,) = redetections
    score = 0.0 if hand.analysis is None else hand.analysis.observation.score
    return {"error": hand.joint_error, "found": hand.analysis is not None, "score": score}


def texture_energy(request: InpaintRequest, result: InpaintResult) -> float | None:
    """How much fine detail a network paints on skin: RMS of what σ = 1.5 px takes from luminance, of 255.

    Measured at the network's resolution, before its result is enlarged or grain is added, where the control
    image is a smooth surface: away from outlines, and from folds where fingers meet.

    Returns:
        None where too little of the hand is smooth.
    """
    inside = request.hands
    depth = request.control.astype(np.float32)
    steep = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > PARAMS.fold
    smooth = cv2.distanceTransform((inside & ~steep).astype(np.uint8), cv2.DIST_L2, 3) > PARAMS.edge_px
    if smooth.sum() < 2 * PARAMS.fine_px * request.picture.shape[0]:
        return None
    light = result.picture.astype(np.float32) @ LUMA
    fine = light - cv2.GaussianBlur(light, (0, 0), PARAMS.fine_px)
    return float(np.sqrt((fine[smooth] ** 2).mean()))
