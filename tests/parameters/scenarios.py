"""What is computed where no golden picture leads: more hands to record, and functions to call as they are."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np

import tests.conftest  # noqa: F401  lets tests import the scripts
from handwright.data.hands import render_defects
from handwright.drawing.photo.detail import match_detail
from handwright.errors import NotEnoughDataError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import InpaintRequest, InpaintResult
from handwright.perception.body import estimate
from handwright.perception.body.network import FoundBody
from handwright.perception.detect import views
from handwright.perception.detect.landmarker import Person
from handwright.perception.fit import _solver, hand_fit
from handwright.perception.fit.hand_fit import HandFit, fit_hand
from handwright.perception.fit.landmark_weights import bunched_finger_weights, misfit_finger_weights
from handwright.refine.pose_hypotheses import other_hypotheses
from handwright.reproduce.painted import texture_energy
from handwright.review.checks import arms
from handwright.review.critic import recalibration
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.proposal_windows import WindowStream
from handwright.workflow.report import evidence
from tests.drawing.geometry import test_occluders
from tests.drawn import shoot
from tests.perception.body.test_body import turned_face
from tests.perception.fit.test_landmark_weights import flat_hand, observe
from tests.perception.hands import hand, person
from tests.refine.test_detached import ASIDE, GAP_TO_ARM, GAP_TO_BORDER, GAP_TO_SLEEVE, task_of
from tests.review.critic.test_recalibration import shifted
from tests.review.predictions import calibration, prediction
from tests.training import drawn_views
from tests.training.recipes.judging.test_proposals import drawn_pictures, hand_at

TWO = np.ones(2, np.bool_)


def record_other_hands() -> None:
    """Hands as no golden picture has them: off their arms, behind things, before walls like skin."""
    for index in (GAP_TO_ARM, GAP_TO_BORDER, GAP_TO_SLEEVE, ASIDE):
        made = render_defects(645000, index, 256, defect="detached")
        other_hypotheses(made.pixels, task_of(made), None, prediction(defects={"detached": 0.9}))
    shot = shoot()
    covered = test_occluders.bar(shot)
    for half in (5, 6, 9):
        covered = test_occluders.bar(shot, half)
        pixels = np.where(covered[..., None], np.array(test_occluders.PEN, np.uint8), shot.pixels)
        test_occluders.in_front(shot, pixels, covered)
    for sharp in (False, True):
        pixels, bright = test_occluders.lit(shot, sharp)
        test_occluders.in_front(shot, pixels, bright)


def body() -> Any:
    """A person with head, arms and feet, assembled from known joints, and faces ever further turned away."""
    joints, depth, _ = turned_face()
    reach = person(left=(200, 200))
    known = (reach.visibility > 0)[:, None]
    points = np.where(known, reach.points_px, joints)
    points[25:33] = [
        [180, 300],
        [220, 300],
        [180, 400],
        [220, 400],
        [175, 405],
        [225, 405],
        [190, 420],
        [215, 420],
    ]
    depth[25:33] = np.linspace(-20, 40, 8)
    mask = np.linspace(0, 1, 450 * 600, dtype=np.float32).reshape(450, 600)
    found = FoundBody(Person(points, np.ones(33)), depth, mask)
    apart = [hand(200 + away, 200) for away in range(10, 250, 8)]
    with patch.object(estimate, "BodyNetwork", lambda _: lambda _pixels: [found]):
        estimator = estimate.BodyEstimator(landmarker=object(), model=Path("model"))
        pixels = np.zeros((450, 600, 3), np.uint8)
        (assembled,) = estimator(pixels, [hand(200, 200)])
        near = [bool(estimate.hands_of_bodies([found.person], [one], 600, 450)[0]) for one in apart]
    return assembled.pose.points_px, assembled.mask, near


def faces() -> Any:
    """Nine points of faces that turn away step by step, not quite where a rigid face would have them."""
    rng = np.random.default_rng(3)
    made = []
    for yaw in np.linspace(0, np.pi, 13):
        joints, depth, _ = turned_face(float(yaw))
        made.append(estimate.face_points(joints + rng.normal(0, 3, joints.shape), depth, np.ones(33)))
    return made


def texture() -> Any:
    """Detail on a smooth disc with a step across it, at discs of four sizes."""
    rng = np.random.default_rng(0)
    picture = rng.uniform(0, 255, (64, 64, 3)).astype(np.float32)
    energies = []
    for radius in range(2, 30):
        control = np.zeros((64, 64), np.uint8)
        cv2.circle(control, (32, 32), radius, 60, -1)
        for x, step in ((26, 18), (33, 25), (38, 35), (41, 45)):
            control[:, x:][control[:, x:] > 0] = control[:, x:][control[:, x:] > 0] + np.uint8(step)
        request = InpaintRequest(
            picture=picture.astype(np.uint8),
            mask=np.ones((64, 64), np.bool_),
            control=control,
            landmarks_px=np.zeros((1, 21, 2)),
            settings=DiffusionSettings(),
            strength=1.0,
            seed=0,
        )
        energies.append(texture_energy(request, InpaintResult(picture)))
    return energies


def recalibrations() -> Any:
    """Calibrations on few and on many labelled hands."""
    rng, made = np.random.default_rng(5), []
    for count in (18, 24, 220, 300, 380):
        hands = shifted(rng, count, by=1.0)
        try:
            usable = recalibration.assessable_hands(hands)
        except NotEnoughDataError as refused:
            made.append(str(refused))
            continue
        made += [
            recalibration.recalibrate(calibration(), usable),
            recalibration.cross_validated_trial(calibration(), usable),
        ]
    return made


def critic_batch() -> Any:
    """A batch of drawn hands, with places where no hand is."""
    hands = drawn_views.views(16, handless=True)
    hands = replace(hands, judged=np.ones(len(hands), np.bool_), seen=np.arange(len(hands)) % 22)
    drawn = ViewStream(hands, 64, 0.5, 0.3).draw(np.random.default_rng(0), 300)
    return [
        value.astype(float).reshape(len(value), -1).std(1) + value.reshape(len(value), -1)[:, 0]
        for value in drawn.values()
    ]


def windows() -> Any:
    """Windows of the proposal network's training on drawn pictures."""
    pictures, small = [*drawn_pictures(), *drawn_pictures(complete=False)], hand_at(54, 54, 4, 0)
    beside = [replace(one, hands=np.stack([one.hands[0], small]), directed=TWO, seen=TWO) for one in pictures]
    alone = [replace(one, hands=hand_at(48, 48, 12, 1)[None]) for one in pictures]
    stream, rng = WindowStream([*pictures, *beside, *alone], 64), np.random.default_rng(0)
    return [stream.draw(rng) for _ in range(120)]


