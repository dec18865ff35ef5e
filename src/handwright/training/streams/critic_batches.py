"""Augmented samples of hands' views, with every target that a critic is compared with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.review.critic.upright_crops import GREY, to_opencv_affine, transform_points
from handwright.training.streams.critic_samples import MAP_PX, ROOM, SIDE_PX, HandViews, assessable
from handwright.training.streams.degradations import corrupted
from handwright.training.streams.part_maps import UNKNOWN
from handwright.training.streams.unnamed_defects import gone_wrong, processed

CONTEXT = 1.5  # Side of a crop in sizes of its hand, as the runner cuts it

CELL_PX = 4  # Pixels of a crop to one cell of the maps that are learnt


@dataclass(frozen=True)
class _Spread:
    """How far crops lie from the true one, as standard deviations; chosen by eye."""

    growth: float  # Of the logarithm of the size
    turn_rad: float  # Of the direction
    shift: float  # Of the place, in sides of the crop
    any_turn: float = 0.0  # Share of crops that are turned any way


_IN_TRAINING, _AS_DETECTED = _Spread(0.16, 0.24, 0.05, 0.04), _Spread(0.08, 0.1, 0.025)
"""In training; and as a detector's regions come, on which a critic is calibrated."""

_PLAIN = ("defects", "judged", "present", "gloved", "hand")  # What samples hold as views do

_DEGRADATIONS = ("blur", "noise", "jpeg", "coarse")


@dataclass(frozen=True, kw_only=True)
class CriticBatchParams:
    """How a critic's samples are drawn and worn. All values are chosen by eye."""

    grey_share: float = 0.06  # Share of crops without colour
    degraded_share: float = 0.4  # Share of crops that are blurred, noisy, coded or coarse
    unassessable_from: float = 0.75  # Strength of that, 0 … 1, from which on a hand counts as not assessable
    shadow_share: float = 0.15  # Share of crops with a shadow's edge
    no_hand_share: float = 0.12  # Share of samples that show no hand
    # Share of sound hands beside which the picture is altered, so that traces of alteration are no evidence
    altered_beside_share: float = 0.06
    least_visible: int = 12  # Landmarks that must be visible for a hand to be altered


PARAMS = CriticBatchParams()  # What the shipped critics were trained with


