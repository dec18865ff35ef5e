"""Whole training photographs with their hands, as a shard: scripts/make_photograph_pictures.py PHOTOS -o DIR.

What the members ``critic``, ``referee`` and ``proposals`` learn from beside the shards of `handwright synth`,
with photographs.csv, the hashes of all that was looked at. Hands are those that MediaPipe finds; boxes of
hands that a set names and that it does not find are kept beside them. Test-only pictures are left out by the
split's rule. Shards that are there already are kept.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.shards import Entry, write_shard
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import box_iou
from handwright.training.streams.photographs import training_photographs

LARGEST_PX, PER_SHARD = 512, 200
SHOW_ONE = ("ardamavi_digits", "roboflow_asl_letters_publicdomain")
"""Sets whose pictures show a single hand each: one that is found is all there is."""


def boxes_of(root):
    """Boxes of hands by set and file name, for the sets that name all of theirs."""
    boxes = {}
    for path in sorted(root.glob("*/annotations_coco.json")):
        said = json.loads(path.read_text("utf-8"))
        names = {image["id"]: f"{path.parent.name}/{image['file_name']}" for image in said["images"]}
        for name in names.values():
            boxes[name] = []
        for one in said["annotations"]:
            x, y, w, h = one["bbox"]
            boxes[names[one["image_id"]]].append([x, y, x + w, y + h])
    return boxes


def found_again(box, hands):
    """Whether one of the hands is the one in the box."""
    x0, y0, x1, y1 = box
    return any(
        box_iou(tuple(box), hand.bbox_xyxy_px) >= 0.3
        or (x0 <= hand.landmarks_px.mean(0)[0] < x1 and y0 <= hand.landmarks_px.mean(0)[1] < y1)
        for hand in hands
    )


def hands_of(hands, scale):
    """Found hands of a picture made ``scale`` times as large, as a record has them."""
    return [
        {
            "side": hand.side,
            "keypoints_px": np.round(hand.landmarks_px * scale, 2).tolist(),
            "visible": [True] * 21,
        }
        for hand in hands
    ]


def entry(key, record, pixels, scale, quality=95):
    """A picture made ``scale`` times as large, with what is known of it, for a shard."""
    size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
    image = pixels if scale == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    return Entry(key, {}, record, {"image": coded})


def entry_of(photograph, boxes, key, landmarker):
    """The photograph with its hands, at most ``LARGEST_PX`` large; None where no hand is known."""
    pixels = photograph.pixels
    scale = min(1.0, LARGEST_PX / max(pixels.shape[:2]))
    hands = find_hands(pixels, landmarker=landmarker, threads=1)
    named = boxes.get(photograph.source)
    missed = [box for box in named or [] if not found_again(box, hands)]
    if not hands and not missed:
        return None
    record = {
        "kind": "photographs",
        "source": photograph.source,
        "sha256": photograph.sha256,
        "domain": "photograph",
        "complete": named is not None or photograph.source.startswith(SHOW_ONE),
        "hands": hands_of(hands, scale),
        "boxes_xyxy_px": np.round(np.array(missed).reshape(-1, 4) * scale, 2).tolist(),
    }
    return entry(key, record, pixels, scale)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the real photographs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph, by its hash")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    boxes = boxes_of(args.photos)
    chosen = [p for p in training_photographs(args.photos) if int(p.sha256[-8:], 16) % args.every == 0]
    listed = "".join(f"{photograph.source},{photograph.sha256}\n" for photograph in chosen)
    (args.output / "photographs.csv").write_text(f"photograph,sha256\n{listed}", encoding="utf-8")
    chosen.sort(key=lambda photograph: photograph.sha256[::-1])
    with HandLandmarker(None) as landmarker:
        for start in range(0, len(chosen), PER_SHARD):
            path = args.output / f"photographs-{start:05d}.tar"
            if path.exists():
                continue
            lot = enumerate(chosen[start : start + PER_SHARD], start)
            made = (entry_of(photograph, boxes, f"{k:08d}", landmarker) for k, photograph in lot)
            count = write_shard(path, (entry for entry in made if entry is not None))
            print(f"{path}: {count}", flush=True)


if __name__ == "__main__":
    main()
