"""The diffusing painters: HandRefiner as published, and the drawn hand harmonised by a few of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.photo.detail import fine_detail, match_detail
from handwright.drawing.photo.finish import grain_share
from handwright.drawing.photo.grain import add_grain, measure_grain, skin_grain
from handwright.hand.skin_colour import SAME_SKIN, colour_distance
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintNetwork, InpaintRequest, InpaintResult
from handwright.handrefiner.square import Square, control_at, mask_at, picture_at, resized, square_around
from handwright.handrefiner.steps_strip import steps_strip
from handwright.handrefiner.strength import resolved
from handwright.image.compositing import depth_inside, spread_smoothly, well_inside
from handwright.refine.compositing.blend import near, rim
from handwright.refine.compositing.occluders import job_occluders
from handwright.refine.painters.contract import PaintJob, PaintResult
from handwright.refine.painters.draw import DrawnHands, draw_hands

KEPT_FROM = 0.03
"""Distance from the old hand and the new one, in hand sizes, beyond which the picture stays as it is: it was
background and is to be background again. By eye."""

MIXED_PX = 4.0
"""How far inside a hand's outline the network mixes it with the background, in its own pixels. By eye, of 2,
3 and 4, on 38 training pictures."""

ZONE = 3.0
"""How many times as far inside it colours are still compared with those of the rest. By eye, on the same."""

RAMP_PX = 4.0
"""How far inside what is surely the hands the network's picture stands alone, in its own pixels; nearer to
the outline averages of its colours are mixed in. By eye, on 34 rendered hands; with 8 they are less sharp."""

NEAR_OTHERS_PX = 3.0
"""How near to pixels of another colour the network's hands are no longer surely theirs, in its pixels. By
eye, on the same."""

SPECK_PX = 2  # Pixels of a patch of another colour up to which it is noise

ALONE = 0.9  # Share of the network's picture from which its detail and grain are measured; by eye

FEWEST_PX = 60
"""Pixels of a hand below which its colours are not known, as ``BlendParams.min_pixels``."""

Free = Bool[np.ndarray, "h w"]


@dataclass(frozen=True, eq=False)
class _Begun:
    """A job on its way through the network."""

    job: PaintJob
    free: Free  # What may change: the repair mask without what lies in front of the hands
    square: Square  # What the network is shown of the picture
    drawn: DrawnHands | None  # What it sets out from; None: noise
    request: InpaintRequest  # What the network is asked for


@dataclass(frozen=True, eq=False)
class DiffusePainter:
    """``--painter diffuse``: conditional inpainting from pure noise (HandRefiner §3.1)."""

    settings: DiffusionSettings  # Prompt, strength, steps and the like
    open_network: Callable[[], InpaintNetwork]  # The network; called when a hand is painted, not before
    keep_steps: bool = False  # Keep input and output of the network at its steps
    together, side_by_side, varied, from_drawn = True, False, True, False

    def paint(self, job: PaintJob) -> PaintResult:
        """Paint the hands of a job in one square."""
        begun = self._begun(job)
        if begun is None:
            return _unpainted(job)
        return self._finished(begun, self.open_network().inpaint(begun.request))

    def paint_batch(self, jobs: Sequence[PaintJob]) -> list[PaintResult]:
        """Paint several jobs, their squares in one batch of the network where it can; each as alone."""
        all_begun = [self._begun(job) for job in jobs]
        requests = [begun.request for begun in all_begun if begun is not None]
        if len(requests) > 1:
            painted = iter(self.open_network().inpaint_batch(requests))
        else:
            painted = (self.open_network().inpaint(request) for request in requests)
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
        drawn = draw_hands(job) if self.from_drawn else None
        start = None if drawn is None else picture_at(_with(square, job, drawn.pixels), network.resolution)
        request = _request(job, square, free, network, self.settings, self.keep_steps, start)
        return _Begun(job, free, square, drawn, request)

    def _finished(self, begun: _Begun, result: InpaintResult) -> PaintResult:
        """The network's square at its place in the crop."""
        job, square, request, settings = begun.job, begun.square, begun.request, self.settings
        network, drawn, painted = self.open_network(), begun.drawn, result.picture
        if request.start is not None:
            painted = painted - network.autoencode(request.start)
        hands_alone = network.surroundings == "drawn" and not settings.box_mask
        own = np.ones(painted.shape[:2])  # Share of the network's own picture in what is painted
        if hands_alone:
            sure = surely_hands(result.picture, request.hands, square.side)
            own = np.clip(depth_inside(sure) / RAMP_PX, 0, 1)
            smooth = spread_smoothly(painted, sure)
            painted = smooth + own[..., None] * (painted - smooth)
        pixels = square.in_window(resized(painted, square.side), job.window)
        if drawn is not None:
            pixels = _as_grainy(job, pixels + drawn.pixels, drawn.pixels, begun.free)
        elif not settings.no_grain:
            share = square.in_window(resized(np.dstack([own] * 3), square.side), job.window)[..., 0]
            share = np.clip(share, 0.0, 1.0)
            pixels = _with_detail(job, pixels, begun.free, share) if hands_alone else pixels
            pixels = _grained(job, pixels, begun.free, share)
        behind = None
        if hands_alone:
            alpha, behind = laid_over(job.crop, drawn or draw_hands(job), rim(begun.free, job.hand_px))
        elif settings.box_mask:
            alpha = rim(begun.free, job.hand_px)
        else:
            changed = near(job.new_hands | job.old_hands, KEPT_FROM * job.hand_px)
            alpha = rim(begun.free & changed, job.hand_px)
        return PaintResult(
            np.clip(pixels, 0.0, 255.0),
            alpha,
            settings.no_retoning,
            soft=True,
            behind=behind,
            strength=request.strength,
            strip=steps_strip(request, result) if request.keep_steps else None,
        )


