"""The tables of docs/research/judge.md: hands in, lines of Markdown out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool

from handwright.metrics.estimate import Estimate, difference_estimate, rate_estimate
from handwright.metrics.roc import auc
from handwright.review.critic.recalibration import MALFORMED
from handwright.training.networks.critic_classes import DEFECTS_SHOWN, FINGER_COUNTS, POSE_GROUPS
from judge_asked import Asked
from judge_measures import (
    average_precision,
    calibration_error,
    confusion,
    of_both,
    rates_by,
    recall_within,
    reliability,
    thirds,
)
from judge_sets import Truth

Groups = Sequence[tuple[str, Callable[[Truth], object]]]

SIZES: Groups = tuple(
    (
        f"{low} … {high} px" if high else f"{low} px and larger",
        lambda t, a=low, b=high: a <= t.size_px < (b or 1e9),
    )
    for low, high in ((24, 48), (48, 96), (96, 192), (192, 0))
)
POSES: Groups = (
    ("fist", lambda t: t.pose == "fist" or "fist" in t.tags),
    ("edge on", lambda t: "edge on" in t.tags),
    ("beside another hand", lambda t: "two hands" in t.tags),
    ("hands that cross, clasp or touch", lambda t: t.tags & {"hands that meet", "touching"}),
    ("holding or behind something", lambda t: t.tags & {"holding", "object", "occluded"}),
)
BLUR: Groups = (
    ("sharp", lambda t: not t.tags & {"motion blur", "out of focus"}),
    ("motion blur", lambda t: "motion blur" in t.tags),
    ("out of focus", lambda t: "out of focus" in t.tags),
)


def share(told: Estimate) -> str:
    """A share with its interval."""
    return f"{100 * told.value:.1f} % [{100 * told.low:.1f}, {100 * told.high:.1f}]"


def figure(told: Estimate) -> str:
    """A figure with its interval."""
    return f"{told.value:.3f} [{told.low:.3f}, {told.high:.3f}]"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A Markdown table; nothing where there are no rows."""
    if not rows:
        return []
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows), ""]


def recall_table(good: Asked, bad: Asked) -> list[str]:
    """Of each defect: how well its own head tells it from good hands, and how often the hand is called."""
    rows: list[list[object]] = []
    for defect in DEFECTS_SHOWN:
        of = bad.of(lambda truth, name=defect: truth.defect == name)
        if not len(of):
            continue
        both = of + good
        told, truths = both.told(defect), both.malformed
        rows.append(
            [
                defect,
                len(of),
                figure(of_both("auc", told, truths, auc)),
                figure(of_both("ap", told, truths, average_precision)),
                share(of_both("recall", told, truths, recall_within)),
                share(rate_estimate("called", of.called)),
            ]
        )
    both = bad + good
    told, truths = both.threshold_ratio, both.malformed
    rows.append(
        [
            "**any**",
            len(bad),
            figure(of_both("auc", told, truths, auc)),
            figure(of_both("ap", told, truths, average_precision)),
            share(of_both("recall", told, truths, recall_within)),
            share(rate_estimate("called", bad.called)),
        ]
    )
    head = (
        "defect",
        "N",
        "ROC AUC",
        "average precision",
        "recall at ≤ 2 % false alarms",
        "called at the limits",
    )
    return table(head, rows)


def alarm_table(good: Asked, groups: Groups) -> list[str]:
    """False alarms and 'cannot tell' on good hands, by group."""
    rows = [
        [name, len(of), share(rate_estimate("alarms", of.called)), share(rate_estimate("blind", of.blind))]
        for name, of in ((name, good.of(test)) for name, test in groups)
        if len(of)
    ]
    return table(("good hands", "N", "called wrong", "cannot tell"), rows)


def by_sharpness(good: Asked) -> Groups:
    """Thirds of photographs' hands by sharpness."""
    values = np.array([truth.sharpness for truth in good.truths])
    low, high = np.quantile(values, [1 / 3, 2 / 3]) if len(values) else (0.0, 0.0)
    return (
        ("softest third", lambda t: t.sharpness <= low),
        ("middle third", lambda t: low < t.sharpness < high),
        ("sharpest third", lambda t: t.sharpness >= high),
    )


def skin_table(good: Asked) -> tuple[list[str], Estimate]:
    """False alarms by thirds of skin tones, and how much more on the darkest than on the lightest."""
    bare = good.of(lambda truth: truth.tone is not None and not truth.gloved)
    third = thirds(np.array([truth.tone for truth in bare.truths], float))
    tones = np.array([truth.tone for truth in bare.truths])
    names = [
        f"{name} (Monk {tones[third == k].min() + 1} … {tones[third == k].max() + 1})"
        if (third == k).any()
        else name
        for k, name in enumerate(("lightest third", "middle third", "darkest third"))
    ]
    called = bare.called
    rows = [
        [told.name, told.n, share(told)]
        for told in rates_by([(name, third == k) for k, name in enumerate(names)], called)
    ]
    gap = difference_estimate("darkest minus lightest", called[third == 2], called[third == 0])
    rows.append(
        ["darkest minus lightest", f"{gap.n} / {gap.n_reference}", share(gap).replace(" %", " points")]
    )
    return table(("rendered good hands", "N", "called wrong"), rows), gap


