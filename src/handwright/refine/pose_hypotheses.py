"""Pose hypotheses: other ways to interpret a malformed hand, tried where the first gave no good candidate.

Malformed hands mislead the detector: it may take a palm for a back, or bend a finger to where one is. The
critic was trained to predict the joints of the sound hand, and names the finger that is wrong: that one is
fitted without its landmarks. Fingers that are too long or too short get their usual length. Of a hand that is
melted beyond recognition only the palm is fitted, and its fingers are left at rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.anatomy import FINGERS, SHAPE_NAMES
from handwright.hand.defects import ONE_FINGER_DEFECTS, Defect
from handwright.hand.skeleton import distance_to_chain
from handwright.perception.detect.landmarker import Landmarker, of_side
from handwright.perception.fit.hand_fit import fit_hand, fit_of_given_hand
from handwright.perception.fit.landmark_weights import misfit_finger_weights
from handwright.perception.fit.outline import fit_with_outline
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.refine.compositing.surplus_finger import surplus_finger, without_finger
from handwright.refine.detached.gap import gap_to_arm
from handwright.refine.detached.joined_arm import joined_to_arm
from handwright.refine.detached.moved_hand import moved_to_arm
from handwright.refine.hand_task import HandTask
from handwright.refine.redetection import redetect_hand
from handwright.review.critic.prediction import CriticPrediction
from handwright.types import HandFit, HandObservation, Mask


@dataclass(frozen=True, kw_only=True)
class HypothesisParams:
    """When the critic's prediction gives a pose hypothesis; chosen by eye."""

    # Greatest ratio of the hand's sizes by the critic's landmarks and by the detector's, and by its inverse
    max_size_ratio: float = 2.0
    max_distance: float = 0.3  # Of a defect from the finger that it belongs to, in hand sizes
    min_present: float = 0.5  # P(present) below which a finger's landmarks do not count
    min_weight: float = 0.3  # Of a landmark of a finger that is present, however poorly it is visible


PARAMS = HypothesisParams()

_LENGTHS = [SHAPE_NAMES.index(f"{name}_length") for name in FINGERS]
_PALM_ALONE = np.where(np.isin(np.arange(21), (0, 1, 5, 9, 13, 17)), 1.0, 0.0)


def other_hypotheses(
    pixels: UInt8[np.ndarray, "h w 3"],
    task: HandTask,
    mask: Mask | None,
    prediction: CriticPrediction | None = None,
    seed: int = 0,
) -> list[HandTask]:
    """Alternative tasks for the same hand, best guess first.

    The critic's prediction is for the hand as it is; a mask of the user's stays; the seed is that of
    background, skin and grain where the hand is joined to its arm.
    """
    height, width = pixels.shape[:2]
    detected = task.observation
    mirrored = of_side(detected, "left" if detected.side == "right" else "right")
    fitted = partial(_fitted, task, (width, height), mask)
    hypotheses: list[HandTask] = []
    if prediction is not None and not prediction.not_assessable:
        if mask is None and prediction.likeliest_defect == Defect.DETACHED:
            hypotheses += _with_arm(pixels, task, seed)
        predicted = _by_critic(detected, prediction)
        if predicted is not None:
            hypotheses.append(fitted(*predicted, "as the network predicts it"))
        if prediction.likeliest_defect in (Defect.TOO_LONG, Defect.TOO_SHORT):
            hypotheses.append(_of_usual_length(task, mask))
        spared = _without_wrong_finger(detected, prediction)
        if spared is not None:
            hypotheses.append(fitted(detected, spared, "without the finger that is wrong"))
    hypotheses.append(fitted(mirrored, None, f"as a {mirrored.side} hand"))
    weights = misfit_finger_weights(detected, task.fit)
    if weights.min() < 1:
        hypotheses.append(fitted(detected, weights, "without doubtful fingers"))
    return hypotheses


def without_surplus_finger(
    pixels: UInt8[np.ndarray, "H W 3"],
    task: HandTask,
    prediction: CriticPrediction | None,
    landmarker: Landmarker,
    seed: int = 0,
) -> HandTask | None:
    """The hand as it is found once the finger that is too many is gone from the picture.

    A detector of five fingers takes any five of six, or lies between them. None where the critic's prediction
    marks no single finger, or the hand is not found again.
    """
    if prediction is None or prediction.not_assessable or task.surplus is None:
        return None
    if not has_finger_too_many(prediction):
        return None
    finger = surplus_finger(task.region, task.surplus)
    if finger is None:
        return None
    x0, y0, x1, y1 = task.window
    cleared = pixels.copy()
    cleared[y0:y1, x0:x1] = without_finger(task.cut(pixels), task.region, finger, seed)
    found = redetect_hand(cleared, task.observation, landmarker)
    if found is None:
        return None
    height, width = pixels.shape[:2]
    found = replace(found, found_by=task.observation.found_by)
    rest = replace(task.region, inside=task.region.inside & ~finger)
    fit = fit_with_outline(found, fit_hand(found, width, height), rest, task.window, (width, height))
    region = replace(task.region, inside=task.region.inside | finger)
    allowed = compute_repair_mask(fit.hand, task.window, task.landmarks_px, region)
    return replace(
        task,
        observation=found,
        fit=fit,
        region=region,
        repair_mask=allowed,
        surplus=finger,
        pose_hypothesis="without the finger that is too many",
    )


