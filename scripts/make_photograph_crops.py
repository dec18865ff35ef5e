"""Cut training crops out of licensed photographs: scripts/make_photograph_crops.py PHOTOS -o DIR.

Test-only pictures are left out by the split's rule. The file goes beside the shards of `handwright synth`
that a member trains on, with photographs.csv, the hashes of all that was looked at; a file that is there
already is kept.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from handwright.perception.detect.landmarker import HandLandmarker
from handwright.training.streams.crops import joined, save_crops
from handwright.training.streams.photographs import photograph_crops, training_photographs

LEAST_PX = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the real photographs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument("--size", type=int, default=288, help="side of the crops")
    args = parser.parse_args()
    path = args.output / "photographs.npz"
    if path.exists():
        return
    args.output.mkdir(parents=True, exist_ok=True)
    lots, seen = [], ["photograph,sha256"]
    with HandLandmarker(None) as landmarker:
        for number, photograph in enumerate(training_photographs(args.photos)):
            if number % args.every == 0:
                seen.append(f"{photograph.source},{photograph.sha256}")
                crops = photograph_crops(photograph, landmarker, args.size, LEAST_PX)
                lots += [] if crops is None else [crops]
    path.with_suffix(".csv").write_text("\n".join(seen) + "\n", encoding="utf-8")
    save_crops(path, joined(lots))
    print(f"{sum(map(len, lots))} hands of {len(lots)} photographs: {path}")


if __name__ == "__main__":
    main()
