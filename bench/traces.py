"""Can it be told that a sample of surgery was processed, and does that tell defects from controls?

``python bench/traces.py PHOTOGRAPHS [--n 380] [--seed 300]``: samples of ``handwright.data.photo_edits`` from
training photographs, half of them sound, and each one's twin that nobody operated on. Features compare the
residuals of the touched place with those elsewhere; a logistic regression, its folds split by photograph,
tells two kinds apart. AUC with bootstrap 95 % intervals over samples, for

- defect against control: what a detector could learn from traces and content together;
- the same places in the twins: from content alone;
- control, and defect, against its twin: whether processing shows;
- a detector of processing, asked for defect against control: whether it shows more in defects.

PHOTOGRAPHS holds a folder for each training set; test-only pictures are left out.
"""

from __future__ import annotations

import argparse
import hashlib
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8

from handwright.data.photo_edits import operate
from handwright.data.photo_edits import sample as surgery
from handwright.data.photographs import list_photos, read_photo
from handwright.training.streams.photographs import TRAIN_SETS, is_test_only

SIZE, SHARE_SOUND = 256, 0.5
LEAST_TOUCHED, LEAST_MEASURED = 200, 50
LUMA = np.array([0.3, 0.59, 0.11], np.float32)
FOLDS, RIDGE, STEPS, RESAMPLES = 8, 3.0, 50, 500

Features = Float[np.ndarray, "n f"]
Truth = Float[np.ndarray, " n"]
Scores = Float[np.ndarray, " n"]
Groups = Shaped[np.ndarray, " n"]


def training_photos(root: Path) -> list[Path]:
    """Photographs of the training sets below ``root`` that the split leaves to training."""
    listed = [path for name in TRAIN_SETS if (root / name).is_dir() for path in list_photos(root / name)]
    return [path for path in listed if not is_test_only(hashlib.sha256(read_photo(path)).hexdigest())]


def blur(values: Float[np.ndarray, "s s"], sigma: float) -> Float[np.ndarray, "s s"]:
    """Gaussian."""
    return cv2.GaussianBlur(values, (0, 0), sigma)


def residuals(pixels: UInt8[np.ndarray, "s s 3"]) -> list[Float[np.ndarray, "s s"]]:
    """Size of the fine, middle and coarse bands of lightness, and of the fine band of red minus blue."""
    colours = pixels.astype(np.float32)
    light, warmth = colours @ LUMA, colours[..., 0] - colours[..., 2]
    softer = [light, *(blur(light, sigma) for sigma in (0.8, 1.6, 3.2))]
    bands = [fine - coarse for fine, coarse in pairwise(softer)]
    return [np.abs(band) for band in (*bands, warmth - blur(warmth, 1.2))]


def features(pixels: UInt8[np.ndarray, "s s 3"], touched: Bool[np.ndarray, "s s"]) -> Float[np.ndarray, " f"]:
    """The touched place and its rim against elsewhere, as differences of logarithms."""
    inside, near = touched.astype(np.uint8), np.ones((5, 5), np.uint8)
    away = cv2.dilate(inside, np.ones((9, 9), np.uint8)) == 0
    rim = (cv2.dilate(inside, near) > 0) & (cv2.erode(inside, near) == 0)
    found: list[float] = []
    for band in residuals(pixels):

        def level(where: Bool[np.ndarray, "s s"], percent: int, band: np.ndarray = band) -> float:
            enough = where.sum() > LEAST_MEASURED
            return float(np.log((np.percentile(band[where], percent) if enough else 0) + 0.05))

        found += [
            level(touched, 50) - level(away, 50),
            level(touched, 20) - level(away, 20),
            level(rim, 50) - level(touched, 50),
            level(touched, 50),
            level(rim, 90) - level(away, 90),
        ]
    edges = cv2.Laplacian(pixels.astype(np.float32) @ LUMA, cv2.CV_32F)
    enough = min(touched.sum(), away.sum()) > LEAST_MEASURED
    found.append(float(np.log((edges[touched].std() + 0.1) / (edges[away].std() + 0.1))) if enough else 0.0)
    return np.array(found)


