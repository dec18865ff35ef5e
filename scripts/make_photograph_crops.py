"""Cut crops of hands to train on out of photographs, or out of a public data set in its own layout.

    scripts/make_photograph_crops.py PHOTOS -o DIR
    scripts/make_photograph_crops.py ROOT --dataset rhd -o DIR

Of photographs, hands are detected; test-only pictures are left out by the split's rule, and photographs.csv
has the hashes of all that was looked at. Of a data set's training split, hands are those that it labels; each
lot of crops is a file, one that is there already is kept, and pictures without use are counted. With
--together, for `handwright train hand_generator`, a left and a right hand whose boxes meet share one crop.
The files go beside the shards of `handwright synth` that a member trains on.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import count, islice
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from handwright.data.loaders import (
    Tally,
    read_coco_wholebody,
    read_freihand,
    read_hagrid,
    read_interhand,
    read_reinterhand,
    read_rhd,
)
from handwright.data.loaders.records import Record
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.training.hand_crops import LEAST_PX, crops_of_hands, crops_of_sample
from handwright.training.streams.crops import Crops, joined, save_crops
from handwright.training.streams.photographs import Photograph, training_photographs

DATASETS: dict[str, Callable[[Path], Iterable[Record]]] = {
    "coco-wholebody": lambda root: read_coco_wholebody(root, "train"),
    "freihand": read_freihand,
    "hagrid": read_hagrid,
    "interhand": read_interhand,
    "reinterhand": read_reinterhand,
    "rhd": read_rhd,
}

PER_LOT = 1000
"""Pictures of a data set whose crops share a file: at 288² some 250 MB of memory."""


def photograph_crops(photograph: Photograph, landmarker: Landmarker, size: int) -> Crops | None:
    """Crops around the detected hands of a photograph, or None when no large one is seen."""
    hands = [h for h in find_hands(photograph.pixels, landmarker=landmarker) if h.size_px >= LEAST_PX]
    captions = [f"a photograph of a {hand.side} hand" for hand in hands]
    return crops_of_hands(photograph.pixels, hands, captions, size) if hands else None


def from_photographs(photos: Path, output: Path, every: int, size: int) -> str:
    """Crops of the photographs that may be trained on."""
    path = output / "photographs.npz"
    if path.exists():
        return f"{path} is there"
    lots, seen = [], ["photograph,sha256"]
    with HandLandmarker(None) as landmarker:
        for photograph in islice(training_photographs(photos), None, None, every):
            seen.append(f"{photograph.source},{photograph.sha256}")
            crops = photograph_crops(photograph, landmarker, size)
            lots += [] if crops is None else [crops]
    path.with_suffix(".csv").write_text("\n".join(seen) + "\n", encoding="utf-8")
    save_crops(path, joined(lots))
    return f"{sum(map(len, lots))} hands of {len(lots)} photographs: {path}"


def from_dataset(
    name: str,
    records: Iterable[Record],
    output: Path,
    every: int,
    size: int,
    per_lot: int = PER_LOT,
    *,
    together: bool = False,
) -> list[str]:
    """Lots of crops of a data set's labelled hands; lines about what was left out."""
    read, kept = Tally(), Tally()
    samples = islice(read.samples(records), None, None, every)
    for number in count():
        lot = list(islice(samples, per_lot))
        if not lot:
            break
        path = output / f"{name}-{number:05d}.npz"
        if not path.exists():
            _save(
                path, list(kept.samples(crops_of_sample(sample, size, together=together) for sample in lot))
            )
    return [*read.lines(), *kept.lines()]


def _save(path: Path, lots: Sequence[Crops]) -> None:
    if lots:
        save_crops(path, joined(lots))


def main() -> None:
    """Cut the crops and say how many."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="folder of the photographs or of the data set")
    parser.add_argument("--dataset", choices=sorted(DATASETS), help="whose layout the folder has")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th picture")
    parser.add_argument(
        "--together", action="store_true", help="two hands that meet share a crop, as stage I has them"
    )
    parser.add_argument("--size", type=int, default=288, help="side of the crops")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    if args.dataset is None:
        print(from_photographs(args.root, args.output, args.every, args.size))
    else:
        records = DATASETS[args.dataset](args.root)
        lines = from_dataset(
            args.dataset, records, args.output, args.every, args.size, together=args.together
        )
        print(*lines, sep="\n")


if __name__ == "__main__":
    main()
