"""Fit the classifier 'malformed, by the look of it' on labelled hands of image generators.

    python scripts/fit_appearance.py --hands DIR... --photographs DIR --renders DIR --repainted DIR...

``--hands``: folders with ``hands.jsonl`` (a line a picture: file, repo, split, hands with box, label, second
label); lines of the split ``test`` are never read. A hand counts where both labels agree; where one viewer
was unclear it counts half in fitting and nowhere else. ``--renders``: shards of ``handwright synth --kind
defects``; all of them, sound and malformed, are a class of their own, which this classifier does not judge.
``--photographs``: the public sets of ``training.streams.photographs``; the hands found in some hundreds of
their training pictures are good, and together weigh ``PHOTOGRAPHS`` times what the labelled hands weigh.
``--repainted``: shards of scripts/make_repainted_pictures.py, malformed and good hands that together weigh
``REPAINTED`` times what the labelled ones weigh.

Every hand gives two crops, about its labelled box and about its landmarks where they are found, as the review
has them. Folds leave out a repository or a set (renders: a fifth); the calibration comes from
the folds, and how many hands are called at a limit that ``CALLED`` of the good ones of any origin reach.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image as PILImage
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.data.labelled_pictures import box_of, labelled_pictures, read_pixels
from handwright.data.shards import read_shards
from handwright.metrics.roc import auc
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.perception.models.image_features import PACKAGED, SPREADS
from handwright.review.calibration.calibration import Head, fit_platt, sigmoid
from handwright.review.critic.appearance import FILE, appearance_inputs
from handwright.review.critic.image_features import LinearClassifier, RegionFeatures
from handwright.review.critic.landmark_stability import COUNT
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import open_proposer
from handwright.training.streams.photographs import training_photographs
from handwright.training.streams.whole_pictures import refuse_test_only
from judge_measures import recall_within
from judge_real import regions_of_found
from linear_fit import fit_linear

CLASSES = ("malformed", "good", "rendered")
CONTEXT = 0.7
"""Side of the crops in hand sizes. Of .55 to 1.5 the area under the curve is largest from .7 to .9 and recall
at 5 % false alarms at .7 (weights/appearance/README.md)."""
DECAY = 0.001
CALLED = 0.02  # Share of the good hands of any origin that may be called malformed
LABELLED = ("box", "landmarks")  # What the squares of labelled hands are taken from

HALF, FOLDS, MOST_RENDERS, LEAST_PX = 0.5, 5, 950, 48
PHOTOGRAPHS, ONE_IN, MOST_HANDS, LARGEST_PX = 0.1, 6, 4, 1536
"""More weight costs recall (weights/appearance/README.md); one picture in six, four hands of each at most."""

REPAINTED = 0.5  # Of .25, .5 and 1 the best (weights/appearance/README.md)


@dataclass(frozen=True)
class Row:
    """A crop's features with its truth."""

    features: np.ndarray
    kind: int  # Index in ``CLASSES``
    fold: str  # Repository, or the number of a fold
    weight: float  # 1, or ``HALF`` where one viewer was unclear
    sound: bool  # Good, rendered or not
    how: str  # What the square is taken from


def truth_of(hand: dict) -> tuple[str, float] | None:
    """Label and weight of a hand; None where viewers disagree, both were unclear, or there was but one."""
    labels = {hand["label"], (hand.get("second") or {}).get("label")}
    if None in labels or {"good", "malformed"} <= labels or labels == {"unclear"}:
        return None
    (label,) = labels - {"unclear"}
    return label, HALF if "unclear" in labels else 1.0