class ViewStream:
    """Draws training samples; everything random comes from the generator given.

    Args:
        views: Where to draw from.
        size_px: Side of a crop.
        photograph_share: Share of samples that are photographs, where there are any.
        unforeseen_share: Share of the malformed ones that went wrong in a way without a name
            (``unnamed_defects``).
        generated_share: Share of samples that a generator painted, where there are any.
    """

    def __init__(
        self,
        views: HandViews,
        size_px: int,
        photograph_share: float,
        unforeseen_share: float = 0.0,
        generated_share: float = 0.0,
    ) -> None:
        self.views, self.size_px, self.photograph_share = views, size_px, photograph_share
        self.unforeseen_share, self.generated_share = unforeseen_share, generated_share
        malformed, real = views.defects.any(1), views.hand & (views.generated == 0)

        def painted(kind: int, wrong: bool) -> np.ndarray:
            return np.flatnonzero(views.hand & (views.generated == kind) & (views.unforeseen == wrong))

        self._generated = {
            wrong: [pool for kind in (1, 2) if len(pool := painted(kind, wrong))] for wrong in (False, True)
        }
        self._pools = {
            (wrong, photograph): np.flatnonzero(real & (malformed == wrong) & (views.rendered != photograph))
            for wrong in (False, True)
            for photograph in (False, True)
        }
        self._hands, self._elsewhere = np.flatnonzero(real), np.flatnonzero(~views.hand)
        self._clear = real & ~malformed & views.judged & ~views.gloved & (views.seen >= PARAMS.least_visible)
        self._lenders = np.flatnonzero(self._clear)

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
        """Samples as arrays by name; half of them show a defect, where there are any.

        Returns:
            'pictures' uint8 [B, S, S, 3], 'parts' int64 and 'wrong' float32 [B, S/4, S/4], 'landmarks'
            [B, 21, 2] in shares of the side, and what :class:`HandViews` knows of each hand.
        """
        unforeseen = np.zeros(count, np.bool_)
        if self.unforeseen_share:
            unforeseen = (rng.random(count) < self.unforeseen_share) & (np.arange(count) % 2 == 1)
        chosen = np.array([self._one(rng, wrong=bool(k % 2) and not unforeseen[k]) for k in range(count)])
        views = self.views.where(chosen)
        if self.unforeseen_share:
            unforeseen = self._alter(rng, views, unforeseen, self._clear[chosen])
        cut = [self._cut(rng, views, k) for k in range(count)]
        columns = {name: np.stack([sample[name] for sample in cut]) for name in cut[0]}
        spoilt = columns.pop("spoilt")
        flipped = columns.pop("flipped") > 0
        side = np.where(flipped & (views.side >= 0), 1 - views.side, views.side)
        landmarks = columns["landmarks"]
        inside = ((landmarks >= 0) & (landmarks < 1)).all(-1)
        return {
            **columns,
            "trust": np.where(views.visible, 1.0, 0.3).astype(np.float32) * inside * views.trust,
            "visible": (views.visible & inside).astype(np.float32),
            "right": side.astype(np.float32),
            **{name: getattr(views, name).astype(np.int64) for name in ("pose", "fingers")},
            **{name: getattr(views, name).astype(np.float32) for name in _PLAIN},
            "assessable": assessable(views, spoilt, PARAMS.unassessable_from).astype(np.float32),
            "unforeseen": (unforeseen | views.unforeseen).astype(np.float32),
        }

    def _alter(
        self,
        rng: np.random.Generator,
        views: HandViews,
        wanted: Bool[np.ndarray, "n"],
        clear: Bool[np.ndarray, "n"],
    ) -> Bool[np.ndarray, "n"]:
        """Make the wanted ones malformed and alter some of the others beside the hand.

        Returns:
            bool [N] which are malformed now.


        Args:
            rng: Of everything.
            views: A copy, which is changed.
            wanted: Those to make malformed, where ``clear``.
            clear: Those that may be altered.
        """
        done = np.zeros(len(views), np.bool_)
        for k in np.nonzero(clear)[0]:
            lender = self.views.pixels[self._lenders[rng.integers(len(self._lenders))]]
            if not wanted[k]:
                if rng.random() < PARAMS.altered_beside_share:
                    views.pixels[k] = processed(rng, views.pixels[k], views.landmarks_px[k], lender)
                continue
            altered = gone_wrong(rng, views.pixels[k], views.landmarks_px[k], lender)
            if altered is None:
                continue
            views.pixels[k], changed = altered
            views.wrong[k] = cv2.resize(
                changed.astype(np.uint8), (MAP_PX, MAP_PX), None, 0, 0, cv2.INTER_AREA
            )
            views.parts[k], views.trust[k], views.pose[k], done[k] = UNKNOWN, 0, -1, True
        return done

    def _one(self, rng: np.random.Generator, *, wrong: bool) -> int:
        """Index of a hand, with a defect or without, in a photograph or a render; now and then of no hand."""
        if len(self._elsewhere) and rng.random() < PARAMS.no_hand_share:
            return int(self._elsewhere[rng.integers(len(self._elsewhere))])
        pools = self._generated[wrong]
        if pools and rng.random() < self.generated_share:
            pool = pools[rng.integers(len(pools))]
            return int(pool[rng.integers(len(pool))])
        photograph = rng.random() < self.photograph_share
        for pool in (
            self._pools[wrong, photograph],
            self._pools[wrong, not photograph],
            self._pools[not wrong, photograph],
        ):
            if len(pool):
                return int(pool[rng.integers(len(pool))])
        return int(self._hands[rng.integers(len(self._hands))])

    def _cut(self, rng: np.random.Generator, views: HandViews, k: int) -> dict[str, np.ndarray]:
        """One augmented crop with its maps."""
        flipped = rng.random() < 0.5
        way = _jitter(rng, self.size_px, _IN_TRAINING, flipped)
        cells = self.size_px // CELL_PX
        coarse = np.column_stack([way[:, :2] * (SIDE_PX / MAP_PX), way[:, 2]]) / CELL_PX
        pixels = _relit(rng, _cropped(views.pixels[k], way, self.size_px))
        spoilt = float(rng.random()) if rng.random() < PARAMS.degraded_share else 0.0
        if spoilt:
            pixels = corrupted(rng, pixels, str(rng.choice(_DEGRADATIONS)), spoilt)
        beyond = UNKNOWN if views.parts[k, 0, 0] == UNKNOWN else 0
        parts = cv2.warpAffine(
            views.parts[k],
            to_opencv_affine(coarse),
            (cells, cells),
            flags=cv2.INTER_NEAREST,
            borderValue=beyond,
        )
        wrong = cv2.warpAffine(views.wrong[k].astype(np.float32), to_opencv_affine(coarse), (cells, cells))
        return {
            "pictures": pixels,
            "parts": parts.astype(np.int64),
            "wrong": (wrong > 0.5).astype(np.float32),
            "landmarks": (transform_points(way, views.landmarks_px[k]) / self.size_px).astype(np.float32),
            "spoilt": np.array(spoilt, np.float32),
            "flipped": np.array(flipped, np.float32),
        }