def has_finger_too_many(prediction: CriticPrediction) -> bool:
    """Whether the critic marks surplus skin and counts more than five: of five none can go."""
    return prediction.has_surplus and prediction.likeliest_count[0] > len(FINGERS)


def palm_only(pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, mask: Mask | None) -> HandTask:
    """The hand with its fingers at rest: the last resort, for their pose is lost."""
    height, width = pixels.shape[:2]
    return _fitted(task, (width, height), mask, task.observation, _PALM_ALONE, "by its palm alone")


def _with_arm(pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, seed: int) -> list[HandTask]:
    """Return the hand moved to its arm, and the hand with skin up to it; nothing where no arm ends near."""
    gap = gap_to_arm(pixels, task)
    if gap is None:
        return []
    ways = moved_to_arm(pixels, task, gap, seed), joined_to_arm(pixels, task, gap, seed)
    return [way for way in ways if way is not None]


def _by_critic(
    detected: HandObservation, prediction: CriticPrediction
) -> tuple[HandObservation, Float[np.ndarray, "21"]] | None:
    """Return the joints that the critic predicts, with weights: absent fingers have none.

    None where it predicts none, or joints of a hand of quite another size.
    """
    if prediction.landmarks_px is None or prediction.visible is None:
        return None
    there = np.ones(21)
    for finger, name in enumerate(FINGERS):
        there[1 + 4 * finger : 5 + 4 * finger] = prediction.present.get(name, 1.0)
    seen = of_side(detected, prediction.likelier_side)
    joints = replace(seen, landmarks_px=prediction.landmarks_px)
    if not 1 / PARAMS.max_size_ratio <= joints.size_px / detected.size_px <= PARAMS.max_size_ratio:
        return None
    return joints, np.where(
        there >= PARAMS.min_present, np.maximum(prediction.visible, PARAMS.min_weight), 0.0
    )


def _of_usual_length(task: HandTask, mask: Mask | None) -> HandTask:
    """Return the hand with each finger as long as the mean hand's."""
    shape = task.fit.hand.shape.copy()
    shape[_LENGTHS] = 0.0
    fit = fit_of_given_hand(task.observation, replace(task.fit.hand, shape=shape), task.fit.landmark_weights)
    return _drawn_as(task, task.observation, fit, mask, "with fingers of usual length")


def wrong_fingers(detected: HandObservation, prediction: CriticPrediction) -> tuple[int, ...]:
    """Indices of the fingers that the critic's likeliest defect is of, ascending.

    The one at which it lies if that is a defect of a single finger; the two between which it lies if fingers
    are grown together; those that are missing. Empty where it is none of these, or lies at no finger.
    """
    defect = prediction.likeliest_defect
    if defect == Defect.MISSING:
        present = (prediction.present.get(name, 1.0) for name in FINGERS)
        return tuple(finger for finger, there in enumerate(present) if there < PARAMS.min_present)
    of_fingers = (*ONE_FINGER_DEFECTS, Defect.FUSED)
    if defect is None or defect not in of_fingers or defect not in prediction.where_px:
        return ()
    x, y = np.array(prediction.where_px[defect])[:, None]
    chains = detected.landmarks_px[1:].reshape(5, 4, 2)
    far = np.array([float(distance_to_chain(chain, x, y)[0]) for chain in chains])
    nearest = np.argsort(far)[: 2 if defect == Defect.FUSED else 1]
    return tuple(sorted(int(k) for k in nearest[far[nearest] <= PARAMS.max_distance * detected.size_px]))


def _without_wrong_finger(
    detected: HandObservation, prediction: CriticPrediction
) -> Float[np.ndarray, "21"] | None:
    """Return weights that leave out the finger that is wrong, distal of its knuckle."""
    fingers = wrong_fingers(detected, prediction)
    if len(fingers) != 1:
        return None
    weights = np.ones(21)
    weights[2 + 4 * fingers[0] : 5 + 4 * fingers[0]] = 0.0
    return weights


def _fitted(
    task: HandTask,
    size_px: tuple[int, int],
    mask: Mask | None,
    observation: HandObservation,
    weights: Float[np.ndarray, "21"] | None,
    pose_hypothesis: str,
) -> HandTask:
    fit = fit_hand(observation, *size_px, landmark_weights=weights)
    fit = fit_with_outline(observation, fit, task.region, task.window, size_px, weights)
    return _drawn_as(task, observation, fit, mask, pose_hypothesis)


def _drawn_as(
    task: HandTask, observation: HandObservation, fit: HandFit, mask: Mask | None, pose_hypothesis: str
) -> HandTask:
    """Return the task with another fit, and the mask that it needs."""
    allowed = (
        task.repair_mask
        if mask is not None
        else compute_repair_mask(fit.hand, task.window, task.landmarks_px, task.region)
    )
    return replace(
        task, observation=observation, fit=fit, repair_mask=allowed, pose_hypothesis=pose_hypothesis
    )
