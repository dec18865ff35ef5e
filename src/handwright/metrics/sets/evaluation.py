"""Measures of one set of pictures against another: one pass over each set, then the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from handwright.errors import InvalidValueError, NotEnoughDataError, UsageError
from handwright.metrics.extractors.features import FeatureExtractor
from handwright.metrics.results import Evaluation, Failed
from handwright.metrics.sets.comparison import differences
from handwright.metrics.sets.gather import Gathered, HandFinder, Wanted, gather
from handwright.metrics.sets.items import Item
from handwright.metrics.sets.measures import MEASURES, Sets
from handwright.metrics.sets.plan import FOREGROUND, PEOPLE, POSES, WHOLE, Plan
from handwright.metrics.statistics.estimate import Estimate

Items = Mapping[str, Item]


def evaluate_sets(
    real: Items,
    fake: Items,
    plan: Plan,
    extractor: FeatureExtractor | None,
    finder: HandFinder | None,
    on_picture: Callable[[], None] = lambda: None,
    versus: Items | None = None,
) -> Evaluation:
    """Measure one set of pictures against another.

    Args:
        real: Each reference picture by name.
        fake: Each picture to judge by name; equal names belong together.
        plan: What to measure.
        extractor: For features; needed when ``plan.needs_extractor``.
        finder: For hands; needed when ``plan.needs_finder``.
        on_picture: Called after each picture.
        versus: Another treatment of FAKE's inputs, under the same names; adds paired differences.

    Raises:
        NotEnoughDataError: Nothing at all could be measured.
        UsageError: CLIPSIM without an extractor that reads text, or foregrounds without masks.
    """
    _check(plan, extractor, (real, fake))
    paired = frozenset(real) & frozenset(fake) if plan.needs_pairs else frozenset[str]()
    gathered = [
        gather(named, _wanted(plan, called, paired), extractor, finder, on_picture)
        for called, named in (("real", real), ("fake", fake), ("versus", versus))
        if named is not None
    ]
    sets = Sets(*gathered[:2], extractor=extractor, seed=plan.seed)
    other = gathered[2] if versus is not None else None
    estimates, failed = _measure(sets, plan, other)
    if not estimates:
        raise NotEnoughDataError("nothing could be measured", _why(failed, gathered))
    left_out = [f for f in failed if f.metric.removeprefix("Δ ") not in plan.metrics]
    return Evaluation(
        tuple(estimates),
        len(sets.real.pictures),
        len(sets.fake.pictures),
        tuple(f for f in failed if f not in left_out),
        tuple(skipped for group in gathered for skipped in group.skipped),
        (*(f"{f.metric} was left out: {f.reason}." for f in left_out), *_notes(gathered)),
    )


def _check(plan: Plan, extractor: FeatureExtractor | None, sets: Sequence[Items]) -> None:
    if plan.needs("clipsim") and not hasattr(extractor, "texts"):
        raise UsageError(
            "clipsim needs an extractor that reads text", "", "give --extractor clip-hw-v1 or clip:DIR"
        )
    bare = any(item.inside is None for named in sets for item in named.values())
    if plan.needs(*FOREGROUND) and bare:
        raise UsageError("kid-fg and fid-fg need masks", "", "give --masks REAL_MASKS FAKE_MASKS, or shards")


def _wanted(plan: Plan, called: str, paired: frozenset[str]) -> Wanted:
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
    smallest = f"{sizes[0][0]} × {sizes[0][1]}"
    return (
        smallest
        if len(sizes) == 1
        else f"{len(sizes)} sizes from {smallest} to {sizes[-1][0]} × {sizes[-1][1]}"
    )
