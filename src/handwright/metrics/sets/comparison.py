"""FAKE against another treatment of the same inputs: paired differences, picture by picture, hand by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from handwright.errors import NotEnoughDataError
from handwright.metrics.distances.kernel import kernel_distance_difference
from handwright.metrics.keypoints.joints import correct_share, in_unit
from handwright.metrics.sets.gather import Gathered
from handwright.metrics.sets.measures import Sets, similarity_of_captions
from handwright.metrics.sets.paired_hands import pair_hands
from handwright.metrics.statistics.estimate import Estimate
from handwright.metrics.statistics.paired import paired_difference


def differences(sets: Sets, versus: Gathered, metric: str) -> list[Estimate]:
    """FAKE − VERSUS of one measure, over the pictures of one name in both; nothing where it has no pairs.

    Raises:
        NotEnoughDataError: No picture of FAKE is in VERSUS, or what they have in common is too little.
    """
    if metric not in _PAIRED:
        return []
    names = [name for name in sets.fake.pictures if name in versus.pictures]
    if not names:
        raise NotEnoughDataError(
            f"Δ {metric} compares pictures of the same name",
            "none is in both FAKE and VERSUS",
            "name them alike",
        )
    return _PAIRED[metric](sets, versus, names)


def _kernel(sets: Sets, versus: Gathered, names: Sequence[str]) -> list[Estimate]:
    a, b = (g.whole[_rows(g, names)] for g in (sets.fake, versus))
    return [kernel_distance_difference(sets.real.whole, a, b, name=sets.called("kid"), seed=sets.seed)]


def _detection(sets: Sets, versus: Gathered, names: Sequence[str]) -> list[Estimate]:
    a, b = (
        np.array([max((hand.score for hand in g.pictures[name].hands), default=0.0) for name in names])
        for g in (sets.fake, versus)
    )
    found = paired_difference("hand-found", (a > 0).astype(float), (b > 0).astype(float), seed=sets.seed)
    return [found, paired_difference("det-conf", a, b, seed=sets.seed)]


def _joint_errors(sets: Sets, versus: Gathered, names: Sequence[str]) -> list[Estimate]:
    a, b = (pair_hands(sets.real, g, names).errors for g in (sets.fake, versus))
    return [
        paired_difference(f"mpjpe[{unit}]", in_unit(a, unit), in_unit(b, unit), a.pictures, seed=sets.seed)
        for unit in ("% hand", "px")
    ]


def _correct_keypoints(sets: Sets, versus: Gathered, names: Sequence[str]) -> list[Estimate]:
    a, b = (pair_hands(sets.real, g, names).errors for g in (sets.fake, versus))
    return [paired_difference("pck@0.2", correct_share(a), correct_share(b), a.pictures, seed=sets.seed)]


def _clipsim(sets: Sets, versus: Gathered, names: Sequence[str]) -> list[Estimate]:
    a, b = (similarity_of_captions(sets, g) for g in (sets.fake, versus))
    both = [name for name in names if name in a and name in b]
    values = (np.array([by_name[name] for name in both]) for by_name in (a, b))
    return [paired_difference(sets.called("clipsim"), *values, seed=sets.seed)]


def _rows(gathered: Gathered, names: Sequence[str]) -> list[int]:
    index = {name: row for row, name in enumerate(gathered.pictures)}
    return [index[name] for name in names]


_PAIRED: dict[str, Callable[[Sets, Gathered, Sequence[str]], list[Estimate]]] = {
    "kid": _kernel,
    "det": _detection,
    "mpjpe": _joint_errors,
    "pck": _correct_keypoints,
    "clipsim": _clipsim,
}