def detections_of_one_hand() -> Any:
    """Pairs of detections that lie ever farther apart, turn, shrink, and stand within each other."""
    one = hand(100, 100)
    others = [hand(100 + away, 100) for away in range(0, 60, 2)]
    others += [hand(110, 100, turn=turn) for turn in np.linspace(0, np.pi, 40)]
    others += [hand(150 - size / 2, 150 - size / 2, size=size) for size in range(30, 100, 2)]
    others += [hand(100 + away, 160, size=30) for away in range(0, 60, 2)]
    others += [hand(100, 100, turn=turn, size=size) for turn in (0.4, 0.8) for size in range(60, 100, 2)]
    return [(views.same_hand(one, other), views.near_known_hand(one, [other])) for other in others]


def implausible_fingers() -> Any:
    """Weights of a hand whose middle finger shrinks, beside a bent ring finger or the thumb."""
    open_hand, weights = observe(flat_hand()), []
    for share in np.linspace(0.05, 1, 40):
        points = open_hand.landmarks_px.copy()
        points[10:13] = points[9] + share * (points[10:13] - points[9])
        for moved in (None, 4, 14, 18):
            near = points.copy()
            if moved == 4:
                near[4] = points[12] + share * (points[4] - points[12])
            elif moved is not None:
                near[moved + 1 : moved + 3] += (0.0, 80 * share)
                near[moved : moved + 3] = near[13] + (1.3 - share) * (near[moved : moved + 3] - near[13])
            weights.append(bunched_finger_weights(replace(open_hand, landmarks_px=near)))
        for noise in (0.0, 4.0, 12.0):
            reached = open_hand.landmarks_px + noise * np.linspace(-1, 1, 21)[:, None]
            fit = HandFit(hand=flat_hand(), landmarks_px=reached, residual=0.0, landmark_weights=np.ones(21))
            weights.append(misfit_finger_weights(replace(open_hand, landmarks_px=points), fit))
    return weights


