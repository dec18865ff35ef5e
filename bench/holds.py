"""What the grasp check finds without a prompt: python bench/holds.py --renders DIR.

--renders: shards of `handwright synth --kind holds` with a seed that training never saw. --hands: folder with
hands.jsonl; of its split `test` the hands on which both viewers agree, and malformed grips of both splits
(none of which is learnt from); and those of it of which both viewers of docs/research/held_things.csv say
whether they hold a thing. --photographs: $HANDWRIGHT_PHOTOS; of the checked list
(bench/data/hands_200.json) the test-only photographs in which a hand holds a thing: all hands are sound.
Hands are looked for where they are known to be and fitted as the review does it; a hand that is not found, or
that the review takes for not assessable, is not called. Prints rates with Wilson intervals, the AUC of broken
against other renders, and milliseconds of a core a hand. Scores are kept in --work.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from find import LIST
from handwright.data.labelled_pictures import box_of, label_of, labelled_pictures, read_pixels
from handwright.data.shards import list_shards, read_shards
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.metrics.estimate import rate_estimate
from handwright.metrics.roc import auc
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_in_boxes
from handwright.review.checks.assessability import reasons_not_assessable
from handwright.review.checks.broken_hold import BrokenHolds
from handwright.types import HandObservation, Image
from held_things import held_labels, picture_key
from judge_real import held_out_photos

Row = dict[str, Any]


def scored(pixels: np.ndarray, hand: HandObservation | None, holds: BrokenHolds) -> Row:
    """Probability of a broken hold; 0 for a hand that is not found or not assessable."""
    if hand is None:
        return {"found": False, "assessable": False, "score": 0.0}
    analysis = analyse_hand(Image(np.ascontiguousarray(pixels)), hand)
    told = holds.judge(analysis)
    clear = "grasp" not in reasons_not_assessable(analysis)
    score = sum(told[kind] for kind in BROKEN_HOLDS)
    return {"found": True, "assessable": clear, "score": score, "kinds": {str(k): v for k, v in told.items()}}


def rendered(folder: Path, holds: BrokenHolds, landmarker: Landmarker) -> Iterator[Row]:
    for entry in read_shards(list_shards(folder)):
        pixels, hold = entry.pictures["image"], entry.record["hold"]
        points = np.array(entry.record["hands"][0]["keypoints_px"])
        box = tuple(float(v) for v in (*points.min(0), *points.max(0)))
        (hand,) = find_in_boxes(pixels, [box], landmarker=landmarker, threads=1)
        yield {**scored(pixels, hand, holds), "state": hold["state"], "generator": hold["generator"]}


def generated(folder: Path, holds: BrokenHolds, landmarker: Landmarker) -> Iterator[Row]:
    held = held_labels("test")
    for line in labelled_pictures(folder, "train", "test"):
        key = picture_key(folder / line["file"])
        wanted = [
            hand
            for hand in line["hands"]
            if (line["split"] == "test" and label_of(hand) in ("good", "malformed"))
            or "grip" in kinds_of(hand)
            or (key, box_of(hand["box"])) in held
        ]
        if not wanted:
            continue
        pixels = read_pixels(folder, line)
        boxes = [box_of(hand["box"]) for hand in wanted]
        found = find_in_boxes(pixels, boxes, landmarker=landmarker, threads=1)
        for hand, seen in zip(wanted, found, strict=True):
            row = scored(pixels, seen, holds)
            labelled = {"label": hand["label"], "second": (hand.get("second") or {}).get("label")}
            facts = {"split": line["split"], "grip": "grip" in kinds_of(hand), "box": hand["box"]}
            facts |= {"holds": held.get((key, box_of(hand["box"]))), "file": line["file"]}
            yield {**row, **labelled, **facts}


def kinds_of(hand: Row) -> set[str]:
    return {*(hand.get("kinds") or []), *((hand.get("second") or {}).get("kinds") or [])}


def photographed(root: Path, holds: BrokenHolds, landmarker: Landmarker) -> Iterator[Row]:
    checked = {p["sha256"]: p["hands"] for p in json.loads(LIST.read_text("utf-8"))["pictures"]}
    for photo in held_out_photos(root):
        hands = checked.get(photo.sha256, [])
        if not any("object" in hand["tags"] for hand in hands):
            continue
        pixels, boxes = photo.read(), [tuple(map(float, hand["bbox_xyxy_px"])) for hand in hands]
        found = find_in_boxes(pixels, boxes, landmarker=landmarker, threads=1)
        for hand, seen in zip(hands, found, strict=True):
            yield {**scored(pixels, seen, holds), "tags": hand["tags"], "file": photo.path.name}


def kept(path: Path, rows: Callable[[], Iterator[Row]]) -> list[Row]:
    if not path.exists():
        path.write_text("".join(json.dumps(row) + "\n" for row in rows()), "utf-8")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def called(name: str, rows: list[Row], limit: float) -> None:
    if rows:
        hits = np.array([row["assessable"] and row["score"] >= limit for row in rows])
        seen = sum(row["assessable"] for row in rows)
        print(f"  {rate_estimate(name, hits)}; {seen} found and assessable", flush=True)


def of_renders(rows: list[Row], limit: float) -> None:
    seen = [row for row in rows if row["found"]]
    broken = np.array([row["state"] in BROKEN_HOLDS for row in seen])
    print(f"AUC of renders {auc(np.array([row['score'] for row in seen]), broken):.3f}, N {len(seen)} found")
    for hold in Hold:
        mine = [row for row in rows if row["state"] == hold]
        called(f"render, {hold}", mine, limit)
        for number in sorted({row["generator"] for row in mine}):
            called(f"    generator {number}", [row for row in mine if row["generator"] == number], limit)


def of_held(hands: list[Row], limit: float) -> None:
    """Which hands are taken to hold a thing; one that is not found or not assessable is not."""
    known = [row for row in hands if row["holds"] and row["split"] == "test"]
    sound = np.array([row["kinds"][Hold.SOUND] if row["assessable"] else 0.0 for row in known])
    holds = np.array([row["holds"] == "yes" for row in known])
    print(f"AUC of holding a thing {auc(sound, holds):.3f}, N {len(known)}")
    print(f"  {rate_estimate('ai_hands test, holding: held', sound[holds] >= limit)}")
    print(f"  {rate_estimate('ai_hands test, empty: held', sound[~holds] >= limit)}", flush=True)


def of_real(hands: list[Row], photos: list[Row], limit: float) -> None:
    for label in ("good", "malformed"):
        some = [r for r in hands if r["split"] == "test" and r["label"] == label == r["second"]]
        called(f"ai_hands test, {label} by both", some, limit)
    called(
        "malformed grips, both splits", [r for r in hands if r["grip"] and r["label"] == "malformed"], limit
    )
    holding = [r for r in photos if "object" in r["tags"]]
    called("test-only photographs, holding a thing", holding, limit)
    called("the same photographs, other hands", [r for r in photos if "object" not in r["tags"]], limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--renders", type=Path, required=True)
    parser.add_argument("--hands", type=Path)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--weights", type=Path, help="folder with grasp.onnx; default: the packaged one")
    parser.add_argument("--work", type=Path, default=Path("runs/holds"))
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    holds = BrokenHolds.load() if args.weights is None else BrokenHolds.load(args.weights)
    with HandLandmarker(None) as landmarker:
        renders = kept(args.work / "renders.jsonl", lambda: rendered(args.renders, holds, landmarker))
        hands, photos = list[Row](), list[Row]()
        if args.hands is not None:
            hands = kept(args.work / "hands.jsonl", lambda: generated(args.hands, holds, landmarker))
        if args.photographs is not None:
            photos = kept(
                args.work / "photos.jsonl", lambda: photographed(args.photographs, holds, landmarker)
            )
    print(f"limit {holds.limit:.3f}")
    of_renders(renders, holds.limit)
    of_real(hands, photos, holds.limit)
    if hands:
        of_held(hands, holds.held)
    crop = np.zeros((1, holds.size_px, holds.size_px, 4), np.uint8)
    spent = []
    for _ in range(30):
        began = time.process_time()
        holds.probabilities(crop)
        spent.append(1000 * (time.process_time() - began))
    print(f"network: {min(spent):.1f} ms at least, {np.median(spent):.1f} at the median of 30")


if __name__ == "__main__":
    main()
