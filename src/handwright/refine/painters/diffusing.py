"""The diffusing painters: HandRefiner as published, and the drawn hand harmonised by a few of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.photo.finish import grain_share
from handwright.drawing.photo.grain import add_grain, measure_grain, skin_grain
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintNetwork, InpaintRequest, InpaintResult
from handwright.handrefiner.square import Square, control_at, mask_at, picture_at, resized, square_around
from handwright.handrefiner.steps_strip import steps_strip
from handwright.handrefiner.strength import resolved
from handwright.refine.compositing.blend import near, rim
from handwright.refine.compositing.occluders import job_occluders
from handwright.refine.painters.contract import PaintJob, PaintResult
from handwright.refine.painters.draw import DrawPainter

KEPT_FROM = 0.03
"""Distance from the old hand and the new one, in hand sizes, beyond which the picture stays as it is: it was
background and is to be background again. By eye."""

Free = Bool[np.ndarray, "h w"]
Start = tuple[UInt8[np.ndarray, "h w 3"] | None, UInt8[np.ndarray, "r r 3"] | None]
"""The crop with hands drawn, and its square at the network's resolution; neither where noise is all."""


@dataclass(frozen=True, eq=False)
class _Begun:
    """A job on its way through the network."""

    job: PaintJob
    free: Free  # What may change: the repair mask without what lies in front of the hands
    square: Square  # What the network is shown of the picture
    drawn: UInt8[np.ndarray, "h w 3"] | None  # The crop with hands drawn; None: it sets out from noise
    request: InpaintRequest  # What the network is asked for


@dataclass(frozen=True, eq=False)
class DiffusePainter:
    """``--painter diffuse``: conditional inpainting from pure noise (HandRefiner §3.1)."""

    settings: DiffusionSettings  # Prompt, strength, steps and the like
    open_network: Callable[[], InpaintNetwork]  # The network; called when a hand is painted, not before
    keep_steps: bool = False  # Keep input and output of the network at its steps
    together, side_by_side, varied = True, False, True

    def paint(self, job: PaintJob) -> PaintResult:
        """Paint the hands of a job in one square."""
        begun = self._begun(job)
        if begun is None:
            return _unpainted(job)
        return self._finished(begun, self.open_network().inpaint(begun.request))

    def paint_batch(self, jobs: Sequence[PaintJob]) -> list[PaintResult]:
        """Paint several jobs, their squares in one batch of the network where it can; each as alone."""
        all_begun = [self._begun(job) for job in jobs]
        there = [begun for begun in all_begun if begun is not None]
        if len(there) < 2:
            return [self.paint(job) for job in jobs]
        painted = iter(self.open_network().inpaint_batch([begun.request for begun in there]))
        return [
            _unpainted(job) if begun is None else self._finished(begun, next(painted))
            for job, begun in zip(jobs, all_begun, strict=True)
        ]

    def square(self, job: PaintJob) -> Square | None:
        """What it reads of the picture besides the job's own crop; None where there is nothing to paint."""
        free = self._free(job)
        return _square(job, free) if free.any() else None

    def _free(self, job: PaintJob) -> Free:
        return job.repair_mask if self.settings.box_mask else job.repair_mask & ~job_occluders(job)

    def _begun(self, job: PaintJob) -> _Begun | None:
        """What the network is asked for; None where there is nothing to paint."""
        free = self._free(job)
        if not free.any():
            return None
        square, network = _square(job, free), self.open_network()
        drawn, start = self._start(job, square, network)
        request = _request(job, square, free, network, self.settings, self.keep_steps, start)
        return _Begun(job, free, square, drawn, request)

    def _finished(self, begun: _Begun, result: InpaintResult) -> PaintResult:
        """The network's square at its place in the crop."""
        job, free, square, request = begun.job, begun.free, begun.square, begun.request
        if begun.drawn is None or request.start is None:
            pixels = square.in_window(resized(result.picture, square.side), job.window)
            pixels = pixels if self.settings.no_grain else _grained(job, pixels, free)
        else:
            coded = self.open_network().autoencode(request.start)
            change = resized(result.picture - coded, square.side)
            pixels = begun.drawn.astype(np.float32) + square.in_window(change, job.window)
        strip = steps_strip(request, result) if request.keep_steps else None
        pixels = np.clip(pixels, 0.0, 255.0)
        changed = (
            free
            if self.settings.box_mask
            else free & near(job.new_hands | job.old_hands, KEPT_FROM * job.hand_px)
        )
        alpha, toned = rim(changed, job.hand_px), self.settings.no_retoning
        return PaintResult(pixels, alpha, toned, soft=True, strength=request.strength, strip=strip)

    def _start(self, job: PaintJob, square: Square, network: InpaintNetwork) -> Start:
        return None, None