def as_found(
    rng: np.random.Generator, views: HandViews, size_px: int, *, spoilt: bool
) -> tuple[UInt8[np.ndarray, "n s s 3"], Bool[np.ndarray, "n"]]:
    """One crop of each hand as a detector would cut it, and whether it can be judged.

    Args:
        rng: Of the detector's errors and the degradations.
        views: The hands.
        size_px: Side of a crop.
        spoilt: Degrade each, by a random strength.
    """
    strengths = rng.random(len(views)) if spoilt else np.zeros(len(views))
    crops: list[np.ndarray] = []
    for k, strength in enumerate(strengths):
        way = _jitter(rng, size_px, _AS_DETECTED, flipped=False)
        crop = _cropped(views.pixels[k], way, size_px)
        crops.append(
            corrupted(rng, crop, str(rng.choice(_DEGRADATIONS)), float(strength)) if strength else crop
        )
    return np.stack(crops), assessable(views, strengths, PARAMS.unassessable_from)


def _cropped(pixels: UInt8[np.ndarray, "v v 3"], way: Float[np.ndarray, "2 3"], size_px: int) -> np.ndarray:
    return cv2.warpAffine(pixels, to_opencv_affine(way), (size_px, size_px), borderValue=(GREY, GREY, GREY))


def _jitter(
    rng: np.random.Generator, size_px: int, spread: _Spread, flipped: bool
) -> Float[np.ndarray, "2 3"]:
    """From a view to a crop: another size, turn and place, mirrored or not."""
    context = CONTEXT * math.exp(spread.growth * float(np.clip(rng.standard_normal(), -2, 2)))
    anyhow = rng.random() < spread.any_turn
    turn = rng.uniform(-math.pi, math.pi) if anyhow else spread.turn_rad * rng.standard_normal()
    scale = size_px * ROOM / (context * SIDE_PX)
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    linear = np.array([[c, -s], [s, c]]) @ np.diag([-1.0 if flipped else 1.0, 1.0])
    middle = size_px * (0.5 + spread.shift * rng.standard_normal(2))
    return np.column_stack([linear, middle - linear @ np.full(2, SIDE_PX / 2)])


def _relit(rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """Another exposure, contrast and white balance; now and then no colour, or a shadow's edge."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma, gain = (
        math.exp(0.25 * rng.standard_normal()),
        np.exp(0.12 * rng.standard_normal() + 0.07 * rng.standard_normal(3)),
    )
    table = np.clip(255 * levels[:, None] ** gamma * gain + 0.5, 0, 255).astype(np.uint8)
    out = np.stack([cv2.LUT(pixels[..., k], table[:, k]) for k in range(3)], -1)
    if rng.random() < PARAMS.grey_share:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < PARAMS.shadow_share:
        out = _shadowed(rng, out)
    return out


def _shadowed(rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """One side of a line is darker."""
    side = pixels.shape[0]
    angle, offset = rng.uniform(0, 2 * math.pi), rng.uniform(-0.3, 0.3)
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    beyond = np.clip((columns * math.cos(angle) + rows * math.sin(angle) - offset) / 0.06, 0, 1)
    shade = 1 - (1 - rng.uniform(0.35, 0.8)) * beyond
    return np.clip(pixels * shade[..., None] + 0.5, 0, 255).astype(np.uint8)
