"""Fit 'the repaint looks worse' on pairs judged blind: scripts/fit_comparison.py (options: --help).

The pairs come from scripts/make_repaint_pairs.py, with and without the finish in the painter (docs/research/
finish.md), and of sound hands of training photographs; the labels from docs/research/repaint_pairs_3.csv and
repaint_pairs_4.csv: the share of viewers who found the repaint worse. ``--earlier``: a classifier of means
alone that was fitted on other pairs, whose log odds are one more input; as it is linear, so is the sum, and
what is written has it in its weights. The old version of every drawn pair of generators gives two more, with
a weight of ``DAMAGED`` of all judged ones: damaged by stains, blur, ghosts, pieces of background or noise it
is worse, and the other way round better. Folds leave out an eighth of the repositories (of photographs, of
the pictures), all of a hand together; the calibration is to 'both viewers say worse'. What passes a limit is
counted of drawn hands that nothing else refuses, of generators and of photographs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PILImage
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.metrics.roc import auc
from handwright.perception.models.image_features import PACKAGED
from handwright.review.calibration.calibration import Head, fit_platt, sigmoid
from handwright.review.critic.comparison import (
    CHANGED_LEVELS,
    FILE,
    Version,
    group_sizes,
    inputs,
    square_around,
)
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.onnx_critic import PACKAGED as CRITIC
from handwright.review.critic.onnx_critic import OnnxCritic
from handwright.review.critic.upright_crops import OrientedSquare
from linear_fit import balanced, fit_two_classes, log_odds

LABELS = Path(__file__).parents[1] / "docs" / "research"
CONTEXT, DECAY, FOLDS, DEALS = 1.1, 0.01, 8, 5
"""Side of the crop in hand sizes; of the fit; groups of repositories; how often they are dealt anew."""
ALLOWED = (0.2, 0.25, 0.3, 0.4)
DAMAGED, DAMAGE_SEED = 0.1, 7  # Of 0, .1, .3 and 1 the best (docs/research/repaint_pairs.md)
LOOK = "look worse"  # What the rule that goes by this classifier gives as its reason


def labels() -> dict[tuple[str, ...], tuple[str, str]]:
    """What two viewers found, by picture, hand, painting, seed and pose hypothesis."""
    names, found = ("picture", "hand", "painting", "seed", "pose_hypothesis"), {}
    for number in (3, 4):
        with (LABELS / f"repaint_pairs_{number}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found[tuple(row[name] for name in names)] = row["first"], row["second"] or row["first"]
    return found


@cache
def digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def key(pair: dict) -> tuple[str, ...]:
    picture = pair.get("picture") or digest(pair["file"])
    return (
        picture, str(pair["hand"]), pair["painting"], str(pair["seed"]), pair["pose_hypothesis"],
    )  # fmt: skip


def read(pair: dict, features: RegionFeatures, critic: OnnxCritic) -> np.ndarray:
    """What the classifier reads of a pair."""
    pixels = [np.asarray(PILImage.open(pair[name]).convert("RGB")) for name in ("old", "new")]
    x0, y0, x1, y1 = pair["box"]
    x, y, size, toward = pair["regions"][0]
    square = OrientedSquare(((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0), toward)
    hand = OrientedSquare((x, y), size, toward)
    before, after = (Version(one, critic.judge(one, [hand])[0].malformed) for one in pixels)
    return inputs(features, before, after, square, size, CONTEXT)


def damaged(pixels: np.ndarray, hand: OrientedSquare, rng: np.random.Generator) -> np.ndarray:
    """A picture with one or two of a stain, a blur, a ghost, a piece of background and noise on a hand."""
    whole, size = pixels.astype(np.float32), hand.size_px
    height, width = pixels.shape[:2]

    def moved(reach: float) -> np.ndarray:
        angle = rng.uniform(0, 2 * np.pi)
        dx, dy = reach * size * np.array([np.cos(angle), np.sin(angle)])
        shift = np.array([[1, 0, dx], [0, 1, dy]])
        return cv2.warpAffine(whole, shift, (width, height), borderMode=cv2.BORDER_REFLECT)

    for _ in range(int(rng.integers(1, 3))):
        x, y = np.array(hand.center_px) + rng.uniform(-0.35, 0.35, 2) * size
        axes, angle, edge = (2 * rng.uniform(0.1, 0.3, 2) * size, rng.uniform(0, 180), rng.uniform(0, 0.05))
        place = np.zeros((height, width), np.float32)
        ellipse = ((float(x), float(y)), (float(axes[0]), float(axes[1])), float(angle))
        cv2.ellipse(place, ellipse, 1.0, -1)
        if edge * size > 0.3:
            place = cv2.GaussianBlur(place, (0, 0), edge * size)
        kind = int(rng.integers(5))
        if kind == 0:
            colour = whole[int(rng.integers(height)), int(rng.integers(width))] * rng.uniform(0.5, 1.3)
            other = np.broadcast_to(colour, whole.shape)
        elif kind == 1:
            other = cv2.GaussianBlur(whole, (0, 0), rng.uniform(0.03, 0.09) * size)
        elif kind == 2:
            other = (whole + moved(rng.uniform(0.15, 0.4))) / 2
        elif kind == 3:
            other = moved(rng.uniform(0.8, 1.2))
        else:
            other = whole + rng.normal(0, rng.uniform(12, 40), (height, width, 1)).astype(np.float32)
        whole = whole + place[..., None] * (other - whole)
    return np.clip(np.rint(whole), 0, 255).astype(np.uint8)


def of_damage(
    pair: dict, features: RegionFeatures, critic: OnnxCritic, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """What the classifier reads of a pair's old version and a damaged one, and the other way round."""
    x, y, size, toward = pair["regions"][0]
    hand = OrientedSquare((x, y), size, toward)
    sound = np.asarray(PILImage.open(pair["old"]).convert("RGB"))
    spoilt = damaged(sound, hand, rng)
    changed = (np.abs(sound.astype(int) - spoilt) > CHANGED_LEVELS).any(2)
    if not changed.any():
        return None
    box = np.array([[x - size / 2, y - size / 2], [x + size / 2, y + size / 2]])
    square = square_around(box, changed, (0, 0), toward)
    before, after = (Version(one, critic.judge(one, [hand])[0].malformed) for one in (sound, spoilt))
    first, second = (
        inputs(features, *both, square, size, CONTEXT) for both in ((before, after), (after, before))
    )
    return first, second


