"""Whether frozen image features tell broken holds: python bench/holds.py --renders DIR --hands DIR.

``--renders``: shards of ``handwright synth --kind holds``; every fifth picture is left out in turn.
``--hands``: folder with ``hands.jsonl`` (pictures of image generators, labelled hands). Good hands of its
split ``train``, on which both labels agree, are sound in fitting, and set the limit with the sound renders;
``test`` is only reported. ``--photographs``: the test-only sets, whose hands are all sound; only reported.

Three views: the shipped features of the middle of the hand (.7 of its size, 224 px, mirrored too: what the
review computes anyway), those of 1.6 hand sizes at 160 px, and both. What is extracted is kept in ``--work``.
Each is fitted twice, on renders alone and with the good generated hands beside them.
"""

from __future__ import annotations

import argparse
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from PIL import Image as PILImage

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from handwright.data.photographs import decode_photo
from handwright.data.shards import read_shards
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.metrics.estimate import rate_estimate
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.review.critic.image_features import PACKAGED, ImageFeatures
from handwright.review.critic.upright_crops import OrientedSquare, crop_transform, upright_crop
from handwright.review.proposals.network import open_proposer
from judge_measures import auc
from judge_real import held_out_photos, regions_of_found
from linear_fit import fit_linear

Row = dict[str, Any]
NEAR, WIDE, WIDE_PX, FOLDS, DECAY, BUDGET = 0.7, 1.6, 160, 5, 0.0003, 0.02
CLASSES = (*(str(hold) for hold in Hold), "real")
VIEWS = {"middle of the hand": ("near",), "1.6 hand sizes": ("wide",), "both": ("near", "wide")}
MOST_HANDS, LEAST_PX, LARGEST_PX = 8, 32, 1536


def any_size_session() -> onnxruntime.InferenceSession:
    """The shipped network for crops of any size: its features are means."""
    model = onnx.load(PACKAGED / "features.onnx")
    for k, name in ((2, "height"), (3, "width")):
        size = model.graph.input[0].type.tensor_type.shape.dim[k]
        size.ClearField("dim_value")
        size.dim_param = name
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


class Extractor:
    """Features of hands of pictures."""

    def __init__(self) -> None:
        self.near, self.wide = ImageFeatures.load(), any_size_session()

    def rows(self, pixels: np.ndarray, regions: list[OrientedSquare], facts: list[Row]) -> Iterator[Row]:
        if not regions:
            return
        near = self.near.of_regions(pixels, regions, NEAR)
        for region, values, fact in zip(regions, near, facts, strict=True):
            crop = upright_crop(pixels, crop_transform(region, WIDE_PX, WIDE), WIDE_PX)
            batch = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32) / 127.5 - 1
            yield {"near": values, "wide": self.wide.run(None, {"crops": batch})[0][0], **fact}


def rendered(folder: Path, extractor: Extractor, landmarker: Landmarker) -> Iterator[Row]:
    for entry in read_shards(sorted(folder.glob("*.tar"))):
        pixels, hold = entry.pictures["image"], entry.record["hold"]
        points = np.array(entry.record["hands"][0]["keypoints_px"])
        low, high, size = points.min(0), points.max(0), np.ptp(points)
        box = (*(low - 0.1 * size), *(high + 0.1 * size))
        (found,) = find_in_boxes(pixels, [box], landmarker=landmarker)
        region, side = OrientedSquare.of(points), max(np.ptp(points, axis=0))
        if found is not None and np.linalg.norm(found.landmarks_px - points, axis=1).mean() < 0.5 * side:
            region = OrientedSquare.of(found.landmarks_px)
        fact = {"origin": "render", "state": hold["state"], "gen": hold["generator"], "file": entry.key}
        yield from extractor.rows(pixels, [region], [fact])