class HarmonisePainter(DiffusePainter):
    """``--painter harmonise``: draw the hand, then a few steps of the network from a middle noise level.

    The network works at its own resolution, often far below the crop's, and its encoder loses detail besides.
    So only the *change* that it makes is taken over: its result less the drawn hand as its own encoder and
    decoder show it, enlarged to the crop. The drawn hand's fine detail lies in neither of the two and stays:

        result = drawn + enlarge(network − coded(shrink(drawn)))
    """

    def _start(self, job: PaintJob, square: Square, network: InpaintNetwork) -> Start:
        drawn = np.asarray(DrawPainter().paint(job).pixels)
        return drawn, picture_at(_with(square, job, drawn), network.resolution)


def _unpainted(job: PaintJob) -> PaintResult:
    return PaintResult(job.crop, np.zeros(job.repair_mask.shape, np.float32))


def _square(job: PaintJob, free: Free) -> Square:
    detected = [task.observation.landmarks_px for task in job.tasks]
    fitted = [task.fit.landmarks_px for task in job.tasks]
    return square_around(np.concatenate([*detected, *fitted]), free, job.window)


def _request(
    job: PaintJob,
    square: Square,
    free: Free,
    network: InpaintNetwork,
    settings: DiffusionSettings,
    keep_steps: bool,
    start: UInt8[np.ndarray, "r r 3"] | None = None,
) -> InpaintRequest:
    """Picture, mask and depth of a job at the network's resolution."""
    x0, y0, x1, y1 = job.window
    resolution = network.resolution
    strength = settings.strength if job.strength is None else job.strength
    steps = network.default_steps if settings.steps is None else settings.steps
    fitted = np.stack([task.fit.landmarks_px for task in job.tasks])
    mask = np.zeros(job.control.shape, np.bool_)
    mask[y0:y1, x0:x1] = free
    return InpaintRequest(
        picture=picture_at(square.cut(job.picture), resolution),
        mask=mask_at(square.cut(mask), resolution),
        control=control_at(square.cut(job.control), resolution),
        landmarks_px=(fitted - np.array([square.left, square.top])) * (resolution / square.side),
        settings=replace(settings, steps=steps),
        strength=resolved(strength, network.fixed_strength, steps),
        seed=job.seed,
        start=start,
        keep_steps=keep_steps,
    )


def _with(square: Square, job: PaintJob, drawn: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """The square of the picture with the crop as drawn."""
    x0, y0, x1, y1 = job.window
    picture = job.picture.copy()
    picture[y0:y1, x0:x1] = drawn
    return square.cut(picture)


def _grained(job: PaintJob, pixels: Float[np.ndarray, "h w 3"], free: Free) -> Float[np.ndarray, "h w 3"]:
    """The paint with the grain of the old hands where it is too clean: enlarging and decoding smooth.

    As ``draw`` adds it: measured where both hands are, and little of it on small hands, whose folds and edges
    pass for grain.
    """
    old, new = job.old_hands, job.new_hands
    wanted = skin_grain(measure_grain(job.crop, old & new), measure_grain(job.crop, ~old))
    there = measure_grain(pixels, free & new)
    share = grain_share(min(task.region.span_px for task in job.tasks))
    return add_grain(pixels, wanted, there, share * free.astype(np.float32), np.random.default_rng(job.seed))
