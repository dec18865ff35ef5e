"""Measures of one set of pictures against another, and paired differences between two treatments."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from handwright.errors import InvalidValueError, NotEnoughDataError, UsageError
from handwright.metrics.estimate import Estimate, paired_difference
from handwright.metrics.extractors.features import FeatureExtractor
from handwright.metrics.joints import correct_share, in_unit
from handwright.metrics.kernel import kernel_distance_difference
from handwright.metrics.results import Evaluation, Failed
from handwright.metrics.sets.gather import Gathered, HandFinder, Wanted, gather
from handwright.metrics.sets.items import Item
from handwright.metrics.sets.measures import MEASURES, Sets, similarity_of_captions
from handwright.metrics.sets.paired import pair_hands

WHOLE = ("kid", "fid")  # Measured when no name is given

HANDS = ("kid-h", "fid-h", "det", "mpjpe", "pck")  # Measured in addition for hands

FOREGROUND = ("kid-fg", "fid-fg")  # Measured besides when masks are given

PEOPLE = ("dap", "mpjpe-body")  # Of people that are labelled on both sides

POSES = ("pose-fid", "diversity")  # Of poses of hands that are labelled on both sides

METRICS = (*WHOLE, *HANDS, *FOREGROUND, "clipsim", *PEOPLE, *POSES)  # The name of every measure of pictures


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    # Names of :data:`METRICS`; empty: what fits the other settings and the number of pictures
    metrics: tuple[str, ...] = ()
    hands: bool = False  # Also look for hands and measure them
    foreground: bool = False  # Also measure pictures without their background
    seed: int = 0  # Of every bootstrap

    def __post_init__(self) -> None:
        unknown = [metric for metric in self.metrics if metric not in METRICS]
        if unknown:
            raise UsageError(f"there is no metric {unknown[0]}", "", f"choose among {', '.join(METRICS)}")

    @property
    def chosen(self) -> tuple[str, ...]:
        """Metrics to take, each once."""
        given = self.metrics or WHOLE
        besides = (*(FOREGROUND if self.foreground else ()), *(HANDS if self.hands else ()))
        return tuple(dict.fromkeys([*given, *besides]))

    def needs(self, *metrics: str) -> bool:
        """Whether any of these is to be taken."""
        return not set(metrics).isdisjoint(self.chosen)

    @property
    def needs_extractor(self) -> bool:
        """Whether any of them compares features."""
        return self.needs(*WHOLE, "kid-h", "fid-h", *FOREGROUND, "clipsim")

    @property
    def needs_finder(self) -> bool:
        """Whether any of them needs hands to be detected."""
        return self.needs(*HANDS)

    @property
    def needs_pairs(self) -> bool:
        """Whether any of them compares the hands of pictures of one name."""
        return self.needs("mpjpe", "pck")


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
    "kid": _kernel, "det": _detection, "mpjpe": _joint_errors, "pck": _correct_keypoints, "clipsim": _clipsim,
}  # fmt: skip


Items = Mapping[str, Item]

SETS = ("real", "fake", "versus")  # What the sets of an evaluation are called, in order


def evaluate_sets(
    real: Items,
    fake: Items,
    plan: Plan,
    extractor: FeatureExtractor | None,
    finder: HandFinder | None,
    on_picture: Callable[[], None] = lambda: None,
    versus: Items | None = None,
) -> Evaluation:
    """Measure one set of pictures by name against another; ``versus``, of FAKE's inputs, adds differences.

    Raises:
        NotEnoughDataError: Nothing at all could be measured.
        UsageError: CLIPSIM without an extractor that reads text, or foregrounds without masks.
    """
    check_sets(plan, extractor, (real, fake))
    paired = names_compared(plan, real, fake)
    gathered = [
        gather(named, wanted_of(plan, called, paired), extractor, finder, on_picture)
        for called, named in zip(SETS, (real, fake, versus), strict=True)
        if named is not None
    ]
    return measure_sets(gathered, plan, extractor)


def measure_sets(gathered: Sequence[Gathered], plan: Plan, extractor: FeatureExtractor | None) -> Evaluation:
    """Measure what was taken of the pictures of two sets, or three, in the order of ``SETS``.

    Raises:
        NotEnoughDataError: Nothing at all could be measured.
    """
    sets = Sets(*gathered[:2], extractor=extractor, seed=plan.seed)
    other = gathered[2] if len(gathered) > 2 else None
    estimates, failed = _measure(sets, plan, other)
    if not estimates:
        raise NotEnoughDataError("nothing could be measured", _why(failed, gathered))
    left_out = [f for f in failed if f.metric.removeprefix("Δ ") not in plan.metrics]
    return Evaluation(
        estimates=tuple(estimates),
        n_real=len(sets.real.pictures),
        n_fake=len(sets.fake.pictures),
        failed=tuple(f for f in failed if f not in left_out),
        skipped=tuple(skipped for group in gathered for skipped in group.skipped),
        notes=(*(f"{f.metric} was left out: {f.reason}." for f in left_out), *_notes(gathered)),
    )


def check_sets(plan: Plan, extractor: FeatureExtractor | None, sets: Sequence[Items]) -> None:
    """Refuse measures for which something is missing.

    Raises:
        UsageError: CLIPSIM without an extractor that reads text, or foregrounds without masks.
    """
    if plan.needs("clipsim") and not hasattr(extractor, "texts"):
        raise UsageError(
            "clipsim needs an extractor that reads text", "", "give --extractor clip-hw-v1 or clip:DIR"
        )
    bare = any(item.inside is None for named in sets for item in named.values())
    if plan.needs(*FOREGROUND) and bare:
        raise UsageError("kid-fg and fid-fg need masks", "", "give --masks REAL_MASKS FAKE_MASKS, or shards")


def names_compared(plan: Plan, real: Items, fake: Items) -> frozenset[str]:
    """Names of the pictures whose hands are compared one by one."""
    return frozenset(real) & frozenset(fake) if plan.needs_pairs else frozenset[str]()


def wanted_of(plan: Plan, called: str, paired: frozenset[str]) -> Wanted:
    """What a plan takes of the pictures of a set.

    Args:
        plan: What to measure.
        called: One of ``SETS``.
        paired: See ``names_compared``.
    """
    compared = plan.needs_finder and called != "versus"
    return Wanted(
        whole=plan.needs(*WHOLE) or (plan.needs("clipsim") and called != "real"),
        crops=plan.needs("kid-h", "fid-h") and called != "versus",
        foreground=plan.needs(*FOREGROUND) and called != "versus",
        hands=compared or plan.needs("det", "mpjpe", "pck"),
        compared=paired if called == "real" else frozenset[str](),
        people=plan.needs(*PEOPLE) and called != "versus",
        poses=plan.needs(*POSES) and called != "versus",
        captions=plan.needs("clipsim") and called != "real",
    )


def _measure(sets: Sets, plan: Plan, other: Gathered | None) -> tuple[list[Estimate], list[Failed]]:
    estimates: list[Estimate] = []
    failed: list[Failed] = []
    for metric in plan.chosen:
        try:
            estimates += MEASURES[metric](sets)
        except (NotEnoughDataError, InvalidValueError) as error:
            failed.append(Failed(metric, str(error).rstrip(".")))
            continue
        try:
            estimates += differences(sets, other, metric) if other is not None else []
        except (NotEnoughDataError, InvalidValueError) as error:
            failed.append(Failed(f"Δ {metric}", str(error).rstrip(".")))
    return estimates, failed


def _why(failed: Sequence[Failed], gathered: Sequence[Gathered]) -> str:
    """Why there is no figure: the first reason, and the first picture that is missing."""
    skipped = [skipped for group in gathered for skipped in group.skipped]
    reason = failed[0].reason if failed else "no measure was requested"
    if not skipped:
        return reason
    return (
        f"{reason}; {len(skipped)} files were skipped, the first was {skipped[0].path}: {skipped[0].reason}"
    )


def _notes(gathered: Sequence[Gathered]) -> list[str]:
    notes: list[str] = []
    groups = [list(group.pictures.values()) for group in gathered]
    same = {picture.path for picture in groups[0]} & {picture.path for picture in groups[1]}
    if same:
        notes.append(f"{len(same)} of the fake pictures are the real ones themselves.")
    sizes = [sorted({picture.size_px for picture in group}) for group in groups]
    if len({tuple(group) for group in sizes}) > 1 or len(sizes[0]) > 1:
        listed = " against ".join(_sizes(group) for group in sizes)
        notes.append(f"Pictures differ in size ({listed}): resizing alone moves KID and FID.")
    kinds = [sorted({picture.kind for picture in group}) for group in groups]
    if len({tuple(group) for group in kinds}) > 1:
        listed = " against ".join(", ".join(group) or "none" for group in kinds)
        notes.append(f"Pictures differ in file format ({listed}): compression alone moves KID and FID.")
    modes = Counter(picture.mode for group in groups for picture in group if picture.mode != "RGB")
    if modes:
        listed = ", ".join(f"{count} {mode}" for mode, count in sorted(modes.items()))
        notes.append(f"Some are not stored as 8-bit RGB ({listed}): measured as sRGB, without their alpha.")
    return notes


def _sizes(sizes: Sequence[tuple[int, int]]) -> str:
    if not sizes:
        return "none"
    smallest, largest = (f"{width} × {height}" for width, height in (sizes[0], sizes[-1]))
    return smallest if len(sizes) == 1 else f"{len(sizes)} sizes from {smallest} to {largest}"
