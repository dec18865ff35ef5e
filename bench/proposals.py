"""Share of hands that MediaPipe, the proposal network, and both find; false finds.

    handwright synth --kind people --n 250 --size 384 --seed 900073 -o WORK/people-900073-384
    python bench/proposals.py WORK [--json OUT]

WORK is also the folder of ``bench/judge.py``, which makes its worlds of defects and of surgery there.
Hands with defects, in their pictures and again in square crops of which their box takes 90 … 130 %; a hand
is found by a region whose middle lies within half its size and whose size is within a factor of 2. Hand-free:
the checked crops of test-only photographs in hands_200.json, and windows of rendered people away from their
hands. Worlds have seeds from 900000 on, their photographs are test-only: both are checked. Intervals:
Wilson, 95 %.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from handwright.data.photographs import list_photos, read_photo
from handwright.data.shards import list_shards, read_shards
from handwright.metrics.estimate import rate_estimate
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import PACKAGED, Proposer, finds
from handwright.review.proposals.undetected_hands import (
    confirmed_detections,
    confirmed_proposals,
    undetected_proposals,
)
from handwright.training.streams.photographs import TRAIN_SETS, is_test_only
from handwright.training.streams.proposal_windows import hand_free_cut
from handwright.training.streams.whole_pictures import labelled

LIST = Path(__file__).parent / "data" / "hands_200.json"
LEAST_SEED, SHOWN_PX = 900_000, 384
FILLING, JITTER = (0.9, 1.3), 0.08
WORLDS = (
    ("rendered", "defects-900001-256", False),
    ("surgery", "surgery-held-out-900002-256", True),
)
PEOPLE = "people-900073-384"
WAYS = ("mediapipe", "network", "both")


def check_held_out(record):
    """Nothing that training or calibration may have seen."""
    if record["seed"] < LEAST_SEED:
        sys.exit(f"seed {record['seed']} may have been trained on")
    photograph = record.get("photograph")
    if photograph is not None:
        known = any(name in photograph["name"] for name in TRAIN_SETS)
        if known and not is_test_only(photograph["sha256"]):
            sys.exit(f"{photograph['name']} may have been trained on")


def defective_hands(folder, photographs):
    """Picture and landmarks of every hand with a defect; of photographs, or of renders."""
    for entry in read_shards(list_shards(folder)):
        check_held_out(entry.record)
        if (entry.record["domain"] == "photograph") != photographs:
            continue
        for hand in entry.record["hands"]:
            if hand.get("defects"):
                yield entry.pictures["image"], np.array(hand["keypoints_px"])


def filling(pixels, points, rng):
    """A square crop that the hand's box fills or more than fills; None where the picture is too small."""
    region = OrientedSquare.of(points)
    side = round(region.size_px / rng.uniform(*FILLING))
    corner = np.round(region.center_px + rng.uniform(-JITTER, JITTER, 2) * side - side / 2).astype(int)
    height, width = pixels.shape[:2]
    if side > min(height, width):
        return None
    x, y = np.clip(corner, 0, [width - side, height - side])
    crop = cv2.resize(pixels[y : y + side, x : x + side], (SHOWN_PX, SHOWN_PX), interpolation=cv2.INTER_CUBIC)
    return crop, (points - [x, y]) * (SHOWN_PX / side)


def hand_free_photographs(root):
    """The checked hand-free crops of test-only photographs."""
    for one in json.loads(LIST.read_text("utf-8"))["hand_free_crops"]:
        x0, y0, x1, y1 = one["bbox_xyxy_px"]
        yield photograph(root, one)[y0:y1, x0:x1]


def photograph(root, entry):
    """uint8 [H, W, 3], upright; from the set's folder or its tars."""
    path = root / entry["set"] / "images" / entry["name"]
    if path.exists():
        data = path.read_bytes()
    else:
        folder = root / entry["set"]
        data = next(read_photo(p) for p in list_photos(folder) if p.name == entry["name"])
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        sys.exit(f"{entry['set']}/{entry['name']} is another file than the list means")
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def hand_free_people(folder, rng):
    """A window of each rendered person away from the hands."""
    for entry in read_shards(list_shards(folder)):
        check_held_out(entry.record)
        cut = hand_free_cut(rng, labelled(entry.pictures["image"], entry.record), tries=20)
        if cut is not None:
            yield cut


def regions(pixels, proposer, landmarker, critic):
    """What each way finds in a picture; both together as in a review, where the critic has its say."""
    pixels = np.ascontiguousarray(pixels)
    hands = find_hands(pixels, landmarker=landmarker, threads=1)
    seen = [OrientedSquare.of(hand.landmarks_px) for hand in hands]
    kept, _ = confirmed_detections(hands, critic.judge(pixels, seen))
    found = confirmed_proposals(pixels, proposer.propose(pixels), critic, proposer.sure)
    proposals = [one for one, _ in found]
    new = undetected_proposals(proposals, kept, pixels.shape[1], pixels.shape[0])
    return {
        "mediapipe": seen,
        "network": [one.region for one in proposals],
        "both": [*(OrientedSquare.of(hand.landmarks_px) for hand in kept), *(one.region for one in new)],
    }


def measure(work, root, proposer, landmarker, critic, most):
    """The share of each kind that each way finds."""
    rng = np.random.default_rng(900_074)
    rows = []
    for name, folder, photographs in WORLDS:
        hands = list(defective_hands(work / folder, photographs))[:most]
        close = [crop for crop in (filling(*hand, rng) for hand in hands) if crop is not None]
        for kind, lot in ((name, hands), (f"{name}, filling the frame", close)):
            found = [
                (regions(pixels, proposer, landmarker, critic), OrientedSquare.of(points))
                for pixels, points in lot
            ]
            for way in WAYS:
                hit = [any(finds(told, true) for told in seen[way]) for seen, true in found]
                rows.append(rate_estimate(f"found by {way}: {kind}", np.array(hit)))
    crops = {
        "photographs": hand_free_photographs(root),
        "rendered people": hand_free_people(work / PEOPLE, rng),
    }
    for name, lot in crops.items():
        seen = [regions(pixels, proposer, landmarker, critic) for pixels in lot]
        for way in WAYS:
            hit = np.array([bool(one[way]) for one in seen])
            rows.append(rate_estimate(f"falsely found by {way}: {name}", hit))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="folder of the held-out worlds")
    parser.add_argument("--most", type=int, default=1000, help="hands of each kind")
    parser.add_argument("--weights", type=Path, default=PACKAGED)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    root = Path(os.environ["HANDWRIGHT_PHOTOS"])
    with HandLandmarker(None) as landmarker:
        rows = measure(args.work, root, Proposer.load(args.weights), landmarker, open_critic(), args.most)
    print("\n".join(map(str, rows)))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