def regress(known: Features, truth: Truth, asked: Features) -> Scores:
    """Ridge logistic regression by Newton's method; scores of ``asked``."""
    mean, spread = known.mean(0), known.std(0) + 1e-6
    known, asked = (np.c_[(x - mean) / spread, np.ones(len(x))] for x in (known, asked))
    weights = np.zeros(known.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-known @ weights))
        slope = known.T @ (chance - truth) + RIDGE * weights
        curve = (known.T * (chance * (1 - chance))) @ known + RIDGE * np.eye(len(weights))
        weights -= np.linalg.solve(curve, slope)
    return asked @ weights


def folds_of(photos: Groups) -> Groups:
    """A fold for each sample, the same for all of one photograph."""
    names, which = np.unique(photos, return_inverse=True)
    return np.random.default_rng(0).integers(0, FOLDS, len(names))[which]


def by_folds(table: Features, truth: Truth, photos: Groups) -> Scores:
    """Scores of each sample by a regression that saw none of its photograph."""
    folds, scores = folds_of(photos), np.zeros(len(truth))
    for fold in np.unique(folds):
        held = folds == fold
        scores[held] = regress(table[~held], truth[~held], table[held])
    return scores


def processing(operated: Features, twins: Features, photos: Groups) -> Scores:
    """How processed each operated sample looks to a regression that saw none of its photograph."""
    truth = np.repeat([1.0, 0.0], len(operated))
    return by_folds(np.r_[operated, twins], truth, np.r_[photos, photos])[: len(operated)]


def auc(scores: Scores, truth: Truth) -> float:
    """Chance that a positive scores above a negative."""
    above = scores[truth == 1][:, None] - scores[truth == 0]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def report(name: str, scores: Scores, truth: Truth) -> None:
    """One line."""
    rng, drawn = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        again = rng.integers(0, len(truth), len(truth))
        if 0 < truth[again].sum() < len(truth):
            drawn.append(auc(scores[again], truth[again]))
    low, high = np.percentile(drawn, (2.5, 97.5))
    count = f"{int(truth.sum())} of {len(truth)} positive"
    print(f"{name:44s} {auc(scores, truth):.3f} [{low:.3f}, {high:.3f}]  {count}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--n", type=int, default=380)
    parser.add_argument("--seed", type=int, default=300)
    options = parser.parse_args()
    photos = training_photos(options.photographs)
    if not photos:
        parser.error(f"no training photographs there; wanted folders: {', '.join(TRAIN_SETS)}")
    rows = []
    with patch.object(surgery, "SHARE_SOUND", SHARE_SOUND):
        for index in range(options.n):
            picture = operate(options.seed, index, SIZE, photos)
            if picture.touched.sum() <= LEAST_TOUCHED:
                continue
            twin = surgery.untouched(picture, np.random.default_rng([options.seed, index, 48]))
            looks = (features(p.pixels, picture.touched) for p in (picture, twin))
            rows.append((*looks, picture.label is not None, picture.patient.sha256))
    operated, twins, defect, of = (np.array(column) for column in zip(*rows, strict=True))
    truth = defect.astype(float)
    report("defect against control", by_folds(operated, truth, of), truth)
    report("the same places in their twins", by_folds(twins, truth, of), truth)
    for name, kind in (("control", ~defect), ("defect", defect)):
        pairs, twice = np.r_[operated[kind], twins[kind]], np.r_[of[kind], of[kind]]
        made = np.repeat([1.0, 0.0], kind.sum())
        report(f"{name} against its untouched twin", by_folds(pairs, made, twice), made)
    report("defect against control, by how processed", processing(operated, twins, of), truth)


if __name__ == "__main__":
    main()
