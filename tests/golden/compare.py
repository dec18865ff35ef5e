"""How far a result may differ from the accepted one, and the sheet that shows it when it differs more.

With the vector units of the processor masked for OpenCV, NumPy, OpenBLAS and numba, seven of eight cases are
the same to the bit without AVX-512, and one differs by a mean ΔE of 0.16. The bounds hold for that, and for
landmarks that a network rounds otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PILImage

from tests.golden.cases import NOISY, UNSTEADY, Case, Result

SHEETS = Path(os.environ.get("HANDWRIGHT_GOLDEN", "out/golden"))
"""Folder of the sheets of failed cases."""

MOST_MEAN_DELTA_E = 0.25
"""Mean ΔE76 over the pixels that refining changed, accepted or now; see ``Difference``."""

MOST_HIGH_DELTA_E = 3.0
"""The 99th percentile of the same."""

MOST_GRAIN = 0.03
"""Relative change of the fine structure's standard deviation (L* minus its blur of σ 1 px)."""

LEAST_PSNR_DB = 38.0
"""Peak signal to noise ratio over the same pixels."""

LEAST_MASK_IOU = 0.98
"""Intersection over union of the repair masks, accepted and now. In a hand of 188 px, a rim that is one pixel
narrower makes 0.969, and less in smaller ones."""

SLACK = 5.0
"""The bounds of cases that are ``UNSTEADY`` are so many times as wide."""

NOISY_SLACK = 10.0
"""As many times as wide are the bounds of ΔE and PSNR in ``NOISY`` cases: landmarks moved by 0.0002 px put
other noise into the background of ``noisy_00``, a mean ΔE of 1.3, and change its grain by 0.1 %, its mask by
0.001."""

_FEWEST_PX = 50


@dataclass(frozen=True)
class Difference:
    """A result beside the accepted one, over all pixels that either changed.

    Attributes:
        mean_delta_e: Mean CIE 1976 colour difference.
        high_delta_e: Its 99th percentile.
        psnr_db: Peak signal to noise ratio; infinite where both are the same.
        grain: Standard deviation of the fine structure now, as a ratio to the accepted one, minus 1.
        actions: What was done to the hands, where that is another thing than it was; else empty.
        mask_iou: Intersection over union of the repair masks; 1 where both are empty.
        slack: How many times as wide the bounds of grain and mask are.
        pixel_slack: The same of ΔE and PSNR.
    """

    mean_delta_e: float
    high_delta_e: float
    psnr_db: float
    grain: float
    actions: str
    mask_iou: float = 1.0
    slack: float = 1.0
    pixel_slack: float = 1.0

    @property
    def complaints(self) -> list[str]:
        """Each bound that is broken, in words; empty for a result that passes."""
        mean, high = (self.pixel_slack * most for most in (MOST_MEAN_DELTA_E, MOST_HIGH_DELTA_E))
        least_db = LEAST_PSNR_DB - 20 * np.log10(self.pixel_slack)
        grain = self.slack * MOST_GRAIN
        least_iou = 1 - self.slack * (1 - LEAST_MASK_IOU)
        checks = {
            f"mean ΔE {self.mean_delta_e:.2f} > {mean:g}": self.mean_delta_e > mean,
            f"99 % ΔE {self.high_delta_e:.2f} > {high:g}": self.high_delta_e > high,
            f"PSNR {self.psnr_db:.1f} dB < {least_db:.1f}": self.psnr_db < least_db,
            f"grain {self.grain:+.1%} beyond {grain:.0%}": abs(self.grain) > grain,
            f"mask IoU {self.mask_iou:.3f} < {least_iou:.2f}": self.mask_iou < least_iou,
            f"hands {self.actions}": bool(self.actions),
        }
        return [text for text, broken in checks.items() if broken]


def difference(result: Result) -> Difference:
    """Measure a result against the accepted one."""
    case = result.case
    apart = measure(case.before, case.accepted, result.pixels, _changes(case, result))
    slack = SLACK if case.name in UNSTEADY else 1.0
    pixel_slack = NOISY_SLACK if case.name in NOISY else slack
    return replace(apart, mask_iou=iou(case.accepted_mask, result.mask), slack=slack, pixel_slack=pixel_slack)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks, bool [H, W]; 1 where both are empty."""
    either = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / either if either else 1.0


def measure(before: np.ndarray, accepted: np.ndarray, now: np.ndarray, actions: str = "") -> Difference:
    """Measure two results of one picture, each uint8 [H, W, 3].

    Args:
        before: The picture that was refined.
        accepted: What it should become.
        now: What it becomes.
        actions: Handed through.
    """
    union = (accepted != before).any(-1) | (now != before).any(-1)
    if not union.any():
        return Difference(0.0, 0.0, float("inf"), 0.0, actions)
    lab = [cv2.cvtColor(np.float32(picture) / 255, cv2.COLOR_RGB2LAB) for picture in (accepted, now)]
    delta_e = np.linalg.norm(lab[0] - lab[1], axis=-1)[union]
    error = np.square(accepted[union].astype(float) - now[union]).mean()
    psnr_db = 10 * np.log10(255**2 / error) if error else float("inf")
    fine = [(each[..., 0] - cv2.GaussianBlur(each[..., 0], (0, 0), 1.0))[union].std() for each in lab]
    grain = fine[1] / fine[0] - 1 if union.sum() >= _FEWEST_PX and fine[0] else 0.0
    return Difference(
        float(delta_e.mean()), float(np.percentile(delta_e, 99)), float(psnr_db), float(grain), actions
    )


def sheet(results: Sequence[Result], name: str) -> Path:
    """Write before, accepted, now and difference × 8 of each result as one picture; returns its path."""
    rows = [_row(result) for result in results]
    SHEETS.mkdir(parents=True, exist_ok=True)
    path = SHEETS / f"{name}.png"
    PILImage.fromarray(np.concatenate(rows)).save(path)
    return path


def _row(result: Result) -> np.ndarray:
    before, now = result.case.before, result.pixels
    accepted = result.case.accepted if has_accepted(result.case) else before
    apart = np.abs(accepted.astype(int) - now)
    tiles = [before, accepted, now, np.clip(8 * apart, 0, 255).astype(np.uint8)]
    bar = np.full((18, 4 * before.shape[1], 3), 255, np.uint8)
    text = f"{result.case.name}: before | accepted | now | difference x 8"
    cv2.putText(bar, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([bar, np.concatenate(tiles, 1)])


def has_accepted(case: Case) -> bool:
    """Whether a result was ever accepted for the case."""
    return case.accepted_file.exists()


def _changes(case: Case, result: Result) -> str:
    was, now = case.accepted_actions, result.actions
    return "" if was == now else f"{', '.join(was) or 'none'} → {', '.join(now) or 'none'}"
