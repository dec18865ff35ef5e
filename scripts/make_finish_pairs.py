"""Photographed hands made malformed and redrawn: scripts/make_finish_pairs.py PHOTOS -o DIR.

What the member ``finish`` learns from. Hands of training photographs, good hands of image generators and
rendered ones are found and fitted; those that the fit covers well are made malformed (``unnamed_defects``; a
tenth stay sound) and redrawn in their own pose, as `refine` does. Files hold a lot of squares each, beside
pictures.csv, the hashes of what was looked at. A second run adds what is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.hands import render_hands
from handwright.data.photographs import decode_photo
from handwright.drawing.painter import draw_hand
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import box_iou
from handwright.perception.segment import hand_region
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.training.finish_pairs import FinishPairs, cut_pair, save_pairs
from handwright.training.finish_planes import finish_inputs
from handwright.training.streams.photographs import training_photographs
from handwright.training.streams.unnamed_defects import gone_wrong
from handwright.types import Box, Image
from make_generated_pictures import label_of

LEAST_PX, FARTHEST_FIT, LEAST_OVERLAP = 48, 0.035, 0.80
"""Of hands that are kept: least size in px, greatest residual of the fit in hand sizes, least overlap of the
fitted and the segmented hand."""

SOUND_SHARE, MOST_DEFECTS = 0.1, 3  # Share of hands left as they are; defects of the others, at most
SAME_HAND = 0.3  # Overlap of a find's box with a labelled one from which on they are one hand

LOT = 40  # Pictures a file
RENDERED_SEED = 770_000  # Of the rendered pictures, apart from those that benches measure on


def malformed(rng: np.random.Generator, hand: HandAnalysis, other: np.ndarray) -> np.ndarray:
    """The hand's crop with something wrong with it; a share of them as it is."""
    crop = hand.crop
    if rng.random() < SOUND_SHARE:
        return crop.copy()
    side = max(crop.shape[:2])
    square = cv2.copyMakeBorder(
        crop, 0, side - crop.shape[0], 0, side - crop.shape[1], cv2.BORDER_REFLECT_101
    )
    other = cv2.resize(other, (side, side), interpolation=cv2.INTER_AREA)
    for _ in range(1 + int(rng.integers(MOST_DEFECTS))):
        wrong = gone_wrong(rng, square, hand.landmarks_px, other)
        square = square if wrong is None else wrong[0]
    return np.ascontiguousarray(square[: crop.shape[0], : crop.shape[1]])


def pairs_of(
    name: str,
    pixels: np.ndarray,
    landmarker: Landmarker,
    rng: np.random.Generator,
    others: list[np.ndarray],
    *,
    good: Sequence[Box] | None = None,
    rendered: bool = False,
) -> Iterator[FinishPairs]:
    """The pairs of one picture; of its finds in one of the boxes ``good`` where these are given."""
    image = Image(np.ascontiguousarray(pixels))
    for seen in find_hands(image.pixels, landmarker=landmarker):
        fits = good is None or any(box_iou(seen.bbox_xyxy_px, box) >= SAME_HAND for box in good)
        if seen.size_px < LEAST_PX or not fits:
            continue
        hand = analyse_hand(image, seen)
        if hand.fit.residual > FARTHEST_FIT or hand.overlap < LEAST_OVERLAP:
            continue
        old = malformed(rng, hand, others[-1] if others else hand.crop[:, ::-1])
        others[:] = [hand.crop]
        region = hand_region(old, hand.landmarks_px)
        mask = compute_repair_mask(hand.fit.hand, hand.window, hand.landmarks_px, region)
        drawn = draw_hand(
            old, hand.window, hand.fit.hand, hand.landmarks_px, region, seed=0, repair_mask=mask
        )
        if not drawn.painted.any():
            continue
        pair = cut_pair(finish_inputs(old, drawn), hand.crop, f"{name} {seen.side}", rendered)
        if pair is not None:
            yield pair


def generated(folders: Sequence[Path]) -> Iterator[tuple[str, str, np.ndarray, list[Box]]]:
    """Name, hash, pixels and good hands' boxes of labelled generated pictures of the split 'train'."""
    for folder in folders:
        for text in (folder / "hands.jsonl").read_text("utf-8").splitlines():
            line = json.loads(text)
            if line["split"] != "train" or line["origin"] != "ai":
                continue
            good = [hand for hand in line["hands"] if label_of(hand) == "good"]
            if good:
                data = (folder / line["file"]).read_bytes()
                boxes: list[Box] = [tuple(hand["box"]) for hand in good]
                name = f"{line['repo']}/{line['path']}"
                yield name, hashlib.sha256(data).hexdigest(), decode_photo(data, line["file"]), boxes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the real photographs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument(
        "--hands", type=Path, nargs="*", default=[], help="folders of labelled generated hands"
    )
    parser.add_argument("--rendered", type=int, default=400, help="rendered pictures")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    photographs = list(training_photographs(args.photos))[:: args.every]
    order = np.random.default_rng(0).permutation(len(photographs))
    kinds = {
        "photographs": [(p.source, p.sha256, p.pixels, None) for p in (photographs[k] for k in order)],
        "generated": list(generated(args.hands)),
        "rendered": [(f"render {k}", "", None, None) for k in range(args.rendered)],
    }
    looked = sorted(f"{name},{sha256}" for kind in kinds.values() for name, sha256, *_ in kind if sha256)
    (args.output / "pictures.csv").write_text("\n".join(["picture,sha256", *looked, ""]), "utf-8")
    with HandLandmarker(None) as landmarker:
        for first in range(0, max(map(len, kinds.values())), LOT):
            for number, (kind, pictures) in enumerate(kinds.items()):
                path = args.output / f"{kind}-{first:05d}.npz"
                if first >= len(pictures) or path.exists():
                    continue
                rng = np.random.default_rng([RENDERED_SEED, first, number])
                others: list[np.ndarray] = []
                pairs: list[FinishPairs] = []
                for k, (name, _, pixels, good) in enumerate(pictures[first : first + LOT], first):
                    shown = render_hands(RENDERED_SEED, k, 256).pixels if pixels is None else pixels
                    rendered = pixels is None
                    pairs += pairs_of(name, shown, landmarker, rng, others, good=good, rendered=rendered)
                save_pairs(path, pairs)


if __name__ == "__main__":
    main()
