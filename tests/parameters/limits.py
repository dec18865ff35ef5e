"""Decisions on one analysed hand, of which one property at a time grows past its limit; as in ``ramps``."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from handwright.data.hands import render_defects
from handwright.drawing.geometry.occluders import (
    OccluderParams,
    _is_overexposed_skin,  # pyright: ignore[reportPrivateUsage]
    occluder_mask,
)
from handwright.perception import segment
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect import arms
from handwright.perception.detect.search import SearchParams, detect_large_hands
from handwright.perception.detect.views import View
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.fit.outline import fit_outline
from handwright.refine import pose_hypotheses
from handwright.refine.compositing import blend
from handwright.refine.detached.gap import (
    Gap,
    Section,
    _arm,  # pyright: ignore[reportPrivateUsage]
    _covers,  # pyright: ignore[reportPrivateUsage]
    _is_waist,  # pyright: ignore[reportPrivateUsage]
    gap_to_arm,
)
from handwright.refine.painters import PaintResult
from handwright.refine.settings import RefineSettings
from handwright.review.checks import assessability, finger_count
from handwright.types import Image
from tests.drawn import flat_hand, shoot
from tests.parameters.ramps import SHARES, Crops
from tests.perception.hands import hand, person
from tests.refine.conftest import job_of
from tests.refine.conftest import task_of as planned
from tests.refine.test_detached import GAP_TO_ARM, GAP_TO_SLEEVE, task_of
from tests.review.predictions import prediction


class Changed:
    """A value with some of its attributes changed."""

    def __init__(self, value: Any, **changes: Any):
        self._value, self.__dict__ = value, {"_value": value, **changes}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)


@cache
def analysed() -> HandAnalysis:
    shot = shoot()
    return analyse_hand(Image(shot.pixels), shot.observation())


def hands_hard_to_judge() -> Any:
    """Reasons not to judge hands that fit ever worse, have ever less texture, or another colour."""
    one, found = analysed(), []
    rng = np.random.default_rng(0)
    colourful = rng.integers(0, 255, one.crop.shape, np.uint8)
    for share in SHARES:
        found.append(assessability.reasons_not_assessable(Changed(one, misfit=np.full(5, 0.035 * share))))
        textured = rng.random(one.crop.shape[:2]) < share**2 / 8
        smooth = np.indices(one.crop.shape[:2]).sum(0)[..., None] / 3 + (90, 60, 40)
        crop = np.where(textured[..., None], rng.integers(0, 255, one.crop.shape), smooth).clip(0, 255)
        crop = crop.astype(np.uint8)
        found.append(assessability.reasons_not_assessable(Changed(one, crop=crop)))
        for hue in (0.5, np.pi):
            lab = np.array([150, 128 + 10 * share * np.cos(hue), 128 + 10 * share * np.sin(hue)])
            changed = Changed(one, region=Changed(one.region, skin_lab=lab), crop=colourful)
            found.append(assessability.unlike_skin(changed))
    return found


def fingers_bare_and_covered() -> Any:
    """Fingers that are seen and that are missing where ever less skin is under them, or things cover them."""
    one, found = analysed(), []
    for share in SHARES:
        bare, covered, away = np.full(5, share / 2), share / 5, share / 5
        for changes in (
            {"bare_share": bare},
            {"bare_share": np.ones(5), "covered_share": covered},
            {"bare_share": np.ones(5), "_tip_away": away},
        ):
            answers = {"covered_share": 0.0, "_tip_away": 1.0, **changes}
            stubs = {name: (lambda *_, value=value: value) for name, value in answers.items()}
            with patch.multiple(finger_count, **stubs):
                found.append(finger_count.missing_fingers(one))
                found.append(finger_count.visible_fingers(one))
    return found


def bright_parts() -> Any:
    """Whether a part of a hand is overexposed skin: ever brighter, larger, and with an ever harder edge."""
    found, hand_px = [], 100.0
    rows, columns = np.mgrid[:80, :80]
    away = np.hypot(columns - 40, rows - 40)
    region = analysed().region
    for share in SHARES:
        for light, radius, step in ((1.04 * share, 15, 5.0), (1.2, 15 * share, 5.0), (1.2, 15, 22 * share)):
            part = away < radius
            lab = np.broadcast_to(region.skin_lab, (80, 80, 3)).copy()
            lab[part] *= (light, 1, 1)
            ring = (away < radius + 6 * share) & ~part
            lab[ring] = lab[part][0] - (0, step, 0) if part.any() else 0
            changed = replace(region, inside=np.ones((80, 80), np.bool_))
            given = lab.clip(0, 255).astype(np.uint8), part, changed, hand_px, OccluderParams()
            found.append(_is_overexposed_skin(*given))
    everywhere = np.ones((200, 200), np.bool_)
    seen, picture = hand(30, 30, size=140), np.full((200, 200, 3), (40, 60, 160), np.uint8)
    rows, columns = np.mgrid[:200, :200]
    for aside in range(60):  # a thing that leaves the bones
        thing = np.hypot(columns - seen.landmarks_px[9, 0] - aside, rows - seen.landmarks_px[9, 1]) < 16
        own = replace(region, inside=~thing)
        reach_m = np.full((200, 200), 0.1)
        found.append(occluder_mask(picture, everywhere, reach_m, own, thing, seen.landmarks_px))
    thing = np.hypot(columns - seen.landmarks_px[9, 0], rows - seen.landmarks_px[9, 1]) < 16
    for share in SHARES:  # the critic takes it for the hand
        probability = np.full((200, 200), 0.75 * share, np.float32)
        own = replace(region, inside=~thing, probability=probability)
        found.append(occluder_mask(picture, everywhere, reach_m, own, thing, seen.landmarks_px))
    return found


def light_of_paint() -> Any:
    """Paint ever darker than the old skin, on ever fewer pixels; with a colour cast, on a small hand, too."""
    found, pixels = [], np.full((40, 40, 3), 120.0, np.float32)
    shot = shoot(flat_hand(curl=0.15))
    task = planned(shot, RefineSettings())
    shrunk = replace(task.observation, landmarks_px=0.4 * task.observation.landmarks_px)
    for each in (task, replace(task, observation=shrunk)):
        job = job_of(shot, each)
        cast = np.clip(job.crop + np.array([9.0, 6.0, 0.0]), 0, 255)
        alpha = blend.rim(job.repair_mask, job.hand_px)
        found.append(blend.composite_paint(job, PaintResult(cast, alpha))[0].astype(float))
    skin = np.ones((40, 40), np.bool_)
    for share in SHARES:
        dark = np.clip(pixels * share**3 / 2, 0, 255).astype(np.float32)
        crop = np.full((40, 40, 3), 120, np.uint8)
        found.append(blend._as_light_as(dark, skin, crop, skin, 30.0))  # pyright: ignore[reportPrivateUsage]
        few = np.zeros((40, 40), np.bool_)
        few.flat[: round(40 * share)] = True
        found.append(blend._as_light_as(pixels / 2, few, crop, few, 30.0))  # pyright: ignore[reportPrivateUsage]
    return found


def fingers_of_the_critic() -> Any:
    """Joints that count where the critic is ever surer of a finger, and of a defect ever farther away."""
    one, found = hand(100, 100), []
    for share in SHARES:
        seen = replace(prediction(), landmarks_px=one.landmarks_px, visible=np.full(21, min(share / 2, 1.0)))
        unsure = Changed(seen, present=dict.fromkeys(("index", "thumb"), share / 2))
        found.append(pose_hypotheses._by_critic(one, unsure)[1])  # pyright: ignore[reportPrivateUsage]
        place = (150.0 + 100 * share, 100.0)
        wrong = replace(prediction(defects={"too_long": 0.9}), where_px={"too_long": place})
        found.append(pose_hypotheses._without_wrong_finger(one, wrong))  # pyright: ignore[reportPrivateUsage]
    return found


def skin_under_bones() -> Any:
    """The skin's colour where ever more of what lies on the bones is not skin, and on ever fewer pixels."""
    skin, paper, paint = (200, 150, 125), (235, 235, 235), (60, 90, 200)
    found = []
    for share in np.linspace(0, 1, 41):
        for other in (paper, paint):
            picture = np.full((40, 40, 3), skin, np.uint8)
            picture[:, : round(40 * share)] = other
            found.append(segment._skin_model(picture, np.ones((40, 40), np.bool_)))  # pyright: ignore[reportPrivateUsage]
        few = np.zeros((40, 40), np.bool_)
        few.flat[: round(80 * share)] = True
        picture[:] = paint
        picture[few] = skin
        found.append(segment._skin_model(picture, few))  # pyright: ignore[reportPrivateUsage]
        tint = np.clip(np.array(skin) * (1 - share / 2, 1, 1 + share / 2), 0, 255)
        mixed = np.full((40, 40, 3), skin, np.uint8)
        mixed[:26] = tint
        found.append(segment._skin_model(mixed, np.ones((40, 40), np.bool_)))  # pyright: ignore[reportPrivateUsage]
    for colours in range(1, 24):  # ever more colours beside one that is the commonest
        many = np.random.default_rng(1).integers(0, 255, (colours, 3), np.uint8)
        picture = many[np.random.default_rng(2).integers(0, colours, (40, 40))]
        picture[:, :3] = skin
        found.append(segment._skin_model(picture, np.ones((40, 40), np.bool_)))  # pyright: ignore[reportPrivateUsage]
    return found