def generated(folder: Path, features: RegionFeatures) -> Iterator[Row]:
    """Crops of the labelled hands of a folder."""
    lines = labelled_pictures(folder, "train")
    with HandLandmarker(None) as landmarker:
        proposer = open_proposer()
        for line in track(lines, description=folder.name):
            hands = [hand for hand in line["hands"] if truth_of(hand)]
            if not hands:
                continue
            pixels = read_pixels(folder, line)
            boxes = [box_of(hand["box"]) for hand in hands]
            found = find_in_boxes(pixels, boxes, landmarker=landmarker)
            regions = [region for region, _ in regions_of_found(pixels, boxes, found, proposer)]
            for hand, region, seen in zip(hands, regions, found, strict=True):
                label, weight = truth_of(hand) or ("", 0.0)
                squares = [("box", region)]
                if seen is not None:
                    squares.append(("landmarks", OrientedSquare.of(seen.landmarks_px)))
                places = [square for _, square in squares]
                crops = appearance_inputs(pixels, places, features, landmarker, CONTEXT)
                for (how, _), values in zip(squares, crops, strict=True):
                    yield Row(values, CLASSES.index(label), line["repo"], weight, label == "good", how)


def photographed(folder: Path, features: RegionFeatures) -> Iterator[Row]:
    """Crops of the hands that are found in training photographs, as the review finds them."""
    with HandLandmarker(None) as landmarker:
        for photo in track(training_photographs(folder), description=folder.name):
            if int(photo.sha256[-8:], 16) % ONE_IN:
                continue
            picture = PILImage.fromarray(photo.pixels)
            picture.thumbnail((LARGEST_PX, LARGEST_PX))
            pixels = np.asarray(picture)
            found = [one for one in find_hands(pixels, landmarker=landmarker) if one.size_px >= LEAST_PX]
            squares = [OrientedSquare.of(one.landmarks_px) for one in found[:MOST_HANDS]]
            if not squares:
                continue
            for values in appearance_inputs(pixels, squares, features, landmarker, CONTEXT):
                yield Row(values, 1, photo.source.split("/")[0], PHOTOGRAPHS, True, "photograph")


def rendered(folder: Path, features: RegionFeatures) -> Iterator[Row]:
    """Crops of rendered hands, sound and malformed."""
    count = 0
    with HandLandmarker(None) as landmarker:
        for entry in track(read_shards(sorted(folder.glob("*.tar"))), description=folder.name):
            if count >= MOST_RENDERS:
                break
            if entry.record.get("domain") == "photograph":
                continue
            refuse_test_only(entry.record)
            for hand in entry.record["hands"]:
                points = np.array(hand["keypoints_px"])
                if hand.get("gloved") or np.ptp(points, axis=0).max() < LEAST_PX:
                    continue
                squares = [OrientedSquare.of(points)]
                pixels = entry.pictures["image"]
                (values,) = appearance_inputs(pixels, squares, features, landmarker, CONTEXT)
                yield Row(values, 2, f"rendered {count % FOLDS}", 1.0, not hand.get("defects"), "landmarks")
                count += 1


def repainted(folder: Path, features: RegionFeatures) -> Iterator[Row]:
    """Crops of hands that the embedded family repainted."""
    with HandLandmarker(None) as landmarker:
        for entry in track(read_shards(sorted(folder.glob("*.tar"))), description=folder.name):
            refuse_test_only(entry.record)
            for hand in entry.record["hands"]:
                points = np.array(hand["keypoints_px"])
                if hand["label"] not in CLASSES or np.ptp(points, axis=0).max() < LEAST_PX:
                    continue
                squares = [OrientedSquare.of(points)]
                (values,) = appearance_inputs(entry.pictures["image"], squares, features, landmarker, CONTEXT)
                kind = CLASSES.index(hand["label"])
                yield Row(values, kind, "repainted", 1.0, kind == 1, "repainted")


