"""Hands as drawn beside the same hands as photographed: scripts/make_finish_pairs.py PHOTOS -o DIR.

What the member ``finish`` learns from. Hands of training photographs and of rendered pictures are found,
fitted and redrawn as ``refine --all`` does; those that the fit covers well are kept, a lot of squares a file,
beside pictures.csv, the hashes of the photographs that were looked at. A second run adds what is missing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from handwright.data.hands import render_hands
from handwright.drawing.painter import draw_hand
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.training.finish_pairs import FinishPairs, cut_pair, finish_inputs, save_pairs
from handwright.training.streams.photographs import training_photographs
from handwright.types import Image

LEAST_PX, FARTHEST_FIT, LEAST_OVERLAP = 56, 0.035, 0.80
"""Of hands that are kept: least size in px, greatest residual of the fit in hand sizes, least overlap of the
fitted and the segmented hand."""

LOT = 40  # Pictures a file
RENDERED_SEED = 770_000  # Of the rendered pictures, apart from those that benches measure on


def pairs_of(name: str, pixels: np.ndarray, landmarker: Landmarker, rendered: bool) -> Iterator[FinishPairs]:
    """The pairs of one picture."""
    image = Image(np.ascontiguousarray(pixels))
    for seen in find_hands(image.pixels, landmarker=landmarker):
        if seen.size_px < LEAST_PX:
            continue
        hand = analyse_hand(image, seen)
        if hand.fit.residual > FARTHEST_FIT or hand.overlap < LEAST_OVERLAP:
            continue
        mask = compute_repair_mask(hand.fit.hand, hand.window, hand.landmarks_px, hand.region)
        drawn = draw_hand(
            hand.crop, hand.window, hand.fit.hand, hand.landmarks_px, hand.region, seed=0, repair_mask=mask
        )
        if not drawn.painted.any():
            continue
        planes = finish_inputs(drawn.pixels, drawn.layers.alpha, hand)
        pair = cut_pair(planes, hand.crop, hand.region.inside, f"{name} {seen.side}", rendered)
        if pair is not None:
            yield pair


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the real photographs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument("--rendered", type=int, default=400, help="rendered pictures")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    chosen = list(training_photographs(args.photos))[:: args.every]
    chosen = [chosen[k] for k in np.random.default_rng(0).permutation(len(chosen))]
    with HandLandmarker(None) as landmarker:
        for first in range(0, max(len(chosen), args.rendered), LOT):
            path = args.output / f"photographs-{first:05d}.npz"
            if first < len(chosen) and not path.exists():
                some = chosen[first : first + LOT]
                save_pairs(
                    path, [p for one in some for p in pairs_of(one.source, one.pixels, landmarker, False)]
                )
                seen = sorted(f"{one.source},{one.sha256}" for one in chosen[: first + LOT])
                (args.output / "pictures.csv").write_text(
                    "\n".join(["photograph,sha256", *seen, ""]), "utf-8"
                )
            path = args.output / f"rendered-{first:05d}.npz"
            if first < args.rendered and not path.exists():
                numbers = range(first, min(first + LOT, args.rendered))
                made = ((f"render {k}", render_hands(RENDERED_SEED, k, 256).pixels) for k in numbers)
                save_pairs(path, [p for n, pixels in made for p in pairs_of(n, pixels, landmarker, True)])


if __name__ == "__main__":
    main()
