"""The figures of a study: those of all painted people, and of their hands against the parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from handwright.hand.kinematics import hand_landmarks_px
from handwright.metrics.crops import hand_crop
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.frechet import frechet_distance_difference
from handwright.metrics.kernel import kernel_distance_difference
from handwright.reproduce.handiffuser.cases import groups_of
from handwright.reproduce.handiffuser.rows import BASE, DRAWN, OURS, TEXT, Row
from handwright.reproduce.handiffuser.study import HanDiffuserStudy
from handwright.reproduce.people_bench import ORIGINAL
from handwright.reproduce.people_cases import Case
from handwright.reproduce.people_measure import FeatureSets, Figures, PeopleGauge
from handwright.reproduce.store import Record, Store
from handwright.types import Box, Side

MISSED = 1.0
"""Error of a hand that is not found, in lengths of its box; one that is farther off counts as not found."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that the page shows."""

    n: int  # People
    figures: Mapping[str, Figures]  # By row; ``ORIGINAL``: the pictures that the people come from
    fid_needs: int  # Pictures, or crops of hands, that FID needs of each set at least
    differences: Mapping[str, Figures]  # T-H2I less another row, paired, by that row
    groups: Mapping[str, Mapping[str, Estimate | None]]  # Hand errors of some hands, by label and row
    shares: Mapping[str, float]  # Of all hands, by label


def measure(study: HanDiffuserStudy, store: Store, cases: Sequence[Case], rows: Sequence[Row]) -> Measured:
    """Take every figure of what is in the store."""
    painted = [row.name for row in rows if not row.missing]
    gauge = HandGauge(store, cases, study.extractor, study.clip, compare=study.data is None)
    compared = [name for name in painted if name not in (OURS, DRAWN)] if OURS in painted else []
    grouped = [name for name in (ORIGINAL, BASE, TEXT, OURS) if name in (ORIGINAL, *painted)]
    groups = groups_of(cases)
    return Measured(
        n=len(cases),
        figures={name: gauge.figures(name) for name in (ORIGINAL, *painted)},
        fid_needs=gauge.fid_needs,
        differences={name: gauge.difference(OURS, name) for name in compared},
        groups={
            group.label: {name: gauge.hand_figure(name, group.hands) for name in grouped} for group in groups
        },
        shares={group.label: group.share for group in groups},
    )


@dataclass(frozen=True, eq=False)
class _OfPeople:
    """Features of pictures or of crops, and which person each is of."""

    features: FeatureSets
    people: Int[np.ndarray, "n"]


