"""Fit the classifier 'it holds a thing' on labelled hands of image generators.

    python scripts/fit_holding.py --hands DIR...

``--hands``: folders with ``hands.jsonl`` and the pictures that docs/research/held_things.csv names by the
sha256 of their bytes (first 16 digits); of its split ``train`` the hands of which a viewer could tell. Folds
leave out a repository. The limit is the smallest probability that ``SPARED`` of the hands that hold a thing
reach. Of the split ``test``, where both viewers agree, is printed what the classifier that ships tells.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from rich.progress import track

from handwright.data.labelled_pictures import labelled_pictures
from handwright.data.photographs import decode_photo
from handwright.metrics.estimate import rate_estimate
from handwright.metrics.roc import auc
from handwright.perception.models.image_features import PACKAGED
from handwright.review.calibration.calibration import Head, fit_platt, sigmoid
from handwright.review.critic.holding import CONTEXTS, FILE, holding_inputs
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.upright_crops import OrientedSquare
from held_things import LABELS, picture_key
from linear_fit import balanced, fit_two_classes, log_odds

DECAY, FOLDS, SPARED = 0.003, 10, 0.85
UP = -np.pi / 2  # Direction of a hand whose landmarks are not known, as of ``OrientedSquare``


def pictures(folders: list[Path]) -> dict[str, Path]:
    """Files of all pictures by the start of their sha256."""
    found = {}
    for folder in folders:
        for line in labelled_pictures(folder, "train", "test"):
            path = folder / line["file"]
            found[picture_key(path)] = path
    return found


def fit(x: np.ndarray, holds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [F, 2] and biases [2]; both classes weigh the same."""
    return fit_two_classes(x, x.shape[1] // len(CONTEXTS), holds, balanced(holds.astype(np.float64)), DECAY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hands", type=Path, nargs="+", required=True)
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    files, features = pictures(args.hands), RegionFeatures.load()
    with LABELS.open(encoding="utf-8") as file:
        labelled = [
            row
            for row in csv.DictReader(file)
            if row["holds"] in ("yes", "no") and row["picture"] in files
            and (row["split"] == "train" or row["holds"] == row["holds_second"])
        ]  # fmt: skip
    read = []
    for row in track(labelled):
        x0, y0, x1, y1 = map(float, row["box"].split())
        square = OrientedSquare(((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0), UP)
        path = files[row["picture"]]
        read.append(holding_inputs(decode_photo(path.read_bytes(), path.name), [square], features)[0])
    x = np.stack(read).astype(np.float64)
    holds = np.array([row["holds"] == "yes" for row in labelled])
    train = np.array([row["split"] == "train" for row in labelled])
    repository = np.array([row["repository"] for row in labelled])
    names = np.random.default_rng(0).permutation(sorted(set(repository[train])))
    fold_of = {name: k % FOLDS for k, name in enumerate(names)}
    fold = np.array([fold_of.get(name, -1) for name in repository])
    scores = np.zeros(len(x))
    for k in range(FOLDS):
        others = train & (fold != k)
        scores[train & (fold == k)] = log_odds(x[train & (fold == k)], fit(x[others], holds[others]))
    scale, bias = fit_platt(scores[train], holds[train])
    probability = sigmoid(scale * scores + bias)
    limit = float(np.floor(np.quantile(probability[train & holds], 1 - SPARED) * 100) / 100)
    weights, biases = fit(x[train], holds[train])
    test = sigmoid(scale * log_odds(x, (weights, biases)) + bias)
    lines = [f"limit {limit}"]
    for name, some, p in (("train, repositories left out", train, probability), ("test", ~train, test)):
        lines.append(
            f"{name}: AUC {auc(p[some], holds[some]):.3f}, N {holds[some].sum()}, {(~holds)[some].sum()}"
        )
        for what, these in (("holding", holds), ("not holding", ~holds)):
            lines.append(str(rate_estimate(f"{name}, {what}, left alone", p[some & these] >= limit)))
    print("\n".join(lines))
    LinearClassifier(
        classes=("holds", "empty"),
        weights=weights,
        biases=biases,
        context=CONTEXTS[0],
        calibration=Head(scale, bias),
        about={"hands": int(train.sum()), "limit": limit, "left_out": lines},
    ).save(args.output / FILE)


if __name__ == "__main__":
    main()
