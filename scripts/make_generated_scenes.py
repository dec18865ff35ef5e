"""Generated pictures with their labelled hands, as shards: scripts/make_generated_scenes.py DIR... -o OUT.

What the member ``proposals`` learns from beside photographs and renders. Every DIR holds hands.jsonl and the
pictures that it names, a picture a line, with the box of every hand that viewers saw; a line of the split
`test` is left out. Where landmarks are found in a box, a hand's direction is theirs. A repository is kept
from training as a whole, or not at all.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.labelled_pictures import labelled_pictures
from handwright.data.shards import write_shard
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_in_boxes
from make_photograph_pictures import entry, hands_of

LARGEST_PX, QUALITY, LEAST_PX, LEAST_SHARE = 640, 92, 24, 0.6


def fits(box, points):
    """Whether landmarks are those of the hand in a box, and not of another one that reaches into it."""
    low, high = points.min(0), points.max(0)
    inside = np.minimum(high, box[2:]) - np.maximum(low, box[:2])
    union = np.maximum(high, box[2:]) - np.minimum(low, box[:2])
    return bool((inside > 0).all() and inside.prod() >= LEAST_SHARE * union.prod())


def entry_of(root, line, key, landmarker):
    """A picture with its hands, at most ``LARGEST_PX`` large; None where no hand is large enough."""
    pixels = np.ascontiguousarray(cv2.imread(str(root / line["file"]))[..., ::-1])
    scale = min(1.0, LARGEST_PX / max(pixels.shape[:2]))
    boxes = [np.array(hand["box"], np.float64) for hand in line["hands"] if hand["label"] != "nohand"]
    boxes = [box for box in boxes if scale * (box[2:] - box[:2]).max() >= LEAST_PX]
    if not boxes:
        return None
    found = find_in_boxes(pixels, [tuple(box.tolist()) for box in boxes], landmarker=landmarker)
    known = [
        hand if hand is not None and fits(box, hand.landmarks_px) else None
        for box, hand in zip(boxes, found, strict=True)
    ]
    record = {
        "kind": "generated",
        "seed": line["repo"],
        "index": "whole",
        "domain": "generated",
        "source": f"{line['repo']}/{line['path']}",
        "complete": True,
        "hands": hands_of([hand for hand in known if hand is not None], scale),
        "boxes_xyxy_px": [
            np.round(box * scale, 2).tolist() for box, hand in zip(boxes, known, strict=True) if hand is None
        ],
    }
    return entry(key, record, pixels, scale, QUALITY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, nargs="+", help="folders with hands.jsonl")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with HandLandmarker(None) as landmarker:
        for root in args.pictures:
            lines = labelled_pictures(root, "train")
            made = (entry_of(root, line, f"{k:08d}", landmarker) for k, line in enumerate(lines))
            path = args.output / f"{root.name}.tar"
            print(f"{path}: {write_shard(path, (one for one in made if one is not None))}", flush=True)


if __name__ == "__main__":
    main()
