"""Figures of painted people: pose error, text, look, review, time; differences of two rows are paired."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float

from handwright.errors import MissingModelError, NotEnoughDataError
from handwright.metrics.average_precision import FoundPerson, dap
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import extract, similarities, text_features
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.kernel import kernel_distance
from handwright.metrics.pose_error import PoseError, mpjpe_of, pose_error, wanted_points
from handwright.perception.body.body_pose import BodyPose
from handwright.reproduce.people_bench import ORIGINAL, REVIEW
from handwright.reproduce.people_cases import Case
from handwright.reproduce.store import Record, Store

Figures = dict[str, Estimate]

_ROUNDS = 500  # Of DAP's bootstrap, the slowest


class PeopleGauge:
    """Takes figures of rows of one study.

    Args:
        store: What was painted, and who was found in it.
        cases: The people.
        extractor: Name of the features behind KID and FID.
        clip: Name of the text and picture features behind CLIPSIM; none is taken where they are not there.
    """

    def __init__(self, store: Store, cases: Sequence[Case], extractor: str, clip: str) -> None:
        self.store, self.cases = store, cases
        self.sizes = [case.size for case in cases]
        self.poses = [case.completed.pose for case in cases]
        self.look = open_extractor(extractor)
        self.clip = None
        with suppress(MissingModelError):
            self.clip = open_extractor(clip)
        self.people = {ORIGINAL: self.people_features(ORIGINAL)}

    def figures(self, group: str) -> Figures:
        """Of one row: means with intervals; what cannot be taken is left out."""
        found, records = self._found(group), self.records(group)
        errors = self._errors(group)
        again = [error.hands_found / error.hands_wanted for error in errors if error.hands_wanted]
        figures: Figures = {}
        body, hands = mpjpe_of(self.poses, found, self.sizes)
        figures |= {"mpjpe": body, "mpjpe_hands": hands}
        figures["found"] = mean_estimate("hands found", np.array(again))
        if find_spec("pycocotools") is not None:
            wanted = [[wanted_points(pose, *size)] for pose, size in zip(self.poses, self.sizes, strict=True)]
            people = [[FoundPerson(p.points_px, float(p.visibility.mean())) for p in row] for row in found]
            figures["dap"], figures["dap_hands"] = (
                dap(wanted, people, points, rounds=_ROUNDS) for points in (133, 42)
            )
        for key in ("seconds", "mask_iou"):
            values = [record[key] for record in records if record.get(key) is not None]
            if values:
                figures[key] = mean_estimate(key, np.array(values, float))
        if (passes := self._passes(group)) is not None:
            figures["passes"] = mean_estimate("hands that pass", passes)
        return figures | self._clipsim(group) | self._distances(group)

    def difference(self, of: str, less: str) -> Figures:
        """One row less another of the same poses: pose errors, and masks where both have one."""
        figures: Figures = {}
        pairs = list(zip(self._errors(of), self._errors(less), strict=True))
        for key in ("mpjpe", "mpjpe_hands"):
            apart = np.array([getattr(a, key) - getattr(b, key) for a, b in pairs])
            if np.isfinite(apart).any():
                figures[key] = mean_estimate(f"Δ {key}", apart[np.isfinite(apart)])
        passes = self._passes(of), self._passes(less)
        if passes[0] is not None and passes[1] is not None:
            figures["passes"] = mean_estimate("Δ hands that pass", passes[0] - passes[1])
        masks = [
            a["mask_iou"] - b["mask_iou"]
            for a, b in zip(self.records(of), self.records(less), strict=True)
            if "mask_iou" in a and "mask_iou" in b
        ]
        if masks:
            figures["mask_iou"] = mean_estimate("Δ mask IoU", np.array(masks))
        return figures

    def _passes(self, group: str) -> Float[np.ndarray, "n"] | None:
        """Of each picture the hands that pass, as a share of those wanted or seen, whichever are more."""
        names = [case.name for case in self.cases]
        if not all(self.store.has(f"{group}{REVIEW}", name) for name in names):
            return None
        records = [self.store.record(f"{group}{REVIEW}", name) for name in names]
        counts = [(r["verdicts"].count("pass"), max(len(r["verdicts"]), r["wanted"])) for r in records]
        return np.array([passed / hands for passed, hands in counts])

    def _clipsim(self, group: str) -> Figures:
        if self.clip is None:
            return {}
        pictures = extract((self.store.crop(group, case.name) for case in self.cases), self.clip)
        texts = text_features([case.caption for case in self.cases], self.clip)  # pyright: ignore[reportArgumentType]
        return {"clipsim": mean_estimate("clipsim", similarities(pictures, texts))}

    def _distances(self, group: str) -> Figures:
        """KID and FID of people without what is around them, from those of the pictures."""
        if group == ORIGINAL:
            return {}
        people, figures = self.people_features(group), Figures()
        for key, distance in (("kid", kernel_distance), ("fid", frechet_distance)):
            with suppress(NotEnoughDataError):
                figures[key] = distance(self.people[ORIGINAL], people, name=f"{key}-fg[{self.look.name}]")
        return figures

    def people_features(self, group: str) -> Float[np.ndarray, "n d"]:
        """Features of the people of every picture of a row, on grey."""
        return extract((self.store.crop(f"{group}-people", case.name) for case in self.cases), self.look)

    def records(self, group: str) -> list[Record]:
        """The record of every unit of a group."""
        return [self.store.record(group, case.name) for case in self.cases]

    def _found(self, group: str) -> list[list[BodyPose]]:
        rows = [self.store.record(f"{group}-people", case.name)["found"] for case in self.cases]
        return [[BodyPose.from_wholebody(np.array(points, float)) for points in people] for people in rows]

    def _errors(self, group: str) -> list[PoseError]:
        return [
            pose_error(pose, people, *size)
            for pose, people, size in zip(self.poses, self._found(group), self.sizes, strict=True)
        ]
