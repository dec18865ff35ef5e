"""Labelled hands of generated pictures, as shards: scripts/make_generated_pictures.py AI_HANDS -o DIR.

AI_HANDS holds hands.jsonl and the pictures that it names: a picture a line, of every hand a box, a label and
a second label that was given without knowing the first. Only the split `train` is read. Hands on which both
labels agree become squares with room around them; the others are 'unclear', of which nothing is learnt. A
hand's direction is that of the landmarks that are found in its box; without any, its fingers are taken to
point up.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.labelled_pictures import label_of, labelled_pictures
from handwright.data.shards import Entry, write_shard
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import box_iou

ROOM, LARGEST_PX, QUALITY, LEAST_OVERLAP = 2.6, 400, 92, 0.35


def points_of(box, found):
    """21 landmarks found in a box, else stand-ins from the middle's lower to its upper edge; and which."""
    x0, y0, x1, y1 = box
    best = max(found, key=lambda hand: box_iou(tuple(box), hand.bbox_xyxy_px), default=None)
    if best is not None and box_iou(tuple(box), best.bbox_xyxy_px) >= LEAST_OVERLAP:
        return best.landmarks_px.copy(), best.side
    points = np.empty((21, 2))
    points[:] = (x0 + x1) / 2, (y0 + y1) / 2
    points[0], points[9] = ((x0 + x1) / 2, y1), ((x0 + x1) / 2, (y0 + y1) / 2)
    points[12], points[4], points[20] = ((x0 + x1) / 2, y0), (x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)
    return points, None


def entries_of(root, line, landmarker):
    """A square of every hand of a picture."""
    pixels = cv2.imread(str(root / line["file"]))[..., ::-1]
    found = find_hands(np.ascontiguousarray(pixels), landmarker=landmarker, threads=1)
    for hand in line["hands"]:
        label = label_of(hand)
        if label == "unclear":
            continue
        points, side = points_of(hand["box"], found)
        low, high = points.min(0), points.max(0)
        reach = float((high - low).max()) * ROOM
        corner, large = (low + high) / 2 - reach / 2, int(min(LARGEST_PX, reach))
        scale = large / reach
        blurred = pixels if scale >= 0.9 else cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale)
        way = np.column_stack([np.eye(2) * scale, -scale * corner])
        square = cv2.warpAffine(blurred, way, (large, large), borderValue=(127, 127, 127))
        record = {
            "kind": "generated",
            "seed": line["repo"],
            "index": line["group"],
            "domain": "generated",
            "source": f"{line['repo']}/{line['path']}",
            "generator": line["generator"],
            "complete": False,
            "hands": [
                {
                    "side": side,
                    "keypoints_px": np.round((points - corner) * scale, 2).tolist(),
                    "visible": [True] * 21,
                    "found": side is not None,
                    "label": label,
                    "kinds": hand["kinds"],
                }
            ],
        }
        coded = cv2.imencode(".jpg", square[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        yield {}, record, {"image": coded}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, help="folder with hands.jsonl")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    lines = labelled_pictures(args.pictures, "train")
    args.output.mkdir(parents=True, exist_ok=True)
    with HandLandmarker() as landmarker:
        made = (parts for line in lines for parts in entries_of(args.pictures, line, landmarker))
        entries = (Entry(f"{number:08d}", *parts) for number, parts in enumerate(made))
        print(write_shard(args.output / "generated-00000.tar", entries))


if __name__ == "__main__":
    main()
