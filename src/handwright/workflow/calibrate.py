"""``handwright review --calibrate``: calibration and limits refitted to a user's own pictures."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from handwright import __version__
from handwright.errors import OutputError, UnreadableImageError, UsageError
from handwright.perception.detect.views import box_iou
from handwright.progress import Progress, silent
from handwright.review.calibration.calibration import BUDGET, Calibration
from handwright.review.critic.recalibration import (
    PARAMS,
    CalibratedCritic,
    CalibrationTrial,
    LabelledHand,
    RecalibratedCritic,
    assessable_hands,
    cross_validated_trial,
    current_trial,
    recalibrate,
)
from handwright.types import Box
from handwright.workflow.jobs import Source, find_sources

if TYPE_CHECKING:
    from handwright.metrics.estimate import Estimate
    from handwright.review.judge import Judge

_SAME = 0.5  # Least overlap of the boxes of one hand; PASCAL VOC's intersection over union
_MEASURES = ("false alarms on good hands", "recall on malformed hands", "calibration error (15 bins)")


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What a calibration was fitted on and what it gains."""

    calibration: Calibration  # As it was written
    before: tuple[Estimate, ...]  # Measures by the calibration in use; see ``about``
    after: tuple[Estimate, ...]  # The same, every picture judged by a fit in which it took no part
    good: int  # Good hands that took part
    malformed: int  # Malformed ones
    left_out: Mapping[str, int]  # How many labels took no part, by why

    def lines(self) -> list[str]:
        """What the user should know."""
        lines = [f"{self.good + self.malformed} hands: {self.good} good, {self.malformed} malformed"]
        lines += [f"left out: {count} {why}" for why, count in self.left_out.items() if count]
        for one, other in zip(self.before, self.after, strict=True):
            lines.append(f"{one.name}: {_share(one)} before, {_share(other)} after; N {one.n}")
        lines.append("after: each picture judged by a fit in which it took no part; 95 % intervals")
        if self.good < PARAMS.certifying_hands:
            promise = f"to promise at most {100 * BUDGET:g} % false alarms elsewhere"
            lines.append(f"limits were only raised: it takes {PARAMS.certifying_hands} good hands {promise}")
        return lines