def fit(
    x: np.ndarray, sizes: np.ndarray, worse: np.ndarray, judged: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [F, 2] and biases [2] on raw inputs."""
    weight = np.zeros(len(worse))
    weight[judged], weight[~judged] = balanced(worse[judged]), DAMAGED * balanced(worse[~judged])
    return fit_two_classes(x, sizes, worse, weight / weight.sum(), DECAY)


def left_out(
    x: np.ndarray,
    sizes: np.ndarray,
    worse: np.ndarray,
    judged: np.ndarray,
    repository: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Log odds of every pair by what was learnt from other repositories."""
    names = np.random.default_rng(seed).permutation(sorted(set(repository)))
    fold_of = {name: k % FOLDS for k, name in enumerate(names)}
    fold, scores = np.array([fold_of[name] for name in repository]), np.zeros(len(x))
    for k in range(FOLDS):
        fitted = fit(x[fold != k], sizes, worse[fold != k], judged[fold != k])
        scores[fold == k] = log_odds(x[fold == k], fitted)
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=Path, nargs="+", required=True)
    parser.add_argument("--finished", type=Path, nargs="+", required=True)
    parser.add_argument("--photographs", type=Path, nargs="+", required=True)
    parser.add_argument("--earlier", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    known, features, critic = labels(), RegionFeatures.load(), OnnxCritic.load(CRITIC)
    pairs = [
        {**json.loads(text), "painting": painting, "real": files is args.photographs}
        for painting, files in (
            ("drawn", args.drawn),
            ("finished", args.finished),
            ("drawn", args.photographs),
        )
        for file in files
        for text in file.read_text("utf-8").splitlines()
    ]
    rng = np.random.default_rng(DAMAGE_SEED)
    made = [
        (read_twice, pair["split_group"])
        for pair in track(pairs)
        if pair["painting"] == "drawn"
        and not pair["real"]
        and (read_twice := of_damage(pair, features, critic, rng))
    ]
    pairs = [pair for pair in pairs if key(pair) in known]
    x = np.stack(
        [*(read(pair, features, critic) for pair in track(pairs)), *(one for two, _ in made for one in two)]
    )
    x, sizes, earlier = x.astype(np.float64), group_sizes(features), LinearClassifier.load(args.earlier)
    of_earlier = earlier.weights[:, 0] - earlier.weights[:, 1]
    x, sizes = np.column_stack([x, x[:, : len(of_earlier)] @ of_earlier]), np.append(sizes, 1)
    answers = [known[key(pair)] for pair in pairs]
    share = np.array([(a == "worse") / 2 + (b == "worse") / 2 for a, b in answers])
    worse = np.concatenate([share, np.tile([1.0, 0.0], len(made))])
    judged = np.arange(len(worse)) < len(pairs)
    repository = np.array([pair["split_group"] for pair in pairs] + [name for _, name in made for _ in "ab"])
    real = np.array([pair["real"] for pair in pairs])
    drawn = np.array([pair["painting"] == "drawn" for pair in pairs]) & ~real
    free = drawn & [all(LOOK in why for why in pair["rejection_reasons"]) for pair in pairs]
    better = np.array([a == b == "better" for a, b in answers])
    deals = [left_out(x, sizes, worse, judged, repository, seed) for seed in range(DEALS)]
    area = np.mean([auc(scores[~judged], worse[~judged] == 1) for scores in deals])
    deals = [scores[judged] for scores in deals]
    heads = [fit_platt(scores, share == 1) for scores in deals]
    of_drawn = np.mean([auc(scores[drawn], share[drawn] == 1) for scores in deals])
    lines = [
        f"{len(pairs)} pairs, {(share == 1).sum()} worse by both; AUC of drawn ones {of_drawn:.3f}, "
        f"of damage {area:.3f}; "
        f"{free.sum()} drawn hands of generators and {real.sum()} of photographs that nothing else refuses; "
        f"means of {DEALS} deals:"
    ]
    kinds = {"better": better, "worse by both": share == 1, "by one": share == 0.5, "in all": share >= 0}
    for limit in ALLOWED:
        passed = [sigmoid(a * s + b) <= limit for s, (a, b) in zip(deals, heads, strict=True)]
        counts = {
            f"{what} {name}": np.mean([(some & of & which).sum() for some in passed])
            for what, of in (("generated", free), ("photographed", real))
            for name, which in kinds.items()
        }
        lines.append(f"P(worse) ≤ {limit}: " + ", ".join(f"{name} {n:.1f}" for name, n in counts.items()))
    print("\n".join(lines))
    weights, biases = fit(x, sizes, worse, judged)
    together = weights[:-1].copy()
    together[: len(of_earlier), 0] += weights[-1, 0] * of_earlier
    LinearClassifier(
        classes=("worse", "not worse"),
        weights=together,
        biases=biases,
        context=CONTEXT,
        calibration=Head(*np.mean(heads, 0)),
        about={"pairs": len(pairs), "left_out": lines},
    ).save(args.output / FILE)


if __name__ == "__main__":
    main()
