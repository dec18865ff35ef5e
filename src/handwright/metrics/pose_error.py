"""Pose error of pictures made from poses: MPJPE of a person and of the hands (Pelykh et al. 2024, §IV).

The wanted points are compared with those that an estimator finds in the picture. Points that were not wanted,
or not visible, or lie outside the picture do not count. Distances are shares of the person's size, the longer
side of the box of the wanted points; a point that is not found counts 1, and none counts more, so that it
never pays to be missed. ``average_precision.dap`` is the paper's other measure, on the same points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.perception.body.body_pose import HANDS, BodyPose

LEAST_VISIBILITY = 0.3  # Wanted points that are less visible do not count, as they are not drawn either


@dataclass(frozen=True, eq=False)
class PoseError:
    """How far the person in one picture is from the pose that was wanted."""

    found: bool  # Whether anybody was found
    hands_found: int  # How many of the wanted hands were found
    hands_wanted: int  # How many hands count
    mpjpe: float  # Mean distance of all wanted points over the person's size, at most 1
    mpjpe_hands: float  # The same of the points of the hands; NaN where no hand counts
    mpjpe_found_hands: float  # The same of hands that were found; NaN where none was


def wanted_points(pose: BodyPose, width: int, height: int) -> Float[np.ndarray, "133 2"]:
    """The points of a pose that count in a picture of this size; the others are (0, 0)."""
    inside = ((pose.points_px >= 0) & (pose.points_px < [width, height])).all(1)
    counted = pose.known & inside & (pose.visibility >= LEAST_VISIBILITY)
    return np.where(counted[:, None], pose.points_px, 0.0)


def nearest_person(wanted: Float[np.ndarray, "133 2"], found: Sequence[BodyPose]) -> BodyPose | None:
    """Whoever of those found has the smallest mean distance to the wanted points; None where nobody is."""
    best: tuple[float, BodyPose] | None = None
    known = (wanted != 0).any(1)
    for person in found:
        both = known & person.known
        if not both.any():
            continue
        far = float(np.linalg.norm(wanted[both] - person.points_px[both], axis=1).mean())
        if best is None or far < best[0]:
            best = far, person
    return None if best is None else best[1]


def pose_error(pose: BodyPose, found: Sequence[BodyPose], width: int, height: int) -> PoseError:
    """Compare a wanted pose with the people that an estimator found in the picture.

    Args:
        pose: The wanted pose, pixels of the picture.
        found: Everybody who was found.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
    """
    wanted = wanted_points(pose, width, height)
    person = nearest_person(wanted, found)
    whole = distances(wanted, person)
    counted = [part for part in HANDS.values() if (wanted[part] != 0).any()]
    seen = 0 if person is None else sum(bool(person.known[part].any()) for part in counted)
    off = whole[HANDS["left"].start :]
    there = off[person.known[HANDS["left"].start :]] if person is not None else off[:0]
    return PoseError(person is not None, seen, len(counted), _mean(whole), _mean(off), _mean(there))


def distances(wanted: Float[np.ndarray, "133 2"], person: BodyPose | None) -> Float[np.ndarray, "133"]:
    """Distances over the person's size, NaN where a point does not count, 1 where it was not found."""
    known = (wanted != 0).any(1)
    if not known.any():
        return np.full(133, np.nan)
    size = float(max(np.ptp(wanted[known], axis=0).max(), 1.0))
    off = np.full(133, np.nan)
    off[known] = 1.0
    if person is not None:
        there = known & person.known
        off[there] = np.minimum(np.linalg.norm(wanted - person.points_px, axis=1)[there] / size, 1.0)
    return off


def mpjpe_of(
    poses: Sequence[BodyPose],
    found: Sequence[Sequence[BodyPose]],
    sizes: Sequence[tuple[int, int]],
    seed: int = 0,
) -> tuple[Estimate, Estimate]:
    """MPJPE of all points and of the hands over pictures, fractions of the person's size, with intervals.

    Args:
        poses: The wanted poses.
        found: Per picture everybody who was found.
        sizes: Per picture width and height, pixels.
        seed: Of the bootstrap.
    """
    errors = [pose_error(pose, people, *size) for pose, people, size in zip(poses, found, sizes, strict=True)]
    hands = np.array([error.mpjpe_hands for error in errors if error.hands_wanted])
    return (
        mean_estimate("mpjpe[body]", np.array([error.mpjpe for error in errors]), seed=seed),
        mean_estimate("mpjpe-hands[body]", hands, seed=seed),
    )


def _mean(values: Float[np.ndarray, " k"]) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