def calibrate_files(
    inputs: Sequence[str | Path],
    labels: Path,
    output: Path,
    open_judge: Callable[[], AbstractContextManager[Judge]],
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Gain:
    """Refit the critic's calibration to labelled hands of pictures, and write it.

    Raises:
        OutputError: The file is there already, or cannot be written; nothing was judged.
        UsageError: Labels cannot be read or name none of the pictures, or there is no critic to calibrate.
        NotEnoughDataError: Too few hands, or hands of one kind.
    """
    _check_output(output, force)
    of_source, strangers = _by_source(read_labels(labels), find_sources(inputs), labels)
    progress("", 0, len(of_source))
    hands: list[LabelledHand] = []
    unmatched, unreadable = strangers, 0
    with open_judge() as judge:
        critic = calibrated_critic(judge)
        for done, (source, of_one) in enumerate(of_source.items(), start=1):
            try:
                found = _judged(source, of_one, judge)
            except UnreadableImageError:
                unreadable += len(of_one)
            else:
                hands += found
                unmatched += len(of_one) - len(found)
            progress("", done, len(of_source))
    assessable = assessable_hands(hands)
    left_out = {
        "labels that fit no hand": unmatched,
        "labels of pictures that cannot be read": unreadable,
        "hands of which the critic cannot tell": len(hands) - len(assessable),
    }
    gain = _gain(critic.calibration, assessable, left_out)
    gain.calibration.save(output)
    return gain


def _check_output(output: Path, force: bool) -> None:
    """Refuse early what could not be written in the end.

    Raises:
        OutputError: It is there already, is a folder, or lies in none that can be written.
    """
    if output.is_dir():
        raise OutputError(f"{output} is a folder", "", "name a file")
    if output.exists() and not force:
        raise OutputError(f"{output} is there already", "", "choose another output, or give `force`")
    if not output.parent.is_dir():
        raise OutputError(f"cannot write {output}", f"there is no folder {output.parent}", "make it first")
    if not os.access(output.parent, os.W_OK):
        raise OutputError(
            f"cannot write {output}", f"{output.parent} may not be written", "name another folder"
        )


def calibrated_critic(judge: Judge) -> CalibratedCritic:
    """The judge's critic, if it can be calibrated.

    Raises:
        UsageError: There is none, or it has no calibration.
    """
    if getattr(judge.critic, "calibration", None) is None:
        raise UsageError(
            "there is no critic to calibrate", "none is installed", "install one in weights/critic"
        )
    return cast("CalibratedCritic", judge.critic)


@contextmanager
def open_recalibrated(
    open_judge: Callable[[], AbstractContextManager[Judge]], calibration: Path
) -> Generator[Judge]:
    """A judge whose critic is read by a calibration of ``--calibrate``.

    Raises:
        DataError: The file is no calibration, or of another critic.
        UsageError: There is no critic.
    """
    refitted = Calibration.load(calibration)
    with open_judge() as judge:
        yield replace(judge, critic=RecalibratedCritic(calibrated_critic(judge), refitted))


def _by_source(
    labels: Sequence[Label], sources: Sequence[Source], file: Path
) -> tuple[dict[Source, list[Label]], int]:
    """Labels by the picture they name, by its path or, where only one picture has it, its file name."""
    by_path = {source.path.resolve(): source for source in sources}
    names = [source.path.name for source in sources]
    by_name = {source.path.name: source for source in sources if names.count(source.path.name) == 1}
    found: dict[Source, list[Label]] = {}
    strangers = 0
    for label in labels:
        source = by_path.get(Path(label.path).resolve()) or by_name.get(Path(label.path).name)
        if source is None:
            strangers += 1
        else:
            found.setdefault(source, []).append(label)
    if not found:
        such = f"it names {labels[0].path}" if labels else "no line names a malformed or a good hand"
        raise UsageError(
            f"{file} labels none of these pictures", such, "give the pictures that were labelled"
        )
    return found, strangers


def _judged(source: Source, labels: Sequence[Label], judge: Judge) -> list[LabelledHand]:
    """The labelled hands of a picture, as they are found and judged now."""
    from handwright.image import load_image
    from handwright.review.judge import review_picture

    review = review_picture(load_image(source.path), judge)
    judged: list[LabelledHand] = []
    for label in labels:
        for hand in review.hands:
            same = (
                hand.id == label.hand if label.box is None else box_iou(hand.bbox_xyxy_px, label.box) >= _SAME
            )
            if same and hand.prediction is not None:
                judged.append(LabelledHand(source.path.as_posix(), label.malformed, hand.prediction))
                break
    return judged


def _gain(old: Calibration, hands: Sequence[LabelledHand], left_out: Mapping[str, int]) -> Gain:
    before, after = _measures(current_trial(hands)), _measures(cross_validated_trial(old, hands))
    good = sum(not hand.malformed for hand in hands)
    fitted = recalibrate(old, hands)
    about: dict[str, Any] = {
        **fitted.about,
        "handwright": __version__,
        "good": good,
        "malformed": len(hands) - good,
        "budget": BUDGET,
        "before": [_entry(estimate) for estimate in before],
        "after": [_entry(estimate) for estimate in after],
    }
    return Gain(
        calibration=replace(fitted, about=about),
        before=before,
        after=after,
        good=good,
        malformed=len(hands) - good,
        left_out=left_out,
    )


def _measures(outcome: CalibrationTrial) -> tuple[Estimate, ...]:
    from handwright.metrics.estimate import rate_estimate, statistic_estimate
    from handwright.review.calibration.calibration import expected_calibration_error

    def error(pictures: np.ndarray) -> float:
        rows = np.concatenate([np.flatnonzero(outcome.pictures == k) for k in pictures])
        return expected_calibration_error(outcome.probability[rows], outcome.malformed[rows])

    alarms, recall, calibration = _MEASURES
    by_picture = statistic_estimate(calibration, np.unique(outcome.pictures), error)
    return (
        rate_estimate(alarms, outcome.reported[~outcome.malformed]),
        rate_estimate(recall, outcome.reported[outcome.malformed]),
        replace(by_picture, n=len(outcome.malformed)),
    )


def _entry(estimate: Estimate) -> dict[str, Any]:
    return {key: getattr(estimate, key) for key in ("name", "value", "low", "high", "n")}


def _share(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


_OF_FORM = ("finger_count", "joint_bending")
_WORDS = {"good": False, "bad": True}
_FIX = "save labels from a report's page, or write columns path, hand, label (good or bad)"


@dataclass(frozen=True)
class Label:
    """A user's label of a hand."""

    path: str  # Of the picture, as it is written
    hand: int  # Number of the hand in its review
    box: Box | None  # Of the hand as it was reviewed, or None
    malformed: bool  # Whether something is wrong with it


def read_labels(path: Path) -> list[Label]:
    """Labels of hands in a CSV file, in its order: those of a report's page, or columns path, hand, label.

    Of a report's page: agreeing that finger count or joint bending fails, or disagreeing that it passes,
    labels the hand malformed; a hand with other labels, and none of this kind, is good. Labels of other
    checks, and of 'cannot tell', do not count here.

    Raises:
        UsageError: It cannot be read, or a line of it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read", str(error), _FIX) from error
    missing = [name for name in ("path", "hand", "label") if rows and name not in rows[0]]
    if not rows or missing:
        why = f"it has no column {' and no '.join(missing)}" if missing else "it is empty"
        raise UsageError(f"{path} holds no labels", why, _FIX)
    labels: dict[tuple[str, int], tuple[Box | None, bool]] = {}
    for number, row in enumerate(rows, start=2):
        try:
            label = _label_of(row)
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"line {number} of {path} is no label", f"{error}", _FIX) from error
        if label is not None:
            key = label.path, label.hand
            labels[key] = label.box, label.malformed or labels.get(key, (None, False))[1]
    return [Label(*key, *label) for key, label in labels.items()]


def _label_of(row: Mapping[str, str]) -> Label | None:
    """The label of a line; None of one that is not about the hand's form."""
    if not (row["path"] or "").strip():
        raise ValueError("it names no picture")
    hand = int(row["hand"])
    if row.get("check") is None:
        word = (row["label"] or "").strip().lower()
        if word not in _WORDS:
            raise ValueError(f"its label is {word!r}, neither good nor bad")
        return Label(row["path"], hand, None, _WORDS[word])
    if row["label"] not in ("agree", "disagree"):
        raise ValueError(f"its label is {row['label']!r}, neither agree nor disagree")
    if row["check"] not in _OF_FORM or row["verdict"] not in ("pass", "fail"):
        return None
    malformed = (row["verdict"] == "fail") == (row["label"] == "agree")
    return Label(row["path"], hand, _box(row.get("box") or ""), malformed)


def _box(text: str) -> Box | None:
    if not text.strip():
        return None
    x0, y0, x1, y1 = (float(number) for number in text.split())
    return x0, y0, x1, y1
