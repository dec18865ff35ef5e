"""Other readings of a hand that a second look did not confirm: by other eyes, the other side, less of it.

Malformed hands mislead the detector: it may take a palm for a back, or bend a finger to where one is. The
critic was taught where the joints of the sound hand should be, and shows the finger that is wrong, which is
then laid beside its neighbours; fingers that are too long or too short get their usual length. Of what is
melted beyond recognition only the palm is used, and its fingers are left at rest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.anatomy import FINGERS, SHAPE_NAMES
from handwright.hand.defects import ONE_FINGER_DEFECTS, Defect
from handwright.hand.skeleton import distance_to_chain
from handwright.perception.fit.hand_fit import fit_hand, fit_of_given_hand
from handwright.perception.fit.landmark_weights import misfit_finger_weights
from handwright.perception.fit.outline import fit_with_outline
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.refine.detached.gap import gap_to_arm
from handwright.refine.detached.joined_arm import joined_to_arm
from handwright.refine.detached.moved_hand import moved_to_arm
from handwright.refine.hand_task import HandTask
from handwright.review.critic.prediction import CriticPrediction
from handwright.types import HandFit, HandObservation, Mask

_AS_LARGE = 2.0
"""How many times as large or small a hand may be in other eyes."""

_NEAR = 0.3
"""What is wrong is a finger's where its bones come as near as this, in hand sizes."""

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

    Args:
        pixels: The picture.
        task: The pose hypothesis that failed.
        mask: The user's mask, which stays.
        prediction: The critic's prediction for the hand as it is.
        seed: Of what is invented where a hand is joined to its arm.
    """
    height, width = pixels.shape[:2]
    seen = task.observation
    mirrored = replace(seen, side="left" if seen.side == "right" else "right", depth_px=-seen.depth_px)
    hypotheses: list[HandTask] = []
    if prediction is not None and not prediction.not_assessable:
        if mask is None and prediction.likeliest_defect == Defect.DETACHED:
            hypotheses += _with_arm(pixels, task, seed)
        joints, weights = _by_critic(seen, prediction)
        if 1 / _AS_LARGE <= joints.size_px / seen.size_px <= _AS_LARGE:
            hypotheses.append(_read(task, joints, weights, (width, height), mask, "as the critic reads it"))
        if prediction.likeliest_defect in (Defect.TOO_LONG, Defect.TOO_SHORT):
            hypotheses.append(_of_usual_length(task, mask))
        spared = _without_wrong_finger(seen, prediction)
        if spared is not None:
            hypotheses.append(
                _read(task, seen, spared, (width, height), mask, "without the finger that is wrong")
            )
    hypotheses.append(_read(task, mirrored, None, (width, height), mask, f"as a {mirrored.side} hand"))
    weights = misfit_finger_weights(seen, task.fit)
    if weights.min() < 1:
        hypotheses.append(_read(task, seen, weights, (width, height), mask, "without doubtful fingers"))
    return hypotheses


def palm_only(pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, mask: Mask | None) -> HandTask:
    """The hand with its fingers at rest: the last resort, for it gives up what they did.

    Args:
        pixels: The picture.
        task: The pose hypothesis that failed.
        mask: The user's mask, which stays.
    """
    height, width = pixels.shape[:2]
    return _read(task, task.observation, _PALM_ALONE, (width, height), mask, "by its palm alone")


def _with_arm(pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, seed: int) -> list[HandTask]:
    """The hand before its arm, and its arm up to it; nothing where no arm ends near."""
    gap = gap_to_arm(pixels, task)
    if gap is None:
        return []
    ways = moved_to_arm(pixels, task, gap, seed), joined_to_arm(pixels, task, gap, seed)
    return [way for way in ways if way is not None]


def _by_critic(
    seen: HandObservation, prediction: CriticPrediction
) -> tuple[HandObservation, Float[np.ndarray, "21"]]:
    """The joints that the critic predicts, with weights: fingers that it misses hardly count."""
    side = "right" if prediction.right >= 0.5 else "left"
    depth = seen.depth_px if side == seen.side else -seen.depth_px
    there = np.ones(21)
    for finger, name in enumerate(FINGERS):
        there[1 + 4 * finger : 5 + 4 * finger] = prediction.present.get(name, 1.0)
    joints = replace(seen, landmarks_px=prediction.landmarks_px, depth_px=depth, side=side)
    return joints, np.where(there >= 0.5, np.maximum(prediction.visible, 0.3), 0.0)


def _of_usual_length(task: HandTask, mask: Mask | None) -> HandTask:
    """The hand as it was read, each finger as long as the mean hand's."""
    shape = task.fit.hand.shape.copy()
    shape[_LENGTHS] = 0.0
    fit = fit_of_given_hand(task.observation, replace(task.fit.hand, shape=shape), task.fit.landmark_weights)
    return _drawn_as(task, task.observation, fit, mask, "with fingers of usual length")


def _without_wrong_finger(
    seen: HandObservation, prediction: CriticPrediction
) -> Float[np.ndarray, "21"] | None:
    """Weights that leave out the finger at which the critic sees the shape go wrong, beyond its knuckle."""
    defect = prediction.likeliest_defect
    if defect not in ONE_FINGER_DEFECTS or defect not in prediction.where_px:
        return None
    x, y = np.array(prediction.where_px[defect])[:, None]
    chains = seen.landmarks_px[1:].reshape(5, 4, 2)
    far = [float(distance_to_chain(chain, x, y)[0]) for chain in chains]
    finger = int(np.argmin(far))
    if far[finger] > _NEAR * seen.size_px:
        return None
    weights = np.ones(21)
    weights[2 + 4 * finger : 5 + 4 * finger] = 0.0
    return weights


def _read(
    task: HandTask,
    seen: HandObservation,
    weights: Float[np.ndarray, "21"] | None,
    size_px: tuple[int, int],
    mask: Mask | None,
    pose_hypothesis: str,
) -> HandTask:
    fit = fit_hand(seen, *size_px, landmark_weights=weights)
    fit = fit_with_outline(seen, fit, task.region, task.window, size_px, weights)
    return _drawn_as(task, seen, fit, mask, pose_hypothesis)


def _drawn_as(
    task: HandTask, seen: HandObservation, fit: HandFit, mask: Mask | None, pose_hypothesis: str
) -> HandTask:
    """The task with another fit, and the mask that it needs."""
    allowed = (
        task.repair_mask
        if mask is not None
        else compute_repair_mask(fit.hand, task.window, task.landmarks_px, task.region)
    )
    return replace(task, observation=seen, fit=fit, repair_mask=allowed, pose_hypothesis=pose_hypothesis)
