"""Measures of one set of pictures against another: what to take, one pass over each set, the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from handwright.errors import InvalidValueError, NotEnoughDataError, UsageError
from handwright.metrics.clipsim import similarities, text_features
from handwright.metrics.detection import confidence_where_found, detection_confidence, found_rate
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.features import FeatureExtractor, TextImageEncoder
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.gather import Gathered, HandFinder, Wanted, gather
from handwright.metrics.joints import miss_rate, mpjpe, pck
from handwright.metrics.kernel import kernel_distance
from handwright.metrics.paired_hands import pair_hands
from handwright.metrics.results import Evaluation, Failed

WHOLE = ("kid", "fid")
"""Measured when nothing is asked for."""

HANDS = ("kid-h", "fid-h", "det", "mpjpe", "pck")
"""Measured besides when hands are asked for."""

FOREGROUND = ("kid-fg", "fid-fg")
"""Measured besides when there are masks."""

METRICS = (*WHOLE, *HANDS, *FOREGROUND, "clipsim")
"""Everything that may be asked for by name."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        metrics: Names of :data:`METRICS`; empty: what fits the other settings and the number of pictures.
        hands: Also look for hands and measure them.
        masks: Folders of the real and the fake pictures' foreground masks.
        seed: Of every bootstrap.
    """

    metrics: tuple[str, ...] = ()
    hands: bool = False
    masks: tuple[Path, Path] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [metric for metric in self.metrics if metric not in METRICS]
        if unknown:
            raise UsageError(f"there is no metric {unknown[0]}", "", f"choose among {', '.join(METRICS)}")
        if self.masks is None and any(metric in FOREGROUND for metric in self.metrics):
            raise UsageError("kid-fg and fid-fg need masks", "", "give --masks REAL_MASKS FAKE_MASKS")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Metrics to take, each once."""
        given = self.metrics or (*WHOLE, *(FOREGROUND if self.masks else ()))
        return tuple(dict.fromkeys([*given, *(HANDS if self.hands else ())]))

    @property
    def needs_extractor(self) -> bool:
        """Whether any of them compares features."""
        return any(metric not in ("det", "mpjpe", "pck") for metric in self.chosen)

    @property
    def needs_finder(self) -> bool:
        """Whether any of them looks for hands."""
        return any(metric in HANDS for metric in self.chosen)


@dataclass(frozen=True, eq=False)
class _Sets:
    real: Gathered
    fake: Gathered
    extractor: FeatureExtractor | None
    seed: int


def evaluate_sets(
    real: Mapping[str, Path],
    fake: Mapping[str, Path],
    plan: Plan,
    extractor: FeatureExtractor | None,
    finder: HandFinder | None,
    on_picture: Callable[[], None] = lambda: None,
) -> Evaluation:
    """Measure one set of pictures against another.

    Args:
        real: File of each reference picture by name.
        fake: File of each picture to judge by name; equal names belong together.
        plan: What to measure.
        extractor: For features; needed when ``plan.needs_extractor``.
        finder: For hands; needed when ``plan.needs_finder``.
        on_picture: Called after each file that was read.

    Raises:
        NotEnoughDataError: Nothing at all could be measured.
        UsageError: CLIPSIM without an extractor that reads text.
    """
    if "clipsim" in plan.chosen and not hasattr(extractor, "texts"):
        raise UsageError("clipsim needs an extractor that reads text", "", "give --extractor clip:DIR")
    paired = frozenset(real) & frozenset(fake) if {"mpjpe", "pck"} & set(plan.chosen) else frozenset[str]()
    masks = plan.masks or (None, None)
    gathered = [
        gather(named, _wanted(plan, compared, mask), extractor, finder, on_picture)
        for named, compared, mask in ((real, paired, masks[0]), (fake, frozenset[str](), masks[1]))
    ]
    sets = _Sets(*gathered, extractor=extractor, seed=plan.seed)
    estimates, failed = _measure(sets, plan)
    skipped = (*sets.real.skipped, *sets.fake.skipped)
    left_out = [] if plan.metrics else [f"{f.metric} was left out: {f.reason}" for f in failed]
    if not estimates:
        first = failed[0].reason if failed else "no measure was asked for"
        raise NotEnoughDataError("nothing could be measured", first)
    return Evaluation(
        tuple(estimates),
        len(sets.real.pictures),
        len(sets.fake.pictures),
        tuple(failed) if plan.metrics else (),
        skipped,
        (*left_out, *_notes(sets)),
    )


def _wanted(plan: Plan, compared: frozenset[str], masks: Path | None) -> Wanted:
    chosen = plan.chosen
    return Wanted(
        whole=any(metric in (*WHOLE, "clipsim") for metric in chosen),
        crops=any(metric in ("kid-h", "fid-h") for metric in chosen),
        hands=plan.needs_finder,
        compared=compared,
        masks=masks if any(metric in FOREGROUND for metric in chosen) else None,
    )


