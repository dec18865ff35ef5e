"""Functions called along a ramp: one quantity grows from far below a limit to far beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from handwright.drawing.fill.background import background_sources
from handwright.drawing.fill.pyramid import build_pyramid
from handwright.drawing.geometry.wrist_alignment import align_wrist
from handwright.hand.skeleton import palm_span_px, skeleton_masks
from handwright.hand.skin_colour import not_skin
from handwright.perception.detect import arms
from handwright.perception.detect.confirm import (
    classify_candidate,
    confirm_by_crops,
    confirm_candidates,
    detect_in_box,
)
from handwright.perception.detect.views import View
from handwright.refine.acceptance import CandidateScores, CriticScore, OriginalScores, rejection_reasons
from handwright.refine.compositing.picture_fit import Aspect, PictureFit
from handwright.review.checks import assessability
from handwright.review.checks.finger_count import is_finger, may_be_finger
from handwright.review.checks.unexplained_skin import Outgrowth
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals import network as proposals
from handwright.review.proposals.network import Proposal
from tests.drawing.geometry import test_occluders
from tests.drawing.geometry.test_wrist_alignment import REACH, arm, points
from tests.drawn import region_of, shoot
from tests.perception.hands import FLAT, hand

SHARES = np.linspace(0.05, 2, 40)
"""Multiples of a usual value."""


def skin_coloured_walls() -> Any:
    """Sources of background where ever more of the wall has the skin's own colour and touches the hand."""
    shot = shoot()
    old = cv2.dilate(shot.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    skin = np.median(shot.pixels[shot.silhouette], 0).astype(np.uint8)
    found = []
    for rows in range(0, len(old) + 1, 6):
        pixels = shot.pixels.copy()
        pixels[:rows][~old[:rows]] = skin
        found.append(background_sources(pixels, old, shot.region).sum())
    return found


def scarce_sources() -> Any:
    """Levels of pyramids whose sources are ever fewer, beside ever larger holes."""
    levels = []
    for side in (20, 40, 90, 160):
        picture = np.indices((side, side)).sum(0)[..., None].repeat(3, 2).astype(np.float32)
        for share in np.linspace(0.02, 0.98, 33):
            hole = np.zeros((side, side), np.bool_)
            hole[:, round(share * side) :] = True
            levels.append([len(level.targets) for level in build_pyramid(picture, hole, ~hole)])
            spot = np.zeros((side, side), np.bool_)
            spot[2:8, 2:8] = True
            levels.append(len(build_pyramid(picture, spot, ~hole & ~spot)))
    return levels


def things_before_hands() -> Any:
    """Bars ever wider, discs beside fingers, and plates ever brighter, before a drawn hand."""
    shot, found = shoot(), []
    size = shot.silhouette.shape[0]
    rows, columns = np.mgrid[:size, : shot.silhouette.shape[1]]
    for half in (2, 3, 4, 6, 9, 12, 15):
        for wall in (False, True):
            pixels = shot.pixels.copy()
            covered = test_occluders.bar(shot, half)
            pixels[covered] = test_occluders.PEN
            if wall:
                pixels[: size // 6] = test_occluders.PEN
            found.append(test_occluders.in_front(shot, pixels, covered))
    for aside in (-0.1, 0.0, 0.1):
        for tip in (8, 12, 16):
            x, y = shot.landmarks_px[tip] + (aside * shot.hand_px, 0)
            covered = np.hypot(columns - x, rows - y) < 0.06 * shot.hand_px
            pixels = np.where(covered[..., None], np.array(test_occluders.PEN, np.uint8), shot.pixels)
            found.append(test_occluders.in_front(shot, pixels, covered & shot.silhouette))
    x, y = shot.landmarks_px[[0, 5, 9, 13, 17]].mean(0)
    skin = shot.pixels[shot.silhouette].astype(float).mean(0)
    for gain in (1.1, 1.3, 1.5):
        for radius in (0.05, 0.1):
            for soft in (0.5, 6.0):
                inside = cv2.GaussianBlur(
                    (np.hypot(columns - x, rows - y) < radius * shot.hand_px).astype(np.float32), (0, 0), soft
                )[..., None]
                bright = np.clip(skin * gain * (1.02, 1.0, 0.6), 0, 255)
                pixels = (shot.pixels * (1 - inside) + bright * inside).astype(np.uint8)
                strange = not_skin(pixels, region_of(pixels, shot.silhouette, shot.landmarks_px))
                found.append(test_occluders.in_front(shot, pixels, strange & shot.silhouette))
    return [each.sum() for each in found]


def foreshortened_wrists() -> Any:
    """Wrists of hands that point ever more towards the camera, and arms ever farther aside."""
    moved = []
    for share in np.linspace(0.1, 1, 46):
        before = points()
        before[:, 1] = 220 + share * (before[:, 1] - 220)
        moved.append(align_wrist(before, REACH, arm(114, 190)))
    moved += [align_wrist(points(), REACH, arm(114 + aside, 190 + aside)) for aside in range(-60, 61, 2)]
    return moved


def tiny_hands() -> Any:
    """Spans of hands of 1 to 30 px."""
    return [(palm_span_px(size * FLAT), *skeleton_masks(size * FLAT, 40, 40)) for size in range(1, 31)]


class Crops:
    """A landmark network that is ever surer of a hand, whose mirrored crop shows it ever farther aside."""

    def __init__(
        self, presence: float, apart: float = 0.0, there: float | None = 100.0, first: float | None = None
    ):
        self.presence, self.apart, self.there, self.first = presence, apart, there, first

    def __call__(self, view: View) -> Any:
        size = self.there or view.side_px / 2
        aside = self.apart * size * view.mirrored
        presence, self.first = self.presence if self.first is None else self.first, None
        return presence, hand(100 + aside, 100, size=size)


def by_crops(pixels: np.ndarray, one: Any) -> Any:
    """The landmark network's answer alone, with limits of 0.5 and 0.2."""
    return confirm_by_crops(pixels, one, None, min_presence=0.5, max_disagreement=0.2)


def crops_of_candidates() -> Any:
    """What close-ups of doubtful candidates confirm, by presence, disagreement and size."""
    found, pixels = [], np.zeros((300, 300, 3), np.uint8)
    original = View.landmarks_in_crop, View.detect
    try:
        for share in SHARES:
            for crops in (
                Crops(share / 2),
                Crops(1.0, share / 5),
                Crops(1.0, 0.0, 40 * share),
                Crops(1.0, first=share / 4),
                Crops(1.0, there=None),
            ):
                View.landmarks_in_crop = lambda view, pixels, landmarker, crops=crops: crops(view)
                View.detect = lambda view, pixels, landmarker, options, by, crops=crops: [crops(view)[1]]
                one = hand(100, 100, size=crops.there or 100.0)
                found += [by_crops(pixels, one), classify_candidate(pixels, one, None)]
                box = (150 - 60 * share, 150 - 60 * share, 150 + 60 * share, 150 + 60 * share)
                found += [confirm_candidates(pixels, [one], None), detect_in_box(pixels, box, None)]
                View.detect = lambda *_: []
                found += [confirm_candidates(pixels, [one], None), detect_in_box(pixels, box, None)]
    finally:
        View.landmarks_in_crop, View.detect = original
    return found


def people_in_large_pictures() -> Any:
    """Views in which people are searched for, by the picture's size."""
    return [arms.views_of_people(size, size // 2) for size in range(200, 4000, 100)]


def scores_of_candidates() -> Any:
    """Why candidates are rejected whose scores get worse and worse."""
    plain = PictureFit(**{name: Aspect(0.0, 1.0) for name in ("sharpness", "grain", "colour", "seam")})
    square, reasons = OrientedSquare((50.0, 50.0), 40.0, 0.0), []
    for share in SHARES:
        critic = CriticScore(0.15 * share, failed=False)
        for original in (
            OriginalScores(
                found=True, joint_error=0.02, region=square, critic=CriticScore(0.1, failed=False)
            ),
            OriginalScores(
                found=True,
                joint_error=0.1,
                region=square,
                critic=CriticScore(0.3, failed=True),
                critic_failed=True,
            ),
            OriginalScores(
                found=True,
                joint_error=0.1,
                region=square,
                critic=CriticScore(0.3, failed=True),
                critic_failed=True,
                hands_named=True,
            ),
        ):
            for changes in ({"joint_error": 0.15 * share}, {"lost": share / 2}, {"critic": critic}):
                scores = {"found": True, "joint_error": 0.0, "side": "right", "fit": plain, **changes}
                reasons.append(rejection_reasons(original, CandidateScores(**scores)))
    return reasons


def outgrowths_like_fingers() -> Any:
    """Whether skin outside the hand is a finger, of which one measure at a time grows."""
    usual = {"length": 0.6, "width": 0.2, "root": 0.2, "solidity": 0.95, "tip_gap": 0.6, "unlike_skin": 0.5}
    found = []
    for width in (0.14, 0.2):
        for name, value in usual.items():
            for share in np.linspace(0.05, 8, 160):
                piece = Outgrowth(
                    inside=np.ones((2, 2), np.bool_),
                    at_border=False,
                    **{**usual, "width": width, name: min(share * value, 1.0 if name == "solidity" else 9.0)},
                )
                found.append((is_finger(piece), may_be_finger(piece)))
        for solidity in np.linspace(0.4, 1, 61):
            for broad in np.linspace(0.1, 0.3, 21):
                piece = Outgrowth(
                    inside=np.ones((2, 2), np.bool_),
                    at_border=False,
                    **{**usual, "width": broad, "solidity": solidity},
                )
                found.append((is_finger(piece), may_be_finger(piece)))
    return found


def colours_of_hands() -> Any:
    """Whether the middle of a hand has no colour, or is drawn with a few."""
    square, found = OrientedSquare((100.0, 100.0), 180.0, 0.0), []
    rng = np.random.default_rng(0)
    for spread in range(20):
        pixels = np.full((200, 200, 3), 120, np.uint8)
        pixels[..., 0] += np.uint8(spread)
        found.append(assessability.is_colourless(pixels, square))
    for colours in range(1, 12):
        few = rng.integers(0, colours, (200, 200, 1)) * 20
        for noise in np.linspace(0, 1, 11):
            noisy = rng.random((200, 200, 1)) < noise
            pixels = np.where(noisy, rng.integers(0, 255, (200, 200, 3)), few).astype(np.uint8)
            found.append(assessability.is_drawn(pixels, square))
            split = pixels.copy()
            split[:, ::2] = rng.integers(
                0, 255, (200, 100, 3)
            )  # every second column: what is sampled decides
            found.append(assessability.is_drawn(split, square))
    return found


def proposals_near_each_other() -> Any:
    """Proposals that move apart, tiles of ever larger pictures, hands that fill or leave a tile."""
    here = Proposal(OrientedSquare((100.0, 100.0), 60.0, 0.0), 0.9)
    apart = [
        replace(here, region=replace(here.region, center_px=(100.0 + away, 100.0)), score=0.8)
        for away in range(80)
    ]
    found: list[Any] = [len(proposals.distinct([here, one])) for one in apart]
    found += [proposals.views(side, side, 256) for side in range(100, 3000, 100)]
    tile = proposals.views(2000, 2000, 256)[-1]
    for share in SHARES:
        inside = replace(here, region=OrientedSquare((1500.0, 1500.0), share * tile.side_px, 0.0))
        found.append(proposals.lies_within(inside, tile, 2000, 2000))
        x0, y0, _, _ = tile.box_px
        at_edge = replace(here, region=OrientedSquare((x0 + 60.0 * share, y0 + 300.0), 120.0, 0.0))
        found.append(proposals.lies_within(at_edge, tile, 2000, 2000))
    return found


RAMPS = {
    "drawing.fill.background.BackgroundParams": skin_coloured_walls,
    "drawing.fill.pyramid.PyramidParams": scarce_sources,
    "drawing.geometry.occluders.OccluderParams": things_before_hands,
    "drawing.geometry.wrist_alignment.WristParams": foreshortened_wrists,
    "hand.skeleton.SkeletonParams": tiny_hands,
    "perception.detect.arms.ArmParams": people_in_large_pictures,
    "perception.detect.confirm.ConfirmParams": crops_of_candidates,
    "refine.acceptance.AcceptanceParams": scores_of_candidates,
    "review.checks.assessability.AssessabilityParams": colours_of_hands,
    "review.checks.finger_count.FingerCountParams": outgrowths_like_fingers,
    "review.proposals.network.ProposalParams": proposals_near_each_other,
}
"""By the class whose numbers are read."""
