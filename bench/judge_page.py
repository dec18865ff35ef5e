"""docs/research/judge.md out of what was asked."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from handwright.hand.defects import Defect
from handwright.image.atomic_write import write_atomically
from handwright.metrics.estimate import Estimate, rate_estimate
from judge_asked import Asked, joined
from judge_plots import draw_curves, draw_errors, draw_reliability
from judge_review import place_table, verdict_table
from judge_sets import GROWTH, LEAST_PX, SHIFT, SIZE, TURN_RAD
from judge_tables import (
    BLUR,
    POSES,
    SIZES,
    Groups,
    alarm_table,
    by_sharpness,
    count_table,
    figure,
    left_out_table,
    pose_table,
    recall_table,
    reliability_table,
    set_table,
    share,
    side_rate,
    skin_table,
    sure_side_rates,
    table,
)

WRONG_SIDE = Defect.WRONG_HAND

_INTRODUCTION = """\
Written by `python bench/judge.py`; no hand below was trained, tuned or thresholded with. Figures are of
the critic at its packaged limits, where nothing else is said. Intervals are 95 %: Wilson's for shares
(of hands, though hands of one photograph or person are alike), bootstrap over hands for the rest."""

_SETS = """\
**Rendered**: `handwright synth`, {size} px, seeds {seeds[0]} (hands) and {seeds[1]} (defects), no
photographs in them; hands of {least} px and more with 4 or more landmarks seen. A critic is asked at the
true place, put off as a finder would (spread {shift} hand sizes, {growth} % in size, {turn}°). **Altered
photographs**: surgery on test-only photographs, seed {seeds[2]}, a third of them controls.
**Photographs**: every test-only one, at the places that the finder gives; {missed} known hands that it
does not find are not in here. Whole unseen folders are the honest ones: in the 'tenth' of the others,
people repeat from training. 'Clear' is bare, sharp, 48 px or larger, and half seen."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that was asked.

    Attributes:
        made: Rendered hands, good and with defects.
        done: Hands after surgery, and controls.
        seen: Hands of photographs.
        missed: Known hands of photographs that the finder does not find.
        hard: Rendered good hands: 'clear', 'blurred', 'tiny', 'gloved'.
        by_truth: Some rendered hands, at the places that are known.
        by_finder: The same pictures, at the places that the finder gives.
        said: Verdicts of the whole review by kind of hand.
        ways: Index of a generator, and what a critic that never saw it says of renders and of surgery.
        sets: What the critic says of sets that people have judged.
    """

    made: Asked
    done: Asked
    seen: Asked
    missed: int
    hard: dict[str, Asked]
    by_truth: Asked
    by_finder: Asked
    said: Sequence[tuple[str, Counter[str]]]
    ways: Sequence[tuple[int, Asked, Asked]]
    sets: dict[str, Asked]

    @property
    def good(self) -> Asked:
        """Rendered good hands without gloves."""
        return self.made.of(lambda t: t.malformed is False and not t.gloved)

    @property
    def bad(self) -> Asked:
        """Rendered hands with a defect that shows on the hand itself."""
        return self.made.of(lambda t: t.malformed)


def write_page(path: Path, told: Evidence, args: argparse.Namespace) -> None:
    """Write the page, its plots and its gallery beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(told.good, told.bad, told.done, path.with_name("judge_curves.png"))
    draw_reliability(told.good + told.bad, told.done, path.with_name("judge_reliability.png"))
    errors = draw_errors(told.good, told.bad, path.with_name("judge_errors.jpg"))
    lines = [*_head(told, args), *_form(told), *_alarms(told), *_reading(told), *_doubt(told), *_others(told)]
    lines += _gallery(errors)
    data = "\n".join(lines).rstrip() + "\n"
    write_atomically(path, lambda file: file.write(data.encode()))


