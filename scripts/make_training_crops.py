"""Make the crops that the embedded family trains on: scripts/make_training_crops.py -o DIR [--photos DIR].

Renders with exact depth in lots of 250 (seeds from ``renders.FIRST_SEED``), then the hands of licensed
training photographs; test-only pictures are left out by the split's rule. What is there already is kept.
"""

from __future__ import annotations

import argparse
import os
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from handwright.perception.landmarker import HandLandmarker
from handwright.training.crops import joined, save_crops
from handwright.training.photographs import photograph_crops, training_photographs
from handwright.training.renders import FIRST_SEED, rendered_crops

LOT = 250
LEAST_PX = 64


def make_lot(job: tuple[int, int, Path]) -> Path:
    """One file of renders."""
    first, size, path = job
    if not path.exists():
        save_crops(path, rendered_crops(first, LOT, size))
    return path


def make_photographs(root: Path, size: int, every: int, path: Path) -> None:
    """One file with the hands of every ``every``-th photograph."""
    if path.exists():
        return
    lots = []
    with HandLandmarker(None) as landmarker:
        for number, photograph in enumerate(training_photographs(root)):
            if number % every == 0:
                crops = photograph_crops(photograph, landmarker, size, LEAST_PX)
                lots += [] if crops is None else [crops]
    save_crops(path, joined(lots))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--renders", type=int, default=9000)
    parser.add_argument("--photos", type=Path, help="folder of the real photographs")
    parser.add_argument("--every", type=int, default=3, help="take every N-th photograph")
    parser.add_argument("--size", type=int, default=144)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    jobs = [
        (FIRST_SEED + LOT * k, args.size, args.output / f"renders-{k:04d}.npz")
        for k in range(-(-args.renders // LOT))
    ]
    with get_context("spawn").Pool(args.workers) as pool:
        for path in pool.imap_unordered(make_lot, jobs):
            print(path)
    if args.photos is not None:
        make_photographs(args.photos, args.size, args.every, args.output / "photographs.npz")


if __name__ == "__main__":
    main()