def fit(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    """Weights [F, C] and biases [C] on raw features; each class and kind of features weighs the same."""
    x = np.stack([row.features for row in rows]).astype(np.float64)
    groups = [x.shape[1] - 2 * SPREADS - COUNT, 2 * SPREADS, COUNT]
    sizes = np.repeat(groups, groups)
    kinds = torch.tensor([row.kind for row in rows])
    how, weighs = np.array([row.how for row in rows]), np.array([row.weight for row in rows])
    labelled = np.isin(how, LABELLED) & (kinds.numpy() < 2)
    for kind in range(2):
        of_kind = kinds.numpy() == kind
        made = of_kind & (how == "repainted")
        weighs[made] *= REPAINTED * weighs[of_kind & labelled].sum() / max(made.sum(), 1)
    photographs = how == "photograph"
    weighs[photographs] *= weighs[labelled].sum() / max(photographs.sum(), 1)
    weights = torch.from_numpy(weighs)
    totals = torch.zeros(len(CLASSES), dtype=torch.float64).index_add(0, kinds, weights)
    weights = weights / totals[kinds] / len(CLASSES)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return (weights * torch.nn.functional.cross_entropy(logits, kinds, reduction="none")).sum()

    return fit_linear(x, sizes, len(CLASSES), loss, DECAY)


def log_odds(rows: list[Row], fitted: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    head = LinearClassifier(
        classes=CLASSES, weights=fitted[0], biases=fitted[1], context=CONTEXT, calibration=Head()
    )
    return head.log_odds(np.stack([row.features for row in rows]))


def released(rows: list[Row]) -> LinearClassifier:
    """The classifier that ships, calibrated on what it says of folds that it did not learn from."""
    scores = np.zeros(len(rows))
    for fold in sorted({row.fold for row in rows}):
        held = [k for k, row in enumerate(rows) if row.fold == fold]
        scores[held] = log_odds([rows[k] for k in held], fit([row for row in rows if row.fold != fold]))
    kind, agreed = np.array([row.kind for row in rows]), np.array([row.weight == 1 for row in rows])
    how, sound = np.array([row.how for row in rows]), np.array([row.sound for row in rows])
    lines = []
    for square in ("box", "landmarks"):
        of = agreed & (kind < 2) & (how == square)
        area, recall = auc(scores[of], kind[of] == 0), recall_within(scores[of], kind[of] == 0, 0.05)
        lines.append(f"{square}: {(kind[of] == 0).sum()} malformed, {(kind[of] == 1).sum()} good, ")
        lines[-1] += f"AUC {area:.3f}, recall at 5 % false alarms {recall:.2f}"
    made, of = how == "repainted", agreed & np.isin(how, LABELLED) & (kind < 2)
    scale, bias = fit_platt(scores[of], kind[of] == 0)
    even = sigmoid(scale * scores + bias) >= 0.5
    lines.append(
        f"P .5 is reached by {even[of & (kind == 0)].mean():.3f} of the malformed and "
        f"{even[of & (kind == 1)].mean():.3f} of the good crops"
    )
    lines.append(f"repainted, all left out: {made.sum()}, AUC {auc(scores[made], kind[made] == 0):.3f}")
    limit = max(
        np.quantile(scores[of & (kind == 1)], 1 - CALLED),
        np.quantile(scores[(kind == 2) & sound], 1 - CALLED),
        np.quantile(scores[how == "photograph"], 1 - CALLED),
    )
    for name, which in (
        ("malformed", of & (kind == 0)),
        ("good", of & (kind == 1)),
        ("rendered", kind == 2),
        ("photographed", how == "photograph"),
    ):
        lines.append(f"{name} hands that reach that limit: {(scores[which] > limit).mean():.3f}")
    print("\n".join(lines))
    weights, biases = fit(rows)
    calibration = Head(scale, bias)
    about = {
        "crops": {name: int((kind == k).sum()) for k, name in enumerate(CLASSES)},
        "repositories": len({row.fold for row in rows if row.how in LABELLED and row.kind < 2}),
        "left_out": lines,
    }
    return LinearClassifier(
        classes=CLASSES,
        weights=weights,
        biases=biases,
        context=CONTEXT,
        calibration=calibration,
        about=about,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hands", type=Path, nargs="+", required=True)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--renders", type=Path, required=True)
    parser.add_argument("--repainted", type=Path, nargs="+", required=True)
    parser.add_argument("-o", "--output", type=Path, default=PACKAGED)
    args = parser.parse_args()
    features = RegionFeatures.load()
    rows = [row for folder in args.hands for row in generated(folder, features)]
    rows += photographed(args.photographs, features)
    rows += rendered(args.renders, features)
    rows += [row for folder in args.repainted for row in repainted(folder, features)]
    released(rows).save(args.output / FILE)


if __name__ == "__main__":
    main()