def _head(told: Evidence, args: argparse.Namespace) -> list[str]:
    bad, good, operated = told.bad, told.good, told.done.of(lambda t: t.malformed)
    unseen = told.seen.of(lambda t: "unseen" in t.tags)
    hard = joined([told.hard[name] for name in ("blurred", "tiny", "gloved")])
    left_out = _left_out(told)[1]
    gap = skin_table(good)[1]
    rows = [
        _bar("false alarms, rendered good hands", rate_estimate("", good.called), "≤ 2 %", most=0.02),
        _bar("false alarms, photographs, unseen folders", _rate(unseen), "", None),
        _bar("recall, rendered defects", rate_estimate("", bad.called), "≥ 90 %", least=0.9),
        _bar("recall, altered photographs", _rate(operated), "≥ 80 %", least=0.8),
        _bar("recall, generator left out of training", left_out, "≥ 75 %", least=0.75),
        _bar("finger count exact, rendered", count_table(good + bad)[1], "≥ 95 %", least=0.95),
        _bar("grasp, named poses", pose_table(good)[1], "≥ 90 %", least=0.9),
        _bar("left or right", side_rate(good), "≥ 97 %", least=0.97),
        _bar("calibration error, rendered", reliability_table(good + bad)[1], "≤ 4 %", most=0.04),
        _bar("'cannot tell', clear hands", _blind(told.hard["clear"]), "≤ 10 %", most=0.1),
        _bar("'cannot tell', gloves, blurs and tiny ones", _blind(hard), "≥ 80 %", least=0.8),
        _bar("false alarms, darkest minus lightest third", gap, "≤ 2 points apart", most=0.02),
    ]
    return [
        "# How good the judge is",
        "",
        _INTRODUCTION,
        "",
        *table(("", "asked", "measured", "N", "met"), [row for row in rows if row]),
        _SETS.format(
            size=SIZE,
            seeds=(args.seed, args.seed + 1, args.seed + 2),
            least=LEAST_PX,
            shift=f"{SHIFT:g}",
            growth=f"{100 * GROWTH:g}",
            turn=f"{math.degrees(TURN_RAD):.0f}",
            missed=told.missed,
        ),
        "",
    ]


def _form(told: Evidence) -> list[str]:
    good, bad = told.good, told.bad
    controls = told.done.of(lambda t: t.malformed is False)
    sides = told.made.of(lambda t: t.defect == WRONG_SIDE)
    lines = [
        "## Malformed hands",
        "",
        f"Rendered, against {len(good)} good hands:",
        "",
        *recall_table(good, bad),
    ]
    operated = told.done.of(lambda t: t.malformed)
    lines += [
        f"Altered photographs, against {len(controls)} controls:",
        "",
        *recall_table(controls, operated),
    ]
    lines += ["![ROC and precision–recall](judge_curves.png)", ""]
    if len(sides):
        lines += [
            f"A hand of the wrong side is sound by itself; of {len(sides)} the critic calls "
            f"{share(rate_estimate('', sides.called))}. The left–right check is what sees it.",
            "",
        ]
    rows, _ = _left_out(told)
    if rows:
        lines += ["### Generators left out of training", "", *rows]
    return lines


def _alarms(told: Evidence) -> list[str]:
    good, seen = told.good, told.seen
    everything: Groups = (("all", lambda t: True),)
    folders = sorted({tag for t in seen.truths for tag in t.tags if "_" in tag})
    by_folder: Groups = tuple((name, lambda t, n=name: n in t.tags) for name in folders)
    kinds: Groups = (
        *everything,
        ("unseen folders", lambda t: "unseen" in t.tags),
        ("hashed tenth of training folders", lambda t: "tenth" in t.tags),
    )
    tags: Groups = tuple(
        (f"{n} (by eye)", lambda t, n=n: n in t.tags)
        for n in ("free", "palm", "back", "cut", "blurred", "gloved")
    )
    skin, _ = skin_table(good)
    controls = told.done.of(lambda t: t.malformed is False)
    return [
        "## False alarms on good hands",
        "",
        "Rendered, without gloves:",
        "",
        *alarm_table(good, (*everything, *SIZES, *BLUR, *POSES)),
        "Controls of surgery (processed alike, nothing changed):",
        "",
        *alarm_table(controls, everything),
        "Photographs:",
        "",
        *alarm_table(seen, (*kinds, *by_folder)),
        *alarm_table(seen, (*SIZES, *by_sharpness(seen), *POSES, *tags)),
        "### Skin",
        "",
        *skin,
        "Of the photographs few show dark skin: see the data's notes.",
        "",
    ]