def generated(folder: Path, extractor: Extractor, landmarker: Landmarker) -> Iterator[Row]:
    proposer = open_proposer()
    for text in (folder / "hands.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        pixels = decode_photo((folder / line["file"]).read_bytes(), line["file"])
        boxes = [tuple(map(float, hand["box"])) for hand in line["hands"]]
        found = find_in_boxes(pixels, boxes, landmarker=landmarker)
        regions = [region for region, _ in regions_of_found(pixels, boxes, found, proposer)]
        squares = [
            region if seen is None else OrientedSquare.of(seen.landmarks_px)
            for region, seen in zip(regions, found, strict=True)
        ]
        facts = []
        for hand in line["hands"]:
            second = hand.get("second") or {}
            kinds = [*(hand.get("kinds") or []), *(second.get("kinds") or [])]
            labels = {"label": hand["label"], "second": second.get("label"), "kinds": kinds}
            facts.append({"origin": "ai", "split": line["split"], "group": line["repo"], **labels})
        yield from extractor.rows(pixels, squares, facts)


def photographed(folder: Path, extractor: Extractor, landmarker: Landmarker) -> Iterator[Row]:
    for photo in held_out_photos(folder):
        if not photo.unseen:
            continue
        picture = PILImage.fromarray(photo.read())
        picture.thumbnail((LARGEST_PX, LARGEST_PX))
        pixels = np.asarray(picture)
        found = [one for one in find_hands(pixels, landmarker=landmarker) if one.size_px >= LEAST_PX]
        squares = [OrientedSquare.of(one.landmarks_px) for one in found[:MOST_HANDS]]
        facts = [{"origin": "photo", "group": photo.folder}] * len(squares)
        yield from extractor.rows(pixels, squares, facts)


def kept(path: Path, make: Callable[[], Iterator[Row]]) -> list[Row]:
    if not path.exists():
        path.write_bytes(pickle.dumps(list(make())))
    return pickle.loads(path.read_bytes())


def agreed(row: Row, label: str) -> bool:
    return row["label"] == label == row["second"]


def fitted(x: np.ndarray, kinds: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The log odds of a broken hold against all else; every class weighs the same."""
    present = np.unique(kinds)
    truth = torch.from_numpy(np.searchsorted(present, kinds))
    weights = 1 / torch.bincount(truth)[truth].double() / len(present)

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return (weights * torch.nn.functional.cross_entropy(logits, truth, reduction="none")).sum()

    raw, bias = fit_linear(x.astype(np.float64), x.shape[1], len(present), loss, DECAY)
    broken = np.isin([CLASSES[k] for k in present], BROKEN_HOLDS)

    def log_odds(values: np.ndarray) -> np.ndarray:
        logits = values.astype(np.float64) @ raw + bias
        return np.logaddexp.reduce(logits[:, broken], axis=1) - np.logaddexp.reduce(
            logits[:, ~broken], axis=1
        )

    return log_odds


def study(
    view: str, renders: list[Row], real: list[Row], test: dict[str, list[Row]], with_real: bool
) -> None:
    """Print what a view gives; folds leave out a fifth of the renders, and repositories of real hands."""

    def x(rows: list[Row]) -> np.ndarray:
        return np.stack([np.concatenate([row[name] for name in VIEWS[view]]) for row in rows])

    rows = [*renders, *real]
    kinds = np.array([CLASSES.index(row.get("state", "real")) for row in rows])
    names = sorted({row["group"] for row in real})
    fold = np.array([*(int(r["file"]) for r in renders), *(names.index(r["group"]) for r in real)]) % FOLDS
    is_render, every = np.arange(len(rows)) < len(renders), x(rows)
    used = np.ones(len(rows), bool) if with_real else is_render
    scores = np.zeros(len(rows))
    for k in range(FOLDS):
        scores[fold == k] = fitted(every[used & (fold != k)], kinds[used & (fold != k)])(every[fold == k])
    broken = np.isin([CLASSES[k] for k in kinds], BROKEN_HOLDS)
    limits = {
        "renders alone": np.quantile(scores[is_render & ~broken], 1 - BUDGET),
        "renders and generated": max(
            np.quantile(scores[is_render & ~broken], 1 - BUDGET), np.quantile(scores[~is_render], 1 - BUDGET)
        ),
    }
    final = fitted(every[used], kinds[used])
    print(f"\n## {view}, fitted on renders{' and good generated hands' if with_real else ' alone'}")
    print(f"AUC of renders {auc(scores[is_render], broken[is_render]):.3f}")
    for what, limit in limits.items():
        print(f"limit by {what}: {limit:.2f}")
        for hold in Hold:
            mine = is_render & (kinds == CLASSES.index(hold))
            print(" ", rate_estimate(f"render, {hold}", scores[mine] > limit))
        print(" ", rate_estimate("generated train, good, left out", scores[~is_render] > limit))
        for name, some in test.items():
            if some:
                print(" ", rate_estimate(name, final(x(some)) > limit))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renders", type=Path, required=True)
    parser.add_argument("--hands", type=Path, required=True)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--work", type=Path, default=Path("runs/holds"))
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    extractor = Extractor()
    with HandLandmarker(None) as landmarker:
        renders = kept(args.work / "renders.pkl", lambda: rendered(args.renders, extractor, landmarker))
        hands = kept(args.work / "ai.pkl", lambda: generated(args.hands, extractor, landmarker))
        photos: list[Row] = []
        if args.photographs is not None:
            found = kept(
                args.work / "photos.pkl", lambda: photographed(args.photographs, extractor, landmarker)
            )
            photos = found
    real = [row for row in hands if row["split"] == "train" and agreed(row, "good")]
    malformed = [row for row in hands if row["label"] == "malformed"]
    test = {
        "generated test, good": [r for r in hands if r["split"] == "test" and agreed(r, "good")],
        "generated test, malformed": [r for r in hands if r["split"] == "test" and agreed(r, "malformed")],
        "generated, malformed grip, any split": [row for row in malformed if "grip" in row["kinds"]],
        "test-only photographs": photos,
    }
    for view in VIEWS:
        for with_real in (False, True):
            study(view, renders, real, test, with_real)


if __name__ == "__main__":
    main()
