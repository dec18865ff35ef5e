"""The plots and the gallery of docs/research/judge.md."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.image.atomic_write import write_atomically
from handwright.metrics.roc import roc
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.recalibration import MALFORMED
from handwright.training.networks.critic_classes import DEFECTS_SHOWN
from judge_asked import Asked
from judge_measures import precision_recall, reliability
from judge_sets import Truth

_TILE_PX, _COLUMNS, _LINE_PX, _CONTEXT = 180, 6, 15, 1.5


def draw_curves(good: Asked, bad: Asked, operated: Asked, path: Path) -> None:
    """ROC and precision–recall of each defect's own head on rendered hands, and of the whole."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for defect in DEFECTS_SHOWN:
        of = bad.of(lambda truth, name=defect: truth.defect == name) + good
        if of.malformed.any():
            left.plot(*roc(of.told(defect), of.malformed), linewidth=0.9, label=defect)
            right.plot(*precision_recall(of.told(defect), of.malformed), linewidth=0.9)
    controls = operated.of(lambda truth: not truth.malformed)
    for name, of, style in (
        ("any, rendered", bad + good, "k-"),
        ("any, surgery", operated.of(lambda truth: truth.malformed) + controls, "k--"),
    ):
        if of.malformed.any() and not of.malformed.all():
            left.plot(*roc(of.threshold_ratio, of.malformed), style, linewidth=1.8, label=name)
            right.plot(*precision_recall(of.threshold_ratio, of.malformed), style, linewidth=1.8)
    left.axvline(0.02, color="grey", linewidth=0.6)
    left.set(
        xlabel="false alarms on good hands", ylabel="recall", xscale="symlog", xlim=(0, 1), ylim=(0, 1.01)
    )
    left.set_xscale("symlog", linthresh=0.02)
    right.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    left.legend(fontsize=7, loc="lower right")
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=90))


def draw_reliability(rendered: Asked, operated: Asked, path: Path) -> None:
    """What was said of being malformed against what came true."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.6)
    for name, hands in (("rendered", rendered), ("surgery", operated)):
        of = hands.only(~hands.blind)
        if len(of):
            rows = np.array(reliability(of.told(MALFORMED), of.malformed))
            axes.plot(rows[:, 3], rows[:, 4], marker="o", markersize=4, label=name)
    axes.set(xlabel="said", ylabel="came true", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=90))


def draw_errors(good: Asked, bad: Asked, path: Path, each: int = 12) -> tuple[int, int]:
    """The worst errors on rendered hands: malformed ones that pass, good ones that are called.

    Returns:
        How many of each there are in all.
    """
    missed = bad.only(~bad.called)
    alarms = good.only(good.called)
    missed_first = np.argsort(missed.threshold_ratio, kind="stable")[:each]
    alarms_first = np.argsort(-alarms.threshold_ratio, kind="stable")[:each]
    tiles = [_tile(missed, k) for k in missed_first] + _blank(-len(missed_first) % _COLUMNS)
    tiles += [_tile(alarms, k) for k in alarms_first] + _blank(-len(alarms_first) % _COLUMNS)
    if tiles:
        rows = [np.hstack(tiles[k : k + _COLUMNS]) for k in range(0, len(tiles), _COLUMNS)]
        sheet = np.ascontiguousarray(np.vstack(rows)[..., ::-1])
        data = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
        write_atomically(path, lambda file: file.write(data))
    return len(missed), len(alarms)


def _tile(hands: Asked, k: int) -> UInt8[np.ndarray, "h w 3"]:
    """A hand's crop, and below it what is true and what was said."""
    picture, number = hands.where[k]
    region = picture.regions[number]
    scale = _TILE_PX / (_CONTEXT * region.size_px)
    move = _TILE_PX / 2 - scale * np.array(region.center_px)
    way = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    crop = cv2.warpAffine(
        picture.read(), way, (_TILE_PX, _TILE_PX), flags=cv2.INTER_LINEAR, borderValue=(128, 128, 128)
    )
    strip = np.full((2 * _LINE_PX + 4, _TILE_PX, 3), 255, np.uint8)
    for row, line in enumerate(_words(hands.truths[k], hands.prediction[k])):
        spot = (3, (row + 1) * _LINE_PX - 2)
        cv2.putText(strip, line, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([crop, strip])


def _words(truth: Truth, prediction: CriticPrediction) -> tuple[str, str]:
    fingers = "?" if truth.fingers is None else str(truth.fingers)
    cannot = ", cannot tell" if prediction.not_assessable else ""
    return (
        f"is {truth.defect or 'good'}, {fingers} fingers",
        f"{prediction.likeliest_defect} {prediction.defects[prediction.likeliest_defect]:.2f}, "
        f"any {prediction.malformed:.2f}{cannot}",
    )


def _blank(count: int) -> list[UInt8[np.ndarray, "h w 3"]]:
    return [np.full((_TILE_PX + 2 * _LINE_PX + 4, _TILE_PX, 3), 255, np.uint8)] * count