class HarmonisePainter(DiffusePainter):
    """``--painter harmonise``: draw the hand, then a few steps of the network from a middle noise level.

    The network works at its own resolution, often far below the crop's, and its encoder loses detail besides.
    So only the *change* that it makes is taken over: its result less the drawn hand as its own encoder and
    decoder show it, enlarged to the crop. The drawn hand's fine detail lies in neither of the two and stays:

        result = drawn + enlarge(network − coded(shrink(drawn)))

    But for its grain, which the network takes for noise: as much as is gone is added again.
    """

    from_drawn = True


def laid_over(
    crop: UInt8[np.ndarray, "h w 3"], drawn: DrawnHands, inside: Float[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, "h w"], UInt8[np.ndarray, "h w 3"]]:
    """How a network's hands P take the place of drawn ones: over the same background B, up to the wrists.

    With c the drawn hands' cover, w ``past_wrist`` and m ``inside``, the result is to be
    m (w (c P + (1 − c) B) + (1 − w) drawn) + (1 − m) crop.

    Args:
        crop: The crop as it was.
        drawn: The drawn hands.
        inside: [h, w] in 0..1, how far the crop may change.

    Returns:
        The share of P, [h, w] in 0..1, and uint8 [h, w, 3], what it is laid over.
    """
    past = inside * drawn.past_wrist
    alpha = past * drawn.cover
    rest = (1 - inside), past * (1 - drawn.cover), inside - past
    layers = crop, drawn.background, drawn.pixels
    mixed = sum(share[..., None] * layer for share, layer in zip(rest, layers, strict=True))
    left = np.maximum(1 - alpha, 1e-6)[..., None]
    return alpha, np.where(left > 1e-3, np.clip(np.rint(mixed / left), 0, 255), drawn.pixels).astype(np.uint8)


