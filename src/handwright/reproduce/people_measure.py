"""Figures of painted people: pose error, text, look, review, time; differences of two rows are paired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError, NotEnoughDataError
from handwright.metrics.average_precision import FoundPerson, dap
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import extract, similarities, text_features
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.kernel import kernel_distance
from handwright.metrics.pose_error import (
    PoseError,
    distances,
    mpjpe_of,
    nearest_person,
    pose_error,
    wanted_points,
)
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.reproduce.people_bench import ORIGINAL, PEOPLE, REVIEW
from handwright.reproduce.people_cases import Case
from handwright.reproduce.store import Record, Store

Figures = dict[str, Estimate]

FeatureSets = tuple[Float[np.ndarray, "n d"], ...]
"""Features of the same pictures by every extractor of a gauge."""

IMAGENET = "imagenet"
"""Extractor, and ending of the names of figures, of the second distances: two extractors are to agree."""

_ROUNDS = 500  # Of DAP's bootstrap, the slowest


def missing_fid(figures: Iterable[Figures], names: Mapping[str, str], needs: int) -> str:
    """A sentence on every FID that no row has while KID, of the same sets, is given; '' where there is none.

    Args:
        figures: Of every row.
        names: By the key of an FID, what the page calls it.
        needs: Pictures that it needs of each set at least.
    """
    keys = {key for row in figures for key in row}
    left_out = [name for key, name in names.items() if key not in keys and key.replace("fid", "kid") in keys]
    if not left_out:
        return ""
    verb = "is" if len(left_out) == 1 else "are"
    return (
        f"{' and '.join(left_out)} {verb} not given: a covariance needs more pictures than features, "
        f"{needs} or more of each set."
    )


class PeopleGauge:
    """Takes figures of rows of one study.

    Args:
        store: What was painted, and who was found in it.
        cases: The people.
        extractor: Name of the features behind KID and FID; ImageNet's stand beside them.
        clip: Name of the text and picture features behind CLIPSIM; none is taken where they are not there.
    """

    def __init__(self, store: Store, cases: Sequence[Case], extractor: str, clip: str) -> None:
        self.store, self.cases = store, cases
        self.sizes = [case.size for case in cases]
        self.poses = [case.completed.pose for case in cases]
        self.extractors = {"": open_extractor(extractor), f"-{IMAGENET}": open_extractor(IMAGENET)}
        self.clip = None
        with suppress(MissingModelError):
            self.clip = open_extractor(clip)

    def figures(self, group: str) -> Figures:
        """Of one row: means with intervals; what cannot be taken is left out."""
        figures = self.mpjpe(group) | self._detections(group) | self.of_records(group) | self.clipsim(group)
        if group != ORIGINAL:
            figures |= self.distances(self._original_people, self._people(group), "-fg")
        return figures

    def mpjpe(self, group: str) -> Figures:
        """Mean errors of a row's poses, of the body and of hands."""
        body, hands = mpjpe_of(self.poses, self._found(group), self.sizes)
        return {"mpjpe": body, "mpjpe_hands": hands}

    def hands_below(self, group: str, below_px: float) -> Figures:
        """Mean error of hands whose wanted points have a box of a smaller longer side than this.

        Each hand counts once, its points as in ``pose_error``; nothing where there is no such hand.
        """
        values: list[float] = []
        for pose, people, size in zip(self.poses, self._found(group), self.sizes, strict=True):
            wanted = wanted_points(pose, *size)
            off = distances(wanted, nearest_person(wanted, people))
            for hand in HANDS.values():
                known = wanted[hand][(wanted[hand] != 0).any(1)]
                if len(known) and np.ptp(known, axis=0).max() < below_px:
                    values.append(float(np.nanmean(off[hand])))
        return {"mpjpe_small": mean_estimate("mpjpe of small hands", np.array(values))} if values else {}

    def _detections(self, group: str) -> Figures:
        """How many hands are found again, and DAP."""
        found, errors = self._found(group), self._errors(group)
        again = [error.hands_found / error.hands_wanted for error in errors if error.hands_wanted]
        figures = {"found": mean_estimate("hands found", np.array(again))}
        if find_spec("pycocotools") is not None:
            wanted = [[wanted_points(pose, *size)] for pose, size in zip(self.poses, self.sizes, strict=True)]
            people = [[FoundPerson(p.points_px, float(p.visibility.mean())) for p in row] for row in found]
            figures["dap"], figures["dap_hands"] = (
                dap(wanted, people, points, rounds=_ROUNDS) for points in (133, 42)
            )
        return figures

    def of_records(self, group: str) -> Figures:
        """What was noted as a row was painted and reviewed: seconds, masks, hands that pass."""
        records, figures = self.records(group), Figures()
        for key in ("seconds", "mask_iou"):
            values = [record[key] for record in records if record.get(key) is not None]
            if values:
                figures[key] = mean_estimate(key, np.array(values, float))
        if (passes := self._passes(group)) is not None:
            figures["passes"] = mean_estimate("hands that pass", passes)
        return figures | self._passes_without_text(group)

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

    def reviews(self, group: str) -> list[Record] | None:
        """The review of every picture of a row; None where they were not all reviewed."""
        names = [case.name for case in self.cases]
        if not all(self.store.has(f"{group}{REVIEW}", name) for name in names):
            return None
        return self.records(f"{group}{REVIEW}")

    def _passes(self, group: str) -> Float[np.ndarray, "n"] | None:
        """Of each picture the hands that pass, as a share of those wanted or seen, whichever are more."""
        records = self.reviews(group)
        if records is None:
            return None
        counts = [(r["verdicts"].count("pass"), max(len(r["verdicts"]), r["wanted"])) for r in records]
        return np.array([passed / hands for passed, hands in counts])

    def _passes_without_text(self, group: str) -> Figures:
        """Share of the hands seen that pass whatever the text states; nothing where no hand is seen."""
        verdicts = [record["verdicts_without_text"] for record in self.reviews(group) or ()]
        passed = np.array([one == "pass" for picture in verdicts for one in picture], float)
        if not passed.size:
            return {}
        of_picture = np.repeat(np.arange(len(verdicts)), [len(picture) for picture in verdicts])
        return {"passes_without_text": mean_estimate("seen hands that pass", passed, of_picture)}

    def clipsim(self, group: str) -> Figures:
        """How well a row's pictures fit their texts; nothing without the features."""
        if self.clip is None:
            return {}
        pictures = extract((self.store.crop(group, case.name) for case in self.cases), self.clip)
        texts = text_features([case.caption for case in self.cases], self.clip)  # pyright: ignore[reportArgumentType]
        return {"clipsim": mean_estimate("clipsim", similarities(pictures, texts))}

    def distances(self, real: FeatureSets, painted: FeatureSets, of: str) -> Figures:
        """``kid`` + ``of`` by every extractor, ``fid`` + ``of`` by the first; none of too small sets."""
        return self.by_extractor((real, painted), of, kernel_distance, frechet_distance)

    def by_extractor(
        self,
        sets: Sequence[FeatureSets],
        of: str,
        kid: Callable[..., Estimate],
        fid: Callable[..., Estimate],
    ) -> Figures:
        """``kid`` + ``of`` of the sets by every extractor, ``fid`` + ``of`` by the first."""
        figures: Figures = {}
        for (ending, extractor), *features in zip(self.extractors.items(), *sets, strict=True):
            for kind, measured in {"kid": kid}.items() if ending else {"kid": kid, "fid": fid}.items():
                with suppress(NotEnoughDataError):
                    name = f"{kind}{of}[{extractor.name}]"
                    figures[f"{kind}{of}{ending}"] = measured(*features, name=name)
        return figures

    @cached_property
    def fid_needs(self) -> int:
        """Pictures that FID needs of each set at least: one more than the first extractor has features."""
        first = self.store.crop(ORIGINAL, self.cases[0].name)
        return extract([first], self.extractors[""]).shape[1] + 1

    @cached_property
    def _original_people(self) -> FeatureSets:
        return self._people(ORIGINAL)

    def _people(self, group: str) -> FeatureSets:
        """Features of the people of every picture of a row, without what is around them."""
        return self.pictures(f"{group}{PEOPLE}")

    def pictures(self, group: str) -> FeatureSets:
        """Features of every picture of a group."""
        return self.features_of(lambda: (self.store.crop(group, case.name) for case in self.cases))

    def features_of(self, pictures: Callable[[], Iterable[UInt8[np.ndarray, "h w 3"]]]) -> FeatureSets:
        """Features of pictures, which are asked for once an extractor: never all of them are in memory."""
        return tuple(extract(pictures(), extractor) for extractor in self.extractors.values())

    def records(self, group: str) -> list[Record]:
        """The record of every unit of a group."""
        return [self.store.record(group, case.name) for case in self.cases]

    def _found(self, group: str) -> list[list[BodyPose]]:
        rows = [self.store.record(f"{group}{PEOPLE}", case.name)["found"] for case in self.cases]
        return [[BodyPose.from_wholebody(np.array(points, float)) for points in people] for people in rows]

    def _errors(self, group: str) -> list[PoseError]:
        return [
            pose_error(pose, people, *size)
            for pose, people, size in zip(self.poses, self._found(group), self.sizes, strict=True)
        ]
