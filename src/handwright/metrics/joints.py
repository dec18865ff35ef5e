"""How far joints lie from where they should (MPJPE in three units, PCK), and how surely hands are found.

A hand that is not found counts with an error of 100 % of its size, never as missing data. No found hand costs
more than that, so that it never pays to be missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.estimate import Estimate, mean_estimate, statistic_estimate
from handwright.perception.detect.views import nearest_pairs
from handwright.types import HandObservation

Detections = Sequence[Sequence[HandObservation]]  # Per picture, the hands that were found in it


def found_rate(detections: Detections, *, seed: int = 0) -> Estimate:
    """Share of pictures in which at least one hand was found."""
    return mean_estimate("hand-found", np.array([bool(hands) for hands in detections], float), seed=seed)


def detection_confidence(detections: Detections, *, seed: int = 0) -> Estimate:
    """Mean score of the best hand of each picture; a picture without one counts 0."""
    best = [max((hand.score for hand in hands), default=0.0) for hands in detections]
    return mean_estimate("det-conf", np.array(best, float), seed=seed)


def confidence_where_found(detections: Detections, *, seed: int = 0) -> Estimate:
    """Mean score of the hands that were found, as published: what was missed does not count.

    Pictures are redrawn, not hands: the hands of a picture are alike. Never read it without ``hand-found``.

    Raises:
        NotEnoughDataError: No hand was found.
    """
    rows = np.array([(sum(hand.score for hand in hands), len(hands)) for hands in detections], float).reshape(
        -1, 2
    )
    name = "det-conf[found]"
    if not rows[:, 1].sum():
        raise NotEnoughDataError(f"{name} has nothing to measure", "no hand was found")
    estimate = statistic_estimate(name, rows, _ratio, seed=seed)
    return replace(estimate, n=int(rows[:, 1].sum()))


def _ratio(rows: np.ndarray) -> float:
    total, count = rows.sum(0)
    return float(total / count) if count else float("nan")


Unit = Literal["% hand", "px", "body"]
Points = Float[np.ndarray, "k 2"]


@dataclass(frozen=True, eq=False)
class JointErrors:
    """Errors of hands (or people) against the truth."""

    # float64 [N, K] of each joint; NaN for joints that have no truth, and for missed hands
    distances_px: Float[np.ndarray, "n k"]
    # float64 [N] of each hand (or person), > 0: the longer side of the box of its true joints
    size_px: Float[np.ndarray, " n"]
    missed: Bool[np.ndarray, " n"]  # True where nothing was found
    # int [N], which picture each is of: hands of one are alike, so intervals redraw pictures. None: each of
    # its own.
    pictures: Int[np.ndarray, " n"] | None = None

    @property
    def share(self) -> Float[np.ndarray, " n"]:
        """Mean error of each hand as a share of its size, at most 1; missed ones are 1."""
        means = np.ones(len(self.size_px))
        found = ~self.missed
        means[found] = np.nanmean(self.distances_px[found], 1) / self.size_px[found]
        return np.minimum(means, 1.0)


def joint_errors(
    truth: Sequence[Points],
    found: Sequence[Points | None],
    visible: Sequence[Bool[np.ndarray, " k"]] | None = None,
    pictures: Sequence[int] | None = None,
) -> JointErrors:
    """Compare what was found with the truth, hand by hand.

    Args:
        truth: N × float [K, 2] px; a joint at (0, 0) is one that was not annotated.
        found: N × float [K, 2] px in the same order, None where the hand was not found.
        visible: N × bool [K]; joints to measure. By default, and of hands that show none, all annotated.
        pictures: N numbers: which picture each hand is of. By default each is of its own.

    Raises:
        NotEnoughDataError: There is no hand.
        InvalidValueError: Lengths or shapes differ, or a hand has no joint or no extent.
    """
    if not truth:
        raise NotEnoughDataError("joint errors have nothing to measure", "there is no hand")
    if len(truth) != len(found) or (visible is not None and len(visible) != len(truth)):
        raise InvalidValueError(f"{len(truth)} true hands, but {len(found)} to compare with them")
    rows, sizes = [], []
    for i, (there, estimate) in enumerate(zip(truth, found, strict=True)):
        known = annotated(there)
        sizes.append(extent_px(there, known, i))
        counted = known if visible is None else known & np.asarray(visible[i], bool)
        rows.append(_distances(there, estimate, counted if counted.any() else known, i))
    missed = np.array([estimate is None for estimate in found])
    return JointErrors(
        np.array(rows), np.array(sizes), missed, None if pictures is None else np.array(pictures)
    )


def mpjpe(errors: JointErrors, unit: Unit = "% hand", *, name: str = "mpjpe", seed: int = 0) -> Estimate:
    """Mean per-joint position error; the unit is added to the name.

    Units are '% hand': per cent of hand size; 'px': pixels, a miss counting the hand's size; 'body': as a
    fraction of the person's size, for errors of whole people. (The two-stage paper gives fractions, and does
    not say of what: ours are of the longer side of the box of a person's annotated joints.)
    """
    return mean_estimate(f"{name}[{unit}]", in_unit(errors, unit), errors.pictures, seed=seed)


def in_unit(errors: JointErrors, unit: Unit) -> Float[np.ndarray, " n"]:
    """Mean error of each hand (or person) in that unit."""
    return errors.share * {"% hand": np.float64(100.0), "px": errors.size_px, "body": np.float64(1.0)}[unit]


def miss_rate(errors: JointErrors, *, name: str = "missed", seed: int = 0) -> Estimate:
    """Share of hands that were not found."""
    return mean_estimate(name, errors.missed.astype(float), errors.pictures, seed=seed)


def pck(errors: JointErrors, threshold: float = 0.2, *, seed: int = 0) -> Estimate:
    """Percentage of correct keypoints: joints closer than ``threshold`` hand sizes; missed hands have none.

    Raises:
        InvalidValueError: The threshold is not positive.
    """
    share = correct_share(errors, threshold)
    return mean_estimate(f"pck@{threshold:g}", share, errors.pictures, seed=seed)


def correct_share(errors: JointErrors, threshold: float = 0.2) -> Float[np.ndarray, " n"]:
    """Share of each hand's joints that are closer than ``threshold`` hand sizes; 0 for missed hands.

    Raises:
        InvalidValueError: The threshold is not positive.
    """
    if not threshold > 0:
        raise InvalidValueError(f"the threshold of PCK must be positive, got {threshold}")
    known = np.isfinite(errors.distances_px)
    near = known & (np.nan_to_num(errors.distances_px) <= threshold * errors.size_px[:, None])
    return np.where(errors.missed, 0.0, near.sum(1) / np.maximum(known.sum(1), 1))


def match_hands(
    truth: Sequence[Points], found: Sequence[Points], *, reach: float = 1.0
) -> list[Points | None]:
    """For each true hand the found one that belongs to it, nearest pairs first; None where there is none.

    Farther than ``reach`` (mean distance in hand sizes) is no match; joints at (0, 0) on either side do not
    count.
    """
    pairs: list[tuple[float, int, int]] = []
    for i, there in enumerate(truth):
        known = annotated(there)
        size = extent_px(there, known, i)
        for j, estimate in enumerate(found):
            both = known & annotated(estimate)
            gap = np.linalg.norm(estimate[both] - there[both], axis=1).mean() / size if both.any() else reach
            if gap < reach:
                pairs.append((float(gap), i, j))
    matched = nearest_pairs(pairs)
    return [found[matched[i]] if i in matched else None for i in range(len(truth))]


def annotated(points_px: Points) -> Bool[np.ndarray, " k"]:
    """Which joints carry a place: finite, and not at (0, 0)."""
    return np.isfinite(points_px).all(-1) & (points_px != 0).any(-1)


def extent_px(points_px: Points, known: Bool[np.ndarray, " k"], index: int) -> float:
    """Longer side of the box of the known joints.

    Raises:
        InvalidValueError: There is none, or they all lie in one place.
    """
    size = float(np.ptp(points_px[known], axis=0).max()) if known.any() else 0.0
    if size <= 0:
        raise InvalidValueError(f"true hand {index} has no extent", "", "leave out hands without keypoints")
    return size


def _distances(
    there: Points, estimate: Points | None, counted: Bool[np.ndarray, " k"], index: int
) -> Float[np.ndarray, " k"]:
    if estimate is None:
        return np.full(len(there), np.nan)
    if estimate.shape != there.shape or not np.isfinite(estimate[counted]).all():
        raise InvalidValueError(f"hand {index}: expected {there.shape} finite points, got {estimate.shape}")
    return np.where(counted, np.linalg.norm(np.asarray(estimate, float) - there, axis=-1), np.nan)
