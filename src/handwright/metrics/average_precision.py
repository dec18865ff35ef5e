"""Distance-based average precision (DAP): COCO's AP with keypoint similarity instead of box overlap.

OKS = mean over annotated points of exp(−d² / (2 · area · (2σ)²)), sigmas of COCO-WholeBody (Jin et al. 2020)
in its order. pycocotools matches people within each picture; precision and recall are then added up here,
because the bootstrap redraws pictures a thousand times over the same matches.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.errors import InvalidValueError, NotEnoughDataError, need
from handwright.metrics.estimate import ROUNDS, Estimate, bootstrap_counts, interval
from handwright.metrics.joints import annotated

_BODY = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
_FEET = (68, 66, 66, 92, 94, 94)
_FACE = (
    42, 43, 44, 43, 40, 35, 31, 25, 20, 23, 29, 32, 37, 38, 43, 41, 45, 13, 12, 11, 11, 12, 12, 11, 11,
    13, 15, 9, 7, 7, 7, 12, 9, 8, 16, 10, 17, 11, 9, 11, 9, 7, 13, 8, 11, 12, 10, 34, 8, 8, 9, 8, 8, 7,
    10, 8, 9, 9, 9, 7, 7, 8, 11, 8, 8, 8, 10, 8,
)  # fmt: skip
_HAND = (29, 22, 35, 37, 47, 26, 25, 24, 35, 18, 24, 22, 26, 17, 21, 21, 32, 20, 19, 22, 31)

HANDS_SIGMAS: Float[np.ndarray, "42"] = np.array(_HAND + _HAND) / 1000
"""Of the 42 points of a person's two hands, left first."""

WHOLEBODY_SIGMAS: Float[np.ndarray, "133"] = np.array(_BODY + _FEET + _FACE + _HAND + _HAND) / 1000
"""Of the 133 points of a person."""

HANDS = slice(91, 133)  # The 42 hand points among the 133


