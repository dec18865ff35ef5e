"""The labels of a picture's hands, people and poses: the truth, or what somebody's estimator saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import HandsFileError
from handwright.metrics.sets.items import Labels

Label = TypeVar("Label")


@dataclass(frozen=True, eq=False)
class TrueHand:
    """A hand's exact keypoints."""

    points_px: Float[np.ndarray, "21 2"]  # float64 [21, 2] in the picture
    visible: Bool[np.ndarray, "21"]  # bool [21]


@dataclass(frozen=True, eq=False)
class LabelledPerson:
    """A person of the truth, or one that a pose estimator saw."""

    # float64 [133, 2], COCO-WholeBody order; (0, 0) is a point that is not labelled or seen
    points_px: Float[np.ndarray, "133 2"]
    score: float  # How sure the estimator is; without one, the mean of its points' third numbers


def true_hands(labels: Labels, where: Path) -> list[TrueHand]:
    """``hands[].keypoints_px`` [21][2] and ``visible`` [21] (all, where it is missing).

    Raises:
        HandsFileError: They are missing, malformed or not finite, or a hand has no extent.
    """
    return _each(labels, "hands", _hand, where)


def people(labels: Labels, where: Path, key: str = "people") -> list[LabelledPerson]:
    """``people[].wholebody`` [133][3], x, y and how surely it is there, and ``score``, which may be missing.

    Raises:
        HandsFileError: They are missing, malformed or not finite.
    """
    return _each(labels, key, _person, where)


def poses(labels: Labels, where: Path) -> list[Float[np.ndarray, "j 3"]]:
    """``hands[].pose`` [J][3], axis-angle of each joint in radians.

    Raises:
        HandsFileError: They are missing, malformed or not finite.
    """
    return _each(labels, "hands", _pose, where)


def _each(labels: Labels, key: str, read: Callable[[dict[str, Any]], Label], where: Path) -> list[Label]:
    try:
        return [read(label) for label in labels[key]]
    except (ValueError, KeyError, TypeError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise HandsFileError(f"{where}: its {key} cannot be read", detail, "write them again") from error


def _hand(label: dict[str, Any]) -> TrueHand:
    points = _finite("keypoints_px", label["keypoints_px"], (21, 2))
    if np.ptp(points, axis=0).max() <= 0:
        raise ValueError("keypoints_px all lie in one place")
    return TrueHand(points, _finite("visible", label.get("visible", [True] * 21), (21,)) > 0)


def _person(label: dict[str, Any]) -> LabelledPerson:
    points = _finite("wholebody", label["wholebody"], (133, 3))
    score = float(label.get("score", points[:, 2].mean()))
    if not np.isfinite(score):
        raise ValueError(f"score must be finite, got {score}")
    return LabelledPerson(np.where(points[:, 2:] > 0, points[:, :2], 0.0), score)


def _pose(label: dict[str, Any]) -> Float[np.ndarray, "j 3"]:
    points = np.array(label["pose"], float)
    return _finite("pose", points, (len(points), 3))


def _finite(name: str, label: Any, shape: tuple[int, ...]) -> Float[np.ndarray, "*n"]:  # noqa: ANN401
    values = np.array(label, float)
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite {list(shape)}, got {list(values.shape)}")
    return values
