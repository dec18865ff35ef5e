"""Fit 'the repaint looks worse' on pairs judged blind: scripts/fit_comparison.py PAIRS.jsonl... [-o DIR].

PAIRS.jsonl comes from scripts/make_repaint_pairs.py, the labels from docs/research/repaint_pairs.csv: 'worse'
against 'better' and 'equal'; pairs on which two viewers disagree are left out. Folds leave out a repository
(hands of generators) or a picture (all others), an eighth of them at a time.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image as PILImage
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.perception.models.image_features import PACKAGED
from handwright.review.calibration.calibration import Head, fit_platt, sigmoid
from handwright.review.critic.comparison import FILE, inputs
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.onnx_critic import PACKAGED as CRITIC
from handwright.review.critic.onnx_critic import OnnxCritic
from handwright.review.critic.upright_crops import OrientedSquare
from judge_measures import auc
from linear_fit import fit_linear

LABELS = Path(__file__).parents[1] / "docs" / "research" / "repaint_pairs.csv"
CONTEXT, DECAY, FOLDS = 1.1, 0.001, 8
ALLOWED = (0.2, 0.3, 0.4, 0.5)


def labels() -> dict[tuple[str, ...], bool]:
    """Whether it is worse, by picture, hand, painter, seed, strength and pose hypothesis."""
    found = {}
    with LABELS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            said = {row["first"] == "worse", (row["second"] or row["first"]) == "worse"}
            if len(said) == 1:
                names = ("picture", "hand", "painter", "seed", "strength", "pose_hypothesis")
                found[tuple(row[name] for name in names)] = said.pop()
    return found


@cache
def digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def key(pair: dict) -> tuple[str, ...]:
    strength = "" if pair["strength"] is None else str(pair["strength"])
    rest = (str(pair["hand"]), pair["painter"], str(pair["seed"]), strength, pair["pose_hypothesis"])
    return digest(pair["file"]), *rest


def read(pair: dict, features: RegionFeatures, critic: OnnxCritic) -> np.ndarray:
    """What the classifier reads of a pair."""
    pixels = [np.asarray(PILImage.open(pair[name]).convert("RGB")) for name in ("old", "new")]
    x0, y0, x1, y1 = pair["box"]
    x, y, size, toward = pair["regions"][0]
    square = OrientedSquare(((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0), toward)
    old, new = (features.of_regions(one, [square], CONTEXT)[0] for one in pixels)
    was, now = (critic.judge(one, [OrientedSquare((x, y), size, toward)])[0].malformed for one in pixels)
    return inputs(old, new, was, now)


def fit(x: np.ndarray, worse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights [F, 2] and biases [2] on raw inputs; each group of inputs and each class weighs the same."""
    count = (x.shape[1] - 3) // 2
    sizes = np.repeat([count, count, 3], [count, count, 3])
    t = torch.from_numpy(worse.astype(np.float64))
    each = torch.where(t > 0, 0.5 / t.sum(), 0.5 / (1 - t).sum())

    def loss(logits: torch.Tensor) -> torch.Tensor:
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], t, reduction="none")
        return (each * losses).sum()

    weights, biases = fit_linear(x, sizes, 1, loss, DECAY)
    return np.pad(weights, ((0, 0), (0, 1))), np.pad(biases, (0, 1))


def log_odds(x: np.ndarray, fitted: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return x @ (fitted[0][:, 0] - fitted[0][:, 1]) + fitted[1][0] - fitted[1][1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    known, features, critic = labels(), RegionFeatures.load(), OnnxCritic.load(CRITIC)
    pairs = [json.loads(text) for file in args.pairs for text in file.read_text("utf-8").splitlines()]
    pairs = [pair for pair in pairs if key(pair) in known]
    x = np.stack([read(pair, features, critic) for pair in track(pairs)]).astype(np.float64)
    worse, source = np.array([known[key(pair)] for pair in pairs]), np.array([p["group"] for p in pairs])
    part = np.array([p["split_group"] if p["group"] == "generated" else digest(p["file"]) for p in pairs])
    names = np.random.default_rng(0).permutation(sorted(set(part)))
    fold_of = {name: k % FOLDS for k, name in enumerate(names)}
    fold, scores = np.array([fold_of[name] for name in part]), np.zeros(len(pairs))
    for k in range(FOLDS):
        scores[fold == k] = log_odds(x[fold == k], fit(x[fold != k], worse[fold != k]))
    scale, bias = fit_platt(scores, worse)
    probability = sigmoid(scale * scores + bias)
    lines = []
    for name in ("all", *sorted(set(source))):
        of = np.ones(len(pairs), bool) if name == "all" else source == name
        kept = [(limit, of & (probability <= limit)) for limit in ALLOWED]
        shown = ", ".join(
            f"P(worse) ≤ {limit}: {(~worse[some]).sum()} of {some.sum()}" for limit, some in kept
        )
        area = auc(scores[of], worse[of])
        lines.append(
            f"{name}: {of.sum()} pairs, {worse[of].sum()} worse, AUC {area:.3f}; not worse at {shown}"
        )
    print("\n".join(lines))
    weights, biases = fit(x, worse)
    LinearClassifier(
        classes=("worse", "not worse"),
        weights=weights,
        biases=biases,
        context=CONTEXT,
        calibration=Head(scale, bias),
        about={"pairs": len(pairs), "left_out": lines},
    ).save(args.output / FILE)


if __name__ == "__main__":
    main()