def _measure(sets: _Sets, plan: Plan) -> tuple[list[Estimate], list[Failed]]:
    estimates: list[Estimate] = []
    failed: list[Failed] = []
    for metric in plan.chosen:
        try:
            estimates += _MEASURES[metric](sets)
        except (NotEnoughDataError, InvalidValueError) as error:
            failed.append(Failed(metric, str(error).rstrip(".")))
    return estimates, failed


def _distance(part: str, kind: str) -> Callable[[_Sets], list[Estimate]]:
    """KID or FID of one kind of features; ``part`` names the attribute of ``Gathered``."""

    def measure(sets: _Sets) -> list[Estimate]:
        name = f"{kind}[{cast('FeatureExtractor', sets.extractor).name}]"
        reference, measured = getattr(sets.real, part), getattr(sets.fake, part)
        if not len(reference) or not len(measured):
            raise NotEnoughDataError(f"{name} has nothing to measure", "one of the sets is empty")
        distance = kernel_distance if kind.startswith("kid") else frechet_distance
        return [distance(reference, measured, name=name, seed=sets.seed)]

    return measure


def _detection(sets: _Sets) -> list[Estimate]:
    estimates: list[Estimate] = []
    for label, gathered in (("real", sets.real), ("fake", sets.fake)):
        seen = [picture.hands for picture in gathered.pictures.values()]
        told = [found_rate(seen, seed=sets.seed), detection_confidence(seen, seed=sets.seed)]
        if any(seen):
            told.append(confidence_where_found(seen, seed=sets.seed))
        estimates += [Estimate(f"{e.name} {label}", e.value, e.low, e.high, e.n) for e in told]
    return estimates


def _joint_errors(sets: _Sets) -> list[Estimate]:
    pairs = pair_hands(sets.real, sets.fake)
    return [
        mpjpe(pairs.errors, "% hand", seed=sets.seed),
        mpjpe(pairs.floor, "% hand", name="mpjpe-floor", seed=sets.seed),
        mpjpe(pairs.errors, "px", seed=sets.seed),
        mpjpe(pairs.floor, "px", name="mpjpe-floor", seed=sets.seed),
        miss_rate(pairs.errors, seed=sets.seed),
    ]


def _correct_keypoints(sets: _Sets) -> list[Estimate]:
    return [pck(pair_hands(sets.real, sets.fake).errors, seed=sets.seed)]


def _clipsim(sets: _Sets) -> list[Estimate]:
    encoder = cast("TextImageEncoder", sets.extractor)
    files = [picture.path.with_suffix(".txt") for picture in sets.fake.pictures.values()]
    there = np.array([file.is_file() for file in files], bool)
    name = f"clipsim[{encoder.name}]"
    if not there.any():
        raise NotEnoughDataError(
            f"{name} needs captions", "no fake picture has a NAME.txt beside it", "write them"
        )
    captions = [
        file.read_text("utf-8").strip() for file, is_there in zip(files, there, strict=True) if is_there
    ]
    values = similarities(sets.fake.whole[there], text_features(captions, encoder))
    return [mean_estimate(name, values, seed=sets.seed)]


_MEASURES: dict[str, Callable[[_Sets], list[Estimate]]] = {
    "kid": _distance("whole", "kid"),
    "fid": _distance("whole", "fid"),
    "kid-h": _distance("hands", "kid-h"),
    "fid-h": _distance("hands", "fid-h"),
    "kid-fg": _distance("foreground", "kid-fg"),
    "fid-fg": _distance("foreground", "fid-fg"),
    "det": _detection,
    "mpjpe": _joint_errors,
    "pck": _correct_keypoints,
    "clipsim": _clipsim,
}


def _notes(sets: _Sets) -> list[str]:
    notes: list[str] = []
    sizes = [sorted({picture.size_px for picture in g.pictures.values()}) for g in (sets.real, sets.fake)]
    if sizes[0] != sizes[1] or len(sizes[0]) > 1:
        told = " against ".join(_sizes(group) for group in sizes)
        notes.append(f"Pictures differ in size ({told}): resizing alone moves KID and FID.")
    kinds = [_suffixes(g) for g in (sets.real, sets.fake)]
    if kinds[0] != kinds[1]:
        told = " against ".join(", ".join(group) or "none" for group in kinds)
        notes.append(f"Pictures differ in file format ({told}): compression alone moves KID and FID.")
    return notes


def _sizes(sizes: Sequence[tuple[int, int]]) -> str:
    if not sizes:
        return "none"
    told = f"{sizes[0][0]} × {sizes[0][1]}"
    return told if len(sizes) == 1 else f"{len(sizes)} sizes from {told} to {sizes[-1][0]} × {sizes[-1][1]}"


def _suffixes(gathered: Gathered) -> list[str]:
    told = {picture.path.suffix.lower().lstrip(".") for picture in gathered.pictures.values()}
    return sorted({"jpeg" if suffix in ("jpg", "jpe") else suffix for suffix in told})