def person_box_px(
    points_px: Float[np.ndarray, "k 2"],
) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Upper left corner and sides of the box of the annotated points; (0, 0) must not inflate it."""
    known = points_px[annotated(points_px)]
    return (known.min(0), np.ptp(known, axis=0)) if len(known) else (np.zeros(2), np.zeros(2))


_MOST_PEOPLE = 20
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class FoundPerson:
    """A person as labelled, or as a pose estimator saw one."""

    # float64 [133, 2], COCO-WholeBody order; (0, 0) is a point that is not labelled or seen
    points_px: Float[np.ndarray, "133 2"]
    score: float  # How sure, any scale; orders people over all pictures


@dataclass(frozen=True, eq=False)
class _Matches:
    """What every found person of all pictures was, best score first."""

    picture: Int[np.ndarray, " m"]  # int [M], index of its picture
    right: Bool[np.ndarray, "t m"]  # matched to a true person at each threshold
    counted: Bool[np.ndarray, "t m"]  # neither right nor wrong where False
    people: Int[np.ndarray, " p"]  # int [P], true people per picture


def dap(
    truth: Sequence[Sequence[Float[np.ndarray, "133 2"]]],
    found: Sequence[Sequence[FoundPerson]],
    points: int = 133,
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """AP over OKS thresholds 0.50, 0.55 … 0.95.

    Args:
        truth: Per picture its people, float [133, 2] px; points at (0, 0) are not annotated. A person without
            any annotated point among those compared is left out.
        found: Per picture, in the same order, who was seen in it.
        points: 133, or 42 for the hands alone (the area stays the whole person's).
        rounds: Bootstrap rounds over pictures.
        seed: Of the bootstrap.

    Raises:
        MissingPackageError: pycocotools is not installed.
        InvalidValueError: ``points`` is neither, shapes are wrong, or the two differ in length.
        NotEnoughDataError: There is no true person.
    """
    chosen, sigmas = _chosen(points)
    if len(truth) != len(found):
        raise InvalidValueError(f"people of {len(truth)} pictures, but found ones of {len(found)}")
    matches = _match(truth, found, chosen, sigmas)
    name = f"dap[{points}]"
    if not matches.people.sum():
        raise NotEnoughDataError(f"{name} has nothing to measure", "no picture has an annotated person")
    drawn = bootstrap_counts(len(truth), rounds, seed).T
    spread = np.array([_average_precision(matches, times) for times in drawn])
    value = _average_precision(matches, np.ones(len(truth)))
    return Estimate(name, value, *interval(spread), n=int(matches.people.sum()))


def _chosen(points: int) -> tuple[slice, Float[np.ndarray, " k"]]:
    if points == 133:
        return slice(None), WHOLEBODY_SIGMAS
    if points == 42:
        return HANDS, HANDS_SIGMAS
    raise InvalidValueError(f"DAP is of 133 or 42 points, got {points}")


def _match(
    truth: Sequence[Sequence[np.ndarray]],
    found: Sequence[Sequence[FoundPerson]],
    chosen: slice,
    sigmas: Float[np.ndarray, " k"],
) -> _Matches:
    evaluator = _evaluator(truth, found, chosen, sigmas)
    rows = [row for row in evaluator.evalImgs if row is not None]
    people = np.zeros(len(truth), int)
    thresholds = len(evaluator.params.iouThrs)
    scores, picture = [np.empty(0)], [np.empty(0, int)]
    right, counted = [np.empty((thresholds, 0), bool)], [np.empty((thresholds, 0), bool)]
    for row in rows:
        index = row["image_id"] - 1
        people[index] = int((np.asarray(row["gtIgnore"]) == 0).sum())
        scores.append(np.asarray(row["dtScores"], float))
        picture.append(np.full(len(row["dtScores"]), index))
        right.append(np.asarray(row["dtMatches"]).reshape(thresholds, -1) > 0)
        counted.append(~np.asarray(row["dtIgnore"], bool).reshape(thresholds, -1))
    best_first = np.argsort(-np.concatenate(scores), kind="mergesort")
    return _Matches(
        np.concatenate(picture)[best_first],
        np.concatenate(right, 1)[:, best_first],
        np.concatenate(counted, 1)[:, best_first],
        people,
    )


def _average_precision(matches: _Matches, times: Float[np.ndarray, " p"]) -> float:
    """COCO's AP when picture i is there ``times[i]`` times: mean of 101 precisions that fall with recall."""
    weight = times[matches.picture] * matches.counted
    right = np.cumsum(weight * matches.right, 1)
    wrong = np.cumsum(weight * ~matches.right, 1)
    people = float(times @ matches.people)
    if not people:
        return float("nan")
    precision = right / np.maximum(right + wrong, 1e-300)
    precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    values: list[Float[np.ndarray, "101"]] = []
    for recalls, precisions in zip(right / people, precision, strict=True):
        reached = np.searchsorted(recalls, _RECALLS, side="left")
        values.append(np.append(precisions, 0.0)[np.minimum(reached, len(precisions))])
    return float(np.mean(values))


def _evaluator(
    truth: Sequence[Sequence[np.ndarray]],
    found: Sequence[Sequence[FoundPerson]],
    chosen: slice,
    sigmas: Float[np.ndarray, " k"],
) -> Any:  # noqa: ANN401 - pycocotools has no types
    """Pycocotools' evaluation, matched and not yet accumulated."""
    need("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    people = [
        _annotation(number, picture + 1, points, chosen)
        for number, (picture, points) in enumerate(
            ((i, person) for i, persons in enumerate(truth) for person in persons), start=1
        )
    ]
    detections = [
        _detection(picture + 1, person, chosen) for picture, persons in enumerate(found) for person in persons
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        known: Any = COCO()
        known.dataset = {
            "images": [{"id": i + 1} for i in range(len(truth))],
            "categories": [{"id": 1, "name": "person"}],
            "annotations": people,
            "info": {},
        }
        known.createIndex()
        guessed = known.loadRes(detections) if detections else COCO()
        evaluator: Any = COCOeval(known, guessed, "keypoints")
        evaluator.params.kpt_oks_sigmas = sigmas
        evaluator.params.imgIds = [i + 1 for i in range(len(truth))]
        evaluator.params.catIds = [1]
        evaluator.params.maxDets = [_MOST_PEOPLE]
        evaluator.params.areaRng, evaluator.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluator.evaluate()
    return evaluator


def _annotation(number: int, picture: int, points_px: np.ndarray, chosen: slice) -> dict[str, Any]:
    points = _wholebody(points_px)
    compared = points[chosen]
    known = annotated(compared)
    corner, sides = person_box_px(points)
    return {
        "id": number,
        "image_id": picture,
        "category_id": 1,
        "keypoints": np.column_stack([np.nan_to_num(compared), 2 * known]).ravel().tolist(),
        "num_keypoints": int(known.sum()),
        "area": float(np.prod(sides)),
        "bbox": [*corner.tolist(), *sides.tolist()],
        "iscrowd": 0,
    }


def _detection(picture: int, person: FoundPerson, chosen: slice) -> dict[str, Any]:
    points = np.nan_to_num(_wholebody(person.points_px))[chosen]
    return {
        "image_id": picture,
        "category_id": 1,
        "keypoints": np.column_stack([points, np.ones(len(points))]).ravel().tolist(),
        "score": float(person.score),
    }


def _wholebody(points_px: np.ndarray) -> Float[np.ndarray, "133 2"]:
    points = np.asarray(points_px, float)
    if points.shape != (133, 2):
        raise InvalidValueError(f"a person has 133 points [133, 2], got {points.shape}")
    return points