def _reading(told: Evidence) -> list[str]:
    good, bad = told.good, told.bad
    counts, exact = count_table(good + bad)
    on_good, on_bad = count_table(good)[1], count_table(bad)[1]
    cut, cut_exact = count_table(told.done)
    poses, pose = pose_table(good)
    lines = [
        "## What it reads",
        "",
        f"**Finger count** on clear rendered hands: exact on {share(exact)}, N {exact.n};",
    ]
    lines += [
        f"good ones {share(on_good)}, N {on_good.n}; with a defect {share(on_bad)}, N {on_bad.n}.",
        "",
        *counts,
    ]
    lines += [f"On altered photographs: {share(cut_exact)}, N {cut_exact.n}.", "", *cut]
    lines += [f"**Grasp**, named poses, clear rendered hands: {share(pose)}, N {pose.n}.", "", *poses]
    side, (sure, right) = side_rate(good), sure_side_rates(good)
    lines += [
        f"**Left or right**, clear rendered hands: {share(side)}, N {side.n}. Only where the critic",
        f"is sure does the review go by it: {share(sure)}, of which right {share(right)}, N {right.n}.",
        "",
    ]
    rendered, error = reliability_table(good + bad)
    operated, other = reliability_table(told.done)
    lines += [
        "## Calibration",
        "",
        f"Of being malformed, rendered: expected calibration error {figure(error)} (15 bins, N {error.n}).",
        "",
        *rendered,
    ]
    lines += [f"Altered photographs and controls: {figure(other)}, N {other.n}.", "", *operated]
    return [*lines, "![reliability](judge_reliability.png)", ""]


def _doubt(told: Evidence) -> list[str]:
    rows = [
        [name, len(of), share(rate_estimate("", of.blind)), share(rate_estimate("", of.called))]
        for name, of in told.hard.items()
        if len(of)
    ]
    return [
        "## 'Cannot tell'",
        "",
        "By the critic alone. Blurred: σ of 4 … 7 % of the hand's size; tiny: 14 … 30 px.",
        "",
        *table(("rendered good hands", "N", "cannot tell", "called wrong"), rows),
        "By the whole review, finger count and joint bending together (clear hands and defects are searched,",
        "the others are given):",
        "",
        *verdict_table(told.said),
        "## Where it looks",
        "",
        "The same pictures at the true places and at those that the finder gives, where it finds the hand:",
        "",
        *place_table((("true place, put off", told.by_truth), ("finder's", told.by_finder))),
    ]


def _others(told: Evidence) -> list[str]:
    lines: list[str] = []
    for name, hands in told.sets.items():
        lines += [f"## {name}", "", *set_table(hands)]
    return lines


def _gallery(errors: tuple[int, int]) -> list[str]:
    return [
        "## Errors",
        "",
        f"Rendered hands: {errors[0]} with a defect that are not called, and {errors[1]} good ones that",
        "are; the worst of each first.",
        "",
        "![errors](judge_errors.jpg)",
        "",
    ]


def _left_out(told: Evidence) -> tuple[list[str], Estimate | None]:
    parts = []
    for way, made, done in told.ways:
        good = made.of(lambda t: t.malformed is False and not t.gloved)
        of = (hands.of(lambda t, w=way: t.malformed and t.way == w) for hands in (made, done))
        parts.append((way, good, *of))
    return left_out_table(parts)


def _rate(hands: Asked) -> Estimate | None:
    return rate_estimate("", hands.called) if len(hands) else None


def _blind(hands: Asked) -> Estimate | None:
    return rate_estimate("", hands.blind) if len(hands) else None


def _bar(
    name: str, told: Estimate | None, asked: str, most: float | None = None, least: float | None = None
) -> list[object]:
    """A row of the first table; empty where nothing was measured."""
    if told is None:
        return []
    met = (most is None or abs(told.value) <= most) and (least is None or told.value >= least)
    return [name, asked, share(told), told.n, ("yes" if met else "**no**") if asked else ""]