def arms_ever_smaller() -> Any:
    """Gaps to arms of which ever less is in sight, lengthwise and across."""
    found = []
    for index in (GAP_TO_ARM, GAP_TO_SLEEVE):
        made = render_defects(645000, index, 256, defect="detached")
        task, landmarks = task_of(made), np.asarray(made.hands[0].keypoints_px)
        away = landmarks[0] - landmarks[9]
        span = float(np.linalg.norm(away))
        rows, columns = np.mgrid[:256, :256]
        along = ((columns - landmarks[0, 0]) * away[0] + (rows - landmarks[0, 1]) * away[1]) / span**2
        across = ((columns - landmarks[0, 0]) * -away[1] + (rows - landmarks[0, 1]) * away[0]) / span**2
        wall = np.median(made.pixels[:8].reshape(-1, 3), 0).astype(np.uint8)
        for share in np.linspace(0.1, 1.2, 12):
            for gone in (along > 0.3 + share, (along > 0.3) & (np.abs(across) > 0.5 * share)):
                gap = gap_to_arm(np.where(gone[..., None], wall, made.pixels).astype(np.uint8), task)
                found.append(None if gap is None else (gap.start.ends, gap.end.ends))
    for area in range(1, 120):  # of an arm that the picture cuts
        pieces = np.zeros((60, 60), np.int64)
        pieces[60 - area // 10 - 1 :, :10] = 1
        there = np.ones(4, np.bool_)
        arm = _arm(
            pieces, np.zeros((60, 60), np.bool_), np.array([5.0, 20.0]), np.array([0.0, 1.0]), 60.0, there
        )
        found.append(arm is not None)
    cut = Section(np.array([[10.0, 50.0], [10.0, 20.0]]), np.zeros((48, 3), np.float32))
    for share in np.linspace(0, 1, 41):
        for before, behind in ((share, 1.0), (0.0, share)):  # of the arm's width that a sleeve hides
            sleeve = np.zeros((70, 120), np.bool_)
            sleeve[20 : 20 + round(30 * before), :45] = sleeve[20 : 20 + round(30 * behind), 60:] = True
            wide = Section(cut.ends * (1, 2 * share), cut.colours)
            found.append(_is_waist(Gap(start=wide, end=wide, hand=sleeve, arm=sleeve), 20.0))
            found.append(_covers(sleeve, cut, np.array([1.0, 0.0]), np.arange(100.0), 50.0, 100.0))
    return found


def hands_at_arms() -> Any:
    """Hands at the ends of arms by the presence and disagreement of their crops."""
    found, pixels = [], np.zeros((400, 400, 3), np.uint8)
    original = View.landmarks_in_crop
    try:
        for share in SHARES:
            for crops in (Crops(share / 2), Crops(1.0, share / 5)):
                View.landmarks_in_crop = lambda view, pixels, landmarker, crops=crops: crops(view)
                found.append(arms.hands_at_arm_ends(pixels, [], [person(left=(100, 100))], None))
    finally:
        View.landmarks_in_crop = original
    return found


def large_hands() -> Any:
    """Large hands that are found by one detection, by presence and by the picture's size."""
    found = []
    original = View.landmarks_in_crop, View.detect
    landmarker = SimpleNamespace(people=lambda _: [])
    try:
        for share in SHARES:
            one = hand(20, 20, size=200)
            View.detect = lambda *_, one=one: [one]
            crops = Crops(share / 2, there=200.0)
            View.landmarks_in_crop = lambda view, pixels, landmarker, crops=crops: crops(view)
            picture = np.zeros((300, 300, 3), np.uint8)
            found.append(detect_large_hands(picture, landmarker, SearchParams(), lambda one=one: [one], list))
            found.append(SearchParams().within(round(2000 * share)))
    finally:
        View.landmarks_in_crop, View.detect = original
    return found


def outlines_and_close_ups() -> Any:
    """Outlines of hands of which ever less is segmented."""
    one, found = analysed(), []
    window = (0, 0, *one.picture_px)
    for rows in range(0, one.region.inside.shape[0], 3):
        inside = one.region.inside.copy()
        inside[: len(inside) - rows] = False
        seen = replace(one.region, inside=inside)
        found.append(fit_outline(one.observation, one.fit, seen, window).hand.shape)
    return found


def hands_before_the_lens() -> Any:
    """Fits of hands that are ever larger than the picture."""
    return [
        fit_hand(hand(-10 * size, -10 * size, size=40 * size), 64, 64) for size in (1, 3, 9, 27, 60, 90, 120)
    ]


LIMITS = {
    "drawing.geometry.occluders.OccluderParams": bright_parts,
    "perception.detect.arms.ArmParams": hands_at_arms,
    "perception.detect.search.SearchParams": large_hands,
    "perception.fit.hand_fit.FitParams": hands_before_the_lens,
    "perception.fit.outline.OutlineParams": outlines_and_close_ups,
    "perception.segment.SegmentParams": skin_under_bones,
    "refine.compositing.blend.BlendParams": light_of_paint,
    "refine.detached.gap.GapParams": arms_ever_smaller,
    "refine.pose_hypotheses.HypothesisParams": fingers_of_the_critic,
    "review.checks.assessability.AssessabilityParams": hands_hard_to_judge,
    "review.checks.finger_count.FingerCountParams": fingers_bare_and_covered,
}
"""By the class whose numbers are read."""