def solver() -> Any:
    """A fit of a hand with two fingers in one place; its kernels run in plain Python with today's numbers."""
    numbers = _solver._P  # pyright: ignore[reportPrivateUsage]
    source = Path(_solver.__file__).read_text("utf-8")
    constants: dict[str, Any] = {}
    for names, values in re.findall(r"^((?:_[A-Z_]+, )*_[A-Z_]+) = ((?:_P\.\w+, )*_P\.\w+)$", source, re.M):
        for name, value in zip(names.split(", "), values.split(", "), strict=True):
            constants[name] = getattr(numbers, value.removeprefix("_P."))
    kernels = {name: value.py_func for name, value in vars(_solver).items() if hasattr(value, "py_func")}
    seen = observe(flat_hand(index=0.5))
    points = seen.landmarks_px.copy()
    points[9:13] = points[5:9] + np.array([2.0, 0.0])
    one_start = replace(hand_fit.PARAMS, curls_deg=hand_fit.PARAMS.curls_deg[:1])
    with patch.multiple(_solver, **constants, **kernels), patch.object(hand_fit, "PARAMS", one_start):
        far = [
            _solver._take_step(np.zeros(37), np.eye(3), np.full(37, size)) for size in (0.4, 0.6, 0.9, 1.2)
        ]
        ends = [_solver._converged(gain, 1.0, 10) for gain in np.geomspace(1e-5, 1e-2, 60)]
        return far, ends, fit_hand(replace(seen, landmarks_px=points), 512, 512)


def arms_beside_hands() -> Any:
    """Hands ever farther from an arm and ever larger; faces and wrists that make its side ever surer."""
    found = []
    for step in np.linspace(0.2, 3, 57):
        for neck, visible, beside in ((step, 1.0, 2.0), (0.6, 0.4 * step, 2.0), (0.6, 1.0, step)):
            body = person(left=(300, 200), right=(300 + 100 * beside, 200))
            points = body.points_px.copy()
            points[[11, 12]] = (400, 400), (300, 400)
            points[:11] = (350, 400 - 100 * neck)
            body = Person(points, np.where(np.arange(33) < 13, min(visible, 1.0), body.visibility))
            near = [hand(300 + 60 * step, 200), hand(300, 200, size=60 * step)]
            own = arms.own_arms([body], near, 900, 700)
            again = [replace(one, arm=replace(one.arm, wrist_px=one.arm.wrist_px + 30 * step)) for one in own]
            found += [
                [one.sure for one in own],
                [arm is None for arm in arms.arms_of_hands(own, near[:1])],
                [arm is None for arm in arms.arms_of_hands(own, near[1:])],
                [arms.found_again(one, again) for one in own],
                [arms.hand_box(one.arm) for one in own],
                len(arms.own_arms([body], [hand(310 + 30 * step, 310, size=100)], 900, 700)),
            ]
    return found


def report_pictures() -> Any:
    """Sides and bytes of what the report writes of a whole picture, and the crop of a small hand."""
    with tempfile.TemporaryDirectory() as folder:
        writer = evidence.Evidence(Path(folder), "one")
        (Path(folder) / "one").mkdir()
        pixels = np.random.default_rng(0).integers(0, 255, (900, 1800, 3), np.uint8)
        writer._view("a.jpg", pixels)  # pyright: ignore[reportPrivateUsage]
        writer._crop("b.png", pixels)  # pyright: ignore[reportPrivateUsage]
        return [len(file.read_bytes()) for file in sorted((Path(folder) / "one").iterdir())]


def paint_with_detail() -> list[np.ndarray]:
    """Soft paint that is to be as crisp as possible, and crisp paint that is to be softer; with an edge."""
    edge = np.where(np.arange(64) > 31, 140.0, 100.0)[:, None]
    crisp, whole = edge + np.random.default_rng(5).normal(0, 4, (64, 64, 3)), np.ones((64, 64), np.bool_)
    soft = cv2.GaussianBlur(crisp, (0, 0), 1.2)
    return [match_detail(soft, whole, 40.0), match_detail(crisp, whole, 8.0)]


SCENARIOS = {
    "drawing.photo.detail.DetailParams": paint_with_detail,
    "perception.detect.views.DuplicateParams": detections_of_one_hand,
    "perception.fit._solver.SolverParams": solver,
    "perception.fit.landmark_weights.LandmarkWeightParams": implausible_fingers,
    "review.checks.arms.ArmParams": arms_beside_hands,
    "workflow.report.evidence.EvidenceParams": report_pictures,
    "perception.body.estimate.BodyParams": body,
    "perception.body.face.FaceParams": faces,
    "reproduce.painted.TextureEnergyParams": texture,
    "review.critic.recalibration.RecalibrationParams": recalibrations,
    "training.streams.critic_batches.CriticBatchParams": critic_batch,
    "training.streams.proposal_windows.WindowParams": windows,
}
"""What is called as it is, by the class whose numbers it reads."""

USED_BY = {
    "drawing.params.DrawParams": ("handwright.drawing.painter",),
    "drawing.skin.tone.RelightParams": ("handwright.drawing.skin.shading",),
}
"""Modules whose functions read the numbers of a class of another module."""