def surely_hands(
    picture: Float[np.ndarray, "r r 3"], hands: Bool[np.ndarray, "r r"], side: int
) -> Bool[np.ndarray, "r r"]:
    """Where a network's picture surely shows the hands that it was to paint.

    That is well inside their meshes' outline, and in a zone along it, where its own hand may end or have a
    light rim, only where colours are those of the rest of that hand. Pixels within ``NEAR_OTHERS_PX`` of
    patches of other colours in the zone are left out, as it mixes both, unless less than ``FEWEST_PX`` of a
    hand would be left.

    Args:
        picture: The network's picture.
        hands: bool [r, r], the meshes in it.
        side: Side of the square of the user's picture that it shows, pixels. Where it is smaller, so that the
            network saw it enlarged and blurred, the zone is wider.
    """
    mixed = MIXED_PX * (1 + max(1.0, picture.shape[0] / side)) / 2
    own, deep = well_inside(hands, mixed), depth_inside(hands) > ZONE * mixed
    lab = cv2.cvtColor(np.clip(picture, 0, 255).astype(np.uint8), cv2.COLOR_RGB2LAB).astype(np.float32)
    count, parts = cv2.connectedComponents(hands.astype(np.uint8))
    for part in range(1, count):
        this = parts == part
        skin = lab[own & this]
        if len(skin) < FEWEST_PX:
            continue
        away = colour_distance(lab, np.median(skin, axis=0), np.cov(skin.T) + np.eye(3))
        patches = (own & this & ~deep & (away >= SAME_SKIN)).astype(np.uint8)
        cv2.filterSpeckles(patches, 0, SPECK_PX, 0)
        patches = cv2.morphologyEx(patches, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
        kept = own & this & (depth_inside(patches == 0) > NEAR_OTHERS_PX)
        own &= ~this | (kept if kept.sum() >= FEWEST_PX else (away < SAME_SKIN) | deep)
    return own


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


def _with_detail(
    job: PaintJob, pixels: Float[np.ndarray, "h w 3"], free: Free, own: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 3"]:
    """The paint with as much fine detail as the old hands have, where both are: decoding smooths.

    It is measured where the network's picture stands alone, if that is enough, as averages have none.
    """
    wanted = fine_detail(job.crop, job.old_hands & job.new_hands)
    new = free & job.new_hands
    alone = new & (own > ALONE)
    region = alone if fine_detail(pixels, alone) is not None else new
    return pixels if wanted is None else match_detail(pixels, region, wanted)


def _as_grainy(
    job: PaintJob, pixels: Float[np.ndarray, "h w 3"], drawn: UInt8[np.ndarray, "h w 3"], free: Free
) -> Float[np.ndarray, "h w 3"]:
    """Harmonised hands with the drawn ones' grain, which a network that sees it takes for noise."""
    new = free & job.new_hands
    there = measure_grain(np.clip(pixels, 0.0, 255.0), new)
    return add_grain(
        pixels, measure_grain(drawn, new), there, free.astype(np.float32), np.random.default_rng(job.seed)
    )


def _grained(
    job: PaintJob, pixels: Float[np.ndarray, "h w 3"], free: Free, own: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 3"]:
    """The paint with the grain of the old hands where it is too clean: enlarging and decoding smooth it.

    As ``draw`` adds it: measured where both hands are, and little of it on small hands, whose folds and edges
    pass for grain. What is missing differs between the network's own picture and averages of its colours.
    """
    old, new = job.old_hands, job.new_hands
    wanted = skin_grain(measure_grain(job.crop, old & new), measure_grain(job.crop, ~old))
    amount = grain_share(min(task.region.span_px for task in job.tasks)) * free.astype(np.float32)
    noise = np.random.default_rng(job.seed)
    new = free & new
    alone = new & (own > ALONE)
    for part, share in ((alone, own), (new & ~alone, 1 - own)):
        if part.any():
            there = measure_grain(pixels, part)
            pixels = add_grain(pixels, wanted, there, amount * share.astype(np.float32), noise)
    return pixels