def count_table(hands: Asked) -> tuple[list[str], Estimate]:
    """Confusion of finger counts on hands of which enough is seen, and how many are exact."""
    of = hands.of(lambda truth: truth.fingers is not None and truth.clear)
    truth = np.clip([t.fingers for t in of.truths], 3, 7).astype(int)
    told = of.counted
    cells = confusion(truth, told, FINGER_COUNTS)
    names = ["3 or fewer", "4", "5", "6", "7 or more"]
    rows = [[f"has {name}", *row.tolist(), row.sum()] for name, row in zip(names, cells, strict=True)]
    exact = rate_estimate("exact", truth == told)
    return table(("", *(f"told {name}" for name in names), "N"), rows), exact


def pose_table(hands: Asked) -> tuple[list[str], Estimate]:
    """How often each group of named poses is named right."""
    of = hands.of(lambda truth: truth.pose is not None and truth.clear)
    groups = [(name, of.which(lambda truth, n=name: truth.pose == n)) for name in POSE_GROUPS]
    rows = [[told.name, told.n, share(told)] for told in rates_by(groups, of.right_pose)]
    return table(("pose", "N", "named right"), rows), rate_estimate("pose", of.right_pose)


def side_rate(hands: Asked) -> Estimate:
    """How often the side of a clear good hand is named right, sure or not."""
    return rate_estimate("side", _sided(hands).right_side)


def sure_side_rates(hands: Asked) -> tuple[Estimate, Estimate]:
    """How often the critic is as sure of a clear hand's side as the review asks, and how often right then."""
    of = _sided(hands)
    sure = of.sure_of_side
    return rate_estimate("sure", sure), rate_estimate("right where sure", of.right_side[sure])


def _sided(hands: Asked) -> Asked:
    return hands.of(lambda truth: truth.side is not None and truth.clear)


def reliability_table(hands: Asked) -> tuple[list[str], Estimate]:
    """What probabilities of being malformed come to where the critic can tell, and their error."""
    of = hands.only(~hands.blind)
    told, truths = of.told(MALFORMED), of.malformed
    rows = [
        [f"{low:.1f} … {high:.1f}", n, f"{said:.3f}", f"{came:.3f}"]
        for low, high, n, said, came in reliability(told, truths)
    ]
    return table(("said", "N", "on average", "came true"), rows), calibration_error("ece", told, truths)


def left_out_table(parts: Sequence[tuple[int, Asked, Asked, Asked]]) -> tuple[list[str], Estimate | None]:
    """Recall on defects of a generator by a critic that never saw it, and its false alarms."""
    rows: list[list[object]] = []
    called: list[Bool[np.ndarray, " n"]] = []
    for way, good, made, operated in parts:
        cells: list[object] = [f"generator {way}"]
        for of in (made, operated):
            cells += [len(of), share(rate_estimate("recall", of.called)) if len(of) else "–"]
        rows.append([*cells, share(rate_estimate("alarms", good.called))])
        called += [made.called, operated.called]
    head = ("left out", "N rendered", "called", "N photographs", "called", "false alarms, rendered")
    every = rate_estimate("left out", np.concatenate(called)) if called else None
    return table(head, rows), every


def set_table(hands: Asked) -> list[str]:
    """Recall and false alarms on a set that people have judged."""
    groups: Groups = (
        ("malformed", lambda t: t.malformed),
        ("malformed, severe", lambda t: t.malformed and t.level == "severe"),
        ("malformed, mild", lambda t: t.malformed and t.level == "mild"),
        ("malformed, direction guessed", lambda t: t.malformed and "direction guessed" in t.tags),
        ("good", lambda t: t.malformed is False),
        ("good, by having no box", lambda t: t.malformed is False and "no box" in t.tags),
    )
    rows = [
        [name, len(of), share(rate_estimate("called", of.called)), share(rate_estimate("blind", of.blind))]
        for name, of in ((name, hands.of(test)) for name, test in groups)
        if len(of)
    ]
    if hands.malformed.any() and not hands.malformed.all():
        both = of_both("auc", hands.threshold_ratio, hands.malformed, auc)
        rows.append(["ROC AUC", len(hands), figure(both), ""])
    return table(("hands", "N", "called wrong", "cannot tell"), rows)
