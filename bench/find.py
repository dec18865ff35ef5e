"""Recall of hands and false finds on real test-only photographs: python bench/find.py [--boxes] [--json OUT].

Reads the checked list bench/data/hands_200.json and the photographs of $HANDWRIGHT_PHOTOS. A hand counts as
found when the box of some found hand's landmarks, grown by a tenth of hand size, overlaps its box with
IoU ≥ .3, or when the mean of the landmarks lies in its box; every find answers for one hand at most.
Intervals: Wilson, 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import tarfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.perception.detect.views import box_iou

LIST = Path(__file__).parent / "data" / "hands_200.json"
LEAST_PX = 48


def photograph(root, entry):
    """uint8 [H, W, 3], upright; from the set's folder or its tars."""
    folder = root / entry["set"]
    path = folder / "images" / entry["name"]
    if path.exists():
        data = path.read_bytes()
    else:
        for archive in sorted(folder.glob("*.tar")):
            with tarfile.open(archive) as tar:
                if entry["name"] in tar.getnames():
                    data = tar.extractfile(entry["name"]).read()
                    break
        else:
            sys.exit(f"{entry['set']}/{entry['name']} is not below {root}")
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        sys.exit(f"{entry['set']}/{entry['name']} is another file than the list means")
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def overlap(hand, box):
    """How well a find fits a labelled box: 0 when it is another hand, else above 0."""
    x0, y0, x1, y1 = hand.bbox_xyxy_px
    edge = 0.1 * hand.size_px
    iou = box_iou((x0 - edge, y0 - edge, x1 + edge, y1 + edge), tuple(box))
    x, y = hand.landmarks_px.mean(0)
    inside = box[0] <= x < box[2] and box[1] <= y < box[3]
    return iou if iou >= 0.3 else 0.01 * inside


def match(found, boxes):
    """Greedy one-to-one: index of the find for every box, or None."""
    pairs = sorted(((-overlap(h, b), i, j) for i, b in enumerate(boxes) for j, h in enumerate(found)))
    of_box, taken = {}, set()
    for score, i, j in pairs:
        if score < 0 and i not in of_box and j not in taken:
            of_box[i] = j
            taken.add(j)
    return [of_box.get(i) for i in range(len(boxes))]


def wilson(hits, n, z=1.96):
    """95 % interval of a rate."""
    if n == 0:
        return 0.0, 1.0
    p, d = hits / n, 1 + z * z / n
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    middle = (p + z * z / (2 * n)) / d
    return max(0.0, middle - half), min(1.0, middle + half)


def line(name, hits, n):
    low, high = wilson(hits, n)
    return f"{name:44s} {hits:4d} / {n:4d} = {hits / max(n, 1):6.1%}   [{low:.1%}, {high:.1%}]"


def groups_of(picture, hand):
    where = "unseen folders" if picture.get("unseen_folder") else "hashed tenth"
    return ["all", where, f"set {picture['set']}", *(f"tag {tag}" for tag in hand["tags"])]


def recall(root, pictures, landmarker, by_box):
    """Counts per group: hands found and hands in all; the same for sides; seconds; unmatched finds."""
    counts, sides = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0])
    how, seconds, unmatched = defaultdict(int), [], 0
    for picture in pictures:
        pixels = photograph(root, picture)
        boxes = [hand["bbox_xyxy_px"] for hand in picture["hands"]]
        start = time.perf_counter()
        if by_box:
            found = find_in_boxes(pixels, [tuple(map(float, box)) for box in boxes], landmarker=landmarker)
            matched = [k if h is not None and overlap(h, boxes[k]) > 0 else None for k, h in enumerate(found)]
        else:
            found = find_hands(pixels, landmarker=landmarker)
            matched = match(found, boxes)
        seconds.append(time.perf_counter() - start)
        unmatched += len(found) - len([j for j in matched if j is not None])
        for hand, box, j in zip(picture["hands"], boxes, matched, strict=True):
            if max(box[2] - box[0], box[3] - box[1]) < LEAST_PX:
                continue
            for group in groups_of(picture, hand):
                counts[group][0] += j is not None
                counts[group][1] += 1
            if j is not None:
                how[found[j].found_by] += 1
                if hand["side"] != "unknown":
                    sides["side right"][0] += found[j].side == hand["side"]
                    sides["side right"][1] += 1
    return counts, sides, how, seconds, unmatched


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", action="store_true", help="measure the user's-box way instead")
    parser.add_argument("--json", type=Path, help="write the counts here too")
    options = parser.parse_args()
    if "HANDWRIGHT_PHOTOS" not in os.environ:
        sys.exit("set HANDWRIGHT_PHOTOS to the folder of real photographs")
    root, entries = Path(os.environ["HANDWRIGHT_PHOTOS"]), json.loads(LIST.read_text("utf-8"))
    with HandLandmarker() as landmarker:
        counts, sides, how, seconds, unmatched = recall(root, entries["pictures"], landmarker, options.boxes)
        false = 0
        for crop in [] if options.boxes else entries["hand_free_crops"]:
            x0, y0, x1, y1 = crop["bbox_xyxy_px"]
            part = np.ascontiguousarray(photograph(root, crop)[y0:y1, x0:x1])
            false += bool(find_hands(part, landmarker=landmarker))
    for group, (hits, n) in sorted(counts.items()) + sorted(sides.items()):
        print(line(group if group.startswith("side") else f"found, ≥ {LEAST_PX} px, {group}", hits, n))
    print("found by", dict(how), "· finds that match no labelled hand:", unmatched)
    if not options.boxes:
        print(line("hand-free crops with a false find", false, len(entries["hand_free_crops"])))
    print(f"seconds a picture: median {np.median(seconds):.3f}, 95 % {np.percentile(seconds, 95):.3f}")
    if options.json:
        table = {group: {"hits": hits, "n": n} for group, (hits, n) in (counts | sides).items()}
        table["false"] = {"hits": false, "n": len(entries["hand_free_crops"])}
        options.json.write_text(json.dumps(table, indent=1), "utf-8")


if __name__ == "__main__":
    main()