class HandGauge(PeopleGauge):
    """Takes figures of painted people and of their hands.

    Args:
        store: What was painted, and who was found in it.
        cases: The people.
        extractor: Name of the features behind KID and FID; ImageNet's stand beside them.
        clip: Name of the text and picture features behind CLIPSIM.
        compare: Whether the pictures that the people come from are of the kind that is to be painted.
    """

    def __init__(
        self, store: Store, cases: Sequence[Case], extractor: str, clip: str, *, compare: bool
    ) -> None:
        super().__init__(store, cases, extractor, clip)
        self.compare = compare
        self._errors_by_row = dict[str, list[list[float]]]()
        self._pictures_by_row = dict[str, FeatureSets]()
        self._hands_by_row = dict[str, _OfPeople | None]()

    def figures(self, group: str) -> Figures:
        """Of one row: means with intervals; what cannot be taken is left out.

        None is taken against the person of a case where T2H draws another.
        """
        figures = self.of_records(group) | self.clipsim(group)
        if group != DRAWN:
            figures |= self.mpjpe(group)
        reviews = self.reviews(group)
        if reviews is not None:
            scores = [one["score"] for record in reviews for one in record["found"]]
            if scores:
                figures["confidence"] = mean_estimate("confidence", np.array(scores))
            if group != DRAWN and (errors := self.hand_figure(group)) is not None:
                figures["hand_error"] = errors
        if group != ORIGINAL and self.compare:
            figures |= self.distances(self.pictures(ORIGINAL), self.pictures(group), "")
            real, painted = self._hands(ORIGINAL), self._hands(group)
            if real is not None and painted is not None:
                figures |= self.distances(real.features, painted.features, "-h")
        return figures

    def difference(self, of: str, less: str) -> Figures:
        """One row less another of the same people: hand errors, distances, and what every study has."""
        figures = super().difference(of, less)
        errors = self._hand_errors(of), self._hand_errors(less)
        if len(errors[0]) and len(errors[1]):
            figures["hand_error"] = mean_estimate("Δ hand error", errors[0] - errors[1])
        if self.compare and DRAWN not in (of, less):
            everyone = np.arange(len(self.cases))
            real, ours, theirs = (_OfPeople(self.pictures(row), everyone) for row in (ORIGINAL, of, less))
            figures |= self._apart(real, ours, theirs, "")
            real, ours, theirs = self._hands(ORIGINAL), self._hands(of), self._hands(less)
            if real is not None and ours is not None and theirs is not None:
                figures |= self._apart(real, ours, theirs, "-h")
        return figures

    def _apart(self, real: _OfPeople, ours: _OfPeople, theirs: _OfPeople, of: str) -> Figures:
        """By every extractor how much farther from ``real`` the one is than the other; people redrawn."""
        kid, fid = (
            partial(difference, inputs=(real.people, ours.people, theirs.people))
            for difference in (kernel_distance_difference, frechet_distance_difference)
        )
        return self.by_extractor((real.features, ours.features, theirs.features), of, kid, fid)

    def hand_figure(self, group: str, hands: Collection[tuple[str, Side]] | None = None) -> Estimate | None:
        """The mean hand error of a row, of all its hands or of some; None where there is none."""
        errors = self._hand_errors(group, hands)
        return mean_estimate("hand error", errors) if len(errors) else None

    def _hand_errors(
        self, group: str, hands: Collection[tuple[str, Side]] | None = None
    ) -> Float[np.ndarray, "n"]:
        """Of every hand of the parameters, how far off it is found; nothing of a row without a review."""
        if group not in self._errors_by_row:
            reviews = self.reviews(group) or ()
            self._errors_by_row[group] = [_of_case(*pair) for pair in zip(self.cases, reviews, strict=False)]
        return np.array(
            [
                error
                for case, errors in zip(self.cases, self._errors_by_row[group], strict=False)
                for side, error in zip(case.parameters, errors, strict=True)
                if hands is None or (case.name, side) in hands
            ]
        )

    def pictures(self, group: str) -> FeatureSets:
        """Features of every picture of a group, taken once."""
        if group not in self._pictures_by_row:
            self._pictures_by_row[group] = super().pictures(group)
        return self._pictures_by_row[group]

    def _hands(self, group: str) -> _OfPeople | None:
        """Features of the hands that are found; None where there is none."""
        if group not in self._hands_by_row:
            found = [
                (k, hand_crop(self.store.crop(group, case.name), _box(one["landmarks_px"])))
                for k, (case, record) in enumerate(zip(self.cases, self.reviews(group) or (), strict=False))
                for one in record["found"]
            ]
            people = np.array([k for k, _ in found])
            self._hands_by_row[group] = (
                _OfPeople(self.features_of(lambda: (crop for _, crop in found)), people) if found else None
            )
        return self._hands_by_row[group]


def _of_case(case: Case, review: Record) -> list[float]:
    found = [np.array(one["landmarks_px"], float) for one in review["found"]]
    return [hand_error(hand_landmarks_px(hand), found) for hand in case.parameters.values()]


def hand_error(wanted: Float[np.ndarray, "21 2"], found: Sequence[Float[np.ndarray, "21 2"]]) -> float:
    """Mean distance of the nearest found hand's landmarks, in lengths of the wanted hand's box, at most 1."""
    length = float(np.ptp(wanted, axis=0).max())
    away = [float(np.linalg.norm(points - wanted, axis=1).mean()) / length for points in found]
    return min([MISSED, *away])


def _box(landmarks_px: Sequence[Sequence[float]]) -> Box:
    points = np.array(landmarks_px, float)
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return float(x0), float(y0), float(x1), float(y1)
